#!/usr/bin/env bash
# The bpf-run runtime, with a fake that speaks as bpf-run does and with fakes that break in every way; and with bpf-run itself where it is.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
real=${BPF_RUN:-$(command -v bpf-run)}
unset BPF_RUN
cd "$T" || exit 255

cat >in.yaml <<'Y'
suite: whole
vectors:
  - name: number
    class: V01
    insns: [mov64_k]
    clauses: [N081]
    program: ["r0 = 12345678", "exit"]
    verdict: accept
    r0: 12345678
  - name: rejected
    class: V01
    insns: [neg64]
    clauses: [N081]
    program: [{opcode: 0x8f, dst: 0}, "exit"]
    verdict: reject
  - name: missing
    class: V01
    insns: [bswap16]
    clauses: [N081]
    program: ["r0 = bswap16 r0", "exit"]
    verdict: accept
Y

# fake_run FAULT: $rc, $got (one line for each vector) and $all (the report).
fake_run() {
    FAKE_BPF_RUN=$1 BPF_RUN=$ROOT/tests/fakes/bpf-run run_cmd "$CTS" run -r bpf-run -o json=r.json in.yaml
    all=$(cat r.json)
    got=$(sed -nE 's/.*"vector":"whole\/([^"]*)".*"status":"([^"]*)","failure":"([^"]*)".*/\1 \2 \3/p' r.json)
}

run_cmd env PATH=/nonexistent "$CTS" run -r bpf-run in.yaml
is "$rc" 4 'without bpf-run nothing runs'
like "$out" 'bpf-run:interp +skipped: bpf-run is not in \$PATH.*gdb-bpf' '... and the skip says what helps'
BPF_RUN=/nonexistent/bpf-run run_cmd "$CTS" run -r bpf-run in.yaml
is "$rc" 3 'a wrong path is an error'
fake_run no-version
is "$rc" 3 'one that does not know its version is an error'

fake_run honest
is "$rc" 0 'an honest simulator is believed'
is "$got" "number pass none
rejected skip none
missing skip none" '... in what it computes'
like "$all" '"vector":"whole/rejected".*no loader.s checks: nothing is rejected at load' 'what can only be rejected is not asked'
like "$all" '"vector":"whole/missing".*unsupported: bpf-run refuses bswap16' 'an instruction that it has not is unsupported'
like "$all" '"version":"0.0"' 'its version is told'

# What each fault must lead to, and words that say it: never a pass.
while read -r fault status failure words; do
    fake_run "$fault"
    is "$rc" "$([ "$status" = error ] && echo 3 || echo 1)" "$fault: the run fails"
    is "$(grep '^number' <<<"$got")" "number $status $failure" '... in this way'
    like "$all" "\"vector\":\"whole/number\".*$words" '... and says so'
done <<'F'
wrong fail wrong-result r0 = 0xbc614f
lie error none neither accepted nor rejected: bpf-run: exit 0
silent error none bpf-run: exit 0
words error none bpf-run: exit 0
fails error none bpf-run: exit 3
flood error none wrote more than 4194304 bytes
crash fail crash signal 11
hang fail timeout did not end within 3000 ms
stopped fail unexpected-fault program stopped with signal 11
undecoded fail unexpected-fault couldn't decode instruction
F

export FAKE_STATE=$T/state
fake_run crash-once
is "$rc" 1 'a crash that does not come again is no pass'
is "$(grep '^number' <<<"$got")" 'number fail flaky' '... but flaky'
is "$(grep -c ' error \| fail ' <<<"$got")" 1 '... for the program that it came with'

if [ -x "$real" ]; then
    # The environments of all shapes, hand-written cases and sweeps, bodies that end the program, faults.
    BPF_RUN=$real run_cmd "$CTS" run -r bpf-run "$ROOT/vectors/base64/add.yaml" "$ROOT/vectors/base32/add.yaml" \
        "$ROOT/vectors/base32/exit.yaml" "$ROOT/vectors/base32/store.yaml" "$ROOT/vectors/verifier/no-pointer.yaml"
    is "$rc" 0 "bpf-run itself ($real) computes what it should, but for what is on record"
    like "$out" '^pass [0-9]{2,}, fail 0, .*xfail [1-9]' '... all of it'
else
    skip 'bpf-run itself' 'it is not in $PATH, nor does $BPF_RUN name it'
fi
done_testing
