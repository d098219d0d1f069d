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
  test [--all]       everything that tests this tree; --all: the slow second tier, too
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

total_passed=0
total_failed=0
total_skipped=0
summary=()

# count NAME PASSED FAILED SKIPPED [LOG]: the result of one step. Nothing at all is a failure.
count() {
    local name=$1 passed=$2 failed=$3 skipped=$4 note=
    if [ $((passed + failed + skipped)) = 0 ]; then
        failed=1
        note=" (it tested nothing)"
    fi
    total_passed=$((total_passed + passed))
    total_failed=$((total_failed + failed))
    total_skipped=$((total_skipped + skipped))
    [ "$failed" = 0 ] || note="$note${5:+ (log: $5)}"
    summary+=("$(printf '%-44s %5d passed %3d failed %3d skipped%s' \
        "$name" "$passed" "$failed" "$skipped" "$note")")
    printf '   %s passed, %s failed, %s skipped%s  [%ss]\n' \
        "$passed" "$failed" "$skipped" "$note" "$((SECONDS - step_start))"
}

step_start=0
step() {
    step_start=$SECONDS
    printf '\n== %s\n' "$1"
}

# count_tap NAME LOG STATUS: counts the results of TAP in a log; a bad status without a failed result is a failure, too
count_tap() {
    local passed failed skipped
    read -r passed failed skipped < <(awk '
        /^(not )?ok [0-9]+.*# [Ss][Kk][Ii][Pp]/ || /^1\.\.0 # [Ss][Kk][Ii][Pp]/ { skipped++; next }
        /^ok [0-9]+/ { passed++ }
        /^not ok [0-9]+/ { failed++ }
        END { print passed + 0, failed + 0, skipped + 0 }' "$2")
    if [ "$failed" != 0 ]; then
        awk '/\.t \.+ *$/ { file = $1 }
            /^not ok [0-9]+/ && !/# [Ss][Kk][Ii][Pp]/ {
                if (file != "") print "   " file
                file = ""
                on = 1
                print "   " $0
                next
            }
            on && /^#/ { print "   " $0; next } { on = 0 }' "$2" | head -n 80
    elif [ "$3" != 0 ]; then
        failed=1
        tail -n 25 "$2" | sed 's/^/   /'
    fi
    grep -iE '^((not )?ok [0-9]+|1\.\.0).*# skip' "$2" | sed 's/.*# [Ss][Kk][Ii][Pp]/skipped:/' |
        sort | uniq -c | sed 's/^ *\([0-9]*\) */   \1 x /' | head -n 10
    count "$1" "$passed" "$failed" "$skipped" "$2"
}

step_build() { # NAME FOLDER OPTION...
    local name=$1 dir=$2
    shift 2
    step "$name"
    if configure "$dir" "$@" && compile "$dir"; then
        count "$name" 1 0 0
        return 0
    fi
    count "$name" 0 1 0 "$dir/build.log"
    return 1
}

step_runtimes() { # FOLDER
    local built left missing_names=
    step "optional runtimes, through cargo"
    if ! has_cargo; then
        echo "   skipped: no cargo 1.78 or later here"
        count "optional runtimes, through cargo" 0 0 1
        return
    fi
    if build_runtimes "$1"; then
        built=$(list_runtimes "$1" | grep -c ' yes$')
        left=$(list_runtimes "$1" | grep -c ' no$')
        grep '^warning: .* is left out' "$1/cts-runtimes.log" | sed 's/^warning: /   skipped: /'
        count "optional runtimes, through cargo" "$built" 0 "$left"
    else
        missing_names=$(list_runtimes "$1" | sed -n 's/ no$//p' | tr '\n' ' ')
        echo "   not built, or not up to date: $missing_names"
        count "optional runtimes, through cargo" 0 1 0 "$1/cts-runtimes.log"
    fi
}

step_unit() { # NAME FOLDER
    local log=$2/unit.tap status=0
    step "$1"
    rm -f "$2/Testing/Temporary/LastTest.log"
    (cd "$2" && CMOCKA_MESSAGE_OUTPUT=TAP ctest -j "$jobs" >"$2/ctest.log" 2>&1) || status=$?
    cp "$2/Testing/Temporary/LastTest.log" "$log" 2>/dev/null || : >"$log"
    [ "$status" = 0 ] || grep -E '\(Failed\)|\(Timeout\)|\*\*\*|tests failed' "$2/ctest.log" | sed 's/^/   /'
    count_tap "$1" "$log" "$status"
}

# step_prove NAME FOLDER LOG TEST...
step_prove() {
    local name=$1 dir=$2 log=$3 status=0
    shift 3
    step "$name"
    : >"$log"
    if [ $# != 0 ] && [ -e "$1" ]; then
        # Two at a time, each with a log of its own, so that their lines do not mix. The time limit is against hangs alone.
        printf '%s\0' "$@" | CTS_BUILD=$dir xargs -0 -n 1 -P "$jobs" sh -c \
            'timeout 1800 prove -v --merge "$1" >"$0.${1##*/}" 2>&1 || { echo "# failed: $1" >>"$0.${1##*/}"; exit 1; }' \
            "$log" || status=1
        for t in "$@"; do
            cat "$log.${t##*/}" >>"$log" && rm -f "$log.${t##*/}"
        done
    fi
    count_tap "$name" "$log" "$status"
}

step_fuzz() { # FOLDER
    local passed=0 failed=0 fuzzer name work
    step "fuzzers, ${CTS_FUZZ_SECONDS:-3} seconds each"
    for fuzzer in "$1"/tests/fuzz_*; do
        [ -x "$fuzzer" ] && [ -f "$fuzzer" ] || continue
        name=${fuzzer##*/}
        work=$1/fuzz-$name
        mkdir -p "$work/corpus"
        if (cd "$work" && ASAN_OPTIONS=detect_leaks=1 "$fuzzer" -max_total_time="${CTS_FUZZ_SECONDS:-3}" \
            -timeout=10 -rss_limit_mb=1024 -max_len=16384 corpus $(fuzz_seeds "$name") >log 2>&1); then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            printf '   %s: see %s/log\n' "$name" "$work"
            grep -E 'ERROR|SUMMARY|Test unit' "$work/log" | head -n 5 | sed 's/^/   /'
        fi
    done
    count "fuzzers" "$passed" "$failed" 0
}

# Folders that a fuzzer starts from.
fuzz_seeds() {
    case $1 in
        fuzz_yaml) echo "$root/spec/isa" ;;
        fuzz_asm)
            mkdir -p seeds
            printf 'a: goto a\ncall f\n1: if r1 s>= -5 goto 1b; r1 = 0x10 ll\n' >seeds/text
            printf 'a: goto a\ncall f\nexit\n' |
                "$(newest llvm-mc)" -triple=bpfel -filetype=obj -o seeds/object -
            echo seeds
            ;;
    esac
}

step_suite() {
    local log=$build/suite.log rc=0 line
    step "the suite: $build/ebpf-cts run"
    "$build/ebpf-cts" run >"$log" 2>"$log.err" || rc=$?
    tail -n 12 "$log" | sed 's/^/   /'
    line=$(grep -E '^total: [0-9]+ passed' "$log" | tail -n 1)
    if [ "$rc" = 0 ] && [ -n "$line" ]; then
        count "the suite on the runtimes here" 1 0 0
    else
        tail -n 12 "$log.err" | sed 's/^/   /'
        echo "   exit status $rc"
        count "the suite on the runtimes here" 0 1 0 "$log"
    fi
}

step_tier2() {
    local found=0 part log rc
    for part in "$root"/tests/tier2/*.sh; do
        [ -e "$part" ] || continue
        found=$((found + 1))
        log=$build/tier2-$(basename "$part" .sh).log
        step "second tier: $(basename "$part" .sh)"
        rc=0
        CTS_BUILD=$build bash "$part" >"$log" 2>&1 || rc=$?
        if grep -qE '^(ok|not ok) [0-9]+|^1\.\.0' "$log"; then
            count_tap "second tier: $(basename "$part" .sh)" "$log" "$rc"
        elif [ "$rc" = 0 ]; then
            count "second tier: $(basename "$part" .sh)" 1 0 0
        else
            tail -n 25 "$log" | sed 's/^/   /'
            count "second tier: $(basename "$part" .sh)" 0 1 0 "$log"
        fi
    done
    [ "$found" != 0 ] || printf '\n== second tier: 0 slow parts\n'
}

finish() {
    printf '\n== summary (%d s)\n' "$SECONDS"
    printf '%s\n' "${summary[@]}"
    printf 'total: %d passed, %d failed, %d skipped\n' "$total_passed" "$total_failed" "$total_skipped"
    [ "$total_failed" = 0 ] && [ "$total_passed" != 0 ]
    exit $?
}

cmd_test() {
    local all=
    case ${1:-} in
        --all) all=1 ;;
        "") ;;
        *) usage >&2; exit 2 ;;
    esac
    install_missing test
    # All builds link the same crates.
    local clang fast="-O1 -g1" crates="-DCTS_CARGO_DIR=$build/cargo"
    clang=$(newest clang)

    # The build that everything below needs: without it there is nothing to test.
    step_build "gcc build, warnings are errors" "$build" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
        -DCTS_WERROR=ON -DCTS_TESTS=ON -DCTS_CARGO_STRICT=ON || finish
    step_runtimes "$build"
    step_unit "unit tests" "$build"
    step_prove "checks of the tree" "$build" "$build/checks.tap" "$root"/tests/checks/*.t
    step_prove "end-to-end tests" "$build" "$build/e2e.tap" "$root"/tests/e2e/*.t

    step_build "clang build, warnings are errors" "$root/build-clang" -DCMAKE_C_COMPILER="$clang" \
        -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG="$fast" -DCTS_WERROR=ON -DCTS_FUZZ=ON "$crates" &&
        step_fuzz "$root/build-clang"

    if step_build "build with sanitizers" "$root/build-asan" -DCMAKE_BUILD_TYPE=Debug \
        -DCMAKE_C_FLAGS_DEBUG="$fast" -DCTS_WERROR=ON -DCTS_SANITIZE=ON "$crates"; then
        step_unit "unit tests with sanitizers" "$root/build-asan"
        step_prove "end-to-end tests with sanitizers" "$root/build-asan" \
            "$root/build-asan/e2e.tap" "$root"/tests/e2e/*.t
    fi

    step_suite
    [ -z "$all" ] || step_tier2
    finish
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
    help | -h | --help)
        usage
        ;;
    *)
        usage >&2
        exit 2
        ;;
esac
