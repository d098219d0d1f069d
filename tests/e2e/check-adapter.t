#!/usr/bin/env bash
# ctest: cost=8 asan-cost=21
# check-adapter: workers that keep to the protocol pass every check; each fault is found by the check that is there for it.
. "$(dirname "$0")/lib.sh"
fake=$TESTS/cts-fake-worker
raw=$TESTS/cts-raw-worker
for w in "$fake" "$raw"; do
    [ -x "$w" ] || { echo "Bail out! no $w"; exit 255; }
done
cd "$T" || exit 255

# ---- the command ----

run_cmd "$CTS" check-adapter --list
is "$rc" 0 "--list succeeds"
checks=$(printf '%s\n' "$out" | awk '{ print $1 }')
is "$(printf '%s\n' "$checks" | sort | uniq -d)" "" "... names each check once"
count=$(printf '%s\n' "$checks" | wc -l)

run_cmd "$CTS" check-adapter
is "$rc$out" 2 "no worker: wrong usage"
run_cmd "$CTS" check-adapter -c no-such-check "$BUILD/cts-worker-reference"
is "$rc" 2 "an unknown check: wrong usage"
like "$err" "unknown check 'no-such-check'" "... that is named"
run_cmd "$CTS" check-adapter ./no-such-worker
is "$rc" 3 "a worker that is not there: exit code 3"
like "$out" '^Bail out! .*no-such-worker' "... that is named"
run_cmd "$CTS" check-adapter "$fake" --fault unsupported interp
is "$rc" 4 "an engine that is not to be had: exit code 4"
like "$out" '^1\.\.0 # SKIP the moon is not full' "... and the worker's reason"
run_cmd "$CTS" check-adapter -c run -c end "$BUILD/cts-worker-reference"
is "$rc $(printf '%s\n' "$out" | grep -c '^ok')" "0 2" "-c runs single checks"

# ---- workers that are right ----

# passes NAME ENGINE WORKER...
passes() {
    local name=$1
    run_cmd "$CTS" check-adapter -e "${@:2}"
    is "$rc" 0 "$name passes"
    is "$(printf '%s\n' "$out" | grep -c '^ok ')" "$count" "... all checks"
    is "$(printf '%s\n' "$out" | grep -v '^ok ' | grep -vxE "TAP version 13|# .*|1\.\.$count")" "" "... and the output is TAP"
    [ "$rc" = 0 ] || diag "$out"
}
for engine in interp interp-be interp-env interp-env-be; do
    passes "reference:$engine" $engine "$BUILD/cts-worker-reference"
done
passes "the raw worker" interp "$raw" --fault none
passes "a worker that prints" interp "$fake" --fault chatter
passes "a worker without a shared window" interp "$fake" --fault unshared
passes "a worker without a window" interp "$fake" --fault whole
passes "a worker that wants objects" interp "$fake" --fault object

# The runtimes that are here; one that is not to be had says so.
while read -r name; do
    case $name in reference:*) continue ;; esac
    worker=$(sed -n 's/^worker: *//p' "$ROOT/runtimes/${name%%:*}/runtime.yaml")
    if [ ! -x "$BUILD/$worker" ]; then
        skip "$name passes" "no $worker"
        continue
    fi
    run_cmd "$CTS" check-adapter -e "${name#*:}" "$BUILD/$worker"
    if [ "$rc" = 4 ]; then
        skip "$name passes" "$(printf '%s\n' "$out" | sed -n 's/^1\.\.0 # SKIP //p')"
        continue
    fi
    # A long program is a crash of rbpf's compiler, which is on record.
    want=
    [ "$name" = rbpf:jit ] && want=longest
    failing=$(printf '%s\n' "$out" | sed -n 's/^not ok [0-9]* - \([a-z0-9-]*\): .*/\1/p' | xargs)
    is "$rc $failing" "$([ -z "$want" ] && echo "0 " || echo "1 $want")" "$name passes${want:+ all but $want}"
done < <("$CTS" list runtimes | awk '/^[a-z]+:[a-z]/ && / default / { print $1 }')

# ---- faults ----

# Worker, fault, options, and the checks that fail, those first that are there for it.
cat >table <<'E'
raw any-version       -t9  version-unknown
raw one-version       -t9  version-range
raw any-engine        -t9  engine-unknown
raw other-engine      -t9  engine
raw no-default        -t9  engine-default
raw r0-bits           -t9  caps engine-default
raw hello-dies        -t9  hello-malformed
raw hello-again       -t9  hello-again
raw early-dies        -t9  exec-early
raw empty-dies        -t9  empty
raw r0-32             -t9  result maps
raw once              -t9  iterations entries shared
raw forgets           -t9  kept numbers replaced
raw absent            -t9  absent kept refused refused-replaces
raw numbers           -t9  numbers
raw keeps-old         -t9  replaced refused-replaces
raw reverse           -t9  batch numbers refused maps begun under-way end-loaded
raw refused-run       -t9  refused fault too-long
raw refused-old       -t9  refused-replaces
raw no-reason         -t9  reason
raw no-context        -t9  context
raw no-stack          -t9  stack
raw long-text         -t9  refused refused-replaces reason fault
raw not-utf8          -t9  refused refused-replaces reason fault too-long
raw fault-ran         -t9  fault
raw fault-done        -t9  fault
raw long-dies         -t9  longest too-long
raw modest            -t9  too-long
raw stale-map         -t9  maps
raw rows-lost         -t9  entries
raw rows-spilt        -t9  entries
raw rows-anywhere     -t9  entries-outside
raw layout-any        -t9  layout
raw other-memory      -t9  shared begun
raw no-begun          -t9  begun
raw waits-on          -t9  begun
raw progress-seq      -t9  run load
raw progress-more     -t9  run load
raw progress-flood    -t9  run load
raw malformed-dies    -t9  malformed entries-outside layout
raw lenient           -t9  malformed
raw header-0          -t9  bad-header
raw one-read          -t9  pieces longest too-long
raw swaps             -t9  under-way
raw end-1             -t9  end end-loaded end-asked
raw end-loaded-1      -t9  end-loaded
raw unclean           -ckilled killed
raw alone             -t9  together
raw end-mute          -cend-asked end-asked
raw malformed-mute    -t1,-cmalformed malformed
raw no-request-mute  -t1,-cno-request no-request
raw header-on         -t1,-cbad-header bad-header
raw broken-hangs      -t1,-cbroken-off broken-off
raw end-hangs         -t1,-cend end
fake noexec           -t9  hello engine-unknown version-unknown
fake broken           -t9  hello
fake garbage          -t9  hello engine-unknown version-unknown
fake text             -t9  hello engine-unknown version-unknown
fake huge-window      -t9  caps engine-default shared begun
fake no-slots         -t9  caps engine-default too-long
fake odd-version      -t9  caps engine-default
fake small-window     -t9  shared begun
fake file-window      -t9  shared begun
fake arena-window     -t9  shared begun
fake other-memory     -t9  shared begun
fake crash            -t9  run
fake crash-load       -t9  load run
fake exit             -t9  run
fake child            -t9  end run
fake orphans          -t9  run
fake hang             -t1  run
fake hang-load        -t1  load run
fake late             -t1,-crun run
fake flood-stderr     -t9  run
fake lie              -t9  run
fake lie-r0           -t9  run
fake wrong            -t9  run
fake flaky            -t9  run
fake flaky-wrong      -t9  run
fake escape           -t9  run begun
fake reject-all       -t9  load run
fake accept-all       -t9  fault too-long
fake load-once        -t9  quiet
fake grow             -t9  run
fake verify           -t9  load run
fake verify-whole     -t9  load run
fake verify-crash     -t9  load run
fake verify-all       -t9  too-long
fake flood-stdout     -t9  load run
fake flood-frames     -t9  quiet
fake twice            -t9  quiet
fake short            -t9  load run
fake truncate         -t9  load run
fake stuck            -t1  load run
fake trickle          -t1  load run
fake seq              -t9  load run
fake type             -t9  load run
fake failed           -t9  load run
fake huge             -t9  load run
fake large            -t9  load run
fake trailing         -t9  load run
fake ops              -t9  load run
fake closed           -t9  load run
E

# Every fault of the raw worker is in the table (another name is none to the protocol); every check is the first to find some fault.
"$raw" 2>&1 | awk '/^  / { print $1 }' | grep -vxE 'none|other-runtime' | sort >have
awk '$1 == "raw" { print $2 }' table | sort >want
is "$(diff want have)" "" "every fault of the raw worker is tried"
is "$(printf '%s\n' "$checks" | sort | comm -23 - <(awk '{ print $4 }' table | sort -u) | xargs)" "" "every check has a fault that it is for"

# The checks named, and some that must not mind.
check_fault() { # WORKER FAULT OPTIONS CHECK...
    local id=$1-$2 worker=$fake
    [ "$1" = raw ] && worker=$raw
    set -- "$1" "$2" "${3//,/ } $(printf -- '-c%s ' "${@:4}" hello run batch entries end)"
    FAKE_STATE=$T/$id.state timeout -k 5 1200 "$CTS" check-adapter -e interp $3 "$worker" --fault "$2" >"$id.out" 2>"$id.err" </dev/null
    echo $? >"$id.rc"
}
export -f check_fault
export fake raw CTS T
# Some of the time is spent waiting.
xargs -P 4 -L 1 bash -c 'check_fault "$@"' run <table

while read -r who fault _ failing; do
    id=$who-$fault
    if grep -q 'no arenas here' "$id.out"; then
        skip "$id" "the kernel has no arenas, or nobody may have one (root)"
        continue
    fi
    is "$(sed -n 's/^not ok [0-9]* - \([a-z0-9-]*\): .*/\1/p' "$id.out" | sort | xargs)" \
        "$(printf '%s\n' $failing | sort | xargs)" "$id: found by ${failing%% *}"
    is "$(cat "$id.rc" "$id.err")" 1 "... exit code 1, nothing on stderr"
done <table

messages() { sed -n 's/^  message: //p' "$1.out" | head -n 1; }
like "$(messages fake-crash)" 'it died before it responded: signal 11 \(SIGSEGV\)' "a death is told with its signal"
like "$(sed -n 's/^  stderr: //p' fake-crash.out)" 'about to crash' "... and the worker's last line of stderr"
like "$(messages fake-text)" 'text on stdout.*: Hello, this is no frame' "text instead of frames is shown"
like "$(sed -n '/^  seen:/,/^  \.\.\./p' fake-garbage.out | head -n 2)" '^    de ad be ef 80 81 82 83' "bytes that came are shown"
like "$(sed -n '/^  request:/,/^  seen/p' fake-wrong.out)" 'b7 00 00 00 ad de' "the request is shown"
like "$(messages fake-hang)" 'no response within 1000 ms' "silence is told"
like "$(messages fake-seq)" 'sequence number' "a wrong sequence number is told"
like "$(messages fake-file-window)" 'nothing that the harness will share: it is neither a memory file nor a BPF map' "a window that cannot be shared is told, with the reason"
grep -q 'no arenas here' fake-arena-window.out ||
    like "$(messages fake-arena-window)" 'it is a BPF map, but no array with BPF_F_MMAPABLE' "... an arena, too"
like "$(messages raw-rows-spilt)" 'entry 1, the output of r0' "a byte that should not have been written is told"
like "$(messages raw-reverse)" 'r0 is' "a wrong order is told"
unlike "$(cat ./*.out)" $'\033|\001' "no control characters of a worker reach the output"

none_survives "$fake"
done_testing
