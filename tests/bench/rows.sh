#!/usr/bin/env bash
# Operand tuples per second: through ebpf-cts (made, run, compared) and through a bare loop of the same system calls, and their ratio.
#     tests/bench/rows.sh [SWEEPS]
# A build other than build/ is measured with CTS_BUILD=DIR.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "${CTS_BUILD:-$root/build}" && pwd)
sweeps=${1:-6}
work=$(mktemp -d "${TMPDIR:-/tmp}/cts-bench-XXXXXX")
trap 'rm -rf "$work"' EXIT
export EBPF_CTS_CACHE=$work/cache

mkdir "$work/in"
{
    printf 'suite: bench/rows\nvectors:\n'
    for i in $(seq "$sweeps"); do
        printf '  - {name: sweep-%d, insns: [add64_x], clauses: [N037], asm: "{dst} += {src}", sweep: {dst: u64, src: u64, r7: shift}}\n' "$i"
    done
} >"$work/in/rows.yaml"

# through ENGINE JOBS: rows per second; the pack is in the cache already
through() {
    local best=0 rate i
    for i in 1 2 3; do
        "$build/ebpf-cts" run -r "$1" -j "$2" --level exhaustive -o json="$work/json" "$work/in" >"$work/out" 2>&1 || {
            cat "$work/out" >&2
            return 1
        }
        rate=$(sed -nE 's/^\{"type":"footer","complete":true,.*"failed":0,.*"operand_tuples":([0-9]+),.*"ns":([0-9]+)\}$/\1 \2/p' "$work/json" |
            awk '$1 > 0 { printf "%.0f", $1 * 1e9 / $2 }')
        [ -n "$rate" ] || { echo "$1 was not run" >&2; return 1; }
        [ "$rate" -gt "$best" ] && best=$rate
    done
    echo "$best"
}

# bare ENGINE SEGMENTS: the best of three
bare() {
    for _ in 1 2 3; do
        "$build/tests/bench-rows" "$1" "$2" 0.5
    done | sort -n | tail -n 1
}

jobs=$(nproc)
printf '%-18s %15s %15s %15s %15s %8s\n' engine "ebpf-cts -j $jobs" "ebpf-cts -j 1" "bare, 1 segment" "bare, 8" ratio
for engine in linux:jit reference:interp; do
    all=$(through "$engine" "$jobs") || continue
    with=$(through "$engine" 1) || continue
    one=$(bare "$engine" 1) || continue
    eight=$(bare "$engine" 8 2>/dev/null) || eight=
    awk -v n="$engine" -v a="$all" -v w="$with" -v o="$one" -v e="${eight:-0}" \
        'BEGIN { printf "%-18s %13.2f M %13.2f M %13.2f M %15s %8.2f\n", n, a / 1e6, w / 1e6, o / 1e6, e ? sprintf("%.2f M", e / 1e6) : "-", o / w }'
done
