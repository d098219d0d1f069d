#!/usr/bin/env bash
# ctest: cost=17 asan-cost=16
# The specification as formulas for solvers, and the laws that one proves of them.
. "$(dirname "$0")/lib.sh"

run_cmd "$CTS" spec smt
is "$rc" 0 "spec smt writes formulas"
printf '%s\n' "$out" >"$T/all.smt2"
rows=$("$CTS" list insns | wc -l)
with=$(sed -nE 's/^\(define-fun ([a-z0-9_]+)\.(dst|src|r0|mem|taken|next|exits) .*/\1/p' "$T/all.smt2" | sort -u | wc -l)
[ "$with" -gt 150 ] && [ "$with" -le "$rows" ]; ok $? "of all rows ($with of $rows; the others are second slots)"

run_cmd "$CTS" spec smt sdiv32_k
is "$rc" 0 "spec smt ROW"
like "$out" '^\(define-fun sdiv32_k\.dst \(\(dst \(_ BitVec 64\)\) \(imm \(_ BitVec 32\)\)\) \(_ BitVec 64\)$' "a function of what matters"
like "$out" 'bvsdiv' "... that divides"
unlike "$out" 'define-fun add64' "... and of that row alone"
run_cmd "$CTS" spec smt add65_k
is "$rc" 2 "a row that does not exist is a mistake of usage"
like "$err" 'add65_k' "... and is named"

# Without a solver nothing fails, and the reader is told what to do.
mkdir "$T/bin"
run_cmd env PATH="$T/bin" "$CTS" spec laws
like "$rc" "^[04]\$" "no solver is no failure"
like "$out" '^1\.\.0 # SKIP no z3 \(apt-get install z3\)$' "... and how to get one"

if ! command -v z3 >/dev/null; then
    skip "z3 reads the formulas" "no z3 (apt-get install z3)"
    skip "the laws hold" "no z3 (apt-get install z3)"
    done_testing
fi

run_cmd z3 "$T/all.smt2"
is "$rc$out" 0 "z3 reads the formulas and complains of none"

run_cmd "$CTS" spec laws
is "$rc" 0 "the laws hold"
printf '%s\n' "$out" >"$T/laws.tap"
is "$(head -n 1 "$T/laws.tap")" "TAP version 13" "the answer is TAP"
is "$(grep '^not ok' "$T/laws.tap" | head -n 5)" "" "no law fails"
count=$(grep -c '^ok ' "$T/laws.tap")
is "$(grep -xE '1\.\.[0-9]+' "$T/laws.tap")" "1..$count" "the plan is the number of laws"
[ "$count" -ge 900 ]; ok $? "there are many ($count)"
like "$out" "^# laws $count: valid [0-9]+, refuted as expected [0-9]+, undecided 0, failed 0; rows 1[0-9]+; [0-9.]+ s\$" "a line has the counts and the time"
diag "$(tail -n 1 "$T/laws.tap")"
near=$(grep -c '^ok [0-9]* - near-' "$T/laws.tap")
[ "$near" -gt 50 ]; ok $? "some of them look like laws and are none ($near)"
is "$(grep -c '^# refuted by: ((' "$T/laws.tap")" "$near" "... each with what refutes it"
like "$out" '^# refuted by: \(\(x #x[0-9a-f]{16}\) \(i #x80000000\)\)$' "subtracting -2^31 is not adding its negation"

run_cmd "$CTS" spec laws near-sub32-commutes
is "$rc" 0 "one law by its id"
is "$(printf '%s\n' "$out" | grep -c '^ok ')" 1 "... and no other"
run_cmd "$CTS" spec laws there-is-no-such-law
is "$rc" 4 "nothing selected is no success"

# A specification that breaks a law.
cp -r "$ROOT/spec" "$T/spec"
sed -i 's/does: "dst = dst - src"/does: "dst = src - dst"/' "$T/spec/isa/alu64.yaml"
run_cmd "$CTS" spec laws --spec "$T/spec" sub64
is "$rc" 1 "a wrong row fails"
like "$out" '^not ok [0-9]+ - k-is-x-sub64_k-dst ' "... the law that its other form has"
like "$out" '^not ok [0-9]+ - sub64-is-add-of-neg ' "... and one that is written down"
like "$out" '^# counterexample: \(\(' "... with the operands"

# One that the solver does not decide is neither failed nor passed, and costs no other law its answer.
cat >"$T/spec/laws.yaml" <<'LAWS'
- id: odd-hard
  says: "Too hard."
  for: {x: u64, y: u64}
  given: "(bvult x (div64_x.dst (mul64_x.dst x y) (mod64_x.dst y x)))"
  holds: "(= (mul64_x.dst x (mul64_x.dst y y)) (mul64_x.dst (mul64_x.dst y x) (add64_x.dst y (mod64_x.dst x (div64_x.dst y x)))))"
  expected: valid
- id: odd-easy
  says: "Sums commute."
  for: {x: u64, y: u64}
  holds: "(= (add64_x.dst x y) (add64_x.dst y x))"
  expected: valid
LAWS
run_cmd "$CTS" spec laws --spec "$T/spec" --timeout 1 odd-
is "$rc" 3 "a law that should be decided and is not: nothing can be said"
like "$out" '^not ok 1 - odd-hard .* # TODO undecided: ' "... of that one"
like "$out" '^ok 2 - odd-easy ' "... while the next one is decided"
like "$out" '^# laws 2: valid 1, refuted as expected 0, undecided 1, failed 0; ' "... and it is counted"
sed -i 's/^  says: "Too hard."/&\n  may be unknown: "too hard"/' "$T/spec/laws.yaml"
run_cmd "$CTS" spec laws --spec "$T/spec" --timeout 1 odd-
is "$rc" 0 "a law that need not be decided"
like "$out" '^ok 1 - odd-hard .* # SKIP undecided: too hard$' "... says why"
done_testing
