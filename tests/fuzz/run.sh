#!/usr/bin/env bash
# One fuzzer for CTS_FUZZ_SECONDS (3), or with "long" for CTS_FUZZ_LONG (20) and with longer inputs: run.sh FUZZER [long]. Its corpus
# stays in the build folder, and the next run goes on from it.
set -u
fuzzer=$1 seconds=${CTS_FUZZ_SECONDS:-3} length=16384
[ "${2:-}" != long ] || seconds=${CTS_FUZZ_LONG:-20} length=65536
name=${fuzzer##*/}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(dirname "$fuzzer")/../fuzz-$name
mkdir -p "$work/corpus" && cd "$work" || exit 255

seeds=
case $name in
    fuzz_yaml) seeds=$root/spec/isa ;;
    fuzz_asm)
        mkdir -p seeds && seeds=seeds
        printf 'a: goto a\ncall f\n1: if r1 s>= -5 goto 1b; r1 = 0x10 ll\n' >seeds/text
        # An object file of a real assembler; without one its bytes are found slowly.
        mc=$(compgen -c llvm-mc | grep -E '^llvm-mc(-[0-9]+)?$' | sort -V | tail -n 1)
        [ -z "$mc" ] || printf 'a: goto a\ncall f\nexit\n' | "$mc" -triple=bpfel -filetype=obj -o seeds/object -
        ;;
esac
echo 1..1
# shellcheck disable=SC2086
if ASAN_OPTIONS=detect_leaks=1 "$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len="$length" \
    corpus $seeds >log 2>&1 && grep -q '^Done [1-9]' log; then
    echo "ok 1 - $name, $seconds seconds: $(sed -n 's/^Done \([0-9]*\) runs.*/\1 runs/p' log)"
else
    echo "not ok 1 - $name: see $work/log"
    grep -E 'ERROR|SUMMARY|Test unit|#[0-9]+ 0x' log | head -n 12 | sed 's/^/# /'
    exit 1
fi
