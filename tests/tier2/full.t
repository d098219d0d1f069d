#!/usr/bin/env bash
# ctest: lock=switches
# The whole suite at level full, on every runtime found here.
. "$(dirname "$0")/../e2e/lib.sh"

run_cmd "$CTS" run --level full
is "$rc" 0 "level full has no unexpected result"
like "$out" '^total: [1-9][0-9]* passed, 0 failed, ' "... and ran"
diag "$(printf '%s\n' "$out" | tail -n 6)"
[ "$rc" = 0 ] || diag "$(printf '%s\n' "$err" | tail -n 12)"
run_cmd "$CTS" sight --level full
is "$rc" 0 "of all that level full says comes out something is compared, in every sight"
diag "$(printf '%s\n' "$out" | tail -n 10)"
done_testing
