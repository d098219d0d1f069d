#!/usr/bin/env bash
# Set-up and everyday commands: see ./cts help.
set -u

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 3
build=${CTS_BUILD:-$root/build}

usage() {
    cat <<'TXT'
usage: ./cts COMMAND [ARGUMENT...]

  run [ARGUMENT...]  build what is out of date and run the suite: build/ebpf-cts run ARGUMENT...
  build              build build/ebpf-cts and its workers
  runtimes           build or install the optional runtimes (crates need cargo); from then on `run` has them, too
  test [--all]       build and run everything that tests this tree; --all: the slow second tier, too
  test NAME...       some tests: e2e.files (or files), 'unit.*', asan.e2e.files with sanitizers; tests/README.md tells of them
  test -L LABEL      the tests of one kind: unit, checks, e2e, fuzz, tier2, sanitizers
  completion         completion for bash: source <(./cts completion)
  help               this text

The first call installs what is missing on Debian and Ubuntu (with sudo if you are not root) and says so before. Elsewhere it
names what it needs. CTS_BUILD names another build folder, CTS_NO_INSTALL=1 forbids installing.
TXT
}

say() { printf '%s\n' "$*" >&2; }
die() { say "cts: $*"; exit 3; }
has() { command -v "$1" >/dev/null 2>&1; }

# ---- What is needed ----

# The newest llvm-mc or clang of version 19 or later, by name; empty if there is none.
newest() { # TOOL
    local v
    for v in $(seq 40 -1 19); do
        has "$1-$v" && { echo "$1-$v"; return; }
        [ -x "/usr/lib/llvm-$v/bin/$1" ] && { echo "/usr/lib/llvm-$v/bin/$1"; return; }
    done
    has "$1" && [ "$("$1" --version | sed -n 's/.*version \([0-9]*\).*/\1/p' | head -n 1)" -ge 19 ] \
        2>/dev/null && echo "$1"
}

clang_version() {
    local cc
    cc=$(newest clang)
    [ -n "$cc" ] && "$cc" --version | sed -n 's/.*version \([0-9]*\).*/\1/p;q' || echo 19
}

# Libraries of another package than the compiler: only linking tells.
has_fuzzer() {
    local cc
    cc=$(newest clang)
    [ -n "$cc" ] && echo 'int LLVMFuzzerTestOneInput(const char *d, long n) { return d == 0 && n; }' |
        "$cc" -x c - -fsanitize=fuzzer,address -o /dev/null 2>/dev/null
}

has_libc() { echo '#include <stdio.h>' | "${CC:-cc}" -E - >/dev/null 2>&1; }
has_lib() { has pkg-config && pkg-config --exists "$1"; }
# shellcheck disable=SC2329
has_llvm() { [ -n "${EBPF_CTS_LLVM_MC:-}" ] || [ -n "$(newest llvm-mc)" ]; }
has_clang() { [ -n "$(newest clang)" ]; }
has_generator() { has ninja || has make; }

# check PACKAGE TEST...: adds the package to $missing if the test fails
missing=
check() {
    local package=$1
    shift
    "$@" || missing="$missing $package"
}

# The oldest cargo that reads the lock files of this tree.
has_cargo() {
    local have
    have=$(cargo --version 2>/dev/null | sed -n 's/^cargo \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
    [ -n "$have" ] && [ "$(printf '%d%04d' $have)" -ge 10078 ]
}

# What is downloaded is believed by these, wherever they are kept.
has_certificates() {
    local file
    for file in "${CARGO_HTTP_CAINFO:-}" "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt \
        /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
        [ ! -s "$file" ] || return 0
    done
    return 1
}

# Bindings to C libraries are generated through it.
has_libclang() {
    ls /usr/lib/llvm-*/lib/libclang*.so* /usr/lib/*/libclang*.so* "${LIBCLANG_PATH:-/nowhere}"/libclang*.so* 2>/dev/null |
        grep -q 'libclang[-.0-9]*\.so'
}

# The newest one, which is the one that is taken.
libclang_version() {
    ls -d /usr/lib/llvm-*/lib/libclang*.so* 2>/dev/null | sed -n 's|^/usr/lib/llvm-\([0-9]*\)/lib/libclang[-.0-9]*\.so.*|\1|p' |
        sort -n | tail -n 1 | grep . || echo 19
}

# Its own headers (stddef.h) are of another package. Elsewhere than on Debian and Ubuntu they come with it.
has_libclang_headers() {
    local v
    v=$(libclang_version)
    ls "/usr/lib/llvm-$v/lib/clang"/*/include/stddef.h >/dev/null 2>&1 || { has_libclang && [ ! -d "/usr/lib/llvm-$v" ]; }
}

find_missing() { # run | runtimes | test
    missing=
    check cmake has cmake
    check ninja-build has_generator
    check gcc has "${CC:-cc}"
    check libc6-dev has_libc
    check pkg-config has pkg-config
    check libelf-dev has_lib libelf
    check libyaml-dev has_lib yaml-0.1
    check llvm-19 has_llvm
    [ "$1" = run ] && return 0
    check cargo has cargo
    ! has cargo || has_cargo || say "cts: cargo is older than 1.78: the optional runtimes need a later one"
    check ca-certificates has_certificates
    check libclang1-19 has_libclang
    check "libclang-common-$(libclang_version)-dev" has_libclang_headers
    check librte-bpf23 has_dpdk
    # The build of uBPF's library asks for a C++ compiler, too.
    check g++ has c++
    [ "$1" = test ] || return 0
    check libcmocka-dev has_lib cmocka
    check clang-19 has_clang
    check clang-format-19 has clang-format-19
    check "libclang-rt-$(clang_version)-dev" has_fuzzer
    check binutils-bpf has bpf-objdump
    check z3 has z3
    check perl has prove
    check libxml2-utils has xmllint
    check zsh has zsh
    check fish has fish
}

# Any version will do.
has_dpdk() {
    PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null | grep -q 'librte_bpf\.so\.'
}

has_package() { [ -n "$(apt-cache madison "$1" 2>/dev/null)" ]; }

# The packages to ask for: where there is no version 19, the newest one there is; what is not packaged here is left out.
known_packages() {
    local p v name
    for p in "$@"; do
        name=$p
        # A recent cargo has a package of its own in Debian's stable releases.
        [ "$p" != cargo ] || ! has_package cargo-web || name=cargo-web
        # A release of DPDK has a number, and a release of Debian one of those.
        [ "${p#librte-bpf}" = "$p" ] || has_package "$p" || name=$(apt-cache pkgnames librte-bpf | sort -V | tail -n 1)
        for v in $(seq 40 -1 20); do
            has_package "$name" && break
            [ "$p" != "${p//19/}" ] || break
            name=${p//19/$v}
        done
        if has_package "$name"; then
            echo "$name"
        else
            say "cts: there is no package $p here"
        fi
    done
}

# Without these nothing can be built; without the others some steps fail, and say so.
can_build() {
    has cmake && has_generator && has "${CC:-cc}" && has_libc && has_lib libelf && has_lib yaml-0.1
}

apt_install() { # AS PACKAGE...
    local as=$1 log
    shift
    log=$(mktemp)
    # shellcheck disable=SC2086
    if $as env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends --no-remove "$@" \
        >"$log" 2>&1; then
        rm -f "$log"
        return 0
    fi
    tail -n 5 "$log" >&2
    rm -f "$log"
    return 1
}

install_missing() { # run | runtimes | test
    local as= packages
    find_missing "$1"
    [ -z "$missing" ] && return 0
    if has apt-get && [ -z "${CTS_NO_INSTALL:-}" ]; then
        if [ "$(id -u)" != 0 ]; then
            has sudo && as=sudo || die "run as root: apt-get install$missing"
        fi
        if [ -z "$(apt-cache madison cmake 2>/dev/null)" ]; then
            say "cts: apt-get update"
            $as apt-get update -qq >&2
        fi
        # shellcheck disable=SC2086
        packages=$(known_packages $missing | tr '\n' ' ')
        say "cts: installing what is missing: ${as:+$as }apt-get install --no-install-recommends $packages"
        # shellcheck disable=SC2086
        [ -z "$packages" ] || apt_install "$as" $packages || {
            say "cts: the package lists may be old: apt-get update, and once more"
            $as apt-get update -qq >&2
            # shellcheck disable=SC2086
            apt_install "$as" $packages
        }
        find_missing "$1"
    fi
    [ -z "$missing" ] || say "cts: missing (names of Debian's packages):$missing"
    can_build || die "install them, then try again"
}

# ---- Building ----

jobs=$(nproc 2>/dev/null || echo 2)

generator() { if has ninja; then echo Ninja; else echo "Unix Makefiles"; fi; }

# What a log says of a failure: CMake's errors and what ninja could not make, each as a whole but for calls and commands; of make the
# lines that speak of errors; else the last lines.
why() { # LOG
    local most=60 text
    text=$(awk '
        function show() { if (held) print held; held = ""; print }
        /^CMake Error: / || /^--.*No package .* found/ { print; next }
        /^CMake Error/ { held = $0; part = "text"; next }
        /^Call Stack/ { held = ""; part = "calls"; next }
        part && (/^ / || !NF) { if (part == "text" && NF) show(); next }
        { part = held = "" }
        /^FAILED: / { made = 1; print $1, ($2 ~ /^\[/ ? $3 : $2); getline; next }
        /^\[[0-9]+\/[0-9]+\]/ || /^ninja: / { made = 0 }
        /^ninja: error/ || (made && NF)' "$1")
    [ -n "$text" ] || text=$(grep -E 'error|warning|undefined|\*\*\*' "$1")
    [ -n "$text" ] || text=$(tail -n 15 "$1")
    printf '%s\n' "$text" | head -n "$most"
}

# quiet LOG COMMAND...: what the log says is shown only if the command fails
quiet() {
    local log=$1
    shift
    "$@" >"$log" 2>&1 && return
    why "$log" >&2
    say "cts: failed: $* (all of it: $log)"
    return 1
}

configure() { # FOLDER OPTION...
    local dir=$1
    shift
    mkdir -p "$dir" && quiet "$dir/configure.log" \
        cmake -S "$root" -B "$dir" -G "$(generator)" "$@"
}

compile() { # FOLDER [TARGET]: with a target, as much of it as can be built
    local keep='' log=$1/${2:-build}.log
    if [ -e "$1/build.ninja" ] && has ninja; then
        # shellcheck disable=SC2086
        quiet "$log" ninja -C "$1" -j "$jobs" ${2:+-k 0 "$2"}
    else
        [ -z "${2:-}" ] || keep="-- -k"
        # shellcheck disable=SC2086
        quiet "$log" cmake --build "$1" -j "$jobs" ${2:+--target "$2"} $keep
    fi
}

is_configured() { [ -e "$1/build.ninja" ] || [ -e "$1/Makefile" ]; }

locked() { # COMMAND...: two calls at a time do not build over each other
    mkdir -p "$build"
    if has flock; then
        exec 9>"$build/.lock"
        flock 9
        "$@"
        local rc=$?
        exec 9>&-
        return $rc
    fi
    "$@"
}

build_now() {
    if ! is_configured "$build"; then
        install_missing run
        say "cts: configuring and building in $build (only the first time)"
        configure "$build" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCTS_TESTS=OFF || return
    fi
    compile "$build"
}

cmd_build() {
    locked build_now || exit 3
}

# The crates first: what has been built is then part of the ordinary build.
build_runtimes() { # FOLDER
    local rc=0
    compile "$1" cts-runtimes || rc=1
    quiet "$1/configure.log" cmake "$1" && compile "$1" && return "$rc"
}

# Names of the optional runtimes, each with "yes" if it was built.
list_runtimes() { # FOLDER
    local name file
    while read -r name file; do
        if [ -e "$file" ]; then echo "$name yes"; else echo "$name no"; fi
    done <"$1/cargo.txt"
}

# Why a crate was left out, if it was.
left_out() { # FOLDER NAME
    sed -n "s/^warning: $2 is left out//p" "$1/cts-runtimes.log" | head -n 1
}

runtimes_now() {
    install_missing runtimes
    is_configured "$build" || configure "$build" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCTS_TESTS=OFF || return
    say "cts: building the optional runtimes (the first time, this takes a minute or more)"
    build_runtimes "$build"
}

cmd_runtimes() {
    local rc=0
    locked runtimes_now || rc=3
    [ ! -e "$build/cargo.txt" ] || list_runtimes "$build" | while read -r name built; do
        if [ "$built" = yes ]; then say "cts: $name is there"; else say "cts: $name could not be built$(left_out "$build" "$name")"; fi
    done
    exit "$rc"
}

# ---- Testing ----

# The results of what is built, as TAP; tests/run.sh counts them with those of the tests.
steps=
step() { # NAME COMMAND...
    local name=$1 start=$SECONDS rc=0
    shift
    echo "== $name"
    "$@" || rc=1
    if [ "$rc" = 0 ]; then echo "ok 1 - $name" >>"$steps"; else echo "not ok 1 - $name" >>"$steps"; fi
    echo "   [$((SECONDS - start))s]"
    return $rc
}

configure_and_compile() { configure "$@" && compile "$1"; }

step_runtimes() { # FOLDER
    local name="optional runtimes, through cargo" runtime built
    if ! has_cargo; then
        echo "ok 1 - $name # SKIP no cargo 1.78 or later here" >>"$steps"
        return
    fi
    step "$name" build_runtimes "$1"
    while read -r runtime built; do
        if [ "$built" = yes ]; then
            echo "ok 1 - $runtime is built" >>"$steps"
        elif why=$(left_out "$1" "$runtime") && [ -n "$why" ]; then
            echo "ok 1 - $runtime # SKIP $runtime is left out$why" >>"$steps"
        else
            echo "not ok 1 - $runtime is not built, or not up to date (log: $1/cts-runtimes.log)" >>"$steps"
        fi
    done < <(list_runtimes "$1")
}

# What tests/run.sh is to run: everything, or what is named. Builds that nothing named is of are left alone.
cmd_test() {
    local options=() names=() folders=() sanitized='' fuzzed='' plain='' all='' kind
    while [ $# -gt 0 ]; do
        case $1 in
            --all) options+=(--all) all=" tier2" ;;
            -L)
                case ${2:-} in
                    unit | checks | e2e) plain=1 ;;
                    fuzz) fuzzed=1 ;;
                    sanitizers) sanitized=1 ;;
                    tier2) plain=1 fuzzed=1 ;;
                    *) say "cts: -L takes a label: unit, checks, e2e, fuzz, tier2, sanitizers"; exit 2 ;;
                esac
                options+=(-L "$2")
                shift
                ;;
            -*) usage >&2; exit 2 ;;
            asan.*) sanitized=1 names+=("$1") ;;
            fuzz.* | tier2.fuzz*) fuzzed=1 names+=("$1") ;;
            *) plain=1 names+=("$1") ;;
        esac
        shift
    done
    if [ -z "$plain$sanitized$fuzzed" ]; then
        plain=1 sanitized=1 fuzzed=1
        for kind in unit checks e2e fuzz asan.unit asan.e2e$all; do options+=(--need "$kind"); done
    fi
    install_missing test
    mkdir -p "$build"
    steps=$build/steps.tap
    : >"$steps"
    # All builds link the same crates.
    local clang fast="-O1 -g1" crates="-DCTS_CARGO_DIR=$build/cargo"
    clang=$(newest clang)

    # The build that everything below needs: without it there is nothing to test.
    if step "gcc build, warnings are errors" configure_and_compile "$build" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
        -DCTS_WERROR=ON -DCTS_TESTS=ON -DCTS_CARGO_STRICT=ON; then
        step_runtimes "$build"
        folders+=("$build")
        [ -z "$fuzzed" ] || ! step "clang build, warnings are errors" configure_and_compile "$root/build-clang" \
            -DCMAKE_C_COMPILER="$clang" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG="$fast" -DCTS_WERROR=ON -DCTS_FUZZ=ON "$crates" ||
            folders+=("$root/build-clang")
        [ -z "$sanitized" ] || ! step "build with sanitizers" configure_and_compile "$root/build-asan" \
            -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG="$fast" -DCTS_WERROR=ON -DCTS_SANITIZE=ON "$crates" ||
            folders+=("$root/build-asan")
    fi
    export CTS_PLAIN_BUILD=$build
    exec "$root/tests/run.sh" --also "$steps" "${options[@]}" "${folders[@]}" -- "${names[@]}"
}

# Completion of ./cts for bash: its commands, and the tests and labels of what is built.
completion() {
    cat <<'TXT'
_cts() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words=
    local root=${COMP_WORDS[0]%/*}
    if [ "$COMP_CWORD" = 1 ]; then
        words="run build runtimes test completion help"
    elif [ "$before" = -L ]; then
        words="unit checks e2e fuzz tier2 sanitizers"
    elif [ "${COMP_WORDS[1]}" = test ]; then
        words="--all -L $(for b in build build-asan build-clang; do ctest --test-dir "$root/$b" -N 2>/dev/null; done | sed -n 's/^ *Test *#[0-9]*: //p')"
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _cts ./cts cts
TXT
}

case ${1:-help} in
    run)
        shift
        cmd_build
        exec "$build/ebpf-cts" run "$@"
        ;;
    build)
        cmd_build
        ;;
    runtimes)
        cmd_runtimes
        ;;
    test)
        shift
        cmd_test "$@"
        ;;
    completion)
        completion
        ;;
    help | -h | --help)
        usage
        ;;
    *)
        usage >&2
        exit 2
        ;;
esac
