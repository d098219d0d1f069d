#!/usr/bin/env bash
# Programs per second: through ebpf-cts (sent, loaded, run, compared, unloaded) and through a bare loop of the runtime's own calls over the same
# programs, and the ratio: what the harness costs.
#     tests/bench/overhead.sh [PROGRAMS [SLOTS [ROUNDS]]]
# A build other than build/ is measured with CTS_BUILD=DIR.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "${CTS_BUILD:-$root/build}" && pwd)
programs=${1:-8192}
slots=${2:-48}
rounds=${3:-5}
work=$(mktemp -d "${TMPDIR:-/tmp}/cts-bench-XXXXXX")
trap 'rm -rf "$work"' EXIT
export EBPF_CTS_CACHE=$work/cache

mkdir "$work/in"
awk -v n="$programs" -v s="$slots" 'BEGIN {
    print "suite: bench/overhead\nvectors:"
    for (i = 0; i < n; i++)
        printf "  - {name: p-%d, class: V16, insns: [add64_k], clauses: [N037], program: [{insn: mov64_k, dst: 0, imm: %d}, {repeat: %d, insn: add64_k, dst: 0, imm: 1}, {insn: exit}], verdict: accept, r0: %d}\n",
            i, i, s - 2, i + s - 2
}' >"$work/in/programs.yaml"

# through ENGINE: programs per second of one run; the pack is in the cache from the second on
through() {
    "$build/ebpf-cts" run -r "$1" -j 1 -o json="$work/json" "$work/in" >"$work/out" 2>&1 || {
        tail -n 5 "$work/out" >&2
        return 1
    }
    sed -nE 's/^\{"type":"footer","complete":true,.*"passed":([0-9]+),"failed":0,.*"ns":([0-9]+)\}$/\1 \2/p' "$work/json" |
        awk -v n="$programs" '$1 == n { printf "%.0f\n", n * 1e9 / $2 }'
}

best() { sort -n | tail -n 1; }

printf '%-14s %16s %16s %8s   (%d programs of %d slots, best of %d)\n' engine "ebpf-cts -j 1" "bare loop" ratio "$programs" "$slots" "$rounds"
for engine in linux:jit ubpf:interp ubpf:jit dpdk:interp dpdk:jit; do
    through "$engine" >/dev/null || continue
    # In turn, so that a machine that is busy for a while is busy for both.
    : >"$work/with"
    : >"$work/bare"
    for _ in $(seq "$rounds"); do
        "$build/tests/bench-overhead" "$engine" "$programs" "$slots" >>"$work/bare" || continue 2
        through "$engine" >>"$work/with"
    done
    awk -v e="$engine" -v w="$(best <"$work/with")" -v b="$(best <"$work/bare")" \
        'BEGIN { printf "%-14s %14.0f/s %14.0f/s %8.2f   %.1f us more a program\n", e, w, b, b / w, 1e6 / w - 1e6 / b }'
done
