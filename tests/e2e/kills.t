#!/usr/bin/env bash
# ctest: cost=19 asan-cost=24
# Workers are killed from outside at random moments, 200 times. No case is lost, none passes that did not pass undisturbed, and none fails
# but with a word about the kill: at most one for each.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
cd "$T" || exit 255
exec 3<> <(:) # nothing ever comes: for waiting without a process

cases() { # FILE: id, status, failure
    sed -nE 's/^\{"type":"case".*"vector":"([^"]*)","case":"([^"]*)".*"status":"([^"]*)","failure":"([^"]*)".*/\1#\2 \3 \4/p' "$1"
}

# kill_one RUN: one of the workers that a run has at the moment
kill_one() {
    local pid comm
    # shellcheck disable=SC2046
    set -- $(cat "/proc/$1"/task/*/children)
    [ $# -gt 0 ] || return 1
    pid=${*:RANDOM % $# + 1:1}
    read -r comm <"/proc/$pid/comm" || return 1
    case $comm in cts-*) kill -KILL "$pid" ;; *) return 1 ;; esac
} 2>/dev/null

# disturb NAME KILLS ARGUMENTS...: runs, with a kill now and then, until there were KILLS. On the average a worker has the time that a run of one vector
# takes. One that never comes to its work is broken, and that is right: then it gets twice the time, since the machine has become slower.
disturb() {
    local name=$1 wanted=$2 ms wait_ms kills=0 runs=0 here pid rc t differ=0 lost=0 bad=0 many=0 codes=0
    shift 2
    ms=$(date +%s%3N)
    run_cmd "$CTS" run -q -j 2 -f base64/add/reg "$@"
    ms=$(($(date +%s%3N) - ms))
    [ "$ms" -lt 300 ] || wanted=$((wanted / 4)) # sanitizers, a machine that has other things to do
    ms=$((ms / 3 + 2))
    diag "$name: every $ms ms"
    run_cmd "$CTS" run -q -j 2 -o json=base.json "$@"
    base_rc=$rc
    cases base.json >base
    is "$([ -s base ] && grep -c ' error ' base)" 0 "$name: the undisturbed run is whole"
    while [ "$kills" -lt "$wanted" ] && [ "$runs" -lt 30 ]; do
        runs=$((runs + 1)) here=0
        "$CTS" run -q -j 2 -o json=run.json "$@" >/dev/null 2>run.err </dev/null &
        pid=$!
        while kill -0 "$pid" 2>/dev/null; do
            wait_ms=$((RANDOM % (2 * ms) + 1))
            printf -v t '%d.%03d' $((wait_ms / 1000)) $((wait_ms % 1000))
            read -rt "$t" -u 3
            [ $((kills + here)) -lt "$wanted" ] && kill_one "$pid" && here=$((here + 1))
        done
        wait "$pid"
        rc=$?
        kills=$((kills + here))
        cases run.json >run
        if [ "$rc" = 3 ] && ! [ -s run ] && [ "$here" -ge 5 ] && grep -q "^ebpf-cts: worker '.*' died: signal 9 (SIGKILL)\$" run.err; then
            ms=$((2 * ms))
            diag "$name: killed before it came to its work: every $ms ms"
            continue
        fi
        [ "$(cut -d' ' -f1 run)" = "$(cut -d' ' -f1 base)" ] || lost=$((lost + 1))
        diff base run | sed -n 's,^> ,,p' >changed
        differ=$((differ + $(wc -l <changed)))
        bad=$((bad + $(grep -cvE ' fail (crash|flaky)$' changed)))
        [ "$(wc -l <changed)" -le "$here" ] || many=$((many + 1))
        grep -E '"failure":"(crash|flaky)"' run.json | grep -cv 'signal 9 (SIGKILL)' >others
        bad=$((bad + $(cat others)))
        [ "$rc" = "$([ -s changed ] && echo 1 || echo $base_rc)" ] || codes=$((codes + 1))
        if [ "$lost$bad$many$codes" != 0000 ]; then
            diag "run $runs: exit code $rc, $here kills, $(wc -l <run) of $(wc -l <base) cases"
            diag "$(head -n 3 run.err)"
            diag "$(grep -vE ' fail (crash|flaky)$' changed | head -n 3)"
            break
        fi
    done
    [ "$kills" -ge "$wanted" ]; ok $? "$name: $kills kills in $runs runs"
    is "$lost" 0 "$name: every case is told, once"
    is "$bad" 0 "$name: what changes fails as a crash or as flaky, and the kill is named"
    is "$many" 0 "$name: a kill costs one case at most"
    is "$codes" 0 "$name: the exit codes are those of such runs"
    [ "$differ" -gt 0 ]; ok $? "$name: the kills did something: $differ cases fail for them"
}

run_cmd "$CTS" run -q -r reference -f base64/add/reg # the vectors are assembled once
disturb reference:interp 100 -r reference:interp
run_cmd "$CTS" run -q -r linux:jit -f base64/add/reg
if [ "$rc" = 0 ]; then
    disturb linux:jit 100 -r linux:jit
else
    skip "linux:jit" "$(printf '%s\n' "$out" | sed -n 's/^linux:jit  skipped: //p')"
fi
# A runtime that is wrong all the time does not pass for being killed.
disturb "a wrong runtime" 20 -r "$BUILD/cts-constant-worker:echo" -g base64 -x verifier/
done_testing
