#!/usr/bin/env bash
# Instructions that came after the RFC and that the reference machine runs: each is what its document says, nothing that has it wrong gets by, and a
# runtime that does not have it is not accused.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
cd "$T" || exit 255

declare -A rows=(
    [hmul]="smulh64_k smulh64_x umulh64_k umulh64_x"
    [callx]="callx"
    [linux-gotox]="gotox"
    [linux-stack-args]="ldx_stack_arg st_stack_arg stx_stack_arg"
)
for group in hmul callx linux-gotox linux-stack-args; do
    is "$("$CTS" list insns | awk -v g="$group" '$2 == g || $3 == g { print $1 }' | sort | tr '\n' ' ' | sed 's/ $//')" "${rows[$group]}" \
        "$group has its rows"
    run_cmd "$CTS" run -r reference:interp -r reference:interp-be -r reference:interp-arg -g "$group" -o groups -o text=text
    is "$rc" 0 "the reference machine runs them"
    like "$out" " $group +conformant by policy: [1-9][0-9]* passed, 0 failed" "... and conforms"
    # shellcheck disable=SC2046
    run_cmd "$CTS" mutants $(printf -- '--insn %s ' ${rows[$group]})
    is "$rc" 0 "no machine that has them wrong gets by"
    like "$out" '^total: [1-9][0-9]* passed, 0 failed' "... and there are such machines"
done

# Their texts.
while IFS='|' read -r bytes llvm ubpf; do
    is "$("$CTS" disasm "$bytes")" "$llvm" "$bytes is $llvm"
    is "$("$CTS" disasm -s ubpf "$bytes")" "$ubpf" "... and $ubpf"
    is "$("$CTS" asm -s ubpf "$ubpf" | tr -d ' ')" "$bytes" "... which comes back"
done <<'END'
2f21010000000000|r1 uh*= r2|umulh %r1, %r2
27050100feffffff|r5 uh*= -2|umulh %r5, -2
2f43020000000000|r3 sh*= r4|smulh %r3, %r4
2703020007000000|r3 sh*= 7|smulh %r3, 7
8d02000000000000|callx r2|callx %r2
END

# A machine that runs MUL whatever the offset is wrong, also where nobody claims high multiplication.
run_cmd "$CTS" explain verifier/unsupported-group/high-multiplication-unsigned-reg
like "$out" 'mul64_x' "everybody is asked for it, as a multiplication"
run_cmd "$CTS" run -r reference -f 'verifier/reserved-field/mul64_x-offset' -o json=offset.json
is "$(grep -oE '"case":"off-bit-[0-9]+"' offset.json | grep -cE 'bit-[01]"')" 0 "... is not said to be bits 0 and 1 of the offset"
[ "$(grep -c '"case":"off-bit-' offset.json)" = 14 ]; ok $? "... but all others"

# Where a kernel does not have callx, that is the reason of a skip.
run_cmd "$CTS" run -r linux -g callx -o json=linux.json
case $rc in
    0)
        unlike "$(cat linux.json)" '"status":"(fail|error|xfail)"' "nothing of callx fails on this kernel"
        lacks=$(grep -c '"message":"needs callx"' linux.json)
        ran=$(grep '"vector":"post/callx/legal"' linux.json | grep -c '"status":"pass"')
        [ "$lacks" -gt 0 ] || [ "$ran" -gt 0 ]; ok $? "it runs ($ran), or is skipped with the reason ($lacks)"
        ;;
    *) is "$rc" 4 "no kernel can be asked here" ;;
esac
done_testing
