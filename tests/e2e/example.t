#!/usr/bin/env bash
# ctest: cost=6 asan-cost=16
# The way to an adapter of one's own, as runtimes/README.md says it: its commands, to the letter, in its order. And whatever -r may be given
# on that way: the worker, its folder, its runtime.yaml, from here or from elsewhere.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
unset EBPF_CTS_DATA EBPF_CTS_LIBEXEC
command -v pkg-config >/dev/null || skip_all "no pkg-config"
cd "$T" || exit 255

# ---- the recipe ----

# Commands of the section, up to the one that stays in this tree.
recipe() {
    sed -n '/^## An adapter in an afternoon/,/^## /p' "$ROOT/runtimes/README.md" | grep '^    ' | sed 's/^    //' |
        sed '/^cp -r runtimes\/example/,$d' | sed "s|PREFIX|$T/installed|g; s|--install build |--install $BUILD |"
}
ln -s "$BUILD" build
count=0
while IFS= read -r line; do
    printf '%s\n' "$line" | grep -q '^\(cmake\|cp\|cc\|[^ ]*ebpf-cts\) ' || continue
    count=$((count + 1))
    # As typed: what a line leaves behind, such as its folder, is there for the next.
    eval "$line" >"$T/.out" 2>"$T/.err" </dev/null
    is "$?" 0 "runtimes/README.md: $line"
    out=$(cat "$T/.out")
done < <(recipe)
is "$count" 5 "all of the recipe"
like "$out" '^total: [0-9]{4,} passed, 0 failed, ' "what it ends with is content"
like "$out" '^example:interp  1\.0' "... is the runtime of the runtime.yaml"
[ -x "$T/mine/worker" ]; ok $? "... in a folder of one's own"
total=$(printf '%s\n' "$out" | tail -n 1)
cts=$T/installed/bin/ebpf-cts
cd "$T" || exit 255

# ---- whatever it is called ----

# same FOLDER SPEC
same() {
    run_cmd bash -c 'cd "$1" && shift && exec "$@"' - "$1" "$cts" run -q -r "$2"
    is "$rc $(printf '%s\n' "$out" | tail -n 1)" "0 $total" "-r $2 from $1"
}
same mine .
same mine ./worker:interp
same mine runtime.yaml
same . ./mine
same . mine/
same . mine/worker
same . ./mine:interp
same . mine/runtime.yaml:interp
same mine/.. "$T/mine"
run_cmd "$cts" run -q -r mine
is "$rc" 2 "a folder without a slash is a name"
like "$err" "unknown runtime 'mine'.* -r \./mine" "... and what it may be is said"
run_cmd "$cts" run -q -r ./mine:jit
is "$rc" 2 "an engine that it has not"
like "$err" "unknown engine 'jit' of runtime example; expected interp" "... is named, with those it has"
mkdir empty
run_cmd "$cts" run -q -r ./empty
is "$rc" 2 "a folder without a runtime.yaml"
like "$err" 'empty: cannot find runtime.yaml in it' "... is told so"

# Without the runtime.yaml nothing is known of it: it claims all of the RFC, and nothing that came later.
mkdir bare && cp mine/worker bare/worker
run_cmd "$cts" run -q -r bare/worker -f base64/arsh
is "$rc" 1 "alone it is held to all of the RFC"
run_cmd "$cts" run -r bare/worker -f post/may-goto/whole-program
like "$out" 'unsupported: worker refuses may_goto' "... and may refuse what is not in it"
like "$out" '^total: 0 passed, 0 failed, 1 skipped' "... which is no failure"
printf '%s\n' 'name: example' 'title: "all"' 'worker: ./worker' 'engines:' '  - {name: interp, what: "interpreter"}' 'groups: all' 'required: all' >bare/runtime.yaml
run_cmd "$cts" run -r bare/worker -f post/may-goto/whole-program
is "$rc" 1 "with a runtime.yaml that claims it, it is"
like "$out" 'insn +may_goto \(not in the RFC, from linux\): ' "... and the failure says whose instruction it is"

# ---- how to repeat a failure ----

sed -i 's/dst - src/dst + src/' mine/toy.c
(cd mine && eval "$(recipe | grep '^cc ')") || diag "the defect cannot be compiled"
mv mine "a 'runtime': of mine"

# repeats FOLDER ARGUMENT...: the command that a failure gives runs this case on this engine, as it stands.
repeats() {
    local folder=$1 name command
    shift
    run_cmd bash -c 'cd "$1" && shift && exec "$@"' - "$folder" "$cts" run "$@" --insn sub64_x
    name=$(printf '%s\n' "$out" | sed -n 's/^FAIL example:interp \([^ ]*\): .*/\1/p' | head -n 1)
    command=$(printf '%s\n' "$out" | sed -n 's/^ *repeat   //p' | head -n 1)
    run_cmd bash -c 'cd "$1" && eval "$2"' - "$folder" "$command"
    is "$rc $(printf '%s\n' "$out" | grep -cF "FAIL example:interp $name: ")" "1 1" "again: $command"
}
repeats . -r "./a 'runtime': of mine"
repeats . -r "./a 'runtime': of mine/worker"
repeats . -r "$T/a 'runtime': of mine:interp"
repeats "a 'runtime': of mine" -r .
repeats "a 'runtime': of mine" -r ./worker:interp
repeats "a 'runtime': of mine" -r runtime.yaml --level full
mkdir 'of mine' && cp "$ROOT/vectors/base64/sub.yaml" 'of mine/own.yaml'
repeats 'of mine' -r "../a 'runtime': of mine" ./own.yaml

# ---- what is on record beside it ----

run_cmd "$cts" run -q -r "./a 'runtime': of mine/worker" --update-known
is "$rc" 0 "its failures are put on record"
[ -s "a 'runtime': of mine/known.yaml" ]; ok $? "... beside it"
run_cmd "$cts" run -q -r "./a 'runtime': of mine/worker"
is "$rc" 0 "... and are known from then on"
done_testing
