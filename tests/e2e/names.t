#!/usr/bin/env bash
# What a worker calls itself: one that a runtime.yaml names must be that runtime; one that is given by its path may be any.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
worker=$TESTS/cts-raw-worker
[ -x "$worker" ] || { echo "Bail out! no $worker"; exit 255; }
cd "$T" || exit 255

# runtime NAME FAULT: a folder with a runtime whose worker has the fault
runtime() {
    mkdir "$1"
    printf '#!/bin/sh\nexec "%s" --fault %s "$@"\n' "$worker" "$2" >"$1/worker"
    chmod +x "$1/worker"
    cat >"$1/runtime.yaml" <<Y
name: $1
title: "$1"
worker: $T/$1/worker
engines:
  - {name: interp, what: "interpreter", default: true}
groups: all
required: all
install: ""
Y
}
runtime raw none
runtime other none
runtime lies other-engine

run_cmd "$CTS" run -q -r ./raw -f base64/add/reg
is "$rc" 0 "a worker that is who it is said to be runs"
like "$out" '^raw:interp +RFC 9669' "... under its name"

run_cmd "$CTS" run -q -r ./other -f base64/add/reg
is "$rc" 3 "a worker that is another runtime: exit code 3"
like "$out" '^other:interp +broken: the worker of other:interp says that it is raw:interp' "... both names are told"
like "$err" 'the worker of other:interp says that it is raw:interp' "... on standard error, too"
like "$out" '^total: 0 passed, 1 failed, 0 skipped$' "... and nothing passes"

run_cmd "$CTS" run -q -r ./lies -f base64/add/reg
is "$rc" 3 "a worker that is another engine: exit code 3"
like "$out" 'the worker of lies:interp says that it is raw:jit' "... both names are told"

run_cmd "$CTS" run -q -r ./other -r reference -f base64/add/reg
is "$rc" 3 "another runtime beside a good one: exit code 3"
like "$out" '^total: [1-9][0-9]* passed, 1 failed, 0 skipped$' "... and the good one is run"

run_cmd "$CTS" run -q -r ./other/worker:interp -f base64/add/reg
is "$rc" 3 "a worker given by its path is held to the runtime.yaml beside it, too"
like "$out" '^other:interp +broken: the worker of other:interp says that it is raw:interp' "... both names are told"

mkdir bare
cp other/worker bare/other
cp lies/worker bare/lies
run_cmd "$CTS" run -q -r ./bare/other:interp -f base64/add/reg
is "$rc" 0 "one without a runtime.yaml may say what it wants"
run_cmd "$CTS" run -q -r ./bare/lies:interp -f base64/add/reg
is "$rc" 0 "... of its engine, too"
run_cmd "$CTS" run -q -r ./bare/other -f base64/add/reg
is "$rc" 0 "... and runs without an engine being named"
like "$out" '^other:interp +RFC 9669' "... with its own choice, by its name"
done_testing
