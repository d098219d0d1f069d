#!/usr/bin/env bash
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
like "$out" "^FAIL .*: crash: worker 'cts-worker-rbpf:interp' died: signal 6 \(SIGABRT\); last words: panic: .* \(rbpf-[0-9.]+/src/interpreter\.rs:[0-9]+\)$" \
    "... a crash that quotes what the panic said, and where"

# ---- engines ----

run_cmd "$CTS" run -r "$worker:warp" -f base64/add/
is "$rc" 4 "an engine that there is not"
like "$out" "skipped: rbpf has no engine 'warp'" "... is a skip with the reason"

# ---- frames, by hand ----

# hex BYTES...: as bytes
hex() {
    printf '%b' "$(printf '\\x%s' "$@")"
}
# talk BYTES...: their answer in $said, as hexadecimal; the worker's exit status in $rc
talk() {
    hex "$@" >"$T/in"
    timeout 20 "$worker" >"$T/said" 2>"$T/err" <"$T/in"
    rc=$?
    said=$(od -An -v -tx1 "$T/said" | tr -d ' \n')
}
hello=(0d 00 00 00 01 00 00 00 01 00 00 00 01 00 00 00 01 00 00 00 01 00 00 00 78)
hello[24]=69 # "i", which is no engine
talk "${hello[@]}"
is "$rc" 0 "the end of the input is the end"
like "$said" '^........02000000010000000''1000000f5ffffff' "an engine that is not to be had: CAPS with -11"
none=(0c 00 00 00 01 00 00 00 02 00 00 00 01 00 00 00 01 00 00 00 00 00 00 00)
talk "${none[@]}" 04 00 00 00 03 00 00 00 03 00 00 00 00 00 00 00
like "$said" '^........0200000002000000''010000000000000000000000''0400000072627066''06000000696e74657270' "without a name the interpreter is opened"
like "$said" '04000000040000000300000000000000$' "... and a question of no items has an answer of none"
talk "${none[@]}" 01 00 00 00 03 00 00 00 07 00 00 00 ff 04 00 00 00 03 00 00 00 08 00 00 00 00 00 00 00
like "$said" '........0500000007000000f8ffffff.*04000000040000000800000000000000$' "what it does not understand it says so to, and goes on"
talk "${none[@]}" 04 00 00 00 03 00 01 00 03 00 00 00 00 00 00 00
[ "$rc" != 0 ]; ok $? "a header that makes no sense is the end, with another status"
done_testing
