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

# Of an engine that a default run leaves out, what it is there for: calls, and code that finds the frame by itself.
run_cmd "$CTS" run -r linux:private-stack -f 'base32/call/*' -f 'base32/frame-pointer/*' -f 'post/pairs/*' -f 'verifier/stack-*' -o json="$T/private"
why=$(sed -nE 's/^\{"type":"engine".*"skipped":true,"broken":false,"reason":"(.*)"\}$/\1/p' "$T/private" 2>/dev/null)
if [ -n "$why" ]; then
    skip "linux:private-stack" "$why"
else
    is "$rc" 0 "frames on private stacks"
    [ "$rc" = 0 ] || diag "$(grep -E '"status":"(fail|error|xpass)"' "$T/private" | head -n 20)"
    ran=$(grep -cE '"status":"(pass|xfail)"' "$T/private")
    [ "$ran" -ge 50 ]; ok $? "... of $ran cases, 50 at least"
fi
done_testing
