#!/usr/bin/env bash
# ctest: asan-cost=7
# What is compared of each vector, in each sight: nothing that is asked is left uncompared.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache

# ---- the suite's own ----

run_cmd "$CTS" sight -o tsv
is "$rc$err" 0 "of all that the suite's vectors say comes out something is compared, in every sight"
printf '%s\n' "$out" | tail -n +2 >"$T/all"
read -r pairs asked skipped vacuous unexplained < <(awk -F '\t' '{
    pairs++; asked += $3; skipped += $4; vacuous += $11; unexplained += $4 > 0 && $12 == "-"
} END { print pairs + 0, asked + 0, skipped + 0, vacuous + 0, unexplained + 0 }' "$T/all")
diag "$pairs pairs of a vector and a sight: $asked cases asked, $skipped skipped, $vacuous of which nothing is compared"
sights=$(cut -f 2 "$T/all" | sort -u | wc -l)
vectors=$("$CTS" list vectors | wc -l)
[ "$sights" -ge 10 ]; ok $? "there are ten sights at least ($sights)"
[ "$vectors" -gt 3000 ] && [ "$pairs" = $((sights * vectors)) ]; ok $? "all pairs are looked at"
[ "$asked" -gt 60000 ]; ok $? "... more than 60000 cases of them"
is "$vacuous" 0 "none compares nothing"
is "$unexplained" 0 "what is skipped has a reason"
is "$(awk -F '\t' '$3 > 0 && $5 == "-" && $7 + $8 + $9 + $10 == 0' "$T/all" | head -n 3)" "" "what is asked has something that is counted"

# What comes out decides, not what goes in: a load into its own base is looked at where addresses may not be stored.
into=$(awk -F '\t' '$2 == "no-pointers" && $1 ~ /-into-base$/ && $3 > 0' "$T/all")
[ "$(printf '%s\n' "$into" | wc -l)" -ge 11 ]; ok $? "loads into their base are asked where addresses may not be stored"
is "$(printf '%s\n' "$into" | awk -F '\t' '$6 != "-"' | head -n 3)" "" "... and what they load is looked at"

# ---- vectors that test nothing ----

cat >"$T/v.yaml" <<'EOF'
suite: t
vectors:
  - {name: good, insns: [mov64_x], clauses: [N053], asm: "{dst} = {src}", cases: [{in: {dst: 5, src: 2}, out: {dst: 2}}]}
  - {name: address, insns: [mov64_x], clauses: [N053], asm: "{dst} = {src}", cases: [{in: {dst: 5, src: mem+8}, out: {dst: mem+8}}]}
  - {name: needy, needs: [pointers], insns: [mov64_x], clauses: [N053], asm: "{dst} = {src}", cases: [{in: {dst: 5, src: mem+8}, out: {dst: mem+8}}]}
EOF
run_cmd "$CTS" sight "$T/v.yaml"
is "$rc" 1 "a vector of which nothing is compared in a sight is a failure"
like "$out" "^$T/v.yaml:4: t/address#1: nothing of its outcome is compared with sight no-pointers" "... that is named with its line"
is "$(printf '%s\n' "$out" | grep -c '/v.yaml:')" 2 "... in each sight, and no other vector is"
like "$out" '^no-pointers +2 +1 +2 +1 +1$' "the sums of a sight: one skips, one compares nothing"
like "$(printf '%s\n' "$out" | tail -n 1)" '^total: [0-9]+ passed, 2 failed, [0-9]+ skipped$' "... and the total"
run_cmd "$CTS" sight --as reference "$T/v.yaml"
is "$rc" 0 "where addresses may be stored it is none"
printf 'suite: t\nvectors:\n  - {name: unread, insns: [mov64_x], clauses: [N053], asm: "r3 = r4", unreadable: [r3], cases: [{in: {r4: 4}, out: {r3: 4}}]}\n' >"$T/w.yaml"
run_cmd "$CTS" sight --as reference "$T/w.yaml"
is "$rc" 1 "what is declared unreadable and asked for all the same is compared nowhere"

# ---- the words ----

run_cmd "$CTS" sight --as no-pointers,slots=40,no-helpers -o tsv "$T/v.yaml"
like "$out" $'^t/good\tno-pointers,slots=40,no-helpers\t0\t1\t.*\ttakes more slots of program or of stack than there are$' "terms are put together"
for bad in nonsense slots=0 slots=4x no-nonsense 'argument,' ''; do
    run_cmd "$CTS" sight --as "$bad" "$T/v.yaml"
    is "$rc$out" 2 "'$bad' is no sight"
done
run_cmd "$CTS" sight --as reference:interp --as reference "$T/v.yaml"
is "$rc" 0 "a runtime's engine is a sight"
is "$(printf '%s\n' "$out" | grep '^reference' | sed 's/^[^ ]* *//' | sort -u | wc -l)" 1 "... the same as what it is"
run_cmd "$CTS" sight -o nonsense
is "$rc$out" 2 "an unknown format"

run_cmd "$CTS" explain base32/load/ldx_w-into-base base64/mov/reg verifier/across-functions/twin
like "$out" '^compared, by sight$' "explain tells what is compared"
like "$out" '^  no-pointers +r0-r9, 64 bytes of memory$' "... of registers and memory"
like "$out" '^  verdict-only +skipped: is run, and programs are only loaded$' "... why nothing is"
like "$out" '^  verdict-only +1 verdict$' "... and verdicts"
done_testing
