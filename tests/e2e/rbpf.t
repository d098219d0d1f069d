#!/usr/bin/env bash
# ctest: cost=4 asan-cost=11
# rbpf, and its worker as the example of one that is not written in C.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
worker=$BUILD/cts-worker-rbpf
[ -x "$worker" ] || skip_all "rbpf is not built (./cts runtimes)"

# ---- the suite ----

run_cmd "$CTS" run -r rbpf:interp -r rbpf:jit -o json="$T/r.json" -o text
is "$rc" 0 "everything that rbpf gets wrong is on record"
[ "$rc" = 0 ] || diag "$(printf '%s\n' "$out" | grep -E '^(FAIL|ERROR|XPASS) ' | head -n 20)"
ran=$(grep -c '"type":"engine".*"skipped":false' "$T/r.json")
[ "$(uname -m)" = x86_64 ] && want=2 || want=1
is "$ran" "$want" "$want engines ran"
count() { # STATUS
    grep -c "\"type\":\"case\".*\"status\":\"$1\"" "$T/r.json"
}
[ "$(count pass)" -ge $((ran * 4000)) ]; ok $? "more than 4000 cases pass on each ($(count pass))"
[ "$(count xfail)" -ge $((ran * 100)) ]; ok $? "what it gets wrong is asked, too ($(count xfail))"

# ---- a panic is told as a crash, with its message ----

run_cmd "$CTS" run -r "$worker:interp" -f base32/ja-displacements/ja-forward
is "$rc" 1 "a panic is a failure"
like "$out" "^FAIL .*: crash: worker 'cts-worker-rbpf:interp' died: signal 6 \(SIGABRT\); last line of stderr: panic: .* \(rbpf-[0-9.]+/src/interpreter\.rs:[0-9]+\)$" \
    "... a crash that quotes what the panic said, and where"

# ---- engines ----

run_cmd "$CTS" run -r "$worker:warp" -f base64/add/
is "$rc" 4 "an engine that there is not"
like "$out" "skipped: rbpf has no engine 'warp'" "... is a skip with the reason"

# ---- the protocol ----

run_cmd "$CTS" check-adapter -e interp "$worker"
is "$rc" 0 "the worker keeps all rules of the protocol"
[ "$rc" = 0 ] || diag "$(printf '%s\n' "$out" | grep -A 8 '^not ok' | head -n 40)"
done_testing
