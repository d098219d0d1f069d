#!/usr/bin/env bash
# ctest: cost=8 asan-cost=14 lock=switches
# The machine's switches: what was measured while another process had bpf_jit_harden changed is no result, and a machine that is hardened is no
# failure.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
switch=/proc/sys/net/core/bpf_jit_harden

[ -w $switch ] || skip_all "$switch cannot be written: run as root"
own=$(cat $switch)
flipper=
restore() {
    [ -z "$flipper" ] || { kill "$flipper" && wait "$flipper"; } 2>/dev/null
    flipper=
    [ "$(cat $switch)" = "$own" ] || echo "$own" >$switch
}
trap 'status=$?; restore; (exit $status); tap_end' EXIT
[ "$own" != 2 ] || skip_all "this machine is hardened: $switch is 2"

# The vectors that blinding lengthens most, and some that it does not mind.
run_some() { run_cmd "$CTS" run -r "linux:$1" -f displacements -f base64/add/ -j 2 -o text -o json=r.json; }
cd "$T" || exit 255
run_some jit
[ "$rc" = 0 ] || skip_all "linux:jit does not run here: $(printf '%s\n' "$out" | head -n 1)"
quiet=$(printf '%s\n' "$out" | tail -n 1)
like "$quiet" '^total: [1-9][0-9]+ passed, 0 failed, ' "the vectors pass where nobody changes the switch"
run_some jit-hardened
is "$rc" 0 "... and on the hardened engine, what fails is on record"
hardened=$(printf '%s\n' "$out" | tail -n 1)

# Each engine beside a process that sets the switch every 0.3 s. It knows nothing of the adapter's lock, as another container would not.
flip() {
    while kill -0 $$ 2>/dev/null; do
        echo 2 >$switch
        sleep 0.3
        echo 0 >$switch
        sleep 0.3
    done
}
for engine in jit jit-hardened; do
    want=$quiet
    [ $engine = jit ] || want=$hardened
    flip &
    flipper=$!
    for try in 1 2 3; do
        run_some $engine
        is "$rc" 0 "$engine beside a process that flips the switch: exit code 0 (try $try)"
        unlike "$out" '^(FAIL|ERROR|XPASS) ' "... nothing fails"
        # A machine on which the switch is never at rest for as long as a load takes has skips with the reason instead.
        [ "$(printf '%s\n' "$out" | tail -n 1)" = "$want" ] || grep -q '"skip":"machine"' r.json
        ok $? "... and the counts are those of a quiet machine, or say which were not settled"
    done
    restore
done

# One that does nothing else: the switch may be another one and back within a single load.
flip_fast() {
    while kill -0 $$ 2>/dev/null; do
        echo 2 >$switch
        echo 0 >$switch
    done
}
flip_fast &
flipper=$!
run_some jit
restore
is "$rc" 0 "jit beside a process that flips the switch all the time: exit code 0"
unlike "$out" '^(FAIL|ERROR|XPASS) ' "... nothing fails"

# Its owner has hardened the machine: what blinding lengthens too much is skipped, with the reason.
echo 2 >$switch
run_some jit
restore
is "$rc" 0 "jit on a hardened machine: exit code 0"
like "$out" 'its owner has hardened the machine' "... what is not to be had there is skipped with the reason"
unlike "$out" '^(FAIL|ERROR) ' "... nothing fails"
is "$(cat $switch)" "$own" "the switch is as it was"
done_testing
