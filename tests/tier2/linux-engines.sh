#!/usr/bin/env bash
# The suite at level full on the kernel's engines that a default run leaves out. cap-bpf takes a minute or two: without CAP_PERFMON the verifier
# walks a million instructions of every loop before it gives up.
. "$(dirname "$0")/../e2e/lib.sh"

for engine in jit-hardened cap-bpf private-stack; do
    CMD_TIMEOUT=900 run_cmd "$CTS" run -r "linux:$engine" --level full --timeout 60 -o json="$T/json" -o text
    why=$(sed -nE 's/^\{"type":"engine".*"skipped":true,"broken":false,"reason":"(.*)"\}$/\1/p' "$T/json" 2>/dev/null)
    if [ -n "$why" ]; then
        skip "linux:$engine" "$why"
        continue
    fi
    is "$rc" 0 "linux:$engine has no unexpected result"
    like "$out" '^total: [1-9][0-9]* passed, 0 failed, ' "... and ran"
    diag "linux:$engine: $(printf '%s\n' "$out" | tail -n 1)"
    [ "$rc" = 0 ] || diag "$(printf '%s\n' "$out" | grep -E '^(FAIL|ERROR|XPASS) ' | head -n 20)"
done
done_testing
