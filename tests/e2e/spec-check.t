#!/usr/bin/env bash
# ctest: cost=10 asan-cost=34
# `spec check`: the specification as it is passes every rule; and what it says, and how it ends.
. "$(dirname "$0")/lib.sh"

run_cmd "$CTS" spec check
is "$rc" 0 "the specification passes"
is "$err" "" "... and nothing is said beside the results"
rules=$(printf '%s\n' "$out" | grep -cE '^(not )?ok [0-9]+ - ')
is "$(printf '%s\n' "$out" | tail -n 1)" "1..$rules" "the plan is last"
[ "$rules" -ge 12 ]; ok $? "there are twelve rules and more ($rules)"
is "$(printf '%s\n' "$out" | grep '^not ok' | head -n 3)" "" "no rule fails"
for file in "$ROOT"/spec/check/chk_*.c; do
    rule=$(basename "$file" .c)
    rule=${rule#chk_}
    like "$out" "^ok [0-9]+ - $rule # (looked at [1-9][0-9]* |SKIP )" "$rule ran and says how much it looked at"
done
like "$out" '^ok [0-9]+ - anchors # .*168 of them of appendix A' "all of appendix A is there"
like "$out" '^ok [0-9]+ - bits # looked at 256 opcodes; 126 assigned, 130 not' "all opcodes are"

rows=$("$CTS" list insns | wc -l)
like "$out" "^ok [0-9]+ - vectors # looked at $rows instructions" "the rows are those that list tells of"

run_cmd "$CTS" spec check overlap bits
is "$rc $(printf '%s\n' "$out" | sed -nE 's/^ok [0-9]+ - ([a-z]+).*/\1/p' | tr '\n' ' ')" "0 bits overlap " "rules can be chosen"
run_cmd "$CTS" spec check no-such-rule
is "$rc$out" 2 "an unknown rule is an error"
like "$err" "no-such-rule" "... that names it"
run_cmd "$CTS" spec check --spec "$T/nowhere"
is "$rc$out" 2 "a specification that is not there is an error"
like "$err" "$T/nowhere" "... that names it"

# Nothing to look at is no success.
mkdir "$T/none"
run_cmd "$CTS" spec check --vectors "$T/none" vectors clauses
is "$rc" 1 "without vectors, the rules about vectors fail"

# Hostile tables.
mkdir "$T/spec" && cp -r "$ROOT"/spec/*.yaml "$ROOT/spec/isa" "$ROOT/spec/anchors" "$T/spec"
tables=0
for table in "$T"/spec/anchors/*.tsv "$T"/spec/anchors/*.yaml; do
    name=$(basename "$table")
    tables=$((tables + 1))
    for damage in 'head -c 1000 /dev/urandom' 'printf ""' 'printf "a\tb\nc"' 'printf "\0\0"' 'tr "\t" " " <"$T/good"' \
        'sed "s/0x/99999999999999999999/g" "$T/good"; echo x'; do
        cp "$table" "$T/good"
        eval "$damage" >"$table"
        run_cmd "$CTS" spec check --spec "$T/spec" --vectors "$ROOT/vectors" anchors bits clauses groups syntax vectors binutils
        case $name:$rc in
            *:1 | *:2) bad= ;;
            *:0) cmp -s "$table" "$T/good" && bad= || bad="passes" ;; # nothing to damage in this one
            *) bad="exit $rc" ;;
        esac
        is "$bad" "" "$name damaged: $damage"
        cp "$T/good" "$table"
    done
done
[ "$tables" -ge 8 ]; ok $? "eight tables and more ($tables)"
run_cmd "$CTS" spec check --spec "$T/spec" --vectors "$ROOT/vectors" anchors
is "$rc" 0 "... and mended, they pass"
# Bugs that vectors name have one home.
cp -r "$ROOT/spec" "$T/bugs"
sed -i '/^- id: "CVE-2021-3444"$/,/^$/d' "$T/bugs/bugs.yaml"
printf '\n- id: "nobody"\n  project: p\n  says: "s"\n  link: "l"\n' >>"$T/bugs/bugs.yaml"
run_cmd "$CTS" spec check --spec "$T/bugs" vectors
is "$rc" 1 "spec check: a bug that bugs.yaml does not have"
like "$out" "vectors/[a-z0-9/-]*\.yaml:[0-9]+: .*bug 'CVE-2021-3444' is not in " "... is named with its place"
like "$out" 'bug nobody: no vector names it' "... and one that no vector names"

# What a vector demands is what its policy says.
policy_of() { "$CTS" explain "$1" | sed -n 's/^policy *//p'; }
is "$(policy_of programs/paths/first-instruction-jumps-over-an-invalid-one)" "structural" "that an invalid opcode is rejected rests on a policy"
is "$(policy_of programs/paths/first-instruction-jumps-to-an-invalid-one)" "structural" "... where a jump leads, too"
for v in load-below-the-end load-byte-at-the-end load-around-the-end store-below-the-end; do
    is "$(policy_of programs/addresses/$v)" "memory-safety" "$v is about memory, not about encodings"
done
done_testing
