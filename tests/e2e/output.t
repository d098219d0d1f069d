#!/usr/bin/env bash
# ctest: asan-cost=10
# Where output goes: standard output that cannot be written, files that are too large, and filters that leave nothing.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
cd "$T" || exit 255

cat >one.yaml <<'Y'
suite: out
vectors:
  - name: two
    insns: [add64_x]
    clauses: [N037]
    asm: "{dst} += {src}"
    cases:
      - {in: {dst: 1, src: 2}, out: {dst: 3}}
Y
cat >one.data <<'D'
-- asm
mov32 %r0, 5
exit
-- result
0x5
D
"$CTS" run -r reference one.yaml >/dev/null || diag "a warm cache"

# ---- standard output ----

# A command of each kind that prints something and ends with 0.
cat >commands <<'C'
--help
--version
help
help run
help --man
help --bash
list insns
list groups
list clauses
list policies
list runtimes
list vectors
explain add64_x
explain N039
explain --help
asm -s ubpf exit
disasm 9500000000000000
disasm -s ubpf 9500000000000000
mutants --list --insn exit
mutants --insn exit one.yaml
sight --as reference one.yaml
spec table
spec table --format tsv
spec json
spec doc
spec --help
import one.data
export --help
check-adapter --list
check-adapter --check capabilities WORKER
run -r reference one.yaml
run -r reference -o json one.yaml
run -r reference -o junit one.yaml
run -r reference -o tap one.yaml
run -r reference -o markdown one.yaml
run -r reference -o groups one.yaml
run -r reference -o clauses one.yaml
C
sed -i "s|WORKER|$BUILD/cts-worker-reference|" commands
if [ -e /dev/full ]; then
    while read -r line; do
        # shellcheck disable=SC2086
        set -- $line
        "$CTS" "$@" >/dev/full 2>err </dev/null
        is "$?" 3 "$line: a full disk behind standard output is an error"
        is "$(grep -c '^ebpf-cts: standard output: cannot write' err)" 1 "... that is told once"
        "$CTS" "$@" >&- 2>err </dev/null
        is "$? $(grep -c '^ebpf-cts: standard output: cannot write' err)" "3 1" "$line: so is a closed one"
    done <commands
else
    skip "a full disk behind standard output is an error" "no /dev/full"
fi
"$CTS" run -r reference -o json=closed.jsonl one.yaml >&- 2>err
is "$?$(cat err)" 0 "who prints nothing needs no standard output"
is "$(tail -n 1 closed.jsonl | cut -c 1-33)" '{"type":"footer","complete":true,' "... and the report is in its own file"

# Who reads no further ends the command, as with any tool.
(trap - PIPE; "$CTS" list clauses; echo $? >rc) 2>err | head -c 1 >/dev/null
like "$(cat rc)" '^(0|141)$' "a reader that goes ends the command"
is "$(cat err)" "" "... without a word"
(trap - PIPE; "$CTS" run -r reference -o json; echo $? >rc) 2>err | head -n 1 >/dev/null
is "$(cat rc)$(cat err)" 141 "... and a run"

# ---- files that become too large ----

(ulimit -f 1; EBPF_CTS_CACHE=$T/small "$CTS" run -r reference one.yaml) >out 2>err
is "$?" 0 "a cache that may not become large ends no run"
like "$(tail -n 1 out)" '^total: 1 passed, 0 failed, 0 skipped$' "... and the run is whole"
(ulimit -f 1; "$CTS" spec table -o large) >out 2>err
is "$?" 3 "a file that may not become large: exit 3"
like "$(cat err)" 'large: cannot write: File too large' "... with the reason"
is "$(ls large* 2>/dev/null)" "" "... and nothing is left of it"
(ulimit -f 1; "$CTS" spec table >large) 2>err
is "$?" 3 "so it is on standard output"
like "$(cat err)" '^ebpf-cts: standard output: cannot write' "... with a message"

# ---- filters that leave nothing ----

# nothing CODE MESSAGE ARGUMENT...
nothing() {
    local want=$1 message=$2
    shift 2
    run_cmd "$CTS" "$@"
    is "$rc" "$want" "$*: exit $want"
    like "$err$out" "$message" "... and a message"
}
mkdir empty
nothing 2 "unknown operator 'nosuch'" mutants --list --operator nosuch
nothing 2 "unknown operator 'nosuch'" mutants --operator nosuch one.yaml
nothing 2 "unknown instruction 'nosuch'" mutants --list --insn nosuch
nothing 4 'no mutant is selected' mutants --list --insn exit --operator width
nothing 4 'no vector is selected' mutants --insn exit empty
nothing 4 'no vector is selected' sight empty
nothing 4 "found no law whose id contains 'nosuch'|SKIP" spec laws nosuch
nothing 2 "unknown instruction 'nosuch'" spec smt nosuch
nothing 2 "no rule 'nosuch'" spec check nosuch
nothing 2 "unknown check 'nosuch'" check-adapter --check nosuch "$BUILD/cts-worker-reference"
nothing 4 "no engine 'nosuch'" check-adapter --engine nosuch "$BUILD/cts-worker-reference"
nothing 4 '0 files from 0 vectors' export exported empty
nothing 4 'no \.data file' import empty
nothing 4 'no vector is selected' run -r reference empty
nothing 4 "no vector matches --filter 'nosuch'" run -r reference -f nosuch one.yaml
for filter in "--filter nosuch" "--exclude nosuch" "--group divmul64" "--insn exit" "--clause N041"; do
    # shellcheck disable=SC2086
    run_cmd "$CTS" run -r reference -f two -f three -g base64 --insn add64_x --clause N037 $filter one.yaml
    is "$rc" 0 "$filter beside others: they select"
    like "$err" "^ebpf-cts: no vector matches ${filter% *} '${filter#* }'$" "... and what does nothing is told"
done
done_testing
