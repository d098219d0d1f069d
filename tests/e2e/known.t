#!/usr/bin/env bash
# Lists of known failures: what they say of a run, what is said of them, and how a run writes them.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache EBPF_CTS_DATA=$T/data SOURCE_DATE_EPOCH=1700000000 # 2023-11-14

# A small suite and a runtime (it says of itself that it is the reference) whose engine `interp` is wrong in the way that $T/mutant says; `interp-be` is right.
mkdir -p "$T/data/vectors/base64" "$T/data/runtimes/wrong"
ln -s "$ROOT/spec" "$T/data/"
cp "$ROOT"/vectors/base64/{add,sub}.yaml "$T/data/vectors/base64/"
cat >"$T/wrong" <<S
#!/bin/sh
for engine; do :; done
[ -e "$T/meddle" ] && echo '# by somebody else' >>"$T/data/runtimes/wrong/known.yaml"
[ -e "$T/die" ] && exit 1
[ "\$engine" = interp ] && [ -s "$T/mutant" ] && exec "$BUILD/cts-mutant-worker" --mutant "\$(cat "$T/mutant")" "\$@"
exec "$BUILD/cts-mutant-worker" "\$@"
S
chmod +x "$T/wrong"
cat >"$T/data/runtimes/wrong/runtime.yaml" <<Y
name: reference
title: "A machine with a mistake"
worker: $T/wrong
engines:
  - {name: interp, what: "little-endian machine", default: true}
  - {name: interp-be, what: "big-endian machine", default: true}
  - {name: interp-env, what: "another", default: false}
Y
known=$T/data/runtimes/wrong/known.yaml

mutant() { # ROW: makes the mistake of this row; without it none
    : >"$T/mutant"
    [ $# = 0 ] || "$BUILD/cts-mutant-worker" --list | awk -v row="$1" '$2 == row { print $1; exit }' >"$T/mutant"
}
run() {
    run_cmd "$CTS" run -r reference:interp -r reference:interp-be "$@"
    total=$(printf '%s\n' "$out" | tail -n 1)
}
failures() {
    printf '%s\n' "$out" | grep -c '^FAIL '
}

# ---- a run writes its failures down ----

mutant add64_x
run
is "$rc" 1 "a mistake fails"
n=$(failures)
[ "$n" -ge 3 ]; ok $? "... in some cases ($n)"
unlike "$out" '^(FAIL|XPASS) reference:interp-be' "... of one engine"
printf '%s\n' "$out" | sed -nE 's/^FAIL reference:interp ([^ ]*): wrong-result: .*/\1/p' | sort >"$T/failed"
is "$(wc -l <"$T/failed")" "$n" "... by wrong results"

run -o groups
like "$out" "^reference:interp +base64 +not conformant: [0-9]+ passed, $n failed" "its group is not conformed to"
like "$out" '^reference:interp-be +base64 +conformant: [0-9]+ passed, 0 failed' "... and is by the other engine"
run --update-known
is "$rc" 0 "--update-known: all is on record then"
entries=$(grep -c '^- vectors: ' "$known")
like "$err" "runtimes/wrong/known\.yaml: added $entries, removed 0, kept 0\$" "... and it says what was done"
like "$err" '^  \+ base64/add/reg.* \[interp\] wrong-result$' "... entry by entry"
is "$(grep -c '^  engines: \[interp\]$' "$known") $(grep -c '^  status: wrong-result$' "$known")" "$entries $entries" "each entry names its engine and the kind of failure"
is "$(grep -cE '^  clause: N[0-9]{3}$' "$known")" "$entries" "... and a clause"
unlike "$(cat "$known")" '[*?]' "no entry is a pattern"
cp "$known" "$T/before"
rm "$known"
run_cmd "$CTS" run -r "$T/data/runtimes/wrong:interp" -r reference:interp-be -r "$T/data/../data/runtimes/wrong:interp-be" --update-known
is "$rc" 0 "engines of one runtime, its folder named in three ways"
cmp "$known" "$T/before"; ok $? "... have one list"
run -o groups
like "$out" "^reference:interp +base64 +not conformant: [0-9]+ passed, 0 failed, $n failed as on record" "what is on record is not conformant either"
run
is "$rc" 0 "the next run is as expected"
unlike "$out" 'by clause' "... nothing is told by clause"
like "$total" "^total: [1-9][0-9]* passed, 0 failed, [1-9][0-9]* skipped\$" "... without a failure"
like "$out" "^pass [0-9]+, fail 0, skip [0-9]+, error 0, xfail $n, xpass 0; " "... each failure is on record"
run -v
printf '%s\n' "$out" | sed -nE 's/^XFAIL reference:interp ([^ ]*): .*/\1/p' | sort | cmp - "$T/failed"; ok $? "... and nothing else is"
like "$err" "runtimes/wrong/known\.yaml:1: the first of $entries; it is an entry whose reason is still to be written by a person" "reasons that a program wrote are told"
like "$out" "^warnings 1: .*still to be written" "... also in the summary"
run -o json
like "$(printf '%s\n' "$out" | tail -n 1)" '"warnings":\["[^"]*still to be written by a person"\]' "... and in json"
run -o tap
like "$out" '^# warning: .*still to be written' "... and in tap"
cp "$known" "$T/before"
run --update-known
is "$rc" 0 "written again"
like "$err" "added 0, removed 0, kept $entries\$" "... there is nothing to do"
cmp "$known" "$T/before"; ok $? "... and the file is the same"

run --no-known
is "$rc $(failures)" "1 $n" "--no-known: as if nothing was on record"
like "$out" '^failures by clause, reference:interp:$' "... the failures are there by clause"
like "$out" "^ +$n  N039 \(RFC 9669 section 4\.1\) in [1-9][0-9]* vectors?: wrong-result $n\$" "... with the section, the vectors and the kinds"
like "$total" " $n failed, " "... and all of it is counted"
is "$err" "" "... and nothing is said of lists"

# ---- what passes now is taken away, the rest stays to the byte ----

sed -i 's/"unexplained: /"by hand: /' "$known"
one=$(sed -nE '1s/^- vectors: //p' "$known")
{
    printf '# The failures of a machine.\n\n# about all of them\n'
    cat "$known"
    printf '\n# of tomorrow\n- vectors: base64/sub/*\n  versions: ">9669"\n  reason: "of later versions"   # as announced\n  clause: N041\n# the end\n'
} >"$T/list"
cp "$T/list" "$known"
run
is "$rc$err" 0 "a list with comments and an entry for other versions"
mutant
run
is "$rc" 1 "the mistake is gone: what is on record fails"
like "$out" '^XPASS reference:interp base64/add/reg.*by hand: ' "... by name"
run --update-known -f base64/sub
is "$rc" 0 "written from a run of other vectors"
cmp "$known" "$T/list"; ok $? "... nothing changes"
run_cmd "$CTS" run -r reference:interp-be --update-known
is "$rc" 0 "written from a run of another engine"
cmp "$known" "$T/list"; ok $? "... nothing changes"
run --update-known -f "$one"
is "$rc" 0 "written from a run of one vector"
like "$err" "removed 1, kept $entries\$" "... its entry goes"
sed "/^- vectors: ${one//\//\\/}\$/,/^  clause: /d" "$T/list" | cmp - "$known"; ok $? "... the rest is the same to the byte"
cp "$T/list" "$known"
run --update-known
is "$rc" 0 "written from a whole run"
like "$err" "added 0, removed $entries, kept 1\$" "... all go but the one for other versions"
awk '/^- vectors: base64\/add/ { skip = 1 } /^$/ { skip = 0 } !skip' "$T/list" | cmp - "$known"; ok $? "... the rest is the same to the byte"

# ---- what is not decided by the run stays ----

keeps() { # WHY NAME ENTRY [OPTION...]: the entry stays, and the reason is said
    local why=$1 name=$2
    printf '%s\n' "$3" >"$known"
    cp "$known" "$T/before"
    shift 3
    run --update-known "$@"
    is "$rc" 1 "$name: not all is on record"
    like "$err" "stays although [0-9]+ cases pass: $why" "... and why is said"
    cmp "$known" "$T/before"; ok $? "... the list stays"
}
keeps "engine interp-env was not run" "an entry of engines that were not all run" '- {vectors: "base64/add/reg", reason: r, clause: N039}'
keeps "it is about versions that were not run" "an entry of versions" '- {vectors: "base64/add/reg", engines: [interp], versions: ">=9000", reason: r, clause: N039}'
keeps "others that it names were not run" "a pattern that was run in part" '- {vectors: "base64/add/*", engines: [interp], reason: r, clause: N039}' -f base64/add/reg
printf '%s\n' '- {vectors: "base64/add/*", engines: [interp], reason: r, clause: N039}' >"$known"
run_cmd "$CTS" run -r reference --update-known "$ROOT/vectors/base64/add.yaml"
is "$rc" 1 "a pattern, and files that are not the suite"
like "$err" "not all of the suite was loaded" "... and why is said"
mutant add64_x
keeps "others that it names fail" "a pattern of which some pass" '- {vectors: "base64/add/*", engines: [interp], reason: r, clause: N039}'
mutant
printf '%s\n' '- {vectors: [base64/add/reg, "base64/add/imm*"], engines: [interp], reason: r, clause: N039}' >"$known"
run --update-known
is "$rc $(cat "$known")" "0 " "an entry of which all patterns pass goes"
keeps "other patterns of its entry do not pass" "a list of patterns one of which matches nothing" '- {vectors: [base64/add/reg, base64/none], engines: [interp], reason: r, clause: N039}'
mutant add64_x
printf '%s\n' '- {vectors: "base64/add/reg*", engines: [interp], status: crash, reason: r, clause: N039}' >"$known"
run --update-known -f base64/add/reg
like "$err" '^  \+ base64/add/reg' "a failure of another kind than the one on record is added"
is "$(sed -n 1p "$known")" '- {vectors: "base64/add/reg*", engines: [interp], status: crash, reason: r, clause: N039}' "... behind what was there"

# ---- when nothing is written ----

untouched() { # CODE NAME OPTION...
    local code=$1 name=$2
    shift 2
    printf '# nothing\n' >"$known"
    run_cmd "$CTS" run --update-known "$@"
    is "$rc" "$code" "$name"
    is "$(grep -v 'by somebody else' "$known")" '# nothing' "... and nothing is written"
}
touch "$T/meddle"
untouched 2 "somebody else writes the list during the run" -r reference:interp
like "$err" 'known\.yaml: it was changed while the run went on' "... which is said"
rm "$T/meddle"
touch "$T/die"
untouched 3 "the worker does not start" -r reference:interp
like "$err" 'no list of expected failures is written' "... which is said"
rm "$T/die"
printf 'suite: base64/bad\nvectors: 5\n' >"$T/data/vectors/base64/bad.yaml"
untouched 2 "some vectors cannot be read" -r reference:interp
rm "$T/data/vectors/base64/bad.yaml"
untouched 2 "with --no-known" -r reference --no-known
untouched 2 "with two lists" -r reference --known "$known" --known "$known"
untouched 2 "a worker by its path, and no list" -r "$T/wrong:interp"
like "$err" 'specify a list with --known' "... which is said"
cp -r "$T/data/runtimes/wrong" "$T/second"
sed -i 's/^name: .*/name: second/' "$T/second/runtime.yaml"
untouched 2 "one list for two runtimes" -r reference -r "$T/second" --known "$T/new.yaml"
printf '[{vectors: base64/none, reason: r, clause: N039}]\n' >"$known"
run --update-known
is "$rc $(cat "$known")" '2 [{vectors: base64/none, reason: r, clause: N039}]' "a list that is not written line by line stays"
like "$err" 'known\.yaml:1: .*by hand' "... and where is said"

# ---- a list of one's own ----

rm -f "$T/new.yaml" "$known"
run_cmd "$CTS" run -r "$T/wrong:interp" --update-known --known "$T/new.yaml"
is "$rc" 0 "a worker by its path, and a list that is not there yet"
like "$err" "new\.yaml: added $entries, removed 0, kept 0\$" "... is written"
run --known "$T/new.yaml"
is "$rc" 0 "... and serves as a further list"
cp "$T/new.yaml" "$T/before"
mv "$T/new.yaml" "$T/before"
run_cmd "$CTS" run -r "$BUILD/cts-worker-reference" -f base64/add/ --known "$T/before"
like "$out" '^XPASS cts-worker-reference:interp base64/add' "a worker without an engine's name has the one that it says"
cp "$T/before" "$T/new.yaml"
run_cmd "$CTS" run -r "$BUILD/cts-worker-reference" --update-known --known "$T/new.yaml"
is "$rc" 0 "... also when the list is written"
like "$err" "added 0, removed $entries, kept 0\$" "... where it is the engine that passes"
cp "$T/before" "$T/new.yaml"
run_cmd "$CTS" run -r "$T/wrong:interp" -r "$T/wrong:interp-be" --update-known --known "$T/new.yaml"
is "$rc" 0 "two engines of a worker by its path"
cmp "$T/new.yaml" "$T/before"; ok $? "... have one list"
printf '%s\n' '- {vectors: base64/sub/reg, engines: [interp], reason: r, clause: N041}' >"$known"
cp "$known" "$T/before"
run --known "$T/new.yaml" --update-known
is "$rc" 1 "an entry of the runtime's own list passes, another list is written"
cmp "$known" "$T/before"; ok $? "... the runtime's own stays"
rm "$known"

# ---- what is said of entries ----

mutant
says() { # NAME REGEX ENTRY [OPTION...]
    local name=$1 regex=$2
    printf '%s\n' "$3" >"$known"
    shift 3
    run "$@"
    like "$err" "$regex" "$name"
}
says "an entry that names no vector" 'known\.yaml:1: .base64/none. matches nothing$' '- {vectors: base64/none, reason: r, clause: N039}'
is "$rc" 0 "... which changes nothing"
says "... is not told of in a run of some vectors" '^$' '- {vectors: base64/none, reason: r, clause: N039}' -f base64/add
says "... or of other files" '^$' '- {vectors: base64/none, reason: r, clause: N039}' "$ROOT/vectors/base64/add.yaml"
cat >"$T/data/vectors/base64/later.yaml" <<'Y'
suite: base64/later
vectors:
  - name: at-full
    level: full
    insns: [add64_x]
    clauses: [N039]
    asm: "{dst} += {src}"
    cases:
      - {in: {dst: 1, src: 2}, out: {dst: 3}}
Y
says "... nor does one that names a vector of a higher level" '^$' '- {vectors: "base64/later/*#1", versions: "1", reason: r, clause: N039}'
rm "$T/data/vectors/base64/later.yaml"
mutant add64_x
says "an entry whose cases fail in other ways" "known\.yaml:1: .${one//\//\\/}.* matches nothing: its cases fail in other ways" "- {vectors: \"$one\", engines: [interp], status: crash, reason: r, clause: N039}"
mutant
old='- {vectors: base64/sub/*, versions: "1", reason: r, clause: N039, review-by: 2023-11-13}'
says "an entry past its date" 'known\.yaml:1: review-by 2023-11-13 is past$' "$old"
is "$rc" 0 "... which changes nothing"
like "$out" '^warnings 1: ' "... and is in the summary"
says "a crowd of them" 'known\.yaml:2: review-by 2023-11-12 is past, the first of 2 entries' "$old"$'\n'"${old/11-13/11-12}"
says "the day itself is not past" '^$' "${old/11-13/11-14}"
printf '%s\n' "$old" >"$known"
run_cmd "$CTS" run -r "$BUILD/cts-worker-reference:interp"
is "$rc$err" 0 "lists of runtimes that were not run are not told of"

# ---- an entry speaks of all variants, or of some ----

mutant add64_k # an immediate is not sign-extended: negative ones fail
sweep=base64/add/imm-sweep
expect() { # NAME CODE REGEX FIELDS
    printf -- '- {vectors: %s, %s, reason: r, clause: N039}\n' "$sweep" "$4" >"$known"
    run -f "$sweep"
    is "$rc" "$2" "$1"
    like "$out" "$3" "... which is said"
}
expect "all are on record, and some pass" 1 "^XPASS reference:interp $sweep#sweep: passed with dst=r3 imm=0 opaque, but is on" 'engines: [interp]'
unlike "$out" 'before +expected' "... nothing is shown of those that fail"
expect "those that fail are on record" 0 'fail 0, skip 0, error 0, xfail 1, xpass 0' 'engines: [interp], variants: "*imm=-*"'
expect "one that fails is not on record" 1 "^FAIL reference:interp $sweep#sweep: wrong-result" 'engines: [interp], variants: ["*imm=-2 *", "*imm=-127 *"]'
like "$out" 'variant +dst=r3 imm=-1 opaque' "... by its name"
expect "all but one that fails are on record" 1 "variant +dst=r3 imm=-128 opaque" 'engines: [interp], variants: ["*imm=-*", "!*imm=-128 *"]'
expect "what passes is left out, and named the other way" 1 "^FAIL reference:interp $sweep#sweep" 'engines: [interp], variants: "!*imm=-*"'
expect "they fail in another way than is on record" 1 "^FAIL reference:interp $sweep#sweep" 'engines: [interp], variants: "*imm=-*", status: crash'
expect "they fail sometimes" 0 'fail 0, skip 0, error 0, xfail 1, xpass 0' 'engines: [interp], sometimes: true'
expect "what passes is to fail sometimes" 0 'xfail 1, xpass 0' 'sometimes: true'
says "variants that are not there" "matches nothing" "- {vectors: $sweep, engines: [interp], variants: \"*imm=12345 *\", reason: r, clause: N039}"

rm "$known"
run --update-known
is "$rc" 0 "a run writes them down"
like "$(grep -A2 "^- vectors: $sweep\$" "$known" | tail -n 1)" '^  variants: \["dst=r3 imm=-1 opaque", "dst=r3 imm=-2 opaque", ' "... by their names"
unlike "$(grep '^  variants' "$known")" 'imm=[0-9]' "... and no others"
run
is "$rc" 0 "... and the next run is as expected"
run --level full
is "$rc" 1 "... but not one with more variants"
like "$out" "^FAIL reference:interp $sweep#sweep" "... which are none of those"
run --level full --update-known
is "$rc" 0 "... until they are written down, too"
mutant
run --update-known
is "$rc $(cat "$known")" "0 " "what passes again is taken away"

# ---- lists that are wrong ----

wrong() { # NAME REGEX ENTRY
    printf '# \n%s\n' "$3" >"$known"
    run
    is "$rc" 2 "$1"
    like "$err" "runtimes/wrong/known\.yaml:2:[0-9]+: .*$2" "... with its place"
}
wrong "no such kind of failure" "no kind of failure 'wrong'" '- {vectors: a, status: wrong, reason: r, clause: N039}'
wrong "no such clause" "no clause 'N999'" '- {vectors: a, reason: r, clause: N999}'
wrong "no such policy" "no policy 'mine'" '- {vectors: a, reason: r, policy: mine}'
wrong "no such engine" "runtime reference has no engine 'jit'" '- {vectors: a, engines: [interp, jit], reason: r, clause: N039}'
wrong "a malformed range" "versions: '6\.x'" '- {vectors: a, versions: 6.x, reason: r, clause: N039}'
wrong "no date" "is no date" '- {vectors: a, reason: r, clause: N039, review-by: soon}'
wrong "no variants" "variants: none" '- {vectors: a, variants: [], reason: r, clause: N039}'
wrong "sometimes is no answer" "sometimes" '- {vectors: a, sometimes: often, reason: r, clause: N039}'
wrong "neither clause nor link" "needs a link" '- {vectors: a, reason: r}'
done_testing
