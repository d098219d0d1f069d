#!/usr/bin/env bash
# ctest: cost=21 asan-cost=56 lock=switches
# Every instruction of the specification is run by at least one case that passes, on the reference and on the kernel that runs here.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache

# The instructions of the RFC, by their groups. The second slot of lddw is a row of the specification, but no instruction.
run_cmd "$CTS" list insns
is "$rc" 0 "list insns"
rows=()
while read -r row group _; do
    [[ $group =~ ^((base|atomic|divmul)(32|64)|packet)$ ]] || continue
    [ "$row" = lddw_2nd ] || rows+=("$row")
done <<<"$out"
is "${#rows[@]}" 170 "the RFC has that many instructions"

run_cmd "$CTS" run -o json="$T/json" -o text
is "$rc" 0 "a default run has no unexpected result"
like "$out" '^total: [1-9][0-9]* passed, 0 failed, ' "... and ran"
while IFS= read -r line; do diag "shown: the suite: $line"; done < <(printf '%s\n' "$out" | grep -E '^([a-z-]+:[a-z-]+  |total: )')
[ "$rc" = 0 ] || diag "$(printf '%s\n' "$out" | grep -E '^(FAIL|ERROR|XPASS) ' | head -n 20)"

# ran ENGINE: the rows of its cases that passed after a run, not by the loader's word alone
ran() {
    grep -F "\"type\":\"case\",\"runtime\":\"${1%:*}\",\"engine\":\"${1#*:}\"," "$T/json" |
        grep -F '"status":"pass"' | grep -vE '"vector":"verifier/|"operand_tuples":0,' |
        sed -E 's/.*"insns":\[([^]]*)\].*/\1/' | tr -d '"' | tr , '\n' | sort -u
}

# limits: the rows that the kernel's runtime.yaml explains without a condition
limits() {
    local line rows= bare=
    while IFS= read -r line; do
        case $line in
        *'- insns: '*) rows=${line#*\[} bare=yes ;;
        *' when: '*) bare= ;;
        *' reason: "'?*) [ -z "$bare" ] || printf '%s\n' "$rows" ;;
        '   '*) rows+=" $line" ;;
        esac
    done <"$ROOT/runtimes/linux/runtime.yaml" | tr -d ']' | tr ',' '\n' | tr -d ' '
}

# missing FILE: the instructions that are not in it
missing() {
    local row
    for row in "${rows[@]}"; do
        grep -qx "$row" "$1" || echo "$row"
    done | xargs
}

ran reference:interp >"$T/reference"
is "$(missing "$T/reference")" "" "reference:interp has run every instruction"
diag "reference:interp: $((${#rows[@]} - $(missing "$T/reference" | wc -w))) of ${#rows[@]} instructions"

limits >"$T/limits"
is "$(while read -r row; do [[ " ${rows[*]} " = *" $row "* ]] || echo "$row"; done <"$T/limits")" "" \
    "rows that linux explains without a condition exist ($(xargs <"$T/limits"))"
why=$(grep '"type":"engine","runtime":"linux","engine":"jit",' "$T/json" |
    sed -nE 's/.*"skipped":true,"broken":false,"reason":"(.*)"\}$/\1/p')
if [ -n "$why" ]; then
    skip "linux:jit has run every instruction" "linux:jit: $why"
else
    ran linux:jit >"$T/linux"
    sort -u "$T/linux" "$T/limits" >"$T/explained"
    is "$(missing "$T/explained")" "" "linux:jit has run every instruction, or runtime.yaml says why not"
    diag "linux:jit: $((${#rows[@]} - $(missing "$T/linux" | wc -w))) of ${#rows[@]} instructions; not run: $(missing "$T/linux")"
fi
done_testing
