#!/usr/bin/env bash
# ctest: cost=4 asan-cost=8
# JUnit XML in the form that its readers know, whatever happened in the run.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
cd "$T" || exit 255
CMD_TIMEOUT=240
command -v xmllint >/dev/null || skip_all "no xmllint: apt-get install libxml2-utils"

worker=$TESTS/cts-fake-worker
for fault in accept-all crash escape; do
    printf '#!/bin/sh\nexec "%s" --fault %s "$@"\n' "$worker" "$fault" >"$fault"
done
printf '#!/bin/sh\necho "no such <luck> \033[31m]]> &amp;" >&2\nexit 3\n' >dies
chmod +x accept-all crash escape dies

# number XPATH: of the report
number() { xmllint --xpath "string(count($1))" r.xml; }
# report NAME ARGUMENT...: runs; the report keeps to the schema, and its counts are those of its cases
report() {
    local name=$1 suites cases
    shift
    rm -f r.xml
    run_cmd "$CTS" run "$@" -o junit=r.xml -o json=r.jsonl
    run_cmd xmllint --noout --schema "$ROOT/reports/junit.xsd" r.xml
    is "$rc" 0 "$name: keeps to the schema"
    [ "$rc" = 0 ] || diag "$(printf '%s\n' "$err" | head -n 5)"
    cases=$(number '//testcase')
    suites=$(number '//testsuite')
    is "$(xmllint --xpath "string(sum(//testsuite/@tests))" r.xml) $(xmllint --xpath "string(/testsuites/@tests)" r.xml)" "$cases $cases" "... the counts are those of its $cases cases"
    is "$(number '//testsuite[@tests != count(testcase) or @failures != count(testcase/failure) or @errors != count(testcase/error) or @skipped != count(testcase/skipped)]')" 0 "... in each of the $suites suites"
    is "$(xmllint --xpath "string(/testsuites/@failures)" r.xml) $(xmllint --xpath "string(/testsuites/@errors)" r.xml)" "$(number '//failure') $(number '//error')" "... and in all"
    is "$suites" "$(grep -c '^{"type":"engine"' r.jsonl)" "... which are the engines"
}
json() { grep '^{"type":"case"' r.jsonl | grep -c "$1"; }

report "a run that passes" -r reference -r reference:interp-be -g base64
is "$(number '//testcase')" "$(json .)" "... every case is there"
report "thousands of failures" -r ./accept-all
[ "$(number '//failure')" -gt 2600 ]; ok $? "... they are there"
is "$(number '//failure[@message = "wrong result"]')" 0 "... and say more than that a result is wrong"
is "$(number '//failure[. = ""]')" 0 "... with details"
cat >marked.yaml <<'Y'
suite: junit
vectors:
  - name: marked
    insns: [mov64_k]
    clauses: [N037]
    asm: "r0 = 0xdead"
    cases:
      - {in: {r0: 1}, out: {r0: 0xdead}}
Y
report "crashes" -r ./crash marked.yaml
[ "$(number '//failure[@type = "crash"]')" -ge 1 ]; ok $? "... they are there"
report "what a worker says" -r ./escape -g atomic32
report "a worker that does not start, beside one that does" -r ./dies -r reference -g atomic32
report "nothing that can run" -r ./dies -g atomic32

# What a runtime does not claim is a number, and cases when asked for.
cp -r "$ROOT/runtimes/reference" rt
sed -i 's/^groups:.*/groups: [base32, base64]/' rt/runtime.yaml
sed -i "s|^worker:.*|worker: $BUILD/cts-worker-reference|" rt/runtime.yaml
grep -q '^groups: \[base32, base64\]' rt/runtime.yaml || printf 'groups: [base32, base64]\n' >>rt/runtime.yaml
report "groups that are not claimed" -r ./rt -g base32 -g divmul64
left=$(json '"skip":"not-claimed"')
[ "$left" -gt 50 ]; ok $? "... some cases are none of it ($left)"
is "$(number '//testcase')" "$(($(json .) - left))" "... and are left out"
is "$(xmllint --xpath 'string(//property[@name = "not-claimed"]/@value)' r.xml)" "$left" "... but counted"
report "groups that are not claimed, -v" -v -r ./rt -g base32 -g divmul64
is "$(number '//testcase')" "$(json .)" "... and there when asked for"

# Where its cases cannot be kept the report says so.
run_cmd env TMPDIR=/nonexistent "$CTS" run -r reference -g atomic32 -o junit=r.xml
is "$rc" 3 "no room for cases: exit 3"
like "$err" 'the report junit is incomplete' "... that is told"
like "$(cat r.xml)" '<error message="[0-9]+ results are missing here' "... in the report, too"
run_cmd xmllint --noout --schema "$ROOT/reports/junit.xsd" r.xml
is "$rc" 0 "... which keeps to the schema"
done_testing
