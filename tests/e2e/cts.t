#!/usr/bin/env bash
# ctest: lock=build
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
run_cmd "$ROOT/cts" test -L frob
is "$rc" 2 "... and an unknown label"
like "$err" 'unit, checks, e2e, fuzz, tier2, sanitizers' "... for which there are these"
run_cmd bash -c '. <("$1" completion) && COMP_WORDS=(./cts te) COMP_CWORD=1 && _cts && echo "${COMPREPLY[@]}"' - "$ROOT/cts"
is "$out" test "completion of the commands"
run_cmd bash -c '. <("$1" completion) && COMP_WORDS=(./cts test -L s) COMP_CWORD=3 && _cts && echo "${COMPREPLY[@]}"' - "$ROOT/cts"
is "$out" sanitizers "... and of labels"

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
like "$(tail -n 1 "$T/apt.log")" '^install .*gcc .*cargo-web .*libclang1-19 libclang-common-19-dev .*g\+\+' "... and cargo and libclang beside it, with its headers"
unlike "$(tail -n 1 "$T/apt.log")" 'cmocka' "... but not what the tests need"

# ---- what is said of a failure is its cause ----

mkdir "$T/cc"
cat >"$T/cc/cc" <<TXT
#!/bin/sh
[ "\$1" != -E ] || exec $(command -v cc) "\$@"
echo "/usr/bin/ld: cannot find crt1.o" >&2
exit 1
TXT
cat >"$T/cc/cc-one" <<TXT
#!/bin/sh
case "\$*" in
*base/err.c*) echo "cc1: out of memory allocating 65536 bytes" >&2; exit 1 ;;
esac
exec $(command -v cc) "\$@"
TXT
chmod +x "$T/cc/cc" "$T/cc/cc-one"
run_cmd env CC="$T/cc/cc" CTS_BUILD="$T/no-cc" CTS_NO_INSTALL=1 "$ROOT/cts" build
is "$rc" 3 "a compiler that does not work"
like "$err" '^CMake Error at ' "... is CMake's error"
like "$err" 'is not able to compile a simple test program' "... with its text"
like "$err" 'cannot find crt1.o' "... and what the compiler says"
unlike "$err" '^(Call Stack|-- )' "... and nothing else"
run_cmd env CC="$T/cc/cc-one" CTS_BUILD="$T/bad-cc" CTS_NO_INSTALL=1 "$ROOT/cts" build
is "$rc" 3 "a file that cannot be compiled"
if command -v ninja >/dev/null; then
    like "$err" '^FAILED: .*err.c.o$' "... is named"
    like "$err" '^cc1: out of memory allocating 65536 bytes$' "... with all that the compiler says"
else
    skip "the output of what failed" "no ninja"
fi

# crate NAME LINE...: what is said of a crate that cargo gives up on with these lines
crate() {
    local name=$1
    shift
    printf '%s\n' "$@" >"$T/cargo.txt"
    printf '#!/bin/sh\n[ "$1" = --version ] && { echo "cargo 1.90.0"; exit; }\ncat "%s/cargo.txt" >&2\nexit 101\n' "$T" >"$T/cargo"
    chmod +x "$T/cargo"
    run_cmd cmake -DNAME="$name" -DCRATE="$T" -DARTIFACT=lib.a -DCARGO="$T/cargo" -DOLDEST=1.78 -DWORK="$T/crates" -DSTAMP="$T/stamp" \
        -P "$ROOT/cmake/CtsCargoBuild.cmake"
}
crate one 'error: failed to get `libc` as a dependency' '' 'Caused by:' '  download of config.json failed' '' 'Caused by:' \
    '  [77] Problem with the SSL CA cert (path? access rights?)'
like "$err" '^error: one cannot be built: cargo cannot download .*failed to get .libc.*: \[77\] Problem with the SSL CA cert' "a crate that cannot be downloaded: the last cause"
like "$err" 'apt-get install ca-certificates' "... and what helps"
crate two 'error: failed to run custom build command for `libubpf-sys v1`' '' 'Caused by:' '  process did not exit successfully' '  --- stderr' '' \
    "  thread 'main' panicked at build.rs:71:10:" "  Unable to generate bindings: ClangDiagnostic(\"stdio.h:34:10: fatal error: 'stddef.h' file not found\")"
like "$err" "^error: two cannot be built: .*Unable to generate bindings.*'stddef.h' file not found" "a script of a crate that gave up: why"
like "$err" 'apt-get install libclang-common-19-dev' "... and what helps"
crate three 'error: failed to run custom build command for `x v1`' '' 'Caused by:' '  process did not exit successfully' '  --- stderr' \
    '  CMake Error at CMakeLists.txt:13 (project):' '    No CMAKE_CXX_COMPILER could be found.' '' '  -- Configuring incomplete'
like "$err" '^error: three cannot be built: .*CMake Error at .*No CMAKE_CXX_COMPILER could be found' "CMake within a crate: its text"
like "$err" 'apt-get install g\+\+' "... and what helps"

if [ "$BUILD" = "$ROOT/build" ]; then
    run_cmd "$ROOT/cts" build
    is "$rc" 0 "a build with nothing to do"
    is "$out$err" "" "... says nothing"
fi
done_testing
