#!/usr/bin/env bash
# ctest: cost=4 asan-cost=9
# cmake --install makes a tree that works wherever it is put, and that adapters can be built with: the example is one, from its sources
# to its results, as a vendor would do it.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
unset EBPF_CTS_DATA EBPF_CTS_LIBEXEC
cd "$T" || exit 255

run_cmd cmake --install "$BUILD" --prefix "$T/first"
is "$rc" 0 "cmake --install succeeds"
[ "$rc" = 0 ] || diag "$out$err"
# As a path of its own: a tree in /src is not meant by each .../src/ of a text.
paths=$(printf '%s\n' "$T" "$ROOT" "$BUILD" | sed 's/[][\.*^$+?(){}|]/\\&/g; s|.*|(^\|[^A-Za-z0-9_./-])&(/\|[^A-Za-z0-9_/-]\|$)|')
is "$(grep -rlIE -e "$paths" first)" "" "no text in it names where it was made"
mv first moved
PREFIX=$T/moved
cts=$PREFIX/bin/ebpf-cts
for file in bin/ebpf-cts libexec/ebpf-cts/cts-worker-reference share/ebpf-cts/vectors/base64/add.yaml share/ebpf-cts/spec/isa/alu64.yaml \
    share/ebpf-cts/runtimes/reference/runtime.yaml share/ebpf-cts/reports/schema.json share/man/man1/ebpf-cts.1 \
    share/bash-completion/completions/ebpf-cts share/doc/ebpf-cts/PROTOCOL.md include/ebpf-cts/wire/worker.h lib/libebpf-cts-worker.a; do
    [ -s "$PREFIX/$file" ]; ok $? "it has $file"
done

# ---- it runs, with what is its own ----

run_cmd "$cts" --version
is "$rc" 0 "the program runs"
rm -r "$PREFIX/share/ebpf-cts/runtimes/linux"
run_cmd "$cts" list runtimes
is "$rc" 0 "it lists its runtimes"
like "$out" '^reference:interp +default +runs ' "... the workers are found"
unlike "$out" '^linux:' "... those of the installed tree, not of the sources"
run_cmd "$cts" run -q -r reference -g base64 -o junit=result.xml -o text
is "$rc" 0 "it runs its vectors"
like "$out" '^total: [0-9]{4,} passed, 0 failed, ' "... and they pass"
like "$(head -c 400 result.xml)" '<testsuites' "... the report for a CI system is written"
run_cmd "$cts" spec table
is "$rc" 0 "it has its specification"
run_cmd "$cts" explain base64/add/reg
is "$rc" 0 "... and explains its vectors"

# What was assembled is run without LLVM, too, as long as program and vectors stay.
ln -s "$(command -v llvm-mc-19 || ls /usr/lib/llvm-*/bin/llvm-mc | tail -n 1)" llvm-mc
run_cmd env EBPF_CTS_LLVM_MC="$T/llvm-mc" "$cts" run -q -r reference -g base64
is "$rc" 0 "vectors are assembled"
rm llvm-mc
run_cmd env EBPF_CTS_LLVM_MC="$T/llvm-mc" "$cts" run -q -r reference -g base64
is "$rc" 0 "... and run where there is no LLVM any more"
run_cmd env EBPF_CTS_LLVM_MC="$T/llvm-mc" EBPF_CTS_CACHE="$T/other" "$cts" run -q -r reference -g base64
is "$rc" 3 "... which others are not"
like "$err" "llvm-mc' is no llvm-mc" "... and that is said"

# ---- an adapter, built with the kit ----

CC=${CC:-cc}
if command -v pkg-config >/dev/null; then
    flags=$(PKG_CONFIG_PATH=$PREFIX/lib/pkgconfig pkg-config --cflags --libs ebpf-cts-worker)
    ok $? "pkg-config knows the kit"
else
    flags="-I$PREFIX/include/ebpf-cts -L$PREFIX/lib $(sed -n 's/^Libs: -L[^ ]*//p' "$PREFIX/lib/pkgconfig/ebpf-cts-worker.pc")"
    skip "pkg-config knows the kit" "no pkg-config"
fi
cp -r "$PREFIX/share/ebpf-cts/example" mine
# shellcheck disable=SC2086
run_cmd $CC -std=c11 -Wall -Wextra -Werror -o mine/worker mine/adapter.c mine/toy.c $flags
is "$rc$err" 0 "the example is built with plain $CC"
[ "$(wc -l <mine/adapter.c)" -lt 100 ]; ok $? "... its adapter is shorter than 100 lines"
run_cmd "$cts" check-adapter mine/worker
is "$rc" 0 "it keeps to the protocol"
[ "$rc" = 0 ] || diag "$out"
run_cmd "$cts" run -q -r ./mine:interp
is "$rc" 0 "the suite runs on it"
like "$out" '^total: [0-9]{4,} passed, 0 failed, ' "... and what it claims passes"

# Every row that it claims has passed something.
required=$(sed -n '/^required:/,/\]/p' mine/runtime.yaml | tr -d '[],\n' | sed 's,required:,,')
bad=
for row in $required; do
    run_cmd "$cts" run -q -r ./mine:interp --insn "$row"
    printf '%s\n' "$out" | grep -qE '^total: [1-9][0-9]* passed, 0 failed' || bad="$bad $row"
done
is "$bad" "" "... each row of it"

# A defect in it is found.
sed 's/dst - src/dst + src/' mine/toy.c >mine/wrong.c
cp mine/worker mine/right
# shellcheck disable=SC2086
$CC -std=c11 -o mine/worker mine/adapter.c mine/wrong.c $flags
run_cmd "$cts" run -q -r ./mine:interp --insn sub64_x
is "$rc" 1 "a defect in it makes the run fail"
like "$out" '^FAIL example:interp base64/sub/' "... and is named"
run_cmd "$cts" check-adapter mine/worker
is "$rc" 0 "... which is nothing to the protocol"
done_testing
