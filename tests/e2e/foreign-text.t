#!/usr/bin/env bash
# ctest: asan-cost=10
# Text from files, workers, tools and the environment: none of it reaches a terminal as control characters, begins a line of its own, or
# is a command to a CI system, in messages or in reports.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
cd "$T" || exit 255

esc=$'\033'
evil="owned${esc}[31mred"$'\a\302\233'"31m"$'\342\200\256'"::error::owned"
lines=$'\n::error::owned\n##[error]owned\n##vso[task.x]owned\nBail out! owned\nnot ok 1 - owned\nok 2 - owned\n'

# plain NAME, safe NAME: look at $out and $err
looked=0
plain() {
    looked=$((looked + 1))
    is "$(printf '%s%s' "$out" "$err" | LC_ALL=C grep -cP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]')" 0 "$1: no control characters"
}
safe() {
    plain "$1"
    is "$(printf '%s\n%s' "$out" "$err" | grep -cE '^[[:space:]]*::|##\[|##vso\[|^(Bail out! |not ok 1 - |ok 2 - )owned')" 0 "$1: no command, no result of its own"
}
# shown NAME: it is told all the same
shown() {
    safe "$1"
    like "$out$err" 'owned' "... and the text is shown"
}
# try NAME ARGUMENT...
try() {
    local name=$1
    shift
    run_cmd "$CTS" "$@"
    shown "$name"
}

# ---- file names and arguments ----

printf 'suite: [\n' >"$evil.yaml"
printf 'nonsense\n' >"$evil.data"
try "a vector file" run -r reference "$evil.yaml"
try "a .data file" run -r reference "$evil.data"
try "a file that is not there" run -r reference "$evil.none"
try "import" import "$evil.data"
try "export" export exported "$evil.yaml"
try "an output" export "$evil.yaml/x" "$evil.yaml"
try "a report's file" run -r reference -o "json=$evil/none/x" "$evil.yaml"
try "a list of known failures" run -r reference --known "$evil.yaml"
try "a runtime" run -r "$evil"
try "a worker" run -r "./$evil"
try "an engine" run -r "reference:$evil"
try "a plugin" run -r "plugin:$evil"
try "a format" run -o "$evil"
try "an option" run "--$evil"
try "a level" run --level "$evil"
try "a number" run --jobs "$evil"
try "a group" run -g "$evil"
try "a row" run --insn "$evil"
try "a clause" run --clause "$evil"
try "a filter" run -r reference -f "$evil"
try "a command" "$evil"
try "help" help "$evil"
try "explain" explain "$evil"
try "list" list "$evil"
run_cmd "$CTS" asm "$evil"
safe "asm"
try "asm, uBPF" asm -s ubpf "$evil"
try "asm, a file" asm -i "$evil.none"
run_cmd "$CTS" disasm "$evil"
safe "disasm"
run_cmd "$CTS" asm -s "$evil" exit
safe "a syntax"
try "an operator" mutants --list --operator "$evil"
try "spec" spec "$evil"
try "spec, a folder" spec table --spec "$evil"
try "spec, a format" spec table --format "$evil"
try "spec check" spec check "$evil"
try "spec smt" spec smt "$evil"
try "spec laws" spec laws "$evil"
try "check-adapter" check-adapter "./$evil"
try "check-adapter, a check" check-adapter --check "$evil" ./x

# ---- the environment ----

run_cmd env EBPF_CTS_LLVM_MC="/$evil" "$CTS" asm "1: goto 1b"
shown "EBPF_CTS_LLVM_MC"
run_cmd env EBPF_CTS_DATA="/$evil" "$CTS" list runtimes
shown "EBPF_CTS_DATA"
run_cmd env EBPF_CTS_LIBEXEC="/$evil" "$CTS" run -r reference
safe "EBPF_CTS_LIBEXEC"
printf '#!/bin/sh\nprintf "%%s" "$TEXT" >&2\nexit 1\n' >mc
chmod +x mc
run_cmd env TEXT="$evil$lines" EBPF_CTS_LLVM_MC="$T/mc" "$CTS" asm "1: goto 1b"
safe "what llvm-mc says"

# ---- what YAML says ----

yaml_evil='"x\e[31mred\a\u009b31m\u202e\n::error::owned\n##[error]owned"'
vector() { # KEY VALUE
    cat <<Y
suite: text
vectors:
  - name: two
    insns: [add64_x]
    clauses: [N037]
    asm: "{dst} += {src}"
    why: $yaml_evil
    $1: $2
    cases:
      - {in: {dst: 1, src: 2}, out: {dst: 4}}
Y
}
for key in level policy group needs only class message operands bugs nonsense; do
    vector "$key" "$yaml_evil" >v.yaml
    run_cmd "$CTS" run -r reference v.yaml
    safe "$key of a vector"
done
vector level quick >v.yaml
for format in text json junit tap markdown groups clauses; do
    run_cmd "$CTS" run -r reference -o "$format" v.yaml
    safe "a vector that fails, as $format"
done
cat >known.yaml <<Y
- {vectors: "text/*", reason: $yaml_evil, link: "https://example.org/1", review-by: "2020-01-31"}
Y
for flags in "" -v -q; do
    # shellcheck disable=SC2086
    run_cmd "$CTS" run -r reference $flags --known known.yaml v.yaml
    safe "the reason of a known failure $flags"
done
run_cmd "$CTS" run -r reference --update-known --known new-known.yaml v.yaml
safe "a list that is written"

# ---- specifications ----

mkdir data
cp -r "$ROOT/spec" data/
awk -v evil="${yaml_evil//\\/\\\\}" '/^  statement: / { print "  statement: " evil; inside = 1; next } /^  [a-z]+:|^- / { inside = 0 } !inside' "$ROOT/spec/clauses.yaml" >data/spec/clauses.yaml
is "$(grep -c owned data/spec/clauses.yaml)" "$(grep -c '^  statement: ' "$ROOT/spec/clauses.yaml")" "a specification with such texts"
for what in json "doc --format markdown" doc "diff $ROOT/spec data/spec"; do
    # shellcheck disable=SC2086
    set -- $what
    case $1 in
        diff) run_cmd "$CTS" spec "$@" ;;
        *) run_cmd "$CTS" spec "$@" --spec data/spec ;;
    esac
    # Documents for other programs keep their text.
    plain "spec $what"
    like "$out" owned "... and the text is shown"
done

# ---- what a worker says ----

worker=$TESTS/cts-fake-worker
printf '#!/bin/sh\nprintf "%%s" "$TEXT" >&2\nexit 3\n' >dies
printf '#!/bin/sh\nprintf "%%s" "$TEXT"\n' >babbles
printf '#!/bin/sh\nexec "%s" --fault escape "$@"\n' "$worker" >escapes
printf '#!/bin/sh\nprintf "%%s" "$TEXT" >&2\nexec "%s" --fault crash "$@"\n' "$worker" >crashes
chmod +x dies babbles escapes crashes
cat >marked.yaml <<'Y'
suite: text
vectors:
  - name: marked
    insns: [mov64_k]
    clauses: [N037]
    asm: "r0 = 0xdead"
    cases:
      - {in: {r0: 1}, out: {r0: 0xdead}}
Y
for w in dies babbles escapes crashes; do
    for format in text json junit tap markdown groups clauses; do
        TEXT="$evil$lines" run_cmd env TEXT="$evil$lines" "$CTS" run -r "./$w" -o "$format" marked.yaml
        safe "a worker that $w, as $format"
    done
    run_cmd env TEXT="$evil$lines" "$CTS" check-adapter "./$w"
    safe "a worker that $w, checked"
    run_cmd env TEXT="$evil$lines" "$CTS" run -v -r "./$w" marked.yaml
    safe "a worker that $w, in full"
done
[ "$looked" -gt 80 ]; ok $? "enough was looked at ($looked)"
done_testing
