#!/usr/bin/env bash
# The PREVAIL runtime, with a fake that speaks as PREVAIL does and with fakes that break in every way; and with PREVAIL itself where it is.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
real=${PREVAIL:-$(command -v prevail)}
unset PREVAIL
cd "$T" || exit 255

cat >in.yaml <<'Y'
suite: verdict
vectors:
  - name: run
    insns: [add64_x]
    clauses: [N037]
    asm: "{dst} += {src}"
    cases:
      - {in: {dst: 1, src: 2}, out: {dst: 3}}
  - name: accepted
    class: V01
    insns: [neg64]
    clauses: [N081]
    program: ["r0 = 5", "r0 = -r0", "exit"]
    verdict: accept
    r0: -5
  - name: no-instruction
    class: V01
    insns: [neg64]
    clauses: [N081]
    program: [{opcode: 0x8f, dst: 0}, "exit"]
    verdict: reject
  - name: not-passed
    class: V01
    insns: [mov64_x]
    clauses: [N081]
    program: ["r0 = r7", "exit"]
    verdict: reject
  - name: refused
    class: V01
    insns: [ja]
    clauses: [N081]
    program: [{insn: ja, off: 32767}, "exit"]
    verdict: reject
Y

# fake_run FAULT: $rc, $got (one line for each verdict) and $all (the report).
fake_run() {
    FAKE_PREVAIL=$1 PREVAIL=$ROOT/tests/fakes/prevail run_cmd "$CTS" run -r prevail -o json=r.json in.yaml
    all=$(cat r.json)
    got=$(sed -nE 's/.*"vector":"verdict\/([^"]*)".*"status":"([^"]*)","failure":"([^"]*)".*/\1 \2 \3/p' r.json | grep -v '^run ')
}

run_cmd env PATH=/nonexistent "$CTS" run -r prevail in.yaml
is "$rc" 4 'without PREVAIL nothing runs'
like "$out" 'prevail:verify +skipped: prevail is not in \$PATH.*set PREVAIL to the path' '... and the skip says what helps'
PREVAIL=/nonexistent/prevail run_cmd "$CTS" run -r prevail in.yaml
is "$rc" 3 'a wrong path is an error'
like "$out" "PREVAIL is '/nonexistent/prevail', which is no program" '... with the path'
fake_run no-version
is "$rc" 3 'one that does not know its version is an error'

fake_run honest
is "$rc" 0 'an honest verifier is believed'
is "$got" "accepted pass none
no-instruction pass none
not-passed pass none
refused pass none" '... in what it accepts and what it rejects'
like "$all" '"vector":"verdict/run".*"status":"skip".*loads programs, does not run them' 'programs are not run'
like "$all" '"runtime":"prevail","engine":"verify","version":"v0.0.0 fake"' 'its version is told'
mkdir bin && ln -s "$ROOT/tests/fakes/prevail" bin/prevail
PATH=$PWD/bin:$PATH run_cmd "$CTS" run -r prevail in.yaml
is "$rc" 0 'it is found in $PATH'

# What each fault must lead to: a verdict that it did not give is never a pass.
while read -r fault status failure words; do
    fake_run "$fault"
    is "$rc" "$([ "$status" = error ] && echo 3 || echo 1)" "$fault: the run fails"
    is "$(grep -c " $status $failure\$" <<<"$got")" 4 '... in this way for each program'
    like "$all" "prevail: $words" '... and says what happened'
done <<'F'
flood error none wrote more than 4194304 bytes
crash fail crash signal 11
silent error none exit 0
fails-in-silence error none exit 1
passes-with-1 error none exit 1: PASS
fails-with-0 error none exit 0: FAIL
broken error none exit 2: internal error: out of ideas
no-section error none exit 1: error: Section not found
F
FAKE_PREVAIL=hang PREVAIL=$ROOT/tests/fakes/prevail run_cmd "$CTS" run -r prevail -o json=r.json -f accepted in.yaml
is "$rc" 1 'hang: the run fails'
like "$(cat r.json)" '"failure":"timeout".*prevail: did not end within 4000 ms' '... and says so'
FAKE_PREVAIL=hang PREVAIL=$ROOT/tests/fakes/prevail run_cmd "$CTS" run --timeout 1 -r prevail -o json=r.json -f accepted in.yaml
like "$(cat r.json)" '"failure":"timeout".*prevail: did not end within 800 ms' '... its time is a part of --timeout'

export FAKE_STRAYS=$T/strays
fake_run stray
is "$rc" 0 'processes that it leaves behind do no harm'
is "$(wc -l <strays)" 4 '... all four'
sleep 0.2
left=0
while read -r pid; do kill -0 "$pid" 2>/dev/null && left=$((left + 1)); done <strays
is "$left" 0 '... and are ended'
fake_run escape
unlike "$all" $'\033' 'control characters in its words are not passed on'

if [ -x "$real" ]; then
    PREVAIL=$real run_cmd "$CTS" run -r prevail -g divmul32 -g divmul64
    is "$rc" 0 "PREVAIL itself ($real) decides as it should"
    like "$out" 'pass [1-9]' '... about programs'
else
    skip 'PREVAIL itself' 'it is not in $PATH, nor does $PREVAIL name it'
fi
done_testing
