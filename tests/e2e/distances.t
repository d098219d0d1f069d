#!/usr/bin/env bash
# ctest: cost=15 asan-cost=29
# Mutants of distances: encodings that end, slots whose numbers are marks, compiled code that is longer than it was thought. Each dies by the vectors that were made for
# its kind, and lives where these are left out.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache

# kind, its operator, its text (a regular expression), the row, the vectors that are to notice it
kinds='
displacements that end	limit	displacement of (4096|16384|-[0-9]+) is	ldx_dw	base64/limits/
displacements that end	limit	displacement of (4096|16384|-[0-9]+) is	stx_h	base32/limits/
displacements that end	limit	displacement of (4096|16384|-[0-9]+) is	atomic64_add	atomic64/limits/
displacements that count widths	limit	^displacements beyond 255 drop	ldx_dw	base64/limits/
displacements that count widths	limit	^displacements beyond 255 drop	stx_h	base32/limits/
second halves	second-half	^the second half	ldx_dw	base64/limits/
jumps that are thought to reach further	limit	distance of (4096|-4097) is	ja	base32/near-jumps/ja-
jumps that are thought to reach further	limit	distance of (4096|-4097) is	ja32	base32/near-jumps/ja32-
calls that are thought to reach further	limit	distance of	call_local	programs/calls/
slots that are marks	mark	slot (299|32767|65535) is	ja	programs/targets/
slots that are marks	mark	slot (127|128|255|256|299|32767|32768|65535) is	call_local	programs/calls/
code under jumps: exchanges	branch-reach	reach half of it$	jgt32_k	atomic(32|64)/jump32-over-many-bytes/
code under jumps: divisions	branch-reach	over divisions$	jgt32_k	divmul64/jump32-over-many-bytes/
code under jumps: divisions	branch-reach	over divisions$	jset_x	divmul64/jump-over-many-bytes/
code under jumps: wide immediates	branch-reach	over 64-bit immediates$	jgt32_k	base64/jump32-over-many-bytes/
code under jumps: wide immediates	branch-reach	over 64-bit immediates$	jset_x	base64/jump-over-many-bytes/
code under jumps: calls of helpers	branch-reach	over calls$	jgt32_k	base64/jump32-over-calls/
code under jumps: calls of helpers	branch-reach	over calls$	jset_x	base64/jump-over-calls/
'
# With sanitizers, of which a run takes ten times as long: a kind of each sort of code.
if with_sanitizers; then
    kinds=$(printf '%s' "$kinds" | grep -P '\t(ja|stx_h)\t')
fi
rows=()
for row in $(printf '%s' "$kinds" | cut -sf 4 | sort -u); do rows+=(--insn "$row"); done
mapfile -t others < <(find "$ROOT/vectors" -name '*.yaml' | grep -vE '/(limits|acqrel-limits|near-jumps|targets|calls|jump(32)?-over-(many-bytes|calls))\.yaml$' | sort)
[ "${#others[@]}" -gt 80 ]; ok $? "there are vectors of other kinds (${#others[@]} files)"

run_cmd "$CTS" mutants --level full "${rows[@]}" -o tsv
is "$rc" 0 "with all vectors nothing that must die lives"
printf '%s\n' "$out" >"$T/with"
run_cmd "$CTS" mutants --level full "${rows[@]}" -o tsv "${others[@]}"
is "$rc" 1 "without those that were made for them something does"
printf '%s\n' "$out" >"$T/without"

# of FILE ROW OPERATOR TEXT: its lines of the kind
of() { awk -F '\t' -v row="$2" -v op="$3" -v text="$4" '$1 == row && $2 == op && $3 ~ text' "$1"; }
while IFS=$'\t' read -r kind op text row killers; do
    [ -n "$kind" ] || continue
    n=$(of "$T/with" "$row" "$op" "$text" | wc -l)
    [ "$n" -gt 0 ]; ok $? "$kind ($row): there are mutants ($n)"
    is "$(of "$T/without" "$row" "$op" "$text" | awk -F '\t' '$5 != "survived" { print $3 " dies by " $8 }')" "" "... all live without their vectors"
    is "$(of "$T/with" "$row" "$op" "$text" | awk -F '\t' -v by="^$killers" '$8 !~ by { print $3 " dies by " $8 }')" "" "... and die by them"
done <<<"$kinds"

# A gotol that is cut to 16 bits, where no program has more than 65535 slots.
run_cmd "$CTS" mutants --insn ja32 --as slots=65535 -o tsv
is "$rc" 0 "where programs have 65535 slots a gotol of 16 bits is noticed"
mapfile -t others < <(find "$ROOT/vectors" -name '*.yaml' ! -name near-jumps.yaml | sort)
run_cmd "$CTS" mutants --insn ja32 --as slots=65535 -o tsv "${others[@]}"
is "$rc" 1 "... and not without near-jumps"
like "$out" $'^slots=65535\tja32\ttruncation\tgoto s64\\(s32\\(s16\\(imm\\)\\)\\)\tdue\t' "... which lives there"
done_testing
