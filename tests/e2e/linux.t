#!/usr/bin/env bash
# The suite on the kernel that runs here.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache

"$CTS" run -r linux:jit -f base64/add/ -o json="$T/probe" >/dev/null 2>&1
why=$(sed -nE 's/^\{"type":"engine".*"skipped":true,"broken":false,"reason":"(.*)"\}$/\1/p' "$T/probe" 2>/dev/null)
[ -z "$why" ] || skip_all "linux:jit: $why"

run_cmd "$CTS" run -r linux:jit
is "$rc" 0 "the suite passes on linux:jit"
[ "$rc" = 0 ] || diag "$(printf '%s\n' "$out" | grep -E '^(FAIL|ERROR|XPASS) ' | head -n 20)"
like "$(printf '%s\n' "$out" | tail -n 1)" '^total: [0-9]+ passed, 0 failed, [0-9]+ skipped$' "the last line is the total"
read -r passed skipped < <(printf '%s\n' "$out" | sed -nE 's/^total: ([0-9]+) passed, [0-9]+ failed, ([0-9]+) skipped$/\1 \2/p')
[ "${passed:-0}" -ge 1000 ]; ok $? "more than a thousand cases passed (${passed:-0})"
[ "${skipped:-999999}" -lt $((${passed:-0} / 10)) ]; ok $? "few were skipped (${skipped:-?})"
done_testing
