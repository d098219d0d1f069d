#!/usr/bin/env bash
# Runtimes that always answer the same, and change nothing else, pass next to nothing.
. "$(dirname "$0")/lib.sh"
worker=$BUILD/cts-constant-worker
[ -x "$worker" ] || { echo "Bail out! no $worker"; exit 255; }

# at_most ENGINE CASES_IN_1000 ARGUMENTS...
at_most() {
    run_cmd "$CTS" run -q -r "$worker:$1" "${@:3}"
    is "$rc" 1 "$1 ${*:3} fails"
    read -r passed failed < <(printf '%s\n' "$out" | sed -n 's/^total: \([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p')
    [ "$((passed * 1000))" -lt "$(($2 * (passed + failed)))" ]
    ok $? "$1 ${*:3} passes $passed of $((passed + failed)) cases, fewer than $2 in 1000"
}

for engine in zero one echo; do
    at_most "$engine" 10 -x verifier/
    at_most "$engine" 15 # programs that must be accepted often return 0
done
done_testing
