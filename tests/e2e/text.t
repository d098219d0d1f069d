#!/usr/bin/env bash
# ctest: asan-cost=8
# The text report of a run with thousands of failures: it fits a terminal, says each kind of failure in full and counts the rest.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
unset COLUMNS
cd "$T" || exit 255
CMD_TIMEOUT=240

worker=$TESTS/cts-fake-worker
for fault in accept-all lie; do
    printf '#!/bin/sh\nexec "%s" --fault %s "$@"\n' "$worker" "$fault" >"$fault"
    chmod +x "$fault"
done

# Lines that are too wide for want of a blank to fold at are none.
too_wide() { awk -v most="$1" '{ line = $0; sub(/^ +([a-z]+  +)?/, "", line); sub(/ \\$/, "", line) } length($0) > most && line ~ / /'; }

for fault in accept-all lie; do
    run_cmd "$CTS" run -r "./$fault"
    is "$rc" "$([ "$rc" = 3 ] && echo 3 || echo 1)" "$fault: fails"
    lines=$(printf '%s\n' "$out" | wc -l)
    failed=$(printf '%s\n' "$out" | sed -nE 's/^total: [0-9]+ passed, ([0-9]+) failed.*/\1/p')
    [ "$failed" -gt 2600 ]; ok $? "$fault: thousands of failures ($failed)"
    [ "$lines" -lt 4000 ]; ok $? "... and not many lines ($lines)"
    is "$(printf '%s\n' "$out" | too_wide 80)" "" "... of 80 columns at most"
    told=$(printf '%s\n' "$out" | grep -cE '^(FAIL|ERROR|XPASS) ')
    more=$(printf '%s\n' "$out" | sed -nE 's/^ *([0-9]+)  more (like|of further kinds).*/\1/p' | awk '{ n += $1 } END { print n + 0 }')
    is "$((told + more))" "$failed" "... each failure is told or counted"
    [ "$more" -gt 2000 ]; ok $? "... most are counted ($more)"
    like "$out" '^not told one by one \(-v tells all\), ' "... and how to see all is said"

    run_cmd "$CTS" run -q -r "./$fault"
    is "$(printf '%s\n' "$out" | grep -cE '^(FAIL|ERROR|XPASS) ')" "$told" "$fault, -q: as many"
    like "$out" '^ *[0-9]+  more like ' "... and the rest is counted"
    run_cmd "$CTS" run -v -r "./$fault" -g base64
    failed=$(printf '%s\n' "$out" | sed -nE 's/^total: [0-9]+ passed, ([0-9]+) failed.*/\1/p')
    is "$(printf '%s\n' "$out" | grep -cE '^(FAIL|ERROR|XPASS) ')" "$failed" "$fault, -v: all are told"
    unlike "$out" 'more like' "... and none is counted only"
    is "$(printf '%s\n' "$out" | too_wide 80)" "" "... of 80 columns at most"
done

# A state of every kind: registers, memory, stack.
cat >states.yaml <<'Y'
suite: text
vectors:
  - name: states
    insns: [add64_x]
    clauses: [N037]
    asm: "r3 += r4"
    operands: [opaque]
    cases:
      - in: {r1: mem, r3: 1, r4: 2, mem: [{at: 8, u8: [0, 1, 2, 3, 4, 5, 6, 7]}]}
        out: {r3: 0x4455, mem: [{at: 8, u8: [255, 1]}]}
Y
run_cmd "$CTS" run -r reference states.yaml
is "$rc" 1 "a state that is not as expected"
like "$out" '^FAIL reference:interp text/states#1: wrong-result: r3 = 0x3, expected 0x4455$' "the headline says the first register that differs"
like "$out" '^      r3     0000000000000001 0000000000004455 0000000000000003 0000000000004456$' "a register, in the table"
like "$out" '^      mem\+8  0001020304050607 ff01020304050607 0001020304050607 ff00000000000000$' "memory, in the table"
is "$(printf '%s\n' "$out" | too_wide 80)" "" "... of 80 columns at most"

# A command that is folded is the same command.
long=$("$CTS" list vectors | awk '/^programs\/sizes\// { print length($1), $1 }' | sort -rn | head -n 1 | cut -d ' ' -f 2)#verdict
run_cmd "$CTS" run -r ./lie -f "$long"
folded=$(printf '%s\n' "$out" | sed -n '/^    repeat /,$p' | sed -n '1{p;n;:a;/^ \{13\}/{p;n;ba};q}')
like "$folded" '\\$' "a long command is folded"
command=$(printf '%s\n' "$folded" | sed 's/^    repeat //')
is "$(eval "set -- $command"; echo "$*" | tr -s ' ')" "$CTS run -r ./lie -f $long" "... and is the same when it is copied"

COLUMNS=60 run_cmd "$CTS" run -r ./accept-all -g atomic32 -q
is "$(printf '%s\n' "$out" | too_wide 60)" "" "COLUMNS says another width"
COLUMNS=nonsense run_cmd "$CTS" run -r ./accept-all -g atomic32 -q
is "$(printf '%s\n' "$out" | too_wide 80)" "" "... if it is one"
done_testing
