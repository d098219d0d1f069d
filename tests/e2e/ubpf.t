#!/usr/bin/env bash
# ctest: cost=5 asan-cost=20
# uBPF, if it is built: what the suite says of it, and what its record hides.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
# Crashes are expected: no report of each.
export ASAN_OPTIONS=handle_segv=0:${ASAN_OPTIONS:-}

[ -x "$BUILD/cts-worker-ubpf" ] || skip_all "cts-worker-ubpf is not built: ./cts runtimes"

run_cmd "$CTS" run -r ubpf:interp -r ubpf:jit
is "$rc" 0 "both engines do as is on record"
[ "$rc" = 0 ] || diag "$(printf '%s\n' "$out" | grep -E '^(FAIL|ERROR|XPASS) ' | head -n 20)"
like "$out" '^ubpf:jit +[0-9]' "the version is said"
read -r passed < <(printf '%s\n' "$out" | sed -nE 's/^total: ([0-9]+) passed, 0 failed, .*/\1/p')
[ "${passed:-0}" -ge 15000 ]; ok $? "thousands of cases passed (${passed:-0})"

run_cmd "$CTS" run -r ubpf:jit-blinded -g base64 -g divmul64
case $out in
    *"constants are not blinded"*) skip "blinded constants" "uBPF blinds none on this machine" ;;
    *) is "$rc" 0 "blinded constants mean the same" ;;
esac

cat >"$T/own.yaml" <<'Y'
suite: own
vectors:
  - {name: fault, insns: [ldx_dw], class: V32, clauses: [N132], program: ["r2 = 0", "r0 = *(u64 *)(r2 + 0)", "exit"], verdict: accept}
  - {name: refused, insns: [mov64_k], class: V02, clauses: [N052], program: [{opcode: 0xb7, dst: 11, imm: 1}, "exit"], verdict: accept}
  - {name: endless, insns: [ja], class: V20, clauses: [N112], program: ["r0 = 0", "r0 += 1", {insn: ja, off: -2}, "exit"], verdict: fault}
  - {name: helper, insns: [call_helper], class: V23, clauses: [N124], needs: [helper-test],
     program: ["r1 = 1", "r2 = 2", "r3 = 3", "r4 = 4", "r5 = 5", "call 0x7000", "exit"], verdict: accept, r0: 129}
  - {name: fetch, insns: [atomic64_fetch_add], clauses: [N147], code: [{insn: atomic64_fetch_add, dst: r0, src: r3}],
     cases: [{in: {r0: mem+0, r3: 1, mem: [{at: 0, u64: [5]}]}, out: {r3: 5, mem: [{at: 0, u64: [6]}]}}]}
Y
run_cmd "$CTS" run -r ubpf:interp "$T/own.yaml"
like "$out" 'FAIL ubpf:interp own/fault.*out of bounds memory load at PC 1' "a fault is quoted"
like "$out" 'FAIL ubpf:interp own/refused.*wrongly-rejected.*[Ii]nvalid destination register' "a refusal is quoted"
unlike "$out" '^(FAIL|ERROR) .*own/(endless|helper|fetch)' "a program without end is stopped; a helper gets its arguments"
run_cmd "$CTS" run -r ubpf:jit "$T/own.yaml" -f own/fetch -f own/helper
is "$rc" 1 "a defect of the compiler that is on record for the suite's vectors shows in others"
like "$out" '^FAIL ubpf:jit own/fetch#.*: crash: ' "... as a crash"
unlike "$out" '^(FAIL|ERROR) .*own/helper' "... that costs its own case only"
done_testing
