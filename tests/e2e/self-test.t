#!/usr/bin/env bash
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

for row in ldx_dw stx_dw add64_x; do
    broken "$row" interp-env
    is "$rc" 3 "a wrong $row fails the run: not all of it could be judged"
    errors=$(count "$T/json" '"status":"error"')
    whole=$(count "$T/json" '"case":"verdict".*"status":"pass"')
    is "$(count "$T/json" '"status":"error".*"message":"the environment does not hand a state through unchanged \(.+\); it is made of ')" \
        "$errors" "... every error is one of the environment"
    is "$(count "$T/json" "\"message\":\"the environment [^\"]*; it is made of ([a-z0-9_]+, )*$row[,\"]")" "$errors" \
        "... and names $row among what it is made of"
    [ "$errors" -gt 1000 ]; ok $? "... the cases in the environment are errors ($errors)"
    [ "$whole" -gt 500 ]; ok $? "... the whole programs are judged all the same ($whole passed)"
    is "$(grep '"case":"verdict"' "$T/json" | grep -c '"status":"error"')" 0 "... none of them is an error"
    is "$(grep '"status":"error"' "$T/json" | grep -cE '"operand_rows":[1-9]')" 0 \
        "... and no operand row was compared in the environment"
    is "$(count "$T/json" .)" "$(count "$T/right" .)" "... no case is lost"
    like "$out" '^ERROR '"$row"':interp-env .*: the environment does not hand a state through unchanged' "... the report says it"
done

# A bare body has no environment: the fault is judged where it is.
broken stx_dw interp
is "$rc" 1 "a wrong stx_dw with bare bodies fails the run"
is "$(count "$T/json" '"status":"error"')" 0 "... without an error"
[ "$(count "$T/json" '"rows":\[[^]]*"stx_dw"[^]]*\].*"status":"fail"')" -gt 0 ]; ok $? "... as failures of the row"

# What the environment does not use does not break it.
broken xor64_x interp-env
is "$rc" 1 "a wrong xor64_x fails the run"
is "$(count "$T/json" '"status":"error"')" 0 "... as failures, no error"

# Bodies that share a program: one that ends it takes the turn of those behind it, and is the only one to blame.
cat >"$T/ends.yaml" <<'Y'
suite: own
vectors:
  - {name: before, rows: [add64_x], clauses: [N037], asm: "{dst} += {src}", cases: [{in: {dst: 1, src: 2}, out: {dst: 3}}, {in: {dst: 2, src: 2}, out: {dst: 4}}]}
  - {name: ends, rows: [div64_x], clauses: [N059], asm: "{dst} /= {src}", cases: [{in: {dst: 9, src: 3}, out: {dst: 3}}, {in: {dst: 9, src: 0}, out: {dst: 0}}]}
  - {name: behind, rows: [sub64_x], clauses: [N037], asm: "{dst} -= {src}", cases: [{in: {dst: 5, src: 2}, out: {dst: 3}}, {in: {dst: 7, src: 2}, out: {dst: 5}}]}
  - {name: last, rows: [xor64_x], clauses: [N037], asm: "{dst} ^= {src}", cases: [{in: {dst: 5, src: 2}, out: {dst: 7}}, {in: {dst: 7, src: 2}, out: {dst: 5}}]}
Y
printf '#!/bin/sh\nexec "%s" --ending "$@"\n' "$worker" >"$T/ending"
chmod +x "$T/ending"
run_cmd "$CTS" run -r "$T/ending:interp-env" "$T/ends.yaml" -o json="$T/json" -o text
is "$rc" 1 "a body that ends the program for all fails"
is "$(count "$T/json" '"status":"fail"') $(count "$T/json" '"vector":"own/ends","case":"2".*"status":"fail","failure":"wrong-result"')" "1 1" \
    "... and the bodies beside it do not"
done_testing
