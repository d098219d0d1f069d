#!/usr/bin/env bash
# Runtimes that always answer the same, and change nothing else, pass next to nothing.
. "$(dirname "$0")/lib.sh"
worker=$BUILD/cts-constant-worker
[ -x "$worker" ] || { echo "Bail out! no $worker"; exit 255; }

most=${CTS_CONSTANT_MOST:-10} # cases of 1000 that may pass

for engine in zero one echo; do
    run_cmd "$CTS" run -q -r "$worker:$engine" -x verifier/
    is "$rc" 1 "$engine fails"
    total=$(printf '%s\n' "$out" | tail -1)
    read -r passed failed < <(printf '%s\n' "$total" | sed -n 's/^total: \([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p')
    [ "$((passed * 1000))" -lt "$((most * (passed + failed)))" ]
    ok $? "$engine passes $passed of $((passed + failed)) cases, fewer than $most in 1000"
done
done_testing
