#!/usr/bin/env bash
# Runs the tests of build folders side by side, and sums up their points: run.sh [OPTION...] [FOLDER...] [-- NAME...]
#
#   --also FILE   results in TAP that count, too
#   --need KIND   a kind of which something must have passed: unit, asan.e2e, ...
#   --all         also the slow second tier (label tier2), which otherwise runs if its label or one of its tests is named
#   -L LABEL      the tests with this label: unit, checks, e2e, fuzz, tier2, sanitizers; of several, those that have all of them
#   NAME          one test (e2e.files, or files), or some (e2e.spec-*); if none is named, all
#
# CTest runs them, in FOLDER/all of the first folder. The last line is the total. Exit 0 if something passed and nothing failed.
set -u

jobs=$(nproc 2>/dev/null || echo 2)
also=() needed=() folders=() select=() names='' tier2=''
while [ $# -gt 0 ]; do
    case $1 in
        --also) also+=("$2"); shift ;;
        --need) needed+=("$2"); shift ;;
        --all) tier2=1 ;;
        -L) select+=(-L "^$2\$"); [ "$2" != tier2 ] || tier2=1; shift ;;
        --) shift; break ;;
        -*) echo "run.sh: unknown option '$1'" >&2; exit 2 ;;
        *) folders+=("$(cd "$1" && pwd)") || exit 2 ;;
    esac
    shift
done
for name in "$@"; do
    case $name in tier2.*) tier2=1 ;; esac
    name=${name//./\\.}
    names=${names:+$names|}${name//\*/.*}
done
[ -z "$names" ] || select+=(-R "(^|\\.)($names)\$")
[ -n "$tier2" ] || select+=(-LE "^tier2\$")

results=$(mktemp) || exit 3
trap 'rm -f "$results"' EXIT

# Lines of one kind each: "point KIND PASSED FAILED SKIPPED", "why TEXT" of what failed, "skip TEXT", "show TEXT" (a test asks
# for it with a line "# shown: TEXT"), "time SECONDS CPU NAME".
for file in ${also[@]+"${also[@]}"}; do
    awk '/^ok [0-9]+.*# SKIP/ { sub(/.*# SKIP */, ""); print "skip " $0; s++; next }
        /^ok / { p++ } /^not ok / { f++; print "why   " $0 }
        END { print "point builds", p + 0, f + 0, s + 0 }' "$file" >>"$results"
done

if [ ${#folders[@]} -gt 0 ]; then
    work=${folders[0]}/all
    rm -rf "$work" && mkdir -p "$work" || exit 3
    printf 'subdirs("%s")\n' "${folders[@]}" >"$work/CTestTestfile.cmake"
    log=$work/Testing/Temporary/LastTest.log
    status=0
    # One more than there are processors: some of them wait now and then.
    ctest --test-dir "$work" --no-tests=error -j $((jobs + 1)) "${select[@]}" 2>"$work/ctest.err" || status=$?
    cat "$work/ctest.err"
    [ -e "$log" ] || : >"$log"
    awk -v status="$status" '
        /^[0-9]+\/[0-9]+ Testing: / { name = $3; p = f = s = cpu = judged = shown = 0; kind = name; sub(/\.[^.]*$/, "", kind); n = 0; next }
        /^# points: / { p = $3; f = $5; s = $7; cpu = $9; judged = 1; next }
        /^(not )?ok [0-9]+.*# *[Ss][Kk][Ii][Pp]/ || /^1\.\.0 *# *[Ss][Kk][Ii][Pp]/ {
            text = $0; sub(/.*# *[Ss][Kk][Ii][Pp] */, "", text); print "skip " text; on = 0; next
        }
        /^not ok [0-9]+/ || /^# failed: / || /^Bail out!/ { line[++n] = $0; on = 1; next }
        /^# shown: / { print "show " substr($0, 10); next }
        on && /^#/ { line[++n] = $0; next }
        { on = 0 }
        /^Test time = / { took = $4; next }
        /^Test [A-Z][A-Za-z ]*\.$/ {
            if ($0 != "Test Passed." && !f) { f = 1; line[++n] = "# " $0 }
            if ($0 == "Test Passed." && !judged) { f = 1; line[++n] = "# no points" }
            if (f) { print "why " name; for (i = 1; i <= n && i <= 80; i++) print "why   " line[i]; bad++ }
            print "point", kind, p, f, s
            print "time", took, cpu, name
        }
        END { if (status != 0 && !bad) { print "why ctest: exit code " status; print "point ctest 0 1 0" } }' "$log" >>"$results"
fi

for kind in ${needed[@]+"${needed[@]}"}; do
    awk -v kind="$kind" '$1 == "point" && $2 == kind { p += $3 + $4 }
        END { if (!p) { print "why no test of the kind " kind " ran"; print "point", kind, 0, 1, 0 } }' "$results" >>"$results"
done

shown() { # KIND: what the summary calls it
    case $1 in
        builds) echo "builds" ;;
        unit) echo "unit tests" ;;
        checks) echo "checks of the tree" ;;
        e2e) echo "end-to-end tests" ;;
        fuzz) echo "fuzzers" ;;
        tier2) echo "second tier" ;;
        asan.*) echo "$(shown "${1#asan.}") with sanitizers" ;;
        *) echo "$1" ;;
    esac
}

echo
sed -n 's/^show //p' "$results"
sed -n 's/^skip //p' "$results" | sort | uniq -c | sort -rn | sed 's/^ *\([0-9]*\) */skipped: \1 x /' | head -n 20
if grep -q '^time' "$results"; then
    sed -n 's/^time //p' "$results" | sort -k 2 -rn >"$work/times"
    awk '{ cpu += $2 } END { printf "%d tests took %d s of processors; the most:\n", NR, cpu }' "$work/times"
    head -n 5 "$work/times" | awk '{ printf "   %-32s %7.1f s (took %.1f s)\n", $3, $2, $1 }'
fi
if grep -q '^why ' "$results"; then
    printf '\n== what failed\n'
    sed -n 's/^why //p' "$results" | head -n 200
    [ ${#folders[@]} = 0 ] || printf '(all of it: %s)\n' "$log"
fi
printf '\n== summary\n'
for kind in $(awk '$1 == "point" { print $2 }' "$results" | awk '!seen[$0]++' | sort); do
    awk -v kind="$kind" -v name="$(shown "$kind")" '$1 == "point" && $2 == kind { p += $3; f += $4; s += $5 }
        END { printf "%-44s %5d passed %3d failed %3d skipped\n", name, p, f, s }' "$results"
done
awk '$1 == "point" { p += $3; f += $4; s += $5 }
    END {
        printf "total: %d passed, %d failed, %d skipped\n", p, f, s
        exit !(p > 0 && f == 0)
    }' "$results"
