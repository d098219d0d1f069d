#!/usr/bin/env bash
# ctest: cost=61 asan-cost=14
# The suite measured: thousands of mutants of the specification and of the machine, at level quick.
. "$(dirname "$0")/lib.sh"

# What is demanded, in tenths of a percent of the mutants that must die at this level.
demanded=1000
of_all=950 # of all mutants that are not equivalent: must die at it, and do

export EBPF_CTS_CACHE=$T/cache
# No solver in it: what is equivalent is on record.
mkdir "$T/bin"
for tool in $(compgen -c llvm- | grep -E '^llvm-(mc|objdump)(-[0-9]+)?$' | sort -u); do
    ln -s "$(command -v "$tool")" "$T/bin/$tool"
done
# With sanitizers a part of them: the whole takes minutes, and is measured in the plain build.
rows=() least=10000 equivalents=1000
if with_sanitizers; then
    rows=(--insn ja32 --insn sdiv64_x --insn lsh32_k --insn atomic64_cmpxchg) least=200 equivalents=10
fi
whole() { [ ${#rows[@]} = 0 ]; }
# All of them run once: where there is a solver it proves anew what is on record.
if whole && command -v z3 >/dev/null; then
    "$CTS" mutants --prove "$T/proofs.tsv" -o tsv >"$T/mutants.tsv" 2>"$T/err"
    rc=$?
else
    PATH=$T/bin "$CTS" mutants "${rows[@]}" -o tsv >"$T/mutants.tsv" 2>"$T/err"
    rc=$?
fi
like "$rc" '^[01]$' "ebpf-cts mutants runs to its end"
diag "$(head -5 "$T/err")"

# due killed by-hand not-equivalent killed-of-them
read -r due killed hand all dead < <(awk -F '\t' 'NR > 1 && $5 != "equivalent" {
    all++; dead += $6 == "quick"
    if ($4 == "quick") { due++; killed += $6 == "quick"; hand += $7 == "quick" }
} END { print due + 0, killed + 0, hand + 0, all + 0, dead + 0 }' "$T/mutants.tsv")
share() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f %% (%d of %d)", b ? 100 * a / b : 0, a, b }'; }
diag "score: quick $(share "$killed" "$due"), hand-written only $(share "$hand" "$due"); of all $(share "$dead" "$all"); due $(share "$due" "$all")"

[ "$all" -gt "$least" ]; ok $? "there are more than $least mutants"
[ $((killed * 1000)) -ge $((demanded * due)) ]; ok $? "of those that must die at quick at least $demanded in 1000 do"
[ $((due * 1000)) -ge $((of_all * all)) ]; ok $? "of all at least $of_all in 1000 must die at quick"
[ $((dead * 1000)) -ge $((of_all * all)) ]; ok $? "... and as many do"
is "$rc" "$([ "$killed" -lt "$due" ] && echo 1 || echo 0)" "the exit code says whether any of them survives"
awk -F '\t' '$5 == "survived" && $4 == "quick" { print $1, $2 ":", $3 " (" $9 ")" }' "$T/mutants.tsv" >"$T/survivors"
diag "$(wc -l <"$T/survivors") survive; the first of them:"
diag "$(head -10 "$T/survivors")"

# The rows of a list of proofs, each with the sum of what it is.
proved_rows() { [ ! -e "$1" ] || awk -F '\t' '$3 == "-" { print $1, $2 }' "$1" | sort; }
is "$(awk -F '\t' '$5 == "undecided"' "$T/mutants.tsv" | head -n 3)$(proved_rows "$T/proofs.tsv" | comm -23 - <(proved_rows "$ROOT/spec/proofs.tsv") | head -n 3)" "" \
    "none is undecided: spec/proofs.tsv has the rows as they are"
[ "$(awk -F '\t' '$5 == "equivalent"' "$T/mutants.tsv" | wc -l)" -gt "$equivalents" ]; ok $? "... and their proofs"

# A solver proves what is on record, and nothing else. One of another version may prove more or less of it in its
# steps, but refutes nothing.
if ! whole; then
    skip "the proofs on record are proofs" "with sanitizers it takes minutes: the plain build proves them"
elif command -v z3 >/dev/null; then
    is "$rc" 0 "mutants --prove"
    here=$(sed -n 's/^# z3: //p' "$T/proofs.tsv")
    theirs=$(sed -n 's/^# z3: //p' "$ROOT/spec/proofs.tsv")
    like "$here/$theirs" '^[0-9.]+/[0-9.]+$' "... a list says which z3 it is by"
    proofs() { grep -E '^[0-9a-f]{32}' "$1"; }
    proofs "$T/proofs.tsv" | grep -vxFf "$ROOT/spec/proofs.tsv" >"$T/more"
    proofs "$ROOT/spec/proofs.tsv" | grep -vxFf "$T/proofs.tsv" >"$T/less"
    count=$(proofs "$T/proofs.tsv" | wc -l)
    [ "$count" -gt 1000 ]; ok $? "... looks at more than 1000 ($count)"
    # Neither noticed by a vector nor told apart by an input: of these nobody knows.
    awk -F '\t' 'NR > 1 && $5 == "survived" && $9 == "-" { print $1 "\t" $2 "\t" $3 }' "$T/mutants.tsv" >"$T/open"
    is "$(cut -f 2- "$T/less" | grep -vxFf "$T/open" | head -n 3)" "" "nothing on record is refuted by z3 $here"
    if [ "$here" = "$theirs" ]; then
        is "$(head -n 3 "$T/less")" "" "all proofs on record are proofs (else: ebpf-cts mutants --prove spec/proofs.tsv)"
        is "$(head -n 3 "$T/more")" "" "... and there are no others"
    else
        diag "the record is by z3 $theirs, this is $here: it proves $(wc -l <"$T/more") others, and $(wc -l <"$T/less") not"
    fi
    without=$(PATH=$T/bin "$CTS" mutants --insn lsh32_k | grep '^score')
    is "$("$CTS" mutants --insn lsh32_k | grep '^score')" "$without" "the score is the same with z3 as without"
else
    skip "the proofs on record are proofs" "no z3 (apt-get install z3)"
fi
run_cmd "$CTS" mutants --prove "$T/x.tsv" --insn add64_x
is "$rc" 2 "a list of proofs is of all rows"
run_cmd env PATH="$T/bin" "$CTS" mutants --prove "$T/x.tsv"
is "$rc" 4 "... and needs z3"

# Without a solver and a record of the row as it is: undecided, neither failed nor passed.
mkdir "$T/data"
cp -r "$ROOT/spec" "$T/data/spec"
ln -s "$ROOT/vectors" "$T/data/vectors"
sed -i '/\tlsh32_k\t/d' "$T/data/spec/proofs.tsv"
run_cmd env PATH="$T/bin" EBPF_CTS_DATA="$T/data" "$CTS" mutants --insn lsh32_k
is "$rc" 0 "a row that is not on record is no failure"
like "$out" '^[1-9][0-9]* undecided: .*no z3 ' "... but said to be undecided in part"
sed -i '4s/^./x/' "$T/data/spec/proofs.tsv"
run_cmd env EBPF_CTS_DATA="$T/data" "$CTS" mutants --insn lsh32_k
is "$rc" 2 "a list of proofs that is none"
like "$err" 'proofs\.tsv:4:1: ' "... is told with its line"

# One row, and its texts.
run_cmd "$CTS" mutants --insn add64_x --list
is "$rc" 0 "--list"
like "$out" $'^add64_x\toperator\tdst = dst - src\tquick$' "... has the mutants of a row"
run_cmd "$CTS" mutants --insn add64_x --hand -j 1
like "$out" '^score: quick [0-9.]+ % \([0-9]+ of [0-9]+\), hand-written only ' "the score"
like "$(printf '%s\n' "$out" | tail -1)" '^total: [0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "... and the total"
run_cmd "$CTS" mutants --insn add64_x -o json
is "$(printf '%s\n' "$out" | head -1 | cut -c1-28)" '{"insn":"add64_x","operator"' "-o json: one object a line"
run_cmd "$CTS" mutants --insn nonsense
is "$rc$out" 2 "a row that is not there"
# Vectors that say nothing of the row: everything survives.
printf 'suite: t\nvectors:\n  - {name: a, insns: [sub64_x], clauses: [N039], asm: "r3 -= r4", cases: [{in: {r3: 5, r4: 2}, out: {r3: 3}}]}\n' >"$T/v.yaml"
run_cmd "$CTS" mutants --insn add64_x "$T/v.yaml"
is "$rc" 1 "vectors of another row notice nothing"
like "$out" '^score: quick 0\.0 % ' "... at all"
run_cmd "$CTS" mutants --insn sub64_x "$T/v.yaml"
like "$out" 'survivors:' "few vectors leave survivors"
like "$out" 'input that shows it: dst=' "... with an input that tells them apart"
# A vector that the right machine fails is no measure.
printf 'suite: t\nvectors:\n  - {name: a, insns: [sub64_x], clauses: [N039], asm: "r3 -= r4", cases: [{in: {r3: 5, r4: 2}, out: {r3: 4}}]}\n' >"$T/w.yaml"
run_cmd "$CTS" mutants --insn sub64_x "$T/w.yaml"
is "$rc" 3 "a wrong vector is told"
like "$err" 'sub64_x fails t/a even without a mutation' "... by its name"
done_testing
