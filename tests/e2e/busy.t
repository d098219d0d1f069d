#!/usr/bin/env bash
# ctest: cost=17 asan-cost=19 lock=switches
# A machine that is busy with something else changes no result: deadlines count a worker's own time, and waiting for the lock of the machine's
# switches is no part of it.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
cd "$T" || exit 255

busy=()
idle() {
    [ ${#busy[@]} = 0 ] || { kill "${busy[@]}" && wait "${busy[@]}"; } 2>/dev/null
    busy=()
}
trap 'status=$?; idle; (exit $status); tap_end' EXIT
keep_busy() {
    local i
    for ((i = 0; i < 3 * $(nproc); i++)); do
        (while kill -0 $$ 2>/dev/null; do for _ in {1..10000}; do :; done; done) &
        busy+=($!)
    done
}
total() { printf '%s\n' "$out" | tail -n 1; }

# A program that takes 0.3 s of a processor, with 1 s for it.
printf '#!/bin/sh\nexec "%s" --fault toil "$@"\n' "$TESTS/cts-fake-worker" >worker
chmod +x worker
cat >toil.yaml <<'Y'
suite: busy/toil
vectors:
  - name: marked
    insns: [mov64_k]
    clauses: [N037]
    asm: "r0 = 0xdead"
    cases: [{in: {r0: 1}, out: {r0: 0xdead}}]
Y
locked() { run_cmd "$CTS" run -r linux:jit-hardened -f programs/expansion -f verifier/imm-selector -f verifier/frame-pointer -j 2 --timeout 1; }

run_cmd "$CTS" run --timeout 1 -r ./worker:interp toil.yaml
is "$(total)" 'total: 1 passed, 0 failed, 0 skipped' 'a program of 0.3 s passes'
# What is needed is in the cache before the machine is busy.
locked
linux=$rc quiet=$(total)

keep_busy
run_cmd "$CTS" run --timeout 1 -r ./worker:interp toil.yaml
is "$(total)" 'total: 1 passed, 0 failed, 0 skipped' '... and beside three loops for each processor'
if [ "$linux" = 4 ]; then
    skip 'two workers that take turns with the lock' "linux:jit-hardened: $(printf '%s\n' "$err" | head -n 1)"
else
    for try in 1 2; do
        locked
        is "$(total)" "$quiet" "two workers that take turns with the lock beside them have the same results (try $try)"
    done
fi
idle
done_testing
