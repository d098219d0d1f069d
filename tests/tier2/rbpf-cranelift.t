#!/usr/bin/env bash
# rbpf with its engine cranelift, which takes minutes to build.
. "$(dirname "$0")/../e2e/lib.sh"
export EBPF_CTS_CACHE=$T/cache

command -v cargo >/dev/null || skip_all "no cargo"
export CARGO_TARGET_DIR=$BUILD/cargo/cranelift CARGO_TERM_COLOR=never
run_cmd cargo build --release --locked --features cranelift --manifest-path "$ROOT/runtimes/rbpf/Cargo.toml"
if [ "$rc" != 0 ] && printf '%s\n' "$err" | grep -qE 'failed to (get|download|fetch|query)|[Uu]nable to update|requires rustc'; then
    skip_all "rbpf cannot be built here: $(printf '%s\n' "$err" | grep -m 1 '^error')"
fi
is "$rc" 0 "the worker is built with cranelift"
[ "$rc" = 0 ] || diag "$(printf '%s\n' "$err" | grep -A 5 '^error' | head -n 20)"

# The suite's data, with this worker.
mkdir -p "$T/data/runtimes"
ln -s "$ROOT/spec" "$ROOT/vectors" "$T/data/"
cp -r "$ROOT/runtimes/rbpf" "$T/data/runtimes/"
sed -i "s|^worker:.*|worker: $CARGO_TARGET_DIR/release/cts-worker-rbpf|" "$T/data/runtimes/rbpf/runtime.yaml"
for level in quick full; do
    run_cmd env EBPF_CTS_DATA="$T/data" "$CTS" run -r rbpf:cranelift --level $level
    is "$rc" 0 "level $level: everything that rbpf:cranelift gets wrong is on record"
    like "$out" '^total: [1-9][0-9][0-9][0-9]+ passed, 0 failed, ' "... and more than a thousand cases passed"
    [ "$rc" = 0 ] || diag "$(printf '%s\n' "$out" | grep -E '^(FAIL|ERROR|XPASS) ' | head -n 20)"
done
done_testing
