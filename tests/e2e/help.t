#!/usr/bin/env bash
# ctest: cost=4 asan-cost=10
# Help, lists, explanations, and the assembler's two ways.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
cd "$T" || exit 255

# ---- help ----

run_cmd "$CTS" --help
is "$rc$err" 0 "--help succeeds, standard error is empty"
like "$out" '^Usage: ebpf-cts COMMAND' "... and says how"
commands=$(printf '%s\n' "$out" | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p')
for c in run list explain asm disasm help; do
    like "$commands" "^$c\$" "--help tells of $c"
done
for c in $commands; do
    run_cmd "$CTS" "$c" --help
    is "$rc$err" 0 "$c --help succeeds"
    like "$out" "^Usage: ebpf-cts $c" "... and says how"
    want=$out
    run_cmd "$CTS" "$c" -h
    is "$rc$out" "0$want" "$c -h is the same"
    run_cmd "$CTS" help "$c"
    is "$rc$out" "0$want" "help $c is the same"
    run_cmd "$CTS" "$c" --no-such-option
    is "$rc$out" 2 "$c refuses an unknown option"
done

# Every page fits a terminal and shows examples, which run: each in a folder of its own with what they name.
wide=0
shown=0
for c in "" $commands; do
    # shellcheck disable=SC2086
    wide=$((wide + $("$CTS" $c --help | awk 'length > 79' | wc -l)))
done
is "$wide" 0 "no line of help is longer than 79 columns"
for c in $commands; do
    mapfile -t examples < <("$CTS" "$c" --help | sed -n '/^Examples:/,$s/^  \([a-z].*\)$/\1/p')
    [ "${#examples[@]}" -ge 2 ]; ok $? "$c --help shows ${#examples[@]} examples"
    for example in "${examples[@]}"; do
        shown=$((shown + 1))
        mkdir -p "ex/$shown/bpf_conformance/tests"
        printf -- '-- asm\nmov %%r0, 3\nexit\n-- result\n0x3\n' | tee "ex/$shown/bpf_conformance/tests/a.data" >"ex/$shown/add.data"
        cat >"ex/$shown/my-vectors.yaml" <<'Y'
suite: mine
vectors:
  - name: sum
    insns: [add64_x]
    clauses: [N037]
    asm: "{dst} += {src}"
    cases:
      - {in: {dst: 1, src: 2}, out: {dst: 3}}
Y
        ln -s "$BUILD/cts-worker-reference" "ex/$shown/my-worker"
        run_cmd env -C "ex/$shown" PATH="$BUILD:$PATH" sh -c "$example"
        is "$rc" 0 "... that run: $example" || diag "$err"
    done
done
rm -rf ex

run_cmd "$CTS"
is "$rc$out" 2 "no command: wrong usage"
run_cmd "$CTS" nonsense
is "$rc$out" 2 "an unknown command: wrong usage"
like "$err" "^ebpf-cts: unknown command 'nonsense'" "... that is named"
run_cmd "$CTS" help nonsense
is "$rc$out" 2 "help for an unknown command: wrong usage"
run_cmd "$CTS" --version
is "$rc" 0 "--version succeeds"
like "$out" '^ebpf-cts [0-9]+\.[0-9]+\.[0-9]+$' "... and is a version"

run_cmd "$CTS" help --man
is "$rc" 0 "help --man succeeds"
printf '%s\n' "$out" >page.1
like "$out" '^\.TH EBPF' "... and is a page"
for c in $commands; do
    like "$out" "^\.SS $c" "... that tells of $c"
done
if command -v man >/dev/null && command -v groff >/dev/null; then
    is "$(LC_ALL=C.UTF-8 MANWIDTH=100 man --warnings -l -E UTF-8 page.1 2>&1 >/dev/null)" "" "man has nothing against it"
else
    skip "man has nothing against it" "no man"
fi
run_cmd "$CTS" help --bash
is "$rc" 0 "help --bash succeeds"
printf '%s\n' "$out" >completion.bash
bash -n completion.bash; ok $? "... and is bash"
# complete WORDS...: what may stand in the place of the last word
complete_words() {
    # shellcheck disable=SC2016
    bash -c '. ./completion.bash; COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; _ebpf_cts; echo "${COMPREPLY[*]}"' complete "$@" 2>&1
}
is "$(complete_words ebpf-cts li)" list "... that completes commands"
is "$(complete_words ebpf-cts check)" check-adapter "... all of them"
is "$(complete_words ebpf-cts run --sha)" --shard "... options"
is "$(complete_words ebpf-cts check-adapter --t)" --timeout "... of every command"
is "$(complete_words ebpf-cts spec co)" coverage "... parts of spec"
is "$(complete_words ebpf-cts list in)" insns "... things to list"
is "$(complete_words "$CTS" run -g divmul)" "divmul32 divmul64" "... conformance groups"
is "$(complete_words "$CTS" run --insn movsx64_s)" "movsx64_s16 movsx64_s32 movsx64_s8" "... instructions"
is "$(complete_words "$CTS" run --clause N03)" "$("$CTS" list clauses | awk '/^N03/ { print $1 }' | xargs)" "... clauses"
is "$(complete_words "$CTS" run -f base64/add/reg-)" "$("$CTS" list vectors | awk '$1 ~ "^base64/add/reg-" { print $1 }' | xargs)" "... vectors"
is "$(complete_words "$CTS" run -r linux:)" "jit interp jit-hardened cap-bpf private-stack" "... engines, of which the shell has the part before the colon"
like "$(complete_words "$CTS" run --runtime refer)" "^reference:interp reference:interp-be( |\$)" "... runtimes"
is "$(complete_words "$CTS" explain movsx64_s8)" "movsx64_s8" "... what can be explained"
for shell in zsh fish; do
    run_cmd "$CTS" help --$shell
    is "$rc" 0 "help --$shell"
    printf '%s\n' "$out" >"completion.$shell"
    if ! command -v $shell >/dev/null; then
        skip "$shell takes it" "no $shell (apt-get install $shell)"
    elif [ $shell = zsh ]; then
        is "$(zsh -f -c '. ./completion.zsh; (( ${+functions[_ebpf_cts]} )) && echo ${_comps[ebpf-cts]}' 2>&1 | grep -c bash_complete)" 1 "zsh takes it"
    else
        is "$(PATH=$BUILD:$PATH fish --no-config -c 'source completion.fish; complete -C "ebpf-cts run --sha"' 2>&1 | cut -f 1)" --shard "fish takes it"
        is "$(PATH=$BUILD:$PATH fish --no-config -c 'source completion.fish; complete -C "ebpf-cts run -g divmul"' 2>&1 | cut -f 1 | xargs)" "divmul32 divmul64" "... with what is listed"
    fi
done
is "$(complete_words ebpf-cts help mut)" mutants "... and commands to be told about"

# ---- list ----

run_cmd "$CTS" list
is "$rc$out" 2 "list of nothing: wrong usage"
run_cmd "$CTS" list nonsense
is "$rc$out" 2 "list of nonsense: wrong usage"
run_cmd "$CTS" list runtimes
is "$rc" 0 "list runtimes"
like "$out" '^reference:interp +default ' "... has the reference"
like "$out" '^linux:jit +default ' "... and the kernel"
run_cmd "$CTS" list groups
is "$rc $(printf '%s\n' "$out" | awk '$1 ~ /^(base|atomic|divmul)(32|64)$|^packet$/ { print $1 }' | sort | xargs)" "0 atomic32 atomic64 base32 base64 divmul32 divmul64 packet" "list groups has those of RFC 9669"
run_cmd "$CTS" list insns
is "$rc" 0 "list insns"
rows=$(printf '%s\n' "$out" | awk '{ print $1 }')
is "$(printf '%s\n' "$rows" | sort | uniq -d)" "" "... each once"
is "$(printf '%s\n' "$rows" | wc -l)" "$(cat "$ROOT"/spec/isa/*.yaml | grep -cE '^ *- id: ')" "... as many as the specification has"
run_cmd "$CTS" list clauses
is "$rc" 0 "list clauses"
like "$out" '^N001 ' "... from the first on"
clause=$(printf '%s\n' "$out" | awk 'NR == 40 { print $1 }')
run_cmd "$CTS" list policies
is "$rc" 0 "list policies"
is "$(printf '%s\n' "$out" | awk '{ print $1 }' | xargs)" "$({ sed -nE 's/^- id: //p' "$ROOT/spec/policies.yaml"
    awk '/^- name: / { name = $3 } /^  of: / { print name }' "$ROOT/spec/groups.yaml"; } | xargs)" "... has those of the specification"
run_cmd "$CTS" explain signed-overflow-wraps
is "$rc" 0 "explain a policy"
like "$out" '^policy signed-overflow-wraps, of ' "... whose it is"
like "$out" '^  divmul64/sdiv/reg-overflow ' "... which vectors rest on it"
like "$out" '^ambiguity A08, ' "... and where the RFC is silent"
run_cmd "$CTS" list vectors
is "$rc$err" 0 "list vectors"
printf '%s\n' "$out" | awk '{ for (i = 5; i <= NF; i++) print $i }' | sort -u >tested
is "$(printf '%s\n' "$rows" | sort | comm -23 - tested | xargs)" "" "every row has a vector"
vector=$(printf '%s\n' "$out" | awk '$1 ~ /^base64\/add\// { print $1; exit }')

# ---- explain ----

run_cmd "$CTS" explain add64_x
is "$rc$err" 0 "explain an instruction"
like "$out" '^semantics +dst = dst \+ src' "... its semantics"
like "$out" 'opcode +0x0f' "... its encoding"
like "$out" 'base64/add/' "... its vectors"
run_cmd "$CTS" explain "$clause"
is "$rc$err" 0 "explain a clause"
like "$out" "^clause $clause, RFC 9669 section" "... its section"
run_cmd "$CTS" explain "$vector"
is "$rc$err" 0 "explain a vector"
like "$out" "^vector $vector \(.*/base64/add\.yaml:[0-9]+\)" "... its place"
like "$out" '^ +0 +0f [0-9a-f][0-9a-f] 00 00 00 00 00 00  r[0-9]+ \+= r[0-9]+$' "... its code"
run_cmd "$CTS" explain "$vector#1"
is "$rc$err" 0 "explain one of its cases"
run_cmd "$CTS" explain V01
is "$rc$err" 0 "explain a class of verdicts"
bad=
for id in $(sed -n 's/^- id: \(A[0-9]*\)$/\1/p' "$ROOT/spec/ambiguities.yaml"); do
    out=$("$CTS" explain "$id" 2>&1) && [[ $out == "ambiguity $id, RFC 9669 section "*"here: "*"policy "* ]] || bad="$bad $id"
done
is "$bad" "" "every ambiguity can be explained ($(grep -c '^- id: A' "$ROOT/spec/ambiguities.yaml"))"
run_cmd "$CTS" explain CVE-2021-3444
is "$rc$err" 0 "explain a bug"
like "$out" '^bug CVE-2021-3444 of Linux, 2021$' "... whose and when"
like "$out" '^32-bit modulo by zero' "... what"
like "$out" '^https://.*CVE-2021-3444$' "... where to read on"
like "$out" '^  divmul32/' "... and the vectors that name it"
bugs=$(sed -n 's/^- id: "\(.*\)"$/\1/p' "$ROOT/spec/bugs.yaml")
mapfile -t ids <<<"$bugs"
run_cmd "$CTS" explain "${ids[@]}"
is "$rc$err $(printf '%s\n' "$out" | grep -c '^bug .* of ')" "0 ${#ids[@]}" "all of them can be explained"
run_cmd "$CTS" explain add64_x N039 V01
is "$rc$err" 0 "explain several things"
like "$out" '^instruction add64_x ' "... the first"
like "$out" '^clause N039' "... the second"
like "$out" '^verdict class V01' "... and the last"
run_cmd "$CTS" explain N039 add65_x V01
is "$rc" 2 "one of them unknown: wrong usage"
like "$out" '^verdict class V01' "... after all of the others"
like "$err" '^Did you mean: .*add64_x' "... with what it may have been"
run_cmd "$CTS" explain base64/ad/reg
like "$err" '^Did you mean: .*base64/add/reg' "ids of vectors are suggested, too"
run_cmd "$CTS" explain nonsense
is "$rc$out" 2 "explain nonsense: wrong usage"
like "$err" "'nonsense'" "... that is named"
run_cmd "$CTS" explain
is "$rc$out" 2 "explain nothing: wrong usage"
bad=
for row in $(printf '%s\n' "$rows" | awk 'NR % 6 == 1'); do
    "$CTS" explain "$row" >/dev/null 2>&1 || bad="$bad $row"
done
is "$bad" "" "rows of all kinds can be explained"

# ---- asm, disasm ----

cat >in.s <<'S'
r0 = 1
w3 = -1
r1 = 0x123456789abcdef0 ll
r2 += r3
w2 -= w3
r4 s>>= 7
r5 = (s8)r6
w5 = (s16)w6
r7 s/= r8
r7 = be16 r7
r7 = bswap32 r7
r1 = *(u32 *)(r10 - 4)
r1 = *(s8 *)(r2 + 3)
*(u64 *)(r10 - 8) = r1
*(u8 *)(r10 - 9) = 5
lock *(u64 *)(r10 - 8) += r2
r2 = atomic_fetch_or((u64 *)(r10 - 8), r2)
w2 = xchg32_32(r10 - 8, w2)
r0 = cmpxchg_64(r10 - 8, r0, r2)
if r1 s> -2 goto +1
if w1 & w2 goto -2
goto +0
call 1
exit
S
for be in "" --be; do
    # shellcheck disable=SC2086
    run_cmd "$CTS" asm $be -i in.s
    is "$rc$err" 0 "asm $be assembles"
    printf '%s\n' "$out" >bytes
    is "$(grep -cvE '^[0-9a-f]{2}( [0-9a-f]{2}){7}$' bytes)" 0 "... to slots of eight bytes"
    # shellcheck disable=SC2086
    run_cmd "$CTS" disasm $be -i bytes
    is "$rc$err" 0 "disasm $be takes them"
    printf '%s\n' "$out" >out.s
    is "$(wc -l <out.s)" "$(wc -l <in.s)" "... an instruction a line"
    # shellcheck disable=SC2086
    run_cmd "$CTS" asm $be -i out.s
    is "$rc$out" "0$(cat bytes)" "... and what it says assembles to the same bytes"
    # shellcheck disable=SC2086
    "$CTS" asm $be --raw -i in.s >raw && "$CTS" disasm $be --raw -i raw | cmp - out.s
    ok $? "... the same through raw bytes"
done
is "$("$CTS" asm 'r0 = 1' exit)" "b7 00 00 00 01 00 00 00
95 00 00 00 00 00 00 00" "instructions as arguments, little-endian"
is "$("$CTS" asm --be 'r3 = 1')" "b7 30 00 00 00 00 00 01" "... and big-endian"
is "$(echo 'r0 = 2' | "$CTS" asm)" "b7 00 00 00 02 00 00 00" "... and from standard input"
is "$("$CTS" disasm b700000001000000 95,00,00,00,00,00,00,00)" "r0 = 1
exit" "hexadecimal text as arguments"

run_cmd "$CTS" asm 'r0 = 4294967296'
is "$rc$out" 2 "asm refuses a number that does not fit"
like "$err" "^input:1:[0-9]+: .*'4294967296'" "... and says which"
run_cmd "$CTS" asm 'r0 = 1' 'r0 nonsense'
is "$rc$out" 2 "asm refuses nonsense"
like "$err" '^input:2:' "... and says where"
run_cmd "$CTS" asm -i nowhere.s
is "$rc$out" 2 "asm of a file that is not there"
like "$err" 'nowhere\.s: .*No such file' "... that is named"
run_cmd "$CTS" disasm 8f01000000000000
is "$rc" 1 "disasm of what is no instruction: exit code 1"
like "$out" '^\.insn 0x8f01000000000000' "... shows the bytes"
run_cmd "$CTS" disasm 1800000001000000
is "$rc" 1 "disasm of half a wide instruction: exit code 1"
run_cmd "$CTS" disasm xx
is "$rc$out" 2 "disasm refuses what is not hexadecimal"
run_cmd "$CTS" disasm 00
is "$rc$out" 2 "disasm refuses half a slot"
head -c 8000 /dev/urandom >noise
run_cmd "$CTS" disasm --raw -i noise
like "$rc" '^[01]$' "disasm survives noise"
done_testing
