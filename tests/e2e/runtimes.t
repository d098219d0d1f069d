#!/usr/bin/env bash
# Runtimes that are not there: a skip where that may be, an error where it may not; and the list of what is there.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache

# A data folder with the suite's specification and one runtime more.
mkdir -p "$T/data/runtimes"
ln -s "$ROOT/spec" "$ROOT/vectors" "$T/data/"
ln -s "$ROOT/runtimes/reference" "$T/data/runtimes/"
runtime() { # NAME LINE...: a runtime whose worker was not built
    mkdir -p "$T/data/runtimes/$1"
    {
        printf 'name: %s\ntitle: "%s"\nworker: cts-worker-%s\n' "$1" "$1" "$1"
        printf 'engines:\n  - {name: vm, what: "interpreter", default: true}\n  - {name: jit, what: "compiler", default: true}\n'
        shift
        printf '%s\n' "$@"
    } >"$T/data/runtimes/$1/runtime.yaml"
}
cts() {
    run_cmd env EBPF_CTS_DATA="$T/data" "$CTS" "$@"
}
vectors=$ROOT/vectors/base64/add.yaml
runtime absent 'optional: true' 'install: "apt-get install absent"'

# ---- not there, and need not be ----

cts run "$vectors"
is "$rc$err" 0 "an optional runtime that is not there is no error of a default run"
like "$out" '^absent:vm  skipped: not built or installed: cannot find .*/cts-worker-absent \(apt-get install absent\)$' "... but a skip, with the reason and what to install"
like "$out" ' on 1 engines \(2 skipped\) of 1 runtimes \(1 skipped\), ' "... that the summary counts"
like "$out" '^total: [1-9][0-9]* passed, 0 failed' "... and the others ran"
cts run "$vectors" -r absent -r reference -o json
is "$rc" 0 "the same by its name, beside one that runs"
like "$(printf '%s\n' "$out" | tail -n 1)" '"engines_run":1,"engines_skipped":2,"engines_broken":0,"runtimes_run":1,"runtimes_skipped":1,' "... and in json"
cts run "$vectors" -r absent
is "$rc" 4 "only it is named: nothing ran"
like "$out" '^absent:jit  skipped: ' "... and the reason is said"
like "$out" '^total: 0 passed, 0 failed, 0 skipped$' "... before a total of nothing"
cts run "$vectors" -r absent:jit
is "$rc $(printf '%s\n' "$out" | grep -c '^absent:')" "4 1" "the same for one engine"
cts run "$vectors" -r "$T/data/runtimes/absent"
is "$rc" 4 "the same for the runtime's folder"

# ---- what it keeps to ----

mkdir -p "$T/data/runtimes/free"
{
    printf 'name: reference\ntitle: "Free"\nworker: %s/cts-worker-reference\n' "$BUILD"
    printf 'engines:\n  - {name: interp, what: "interpreter", policies: [structural]}\n'
} >"$T/data/runtimes/free/runtime.yaml"
cts run "$ROOT/vectors/verifier/no-pointer.yaml" "$ROOT/vectors/verifier/reserved-field.yaml" -r "$T/data/runtimes/free:interp"
is "$rc" 0 "an engine that names the policies it keeps to"
like "$out" '^ +[0-9]+  policy linux-root is not claimed$' "... is not asked about others"
like "$out" '^total: [1-9][0-9]+ passed, 0 failed' "... and is about those"
sed -i 's/structural/structurel/' "$T/data/runtimes/free/runtime.yaml"
cts run "$vectors" -r "$T/data/runtimes/free:interp"
is "$rc" 2 "a policy that there is not is bad input"
like "$err" "free/runtime.yaml: unknown policy 'structurel'" "... which is named"
rm -r "$T/data/runtimes/free"

# ---- there, but not what it should be ----

runtime broken 'optional: true' "# $T/broken"
sed -i "s|^worker:.*|worker: $T/broken|" "$T/data/runtimes/broken/runtime.yaml"
printf '#!/bin/sh\nexit 3\n' >"$T/broken"
cts run "$vectors" -r broken
is "$rc" 3 "an optional worker that is there and cannot be executed is an error"
chmod +x "$T/broken"
cts run "$vectors" -r broken -r reference
is "$rc" 3 "... and so is one that ends at once"
like "$out" '^broken:vm  broken: ' "... which is named"
rm -r "$T/data/runtimes/broken"

# ---- not there, but must be ----

runtime needed 'install: "make needed"'
cts run "$vectors"
is "$rc" 3 "a runtime that must be there and is not is an error"
like "$out" '^needed:vm  broken: .*\(make needed\)$' "... that says what to install"
like "$out" '^total: [1-9][0-9]* passed, 2 failed' "... and the others ran"
cts run "$vectors" -r needed
is "$rc" 3 "... also when only it is named"

# ---- the list ----

cts list runtimes
is "$rc" 0 "list runtimes"
like "$out" '^reference:interp +default +runs +little-endian machine; RFC 9669$' "... what runs here, with its version"
like "$out" '^reference:interp-be +- +runs ' "... and whether it is a default"
like "$out" '^absent:vm +default +skipped +interpreter; not built or installed: .*\(apt-get install absent\)$' "... what does not, why, and what to install"
like "$out" '^needed:jit +default +broken +compiler; .*\(make needed\)$' "... whether it must or not"

# ---- the word itself ----

runtime wrong 'optional: perhaps'
cts list runtimes
is "$rc" 2 "optional is true or false"
like "$err" "runtimes/wrong/runtime\.yaml:[0-9]+:[0-9]+: .*optional" "... and the place is named"
done_testing
