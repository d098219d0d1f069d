#!/usr/bin/env bash
# ctest: cost=8 asan-cost=38
# `spec check` finds small defects: each of seeded-defects.tsv alone, in a copy of spec/, is reported by the rule named there.
. "$(dirname "$0")/lib.sh"

list=$ROOT/tests/e2e/seeded-defects.tsv
vectors=$ROOT/vectors

copy() { # DIR: a fresh copy of what the rules read
    mkdir -p "$1" && cp -r "$ROOT"/spec/*.yaml "$ROOT/spec/isa" "$ROOT/spec/anchors" "$1"
}

missing() { # RULE: why its tool is not there; empty if it is
    "$CTS" spec check "$1" 2>&1 | sed -nE "s/^ok [0-9]+ - $1 # SKIP (.*)/\1/p"
}
no_llvm=$(missing llvm)
no_binutils=$(missing binutils)

# One defect: prints a line of what came of it.
try() { # NUMBER RULE FILE SCRIPT
    local dir=$T/$1 number=$1 rule=$2 file=$3 status
    copy "$dir/spec" || return
    sed -E -i -e "$4" "$dir/spec/$file"
    if cmp -s "$dir/spec/$file" "$ROOT/spec/$file"; then
        echo "$number changes nothing"
    elif [ "$rule" = load ]; then
        "$CTS" spec check --spec "$dir/spec" --vectors "$vectors" names >"$dir/out" 2>"$dir/err"
        status=$?
        if [ $status = 2 ] && grep -qE '\.yaml:[0-9]+:' "$dir/err"; then
            echo "$number found"
        else
            echo "$number exit $status: $(cat "$dir/out" "$dir/err" | head -n 3 | tr '\n' ' ')"
        fi
    else
        "$CTS" spec check --spec "$dir/spec" --vectors "$vectors" "$rule" >"$dir/out" 2>"$dir/err"
        status=$?
        if [ $status = 1 ] && grep -qE "^not ok 1 - $rule # " "$dir/out" && grep -qE '^# [^ ]*: ' "$dir/out"; then
            echo "$number found"
        else
            echo "$number exit $status: $(cat "$dir/out" "$dir/err" | head -n 3 | tr '\n' ' ')"
        fi
    fi
    rm -rf "$dir"
}

copy "$T/whole"
run_cmd "$CTS" spec check --spec "$T/whole" --vectors "$vectors"
is "$rc $(printf '%s\n' "$out" | grep '^not ok')" "0 " "a copy without a defect passes every rule"
[ "$rc" = 0 ] || diag "$(printf '%s\n' "$out" | grep -A3 '^not ok')"

mkdir "$T/results"
lane() { # K OF: every OFth defect
    local n=0 rule file script
    while IFS=$'\t' read -r rule file script; do
        n=$((n + 1))
        [ $((n % $2)) = "$1" ] || continue
        case "$rule:${no_llvm:+x}:${no_binutils:+y}" in
            llvm:x:* | binutils:*:y) echo "$n skip" ;;
            *) try "$n" "$rule" "$file" "$script" ;;
        esac
    done < <(grep -v '^#' "$list") >"$T/results/$1"
}
lane 0 2 &
lane 1 2
wait
cat "$T"/results/* | sort -n >"$T/all"

count=0
found=0
while IFS=$'\t' read -r rule file script; do
    count=$((count + 1))
    result=$(sed -nE "s/^$count (.*)/\1/p" "$T/all")
    case $result in
        found) found=$((found + 1)) && pass "$rule finds: $file: $script" ;;
        skip) skip "$rule finds: $file: $script" "$no_llvm$no_binutils" ;;
        *) fail_test "$rule finds: $file: $script" && diag "$result" ;;
    esac
done < <(grep -v '^#' "$list")
[ "$count" -ge 40 ]; ok $? "forty defects and more"
diag "$found of $count defects found"
done_testing
