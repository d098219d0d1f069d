#!/usr/bin/env bash
# The checks of the tree can fail: a small tree without faults, then each fault they are there to find.
. "$(dirname "$0")/lib.sh"

tree=$T/tree
mkdir -p "$tree/tests/e2e" "$tree/tests/unit" "$tree/harness/low" "$tree/harness/high" "$tree/spec" \
    "$tree/runtimes/some" "$tree/build/include"
cp -r "$ROOT/tests/checks" "$tree/tests/"
cp "$ROOT/tests/e2e/lib.sh" "$tree/tests/e2e/"
cp "$ROOT/.clang-format" "$tree/"
cat >"$tree/build/boxes.txt" <<'TXT'
box low harness/low 
box high harness/high low
program some runtimes/some low
TXT
printf '| `low` | a |\n| `high` | b |\n| `cli` | c |\n' >"$tree/harness/README.md"
printf 'int low(void);\n' >"$tree/harness/low/low.h"
printf '#include "low/low.h"\n#include <yaml.h>\n#include <libelf.h>\n' >"$tree/harness/low/low.c"
printf '#include "high/high.h"\n#include "low/low.h"\n' >"$tree/harness/high/high.c"
printf 'int high(void);\n' >"$tree/harness/high/high.h"
printf 'int main(void)\n{\n    return 0;\n}\n' >"$tree/runtimes/some/main.c"
printf '/* uses: low */\n#include "low/low.h"\n' >"$tree/tests/unit/test_low.c"

# faults CHECK: the names of the results that failed
faults() {
    CTS_BUILD=$tree/build bash "$tree/tests/checks/$1.t" 2>&1 | sed -n 's/^not ok [0-9]* - //p'
}
# finds CHECK NAME FILE TEXT: with this text at the end of the file the check fails in this result
finds() {
    cp "$tree/$3" "$T/keep"
    printf '%b\n' "$4" >>"$tree/$3"
    like "$(faults "$1")" "$2" "$1.t finds: $4"
    cp "$T/keep" "$tree/$3"
}

is "$(faults deps)" "runtime program some uses base, isa and wire only" \
    "deps.t: only the runtime's use of a box of the harness"
finds deps 'box low .*includes only' harness/low/low.c '#include "high/high.h"'
finds deps 'box early depends only on boxes before' build/boxes.txt 'box early harness/high later'
finds deps 'libyaml is known to one file' harness/high/high.c '#include <yaml.h>'
finds deps 'libelf is known to one file' harness/high/high.c '#include <gelf.h>'
finds deps 'print or exit' harness/high/high.c 'void f(void) { printf("x"); }'
finds deps 'print or exit' harness/high/high.c 'void f(void) { exit(1); }'
finds deps 'README.md names the boxes' harness/README.md '| `lost` | d |'
finds deps 'first line names' tests/unit/test_low.c '#include "high/high.h"'
mkdir "$tree/harness/lost" && touch "$tree/harness/lost/lost.c"
like "$(faults deps)" 'every folder' "deps.t finds a folder that is in no box"
rm -r "$tree/harness/lost"

is "$(faults headers)" "" "headers.t: no fault"
finds headers 'gcc: harness/low/low.h' harness/low/low.h 'size_t f(void);'

if command -v clang-format-19 >/dev/null; then
    is "$(faults format)" "" "format.t: no fault"
    finds format 'harness/low/low.h' harness/low/low.h 'int  f( void );'
else
    skip "format.t" "no clang-format 19"
fi

is "$(faults paths)" "" "paths.t: no fault"
finds paths 'no path of this tree' harness/low/low.h "/* $tree/x */"
finds paths 'home folder' harness/low/low.h '/* /ho''me/me/x */'
finds paths 'unfinished' harness/low/low.h '/* FIX''ME */'
done_testing
