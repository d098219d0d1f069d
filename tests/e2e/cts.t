#!/usr/bin/env bash
# The script `cts`: its words, and what it says on a machine that has nothing.
. "$(dirname "$0")/lib.sh"

run_cmd "$ROOT/cts" help
is "$rc" 0 "help succeeds"
like "$out" '^usage: ./cts COMMAND' "... on stdout"
run_cmd "$ROOT/cts" frobnicate
is "$rc" 2 "an unknown command is a usage error"
like "$err" '^usage: ' "... and says how"
run_cmd "$ROOT/cts" test --frob
is "$rc" 2 "an unknown option is one, too"

mkdir "$T/bin"
for tool in bash cat dirname head id mkdir nproc sed seq tr uname; do
    ln -s "$(command -v $tool)" "$T/bin/$tool"
done
run_cmd env -i PATH="$T/bin" CTS_BUILD="$T/build" CTS_NO_INSTALL=1 "$ROOT/cts" run
is "$rc" 3 "without a compiler there is nothing to run"
like "$err" 'missing.* cmake .*gcc .*libelf-dev libyaml-dev' "... and it says what is missing"

# A package manager of our own: is it asked for what is missing, after its lists, and for nothing else?
cat >"$T/bin/apt-get" <<TXT
#!$T/bin/bash
echo "\$*" >>"$T/apt.log"
[ "\$1" != update ] || : >"$T/lists"
TXT
cat >"$T/bin/apt-cache" <<TXT
#!$T/bin/bash
[ ! -e "$T/lists" ] || [ "\$2" = libelf-dev ] || echo "\$2 | 1 | here"
TXT
printf '#!%s\n"$@"\n' "$T/bin/bash" >"$T/bin/sudo"
ln -s "$(command -v env)" "$(command -v mktemp)" "$(command -v rm)" "$(command -v tail)" "$T/bin/"
chmod +x "$T/bin/apt-get" "$T/bin/apt-cache" "$T/bin/sudo"
run_cmd env -i PATH="$T/bin" CTS_BUILD="$T/build" "$ROOT/cts" run
is "$rc" 3 "what installing does not bring is missing still"
like "$err" 'installing what is missing: .*apt-get install .*cmake ninja-build gcc ' "it says what it installs"
like "$err" 'no package libelf-dev here' "... and what is not to be had"
is "$(head -n 1 "$T/apt.log")" "update -qq" "the lists are fetched first"
like "$(sed -n 2p "$T/apt.log")" '^install .*cmake ninja-build gcc .*libyaml-dev' "the packages are asked for"
unlike "$(sed -n 2p "$T/apt.log")" 'libelf|cmocka|clang' "... and no others"

run_cmd env -i PATH="$T/bin" CTS_BUILD="$T/build" "$ROOT/cts" runtimes
is "$rc" 3 "the optional runtimes need no less"
like "$(tail -n 1 "$T/apt.log")" '^install .*gcc .*cargo-web libclang1-19 .*g\+\+' "... and cargo and libclang beside it"
unlike "$(tail -n 1 "$T/apt.log")" 'cmocka' "... but not what the tests need"

if [ "$BUILD" = "$ROOT/build" ]; then
    run_cmd "$ROOT/cts" build
    is "$rc" 0 "a build with nothing to do"
    is "$out$err" "" "... says nothing"
fi
done_testing
