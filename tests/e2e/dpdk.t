#!/usr/bin/env bash
# ctest: cost=6
# DPDK's BPF machine, if it is installed: what the suite says of it, and what its limits and its record hide.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache

"$CTS" run -r dpdk:interp -f base64/add/ -o json="$T/probe" >/dev/null 2>&1
why=$(sed -nE 's/^\{"type":"engine".*"skipped":true,"broken":false,"reason":"(.*)"\}$/\1/p' "$T/probe" 2>/dev/null)
[ -z "$why" ] || skip_all "dpdk:interp: $why"

# count FILE REGEX: how many cases of a json report match
count() {
    grep '^{"type":"case",' "$1" | grep -cE -e "$2"
}

run_cmd "$CTS" run -r dpdk:interp -r dpdk:jit -r dpdk:validate -o json="$T/json" -o text
is "$rc" 0 "all engines do as is on record"
[ "$rc" = 0 ] || diag "$(printf '%s\n' "$out" | grep -E '^(FAIL|ERROR|XPASS) ' | head -n 20)"
like "$out" '^dpdk:jit +DPDK [0-9]+\.[0-9]+' "the version is said"
[ "$(count "$T/json" '"status":"pass"')" -ge 20000 ]; ok $? "thousands of cases passed"
[ "$(count "$T/json" '"engine":"jit".*"status":"xfail","failure":"crash"')" -ge 40 ]; ok $? "crashes of compiled code are on record"
is "$(count "$T/json" '"failure":"flaky"')" 0 "... and whatever else was under way is told from them"
like "$out" 'limit of dpdk: the validator refuses every loop' "limits by the words of a refusal"
like "$out" 'limit of dpdk: the validator follows every way' "... and by the number of branches"
like "$out" 'unsupported: dpdk refuses arsh32_x \(validate: invalid opcode\)$' "rows that it does not have are skips"

cat >"$T/own.yaml" <<'Y'
suite: own
vectors:
  - {name: endless, insns: [ja], class: V20, clauses: [N112], program: ["r0 = 0", "r0 += 1", {insn: ja, off: -2}, "exit"], verdict: accept}
  - {name: refused, insns: [mov64_k], class: V02, clauses: [N052], program: [{opcode: 0xb7, dst: 11, imm: 1}, "exit"], verdict: accept}
  - {name: beyond, insns: [ldx_dw], class: V32, clauses: [N132], program: ["r0 = *(u64 *)(r1 + 64)", "exit"], verdict: accept}
  - {name: helper, insns: [call_helper], class: V23, clauses: [N124], needs: [helper-test],
     program: ["r1 = 1", "r2 = 2", "r3 = 3", "r4 = 4", "r5 = 5", "call 0x7000", "exit"], verdict: accept, r0: 129}
  - {name: stopped, insns: [div64_x], class: V32, clauses: [N059], program: ["r2 = *(u64 *)(r1 + 0)", "r0 = 7", "r0 /= r2", "r0 = 9", "exit"],
     verdict: accept, r0: 9}
Y
run_cmd "$CTS" run -r dpdk:interp "$T/own.yaml"
is "$rc" 1 "what is not on record fails"
like "$out" 'FAIL dpdk:interp own/refused.*wrongly-rejected.*validate: invalid dst-reg field$' "a refusal is quoted"
like "$out" 'FAIL dpdk:interp own/beyond.*wrongly-rejected.*evaluate: memory boundary violation$' "... and one by values"
like "$out" 'FAIL dpdk:interp own/stopped.*bpf_exec: division by 0$' "a fault is quoted"
unlike "$out" '^(FAIL|ERROR) .*own/(endless|helper)' "a loop is a limit; a helper gets its arguments"
run_cmd "$CTS" run -r dpdk:jit "$T/own.yaml" -f own/stopped
like "$out" 'FAIL dpdk:jit own/stopped.*wrong-result: r0 = 0x0, expected' "compiled code ends without a word"
run_cmd "$CTS" run -r dpdk:validate "$T/own.yaml" -f own/helper -f own/stopped
is "$rc" 0 "the validator alone accepts what it accepts"
done_testing
