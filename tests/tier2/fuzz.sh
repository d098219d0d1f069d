#!/usr/bin/env bash
# The fuzzers for longer: CTS_FUZZ_LONG seconds each (20), going on from what the short runs found.
. "$(dirname "$0")/../e2e/lib.sh"

folder=$ROOT/build-clang
seconds=${CTS_FUZZ_LONG:-20}
for fuzzer in "$folder"/tests/fuzz_*; do
    [ -f "$fuzzer" ] && [ -x "$fuzzer" ] || continue
    name=${fuzzer##*/}
    work=$folder/fuzz-$name
    mkdir -p "$work/corpus"
    CMD_TIMEOUT=$((seconds + 60)) run_cmd env -C "$work" "$fuzzer" -max_total_time="$seconds" \
        -timeout=10 -rss_limit_mb=1024 -max_len=65536 corpus
    is "$rc" 0 "$name, $seconds seconds: $(printf '%s\n' "$err" | sed -n 's/^Done \([0-9]*\) runs.*/\1 runs/p')"
    [ "$rc" = 0 ] || diag "$(printf '%s\n' "$err" | grep -E 'ERROR|SUMMARY|Test unit|#[0-9]+ 0x' | head -n 12)"
done
done_testing
