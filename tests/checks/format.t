#!/usr/bin/env bash
# ctest: cost=13
# All sources are as clang-format writes them (.clang-format); generated ones are as their generator writes them.
. "$(dirname "$0")/../e2e/lib.sh"
cd "$ROOT" || exit 255

# Other versions break some lines elsewhere.
tool=
for t in clang-format-19 clang-format; do
    command -v $t >/dev/null && $t --version | grep -q 'version 19\.' && tool=$t && break
done
[ -n "$tool" ] || skip_all "no clang-format 19 (apt-get install clang-format-19)"

for file in $(find harness runtimes spec tests -name '*.[ch]' ! -path '*/generated/*' | sort); do
    text=$($tool --dry-run -Werror "$file" 2>&1 | head -n 5)
    is "$text" "" "$file"
done
done_testing
