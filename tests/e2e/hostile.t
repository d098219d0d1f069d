#!/usr/bin/env bash
# ctest: cost=4
# Workers that crash, hang, flood, lie and babble: each is named for what it did, costs no more than the case that did it, and nothing
# ever passes for want of an answer.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
worker=$TESTS/cts-fake-worker
[ -x "$worker" ] || { echo "Bail out! no $worker"; exit 255; }
cd "$T" || exit 255

# The mark of the fake workers is 0xdead in `rX = imm`.
mkdir in
cat >in/mark.yaml <<'Y'
suite: hostile/mark
vectors:
  - name: before
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
  - name: after
    insns: [sub64_x]
    clauses: [N037]
    asm: "{dst} -= {src}"
    cases:
      - {in: {dst: 1, src: 2}, out: {dst: -1}}
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
Y
CASES=7

# What each fault must lead to: fault, exit code, which (the marked case, or all), status and kind, and words in the message.
cat >table <<'X'
none          0 none  -                -
right         0 none  -                -
chatter       0 none  -                -
escape        0 none  -                -
unshared      0 none  -                -
no-threads    0 none  -                -
small-window  0 none  -                -
file-window   0 none  -                -
arena-window  0 none  -                -
cut-window    0 none  -                -
swapped-window 0 none -                -
punched-window 1 some flaky            -
crash         1 mark  crash            SIGSEGV
crash-load    1 mark  crash            SIGSEGV
exit          1 mark  crash            exit.7
child         1 mark  crash            SIGSEGV
orphans       1 mark  crash            SIGSEGV
hang          1 mark  timeout          did.not.answer
hang-load     1 mark  timeout          did.not.answer
late          1 mark  timeout          did.not.answer
late-unshared 1 mark  timeout          did.not.answer
late-silent   1 mark  timeout          did.not.answer
toil          0 none  -                -
waits         0 none  -                -
waits-for-ever 3 busy -                says.that.it.waits
stuck         1 mark  timeout          did.not.answer
trickle       1 mark  timeout          did.not.answer
flood-stderr  1 mark  crash            floods.stderr
flood-stdout  1 mark  crash            (text.on|floods).stdout
short         1 mark  crash            answers.to
truncate      1 mark  crash            middle.of.a.response
seq           1 mark  crash            sequence.number
type          1 mark  crash            no.answer
failed        - busy  -                did.not.understand
huge          1 mark  crash            a.frame.of
large         1 mark  crash            a.frame.of
trailing      1 mark  crash            bytes.behind
ops           1 mark  crash            malformed.answer
closed        1 mark  crash            closed.its.stdout
wrong         1 mark  wrong-result     -
flaky         1 some  flaky            -
load-once     1 some  flaky            -
flaky-wrong   1 mark  flaky            -
odd-row       0 none  -                -
odd-beside    0 none  -                -
crash-beside  0 none  -                -
accept-all    1 other wrongly-accepted -
lie           3 lie   -                -
lie-r0        3 lie   -                -
reject-all    3 lie   -                -
twice         - babble -               -
flood-frames  - babble -               -
grow          3 changed -              size.of.window
unsupported   4 absent -               moon.is.not.full
broken        3 start -                cannot.be.loaded
noexec        3 start -                never.works
garbage       3 start -                not.a.frame
text          3 start -                text.on.stdout
other-memory  - lost -                 does.not.hand.a.state
huge-window   3 start -                window_bytes
no-slots      3 start -                max_slots
odd-version   3 start -                version.*printable
X

# Every fault that the worker has is in the table. How a worker wants to be asked is none: see verdict-only.t.
"$worker" 2>&1 | awk '/^  / { print $1 }' | grep -vxE 'object|whole|verify(-.*)?' | sort >have
awk '{ print $1 }' table | sort >want
is "$(diff want have)" "" "every fault of the worker is tried"

run_fault() { # FAULT
    local f=$1 limit=1
    [ "$f" = waits-for-ever ] && limit=0.3 # it is given up after many times that
    mkdir "run-$f"
    printf '#!/bin/sh\nexec "%s" --fault %s "$@"\n' "$worker" "$f" >"run-$f/worker"
    chmod +x "run-$f/worker"
    FAKE_STATE=$T/run-$f/state timeout -k 5 1200 "$CTS" run --timeout $limit -r "./run-$f/worker:interp" -o text -o json="run-$f/json" in \
        >"run-$f/out" 2>"run-$f/err" </dev/null
    echo "$?" >"run-$f/rc"
}
export -f run_fault
export worker CTS T
# Most of the time is spent waiting.
awk '{ print $1 }' table | xargs -n 1 -P 8 bash -c 'run_fault "$1"' run

status() { # FAULT VECTOR: the statuses of its cases
    sed -nE 's/^\{"type":"case".*"vector":"hostile\/mark\/'"$2"'".*"status":"([^"]*)".*/\1/p' "run-$1/json" | sort -u | xargs
}

while read -r fault want what kind words; do
    read -r rc <"run-$fault/rc"
    out=$(cat "run-$fault/out")
    err=$(cat "run-$fault/err")
    if printf '%s\n' "$out$err" | grep -q 'no arenas here'; then
        skip "$fault" "the kernel has no arenas, or nobody may have one (root)"
        continue
    fi
    [ "$want" = - ] || is "$rc" "$want" "$fault: exit code $want"
    [ "$rc" -lt 124 ]; ok $? "$fault: comes to an end"
    unlike "$out$err" $'\033|\001' "$fault: no control characters of its own reach the terminal"
    total=$(printf '%s\n' "$out" | tail -n 1)
    fail="FAIL worker:interp hostile/mark"
    case $what in
        none)
            is "$total" "total: $CASES passed, 0 failed, 0 skipped" "$fault: all pass"
            ;;
        mark)
            like "$out" "^$fail/marked#1: $kind: " "$fault: named as $kind"
            is "$total" "total: $((CASES - 1)) passed, 1 failed, 0 skipped" "$fault: everything else passes"
            ;;
        some)
            like "$out" "^$fail/[a-z]+#[a-z0-9]+: $kind: " "$fault: named as $kind"
            unlike "$total" "total: $CASES passed" "$fault: is no pass"
            ;;
        other)
            like "$out" "^$fail/refused#verdict: $kind: " "$fault: named as $kind"
            is "$total" "total: $((CASES - 1)) passed, 1 failed, 0 skipped" "$fault: everything else passes"
            ;;
        lie)
            # One answer for everything: no vector that looks at a state may pass.
            for vector in before marked after sweep accepted; do
                unlike "$(status "$fault" "$vector")" pass "$fault: $vector does not pass"
            done
            ;;
        lost)
            # What the harness puts into the window is not what the runtime finds.
            for vector in before marked after sweep; do
                unlike "$(status "$fault" "$vector")" pass "$fault: $vector does not pass"
            done
            ;;
        babble)
            # More responses than requests: whether they come in time to be seen is a race. All that was requested was answered rightly, so either
            # nothing is amiss, or the case is named.
            case $rc in
                0) is "$total" "total: $CASES passed, 0 failed, 0 skipped" "$fault: all pass" ;;
                1) like "$out" "^$fail/marked#1: (crash|flaky|wrong-result): " "$fault: the case is named" ;;
                *) is "$rc" "0 or 1" "$fault: exit code" ;;
            esac
            is "$(printf '%s\n' "$out" | grep -c '^ERROR')" 0 "$fault: nothing remains unjudged"
            ;;
        changed)
            # A worker that comes back as another one is not asked any more.
            unlike "$(status "$fault" marked)" pass "$fault: the marked case does not pass"
            like "$err" 'is not what it was when it was started first' "$fault: the end of the run says why"
            ;;
        busy)
            # It is not the runtime that is at fault: no failure, and no pass either.
            is "$(status "$fault" marked)" error "$fault: the marked case is an error"
            like "$total" '^total: [0-9]+ passed, [0-9]+ failed, 0 skipped$' "$fault: the run comes to its end"
            is "$(printf '%s\n' "$out" | grep -c '^FAIL')" 0 "$fault: nothing is called a failure"
            ;;
        absent)
            is "$total" "total: 0 passed, 0 failed, 0 skipped" "$fault: nothing passes"
            like "$out" "^worker:interp  skipped: " "$fault: the engine is named as skipped"
            ;;
        start)
            is "$total" "total: 0 passed, 1 failed, 0 skipped" "$fault: nothing passes, and the engine is an error"
            like "$out" "^worker:interp  broken: " "$fault: the engine is named as broken"
            unlike "$out" "skipped: |apt-get install" "$fault: it is no skip, and nothing is there to install"
            ;;
    esac
    if [ "$words" != - ]; then
        like "$out" "$words" "$fault: ... and the words say how"
    fi
done <table

# A worker that is missing does not keep the others from running.
run_cmd "$CTS" run -r ./run-noexec/worker:interp -r reference in
is "$rc" 3 "a broken runtime beside a good one: exit code 3"
like "$out" "^total: $CASES passed, 1 failed, 0 skipped$" "... and the good one is run"
run_cmd "$CTS" run -r ./run-unsupported/worker:interp -r reference in
is "$rc" 0 "a runtime that is not to be had beside a good one: exit code 0"
like "$out" "^worker:interp  skipped: the moon" "... and it is named"
run_cmd "$CTS" run -r ./run-crash/worker:interp -r reference in
is "$rc" 1 "a crashing runtime beside a good one: exit code 1"
like "$out" "^total: $((2 * CASES - 1)) passed, 1 failed, 0 skipped$" "... and the good one is run"

# A body that runs alone, row by row, is loaded once for all of them.
mkdir kept
cat >kept/kept.yaml <<'Y'
suite: hostile/kept
vectors:
  - name: long
    insns: [mov64_k]
    clauses: [N037]
    operands: [opaque]
    code: ["r0 = 0xdead", {repeat: 70, text: "r1 += 1"}]
    cases:
      - {in: {r1: 1}, out: {r0: 0xdead, r1: 71}}
      - {in: {r1: 2}, out: {r0: 0xdead, r1: 72}}
      - {in: {r1: 3}, out: {r0: 0xdead, r1: 73}}
  - name: other
    insns: [mov64_k]
    clauses: [N037]
    operands: [opaque]
    asm: "r1 += 1"
    cases:
      - {in: {r1: 1}, out: {r1: 2}}
Y
for fault in load-once unshared; do
    run_cmd "$CTS" run -r "./run-$fault/worker:interp" kept
    like "$out" "^total: 4 passed, 0 failed, 0 skipped$" "$fault: a program is loaded once for all its rows"
done
run_cmd "$CTS" run -r ./run-crash/worker:interp kept
like "$out" "^total: 1 passed, 3 failed, 0 skipped$" "a crash in each of its rows costs these"
rm -f "run-flaky/state"
FAKE_STATE=$T/run-flaky/state run_cmd "$CTS" run -r ./run-flaky/worker:interp kept
like "$out" "^FAIL worker:interp hostile/kept/long#1: flaky: " "a crash in its first row, once, is flaky"
like "$out" "^total: 3 passed, 1 failed, 0 skipped$" "... and costs that row"

# Nothing is left behind.
none_survives "$worker"
done_testing
