#!/usr/bin/env bash
# How tests are run and counted (tests/tap.sh, tests/run.sh): what fails, ends early or does nothing never passes, and the closing line counts all points.
. "$(dirname "$0")/lib.sh"
cd "$T" || exit 255

# ---- one test ----

# judged TEXT: a test that is this script
judged() {
    printf '%s\n' "$1" >one.sh
    run_cmd "$ROOT/tests/tap.sh" bash one.sh
    last=$(printf '%s\n' "$out" | tail -n 1 | sed 's/;.*//')
}
judged 'echo "ok 1 - a"; echo "ok 2 - b # SKIP why"; echo 1..2'
is "$rc $last" "0 # points: 1 passed, 0 failed, 1 skipped" "a test that passes"
like "$out" '^# points: .*; [0-9]+\.[0-9]+ s of processors$' "... and what it took"
judged 'echo 1..1; echo "not ok 1 - a"; exit 1'
is "$rc $last" "1 # points: 0 passed, 1 failed, 0 skipped" "one that fails"
judged 'echo 1..1; echo "not ok 1 - a"'
is "$rc $last" "1 # points: 0 passed, 1 failed, 0 skipped" "... whatever its exit code says"
judged 'echo "1..0 # SKIP nothing to do"'
is "$rc $last" "0 # points: 0 passed, 0 failed, 1 skipped" "one that is skipped as a whole"
while IFS='|' read -r script points why; do
    judged "$script"
    is "$rc $last" "1 # points: $points passed, 1 failed, 0 skipped" "fails: $script"
    like "$out" "^# failed: $why" "... and it is said why"
done <<'END'
true|0|it tested nothing
echo 1..0|0|it tested nothing
echo text|0|it tested nothing
echo "ok 1 - a"|1|no plan
echo "ok 1 - a"; echo 1..2|1|planned 2 points, got 1
echo "ok 1 - a"; echo 1..1; exit 3|1|exit code 3
echo "ok 1 - a"; echo 1..1; kill -9 $$|1|exit code 137
END

# ---- many ----

# folder NAME: a build folder with the tests on standard input, "NAME LABEL SCRIPT"
folder() {
    mkdir -p "$1"
    while IFS=' ' read -r test label script; do
        printf '%s\n' "$script" >"$1/$test.sh"
        printf 'add_test(%s "%s" bash "%s")\nset_tests_properties(%s PROPERTIES LABELS "%s")\n' "$test" "$ROOT/tests/tap.sh" "$T/$1/$test.sh" "$test" "$label"
    done >"$1/CTestTestfile.cmake"
}
# tests ARGUMENTS...
tests() {
    run_cmd "$ROOT/tests/run.sh" "$@"
    total=$(printf '%s\n' "$out" | tail -n 1)
}
folder plain <<'END'
unit.a unit echo "ok 1 - a"; echo "ok 2 - b"; echo 1..2
e2e.b e2e echo "ok 1 - a # SKIP no tool"; echo "ok 2 - b"; echo "# shown: a word"; echo 1..2
e2e.b-long e2e echo "ok 1 - a"; echo 1..1
tier2.d tier2 echo "ok 1 - slow"; echo 1..1
END
folder asan <<'END'
asan.unit.a unit;sanitizers echo "ok 1 - a"; echo 1..1
END
printf '%s\n' 'ok 1 - a build' 'ok 1 - a crate # SKIP no cargo' >steps
tests --also steps plain asan
is "$rc $total" "0 total: 6 passed, 0 failed, 2 skipped" "tests of two folders, and what is counted with them"
like "$out" '^unit tests +2 passed +0 failed +0 skipped$' "... each kind with its sum"
like "$out" '^unit tests with sanitizers +1 passed ' "... those with sanitizers by themselves"
like "$out" '^builds +1 passed +0 failed +1 skipped$' "... and the builds"
like "$out" '^skipped: 1 x no tool$' "... what is skipped with its reason"
like "$out" '^a word$' "... and what a test wants to be shown"
tests --all plain
is "$rc $total" "0 total: 5 passed, 0 failed, 1 skipped" "--all: the second tier, too"
tests -L unit plain asan
is "$rc $total" "0 total: 3 passed, 0 failed, 0 skipped" "-L: the tests with a label"
tests -L unit -L sanitizers plain asan
is "$rc $total" "0 total: 1 passed, 0 failed, 0 skipped" "... with both"
tests -L tier2 plain
is "$rc $total" "0 total: 1 passed, 0 failed, 0 skipped" "... of the second tier"
tests plain -- b
is "$rc $total" "0 total: 1 passed, 0 failed, 1 skipped" "one by its name"
tests plain -- 'e2e.*' tier2.d
is "$rc $total" "0 total: 3 passed, 0 failed, 1 skipped" "some by a pattern, and one of the second tier"
tests plain -- nothing
is "$rc $total" "1 total: 0 passed, 1 failed, 0 skipped" "none of that name: nothing was tested, which is a failure"
tests --need unit --need e2e plain
is "$rc" 0 "kinds that must be there, and are"
tests --need unit --need fuzz --need asan.unit plain
is "$rc" 1 "kinds of which nothing ran"
like "$out" '^no test of the kind fuzz ran$' "... are named"
like "$out" '^no test of the kind asan.unit ran$' "... each"
mkdir empty && : >empty/CTestTestfile.cmake
tests empty
is "$rc $total" "1 total: 0 passed, 1 failed, 0 skipped" "a folder without tests"
printf 'not ok 1 - a build\n' >broken
tests --also broken
is "$rc $total" "1 total: 0 passed, 1 failed, 0 skipped" "a build that failed, and nothing to run"
tests
is "$rc $total" "1 total: 0 passed, 0 failed, 0 skipped" "nothing at all"

folder bad <<'END'
unit.good unit echo "ok 1 - a"; echo 1..1
unit.bad unit echo "ok 1 - a"; echo "not ok 2 - b"; echo "# why it is so"; echo 1..2; exit 1
e2e.none e2e true
e2e.dies e2e echo "ok 1 - a"; kill -9 $$
END
printf 'add_test(unit.gone "/nowhere/program")\nadd_test(unit.hangs sleep 100)\nset_tests_properties(unit.hangs PROPERTIES TIMEOUT 1)\n' >>bad/CTestTestfile.cmake
tests bad
is "$rc $total" "1 total: 3 passed, 5 failed, 0 skipped" "one fails, one does nothing, one dies, one is not there, and one hangs"
like "$out" '^  not ok 2 - b$' "... what failed is shown"
like "$out" '^  # why it is so$' "... with what it says"
for name in unit.bad e2e.none e2e.dies unit.gone unit.hangs; do
    like "$out" "^$name\$" "... and $name is named"
done
unlike "$out" '^unit.good$' "... and no other"
done_testing
