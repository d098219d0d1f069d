#!/usr/bin/env bash
# Bad input: one clear error each, the right exit code, and the good input beside it is run all the same.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
cd "$T" || exit 255

good() { # FILE
    cat >"$1" <<'Y'
suite: good/add
vectors:
  - name: two
    insns: [add64_x]
    clauses: [N037]
    asm: "{dst} += {src}"
    cases:
      - {in: {dst: 1, src: 2}, out: {dst: 3}}
      - {in: {dst: 5, src: 2}, out: {dst: 7}}
Y
}

# bad_file NAME REGEX: standard input is a vector file; run with a good one beside it, the error matches
bad_file() {
    rm -rf in && mkdir in
    cat >"in/$1.yaml"
    good in/zz-good.yaml
    run_cmd "$CTS" run -r reference in
    is "$rc" 2 "$1: the exit code says bad input"
    like "$err" "^in/$1\.yaml:$2" "... the error says where and what"
    is "$(printf '%s\n' "$err" | wc -l)" 1 "... once"
    is "$(printf '%s\n' "$out" | tail -n 1)" "total: 2 passed, 0 failed, 0 skipped" "... and the good file is run"
    like "$out" 'input errors 1,' "... and the sizes tell of it"
}

bad_file unknown-key "5:5: .*unknown key 'colour'" <<'Y'
suite: bad/key
vectors:
  - name: a
    insns: [add64_x]
    colour: red
    clauses: [N037]
    asm: "{dst} += {src}"
    cases: [{in: {dst: 1, src: 2}, out: {dst: 3}}]
Y
bad_file wrong-type '4:12: insns: .*sequence' <<'Y'
suite: bad/type
vectors:
  - name: a
    insns: add64_x
    clauses: [N037]
    asm: "{dst} += {src}"
    cases: [{in: {dst: 1, src: 2}, out: {dst: 3}}]
Y
bad_file unknown-policy "6:13: policy: unknown 'structura'; did you mean 'structural'" <<'Y'
suite: bad/policy
vectors:
  - name: a
    insns: [add64_x]
    clauses: [N037]
    policy: structura
    asm: "{dst} += {src}"
    cases: [{in: {dst: 1, src: 2}, out: {dst: 3}}]
Y
bad_file long-name "7:13: names: a name has 1 to 63 bytes, this one 64" <<Y
suite: bad/name
vectors:
  - name: a
    insns: [add64_x]
    clauses: [N037]
    asm: "{dst} += {src}"
    names: [$(printf 'n%.0s' $(seq 64))]
    cases: [{in: {dst: 1, src: 2}, out: {dst: 3}}]
Y
bad_file missing-field '3:5: .*(cases|out)' <<'Y'
suite: bad/missing
vectors:
  - name: a
    insns: [add64_x]
    clauses: [N037]
    asm: "{dst} += {src}"
Y
bad_file unknown-row "4:13: .*unknown 'add64_y'" <<'Y'
suite: bad/row
vectors:
  - name: a
    insns: [add64_y]
    clauses: [N037]
    asm: "{dst} += {src}"
    cases: [{in: {dst: 1, src: 2}, out: {dst: 3}}]
Y
bad_file value-range '7:[0-9]+: .*0x10000000000000000' <<'Y'
suite: bad/value
vectors:
  - name: a
    insns: [add64_x]
    clauses: [N037]
    asm: "{dst} += {src}"
    cases: [{in: {dst: 1, src: 0x10000000000000000}, out: {dst: 3}}]
Y
# In assembly text, where roles are replaced, a line is all there is.
bad_file immediate "8:([0-9]+:)? .*32-bit field.*'4294967296'" <<'Y'
suite: bad/imm
vectors:
  - name: a
    insns: [add64_k]
    clauses: [N037]
    asm: |
      {dst} += 1
      {dst} += 4294967296
    cases: [{in: {dst: 1}, out: {dst: 3}}]
Y
bad_file label "8:([0-9]+:)? .*label 'nowhere'" <<'Y'
suite: bad/label
vectors:
  - name: a
    insns: [ja]
    clauses: [N037]
    asm: |
      r0 = 1
      goto nowhere
    cases: [{in: {r0: 1}, out: {r0: 1}}]
Y
bad_file mnemonic "7:([0-9]+:)? .*'plus'" <<'Y'
suite: bad/text
vectors:
  - name: a
    insns: [add64_x]
    clauses: [N037]
    asm: |
      {dst} plus {src}
    cases: [{in: {dst: 1, src: 2}, out: {dst: 3}}]
Y
bad_file directive "7:([0-9]+:)? .*'.incbin'" <<'Y'
suite: bad/directive
vectors:
  - name: a
    insns: [add64_x]
    clauses: [N037]
    asm: |
      .incbin "/etc/hostname"
    cases: [{in: {r1: 1}, out: {r1: 3}}]
Y
bad_file syntax '[0-9]+:[0-9]+: ' <<'Y'
suite: [
Y
bad_file no-mapping '1:1: ' <<'Y'
- a
- b
Y
bad_file anchor-bomb '[0-9]+:[0-9]+: ' <<'Y'
a: &a [x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]
e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d]
suite: *e
Y
head -c 4096 /dev/urandom >random
bad_file bytes '' <random
printf 'suite: bad/nul\0\nvectors: []\n' >nul
bad_file nul '' <nul

# Two mistakes in one file, two files with mistakes.
rm -rf in && mkdir in
good in/good.yaml
for n in one two; do
    cat >in/$n.yaml <<Y
suite: bad/$n
vectors:
  - {name: a, insns: [nope], clauses: [N037], asm: "r0 = 1", cases: [{out: {r0: 1}}]}
  - {name: b, insns: [mov64_k], clauses: [N037], asm: "r0 = 99999999999999", cases: [{out: {r0: 1}}]}
Y
done
run_cmd "$CTS" run -r reference in
is "$rc" 2 "several mistakes: the exit code says bad input"
for n in one two; do
    like "$err" "^in/$n\.yaml:3:" "... the first of $n.yaml is named"
    like "$err" "^in/$n\.yaml:4:" "... the second, too"
done
like "$out" '^total: 2 passed, 0 failed, 0 skipped$' "... and the good file is run"

# The same id twice.
rm -rf in && mkdir in
good in/a.yaml
good in/b.yaml
run_cmd "$CTS" run -r reference in
is "$rc" 2 "one id twice is bad input"
like "$err" '^in/b\.yaml:[0-9]+:[0-9]+: .*good/add/two' "... that is named"

# ---- files that cannot be read ----

rm -rf in && mkdir in
good in/good.yaml
ln -s nowhere in/dangling.yaml
run_cmd "$CTS" run -r reference in
is "$rc" 2 "a link to nowhere is bad input"
like "$err" '^in/dangling\.yaml: .*No such file' "... and named"
like "$out" '^total: 2 passed, 0 failed' "... the good file beside it is run"

rm -f in/dangling.yaml
truncate -s 300M in/big.yaml
run_cmd "$CTS" run -r reference in
is "$rc" 2 "a file without measure is bad input"
like "$err" '^in/big\.yaml: ' "... and named"
like "$out" '^total: 2 passed, 0 failed' "... the good file beside it is run"

rm -f in/big.yaml
cp in/good.yaml in/secret.yaml
sed -i 's/good/secret/' in/secret.yaml
chmod 000 in/secret.yaml
chmod 755 "$T" in
if [ "$(id -u)" != 0 ]; then
    run_cmd "$CTS" run -r reference in
elif command -v setpriv >/dev/null && setpriv --reuid=65534 --clear-groups test -x "$CTS"; then
    run_cmd setpriv --reuid=65534 --clear-groups env EBPF_CTS_CACHE="$T/nobody" TMPDIR=/tmp "$CTS" run -r reference --no-cache in
else
    rc=
fi
if [ -n "$rc" ]; then
    is "$rc" 2 "a file that may not be read is bad input"
    like "$err" '^in/secret\.yaml: .*Permission denied' "... and named"
    like "$out" '^total: 2 passed, 0 failed' "... the good file beside it is run"
else
    skip "a file that may not be read is bad input" "root reads everything, and setpriv cannot run the build as somebody else"
fi

run_cmd "$CTS" run -r reference in/good.yaml nowhere.yaml
is "$rc" 2 "a path that does not exist is bad input"
like "$err" 'nowhere\.yaml: .*No such file' "... and named"

# ---- nothing to do ----

mkdir empty
run_cmd "$CTS" run -r reference empty
is "$rc" 4 "an empty folder: nothing was selected"
like "$err" 'no vector is selected' "... which is said"
is "$out" "" "... and no total pretends otherwise"
for args in "-f no/such/vector" "-g packet in/good.yaml" "--insn sub64_x in/good.yaml" "-x * in/good.yaml" "--shard 2/2 in/good.yaml"; do
    # shellcheck disable=SC2086
    set -f; run_cmd "$CTS" run -r reference $args; set +f
    is "$rc" 4 "nothing is selected by $args"
done

# ---- the command line ----

# bad_args REGEX ARGUMENT...
bad_args() {
    local want=$1
    shift
    run_cmd "$CTS" "$@"
    is "$rc" 2 "$*: the exit code says wrong usage"
    like "$err" "$want" "... the error says what"
    is "$out" "" "... on standard error"
}
bad_args 'nowhere/worker: .*no such' run -r nowhere/worker in/good.yaml
bad_args 'nowhere/worker: .*no such' run -r nowhere/worker:interp in/good.yaml
bad_args "in/good\.yaml: it names no worker" run -r ./in/good.yaml in/good.yaml
bad_args "unknown runtime 'nonsense'" run -r nonsense in/good.yaml
bad_args "unknown engine 'nonsense' of runtime reference; expected interp, interp-be" run -r reference:nonsense in/good.yaml
bad_args "unknown option --nonsense" run --nonsense
bad_args "unknown option -Z" run -Z
bad_args "needs a value" run --filter
bad_args "needs a value" run -r
bad_args "takes no value" run --quiet=yes
for shard in 0/3 4/3 x 1 /3 1/ 1/0 1/3x -1/3 1/-3 4294967297/4294967298; do
    bad_args "--shard: expected I/N with 1 <= I <= N, found '$shard'" run -r reference --shard $shard in/good.yaml
done
for timeout in x -1 0 nan inf 1e9 5s; do
    bad_args "--timeout: expected seconds from 0.01 to 86400, found '$timeout'" run -r reference --timeout $timeout in/good.yaml
done
for jobs in 0 -1 x 100000 1.5; do
    bad_args "--jobs: expected a whole number from 1 to 256, found '$jobs'" run -r reference --jobs $jobs in/good.yaml
done
bad_args "unknown level 'some'; expected quick, full or exhaustive" run -r reference --level some in/good.yaml
bad_args "unknown group 'some'" run -r reference -g some in/good.yaml
bad_args "unknown instruction 'some'" run -r reference --insn some in/good.yaml
bad_args "unknown clause 'some'" run -r reference --clause some in/good.yaml
bad_args "unknown report format 'some'; expected" run -r reference -o some in/good.yaml
bad_args "nowhere/r.xml: cannot write: No such file" run -r reference -o junit=nowhere/r.xml in/good.yaml
bad_args "unknown color 'some'; expected auto, always or never" run --color some

# ---- lists of known failures ----

bad_args 'nowhere\.yaml: .*No such file' run -r reference --known nowhere.yaml in/good.yaml
echo 'a: 1' >known.yaml
bad_args '^(ebpf-cts: )?known\.yaml:1:1: .*sequence' run -r reference --known known.yaml in/good.yaml
echo '- {vectors: good/add/two}' >known.yaml
bad_args '^(ebpf-cts: )?known\.yaml:1:3: ' run -r reference --known known.yaml in/good.yaml
echo '- {vectors: {a: b}, reason: "as an example", clause: N039}' >known.yaml
bad_args '^(ebpf-cts: )?known\.yaml:1:13: ' run -r reference --known known.yaml in/good.yaml
echo '- {vectors: good/add/two, reason: "as an example", link: "https://example.org", status: sunshine}' >known.yaml
bad_args "^(ebpf-cts: )?known\.yaml:1:[0-9]+: .*sunshine" run -r reference --known known.yaml in/good.yaml

# ---- an llvm-mc that does not work ----

run_cmd env EBPF_CTS_LLVM_MC=/bin/false "$CTS" run -r reference --no-cache in/good.yaml
is "$rc" 3 "an llvm-mc that fails breaks the harness"
like "$err" '/bin/false' "... and is named"
unlike "$out" '^total: [1-9]' "... and nothing passes"
done_testing
