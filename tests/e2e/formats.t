#!/usr/bin/env bash
# ctest: cost=4
# A report format is one file: the one of reports/README.md, put into a copy of the tree.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache

sed -n '/^```c$/,/^```$/p' "$ROOT/reports/README.md" | sed '1d;$d' >"$T/rep_failed.c"
like "$(cat "$T/rep_failed.c")" 'cts_reporter_failed = \{' "the page has a whole format"

# Every format is told of, wherever formats are.
formats=$(cd "$ROOT/harness/report" && printf '%s\n' rep_*.c | sed 's/^rep_//; s/\.c$//')
n=0
for format in $formats; do
    n=$((n + 1))
    like "$("$CTS" run --help)" "^ +$format +[a-zA-Z]" "run --help tells of $format"
    like "$("$CTS" help --man)" "^\.B $format\$" "... so does the manual"
    like "$("$CTS" help --bash)" "\"run -o\"\) words=.*\b$format\b" "... and the completion knows it"
    like "$(cat "$ROOT/reports/README.md")" "\`$format\`" "... and the page names it"
done
[ "$n" -ge 7 ]; ok $? "formats were looked at ($n)"

link=$(ninja -C "$BUILD" -t commands ebpf-cts 2>/dev/null | tail -n 1)
case $link in
    *libcts_report.a*) ;;
    *)
        skip "a format is one file" "the build was not made by ninja"
        done_testing
        ;;
esac
mkdir "$T/tree"
(cd "$ROOT" && tar cf - CMakeLists.txt LICENSE README.md cmake harness reports runtimes spec vectors) | tar xf - -C "$T/tree"
cp "$T/rep_failed.c" "$T/tree/harness/report/"
# As the build under test is made: with the same compiler and flags.
options=$(sed -nE 's/^((CMAKE_C_COMPILER|CMAKE_BUILD_TYPE|CMAKE_C_FLAGS[A-Z_]*|CTS_SANITIZE|CTS_WERROR):[A-Z]+=.*)$/-D\1/p' "$BUILD/CMakeCache.txt")
mapfile -t options <<<"$options"
run_cmd cmake -S "$T/tree" -B "$T/build" -G Ninja "${options[@]}" -DCTS_TESTS=OFF -DCTS_RUNTIMES=off
is "$rc" 0 "a tree with one more format is configured" || diag "$err"
run_cmd ninja -C "$T/build" cts_report
is "$rc" 0 "... and builds, without a warning"
[ "$rc" = 0 ] || diag "$(printf '%s\n' "$out" | tail -n 20)"

# The rest of the program is the same.
link=${link//harness\/report\/libcts_report.a/$T/build/harness/report/libcts_report.a}
link=${link/-o ebpf-cts/-o $T/ebpf-cts}
(cd "$BUILD" && sh -c "$link") >"$T/link" 2>&1
is "$?" 0 "it is linked"
export EBPF_CTS_LIBEXEC=$BUILD EBPF_CTS_DATA=$ROOT
CTS=$T/ebpf-cts
cat >"$T/v.yaml" <<'Y'
suite: formats
vectors:
  - name: two
    insns: [add64_x]
    clauses: [N037]
    asm: "{dst} += {src}"
    cases:
      - {in: {dst: 1, src: 2}, out: {dst: 3}}
      - {in: {dst: 1, src: 2}, out: {dst: 4}}
Y
run_cmd "$CTS" run -r reference -o failed "$T/v.yaml"
is "$rc $out" "1 formats/two#2" "it reports"
run_cmd "$CTS" run -r reference -o failed="$T/f" -o text "$T/v.yaml"
is "$rc $(cat "$T/f")" "1 formats/two#2" "... into a file, beside others"
like "$("$CTS" run --help | tr -s ' \n' ' ')" ' failed the ids of the cases that failed, one a line ' "run --help tells of it"
like "$("$CTS" help --man)" '^\.B failed$' "... so does the manual"
like "$("$CTS" help --bash)" '"run -o"\) words=.* failed ' "... and the completion"
run_cmd "$CTS" run -o nosuch
like "$err" '[ ,]failed,' "... and the message about one that there is not"
done_testing
