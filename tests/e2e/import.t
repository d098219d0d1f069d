#!/usr/bin/env bash
# Programs in .data files: run as they are, and made into vector files.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
cd "$T" || exit 255

mkdir good bad
cat >good/sum.data <<'EOF'
# The sum of the bytes of the memory.
-- asm
mov %r0, 0
again: jeq %r2, 0, exit
ldxb %r3, [%r1]
add %r0, %r3
add %r1, 1
sub %r2, 1
ja again
exit
-- mem
01 02 03 04 fa
-- result
0x104
EOF
cat >good/all-bits.data <<'EOF'
-- asm
lddw %r0, 0x123456789abcdef0
stxdw [%r10-8], %r0
mov %r1, 1
lock fetch add [%r10-8], %r1
ldxdw %r1, [%r10-8]
call local twice
exit
twice:
mov %r0, %r1
add %r0, %r0
exit
-- result
0x2468acf13579bde2
-- no register offset
whatever
EOF
cat >good/refused.data <<'EOF'
-- raw
0x00000000000000b7
95 00 01 00 00 00 00 00
-- error
EOF
cat >good/stopped.data <<'EOF'
-- asm
mov %r1, 0
ldxdw %r0, [%r1]
exit
-- error
out of bounds
EOF

run_cmd "$CTS" run -r reference good
is "$rc$err" 0 "a folder of .data files runs"
like "$out" '^total: 4 passed, 0 failed, 0 skipped$' "... and all of them pass"
run_cmd "$CTS" run -r reference good/sum.data
is "$rc" 0 "a single file runs"
like "$out" '^total: 1 passed, 0 failed, 0 skipped$' "... and it only"
run_cmd "$CTS" run -r reference -f data/sum good
like "$out" '^total: 1 passed, 0 failed, 0 skipped$' "vectors are called after their files"

# ---- uBPF's own forms ----

mkdir -p own/tcp own/udp away
data() { # FILE LINE...
    printf '%s\n' "${@:2}" >"$1"
}
data own/tcp/first.data '-- description' 'The first byte -- of memory as tcpdump prints it.' '-- asm @ first.asm' '-- mem @ first.hex' '-- result' 0x26
data own/tcp/first.asm 'ldxb %r0, [%r1+1]' exit
data own/tcp/first.hex '0x0000:  0026 622f' '0x0004:  4787'
sed 's/0x26/0x27/' own/tcp/first.data >own/udp/first.data
data own/udp/first.asm 'ldxb %r0, [%r1+1]' 'add %r0, 1' exit
cp own/tcp/first.hex own/udp/first.hex
data own/gather.data '-- asm' 'mov %r1, 1' 'mov %r2, 2' 'mov %r3, 3' 'mov %r4, 4' 'mov %r5, 5' 'call 0' exit '-- unload' '-- result' 0x0102030405
data own/frob.data '-- asm' 'mov %r6, %r1' 'mov %r2, 8' 'call 1' 'call 2' 'ldxdw %r0, [%r6]' 'le64 %r0' exit '-- mem' '2a 2b 2a 2a 2a 2a 2a 2a' '-- result' 0x100
data own/unwind.data '-- asm' 'mov %r1, 0' 'call 5' 'mov %r0, 2' exit '-- result' 0
data own/strange.data '-- asm' 'call 77' exit '-- result' 0
data own/pattern.data '-- asm' 'stb [%r10], 0' exit '-- error pattern' 'out of bounds, size .*' '-- result' 0xffffffffffffffff '-- no jit' 'it does not look'
data own/either.data '-- asm' 'mov %r0, 5' exit '-- result' 5 '-- error' 'not taken'
data own/both.data '-- asm' 'mov %r0, 5' exit '-- raw' 0x00000005000000b7 0x95
data own/elf.data '-- pyelf' 'elf = 1' '-- error' x
data own/again.data '-- asm' exit '-- reload' '-- error' 'loaded already'
run_cmd "$CTS" run -r reference -v own
is "$rc$err" 0 "uBPF's own forms of .data files are read"
like "$out" '^total: 6 passed, 0 failed, 5 skipped$' "... and run, or are skips"
like "$out" '^SKIP reference:interp data/elf#verdict: a test of a reader of ELF' "... each with its reason"
like "$out" '^SKIP reference:interp data/unwind#1: needs helper-5$' "a helper that the runtime lacks is a skip"
like "$out" '^SKIP reference:interp data/strange#verdict: needs helper 77$' "... and so is one that nobody has"
run_cmd "$CTS" run -r reference -f data/tcp-first own
like "$out" '^total: 1 passed, 0 failed, 0 skipped$' "files of one name are called after their folders, too"
data own/tcp/first.asm 'ldxb %r0, [%r1]' exit
run_cmd "$CTS" run -r reference own
is "$rc" 1 "a file that is named is a part of the test: it changes, and the test does"
like "$out" '^FAIL reference:interp data/tcp-first#1: wrong-result: r0 = 0x0, expected' "... as its result shows"
data own/tcp/first.asm 'ldxb %r0, [%r1+1]' exi
run_cmd "$CTS" run -r reference own
is "$rc" 2 "a mistake in it is bad input"
like "$err" "^own/tcp/first\.asm:2:4: the line ends too early for 'exit'" "... with its own place"
data own/tcp/first.asm 'ldxb %r0, [%r1+1]' exit
data away/x.data '-- asm @ ../own/tcp/first.asm' '-- result' 1
run_cmd "$CTS" run -r reference away
is "$rc" 2 "another folder is not looked into"
like "$err" '^away/x\.data:1:1: a file is looked for in the folder' "... which is said"
sed 's/0x00000005/0x00000006/' own/both.data >away/x.data
run_cmd "$CTS" run -r reference away
like "$err" '^away/x\.data:4:1: the program in asm is not the one in raw: slot 0 differs' "text and bytes that differ are a mistake"
run_cmd "$CTS" import own -o own.yaml
is "$rc" 0 "they are imported"
like "$err" '^own/elf\.data: left out: a test of a reader of ELF' "... but for what is a skip, with its reason"
like "$err" '^7 of 11 files imported, 4 left out$' "... and counts"
run_cmd "$CTS" run -r reference own.yaml
like "$out" '^total: 6 passed, 0 failed, 1 skipped$' "... and give the same results"

# ---- where no memory is given to programs, and there are no calls ----

mkdir main
data main/plain.data '-- asm' 'mov %r1, 5' 'stdw [%r10-512], 1' 'ldxdw %r0, [%r10-512]' 'add %r0, %r1' exit '-- result' 6
data main/takes.data '-- asm' 'mov %r0, %r2' exit '-- result' 0
data main/may.data '-- asm' 'mov %r3, 0' 'jeq %r3, 0, +1' 'mov %r1, 1' 'mov %r0, %r1' exit '-- result' 0
data main/memory.data '-- asm' 'ldxb %r0, [%r1]' exit '-- mem' 07 '-- result' 7
printf '#!/bin/sh\nexec "%s" --without memory --without local-call "$@"\n' "$TESTS/cts-lacking-worker" >bare
chmod +x bare
run_cmd "$CTS" run -r ./bare:interp -v main
is "$rc" 0 "programs that take neither memory nor arguments"
like "$out" '^total: 1 passed, 0 failed, 3 skipped$' "... are run as they are, and they alone"
like "$out" '^SKIP [^ ]* data/may#1: needs local-call' "... those that may read r1 are called"
printf '#!/bin/sh\nexec "%s" --without memory "$@"\n' "$TESTS/cts-lacking-worker" >called
chmod +x called
run_cmd "$CTS" run -r ./called:interp main
like "$out" '^total: 4 passed, 0 failed, 0 skipped$' "... and have 0 in it"

# ---- a wrong result is a failure ----

sed 's/^0x104$/0x105/' good/sum.data >bad/sum.data
sed 's/^0x2468acf13579bde2$/0x3468acf13579bde2/' good/all-bits.data >bad/all-bits.data
run_cmd "$CTS" run -r reference bad
is "$rc" 1 "wrong results fail"
like "$out" '^FAIL reference:interp data/sum#1: wrong-result' "... by name"
like "$out" "expected accepted and run, r0 = 0x105$" "... and show what is expected"
like "$out" "seen     r0 = 0x104$" "... and what was seen"
like "$out" '^FAIL reference:interp data/all-bits#1' "all 64 bits are compared"
printf -- '-- asm\nmov %%r0, 1\nexit\n-- error\nx\n' >bad/accepted.data
run_cmd "$CTS" run -r reference bad/accepted.data
is "$rc" 1 "a program that should be refused or stopped, and is not, fails"
like "$out" 'wrongly-accepted' "... as that"

# ---- mistakes ----

printf -- '-- asm\nmov %%r0, 1\nmov %%r1 2\nexit\n-- result\n1\n' >bad/comma.data
run_cmd "$CTS" run -r reference bad/comma.data good
is "$rc" 2 "a file with a mistake is bad input"
like "$err" '^bad/comma\.data:3:9: .2. is not understood here' "... told with line and column"
like "$out" '^total: 4 passed, 0 failed, 0 skipped$' "... and the others run all the same"

# ---- import ----

run_cmd "$CTS" import good -o out.yaml
is "$rc" 0 "import succeeds"
is "$err" "4 of 4 files imported" "... and counts"
run_cmd "$CTS" run -r reference -r reference:interp-be out.yaml
is "$rc" 0 "the vector file runs"
like "$out" '^total: 8 passed, 0 failed, 0 skipped$' "... with the same results"
run_cmd "$CTS" import --suite mine/x good/sum.data
is "$rc" 0 "import writes to standard output"
like "$out" '^suite: mine/x$' "... with the suite asked for"
like "$out" '# r0 \+= r3$' "... and says what each instruction is"
run_cmd "$CTS" import bad/comma.data good -o two.yaml
is "$rc" 2 "import of a file with a mistake is bad input"
like "$err" '^bad/comma\.data:3:9: ' "... that is told"
like "$err" '^4 of 5 files imported$' "... and the others are imported"
run_cmd "$CTS" import
is "$rc$out" 2 "import of nothing: wrong usage"
mkdir empty
run_cmd "$CTS" import empty
is "$rc" 4 "import of an empty folder: nothing"
run_cmd "$CTS" import no-such-folder
is "$rc" 2 "import of what is not there: bad input"
run_cmd "$CTS" import --suite 'Not A Suite' good
is "$rc" 2 "import refuses a bad suite name"
run_cmd "$CTS" import good -o no-such-folder/out.yaml
is "$rc" 2 "import says when it cannot write"

# ---- tests of PREVAIL ----

mkdir prevail
cat >prevail/ranges.yaml <<'EOF'
# Several documents, as PREVAIL has them.
---
test-case: a constant is added
pre: ["r1.type=number", "r1.svalue=5", "r1.uvalue=5"]
code:
  <start>: |
    r1 += 3 ; a remark
post: ["r1.type=number", "r1.svalue=8", "r1.uvalue=8"]
---
test-case: "a range is shifted, and halves of it"
pre: ["r1.type=number", "r1.svalue=[-4, 10]",
      "r2.type=number", "r2.svalue=r1.svalue"]
code:
  <start>: |
    r1 += 5
    w3 = r1
    if r2 s> 4 goto <out>
    r4 = 1ll
  <out>: |
    exit
post: ["r1.type=number", "r1.svalue=[1, 15]", "r1.uvalue=[1, 15]", "r3.svalue=[1, 15]", "r3.uvalue=r1.uvalue"]
---
test-case: what is assumed holds
pre: ["r1.type=number"]
code:
  <start>: assume w1 < 7
post: ["r1.type=number"]
---
test-case: it narrows
pre: ["r1.type=number", "r1.svalue=[0, 100]"]
code:
  <start>: assume r1 < 7
post: ["r1.svalue=[0, 6]"]
---
test-case: bytes in order
options: ["big_endian"]
pre: ["r1.type=number", "r1.svalue=0x1234", "r1.uvalue=0x1234"]
code:
  <start>: |
    r1 = be16 r1
post: ["r1.svalue=0x1234"]
---
test-case: a register that holds nothing
pre: []
code:
  <start>: |
    r3 = r4
post: []
messages:
  - "0: Invalid type (r4.type in {number, ctx})"
---
test-case: memory
pre: ["r10.type=stack", "r10.stack_offset=512", "s[504...511].svalue=3"]
code:
  <start>: |
    r1 = *(u64 *)(r10 - 8)
post: ["r1.svalue=3"]
---
test-case: a strange one
pre: ["r1.type=number"]
code:
  <start>: |
    r1 ?= 3
post: ["r1.svalue=3"]
EOF
run_cmd "$CTS" import --suite p prevail -o prevail.yaml
is "$rc" 0 "tests of PREVAIL are imported"
like "$err" '^8 PREVAIL tests: 4 run in [0-9]+ test cases, 7 facts compared and 1 not; 2 verdicts$' "... and counted, with their facts"
like "$err" '^1 left out: loads and stores$' "... and so is what cannot be told"
like "$err" '^1 left out: an instruction that is not read$' "... by its reason"
run_cmd "$CTS" run -r reference -r reference:interp-be prevail.yaml
is "$rc" 0 "the vectors run"
like "$out" ', fail 0, skip [1-9][0-9]*, error 0' "... and pass, those of a byte order on such a machine"
grep -q 'verdicts: {prevail: reject}' prevail.yaml; ok $? "a program that PREVAIL rejects is a verdict of PREVAIL's"
grep -q 'verdicts: {prevail: accept}' prevail.yaml; ok $? "... and so is one that it accepts"
sed 's/svalue=\[1, 15\]/svalue=[1, 14]/; s/svalue=\[0, 6\]/svalue=[0, 5]/; s/svalue=8/svalue=9/' prevail/ranges.yaml >wrong.yaml
run_cmd "$CTS" import --suite p wrong.yaml -o prevail.yaml
run_cmd "$CTS" run -r reference prevail.yaml
is "$rc" 1 "a range that is too small fails"
like "$out" '^FAIL reference:interp p/wrong-a-range-is-shifted-and-halves-of-it-2#' "... behind the code"
like "$out" '^FAIL reference:interp p/wrong-it-narrows-4#' "... and behind what was assumed"
like "$out" '^FAIL reference:interp p/wrong-a-constant-is-added-1#' "a value that is another fails"
printf -- '---\ntest-case: x\npre: []\n' >wrong.yaml
run_cmd "$CTS" import wrong.yaml
is "$rc" 2 "a test without code is bad input"
like "$err" "^wrong\.yaml:2:1: the test has no 'code' of blocks" "... told with its line"
printf 'suite: x\nvectors: []\n' >wrong.yaml
run_cmd "$CTS" import wrong.yaml
is "$rc" 2 "another YAML file is bad input"

# ---- export ----

cat >own.yaml <<'EOF'
suite: own
vectors:
  - {name: add, insns: [add64_x], clauses: [N039], asm: "{dst} += {src}", cases: [{in: {dst: -1, src: 2}, out: {dst: 1}}]}
  - {name: swap, insns: [xor64_x], clauses: [N051], asm: "{a} ^= {b}\n{b} ^= {a}\n{a} ^= {b}", cases: [{in: {a: 5, b: 6}, out: {a: 6, b: 5}}]}
  - {name: load, insns: [ldx_h], clauses: [N132], asm: "{dst} = *(u16 *)({base} + 2)",
     cases: [{in: {base: mem+8, mem: [{at: 10, hex: "cd ab"}]}, out: {dst: 0xabcd}, order: little}]}
  - {name: bad, class: V01, insns: [exit], clauses: [N127], policy: structural, program: [{opcode: 0xff}, exit], verdict: reject}
  - {name: store, insns: [stx_b], clauses: [N130], asm: "*(u8 *)({base} + 0) = {src}",
     cases: [{in: {base: mem+0, src: 7}, out: {mem: [{at: 0, u8: [7]}]}}]}
EOF
run_cmd "$CTS" export exported own.yaml
is "$rc" 0 "export succeeds"
like "$err" '^5 files from 4 vectors; 1 vectors cannot' "... and counts"
is "$(cd exported && echo *)" "own-add-1-r3.data own-bad-verdict.data own-load-1-r3.data own-swap-1-r3.data own-swap-1-r4.data" "one file for each register that changes"
run_cmd "$CTS" run -r reference exported
like "$out" '^total: 5 passed, 0 failed, 0 skipped$' "what is exported runs"
sed -i 's/^0x1$/0x2/' exported/own-add-1-r3.data
run_cmd "$CTS" run -r reference exported
like "$out" '^total: 4 passed, 1 failed, 0 skipped$' "... and is a test"
run_cmd "$CTS" export
is "$rc$out" 2 "export to nowhere: wrong usage"

done_testing
