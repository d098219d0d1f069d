#!/usr/bin/env bash
# What is read and what is not: pipes, sockets and devices in a folder, loops of links, and files that are no vectors at all.
. "$(dirname "$0")/lib.sh"
export EBPF_CTS_CACHE=$T/cache
cd "$T" || exit 255

good() { # FILE SUITE
    cat >"$1" <<Y
suite: $2
vectors:
  - name: two
    insns: [add64_x]
    clauses: [N037]
    asm: "{dst} += {src}"
    cases: [{in: {dst: 1, src: 2}, out: {dst: 3}}]
Y
}
mkdir in in/sub
good in/a.yaml good/a
good in/sub/b.yaml good/b
printf -- '-- asm\nmov %%r0, 5\nexit\n-- result\n0x5\n' >in/c.data

# passes NAME COUNT [EXIT CODE]: so many cases pass
passes() {
    is "$rc" "${3:-0}" "$1: exit code ${3:-0}"
    like "$out" "^total: $2 passed, 0 failed, 0 skipped\$" "... $2 cases pass"
}
run_cmd "$CTS" run -r reference in
passes "a folder" 3

# ---- what is no regular file ----

mkfifo in/pipe.yaml in/sub/pipe.data
perl -e 'use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0) and bind(S, sockaddr_un("in/socket.yaml")) or die'
ln -s /dev/zero in/device.yaml
odd=('in/pipe.yaml: a pipe' 'in/sub/pipe.data: a pipe' 'in/socket.yaml: a socket' 'in/device.yaml: a device')
run_cmd "$CTS" run -r reference in
passes "pipes, sockets and devices in a folder" 3 2
for what in "${odd[@]}"; do
    like "$err" "^$what, not a regular file: not read\$" "... $what is told of"
done
is "$(printf '%s\n' "$err" | wc -l)" 4 "... once each"
run_cmd "$CTS" run -r reference -q in/a.yaml in/pipe.yaml/
is "$rc" 2 "a pipe is no folder"
run_cmd "$CTS" import -o out.yaml in
is "$rc" 2 "import of such a folder"
like "$err" '^in/sub/pipe\.data: a pipe, not a regular file: not read$' "... tells of its pipe"
like "$err" '^1 of 5 files imported$' "... and imports the rest"
cp -r "$ROOT/spec" spec
mkfifo spec/isa/zz.yaml
run_cmd "$CTS" spec diff spec "$ROOT/spec"
is "$rc" 2 "a pipe in a specification"
like "$err" 'spec/isa/zz\.yaml: a pipe' "... is an error that names it"

# The runtimes: their tables, and their lists of known failures.
mkdir -p data/runtimes/odd
cp -r "$ROOT/runtimes/reference" data/runtimes/ && ln -s "$ROOT/vectors" data/vectors
mkfifo data/runtimes/odd/runtime.yaml
EBPF_CTS_DATA=$T/data run_cmd "$CTS" list runtimes
is "$rc" 0 "a pipe in the place of a runtime.yaml"
like "$err" 'data/runtimes/odd/runtime\.yaml: a pipe, not a regular file: not read$' "... is told of"
like "$out" '^reference' "... the other runtimes are there"
run_cmd "$CTS" run -r "$T/data/runtimes/odd" in/a.yaml
is "$rc" 2 "... and named, it is an error"
rm -f data/runtimes/reference/known.yaml && mkfifo data/runtimes/reference/known.yaml
EBPF_CTS_DATA=$T/data run_cmd "$CTS" run -r reference in/a.yaml
is "$rc" 2 "a pipe in the place of a known.yaml is an error"
like "$err" 'known\.yaml: a pipe' "... that names it"

# What is named is read, whatever it is.
run_cmd bash -c '"$0" run -r reference <(cat in/a.yaml)' "$CTS"
passes "a pipe that is named" 1
run_cmd bash -c 'cat in/a.yaml | "$0" run -r reference /dev/stdin' "$CTS"
passes "standard input" 1
run_cmd bash -c '"$0" run -r reference --known <(echo "[]") in/a.yaml' "$CTS"
passes "a list of known failures through a pipe" 1
run_cmd bash -c 'cat in/a.yaml >in/pipe.yaml & "$0" run -r reference in/pipe.yaml' "$CTS"
passes "a pipe with a name" 1

# ---- links and folders ----

rm -rf in/pipe.yaml in/sub/pipe.data in/socket.yaml in/device.yaml
ln -s . in/loop
ln -s ../../in in/sub/back
run_cmd "$CTS" run -r reference in
passes "loops of links" 3
like "$err" '^note: in/loop: a link to a folder that it is in: not followed$' "... are told of"
like "$err" '^note: in/sub/back: a link to a folder' "... both"
is "$(printf '%s\n' "$err" | wc -l)" 2 "... once"
rm in/loop in/sub/back
ln -s sub in/again
ln -s a.yaml in/again.yaml
run_cmd "$CTS" run -r reference in
passes "links to what is read anyway" 3
is "$err" "" "... without a word"
run_cmd "$CTS" run -r reference in ./in "$T/in" in/a.yaml in/again
passes "a folder that is named several ways" 3
is "$err" "" "... without a word"

# Folders that lead to one another in two ways each: 2^25 paths.
mkdir many
for n in $(seq 25); do
    mkdir "many/$n" && ln -s "../$((n + 1))" "many/$n/left" && ln -s "../$((n + 1))" "many/$n/right"
done
mkdir many/26 && good many/26/x.yaml good/x
run_cmd "$CTS" run -r reference many
passes "a thicket of links" 1

deep=nested
for n in $(seq 40); do deep=$deep/d; done
mkdir -p "$deep" && good "$deep/x.yaml" good/x && good nested/y.yaml good/y
run_cmd "$CTS" run -r reference nested
passes "folders nested too deeply" 1 2
like "$err" '^nested/d/.*: folders nested too deeply: not read$' "... are told of"

mkdir closed closed/inner && good closed/a.yaml good/a && good closed/inner/b.yaml good/b && chmod 755 "$T" closed && chmod 0 closed/inner
if [ "$(id -u)" != 0 ]; then
    run_cmd "$CTS" run -r reference closed
elif command -v setpriv >/dev/null && setpriv --reuid=65534 --clear-groups test -x "$CTS"; then
    run_cmd setpriv --reuid=65534 --clear-groups "$CTS" run -r reference --no-cache closed
else
    rc=
fi
if [ -n "$rc" ]; then
    passes "a folder that may not be read" 1 2
    like "$err" '^closed/inner: cannot open: Permission denied$' "... is told of"
else
    skip "a folder that may not be read" "root reads everything, and setpriv cannot run the build as somebody else"
fi
chmod 755 closed/inner

# ---- files of another kind ----

# other NAME REGEX COMMAND...: FILE is in the arguments
other() {
    local name=$1 want=$2
    shift 2
    run_cmd "$CTS" "$@"
    is "$rc" 2 "$name: the exit code says bad input"
    like "$err" "$want" "... the error says what it is"
    unlike "$err$out" $'[\x01-\x08\x0e-\x1f\x7f]' "... without control characters"
}
printf '\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x01\0\xf7\0\x01\0\0\0' >prog.o
elf='^(ebpf-cts: )?prog\.o: this is an ELF object, not .*; llvm-objdump -d shows its code,'
other "run FILE.o" '^prog\.o: this is an ELF object, not vectors \(\.yaml, or \.data of bpf_conformance\); llvm-objdump' run -r reference prog.o
other "import FILE.o" "$elf" import prog.o
other "disasm FILE.o" "$elf" disasm -i prog.o
other "disasm --raw FILE.o" "$elf" disasm --raw -i prog.o
other "asm FILE.o" "$elf" asm -i prog.o
other "--known FILE.o" "$elf" run -r reference --known prog.o in/a.yaml
cp prog.o in/odd.yaml
run_cmd "$CTS" run -r reference in
passes "an object named .yaml" 3 2
like "$err" '^in/odd\.yaml: this is an ELF object' "... is told of"
rm in/odd.yaml
gzip -c in/a.yaml >a.yaml.gz
other "a compressed file" '^a\.yaml\.gz: this is a file compressed by gzip, .*; unpack it first' run -r reference a.yaml.gz
packs=(cache/packs/*.pack)
other "a pack" '\.pack: this is a pack of the cache, .*; name the vector files' run -r reference "${packs[0]}"
printf '\xff\xfes\0u\0' >utf16.yaml
other "UTF-16" '^utf16\.yaml: this is text in UTF-16, .*; save it as UTF-8' run -r reference utf16.yaml
printf 'suite: x\0y\n' >zero.yaml
other "zero bytes" '^zero\.yaml: byte 8 is zero: this is no text' run -r reference zero.yaml
: >empty.yaml
other "an empty file" '^empty\.yaml:1:1: the file is empty' run -r reference empty.yaml
mkdir objects && cp prog.o objects/
run_cmd "$CTS" run -r reference objects
is "$rc" 4 "a folder of objects: nothing is selected"
like "$err" 'no vector is selected: found no \.yaml or \.data file' "... and why"
done_testing
