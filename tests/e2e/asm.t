#!/usr/bin/env bash
# Text and bytes: what disasm prints gives the same bytes again through asm, whatever the bytes, in all syntaxes.
. "$(dirname "$0")/lib.sh"
cd "$T" || exit 255

bytes() { "$CTS" asm "$@" 2>&1 | tr -d ' ' | tr '\n' ' '; }

# ---- any slots, in every syntax and byte order ----

# Fields that select something have few bits set: a third of the slots are all random, the others are not.
awk 'BEGIN {
    srand()
    split("0 1 2 8 16 32 64 65 80 81 160 161 225 241 256 272", few, " ")
    for (n = 0; n < 60000; n++) {
        wild = n % 3 == 0
        op = int(rand() * 256)
        dst = int(rand() * (wild ? 16 : 11))
        src = wild ? int(rand() * 16) : rand() < 0.5 ? 0 : int(rand() * 11)
        off = wild || rand() < 0.4 ? int(rand() * 65536) : rand() < 0.7 ? 0 : few[1 + int(rand() * 6)]
        imm = wild || rand() < 0.3 ? int(rand() * 65536) : rand() < 0.5 ? 0 : few[1 + int(rand() * 16)]
        high = wild || rand() < 0.3 ? int(rand() * 65536) : 0
        printf "%02x %x%x %02x %02x %02x %02x %02x %02x\n", op, src, dst, off % 256, off / 256, imm % 256, imm / 256, high % 256, high / 256
        if (op == 24 && !wild)
            printf "00 00 00 00 %02x %02x 00 00\n", high % 256, imm / 256
    }
}' >any
slots=$(wc -l <any)
total=0
for syntax in llvm ubpf gas; do
    for be in "" --be; do
        "$CTS" disasm -s $syntax $be -i any >text 2>err
        legal=$(grep -vc '^\.insn' text)
        "$CTS" asm -s $syntax $be -i text >back 2>>err
        cmp any back >>err 2>&1
        is "$(cat err)" "" "$syntax $be: $slots slots, $legal of them instructions, give their bytes again"
        [ "$legal" -gt 2000 ]
        ok $? "... and there are enough instructions"
        total=$((total + slots))
    done
done
diag "$total slots through text and back"

# ---- what no syntax has words for ----

for line in 'call -1 # call_local' 'call 5 # call_btf' 'call 5 # call_module # off 7' 'r0 = *(u32 *)skb[r3] # imm 48879' \
    'ld_pseudo r3, 1, 0x5' 'ld_pseudo r3, 2, 0x700000005' 'gotol 100000' 'gotox r3' 'r1 = load_acquire((u64 *)(r2 + 8))' \
    'store_release((u8 *)(r2 - 8), w3)' 'r1 = addr_space_cast(r2, 0, 1)' 'callx r4' 'may_goto -3' 'r1 uh*= -2'; do
    run_cmd "$CTS" asm "$line"
    is "$rc$err" 0 "asm takes '$line'"
    is "$("$CTS" disasm "$out")" "$line" "... and disasm gives it back"
done
is "$(bytes 'call -1 # call_local')" "85100000ffffffff " "a local call is none of a helper"
is "$(bytes 'ld_pseudo r3, 1, 5')" "1813000005000000 0000000000000000 " "a wide load of a map"
is "$(bytes 'gotol 100000')" "06000000a0860100 " "a far jump"
is "$(bytes '.insn 0x8f01000000000000 # opcode 0x8f is no instruction')" "8f01000000000000 " "what is no instruction"
run_cmd "$CTS" asm '.insn 0x8f01'
is "$rc" 2 ".insn of two bytes"
like "$err" "^input:1:13: .insn is followed by the 8 or 16 bytes of an instruction" "... says what is missing"

# ---- the spellings of each ----

is "$(bytes -s ubpf 'call 1')" "8500000001000000 " "uBPF: a helper by its number alone"
is "$(bytes -s ubpf 'add64 %r1, 2' 'lock add64 [%r1], %r2' 'swap16 %r1')" "0701000002000000 db21000000000000 d701000010000000 " "... and widths"
is "$(bytes -s gas 'endle %r9,16' 'endbe %r9,32' 'bswap %r9,64')" "d409000010000000 dc09000020000000 d709000040000000 " "gas: byte order"
is "$(bytes -s gas 'movs %r1,%r2,8' 'movs32 %r1,%r2,16')" "bf21080000000000 bc21100000000000 " "... sign extension"
is "$(bytes -s gas 'aadd [%r1+8],%r2' 'afadd [%r1+8],%r2' 'axchg32 [%r1],%r2' 'acmp [%r1],%r2')" \
    "db21080000000000 db21080001000000 c3210000e1000000 db210000f1000000 " "... atomic operations"
is "$(bytes -s gas 'jal -2' 'jcond +3')" "06000000feffffff e500030000000000 " "... jumps"
is "$(bytes -s gas 'ldacqh %r1,[%r2+2]' 'strelw [%r1-4],%r2')" "cb21020000010000 c321fcff10010000 " "... acquire and release"
is "$(bytes 'w1 = *(u8 *)(r2 + 4)' '*(u32 *)(r1 + 0) = w2')" "7121040000000000 6321000000000000 " "LLVM: 32-bit names of what is loaded and stored"
is "$(bytes 'out: r1 = 1; goto out // back')" "b701000001000000 0500feff00000000 " "... several statements a line, labels, comments"
is "$(bytes 'r0 = *  (u16 *)skb[r1]' 'lock *(u32*)(r2 + 16) += r9' 'Out :' 'r5 &= 0xFF')" "4810000000000000 c392100000000000 57050000ff000000 " "... spaces, r9 for w9"
is "$(bytes -s gas 'ldxdw %r2,[%r1+-2]' 'jeq %r3,0xfffffd66,1' 'ja 3')" "7912feff00000000 1503010066fdffff 0500030000000000 " "gas: as bpf-objdump prints"
is "$(bytes -s gas 'lddw %r1, 5' 'ja out' 'exit' 'out: exit')" "1801000005000000 0000000000000000 0500010000000000 9500000000000000 9500000000000000 " "gas: labels"

# ---- mistakes ----

run_cmd "$CTS" asm 'r0 = bswap16 r1'
is "$rc" 2 "two registers where one is wanted twice"
like "$err" "^input:1:14: 'r1' is not the register that stands before, as '{dst} = bswap16 {dst}' has it" "... and the second one is named"
run_cmd "$CTS" asm -s gas 'x: exit' 'x: exit'
is "$rc" 2 "a label that stands twice"
like "$err" "^input:2: duplicate label 'x' \(first defined at line 1\)" "... is told with both lines"
run_cmd "$CTS" asm -s gas 'exit' 'ja nowhere'
like "$err" "^input:2:4: no place is called 'nowhere'" "a label that stands nowhere"
run_cmd "$CTS" asm -s att exit
is "$rc" 2 "an unknown syntax"
like "$err" "unknown syntax 'att'; expected llvm, ubpf or gas" "... lists those there are"
run_cmd env EBPF_CTS_LLVM_MC="$T/none" "$CTS" asm 'r1 = 1' exit
is "$rc$err" 0 "no llvm-mc is needed for what the specification's texts say"

done_testing
