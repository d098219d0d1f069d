#!/usr/bin/env bash
# ctest: cost=11 asan-cost=26
# The environment's own test: where it does not hand a state through, no case in it is judged, and the reason names what it is made of.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
worker=$BUILD/cts-mutant-worker
[ -x "$worker" ] || { echo "Bail out! no $worker"; exit 255; }

# count FILE REGEX: how many cases of a json report match
count() {
    grep '^{"type":"case",' "$1" | grep -cE -e "$2"
}

run_cmd "$CTS" run -r "$worker:interp-env" -o json="$T/right" -o text
is "$rc" 0 "without a mutation the environment hands a state through"
passed=$(count "$T/right" '"status":"pass"')
[ "$passed" -gt 1000 ]; ok $? "... and the suite passes ($passed cases)"
"$CTS" run -r "$worker:interp" -o json="$T/bare" >/dev/null
is "$(count "$T/bare" '"status":"pass"')" "$passed" "... as many as with the bare bodies"

# The environment of another byte order is the same code.
run_cmd "$CTS" run -r "$worker:interp-env-be" -q
is "$rc" 0 "... on the big-endian machine, too"

# The window as an argument: a context does not come in beside it.
run_cmd "$CTS" run -r "$worker:interp-arg" -o json="$T/argument" -o text
is "$rc" 0 "... and where the window is an argument"
packets=$(count "$T/argument" '"message":"needs packet"')
is "$(count "$T/argument" '"status":"pass"')" "$((passed - packets))" "... but for $packets cases that need a packet"

# broken ROW ENGINE: a run on the reference with the first mutant of the row
broken() {
    local number
    number=$("$worker" --list | grep -m 1 -E "^[0-9]+"$'\t'"$1"$'\t' | cut -f 1)
    printf '#!/bin/sh\nexec "%s" --mutant %s "$@"\n' "$worker" "$number" >"$T/$1"
    chmod +x "$T/$1"
    run_cmd "$CTS" run -r "$T/$1:$2" -o json="$T/json" -o text
}

# The whole suite with one of those that the environment is made of wrong: it is named, what rests on it is a skip, the rest counts.
for row in ldx_dw stx_dw add64_x; do
    broken "$row" interp-env
    is "$rc" 1 "a wrong $row fails the run"
    is "$(count "$T/json" '"status":"error"')" 0 "... without an error"
    is "$(count "$T/json" '"vector":"programs/environment/.*"insns":\["'"$row"'".*"status":"fail"')" "$(count "$T/json" '"status":"fail"')" \
        "... all that fails are the environment's own cases of $row"
    [ "$(count "$T/json" '"status":"fail"')" -gt 0 ]; ok $? "... there are some"
    is "$(count "$T/json" '"skip":"not-testable".*"message":"not testable: '"$row"' fails"')" "$(count "$T/json" '"skip":"not-testable"')" \
        "... and it is the reason of all that was not tested"
    [ "$(count "$T/json" '"skip":"not-testable"')" -gt 1000 ]; ok $? "... which is much"
    [ "$(count "$T/json" '"case":"verdict".*"status":"pass"')" -gt 500 ]; ok $? "... while whole programs are judged all the same"
    is "$(count "$T/json" '"status":"pass".*"operand_tuples":[0-9]{2,}')" 0 "... and no sweep was compared in the environment"
    is "$(count "$T/json" .)" "$(count "$T/right" .)" "... no case is lost"
    like "$out" "^FAIL $row:interp-env programs/environment/$row" "... the report says it"
done

# basis ROW WAY ENGINE: a part of the suite on a reference in which the row is wrong wherever it is used
basis() {
    printf '#!/bin/sh\nexec "%s" --basis %s %s "$@"\n' "$worker" "$1" "$2" >"$T/$1-$2"
    chmod +x "$T/$1-$2"
    run_cmd "$CTS" run -r "$T/$1-$2:$3" -f 'programs/environment/*' -f 'base64/add/*' -f 'verifier/reserved-field/add64*' -o json="$T/json" -o text
}

for row in exit mov64_k mov64_x lsh64_k lddw add64_k add64_x and64_k stx_dw ldx_dw; do
    for way in nothing upper fault die; do
        basis "$row" "$way" interp-env
        named=$(count "$T/json" '"insns":\["'"$row"'".*"status":"fail"')
        untested=$(count "$T/json" '"skip":"not-testable"')
        is "$rc $(count "$T/json" '"status":"error"')" "1 0" "$row, $way: the run fails, without an error"
        [ "$named" -gt 0 ]; ok $? "... $row is named ($named cases)"
        is "$(count "$T/json" '"message":"not testable: ([a-z0-9_]+, )*'"$row"'(, [a-z0-9_]+)* fails?"')" "$untested" \
            "... and is the reason of what was not tested ($untested cases)"
        [ "$(count "$T/json" '"status":"pass"')" -gt 0 ]; ok $? "... the rest counts"
    done
done

# What was not tested conforms to nothing.
basis lddw zero interp-env
run_cmd "$CTS" run -r "$T/lddw-zero:interp-env" -g base32 -o groups
is "$rc" 1 "a group that does not hold the instruction fails with it, too"
like "$out" '  base32 +not tested: ' "... and is not tested"
run_cmd "$CTS" run -r "$T/lddw-zero:interp-env" -f base64/add/reg -o json="$T/json" -o text
is "$rc" 1 "a part that has no case of it fails"
is "$(count "$T/json" '"status":"fail"') $(count "$T/json" '"vector":"programs/environment/lddw.*"status":"fail"')" "3 3" "... by those cases"
is "$(count "$T/json" '"status":"pass"')" 0 "... and passes nothing"

# Vectors of one's own do not hold those cases: they are the suite's.
cat >"$T/own.yaml" <<'Y'
suite: own
vectors:
  - {name: add, insns: [add64_x], clauses: [N039], asm: "{dst} += {src}", cases: [{in: {dst: 1, src: 2}, out: {dst: 3}}]}
Y
printf -- '-- asm\nlddw %%r0, 0x100000001\nexit\n-- result\n0x100000001\n' >"$T/own.data"
for own in own.yaml own.data; do
    run_cmd "$CTS" run -r "$T/lddw-zero:interp-env" -r "$worker:interp-env" "$T/$own" -o json="$T/json" -o text
    is "$rc $(count "$T/json" '"status":"error"')" "1 0" "$own: an instruction of the environment that is wrong fails the run"
    is "$(count "$T/json" '"status":"fail"') $(count "$T/json" '"vector":"programs/environment/lddw.*"clauses":\["N151","N152"\].*"status":"fail"')" "3 3" \
        "... by the suite's cases of it, with its clauses"
    is "$(count "$T/json" '"status":"skip".*"message":"not testable: lddw fails"')" 1 "... and what is in the file is not testable"
    is "$(count "$T/json" '"vector":"(own/add|data/own)".*"status":"pass"')" 1 "... but where the environment is right"
    repeat=$(printf '%s\n' "$out" | sed -n 's/^  *repeat  *//p' | head -1)
    run_cmd bash -c "$repeat"
    is "$rc" 1 "... and is repeated by the command that is printed"
    like "$out" '^total: 0 passed, 1 failed, 0 skipped$' "... alone"
done
cp "$T/own.yaml" "$T/put.yaml"
run_cmd "$CTS" run -r "$T/lddw-zero:interp-env" "$T/put.yaml" --known "$T/put.known" --update-known
grep -q 'programs/environment/lddw' "$T/put.known"; ok $? "... and can be put on record"
run_cmd "$CTS" run -r "$T/lddw-zero:interp-env" "$T/put.yaml" --known "$T/put.known" -o json="$T/json" -o text
is "$(count "$T/json" '"status":"(fail|error)"')" 0 "... where it then is"

# Where the suite is not there, the reason says what the environment is made of.
mkdir "$T/data"
ln -s "$ROOT/runtimes" "$T/data/runtimes"
export EBPF_CTS_DATA=$T/data
run_cmd "$CTS" run -r "$T/lddw-zero:interp-env" "$T/own.yaml" -o json="$T/json" -o text
is "$rc" 3 "without those cases nothing can be said"
is "$(count "$T/json" '"status":"error".*"message":"the environment does not hand a state through unchanged \(.+\); it is made of ([a-z0-9_]+, )*lddw')" 1 \
    "... and the instruction is among those that are named"


# All that environments are made of has such cases.
made_of() { # ENGINE: rows, as the reason names them
    basis add64_k zero "$1"
    run_cmd "$CTS" run -r "$T/add64_k-zero:$1" "$T/own.yaml" -o json="$T/json"
    sed -n 's/.*it is made of \([a-z0-9_, ]*\)".*/\1/p' "$T/json" | tr -d ' ' | tr , '\n'
}
first_rows=$(sed -n 's/^ *insns: \[\([a-z0-9_]*\).*/\1/p' "$ROOT/vectors/programs/environment.yaml" | sort -u)
rows=$({ made_of interp-env; made_of interp-arg; } | sort -u)
unset EBPF_CTS_DATA
is "$(comm -23 <(printf '%s\n' "$rows") <(printf '%s\n' "$first_rows") | tr '\n' ' ')" "" "each of the rows that it is made of has a case of its own"
[ "$(printf '%s\n' "$rows" | wc -l)" -ge 9 ]; ok $? "... all $(printf '%s\n' "$rows" | wc -l) of them"

# A bare body has no environment: the fault is judged where it is.
broken stx_dw interp
is "$rc" 1 "a wrong stx_dw with bare bodies fails the run"
is "$(count "$T/json" '"status":"error"')" 0 "... without an error"
[ "$(count "$T/json" '"insns":\[[^]]*"stx_dw"[^]]*\].*"status":"fail"')" -gt 0 ]; ok $? "... as failures of the row"

# What the environment does not use does not break it.
broken xor64_x interp-env
is "$rc" 1 "a wrong xor64_x fails the run"
is "$(count "$T/json" '"status":"error"')" 0 "... as failures, no error"

# Bodies that share a program: one that ends it takes the turn of those behind it, and is the only one to blame.
cat >"$T/ends.yaml" <<'Y'
suite: own
vectors:
  - {name: before, insns: [add64_x], clauses: [N037], asm: "{dst} += {src}", cases: [{in: {dst: 1, src: 2}, out: {dst: 3}}, {in: {dst: 2, src: 2}, out: {dst: 4}}]}
  - {name: ends, insns: [div64_x], clauses: [N059], asm: "{dst} /= {src}", cases: [{in: {dst: 9, src: 3}, out: {dst: 3}}, {in: {dst: 9, src: 0}, out: {dst: 0}}]}
  - {name: behind, insns: [sub64_x], clauses: [N037], asm: "{dst} -= {src}", cases: [{in: {dst: 5, src: 2}, out: {dst: 3}}, {in: {dst: 7, src: 2}, out: {dst: 5}}]}
  - {name: last, insns: [xor64_x], clauses: [N037], asm: "{dst} ^= {src}", cases: [{in: {dst: 5, src: 2}, out: {dst: 7}}, {in: {dst: 7, src: 2}, out: {dst: 5}}]}
Y
printf '#!/bin/sh\nexec "%s" --ending "$@"\n' "$worker" >"$T/ending"
chmod +x "$T/ending"
run_cmd "$CTS" run -r "$T/ending:interp-env" "$T/ends.yaml" -o json="$T/json" -o text
is "$rc" 1 "a body that ends the program for all fails"
is "$(count "$T/json" '"status":"fail"') $(count "$T/json" '"vector":"own/ends","case":"2".*"status":"fail","failure":"wrong-result"')" "1 1" \
    "... and the bodies beside it do not"
done_testing
