#!/usr/bin/env bash
# ctest: cost=12 asan-cost=25
# References with one wrong row each (mutants.tsv): the suite's vectors of that row must notice.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
worker=$BUILD/cts-mutant-worker
[ -x "$worker" ] || { echo "Bail out! no $worker"; exit 255; }

"$worker" --list >"$T/list" || { echo "Bail out! $worker --list fails"; exit 255; }
count=$(wc -l <"$T/list")
[ "$count" -ge 30 ]; ok $? "there are at least 30 mutants ($count)"
is "$count" "$(grep -cE '^[a-z][a-z0-9_]*'$'\t' "$(dirname "${BASH_SOURCE[0]}")/mutants.tsv")" "all of mutants.tsv are there"

# Without a mutation it is the reference.
run_cmd "$CTS" run -r "$worker:interp"
is "$rc" 0 "without a mutation the suite passes"

run_mutant() { # NUMBER ROW
    printf '#!/bin/sh\nexec "%s" --mutant %s "$@"\n' "$worker" "$1" >"$T/mutant-$1"
    chmod +x "$T/mutant-$1"
    timeout -k 5 1200 "$CTS" run -j 1 -r "$T/mutant-$1:interp" --insn "$2" -o text -o json="$T/json-$1" >"$T/out-$1" 2>"$T/err-$1" </dev/null
    echo $? >"$T/rc-$1"
}
export -f run_mutant
export worker CTS T
cut -f 1,2 "$T/list" | tr '\t' '\n' | xargs -n 2 -P "$(nproc 2>/dev/null || echo 2)" bash -c 'run_mutant "$1" "$2"' run

caught=0
by_hand=0
while IFS=$'\t' read -r number row does; do
    rc=$(cat "$T/rc-$number")
    is "$rc" 1 "$row as '$does' fails"
    like "$(cat "$T/out-$number")" "^    insn     $row " "... and the failure names the row"
    [ "$rc" = 1 ] && caught=$((caught + 1))
    grep -q '"case":"[^"]*".*"status":"fail"' <(grep -v '"case":"sweep"' "$T/json-$number") && by_hand=$((by_hand + 1))
done <"$T/list"
diag "$caught of $count mutants are caught, $by_hand of them by hand-written cases"
done_testing
