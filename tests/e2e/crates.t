#!/usr/bin/env bash
# ctest: cost=4 asan-cost=11
# The runtimes that come as a crate with a worker of their own, whichever there are: what each gets wrong is on record, with a reason
# that somebody has found. One more of them needs no change here; check-adapter.t asks the worker of each.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache

# Programs of other suites, with memory and with a helper.
mkdir "$T/data"
printf -- '-- asm\nldxb %%r0, [%%r1+1]\nadd %%r0, %%r2\nexit\n-- mem\n05 06\n-- result\n8\n' >"$T/data/memory.data"
printf -- '-- asm\nmov %%r1, 144\ncall 3\nexit\n-- result\n12\n' >"$T/data/root.data"

run_cmd "$CTS" list runtimes
here=$out
crates=0
for main in "$ROOT"/runtimes/*/src/main.rs; do
    name=${main%/src/main.rs}
    name=${name##*/}
    crates=$((crates + 1))
    if [ ! -x "$BUILD/cts-worker-$name" ]; then
        skip "$name" "it is not built (./cts runtimes)"
        continue
    fi
    engines=$(printf '%s\n' "$here" | sed -n "s/^$name:\([^ ]*\)  *default  *runs .*/\1/p")
    [ -n "$engines" ]; ok $? "$name: an engine runs"
    for engine in $engines; do
        run_cmd "$CTS" run -r "$name:$engine" -o text
        is "$rc" 0 "$name:$engine: everything that it gets wrong is on record"
        [ "$rc" = 0 ] || diag "$(printf '%s\n' "$out" | grep -E '^(FAIL|ERROR|XPASS) ' | head -n 20)"
        like "$out" '^total: [1-9][0-9][0-9][0-9]+ passed, 0 failed, ' "... more than a thousand cases passed"
        unlike "$out" 'unexplained:' "... and what failed is explained"
        run_cmd "$CTS" run -r "$name:$engine" "$T/data"
        like "$out" '^total: 2 passed, 0 failed, 0 skipped$' "... programs of other suites get memory, and a helper by its number"
    done
done
[ "$crates" -gt 0 ]; ok $? "there are such runtimes ($crates)"
done_testing
