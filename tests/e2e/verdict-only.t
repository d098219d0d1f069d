#!/usr/bin/env bash
# Engines that load programs and do not run them, engines that run whole programs only, and those that want ELF objects.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
worker=$TESTS/cts-fake-worker
[ -x "$worker" ] || { echo "Bail out! no $worker"; exit 255; }
cd "$T" || exit 255

cat >in.yaml <<'Y'
suite: verdict
vectors:
  - name: two-rows
    insns: [add64_x]
    clauses: [N037]
    asm: "{dst} += {src}"
    cases:
      - {in: {dst: 1, src: 2}, out: {dst: 3}}
      - {in: {dst: 5, src: 2}, out: {dst: 7}}
  - name: marked
    insns: [mov64_k]
    clauses: [N037]
    asm: "r0 = 0xdead"
    cases:
      - {in: {r0: 1}, out: {r0: 0xdead}}
  - name: marked-sweep
    insns: [xor64_x]
    clauses: [N037]
    asm: |
      r9 = 0xdead
      {dst} ^= {src}
    sweep: {dst: u64, src: u64}
  - name: sweep
    insns: [xor64_x]
    clauses: [N037]
    asm: "{dst} ^= {src}"
    sweep: {dst: u64, src: u64}
  - name: refused
    class: V01
    insns: [neg64]
    clauses: [N081]
    program: [{opcode: 0x8f, dst: 0}, "exit"]
    verdict: reject
  - name: accepted
    class: V01
    insns: [neg64]
    clauses: [N081]
    program: ["r0 = 5", "r0 = -r0", "exit"]
    verdict: accept
    r0: -5
  - name: either
    class: V01
    insns: [neg64]
    clauses: [N081]
    program: ["r0 = 0xdead", "exit"]
    verdict: reject-or-run
    r0: 0xdead
  - name: stopped
    class: V01
    insns: [ldx_dw]
    clauses: [N081]
    program: ["r2 = 0", "r0 = *(u64 *)(r2 + 0)", "exit"]
    verdict: fault
Y

# fault_run FAULT [ENGINE]: $rc, $err, and $got: one line for each case.
fault_run() {
    printf '#!/bin/sh\nexec "%s" --fault %s "$@"\n' "$worker" "$1" >"w-$1"
    chmod +x "w-$1"
    run_cmd "$CTS" run -r "./w-$1:${2:-interp}" -j 1 --timeout 2 -o json=r.json in.yaml
    got=$(sed -nE 's/.*"vector":"verdict\/([^"]*)","case":"([^"]*)".*"status":"([^"]*)".*/\1#\2 \3/p' r.json)
}
want() { grep -v '^#' | sed '/^$/d'; }

fault_run none
is "$rc" 0 'the vectors are right'
is "$(echo "$got" | grep -vc ' pass$')" 0 'the reference passes them'

fault_run verify
is "$rc" 1 'a verifier that rejects what is legal fails'
is "$got" "$(want <<'X2'
two-rows#1 pass
two-rows#2 pass
marked#1 fail
marked-sweep#sweep fail
sweep#sweep pass
refused#verdict pass
accepted#verdict pass
either#verdict pass
stopped#verdict pass
X2
)" 'with a window every program is loaded, and none is run'
like "$(cat r.json)" '"vector":"verdict/sweep".*"operand_tuples":0' '... and no operand tuples are counted'

fault_run verify-whole
is "$rc" 0 'without a window there is nothing to fail'
is "$got" "$(want <<'X2'
two-rows#1 skip
two-rows#2 skip
marked#1 skip
marked-sweep#sweep skip
sweep#sweep skip
refused#verdict pass
accepted#verdict pass
either#verdict pass
stopped#verdict pass
X2
)" 'without one, verdicts only'
like "$(cat r.json)" 'loads programs, does not run them' '... and the skips say why'

fault_run verify-crash
is "$rc" 1 'a verifier that dies fails'
is "$got" "$(want <<'X2'
two-rows#1 pass
two-rows#2 pass
marked#1 fail
marked-sweep#sweep fail
sweep#sweep pass
refused#verdict pass
accepted#verdict pass
either#verdict fail
stopped#verdict pass
X2
)" '... where it died, and nowhere else'

fault_run verify-all
is "$rc" 1 'a verifier that accepts everything fails'
is "$(echo "$got" | grep -v ' pass$')" 'refused#verdict fail' '... where a program must be rejected'

fault_run whole
is "$rc" 0 'whole programs only'
is "$(echo "$got" | grep -c ' skip$')" 5 'what needs a window is a skip'
is "$(echo "$got" | grep -c ' pass$')" 4 '... and whole programs are run'

for engine in interp interp-be; do
    fault_run object "$engine"
    is "$rc" 0 "$engine gets ELF objects"
    is "$(echo "$got" | grep -vc ' pass$')" 0 '... of all programs'
done

# Why a program is refused is asked where somebody may read it.
mkdir limited && cp w-none limited/worker
printf '%s\n' 'name: fake' 'title: "with a limit"' 'worker: ./worker' 'engines:' '  - {name: interp, what: "interpreter"}' 'groups: all' 'required: all' \
    'restrictions:' '  - insns: [xor64_k]' '    reason: "no exclusive or"' >limited/runtime.yaml
# asked NAME WANTED: of the vector whose body is stdin.
asked() {
    { printf 'suite: asked\nvectors:\n  - name: %s\n' "$1"; cat; } >asked.yaml
    rm -f logs
    FAKE_LOGS=$T/logs run_cmd "$CTS" run -r limited/worker -j 1 asked.yaml
    is "$rc" 0 "$1 passes"
    is "$(sort -u logs)" "$2" "... and a reason is $2"
}
asked may-run wanted <<'Y'
    insns: [mov64_k]
    clauses: [N037]
    asm: "{a} = 0xdead"
    operands: [opaque]
    cases:
      - {in: {a: 1}, out: {a: 0xdead}}
Y
asked is-on-record moot <<'Y'
    insns: [xor64_k]
    clauses: [N037]
    asm: "{b} = 0xdead; {a} ^= 1"
    operands: [opaque]
    cases:
      - {in: {a: 1}, out: {a: 0, b: 0xdead}}
Y
asked must-be-rejected moot <<'Y'
    class: V01
    insns: [neg64]
    clauses: [N081]
    program: ["r1 = 0xdead", {opcode: 0x8f, dst: 0}, "exit"]
    verdict: reject
Y
asked may-be-rejected wanted <<'Y'
    class: V01
    insns: [neg64]
    clauses: [N081]
    program: ["r1 = 0xdead", "r0 = 5", "exit"]
    verdict: reject-or-run
    r0: 5
Y
done_testing
