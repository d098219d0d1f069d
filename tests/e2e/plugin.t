#!/usr/bin/env bash
# ctest: cost=80 asan-cost=86
# Plugins of bpf_conformance: honest ones, wrong ones, and those that crash, hang, flood, lie and babble.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
fake=$TESTS/cts-fake-plugin
[ -x "$fake" ] || { echo "Bail out! no $fake"; exit 255; }
plugin() { # OPTIONS ARGUMENTS...
    run_cmd "$CTS" run -r "plugin:$fake $1" "${@:2}"
}
passed() {
    printf '%s\n' "$out" | sed -n 's/^total: \([0-9]*\) passed.*/\1/p'
}
rows() {
    printf '%s\n' "$out" | sed -n 's/.*operand tuples \([0-9,]*\).*/\1/p' | tr -d ,
}

# ---- honest ones ----

# Ten thousand processes. With sanitizers each takes 40 ms to start: then the plugin is that of the plain build, or there are fewer.
part=() what="the quick level" least=600000 cases=4 each=7 environment='lddw|ldx_dw|stx_dw|add64_k|add64_x|mov64_x|xor64_x|sub64_x'
if grep -q __asan_init "$fake"; then
    part=(-f 'base64/a*') what="a part of it, with sanitizers" least=3000 cases=2 each=40 environment='stx_dw'
    plain=${CTS_PLAIN_BUILD:-$ROOT/build}/tests/cts-fake-plugin
    [ -x "$plain" ] && ! grep -q __asan_init "$plain" && fake=$plain
fi
plugin "" "${part[@]}"
is "$rc" 0 "an honest plugin passes $what"
like "$out" '^total: [0-9]{'"$cases"',} passed, 0 failed, ' "... all of it"
like "$out" '^plugin:cts-fake-plugin  rows in loops; .*cts-fake-plugin$' "... and its mode is told"
[ "$(rows)" -gt "$least" ]; ok $? "... on more than $least operand tuples"

# What a row of several may leave as it likes is no reason to doubt it.
cat >"$T/any.yaml" <<'YAML'
suite: my/any
vectors:
  - name: once
    insns: [mov64_k]
    clauses: [N052]
    operands: [opaque]
    asm: "{b} = 6; {t} = 1; if {c} == {e} goto out; {t} = 2; out:"
    cases:
      - {name: looked-at, in: {c: 0, e: 0}, out: {b: 6, t: 1}}
      - {name: anything, in: {c: 1, e: 0}, out: {b: any, t: 2}}
  - name: both
    insns: [mov64_k]
    clauses: [N052]
    operands: [opaque]
    asm: "{b} = 6; {t} = 1; if {c} == {e} goto out; {t} = 2; out:"
    cases:
      - {in: {c: 0, e: 0}, out: {b: any, t: 1}}
      - {in: {c: 1, e: 0}, out: {b: any, t: 2}}
  - name: second-outcome
    insns: [mov64_k]
    clauses: [N052]
    operands: [opaque]
    asm: "{b} = 6; {t} = 1"
    cases:
      - {in: {b: 1}, out: {b: 7, t: 1}, or: [{out: {b: 6, t: 1}}]}
      - {in: {b: 2}, out: {b: 6, t: 1}}
  - name: one-row-among-other-bodies
    insns: [mov64_k]
    clauses: [N052]
    asm: "{b} = 6; {t} = 1"
    cases:
      - {in: {b: 0}, out: {b: any, t: 1}}
  - name: one-row-with-a-second-outcome
    insns: [mov64_k]
    clauses: [N052]
    asm: "{b} = 6; {t} = 1"
    cases:
      - {in: {b: 0}, out: {b: 7, t: 1}, or: [{out: {b: 6, t: 1}}]}
  - name: memory
    insns: [mov64_k]
    clauses: [N052]
    asm: "*(u8 *)({p}+1) = 6; {t} = 1"
    cases:
      - {in: {p: mem, mem: [{at: 0, u32: [0, 0]}]}, out: {t: 1, mem: [{at: 0, any: 2}]}}
  - name: another-body-with-memory
    insns: [mov64_k]
    clauses: [N052]
    asm: "*(u8 *)({p}+1) = 6; {t} = 1"
    cases:
      - {in: {p: mem, mem: [{at: 0, u32: [0, 0]}]}, out: {t: 1, mem: [{at: 0, hex: "00 06"}]}}
  - name: of-the-last-program
    insns: [ldx_dw]
    clauses: [N086]
    needs: [stack-uninit]
    asm: "{b} = *(u64 *)(r10 - 400); {t} = 1"
    cases:
      - {in: {b: 0}, out: {b: any, t: 1}}
      - {in: {b: 1}, out: {b: any, t: 1}}
  - name: of-the-last-program-in-memory
    insns: [ldx_dw]
    clauses: [N086]
    needs: [stack-uninit]
    operands: [opaque]
    asm: "{b} = *(u64 *)(r10 - 400); *(u64 *)({p} + 0) = {b}; *(u32 *)({p} + 10) = {b}; {b} = 1"
    cases:
      - {in: {p: mem, b: 0, mem: [{at: 0, u64: [0, 0]}]}, out: {b: 1, mem: [{at: 0, any: 8}, {at: 10, any: 4}]}}
YAML
for option in "" --no-loops --stale; do
    plugin "$option" "$T/any.yaml"
    is "$rc" 0 "registers and memory of which anything may come out, and a second outcome: ${option:-an honest plugin}"
    like "$out" '^total: 13 passed, 0 failed, 0 skipped' "... are no failures"
done
sed -e 's/; {b} = 1"/; *(u8 *)({p} + 14) = 9; {b} = 1"/' "$T/any.yaml" >"$T/beside.yaml"
plugin --stale -f my/any/of-the-last-program-in-memory "$T/beside.yaml"
like "$out" '^FAIL .*: wrong-result: byte mem.14 = 0x09, expected 0x00' "... and what is beside them is"

plugin "--no-loops" -f base64/add/ -f base32/jge
is "$rc" 0 "one that refuses loops passes"
like "$out" '^plugin:cts-fake-plugin --no-loops  one row a process; ' "... and its mode is told"
[ "$(rows)" -gt 100 ] && [ "$(rows)" -lt 1500 ]; ok $? "... with a part of the sweeps, as the number of operand tuples says"

plugin "--no-calls" -f base32/call/local-result -f base64/add/reg
is "$rc" 0 "one without local calls passes"
like "$out" 'needs local-call' "... what has none"

plugin "--narrow" -f base64/add/ -f base32/exit/result -f verifier/reserved-field/xor -f verifier/call-target/
is "$rc" 1 "one that prints 32 bits of its results fails"
like "$out" '^plugin:cts-fake-plugin --narrow  whole programs only, results cut to' "... which is said where it is named"
like "$out" '^FAIL plugin:cts-fake-plugin --narrow base32/exit/result-64-bits#verdict' "... as a failure of EXIT"
like "$out" 'total: [1-9][0-9]+ passed, 1 failed, ' "... and of nothing else"
like "$out" 'runs whole programs only' "... and what cannot be run is skipped"

plugin "--helpers" -f base32/call/data-helper
is "$rc" 0 "helpers of .data files are found"
like "$out" '^total: 10 passed, 0 failed, 0 skipped$' "... and called by their numbers"
plugin "" -f base32/call/data-helper
like "$out" '^total: 0 passed, 0 failed, 10 skipped$' "... and where there are none the vectors are skipped"

plugin "--no-checks" -f verifier -f base64/add/reg
is "$rc" 0 "one without a loader's checks does not fail for each of them"
like "$out" '^plugin:cts-fake-plugin --no-checks  rows in loops, no checks; ' "... it is said in one line"
like "$out" "no loader's checks: nothing is rejected at load" "... and what can only be rejected is skipped"
[ "$(passed)" -gt 100 ]; ok $? "... and what else there is is run"

plugin "--elf" -f base64/add/ -f base32/call/local
is "$rc" 0 "one that wants object files passes"

# ---- wrong ones ----

"$BUILD/cts-mutant-worker" --list >"$T/mutants" || { echo "Bail out! no mutants"; exit 255; }
while read -r number row does; do
    plugin "--mutant $number" --insn "$row" --max-fails 1
    is "$rc" 1 "$row as '$does' fails"
    like "$out" "^    insn     $row " "... and the failure names the row"
done < <(awk "NR % $each == 1" "$T/mutants")

# What the environment itself is made of: a wrong one is no skip.
while read -r number row does; do
    plugin "--mutant $number" -f base64/add/ -f base64/sub/ -f base64/mov/ -x '*sweep*'
    isnt_zero=$((rc != 0))
    is "$isnt_zero" 1 "with $row as '$does' the run fails"
done < <(awk -v rows="^($environment)\$" '$2 ~ rows' "$T/mutants")

row=$(sed -n '1s/^[0-9]*\t\([^\t]*\)\t.*/\1/p' "$T/mutants")
plugin "--mutant 0" --insn "$row" -x '*sweep*'
like "$out" '^      r[0-9]    ( [0-9a-f]{16}){4}$' "what is different is shown"
like "$out" "^  +repeat   $CTS run -r 'plugin:$fake --mutant 0' -f '" "... and how to repeat it"

for answer in 0 1 ffffffffffffffff; do
    plugin "--always $answer" -f 'base64/add/*' -f 'verifier/reserved-field/add64*'
    is "$rc" 1 "one that always prints $answer fails"
    like "$out" '^total: 0 passed, 1 failed, ' "... once, and passes nothing"
    like "$out" "^FAIL [^ ]* --always [0-9a-f]* programs/environment/exit#verdict: wrong-result: r0 = 0x$answer, expected 0x600d" "... as EXIT"
    like "$out" 'not testable: exit fails' "... without which there is nothing to be tested"
done

# What its own programs and those around all vectors are made of: the instruction is named, with its clause, whatever is wrong with it.
while read -r it clause hows; do
    for how in ${hows//,/ }; do
        plugin "--basis $it $how" -f 'base64/mov/reg' -f 'verifier/reserved-field/add64*' -o json="$T/json" -o text
        named=$(grep -cE '"vector":"programs/environment/.*"insns":\["'"$it"'".*"clauses":\[[^]]*"'"$clause"'".*"status":"fail"' "$T/json")
        is "$rc $(grep -c '"status":"error"' "$T/json") $(grep -c '"status":"fail"' "$T/json")" "1 0 $named" "$it, $how: all that fails are its cases, with $clause"
        [ "$named" -gt 0 ]; ok $? "... of which there are some ($named)"
        is "$(grep -c "\"message\":\"not testable: $it fails\"" "$T/json")" "$(grep -c '"skip":"not-testable"' "$T/json")" "... and are the reason why the rest was not tested"
        grep -q '"vector":"base64/mov/reg".*"skip":"not-testable"' "$T/json"; ok $? "... among it what is in the environment"
    done
done <<'ROWS'
exit N111 upper,zero,fault,die
lddw N152 nothing,upper,zero,fault,die
ldx_dw N132 zero,die
stx_dw N130 nothing,upper
add64_x N039 zero
mov64_x N052 fault
xor64_x N051 half
rsh64_k N047 nothing
ROWS
plugin "--basis lddw zero" "$T/any.yaml"
is "$rc" 1 "... with vectors of one's own, too"
like "$out" '^FAIL [^ ]* --basis lddw [a-z]* programs/environment/lddw#verdict: ' "... it is named"
like "$out" '^ +13 +not testable: lddw fails' "... as the reason of all that was not tested"

# ---- the command ----

mkdir -p "$T/a b"
cp "$fake" "$T/a b/it's"
run_cmd "$CTS" run -r "plugin:\"$T/a b/it's\"  --mutant '0'" --insn "$row" -x '*sweep*'
is "$rc" 1 "a path with blanks and quotes"
like "$out" "^plugin:it's --mutant 0  " "... names the engine"
like "$out" "run -r 'plugin:\"$T/a b/it'\\\\''s\"  --mutant '\\\\''0'\\\\'''" "... and is quoted for a shell"
run_cmd "$CTS" run -r "plugin:'$fake"
is "$rc" 2 "a quote without its end is wrong usage"
run_cmd "$CTS" run -r plugin
is "$rc" 2 "... and so is no path"
like "$err" "plugin:PATH" "... with a hint"
run_cmd "$CTS" run -r "plugin:$T/none"
is "$rc" 2 "... and a path that is none"
like "$err" "$T/none: not found or not executable" "... which is named"
run_cmd "$CTS" run -r "plugin:/bin/false"
is "$rc" 3 "a program that is no plugin is an error"
run_cmd "$CTS" list runtimes
like "$out" "^plugin:PATH +- +skipped .*plugin:PATH \[OPTION" "the list of runtimes says how to name one"

printf -- "- {vectors: 'base64/*', engines: ['cts-fake-plugin --mutant 0'], reason: known, clause: N037}\n" >"$T/known.yaml"
printf -- "- {vectors: 'base32/*', engines: ['cts-fake-plugin --mutant 0'], reason: known, clause: N037}\n" >>"$T/known.yaml"
plugin "--mutant 0" --insn "$row" --known "$T/known.yaml" -o json
like "$out" '"status":"xfail"' "a list of known failures names the engine"

# ---- what it is, in a file beside it ----

mkdir "$T/side"
printf 'groups: [base32]\npolicies: [abi, structural]\nverifier: false\njit: true\nknown: failures.yaml\n' >"$T/side/runtime.yaml"
printf -- '- {vectors: "base32/mov/imm#minus-one", engines: [cts-fake-plugin], reason: known, clause: N037}\n' >"$T/side/failures.yaml"
number=$(sed -n 's/^\([0-9]*\)\tmov32_k\t.*/\1/p' "$T/mutants" | head -1)
run_cmd "$CTS" run -r "plugin:$fake --mutant $number" --runtime "$T/side/runtime.yaml" -v --insn mov32_k -x '*sweep*'
is "$rc" 1 "a plugin with a file that describes it"
like "$out" 'pass [0-9]+, fail [0-9]+, skip [0-9]+, error 0, xfail [1-9]' "... its known failures are those of the plugin, whatever its options"
like "$out" "repeat   $CTS run -r 'plugin:$fake --mutant $number' -r $T/side/runtime.yaml -f " "... and the command that repeats a failure names it"
run_cmd "$CTS" run -r "plugin:$fake" -r "$T/side/runtime.yaml" -v -f base64/add/reg -f verifier/reserved-field/xor -f base32/exit/result
like "$out" 'SKIP [^ ]* base64/add/reg#plain: group base64 is not claimed' "... groups are those it claims"
like "$out" "no loader's checks: nothing is rejected at load" "... and what its loader does is what it says"
: >"$T/side/failures.yaml"
run_cmd "$CTS" run -r "plugin:$fake --mutant $number" -r "$T/side/runtime.yaml" --insn mov32_k -x '*sweep*' --update-known
grep -q 'engines: \[cts-fake-plugin\]' "$T/side/failures.yaml"; ok $? "what is put on record names the plugin, without its options"
grep -q -e '--mutant' "$T/side/failures.yaml"; [ $? = 1 ]; ok $? "... and nowhere has them"
run_cmd "$CTS" run -r "$T/side/runtime.yaml" -r "plugin:$fake"
is "$rc" 2 "a description before its plugin is wrong usage"
like "$err" 'side/runtime\.yaml: it names no worker: it describes a plugin, which comes in front of it' "... with a hint"
printf 'groups: [base33]\n' >"$T/side/runtime.yaml"
run_cmd "$CTS" run -r "plugin:$fake" -r "$T/side/runtime.yaml"
like "$err" "side/runtime\.yaml: unknown group 'base33'" "a mistake in it is told with its name"
printf 'name: other\n' >"$T/side/runtime.yaml"
run_cmd "$CTS" run -r "plugin:$fake" -r "$T/side/runtime.yaml"
is "$rc" 2 "... and so is a key that it does not have"

# ---- hostile ones: the mark is 0xdead in rX = imm ----

mkdir "$T/in"
cat >"$T/in/mark.yaml" <<'Y'
suite: mark
vectors:
  - name: before
    insns: [add64_x]
    clauses: [N037]
    asm: "{dst} += {src}"
    cases:
      - {in: {dst: 1, src: 2}, out: {dst: 3}}
      - {in: {dst: 5, src: 2}, out: {dst: 7}}
  - name: marked
    insns: [mov64_k]
    clauses: [N037]
    asm: "r0 = 0xdead"
    cases:
      - {in: {r0: 1}, out: {r0: 0xdead}}
  - name: whole
    class: V01
    clauses: [N081]
    insns: [mov64_k]
    program: ["r0 = 0xdead", "exit"]
    verdict: accept
    r0: 0xdead
  - name: sweep
    insns: [xor64_x]
    clauses: [N037]
    asm: |
      {dst} ^= {src}
      r9 = 0xdead
    sweep: {dst: u64, src: u64}
  - name: after
    insns: [sub64_x]
    clauses: [N037]
    asm: "{dst} -= {src}"
    cases:
      - {in: {dst: 1, src: 2}, out: {dst: -1}}
Y
cd "$T" || exit 255

hostile() { # DEED STATUS TEXT: what each of the three marked vectors is
    local name
    plugin "--do $1" --timeout 1 "$T/in"
    for name in marked whole sweep; do
        like "$out" "^(FAIL|ERROR) [^ ]* --do $1 mark/$name#[a-z0-9]*: $2" "$1: $name is $2"
    done
    [ -z "$3" ] || like "$out" "$3" "... and what happened is said"
    is "$(passed)" 3 "... and the others pass"
}
hostile hang timeout ''
hostile segv crash 'signal 11 \(SIGSEGV\)'
hostile flood 'neither accepted nor rejected' "wrote more than [0-9]* bytes"
hostile trailing 'neither accepted nor rejected' "it printed '3 trailing garbage', no hexadecimal number"
hostile negative 'neither accepted nor rejected' "it printed '-1', no hexadecimal number"
hostile nothing 'neither accepted nor rejected' 'exit code 0 and printed nothing'
hostile failing wrongly-rejected '2a; exit 1'
hostile unsteady '(flaky|wrong-result)' ''

plugin "--do word" "$T/in"
like "$out" 'mark/whole#verdict: wrong-result: r0 = 0xadd' "a word that is a number is one"
is "$(passed)" 3 "... and no other"

export CTS_FAKE_PIDS=$T/pids
plugin "--do child" --timeout 5 "$T/in"
is "$rc $(passed)" "0 6" "one that leaves a child behind passes"
[ -s "$T/pids" ]; ok $? "... and left some"
alive=0
while read -r pid; do
    kill -0 "$pid" 2>/dev/null && alive=$((alive + 1))
done <"$T/pids"
is "$alive" 0 "... of which none is left"

# What happens once and not again is no pass.
for deed in segv unsteady trailing; do
    rm -f "$T/once"
    CTS_FAKE_ONCE=$T/once plugin "--do $deed" -j 1 -f mark/marked "$T/in"
    like "$out" '^FAIL [^ ]* --do [a-z]* mark/marked#1: flaky: ' "$deed once is flaky"
done

# ---- files of bpf_conformance ----

mkdir "$T/data"
printf -- '-- asm\nldxdw %%r0, [%%r1]\nadd %%r0, %%r2\nexit\n-- mem\n01 02 03 04 05 06 07 08 09\n-- result\n0x080706050403020a\n' >"$T/data/right.data"
sed 's/20a$/20b/' "$T/data/right.data" >"$T/data/wrong.data"
printf -- '-- asm\ncall local f\nexit\nf:\nmov %%r0, 7\nexit\n-- result\n7\n' >"$T/data/calls.data"
printf -- '-- asm\nldxdw %%r0, [%%r1+8]\nexit\n-- mem\n01 02 03 04 05 06 07 08\n-- error\nout of bounds\n' >"$T/data/stops.data"
plugin "" "$T/data"
is "$rc $(passed)" "1 3" "files of bpf_conformance run"
like "$out" '^FAIL plugin:cts-fake-plugin data/wrong#1: wrong-result: r0 = 0x80706050403020a' "... a wrong result is seen"
printf -- '-- asm\nmov %%r0, 3\nsub %%r0, 1\njne %%r0, 0, -2\nexit\n-- result\n0\n' >"$T/loop.data"
plugin "--no-loops" "$T/loop.data"
is "$rc" 1 "a program of another suite that is refused is a failure"
printf 'restrictions: [{when: {policy: imported, rejection: "*back-edge*"}, reason: "no loops"}]\n' >"$T/side/runtime.yaml"
plugin "--no-loops" -r "$T/side/runtime.yaml" -v "$T/loop.data"
is "$rc" 4 "... unless that is a limit"
like "$out" '^SKIP .* data/loop#1: limit of plugin: no loops' "... which is the reason of a skip"
sed -i 's/imported/imports/' "$T/side/runtime.yaml"
plugin "--no-loops" -r "$T/side/runtime.yaml" "$T/loop.data"
is "$rc" 2 "a limit of a policy that is none"
like "$err" "side/runtime.yaml:1:1: no policy 'imports'" "... is told with its place"
plugin "--no-calls" "$T/data"
is "$rc $(passed)" "1 2" "... also where there are no local calls"
like "$out" 'needs local-call' "... and files that have some are skipped"
done_testing
