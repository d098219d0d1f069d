# Helpers of the end-to-end tests. A test is a bash script NAME.t that prints TAP, for prove:
#
#     . "$(dirname "$0")/lib.sh"
#     run_cmd "$CTS" --help                    # sets $rc, $out (stdout) and $err (stderr)
#     is "$rc" 0 "--help succeeds"
#     like "$out" '^usage: ' "... and says how"
#     done_testing
#
# $CTS is the program under test, $BUILD the folder it is in, $TESTS the folder of the test programs (cts-fake-worker), $ROOT the
# source tree, $T a private folder that is removed at the end. A build other than build/ is tested with CTS_BUILD=DIR.
set -u

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=$(cd "${CTS_BUILD:-$ROOT/build}" 2>/dev/null && pwd) || {
    echo "Bail out! no such build folder: ${CTS_BUILD:-$ROOT/build}"
    exit 255
}
CTS=$BUILD/ebpf-cts
TESTS=$BUILD/tests
export NO_COLOR=1 LC_ALL=C
# Reports are looked at line by line: none is folded.
export COLUMNS=60000

tap_count=0
tap_failed=0
tap_planned=
tap_done=

T=$(mktemp -d "${TMPDIR:-/tmp}/cts-e2e-XXXXXX") || exit 255
tap_end() {
    local status=$?
    rm -rf "$T"
    if [ -z "$tap_done" ] && [ "$status" = 0 ]; then
        echo "# the test ended without done_testing"
        exit 255
    fi
    exit "$status"
}
trap tap_end EXIT
trap 'exit 130' INT TERM

# diag TEXT: shown, but no result.
diag() {
    printf '%s\n' "$*" | sed 's/^/# /'
}

# plan N: how many results there will be (else: done_testing at the end).
plan() {
    tap_planned=$1
    echo "1..$1"
}

# pass NAME, fail_test NAME
pass() {
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1"
}
fail_test() {
    tap_count=$((tap_count + 1))
    tap_failed=$((tap_failed + 1))
    echo "not ok $tap_count - $1"
    return 0
}

# ok STATUS NAME: passes if STATUS is 0, as in: cmp -s a b; ok $? "a is b"
ok() {
    if [ "$1" = 0 ]; then pass "$2"; else fail_test "$2"; fi
}

# is GOT WANT NAME
is() {
    if [ "$1" = "$2" ]; then
        pass "$3"
    else
        fail_test "$3"
        diag "     got: $1"
        diag "expected: $2"
    fi
}

# like TEXT REGEX NAME, unlike TEXT REGEX NAME: extended regular expression, any line
like() {
    if printf '%s\n' "$1" | grep -qE -e "$2"; then
        pass "$3"
    else
        fail_test "$3"
        diag "no line matches: $2"
        diag "$(printf '%s\n' "$1" | head -n 20)"
    fi
}
unlike() {
    if printf '%s\n' "$1" | grep -qE -e "$2"; then
        fail_test "$3"
        diag "a line matches: $2"
        diag "$(printf '%s\n' "$1" | grep -E -e "$2" | head -n 5)"
    else
        pass "$3"
    fi
}

# skip NAME WHY: counts as one result
skip() {
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1 # SKIP $2"
}
# skip_all WHY: ends the test, nothing in it can run here
skip_all() {
    echo "1..0 # SKIP $1"
    tap_done=1
    exit 0
}

# Is it a build with sanitizers, where everything takes several times as long?
with_sanitizers() {
    grep -qE '^CTS_SANITIZE:BOOL=(ON|1|TRUE|YES)$' "$BUILD/CMakeCache.txt"
}

# run_cmd COMMAND...: sets $rc, $out and $err. One that hangs is ended after $CMD_TIMEOUT seconds, with $rc 124: so many (1200) that a machine which is
# busy with something else makes no difference.
run_cmd() {
    timeout -k 5 "${CMD_TIMEOUT:-1200}" "$@" >"$T/.out" 2>"$T/.err" </dev/null
    rc=$?
    out=$(cat "$T/.out")
    err=$(cat "$T/.err")
}

# How many processes beside the test itself are in $T, where the commands of a test that works there leave theirs: workers stay in the
# folder that they were started in, whatever they run.
survivors() {
    local p n=0
    for p in /proc/[0-9]*; do
        [ "$p" = "/proc/$$" ] || ! [ "$p/cwd" -ef "$T" ] || n=$((n + 1))
    done
    survivors=$n
}
# none_survives WORKER: nothing that a worker was or left is there any more; one that is there would be seen.
none_survives() {
    local i pid
    for i in {1..100}; do
        survivors
        [ "$survivors" != 0 ] || break
        sleep 0.1
    done
    is "$survivors" 0 "no worker survives"
    mkfifo "$T/.held"
    (cd "$T" && exec "$1" --fault none interp <>"$T/.held" >/dev/null 2>&1) &
    pid=$!
    until [ "/proc/$pid/exe" -ef "$1" ] || ! kill -0 "$pid"; do sleep 0.1; done
    survivors
    is "$survivors" 1 "... and one that did would be seen"
    kill -9 "$pid"
    wait "$pid" 2>/dev/null
}

done_testing() {
    tap_done=1
    if [ -z "$tap_planned" ]; then
        echo "1..$tap_count"
    elif [ "$tap_planned" != "$tap_count" ]; then
        diag "planned $tap_planned results, got $tap_count"
        exit 255
    fi
    [ "$tap_count" != 0 ] || exit 255
    [ "$tap_failed" = 0 ]
    exit $?
}
