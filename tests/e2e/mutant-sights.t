#!/usr/bin/env bash
# ctest: cost=129 asan-cost=43
# The mutants as each kind of runtime lets them be seen: those that die on the reference machine die there, too, or cannot.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
most=300 # in ten thousand: those that are not due, of what dies on the reference

# With sanitizers a part of them: the whole takes minutes, and is measured in the plain build.
rows=() least=18000 decoders=1000
if with_sanitizers; then
    rows=(--insn ja32 --insn sdiv64_x --insn atomic64_cmpxchg) least=200 decoders=10
fi
run_cmd "$CTS" mutants "${rows[@]}" --as all
is "$rc" 0 "what is due dies in every sight"
printf '%s\n' "$out" >"$T/all"
sights=$(grep -c '^as ' "$T/all")
[ "$sights" -ge 10 ]; ok $? "... of ten at least ($sights)"
is "$(grep -A 1 survives "$T/all" | head -n 6)" "" "... nothing that is due survives"
while IFS=$'\t' read -r sight killed due not_due share absent; do
    diag "$sight: $killed of $due due; not due $not_due, of instructions that it lacks $absent"
    is "$killed" "$due" "$sight: all of what is due"
    if [ "$sight" = verdict-only ]; then
        [ "$due" -gt "$decoders" ]; ok $? "... more than $decoders: wrong decoders"
    else
        [ "$due" -gt "$least" ]; ok $? "... more than $least"
        [ -n "${rows[*]}" ] || [ "$share" -lt "$most" ]; ok $? "... and less than $most in 10000 are not due"
    fi
done < <(sed -nE 's/^as ([^:]+): .* \(([0-9]+) of ([0-9]+)\); not due ([0-9]+) \(([0-9]+)\.([0-9]+) %\), of instructions that it lacks ([0-9]+).*/\1\t\2\t\3\t\4\t\5\6\t\7/p' "$T/all")
is "$(grep -c '^as ' "$T/all")" "$(grep -cE '^as .* due \([0-9]+ of [0-9]+\); not due' "$T/all")" "the sums of all sights were read"

# Rows that came after the RFC: as the reference machine shows them, and in all sights.
later=()
while read -r row; do
    [ -n "${rows[*]}" ] && [[ $row != @(may_goto|store_rel_w) ]] || later+=(--insn "$row")
done < <("$CTS" list insns | awk '$2 !~ /^(base|atomic|divmul)(32|64)$|^packet$/ { print $1 }')
[ "${#later[@]}" -ge "$([ -n "${rows[*]}" ] && echo 4 || echo 40)" ]; ok $? "there are later rows ($((${#later[@]} / 2)))"
run_cmd "$CTS" mutants "${later[@]}"
is "$rc" 0 "what must die of their mutants dies"
diag "later rows: $(printf '%s\n' "$out" | grep '^score')"
like "$out" '^score: quick 100\.0 % \(([0-9]{2,}) of \1\)' "... all that is due"
run_cmd "$CTS" mutants "${later[@]}" --as all
is "$rc" 0 "... and what is due in every sight"
is "$(printf '%s\n' "$out" | grep -c '^as .*: 100\.0 % of what is due')" "$sights" "... which are as many"
is "$(printf '%s\n' "$out" | grep -A 1 survives | head -n 4)" "" "... nothing that is due survives"

# Each that lives is listed with its reason.
alive=$(sed -nE 's/^total: .* ([0-9]+) skipped$/\1/p' "$T/all")
is "$(awk '/^ +[0-9]+ / { n += $1 } END { print n + 0 }' "$T/all")" "$alive" "the reasons are those of all that are not due ($alive)"
run_cmd "$CTS" mutants --insn ja32 --insn sdiv64_x --insn ldabs_b --as no-pointers --as argument --as slots=4096 -o tsv
is "$rc" 0 "-o tsv"
printf '%s\n' "$out" | tail -n +2 >"$T/tsv"
[ "$(wc -l <"$T/tsv")" -gt 10 ]; ok $? "... lists what lives"
is "$(awk -F '\t' 'NF != 7 || $7 == "" || $5 == "due"' "$T/tsv" | head -n 2)" "" "... each line with a reason"
like "$(cat "$T/tsv")" $'^argument\tldabs_b\t.*\tno such instruction\t.*\tall that notice it: needs packet$' "... of an instruction that is not there"
like "$(cat "$T/tsv")" $'^slots=4096\tja32\t.*\tnot due\t.*\tgoes wrong over distances alone that no program has there$' "... of what no program there can show"

# A vector that is too long there, while a shorter one would show the same: that is due.
cat >"$T/long.yaml" <<'EOF'
suite: t
vectors:
  - name: long
    insns: [ja32]
    clauses: [N096]
    operands: [opaque]
    code:
      - {insn: ja32, imm: 5000}
      - {repeat: 5000, text: "{t.w} += 1"}
    cases: [{in: {t: 0}, out: {t: 0}}]
EOF
run_cmd "$CTS" mutants --insn ja32 --as slots=4096 "$T/long.yaml"
is "$rc" 1 "what only a program that is too long notices is due"
like "$out" '^ +noticed by 1 variants that are too long there \(t/long\)$' "... and said to survive, with the vector"
# What is stored nowhere: addresses alone.
printf 'suite: t\nvectors:\n  - {name: a, insns: [mov64_x], clauses: [N053], asm: "{dst} = {src}", cases: [{in: {dst: 5, src: mem+8}, out: {dst: mem+8}}]}\n' >"$T/a.yaml"
run_cmd "$CTS" mutants --insn mov64_x --as no-pointers --as reference "$T/a.yaml"
like "$out" '^ +[1-9][0-9]* shows in addresses alone, which may not be stored$' "what shows in addresses alone is not due, and listed"
like "$out" '^as reference: 100\.0 % of what is due \(([0-9]+) of \1\); not due 0 ' "... where they are seen all of it dies"

run_cmd "$CTS" mutants --insn ja32 --as nonsense
is "$rc" 2 "a sight that is none"
run_cmd "$CTS" mutants --insn ja32 --as reference:interp
like "$out" '^as reference:interp: 100\.0 % ' "a runtime's engine is one"
done_testing
