#!/usr/bin/env bash
# Several threads on one row: what is not atomic is caught, what is passes, and who has no threads is asked for nothing.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache

# The same additions in one step, and in three.
vectors() { # NAME REPEAT BODY...
    local name=$1 repeat=$2
    shift 2
    printf 'suite: t\nvectors:\n  - name: %s\n    insns: [atomic64_add]\n    clauses: [N136]\n    threads: 4\n    repeat: %s\n' "$name" "$repeat"
    printf '    operands: [opaque]\n    asm: |\n'
    printf '      %s\n' "$@"
    printf '    cases: [{in: {base: mem+32, one: 1, t: 0, mem: [{at: 40, u64: [7]}]}, out: {t: any, mem: [{at: 40, u64: [%s]}]}}]\n' \
        $((4 * repeat + 7))
}
vectors atomic 20000 '{t} = {one}' 'lock *(u64 *)({base} + 8) += {t}' >"$T/atomic.yaml"
vectors parts 20000 '{t} = *(u64 *)({base} + 8)' '{t} += {one}' '*(u64 *)({base} + 8) = {t}' >"$T/parts.yaml"

for engine in interp interp-be interp-env; do
    run_cmd "$CTS" run -r "reference:$engine" "$T/atomic.yaml"
    is "$rc" 0 "reference:$engine: an atomic addition loses nothing"
    run_cmd "$CTS" run -r "reference:$engine" "$T/parts.yaml"
    is "$rc" 1 "reference:$engine: one in three steps does"
    like "$out" '^FAIL reference:[a-z-]+ t/parts#1: wrong-result: ' "... and that is a wrong result"
done

run_cmd "$CTS" run -r linux:jit "$T/atomic.yaml"
if [ "$rc" = 4 ] || [ "$(nproc)" -lt 2 ]; then
    ok 0 "linux:jit # SKIP it takes the kernel's bpf(2) and two processors"
else
    is "$rc" 0 "linux:jit: an atomic addition loses nothing"
    # Each try goes through 80000 additions, nearly all of which meet others if two of the threads get processors at the same time. That is up to a
    # machine that may be busy with something else: hence many tries, of which an idle one needs one.
    caught=1
    for try in {1..60}; do
        run_cmd "$CTS" run -r linux:jit "$T/parts.yaml"
        [ "$rc" = 1 ] && caught=0 && break
    done
    ok $caught "linux:jit: one in three steps does (try $try)"
    like "$out" '^FAIL linux:jit t/parts#1: (wrong-result|flaky): ' "... and fails"
fi

# The vectors of the suite: each atomic operation whose parts others can come between is caught.
for row in atomic32_cmpxchg atomic64_xchg atomic64_or; do
    run_cmd "$CTS" mutants --insn $row -o tsv
    like "$out" "^$row"$'\tatomicity\t[^\t]*\tquick\tkilled\tquick\tquick\t'"${row%_*}/contention/" "$row: in parts, it is caught"
done

# A worker without threads is not asked for them.
worker=$TESTS/cts-fake-worker
printf '#!/bin/sh\nexec "%s" --fault no-threads "$@"\n' "$worker" >"$T/worker"
chmod +x "$T/worker"
run_cmd "$CTS" run -r "$T/worker:interp" "$T/atomic.yaml"
like "$out" '^total: 0 passed, 0 failed, 1 skipped$' "a worker without threads skips it"
like "$out" 'needs threads' "... and it is said why"
done_testing
