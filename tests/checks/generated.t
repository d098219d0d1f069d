#!/usr/bin/env bash
# ctest: lock=build
# What is generated from spec/ and committed is what the generator writes today.
. "$(dirname "$0")/../e2e/lib.sh"

run_cmd cmake --build "$BUILD" --target gen-check
is "$rc" 0 "the generated files are up to date"
[ "$rc" = 0 ] || diag "$(printf '%s\n%s\n' "$out" "$err" | tail -n 20)"
done_testing
