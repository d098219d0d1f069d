#!/usr/bin/env bash
# The helpers of these tests: a failure is a failure.
. "$(dirname "$0")/lib.sh"

# script TEXT: runs a test made of this text
script() {
    printf '. "%s"\n%s\n' "$ROOT/tests/e2e/lib.sh" "$1" >"$T/x.t"
    CTS_BUILD=$BUILD bash "$T/x.t" >"$T/x.out" 2>&1
    rc=$?
    out=$(cat "$T/x.out")
}

script 'is a a same; done_testing'
is "$rc" 0 "a test that passes"
is "$out" "$(printf 'ok 1 - same\n1..1')" "... as TAP"

for text in 'is a b x' 'like abc ^b x' 'unlike abc b x' 'false; ok $? x' 'fail_test x'; do
    script "$text; done_testing"
    isnt=$rc
    like "$out" '^not ok 1 - x$' "fails: $text"
    is "$((isnt != 0))" 1 "... and so does the test"
done

script 'is a a x'
is "$((rc != 0))" 1 "a test that does not reach its end"
script 'done_testing'
is "$((rc != 0))" 1 "a test without results"
script 'plan 2; pass x; done_testing'
is "$((rc != 0))" 1 "a test with fewer results than planned"
script 'skip x why; done_testing'
like "$out" '^ok 1 - x # SKIP why$' "a skip says why"
script 'skip_all why'
is "$rc $out" "0 1..0 # SKIP why" "all skipped"
script 'CMD_TIMEOUT=1 run_cmd sleep 20; is "$rc" 124 x; done_testing'
is "$rc" 0 "a command that hangs is ended"
script 'echo "$T"; pass x; done_testing'
is "$([ -e "$(head -n 1 "$T/x.out")" ]; echo $?)" 1 "the private folder is gone"
done_testing
