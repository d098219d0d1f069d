#!/usr/bin/env bash
# Files that commands write: nothing that is read is written over, nothing is written twice, and a file is there whole or not at all.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
cd "$T" || exit 255

mkdir in data exported
cat >in/one.yaml <<'Y'
suite: files
vectors:
  - name: two
    insns: [add64_x]
    clauses: [N037]
    asm: "{dst} += {src}"
    cases:
      - {in: {dst: 1, src: 2}, out: {dst: 3}}
Y
printf -- '-- asm\nmov32 %%r0, 5\nexit\n-- result\n0x5\n' >data/five.data
printf -- '- {vectors: "files/none", reason: "as an example", link: "https://example.org/1"}\n' >known.yaml
mkdir -p rt
cp "$ROOT/runtimes/reference/runtime.yaml" rt/runtime.yaml
cp "$BUILD/cts-worker-reference" rt/
cp "$ROOT/runtimes/reference/known.yaml" rt/ 2>/dev/null
cp -r "$ROOT/spec" spec
sed 's/name: two/name: three/' in/one.yaml >in/three.yaml
ln -s one.yaml in/link.none
ln in/one.yaml hard
ln -s in folder
before() { find in data rt spec known.yaml hard -type f -exec sha256sum {} + | sort; }
before >sums

# refused MESSAGE ARGUMENT...: exit 2 before anything is run, and nothing is touched
refused() {
    local message=$1
    shift
    run_cmd "$CTS" "$@"
    is "$rc" 2 "$*: wrong usage"
    like "$err" "$message" "... that is told"
    is "$out$(before | cmp - sums)" "" "... nothing was run, nothing is touched"
}
run() { refused "$1" run -r reference "${@:2}"; }

# ---- two outputs ----

twice="two outputs cannot be one file"
run "$twice" -o junit=F -o json=F in
run "$twice" -o junit=F -o json=./F in
run "$twice" -o junit=F -o json="$T/in/../F" in
is "$(ls F 2>/dev/null)" "" "the file is not made"
touch F G
ln -s F L
ln -s missing dangling
ln F H
run "$twice" -o junit=F -o json=L in
run "$twice" -o junit=L -o json=H in
run "$twice" -o junit=missing -o json=dangling in
run "$twice" -o text=F -o text=F in
run "two outputs cannot share standard output" -o junit -o json in
run "two outputs cannot share standard output" -o text -o json=- in
run "two outputs cannot be one file.*standard output" -o text -o json=/dev/stdout in
run "two outputs cannot be one file" -o json=/dev/stdout -o tap=/dev/fd/1 in
"$CTS" run -r reference -o text -o json=redirected in >redirected 2>err
is "$? $(cat redirected)" "2 " "a report into the file that standard output is"
rm -f F G L H dangling

# ---- inputs ----

read_too="it is not written, because it is read, too"
for path in in/one.yaml in/link.none hard folder/one.yaml ./in/../in/one.yaml; do
    run "$read_too: .*in/(one|three)\.yaml" -o json="$path" in
done
run "$read_too" -o json=data/five.data data
run "$read_too" -o json=known.yaml --known known.yaml in
run "$read_too" -o json=known.yaml --known known.yaml --update-known in
refused "$read_too: .*runtime\.yaml" run -r ./rt -o json=rt/runtime.yaml in
refused "$read_too: .*cts-worker-reference" run -r ./rt/cts-worker-reference -o json=rt/cts-worker-reference in
refused "$read_too: .*known\.yaml" run -r ./rt -o json=rt/known.yaml in
refused "$read_too" import -o data/five.data data
"$CTS" export data in/one.yaml 2>err
first=$(ls data/files-two-*.data | head -n 1)
before >sums
refused "$read_too: $first" export data in/one.yaml "$first"
refused "$read_too" spec table --spec spec -o spec/isa/alu64.yaml
refused "$read_too" spec coverage --spec spec --vectors in -o in/one.yaml
refused "$read_too" spec diff spec "$ROOT/spec" -o spec/clauses.yaml
cat >in/collide.yaml <<'Y'
suite: files/a
vectors:
  - {name: b-c, insns: [add64_x], clauses: [N037], asm: "r1 += r2", operands: [opaque], cases: [{in: {r1: 1, r2: 2}, out: {r1: 3}}]}
Y
sed 's|files/a$|files|; s|b-c|a-b-c|' in/collide.yaml >in/collide2.yaml
before >sums
refused "$twice" export exported in
rm in/collide*.yaml
before >sums

# ---- places that cannot be written ----

run "cannot write: it is a folder" -o json=in in
run "nowhere/F: cannot write: No such file" -o json=nowhere/F in
run "one\.yaml/F: cannot write: Not a directory" -o json=in/one.yaml/F in
run "cannot write: " -o json= in
run "cannot write: File name too long" -o json="$(printf 'x%.0s' $(seq 300))" in
run "nowhere/known\.yaml: cannot write: No such file" --known nowhere/known.yaml --update-known in
refused "nowhere/F: cannot write: No such file" spec table -o nowhere/F
refused "cannot write: it is a folder" spec table -o in
refused "nowhere/F: cannot write: No such file" import -o nowhere/F data
# All is looked at before anything is written.
echo before >F
run "nowhere/G: cannot write" -o json=F -o junit=nowhere/G in
is "$(cat F)" before "the first report's file is as it was"

# ---- writing ----

chmod 640 F
ln -s F L
run_cmd "$CTS" run -r reference -o json=L in
is "$rc $(tail -n 1 F | cut -c 1-33)" '0 {"type":"footer","complete":true,' "a report replaces a file, through a link"
is "$(stat -c %a F) $(readlink L)" "640 F" "... with the same mode, and the link stays"
(umask 027; "$CTS" spec table -o new)
is "$?$(stat -c %a new)" 0640 "a new file has the mode that umask leaves"
is "$(ls -A | grep -c '^\.[^oe]')" 0 "no other file is left beside them"

run_cmd "$CTS" run -r reference -o json=/dev/null -o junit=/dev/null -o tap in
is "$rc" 0 "the null device takes any number of reports"
run_cmd "$CTS" run -r reference -o json=/dev/stdout in
is "$rc $(printf '%s\n' "$out" | tail -n 1 | cut -c 1-16)" '0 {"type":"footer"' "/dev/stdout is standard output"
run_cmd "$CTS" run -r reference -o json=/dev/stderr in
is "$rc $(printf '%s\n' "$err" | tail -n 1 | cut -c 1-16)$out" '0 {"type":"footer"' "/dev/stderr is standard error"
{ echo first; "$CTS" run -r reference -o json=/dev/stdout in; echo last; } >both
is "$? $(head -n 1 both) $(tail -n 1 both) $(grep -c '"footer"' both)" "0 first last 1" "... of which nothing else is lost"
mkfifo pipe
cat pipe >piped &
run_cmd "$CTS" run -r reference -o json=pipe in
wait $!
is "$rc $(tail -n 1 piped | cut -c 1-16)" '0 {"type":"footer"' "a pipe is written as it comes"
ok "$([ -p pipe ]; echo $?)" "... and stays one"
run_cmd "$CTS" run -r reference -o json=>(cat >substituted) in
for _ in $(seq 100); do [ -s substituted ] && break; sleep 0.1; done
is "$rc $(tail -n 1 substituted | cut -c 1-16)" '0 {"type":"footer"' "so is a substituted process"

# A run that does not come to its end leaves what was there.
echo before >F
printf '#!/bin/sh\nexec sleep 100\n' >sleeps
chmod +x sleeps
"$CTS" run -r ./sleeps -o json=F in >/dev/null 2>&1 &
run=$!
for _ in $(seq 200); do pgrep -P $run >/dev/null && break; sleep 0.05; done
kill -KILL $run
wait $run 2>/dev/null
is "$(cat F)" before "a run that is killed leaves the report of the one before"
is "$(ls -A | grep -c '^\.[^oe]')" 0 "... and nothing beside it"
"$CTS" run -r reference -o json=/dev/full in >out 2>err
is "$?" 3 "a report that cannot be written: exit 3"
like "$(cat err)" '/dev/full: cannot write' "... that is told"
(ulimit -f 1; "$CTS" run -r reference -o json=F "$ROOT/vectors/base64/add.yaml") >out 2>err
is "$? $(cat F)" "3 before" "a report that becomes too large leaves the one before"
like "$(cat err)" 'F: cannot write: File too large' "... with the reason"
is "$(ls -A | grep -c '^\.[^oe]')" 0 "... and nothing beside it"
done_testing
