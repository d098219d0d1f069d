#!/usr/bin/env bash
# uBPF of one's own, UBPF_DIR (a source tree, a build tree or a prefix): what it gets wrong is on record for its version.
. "$(dirname "$0")/../e2e/lib.sh"
export EBPF_CTS_CACHE=$T/cache

[ -n "${UBPF_DIR:-}" ] || skip_all "UBPF_DIR names no tree: git clone https://github.com/iovisor/ubpf, and UBPF_DIR=\$PWD/ubpf"
tree=$(cd "$UBPF_DIR" && pwd)
[ -n "$tree" ]; ok $? "UBPF_DIR is a folder"
[ -n "$tree" ] || { done_testing; exit; }

quietly() { # NAME COMMAND...
    local name=$1
    shift
    run_cmd "$@"
    is "$rc" 0 "$name"
    [ "$rc" = 0 ] || { diag "$(printf '%s\n%s\n' "$out" "$err" | grep -iE 'error|missing' | head -n 20)"; done_testing; exit; }
}

# Nothing is written to the tree.
if [ -e "$tree/vm/ubpf_vm.c" ]; then
    quietly "the tree is configured" cmake -S "$tree" -B "$T/ubpf" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
        -DUBPF_SKIP_EXTERNAL=ON -DUBPF_INSTALL_GIT_HOOKS=OFF
    quietly "... and built" cmake --build "$T/ubpf" --target ubpf
    tree=$T/ubpf
fi
quietly "the worker is configured with it" cmake -S "$ROOT" -B "$T/build" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCTS_TESTS=OFF -DUBPF_DIR="$tree"
quietly "... and built" cmake --build "$T/build" --target cts-worker-ubpf

# The suite's data, with this worker.
mkdir -p "$T/data/runtimes"
ln -s "$ROOT/spec" "$ROOT/vectors" "$T/data/"
cp -r "$ROOT/runtimes/ubpf" "$T/data/runtimes/"
worker=$(find "$T/build" -name cts-worker-ubpf -type f | head -n 1)
sed -i "s|^worker:.*|worker: $worker|" "$T/data/runtimes/ubpf/runtime.yaml"
run_cmd env EBPF_CTS_DATA="$T/data" "$CTS" list runtimes
version=$(printf '%s\n' "$out" | sed -n 's/^ubpf:interp .*; //p')
if [ "$(git -C "$UBPF_DIR" rev-parse --is-shallow-repository 2>/dev/null)" = false ] && [ -e "$UBPF_DIR/vm/ubpf_vm.c" ]; then
    like "$version" "^1\.0\.$(git -C "$UBPF_DIR" rev-list --count HEAD)\+$(git -C "$UBPF_DIR" rev-parse HEAD | cut -c 1-7)" \
        "its version is the number of commits and the last one ($version)"
else
    [ -n "$version" ]; ok $? "its version is told ($version)"
fi
for engine in interp jit; do
    run_cmd env EBPF_CTS_DATA="$T/data" "$CTS" run -r "ubpf:$engine" -o text
    is "$rc" 0 "ubpf:$engine of this tree does as is on record for its version"
    like "$out" '^total: [1-9][0-9][0-9][0-9]+ passed, ' "... and more than a thousand cases passed"
    diag "$(printf '%s\n' "$out" | grep -E '^(FAIL|ERROR|XPASS) ' | head -n 30)"
    run_cmd "$CTS" check-adapter -e "$engine" "$worker"
    is "$rc" 0 "... and its worker keeps all rules of the protocol"
done
done_testing
