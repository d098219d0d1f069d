#!/usr/bin/env bash
# ctest: cost=8 asan-cost=26
# Runtimes that lack a feature: what needs it is skipped, by what its code says, and nothing else; nothing is called wrongly rejected.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache CMD_TIMEOUT=240
cd "$T" || exit 255

# lacking FEATURE: a worker without it
lacking() {
    mkdir -p "$1"
    printf '#!/bin/sh\nexec "%s" --without %s "$@"\n' "$TESTS/cts-lacking-worker" "$1" >"$1/worker"
    chmod +x "$1/worker"
}

run_cmd "$CTS" run -q -r reference
is "$rc" 0 "the reference has all of it"
whole=$(printf '%s\n' "$out" | sed -nE 's/^pass ([0-9]+),.*/\1/p')
[ "${whole:-0}" -gt 1000 ]; ok $? "... and passes"

features="local-call map-fd map-idx var code btf-call packet helper-map helper-csum helper-test tail-call callx stack-args function-data gotox helper-0"
for f in $features; do
    lacking "$f"
    run_cmd "$CTS" run -r "./$f/worker:interp" -o json="$f.json"
    is "$rc" 0 "without $f: exit code 0"
    unlike "$out" '^(FAIL|ERROR)' "... nothing fails"
    skipped=$(grep -c "\"status\":\"skip\".*\"message\":\"needs $f\"" "$f.json")
    [ "$skipped" -gt 0 ]; ok $? "... what needs it is skipped ($skipped cases)"
    lost=$(grep '"status":"skip"' "$f.json" | grep '"message":"needs ' | grep -vcE "\"message\":\"needs ($f|tail-call)\"")
    is "$lost" 0 "... and nothing is skipped for want of another (but tail-call, which the reference does not have)"
done

# What a vector does not say: it is derived.
mkdir silent
cat >silent/call.yaml <<'Y'
suite: silent/call
vectors:
  - name: called
    insns: [call_local]
    clauses: [N081]
    asm: "call 1f"
    subs: |
      1: r0 = 7
      exit
    unreadable: [r1, r2, r3, r4, r5]
    cases: [{out: {r0: 7}}]
  - name: whole
    class: V01
    insns: [call_local]
    clauses: [N081]
    program: [{insn: call_local, imm: 1}, "exit", "r0 = 7", "exit"]
    verdict: accept
    r0: 7
  - name: either
    class: V01
    insns: [call_local]
    clauses: [N081]
    program: [{insn: call_local, imm: 1}, "exit", "r0 = 7", "exit"]
    verdict: reject-or-run
    r0: 7
  - name: never
    class: V01
    insns: [call_local]
    clauses: [N081]
    program: [{insn: call_local, imm: 1}, "exit", "r0 = 7", {opcode: 0x8f, dst: 0}, "exit"]
    verdict: reject
Y
run_cmd "$CTS" run -r reference -o json=all.json silent
is "$rc" 0 "calls that no vector speaks of pass where they are to be had"
run_cmd "$CTS" run -r ./local-call/worker:interp -o json=some.json silent
is "$rc" 0 "... and where they are not, nothing fails"
for v in called whole; do
    like "$(grep "silent/call/$v\"" some.json)" '"status":"skip".*"message":"needs local-call"' "... $v is skipped"
done
for v in either never; do
    like "$(grep "silent/call/$v\"" some.json)" '"status":"pass"' "... $v, which may be rejected, is asked"
done
done_testing
