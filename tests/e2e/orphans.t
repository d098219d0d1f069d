#!/usr/bin/env bash
# What a worker leaves behind, in another process group and session, deaf to SIGTERM, with or without its environment, is over when the
# command is; what is none of a worker's stays.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache FAKE_PIDS=$T/pids
worker=$TESTS/cts-fake-worker
[ -x "$worker" ] || { echo "Bail out! no $worker"; exit 255; }
cd "$T" || exit 255
mkdir in
cat >in/mark.yaml <<'Y'
suite: orphans
vectors:
  - name: plain
    insns: [add64_x]
    clauses: [N037]
    asm: "{dst} += {src}"
    cases:
      - {in: {dst: 1, src: 2}, out: {dst: 3}}
  - name: marked
    insns: [mov64_k]
    clauses: [N037]
    asm: "r0 = 0xdead"
    cases:
      - {in: {r0: 1}, out: {r0: 0xdead}}
Y
for fault in orphans right late; do
    printf '#!/bin/sh\nexec "%s" --fault %s "$@"\n' "$worker" "$fault" >"$fault"
    chmod +x "$fault"
done

lives() { # PID: also a zombie is over
    grep -q '^State:[[:space:]]*[^ZX]' "/proc/$1/status" 2>/dev/null
}
left() { # FILE: how many of its processes there still are
    local pid n=0
    while read -r pid _; do
        if lives "$pid"; then
            n=$((n + 1))
            [ "$1" != "$FAKE_PIDS" ] || kill -9 "$pid"
        fi
    done <"$1"
    echo "$n"
}

# Several workers at a time, which crash and are started again.
run_cmd "$CTS" run -j 2 -r ./orphans:interp -r ./orphans:interp-be -r ./right:interp in
is "$rc" 1 "workers that leave children behind, and crash: exit code 1"
[ "$(wc -l <"$FAKE_PIDS")" -ge 8 ]
ok $? "... they left $(wc -l <"$FAKE_PIDS")"
is "$(left "$FAKE_PIDS")" 0 "... and none of them is there after run"

: >"$FAKE_PIDS"
run_cmd "$CTS" check-adapter -e interp -c hello -c caps -c end -c killed ./orphans
is "$rc" 0 "check-adapter has nothing against it"
[ "$(wc -l <"$FAKE_PIDS")" -ge 8 ]
ok $? "... they left $(wc -l <"$FAKE_PIDS")"
is "$(left "$FAKE_PIDS")" 0 "... and none of them is there after check-adapter"

# Children that the process had before, and what they leave to it.
: >"$FAKE_PIDS"
run_cmd bash -c 'sleep 100 & echo $! >before
    (sleep 0.2; setsid sleep 101 & echo $! >theirs) &
    setsid sleep 102 & echo $! >>before
    exec "$@"' bash "$CTS" run --timeout 30 -r ./late:interp -r ./orphans:interp in
is "$rc" 1 "a process that has children of its own: exit code 1"
is "$(left before)" 2 "... they are there afterwards"
is "$(left theirs)" 1 "... and so is what they left to it"
kill -9 $(cat before theirs)
[ "$(wc -l <"$FAKE_PIDS")" -ge 4 ]
ok $? "... the workers left $(wc -l <"$FAKE_PIDS")"
# Who hides its environment there cannot be told from those.
grep marked "$FAKE_PIDS" >marked
is "$(left marked)" 0 "... and none that can be told to be theirs is there"
while read -r pid _; do kill -9 "$pid" 2>/dev/null; done <"$FAKE_PIDS"
done_testing
