#!/usr/bin/env bash
# ctest: cost=7
# Every header compiles alone, with both compilers.
. "$(dirname "$0")/../e2e/lib.sh"
cd "$ROOT" || exit 255

compilers=
for cc in gcc clang-19 clang; do
    case "$compilers" in *clang*) [ "$cc" = clang ] && continue ;; esac
    command -v "$cc" >/dev/null && compilers="$compilers $cc"
done
flags="-std=c17 -D_GNU_SOURCE -fsyntax-only -Wall -Wextra -Werror -Iharness -Ispec -x c -"

# The boxes that are not below harness/ are reached through the links of the build.
for folder in "$BUILD"/include/*/; do
    flags="-I$folder $flags"
done

for header in $(find harness spec runtimes tests -name '*.h' | sort); do
    for cc in $compilers; do
        # shellcheck disable=SC2086
        text=$(printf '#include "%s"\n' "$ROOT/$header" | $cc -I"$(dirname "$header")" $flags 2>&1)
        is "$?$text" 0 "$cc: $header"
    done
done
done_testing
