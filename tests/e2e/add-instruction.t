#!/usr/bin/env bash
# ctest: cost=22
# An instruction that is made up is added to a copy of the tree, as spec/README.md says ("Adding an instruction"): `spec check` names every place
# that is to be touched, and each is touched as it says; then everything that is made from the row is there, and the project's own tests pass.
. "$(dirname "$0")/lib.sh"

if ! git -C "$ROOT" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    skip_all "this tree is no git repository: which files belong to it is not known"
fi
if with_sanitizers; then
    skip_all "it is about what is made from the row, which an ordinary build tests; the copy is not built twice"
fi
cached() { # VARIABLE: what this build was configured with
    sed -nE "s/^$1:[A-Z]+=//p" "$BUILD/CMakeCache.txt"
}

copy=$T/tree
mkdir "$copy"
git -C "$ROOT" ls-files -z --cached --others --exclude-standard |
    (cd "$ROOT" && xargs -0 ls -d -- 2>/dev/null | tar cf - -T -) | tar xf - -C "$copy"
[ -s "$copy/spec/groups.yaml" ]; ok $? "there is a copy of the tree"

checked() { # the faults, a line each, in the copy's terms
    run_cmd "$CTS" spec check --spec "$copy/spec" --vectors "$copy/vectors"
    faults=$(printf '%s\n' "$out" | grep '^# ' | sed "s|^# ||; s|$copy/||g" | sort)
}
checked
is "$rc$faults" 0 "... and nothing is wrong with it"

# ---- the item ----

cat >"$copy/spec/isa/post_bic.yaml" <<'END'
- id: bic64_k
  name: BIC64_K
  group: bic
  since: {isa: v4, linux: "9.9"}
  origin: linux
  encoding: {opcode: 0xe7, dst: reg, src: 0, off: 0, imm: any}
  asm: "{dst} &= ~{imm}"
  ubpf: "bic %{dst}, {imm}"
  does: "dst = dst & ~u64(imm)"
  clauses: []
END

# ---- what the check names, and no more ----

checked
is "$rc" 2 "a group that is not there"
like "$err" "spec/isa/post_bic\.yaml:3:10: no group 'bic'; a new one is an item of groups\.yaml" "... is named with its place"
cat >>"$copy/spec/groups.yaml" <<'END'

- name: bic
  section: "none"
  description: "Clearing of bits."
  includes: []
  excludes: []
  status: unregistered
  of: "nobody"
END

checked
is "$rc" 1 "the rest"
tab=$'\t'
question=$(printf '%s\n' "$faults" | sed -nE "s/.*give it 'ambiguities: \[(A[0-9]+)\]'.*/\1/p")
like "$question" '^A[0-9]+$' "there is a free question"
old=$(sed -nE "/name: opcode-e7,/=" "$copy/vectors/verifier/invalid-opcode.yaml")
is "$faults" "$(sort <<END
spec/groups.yaml:$(sed -n '/name: bic$/=' "$copy/spec/groups.yaml"): policy bic: no vector rests on it
spec/isa/post_bic.yaml:1: bic64_k: spec/anchors/linux.tsv has no such row; if linux has it, add to spec/anchors/linux.tsv: 0xe7${tab}0${tab}0${tab}any${tab}-${tab}-${tab}BIC64_K${tab}9.9
spec/isa/post_bic.yaml:1: bic64_k: it came after the RFC and names no question: give it 'ambiguities: [$question]', and spec/ambiguities.yaml an item $question of kind 'later' that says who has the instruction
spec/isa/post_bic.yaml:1: row bic64_k: no hand-written vector; add one to vectors/post, with 'insns: [bic64_k]' and 'policy: bic'
spec/isa/post_bic.yaml:1: row bic64_k: no sweep; add one to vectors/post, with 'insns: [bic64_k]' and 'policy: bic'
vectors/verifier/invalid-opcode.yaml:$old: verifier/invalid-opcode/opcode-e7: opcode 0xe7 is no instruction here, and bic64_k in spec/isa/post_bic.yaml:1: remove the vector
END
)" "every place is named, with what belongs there, and no other"

# To the letter.
printf '%s\n' "$faults" | sed -nE "s/.*, add to [^ ]*linux\.tsv: //p" >>"$copy/spec/anchors/linux.tsv"
sed -i "s/^  clauses: \[\]/&\n  ambiguities: [$question]/" "$copy/spec/isa/post_bic.yaml"
cat >>"$copy/spec/ambiguities.yaml" <<END

- id: $question
  section: "4.1"
  kind: later
  question: "Nobody has it."
  here: "A row of its own."
  policy: bic
  runtimes: {}
  vectors: ["post/bic/*"]
END
awk -v from="$old" 'NR == from { out = 1; next } out && /^  - / { out = 0 } !out' \
    "$copy/vectors/verifier/invalid-opcode.yaml" >"$T/kept" && mv "$T/kept" "$copy/vectors/verifier/invalid-opcode.yaml"
cat >"$copy/vectors/post/bic.yaml" <<'END'
suite: post/bic
vectors:
  - name: low-byte
    insns: [bic64_k]
    clauses: []
    policy: bic
    code: [{insn: bic64_k, dst: dst, imm: "{imm}"}]
    vary: {dst: any}
    cases:
      - {imm: 0xff, in: {dst: 0x1234567812345678}, out: {dst: 0x1234567812345600}}
      - {imm: -1, in: {dst: 0x1234567812345678}, out: {dst: 0}}
      - {imm: 0x7fffffff, in: {dst: -1}, out: {dst: 0xffffffff80000000}}
      - {imm: -0x80000000, in: {dst: -1}, out: {dst: 0x7fffffff}}
  - name: sweep
    insns: [bic64_k]
    clauses: []
    policy: bic
    code: [{insn: bic64_k, dst: dst, imm: "{imm}"}]
    sweep: {dst: u64, imm: imm}
  - {name: src-bits, class: V04, insns: [bic64_k], clauses: [], policy: bic,
     program: ["r0 = 6", {insn: bic64_k, dst: 0, imm: 1, flip: src}, "exit"], verdict: reject}
  - {name: off-bits, class: V04, insns: [bic64_k], clauses: [], policy: bic,
     program: ["r0 = 6", {insn: bic64_k, dst: 0, imm: 1, flip: off}, "exit"], verdict: reject}
  - {name: dst-11, class: V03, insns: [bic64_k], clauses: [], policy: bic,
     program: ["r0 = 6", {opcode: 0xe7, dst: 11, imm: 1}, "exit"], verdict: reject}
END
checked
is "$rc$err$faults" 0 "with that the check passes"

# ---- built anew ----

build() { # TARGET...
    run_cmd cmake --build "$copy/build" -j 2 --target "$@"
    [ "$rc" = 0 ] || diag "$(printf '%s\n' "$out$err" | grep -E 'error|FAILED' -A 5 | head -n 20)"
}
tests=$(cached CTS_TESTS)
run_cmd cmake -S "$copy" -B "$copy/build" -G "$(cached CMAKE_GENERATOR)" -DCMAKE_BUILD_TYPE=Debug -DCTS_WERROR=ON -DCTS_TESTS="${tests:-OFF}" \
    -DCTS_RUNTIMES=off -DCMAKE_C_COMPILER="$(cached CMAKE_C_COMPILER)" -DCMAKE_C_COMPILER_LAUNCHER="$(cached CMAKE_C_COMPILER_LAUNCHER)"
is "$rc" 0 "the copy is configured"
build spec-generate
is "$rc" 0 "what is generated is written anew"
grep -q bic64_k "$copy/spec/generated/isa_insns.c"; ok $? "... with the row"
units="test_ambiguities test_encoders test_isa test_spec"
# shellcheck disable=SC2086
case $tests in
    ON) build gen-check ebpf-cts cts-worker-reference $units ;;
    *) build gen-check ebpf-cts cts-worker-reference ;;
esac
is "$rc" 0 "the program is built"

# ---- all of it ----

new=$copy/build/ebpf-cts
export EBPF_CTS_CACHE=$T/cache
run_cmd "$new" spec check names
is "$rc" 0 "the new program reads its specification"
run_cmd "$new" run -r reference -f 'post/bic/*' -f 'verifier/invalid-opcode/*'
is "$rc" 0 "the reference machine passes its vectors and those about opcodes of no instruction"
like "$out" '^total: [1-9][0-9]+ passed, 0 failed, 0 skipped$' "... all of them"
run_cmd "$new" run -r reference --insn bic64_k -o groups
like "$out" ' bic +conformant by policy: [1-9][0-9]* passed, 0 failed$' "... and conforms to the group"
is "$("$new" disasm e703000044332211)" 'r3 &= ~287454020' "the disassembler has its text"
is "$("$new" disasm -s ubpf e703000044332211)" 'bic %r3, 287454020' "... and the other"
is "$("$new" asm -s ubpf 'bic %r3, 287454020' | tr -d ' ')" e703000044332211 "... which the assembler reads"
run_cmd "$new" disasm e703010044332211
is "$rc" 1 "a field that it does not use is 0"
run_cmd "$new" explain bic64_k
is "$rc" 0 "explain knows it"
like "$out" 'dst = dst & ~u64\(imm\)' "... with its meaning"
like "$out" '^ *post/bic/low-byte' "... and its vectors"
run_cmd "$new" explain bic
like "$out" '^policy bic, of nobody$' "the group is what its vectors rest on"
like "$("$new" list insns)" '^bic64_k ' "list insns has it"
like "$("$new" list groups)" '^bic ' "list groups has its group"
like "$("$new" spec doc --format markdown)" 'bic64_k' "spec doc has it"
like "$("$new" spec table --format tsv --full)" "^0xe7${tab}.*${tab}bic64_k${tab}" "spec table has it"
run_cmd "$new" spec coverage --format tsv
like "$out" "^instruction${tab}bic64_k${tab}post/bic/sweep" "spec coverage knows what tests it"
run_cmd "$new" mutants --insn bic64_k
is "$rc" 0 "no machine that has it wrong gets by"
like "$out" '^total: [1-9][0-9]* passed, 0 failed' "... and there are such machines"
for unit in $units; do
    if [ "$tests" != ON ]; then
        skip "$unit of the copy" "this build has no unit tests (-DCTS_TESTS=ON)"
        continue
    fi
    run_cmd "$copy/build/tests/$unit"
    is "$rc" 0 "$unit of the copy"
    [ "$rc" = 0 ] || diag "$(printf '%s\n' "$err" | head -n 5)"
done
done_testing
