#!/usr/bin/env bash
# The command that a failure gives shows it again, whatever it takes: the other bodies of its program, the run's level, its time and its lists.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache CMD_TIMEOUT=240
cd "$T" || exit 255
mkdir vectors

# number FIRST LAST [ODD]: cases with an immediate each, 0x100 + their number; r4 is 0 but in case ODD, where it is 7.
numbers() {
    for ((n = $1; n <= $2; n++)); do
        echo "      - {name: n$n, imm: $((n == 32 ? 0xdead : 0x100 + n)), in: {r3: 1, r4: $((n == ${3:-0} ? 7 : 0))}, out: {r3: 1, r0: $((n == 32 ? 0xdead : 0x100 + n))}}"
    done
}

# A program holds 8 bodies, and case 32 has the mark. Of `many` alone it is the last of its program; behind the nine of `lead` it shares one with case 33.
{
    printf 'suite: among\nvectors:\n'
    for v in other lead many last; do
        printf '  - name: %s\n    insns: [mov64_k]\n    clauses: [N039]\n    operands: [opaque]\n    asm: "r0 = {imm}"\n    cases:\n' "$v"
        case $v in
            lead) numbers 1 9 ;;
            many) numbers 9 60 33 ;;
            *) numbers 1 8 ;;
        esac
    done
} >vectors/among.yaml

# again WHAT ARGUMENT...: the first failure of that run is one of the command that it gives; $name is its case, $command the command, $failures how many there were.
again() {
    local what=$1 line
    shift
    run_cmd "$CTS" run "$@"
    is "$rc" 1 "$what: it fails"
    line=$(printf '%s\n' "$out" | grep -m 1 '^FAIL ')
    name=$(printf '%s\n' "$line" | sed 's/^FAIL [^ ]* \([^ ]*\): .*/\1/')
    command=$(printf '%s\n' "$out" | sed -n 's/^ *repeat   //p' | head -n 1)
    failures=$(printf '%s\n' "$out" | grep -c '^FAIL ')
    run_cmd bash -c "$command"
    is "$rc" 1 "... and so does: $command"
    is "$(printf '%s\n' "$out" | grep -m 1 '^FAIL ')" "$line" "... of the same case"
}

fake() {
    mkdir -p "$1"
    printf '#!/bin/sh\nexec "%s" --fault %s "$@"\n' "$TESTS/cts-fake-worker" "$1" >"$1/worker"
    chmod +x "$1/worker"
}
for f in odd-beside crash-beside toil wrong; do fake $f; done
export FAKE_ODD=7

# ---- what shares the program ----

again "wrong beside another body" -r ./odd-beside/worker:interp-env vectors
is "$name $failures" "among/many#n33 1" "... the case is the one"
like "$command" " -f 'among/lead#\*' -f 'among/many#\*'$" "... and what comes before it is run, and no more"
run_cmd "$CTS" run -r ./odd-beside/worker:interp-env vectors -f 'among/many#*'
like "$rc $out" '^total: 52 passed, 0 failed' "... of which nothing may be left out: its own vector alone is right"

again "a part of a vector" -r ./odd-beside/worker:interp-env vectors -f among/many -x 'among/many#n9'
is "$name" "among/many#n33" "... the case is the one"
like "$command" " -f 'among/many#n10' .* -f 'among/many#n60'$" "... and what was left out is left out again"

again "death beside another body" -r ./crash-beside/worker:interp-env vectors
like "$command" " -f 'among/lead#\*' -f 'among/many#\*'$" "... of the program that was running"
FAKE_UNSHARED=1 again "... where that is not known" -r ./crash-beside/worker:interp-env vectors

# ---- what the run was given ----

again "a time of its own" --timeout 0.05 -r ./toil/worker:interp -f among/many#n32 vectors
like "$command" " --timeout 0\.050 " "... is in the command"

mkdir fake && cp wrong/worker fake
printf '%s\n' 'name: fake' 'title: "wrong"' 'worker: ./worker' 'engines:' '  - {name: interp, what: "interpreter"}' 'groups: all' 'required: all' >fake/runtime.yaml
printf '%s\n' '- vectors: among/many#n32' '  status: wrong-result' '  reason: "it is so"' '  clause: N039' '  review-by: "2099-01-01"' >fake/known.yaml
run_cmd "$CTS" run -r ./fake vectors
is "$rc" 0 "what is on record is no failure"
again "... but without the record" --no-known -r ./fake vectors
like "$command" " --no-known " "... is in the command"
done_testing
