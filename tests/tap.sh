#!/usr/bin/env bash
# Runs one test, a command that prints TAP, and judges it: tap.sh COMMAND [ARGUMENT...]
#
# What it prints goes through. The last line counts its points and the time of processors that it took:
#
#     # points: 12 passed, 0 failed, 1 skipped; 3.25 s of processors
#
# Exit 0 if something ran and nothing failed. A plan that is missing or not kept, a bad exit code and a test that ran nothing
# are failures, too.
set -u

log=$(mktemp) && times=$(mktemp) || exit 255
trap 'rm -f "$log" "$times"' EXIT
# shellcheck disable=SC2034
TIMEFORMAT='%U %S'
{ time "$@" 2>&1; } 2>"$times" | tee "$log"
status=${PIPESTATUS[0]}

awk -v status="$status" -v times="$(tail -n 1 "$times")" '
    /^1\.\.0 *# *[Ss][Kk][Ii][Pp]/ { skipped++; whole++; next }
    /^1\.\.[0-9]+/ { plans++; planned += substr($1, 4); next }
    /^(not )?ok [0-9]+.*# *[Ss][Kk][Ii][Pp]/ { skipped++; points++; next }
    /^ok [0-9]+/ { passed++; points++ }
    /^not ok [0-9]+/ { failed++; points++ }
    function fails(why) { failed++; print "# failed: " why }
    END {
        if (!failed && status != 0) fails("exit code " status)
        if (!failed && points + whole == 0) fails("it tested nothing")
        if (!failed && points && !plans) fails("no plan: it did not come to its end")
        if (!failed && points != planned) fails("planned " planned + 0 " points, got " points + 0)
        split(times, t, " ")
        printf "# points: %d passed, %d failed, %d skipped; %.2f s of processors\n", passed, failed, skipped, t[1] + t[2]
        exit failed != 0
    }' "$log"
