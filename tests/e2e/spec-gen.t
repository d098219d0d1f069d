#!/usr/bin/env bash
# ctest: cost=4 asan-cost=10
# `ebpf-cts spec`: what it prints of a small specification, byte for byte, and of the real one, against other sources.
. "$(dirname "$0")/lib.sh"
golden=$ROOT/tests/golden
mini=$golden/spec-mini
vectors=$golden/spec-mini-vectors

# ---- help and usage ----

run_cmd "$CTS" spec --help
is "$rc" 0 "--help succeeds"
names=$(printf '%s\n' "$out" | sed -nE 's/^  ([a-z]+) .*/\1/p')
is "$(printf '%s\n' "$names" | wc -l)" 9 "... and names nine subcommands"
for name in $names; do
    run_cmd "$CTS" spec "$name" --help
    is "$rc $(printf '%s\n' "$out" | head -n 1 | cut -d ' ' -f 1-4)" "0 Usage: ebpf-cts spec $name" "spec $name --help"
done

refused() { # NAME REGEX ARGUMENT...
    local name=$1 regex=$2
    shift 2
    run_cmd "$CTS" spec "$@"
    is "$rc$out" 2 "$name: exit 2, nothing on standard output"
    like "$err" "$regex" "... and it says why"
}
refused "no subcommand" 'expected a subcommand'
refused "an unknown subcommand" "unknown subcommand 'nothing'; expected check, table," nothing
refused "an unknown format" "unknown format 'pdf'; expected text, markdown, csv, tsv" table --format pdf
refused "an option of another subcommand" '--full cannot be combined with the subcommand json' json --full
refused "diff of one" '^Usage:.*DIR DIR' diff "$mini"
refused "an argument too many" '^Usage:' table "$mini"
refused "a specification that is not there" "$T/none" table --spec "$T/none"
refused "a file that cannot be written" "$T/none/x" table -o "$T/none/x"
cp -r "$mini" "$T/broken"
sed -i '0,/opcode: 0x04/s//opcode: 0x104/' "$T/broken/isa/rows.yaml"
refused "a specification with a fault" 'rows\.yaml:6:22: ' table --spec "$T/broken"

refused "a rule that is not there" 'no-such-rule' check no-such-rule
refused "a row that is not there" 'no-such-row' smt no-such-row
run_cmd "$CTS" spec check names
is "$rc$err" 0 "check of one rule"
like "$out" '^ok 1 - names # looked at [1-9]' "... says what it looked at"
run_cmd "$CTS" spec smt add64_x
is "$rc$err" 0 "smt of one row"
like "$out" '^\(define-fun ' "... is a function"
run_cmd "$CTS" spec laws no-such-law
is "$rc" 4 "laws: nothing selected is exit 4"

# ---- a small specification, byte for byte ----

same() { # NAME FILE COMMAND...
    local name=$1 file=$golden/$2
    shift 2
    run_cmd "$CTS" spec "$@"
    if cmp -s "$T/.out" "$file" && [ -z "$err" ]; then
        pass "$name ($rc)"
    else
        fail_test "$name"
        diag "$err"
        diag "$(diff -u "$file" "$T/.out" | head -n 20)"
    fi
}
for format in text markdown csv tsv; do
    same "table as $format" "spec-table.$format" table --spec "$mini" --format $format
    same "the full table as $format" "spec-table-full.$format" table --spec "$mini" --full --format $format
done
same "the header" spec-header.txt header --spec "$mini"
same "JSON" spec-json.json json --spec "$mini"
same "the page in Markdown" spec-doc.markdown doc --format markdown --spec "$mini" --vectors "$vectors"
for format in text markdown tsv; do
    same "coverage as $format" "spec-coverage.$format" coverage --spec "$mini" --vectors "$vectors" --format $format
done

run_cmd "$CTS" spec table --spec "$mini" -o "$T/table"
is "$rc$out$err" 0 "-o prints nothing"
cmp -s "$T/table" "$golden/spec-table.text"; ok $? "... and writes the same"

# ---- differences ----

cp -r "$mini" "$T/other"
rows=$T/other/isa/rows.yaml
# the same meaning in other words
sed -i -e 's/u32(dst) + u32(imm)/u32(imm) + u32(dst)/' \
    -e 's/(s64(dst) > s64(imm))/(s64(imm) < s64(dst))/' \
    -e 's/let old = /let before = /; s/= old + src/= before + src/; s/src = old/src = before/' "$rows"
cmp -s "$rows" "$mini/isa/rows.yaml"; [ $? = 1 ]; ok $? "the text of three rows is another"
run_cmd "$CTS" spec diff "$mini" "$T/other"
is "$rc" 0 "diff: another text with the same meaning is no difference"
like "$out" '^no differences$' "... and it says so"

changed() { # NAME REGEX FILE SED-SCRIPT
    rm -rf "$T/other" && cp -r "$mini" "$T/other"
    sed -i "$4" "$T/other/$3"
    run_cmd "$CTS" spec diff "$mini" "$T/other"
    is "$rc" 1 "diff: $1: exit 1"
    like "$out" "$2" "... and it is named"
    [ "$(printf '%s\n' "$out" | grep -cE '^[~+-] (group|instruction|clause|class|ambiguity|policy) ')" = 1 ]; ok $? "... and nothing else"
}
changed "a width" '^      \+ dst = u64\(u16\(u32\(dst\)' isa/rows.yaml 's/u64(u32(dst) + u32(imm))/u64(u16(u32(dst) + u32(imm)))/'
changed "operands of a difference" '^    does:$' isa/rows.yaml 's/(s64(dst) > s64(imm))/(s64(imm) > s64(dst))/'
changed "the order of two accesses" '^~ instruction atomic64_fetch_add$' isa/rows.yaml 's/let old = mem64\[at\]/let old = mem64[at + 8]/'
changed "an encoding" '^    encoding:$' isa/rows.yaml 's/opcode: 0xcf/opcode: 0xce/'
changed "a group" '^~ instruction add32_k$' isa/rows.yaml '0,/group: base32/s//group: base64/'
changed "a syntax" '^    asm:$' isa/rows.yaml 's/{imm64} ll/{imm64} LL/'
changed "another syntax" '^    ubpf:$' isa/rows.yaml 's/arsh %/sar %/'
changed "the clauses of a row" '^      \+ N002 N004$' isa/rows.yaml '/id: jsgt_k/,/clauses/s/\[N002\]/[N002, N004]/'
changed "what conforms" '^    outcomes:$' isa/rows.yaml 's/allow: \[run, reject, fault\]/allow: [run, fault]/'
changed "a row that goes" '^- instruction jsgt_k: JSGT_K$' isa/rows.yaml '/id: jsgt_k/,/clauses/d'
changed "a clause" '^    strength:$' clauses.yaml '0,/strength: must/s//strength: should/'
changed "a group's holdings" '^    includes:$' groups.yaml '/name: later/,$s/includes: \[\]/includes: [base32]/'
changed "a class" '^~ class V01$' verdicts.yaml 's/assigned to/of/'
changed "a policy" '^~ policy this-one$' policies.yaml 's/those who/some who/'
changed "an answer" '^~ ambiguity A01$' ambiguities.yaml 's/This one/That one/'

rm -rf "$T/other" && cp -r "$mini" "$T/other"
cat >>"$T/other/clauses.yaml" <<'END'

- id: N005
  section: "9"
  strength: may
  tested: [run]
  statement: "New."
END
sed -i 's/opcode: 0xcf/opcode: 0xce/' "$T/other/isa/rows.yaml"
(cd "$T" && cp -r "$mini" mini && "$CTS" spec diff mini other) >"$T/diff.text"; is $? 1 "diff: two changes"
(cd "$T" && "$CTS" spec diff mini other --format json) >"$T/diff.json"; is $? 1 "... as JSON"
for format in text json; do
    cmp "$T/diff.$format" "$golden/spec-diff.$format" >"$T/.cmp" 2>&1; ok $? "... as it should be ($format)"
done
run_cmd "$CTS" spec diff "$ROOT/spec" "$ROOT/spec" --format json
is "$rc" 0 "diff: a specification is as itself"
like "$out" '"same": true' "... and says so in JSON"

# ---- the real one: the table against the registry ----

# Lines "opcode src_reg offset imm groups section".
"$CTS" spec table --format tsv | awk -F '\t' 'NR > 1 { sub(/.*Section /, "", $7); print $1, $2, $3, $4, $6, $7 }' | sort >"$T/ours"
anchor=$ROOT/spec/anchors/rfc9669-appendix-a.tsv
differences=$ROOT/spec/anchors/differences.yaml
if [ -s "$anchor" ] && [ -s "$differences" ]; then
    grep -v '^#' "$anchor" | awk -F '\t' 'NR > 1 { print $1, $2, $3, $4, $5, $6 }' | sort >"$T/theirs"
    [ "$(wc -l <"$T/theirs")" -ge 168 ]; ok $? "the appendix has $(wc -l <"$T/theirs") rows, the table $(wc -l <"$T/ours")"
    # Rows that differ, by id, and those that the list explains.
    "$CTS" spec table --full --format tsv |
        awk -F '\t' 'NR > 1 && $11 == "rfc" { id = $10; sub(/.*Section /, "", $9); print $1, $3, $4, $5, $8, $9 "\t" id }' >"$T/ids"
    comm -23 "$T/ours" "$T/theirs" | while IFS= read -r line; do
        awk -F '\t' -v line="$line" '$1 == line { print $2 }' "$T/ids"
    done | sort >"$T/differ"
    awk '/^- id:/ { about = 0 } /^  anchors:/ { about = /rfc9669-appendix-a/ }
        about && /^  insns:/ { gsub(/.*\[|\].*|,/, ""); n = split($0, id, " "); for (i = 1; i <= n; i++) print id[i] }' \
        "$differences" | sort >"$T/explained"
    is "$(cat "$T/differ")" "$(cat "$T/explained")" "the rows that the appendix has otherwise or not are those explained ($(wc -l <"$T/differ"))"
    is "$(comm -13 "$T/ours" "$T/theirs")" "" "the table has every row of the appendix"
else
    skip "the table is that of the appendix" "no spec/anchors"
fi

# ---- the header compiles alone ----

"$CTS" spec header -o "$T/bpf_isa.h"; ok $? "the header is written"
printf '#include "bpf_isa.h"\n#include "bpf_isa.h"\nint main(void) { struct bpf_isa_insn in = {0x95, 0, 0, 1, 0, 0, 0, 0, 0, 0}; return bpf_insn_row(&in) != BPF_ISA_INSN_EXIT; }\n' >"$T/use.c"
compiled=0
for call in "gcc -std=c99" "g++ -std=c++17 -x c++" "clang-19 -std=c99" "clang++-19 -std=c++17 -x c++" "clang-19 -std=c++17 -x c++"; do
    read -r compiler flags <<<"$call"
    if ! command -v "$compiler" >/dev/null; then
        skip "$call" "no $compiler"
        continue
    fi
    # shellcheck disable=SC2086
    run_cmd "$compiler" $flags -Wall -Wextra -pedantic -Werror -Wconversion -Wshadow -I"$T" "$T/use.c" -o "$T/use"
    is "$rc$err" 0 "$call compiles it"
    "$T/use"; is $? 0 "... and finds the row of EXIT"
    compiled=$((compiled + 1))
done
[ "$compiled" -gt 0 ]; ok $? "there are $compiled compilers"

# ---- JSON against its schema ----

"$CTS" spec json -o "$T/isa.json"; ok $? "the JSON is written"
cat >"$T/valid.py" <<'END'
import copy, json, sys
from jsonschema import Draft202012Validator as V
schema, doc = (json.load(open(p)) for p in sys.argv[1:3])
V.check_schema(schema)
v = V(schema)
for e in list(v.iter_errors(doc))[:5]:
    print("/".join(map(str, e.absolute_path)), e.message[:200])
    sys.exit(1)
faults = 0
def refused(change):
    global faults
    bad = copy.deepcopy(doc)
    change(bad)
    faults += 1
    if v.is_valid(bad):
        print("not refused: fault", faults)
        sys.exit(1)
row = next(i for i, r in enumerate(doc["insns"]) if r["kind"] == "instruction")
refused(lambda d: d.pop("clauses"))
refused(lambda d: d.update(more=1))
refused(lambda d: d["insns"][row].pop("does"))
refused(lambda d: d["insns"][row].update(id="a b"))
refused(lambda d: d["insns"][row]["encoding"].update(opcode=256))
refused(lambda d: d["insns"][row]["encoding"]["dst"].update(rule="reg"))
refused(lambda d: d["insns"][row]["encoding"].update(slots=2))
refused(lambda d: d["insns"][row]["semantics"][0].update(kind="loop"))
refused(lambda d: d["clauses"][0].update(tested=["never"]))
print(len(doc["insns"]), "rows valid,", faults, "faults refused")
END
if python3 -W ignore -c 'import jsonschema' 2>/dev/null; then
    run_cmd python3 -W ignore "$T/valid.py" "$ROOT/spec/schema/isa.schema.json" "$T/isa.json"
    is "$rc$err" 0 "it is valid by the schema (python3-jsonschema)"
    diag "$out"
else
    skip "it is valid by the schema" "no python3-jsonschema"
fi
# Of our own: what a reader relies on.
if command -v python3 >/dev/null; then
    cat >"$T/own.py" <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
groups = {g["name"]: g for g in d["groups"]}
clauses, open_ = {c["id"] for c in d["clauses"]}, {a["id"] for a in d["ambiguities"]}
ids, looked = set(), 0
for r in d["insns"]:
    assert r["id"] not in ids
    ids.add(r["id"])
    assert set(r["groups"]) == {g for g in groups if g == r["group"] or r["group"] in groups[g]["includes"]}, r["id"]
    assert set(r["clauses"]) <= clauses and set(r["ambiguities"]) <= open_, r["id"]
    assert ("next_imm" in r["encoding"]) == (r["encoding"]["slots"] == 2), r["id"]
    looked += 1
def nodes(x):
    if isinstance(x, dict):
        if "type" in x:
            yield x
        for v in x.values():
            yield from nodes(v)
    elif isinstance(x, list):
        for v in x:
            yield from nodes(v)
arity = {"literal": 0, "operand": 0, "local": 0, "choose": 0, "memory": 1, "convert": 1, "unary": 1, "call": 1, "binary": 2, "cond": 3}
n = 0
for r in d["insns"]:
    for x in nodes(r.get("semantics", [])):
        assert len(x.get("args", [])) == arity[x["kind"]], (r["id"], x)
        assert x["type"] != "?", (r["id"], x)
        n += 1
assert looked and n
print(looked, "rows,", n, "expressions")
END
    run_cmd python3 "$T/own.py" "$T/isa.json"
    is "$rc$err" 0 "its references and trees are sound"
    diag "$out"
else
    skip "its references and trees are sound" "no python3"
fi

# ---- the page, and coverage, of the real one ----

run_cmd "$CTS" spec doc -o "$T/doc.html"
is "$rc$err" 0 "the page is written"
page=$(cat "$T/doc.html")
unlike "$page" '<link|src=|@import|url\(|https?:' "it needs nothing from elsewhere"
is "$(grep -c '<details class="row" id=' "$T/doc.html")" "$("$CTS" spec table --full --format tsv | tail -n +2 | wc -l)" "it has every row"
# Every link leads somewhere.
grep -oE 'href="#[^"]+"' "$T/doc.html" | sed 's/href="#//; s/"//' | sort -u >"$T/links"
grep -oE ' id="[^"]+"' "$T/doc.html" | sed 's/ id="//; s/"//' | sort >"$T/targets"
is "$(uniq -d "$T/targets")" "" "no id is there twice ($(wc -l <"$T/targets"))"
is "$(comm -23 "$T/links" "$T/targets")" "" "no link leads nowhere ($(wc -l <"$T/links"))"
[ -s "$T/links" ]; ok $? "there are links"

run_cmd "$CTS" spec coverage --format tsv
is "$rc$err" 0 "coverage of the real one"
printf '%s\n' "$out" >"$T/pairs"
for subject in group instruction clause class; do
    [ "$(cut -f 1 "$T/pairs" | grep -c "^$subject\$")" -gt 0 ]; ok $? "it is about each $subject"
done
is "$(awk -F '\t' 'NR > 1 && $1 == "instruction" && $3 != "" { print $3 }' "$T/pairs" | sort -u | wc -l)" \
    "$("$CTS" spec coverage | sed -nE '1s/^([0-9]+) vectors.*/\1/p')" "every vector is about a row"

# ---- the same every time, wherever it is called ----

for call in "table --full" header json "doc --format html" coverage; do
    # shellcheck disable=SC2086
    (cd / && LC_ALL=C.UTF-8 TZ=Asia/Tokyo "$CTS" spec $call) >"$T/one" 2>&1
    # shellcheck disable=SC2086
    (cd "$T" && "$CTS" spec $call) >"$T/two" 2>&1
    cmp -s "$T/one" "$T/two" && [ -s "$T/one" ]; ok $? "$call is the same every time"
done

done_testing
