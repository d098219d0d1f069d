#!/usr/bin/env bash
# ctest: cost=4 asan-cost=9
# How a run comes to its end: by itself, by a signal, at its limit of failures, or as no worker can be started or answers in time. What
# was not run has no result, is counted apart, and every report says so; exit codes tell a failure from a break.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
worker=$TESTS/cts-fake-worker
[ -x "$worker" ] || { echo "Bail out! no $worker"; exit 255; }
cd "$T" || exit 255

# 0xdead is the mark of the fake workers: a worker with --fault hang answers everything before it.
vector() { # NAME IMMEDIATE
    cat <<Y
  - {name: $1, insns: [mov64_k], clauses: [N037], asm: "r0 = $2", cases: [{in: {r0: 1}, out: {r0: $2}}]}
Y
}
{
    echo "suite: end"
    echo "vectors:"
    for i in 1 2 3; do vector "before-$i" "$i"; done
    vector marked 0xdead
    for i in 4 5 6; do vector "after-$i" "$i"; done
} >in.yaml
CASES=7
fake() { # NAME FAULT
    printf '#!/bin/sh\nexec "%s" --fault %s "$@"\n' "$worker" "$2" >"$1"
    chmod +x "$1"
}
fake hang hang
fake wrong wrong
fake right right
printf '#!/bin/sh\necho "no hands" >&2\nexit 9\n' >dies
chmod +x dies
formats="-o text -o json=json -o junit=junit -o tap=tap -o markdown=md -o clauses=clauses -o groups=groups"

# ---- signals ----

# interrupt SIGNAL TIMES ARGUMENT...: runs, and sends the signal once the worker hangs; $rc, $took
interrupt() {
    local signal=$1 times=$2 pid n
    shift 2
    rm -f out json junit tap md clauses groups hangs
    # Under nohup SIGHUP is ignored, and stays so: there it is not what is tried here.
    # shellcheck disable=SC2086
    CTS_FAKE_HANGS=hangs perl -e '$SIG{HUP} = "DEFAULT"; exec @ARGV' "$CTS" run "$@" $formats >out 2>err </dev/null &
    pid=$!
    until [ -e hangs ] || ! kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
    workers=$(pgrep -P "$pid")
    took=$(date +%s%N)
    for ((n = 0; n < times; n++)); do
        kill "-$signal" "$pid" 2>/dev/null
        sleep 0.3
    done
    wait "$pid"
    rc=$?
    took=$((($(date +%s%N) - took) / 1000000))
}
[ -n "$(command -v pgrep)" ] || { echo "1..0 # SKIP pgrep is missing: apt-get install procps"; tap_done=1; exit 0; }

# Vectors that are in the cache: what runs below is workers, not the assembler.
run_cmd "$CTS" run -q -r ./right:interp in.yaml
is "$rc" 0 "the vectors are assembled"

# Jobs of a script in the background ignore SIGINT and must be ended by it all the same.
while read -r signal code; do
    interrupt "$signal" 1 --timeout 600 -j 1 -r ./right:interp -r ./hang:interp in.yaml
    is "$rc" "$code" "SIG$signal ends a run with $code"
    [ "$took" -lt 300000 ]; ok $? "... without waiting for its workers ($took ms)"
    is "$(tail -n 1 out)" "total: $CASES passed, 0 failed, 0 skipped" "... what was run counts, what was not is no failure"
    like "$(cat out)" "^not complete, interrupted: $CASES cases were not run$" "... and is counted apart"
    left=0
    for p in $workers; do kill -0 "$p" 2>/dev/null && left=$((left + 1)); done
    is "$left" 0 "... no worker stays"
done <<'X'
INT 130
TERM 143
HUP 129
X
like "$(tail -n 1 json)" "\"complete\":false,\"end\":\"interrupted\",\"not_run\":$CASES,\"passed\":$CASES,\"failed\":0," "json says that it is not complete"
is "$(grep -c '"type":"case"' json)" "$CASES" "... and has a line for each case that was run"
like "$(cat junit)" "<error message=\"interrupted: $CASES cases were not run\" type=\"incomplete\"/>" "junit has an error for it"
like "$(cat junit)" "<testsuites [^>]*tests=\"$((CASES + 1))\" failures=\"0\" errors=\"1\"" "... that it counts"
is "$(tail -n 1 tap)" "Bail out! interrupted: $CASES cases were not run" "tap bails out"
like "$(cat md)" "^\*\*Not complete, interrupted: $CASES cases were not run\.\*\*$" "markdown says it"
like "$(cat clauses)" "^# not complete: interrupted: $CASES cases were not run$" "clauses says it"
like "$(cat groups)" "^this report is not complete: interrupted: $CASES cases were not run$" "groups says it"
like "$(cat groups)" ' base64 +not tested to the end: 7 passed' "... and finds nothing conformant"
unlike "$(cat groups md)" '[^t] conformant' "... nor does markdown"

interrupt INT 2 --timeout 600 -r ./hang:interp in.yaml
[ "$rc" = 130 ]; ok $? "a second signal is no worse"
printf -- '- {vectors: "end/marked", reason: "made up", clause: N037, status: wrong-result}\n' >known.yaml
cp known.yaml known.before
interrupt TERM 1 --timeout 600 -r ./hang:interp --known known.yaml --update-known in.yaml
is "$rc" 143 "an interrupted --update-known"
like "$(cat err)" 'the run was not completed: no list of expected failures is written' "... says so"
cmp -s known.yaml known.before; ok $? "... and changes nothing"

# Before anything is run there is nothing to report, and no report is written over. Assembling is what takes its time: a slow assembler.
printf '#!/bin/sh\nsleep 600\n' >slow-mc
chmod +x slow-mc
echo earlier >json
EBPF_CTS_LLVM_MC=$PWD/slow-mc "$CTS" run --no-cache -r ./right:interp -o json=json in.yaml 2>err &
pid=$!
for ((n = 0; n < 600; n++)); do
    pgrep -P "$pid" >/dev/null && break
    sleep 0.05
done
kill -TERM "$pid"
wait "$pid"
is "$?" 143 "SIGTERM while vectors are assembled: 143"
like "$(cat err)" '^ebpf-cts: interrupted before anything was run: no report is written$' "... and that is said"
is "$(cat json)" earlier "... and the report of an earlier run is what it was"

# ---- the limit of failures ----

# The same wrong worker, again and again: three of these vectors are wrong on it.
{
    echo "suite: end"
    echo "vectors:"
    for i in 1 2 3; do
        vector "good-$i" "$i"
        vector "bad-$i" 0xdead
    done
} >wrongs.yaml
for jobs in 1 2; do
    run_cmd "$CTS" run -j "$jobs" -r ./wrong:interp --max-fails 2 wrongs.yaml -o text -o json=json
    is "$rc" 1 "--max-fails 2 with $jobs jobs: exit code 1"
    is "$(printf '%s\n' "$out" | tail -n 1)" "total: 2 passed, 2 failed, 0 skipped" "... two failures are told, and what came before"
    like "$out" '^not complete, stopped at the limit of failures: 2 cases were not run$' "... and what was not run"
    like "$(tail -n 1 json)" '"complete":false,"end":"stopped at the limit of failures","not_run":2,' "... in json, too"
done
run_cmd "$CTS" run -r ./wrong:interp --max-fails 4 wrongs.yaml
is "$rc" 1 "--max-fails 4 of 3"
unlike "$out" 'not complete' "... is a whole run"
like "$out" '^total: 3 passed, 3 failed, 0 skipped$' "... with all results"
run_cmd "$CTS" run -r ./dies:interp -r ./right:interp --max-fails 1 in.yaml
like "$out" "^total: $CASES passed, 1 failed, 0 skipped$" "a broken engine is no failure that a run stops at"
run_cmd "$CTS" run -r ./wrong:interp --max-fails 0 in.yaml
is "$rc" 2 "--max-fails 0 is wrong usage"
run_cmd "$CTS" run -r ./wrong:interp --max-fails 1 --update-known --known known.yaml in.yaml
is "$rc" 2 "--max-fails and --update-known do not go together"

# ---- engines that are broken ----

# shellcheck disable=SC2086
run_cmd "$CTS" run -r ./dies:interp -r ./right:interp $formats in.yaml
is "$rc" 3 "a worker that dies at its start: exit code 3"
like "$out" "^dies:interp  broken: worker 'dies:interp' died: exit 9; last line of stderr: no hands$" "... its last line of stderr is shown"
like "$out" ' on 1 engines \(0 skipped, 1 broken\) of ' "... it is counted as broken"
like "$out" "^total: $CASES passed, 1 failed, 0 skipped$" "... and as one error"
like "$(cat json)" '"engine":"interp","version":"","skipped":false,"broken":true,"reason":"worker .*no hands"' "json has it"
like "$(cat junit)" '<error message="worker .*no hands" type="broken"/>' "junit has it"
like "$(cat tap)" '^not ok 1 - dies:interp starts$' "tap has it"
like "$(cat tap)" '^# dies:interp broken: worker .*no hands$' "... with its reason"
like "$(cat md)" '^\| .?dies:interp.? \| broken: .*no hands.* \|$' "markdown has it"
like "$(cat groups)" '^dies:interp  broken: worker .*no hands$' "groups has it"

# ---- only errors ----

# A worker that dies each time that it is started again, once it met the mark.
cat >once <<X
#!/bin/sh
[ -e "$T/met" ] && exit 9
"$worker" --fault crash "\$@"
rc=\$?
: >"$T/met"
exit \$rc
X
chmod +x once
run_cmd "$CTS" run -j 1 -r ./once:interp in.yaml
is "$rc" 3 "errors and no failure: exit code 3"
like "$out" '^pass [0-9]+, fail 0, skip 0, error [1-9]' "... there is no failure among them"

# ---- an engine that never answers in time ----

{
    echo "suite: end"
    echo "vectors:"
    for i in $(seq 1 40); do vector "hangs-$i" 0xdead; done
} >hangs.yaml
run_cmd "$CTS" run -j 1 --timeout 0.05 -r ./hang:interp hangs.yaml -o text -o json=json
is "$rc" 3 "an engine that does not answer is given up: exit code 3"
like "$out" 'given up after 20 timeouts in a row' "... and that is said"
timeouts=$(grep -c '"failure":"timeout"' json)
errors=$(grep -c '"status":"error".*"message":"given up after 20 timeouts in a row"' json)
[ "$timeouts" -ge 5 ] && [ "$timeouts" -le 20 ]; ok $? "... after $timeouts cases"
is "$((timeouts + errors))" 40 "... the others are errors"
run_cmd "$CTS" run --help
like "$out" '20 timeouts in a row' "... --help says it"

# ---- the same every time ----

same() { # NAME ARGUMENT...
    local name=$1 k
    shift
    for k in 1 2 4; do
        # shellcheck disable=SC2086
        "$CTS" run -j "$k" "$@" $formats >"out" 2>/dev/null
        mkdir -p "same-$name-$k"
        mv out json junit tap md clauses groups "same-$name-$k/"
    done
    for k in 2 4; do
        is "$(diff -rq "same-$name-1" "same-$name-$k" 2>&1)" "" "$name: all reports are the same with 1 and $k jobs"
    done
}
unset SOURCE_DATE_EPOCH
fake crash crash
same reproducible --reproducible -r reference -r ./crash:interp -g base32 -g atomic32
unlike "$(cat same-reproducible-1/*)" '20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]T' "--reproducible: no date"
unlike "$(cat same-reproducible-1/*)" '"ns":[1-9]|[0-9] s$|time="[0-9.]*[1-9]' "... and no duration"
SOURCE_DATE_EPOCH=1700000000 same epoch -r reference -g base32
like "$(cat same-epoch-1/json)" '"time":"2023-11-14T22:13:20Z"' "SOURCE_DATE_EPOCH: its own date"
unlike "$(cat same-epoch-1/*)" '"ns":[1-9]|[0-9] s$|time="[0-9.]*[1-9]' "... and no duration"
done_testing
