#!/usr/bin/env bash
# What is generated from spec/ and committed is what the generator writes today.
. "$(dirname "$0")/../e2e/lib.sh"

CMD_TIMEOUT=300 run_cmd cmake --build "$BUILD" --target gen-check
is "$rc" 0 "the generated files are up to date"
[ "$rc" = 0 ] || diag "$(printf '%s\n%s\n' "$out" "$err" | tail -n 20)"
done_testing
