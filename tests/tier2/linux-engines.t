#!/usr/bin/env bash
# ctest: lock=switches
# The suite at level full on the kernel's engines that a default run leaves out. Without CAP_PERFMON (cap-bpf) the verifier finds no end to any loop, and
# walks it until it gives up: that must not take it the million instructions that it has, which are a second for each way a vector is run.
. "$(dirname "$0")/../e2e/lib.sh"

for engine in jit-hardened cap-bpf private-stack; do
    run_cmd "$CTS" run -r "linux:$engine" --level full --timeout 60 -o json="$T/json" -o text
    why=$(sed -nE 's/^\{"type":"engine".*"skipped":true,"broken":false,"reason":"(.*)"\}$/\1/p' "$T/json" 2>/dev/null)
    if [ -n "$why" ]; then
        skip "linux:$engine" "$why"
        continue
    fi
    is "$rc" 0 "linux:$engine has no unexpected result"
    like "$out" '^total: [1-9][0-9]* passed, 0 failed, ' "... and ran"
    diag "linux:$engine: $(printf '%s\n' "$out" | tail -n 1)"
    [ "$rc" = 0 ] || diag "$(printf '%s\n' "$out" | grep -E '^(FAIL|ERROR|XPASS) ' | head -n 20)"
    [ "$engine" = cap-bpf ] || continue
    refused=$(grep -c '"message":"rejected, but it must be accepted' "$T/json")
    is "$(grep '"message":"rejected, .*BPF program is too large' "$T/json" | sed -E 's/.*"vector":"([^"]*)".*/\1/' | sort -u)" "" \
        "... and no program took the verifier a million instructions (of $refused refused cases)"
    [ "$refused" -gt 0 ]; ok $? "... of some"
done
done_testing
