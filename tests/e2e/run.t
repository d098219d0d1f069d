#!/usr/bin/env bash
# ctest: cost=12 asan-cost=31
# The main job: the suite on the reference, all ways to select from it, and every report format.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache SOURCE_DATE_EPOCH=1700000000

# total TEXT: sets $passed, $failed and $skipped from the last line
total() {
    local last
    last=$(printf '%s\n' "$1" | tail -n 1)
    read -r passed failed skipped < <(printf '%s\n' "$last" |
        sed -nE 's/^total: ([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p')
    : "${passed:=0}" "${failed:=999999}" "${skipped:=0}"
}

# cases FILE: what happened to each case of a report in the format json, one a line
cases() {
    sed -nE 's/^\{"type":"case","runtime":"([^"]*)","engine":"([^"]*)".*"vector":"([^"]*)","case":"([^"]*)".*"status":"([^"]*)".*/\1:\2 \3#\4 \5/p' "$1"
}

# with TOOL NAME COMMAND...: a point that needs a tool that may not be here
with() {
    local tool=$1 name=$2 before=$tap_failed
    shift 2
    if ! command -v "$tool" >/dev/null; then
        skip "$name" "no $tool"
        return
    fi
    "$@" >"$T/.with" 2>&1
    is $? 0 "$name"
    [ "$tap_failed" = "$before" ] || diag "$(tail -n 5 "$T/.with")"
}

# ---- the whole suite ----

run_cmd "$CTS" run -r reference
is "$rc" 0 "the suite passes on the reference"
is "$err" "" "... and says nothing on standard error"
like "$(printf '%s\n' "$out" | tail -n 1)" '^total: [0-9]+ passed, 0 failed, [0-9]+ skipped$' "the last line is the total"
like "$out" '^reference:interp ' "the engine is named"
like "$out" '^vectors [0-9]+, cases [0-9]+, operand tuples [0-9,]+ on 1 engines \(0 skipped\) of 1 runtimes \(0 skipped\)$' "a line tells the sizes"
like "$out" '^pass [0-9]+, fail 0, skip [0-9]+, error 0, xfail [0-9]+, xpass 0' "a line tells every status"
total "$out"
all=$((passed + failed + skipped))
[ "$passed" -ge 1000 ]; ok $? "more than a thousand cases passed ($passed)"
[ "$passed" -gt $((skipped * 20)) ]; ok $? "few were skipped ($skipped)"
like "$out" "^vectors [0-9]+, cases $all," "every case that is selected is counted"

run_cmd "$CTS" run -r reference:interp-be
is "$rc" 0 "the suite passes on the big-endian reference"
total "$out"
is "$((passed + failed + skipped))" "$all" "... with as many cases"

# ---- jobs and the cache change nothing ----

"$CTS" run -r reference -r reference:interp-be --jobs 1 -o json="$T/one.jsonl" >/dev/null; one=$?
"$CTS" run -r reference -r reference:interp-be --jobs 4 --no-cache -o json="$T/four.jsonl" >/dev/null; four=$?
is "$one $four" "0 0" "runs with one and with four jobs"
for name in one four; do
    sed -E 's/"ns":[0-9]+/"ns":0/g' "$T/$name.jsonl" >"$T/$name.same"
done
cmp "$T/one.same" "$T/four.same"; ok $? "one and four jobs, with and without the cache: the same report but for times"
cases "$T/one.jsonl" >"$T/whole"
is "$(grep -c '^reference:interp ' "$T/whole")" "$all" "the report has every case"
is "$(sort "$T/whole" | uniq -d | head -n 3)" "" "... and each once"
like "$(tail -n 1 "$T/one.jsonl")" '^\{"type":"footer","complete":true,"end":"whole","not_run":0,"passed":' "the report ends with a footer"
is "$(head -n 1 "$T/one.jsonl" | grep -c '"time":"2023-11-14T22:13:20Z"')" 1 "SOURCE_DATE_EPOCH is the time of the run"

# ---- selection ----

run_json() { # FILE ARGUMENT...: runs, writes the cases to FILE
    local to=$1
    shift
    run_cmd "$CTS" run -r reference "$@" -o json="$to.jsonl" -o text
    cases "$to.jsonl" >"$to"
}
grep '^reference:interp ' "$T/whole" >"$T/le"

for i in 1 2 3; do
    run_json "$T/shard$i" --shard $i/3
    is "$rc" 0 "shard $i/3 passes"
done
cat "$T"/shard[123] | sort >"$T/shards"
sort "$T/le" | cmp - "$T/shards"; ok $? "three shards are the whole, no case twice"
least=$((all / 6))
for i in 1 2 3; do
    [ "$(wc -l <"$T/shard$i")" -gt $least ]; ok $? "shard $i has its part"
done

: >"$T/groups"
for group in $("$CTS" list groups | awk '{ print $1 }'); do
    run_json "$T/group" -g "$group"
    cat "$T/group" >>"$T/groups"
    is "$rc $([ -s "$T/group" ] && echo some)" "0 some" "group $group alone passes"
    is "$(sed -nE 's/.*"group":"([^"]*)".*/\1/p' "$T/group.jsonl" | sort -u)" "$group" "... and is alone"
done
sort "$T/groups" | cmp - "$T/shards"; ok $? "all groups are the whole"

run_json "$T/row" --insn add64_x
is "$rc $(grep '"type":"case"' "$T/row.jsonl" | grep -vc '"insns":\[[^]]*"add64_x"')" "0 0" "--insn: only vectors of that row"
is "$(wc -l <"$T/row")" "$(grep '"runtime":"reference","engine":"interp"' "$T/one.jsonl" | grep -c '"insns":\[[^]]*"add64_x"')" "... and all of them"
run_json "$T/clause" --clause N041
is "$rc $(wc -l <"$T/clause")" "0 $(grep '"runtime":"reference","engine":"interp",' "$T/one.jsonl" | grep -c '"clauses":\[[^]]*"N041"')" "--clause: all that rest on it"

run_json "$T/f" -f base64/add/
is "$rc $(wc -l <"$T/f")" "0 $(grep -c ' base64/add/' "$T/le")" "-f TEXT: all vectors that hold it"
run_json "$T/glob" -f 'base64/*-sweep'
is "$rc $(wc -l <"$T/glob")" "0 $(grep -cE ' base64/[^#]*-sweep#' "$T/le")" "-f with a star: all that match"
first=$(grep ' base64/add/.* pass$' "$T/le" | head -n 1 | awk '{ print $2 }')
run_json "$T/case" -f "$first"
is "$(cat "$T/case")" "reference:interp $first pass" "-f VECTOR#CASE: that one case"
run_json "$T/x" -f base64/add/ -x 'base64/add/*-sweep'
is "$rc $(wc -l <"$T/x")" "0 $(grep ' base64/add/' "$T/le" | grep -vcE -- '-sweep#')" "-x takes away"
run_json "$T/path" "$ROOT/vectors/base64/add.yaml"
cmp "$T/f" "$T/path"; ok $? "a file as argument is that file's vectors"
run_json "$T/both" "$ROOT/vectors/base64/add.yaml" "$ROOT/vectors/base64/sub.yaml"
is "$(wc -l <"$T/both")" "$(grep -cE ' base64/(add|sub)/' "$T/le")" "two files are both"

run_cmd "$CTS" run -r reference --level full -f base64/add/
total "$out"
full=$passed
rows=$(printf '%s\n' "$out" | sed -nE 's/.*operand tuples ([0-9,]+) on.*/\1/p' | tr -d ,)
run_cmd "$CTS" run -r reference -f base64/add/
total "$out"
quick=$(printf '%s\n' "$out" | sed -nE 's/.*operand tuples ([0-9,]+) on.*/\1/p' | tr -d ,)
is "$rc $full" "0 $passed" "level full: the same cases"
[ "$rows" -gt $((quick * 2)) ]; ok $? "... with more operand tuples ($rows, $quick at quick)"

run_cmd "$CTS" run -r reference -q
is "$rc $(printf '%s\n' "$out" | grep -c '^skipped')" "0 0" "-q leaves out the skips"
run_cmd "$CTS" run -r reference -v
total "$out"
is "$(printf '%s\n' "$out" | grep -c '^SKIP ')" "$skipped" "-v tells of every skip"

# ---- known failures ----

cat >"$T/known.yaml" <<Y
- {vectors: "$first", reason: "as an example", link: "https://example.org/1"}
Y
run_cmd "$CTS" run -r reference -f base64/add/ --known "$T/known.yaml"
is "$rc" 1 "a known failure that passes is a failure"
like "$out" "^XPASS reference:interp $first: .*as an example" "... that is named with its reason"

second=$("$CTS" list vectors | awk '{ print $1 }' | grep '^base64/sub/' | head -n 1)
cat >"$T/several.yaml" <<Y
- {vectors: ["$first", "$second*"], reason: "of several", clause: N039}
Y
run_cmd "$CTS" run -r reference -f "$first" -f "$second" --known "$T/several.yaml"
like "$out" "^XPASS reference:interp $first[#:].*of several" "a list of globs: its first"
like "$out" "^XPASS reference:interp $second[#:].*of several" "... and its second"

# ---- formats ----

run_cmd "$CTS" run -r reference -f base64/add/ -o text="$T/r.txt" -o json="$T/r.jsonl" -o junit="$T/r.xml" -o tap="$T/r.tap"
is "$rc$out" 0 "four reports into files, nothing on standard output"
count=$(grep -c '"type":"case"' "$T/r.jsonl")
is "$count" "$(grep -c '<testcase ' "$T/r.xml")" "junit has as many cases as json"
is "$count" "$(grep -cE '^ok [0-9]+ - ' "$T/r.tap")" "tap has as many cases as json"
like "$(cat "$T/r.tap")" "^1\.\.$count\$" "... and a plan"
like "$(tail -n 1 "$T/r.txt")" '^total: ' "text has its total"
like "$(head -n 3 "$T/r.xml")" "<testsuites name=\"ebpf-cts\" tests=\"$count\" failures=\"0\" errors=\"0\" time=" "junit has its counts"

run_cmd "$CTS" run -r reference -o groups
is "$rc" 0 "a verdict for each group"
like "$out" '^reference:interp +base64 +conformant: [0-9]+ passed, 0 failed' "... what runs conforms"
is "$(printf '%s\n' "$out" | grep -c 'not conformant')" 0 "... and nothing does not"
run_cmd "$CTS" run -r reference -f base64/add/ -o clauses
is "$(printf '%s\n' "$out" | head -n 1 | cut -f 1-6)" "clause	section	policy	engine	vectors	pass" "clauses has a head"
is "$(printf '%s\n' "$out" | awk -F '\t' '$1 == "N039" && $2 == "4.1" && $3 == "rfc" && $4 == "reference:interp" && $6 > 0 && $7 == 0' | wc -l)" 1 "... and what each engine makes of each clause"
run_cmd "$CTS" run -r reference -f base64/add/ -o markdown
like "$out" '^\| `reference:interp` \| `base64` \| conformant \| [0-9]+ \| 0 \| 0 \| 0 \|$' "markdown has the verdicts"
with python3 "every line of json is JSON" python3 -c '
import json, sys
lines = [json.loads(x) for x in open(sys.argv[1], encoding="utf-8")]
types = [x["type"] for x in lines]
assert types[0] == "header" and types[-1] == "footer" and types.count("engine") == 2
assert lines[-1]["complete"] is True and lines[-1]["failed"] == 0
assert lines[-1]["passed"] == sum(x["type"] == "case" and x["status"] == "pass" for x in lines)
assert lines[-1]["operand_tuples"] == sum(x["operand_tuples"] for x in lines if x["type"] == "case")
' "$T/one.jsonl"
with python3 "junit is XML, its counts are those of its cases" python3 -c '
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
assert root.tag == "testsuites"
for suite in root:
    cases = suite.findall("testcase")
    assert len(cases) == int(suite.get("tests")) > 0
    assert len(suite.findall("testcase/skipped")) == int(suite.get("skipped"))
    for case in cases:
        assert case.get("classname").startswith("reference.interp.base64.add") and case.get("name") and float(case.get("time")) >= 0
' "$T/r.xml"
with xmllint "xmllint reads junit" xmllint --noout "$T/r.xml"
with jq "jq reads json" jq -es '.[-1].complete' "$T/r.jsonl"
if command -v python3 >/dev/null && python3 -c 'import jsonschema; jsonschema.Draft202012Validator' 2>/dev/null; then
    with python3 "json is as reports/schema.json says" python3 -c '
import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
check = jsonschema.Draft202012Validator(schema)
for line in open(sys.argv[2], encoding="utf-8"):
    check.validate(json.loads(line))
' "$ROOT/reports/schema.json" "$T/r.jsonl"
else
    skip "json is as reports/schema.json says" "no python3 with jsonschema"
fi
with prove "prove reads tap" prove -e cat "$T/r.tap"

run_cmd "$CTS" run -r reference -f base64/add/ -o tap
is "$(printf '%s\n' "$out" | head -n 1)" "TAP version 13" "a format without a file goes to standard output"

# ---- colours, and nobody who listens ----

run_cmd env -u NO_COLOR "$CTS" run -r reference -f base64/add/
unlike "$out" $'\033' "no colours where there is no terminal"
run_cmd "$CTS" run -r reference -f "$first" --known "$T/known.yaml" --color always
like "$out" $'\033' "--color always: colours"
if [ -e /dev/full ]; then
    "$CTS" run -r reference -f base64/add/ >/dev/full 2>"$T/.err"
    is "$?" 3 "a report that cannot be written is no success"
    like "$(cat "$T/.err")" 'cannot write' "... and that is said"
else
    skip "a report that cannot be written is no success" "no /dev/full"
    skip "... and that is said" "no /dev/full"
fi
done_testing
