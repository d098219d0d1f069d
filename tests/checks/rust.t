#!/usr/bin/env bash
# Crates of this tree: formatted as rustfmt does, nothing that clippy has to say, and their own tests.
. "$(dirname "$0")/../e2e/lib.sh"
cd "$ROOT" || exit 255

command -v cargo >/dev/null || skip_all "no cargo"
has() { cargo "$1" --version >/dev/null 2>&1; }
export CARGO_TARGET_DIR=$BUILD/cargo/target CARGO_TERM_COLOR=never

# cargo_ok NAME COMMAND...: passes if cargo has nothing to say against it. What has not been downloaded is not downloaded here.
cargo_ok() {
    local name=$1
    shift
    run_cmd cargo "$@"
    if [ "$rc" != 0 ] && grep -qE 'attempting to make an HTTP request|you may wish to retry without .?--offline' "$T/.err"; then
        skip "$name" "its crates are not here (./cts runtimes)"
        return
    fi
    if [ "$rc" != 0 ] && grep -qE 'is not supported by the following package|requires rustc' "$T/.err"; then
        skip "$name" "it needs a later cargo ($(sed -n 's/.*requires rustc \([0-9.]*\).*/\1/p' "$T/.err" | head -n 1))"
        return
    fi
    is "$rc" 0 "$name"
    [ "$rc" = 0 ] || diag "$(printf '%s\n%s\n' "$out" "$err" | grep -vE '^ *(Compiling|Checking|Finished) ' | head -n 20)"
}

for manifest in $(find harness runtimes -name Cargo.toml | sort); do
    crate=${manifest%/Cargo.toml}
    if has fmt; then
        cargo_ok "$crate: as rustfmt writes it" fmt --check --manifest-path "$manifest"
    else
        skip "$crate: as rustfmt writes it" "no rustfmt (rustup component add rustfmt)"
    fi
    if [ ! -d "$CARGO_TARGET_DIR" ]; then
        skip "$crate: clippy, and its tests" "no crate was built here (./cts runtimes)"
        continue
    fi
    if has clippy; then
        cargo_ok "$crate: clippy" clippy --release --offline --locked --all-targets --manifest-path "$manifest" -- -D warnings
    else
        skip "$crate: clippy" "no clippy (rustup component add clippy)"
    fi
    cargo_ok "$crate: its tests" test -q --release --offline --locked --manifest-path "$manifest"
done
done_testing
