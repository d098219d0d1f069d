#!/usr/bin/env bash
# The cache is not believed where it is damaged or may be somebody else's, and what it holds changes no result. CTS_FLIPS is how
# many damaged packs are tried (20), CTS_FLIP_VECTORS the vectors they are made of (some small files; each try builds them anew).
. "$(dirname "$0")/lib.sh"
export SOURCE_DATE_EPOCH=1700000000
cd "$T" || exit 255
flips=${CTS_FLIPS:-20}
vectors=${CTS_FLIP_VECTORS:-$ROOT/vectors/base64/add.yaml}

# wrong FILE: a vector whose expectation is wrong
wrong() {
    cat >"$1" <<'Y'
suite: cache/wrong
vectors:
  - name: sum
    insns: [add64_x]
    clauses: [N037]
    asm: "{dst} += {src}"
    cases: [{in: {dst: 0x1122334455667788, src: 1}, out: {dst: 0x1122334455667790}}]
Y
}

# report NAME ARGUMENT...: runs on the reference, keeps the report as NAME.json
report() {
    local name=$1
    shift
    run_cmd "$CTS" run -r reference -o json="$name.json" -o text "$@"
    sed -E 's/"(time_ns|duration_ns|ns)":[0-9]+/"\1":0/g; s/, [0-9.]+ s$//' "$name.json" >"$name.same"
}

# ---- flipped bits ----

export EBPF_CTS_CACHE=$T/cache
wrong wrong.yaml
report cold "$vectors" wrong.yaml
is "$rc" 1 "a wrong expectation fails with a cold cache"
is "$err" "" "... without a word of the cache"
report warm "$vectors" wrong.yaml
is "$rc" 1 "... and with a warm one"
cmp -s cold.same warm.same; ok $? "... and the report is the same"
packs=(cache/packs/*.pack)
is "${#packs[@]}" 1 "there is one pack in the cache"
pack=${packs[0]}
cp "$pack" good.pack

# flip FILE SEED COUNT: other bits each time, the same ones of a seed
flip() {
    perl -e '
        my ($file, $seed, $count) = @ARGV;
        open my $f, "+<:raw", $file or die;
        my $size = -s $f;
        my $x = $seed * 2654435761 % 4294967296 || 1;
        my %done;
        while (keys %done < $count) {
            for my $by (13, -17, 5) { $x ^= $by > 0 ? $x << $by & 0xffffffff : $x >> -$by }
            my $bit = $x % ($size * 8);
            next if $done{$bit}++;
            seek $f, $bit >> 3, 0; read $f, my $byte, 1;
            seek $f, $bit >> 3, 0; print $f chr(ord($byte) ^ 1 << ($bit & 7));
        }' "$@"
}

noticed=0 unchanged=0 tried=0
while [ "$tried" -lt "$flips" ]; do
    cp good.pack bad.pack && flip bad.pack "$tried" $((tried % 50 + 1)) && mv bad.pack "$pack"
    tried=$((tried + 1))
    report bad "$vectors" wrong.yaml
    case $err in *"note: a file of the cache is not taken, and made anew: "*) noticed=$((noticed + 1)) ;; *) diag "not noticed: seed $tried" ;; esac
    if [ "$rc" = 1 ] && cmp -s cold.same bad.same && cmp -s good.pack "$pack"; then
        unchanged=$((unchanged + 1))
    else
        diag "another result: seed $tried, exit code $rc"
    fi
done
[ "$tried" != 0 ]; ok $? "damaged packs were tried"
is "$noticed" "$tried" "1 to 50 flipped bits are noticed, each of $tried times"
is "$unchanged" "$tried" "... the pack is made anew as it was, and the results are the same"

# The expectation of the vector that fails is made right, in the pack.
cp good.pack bad.pack
perl -0777 -pi -e 's/\x90\x77\x66\x55\x44\x33\x22\x11/\x89\x77\x66\x55\x44\x33\x22\x11/g' bad.pack
! cmp -s good.pack bad.pack; ok $? "an expectation is in the pack"
mv bad.pack "$pack"
report bad "$vectors" wrong.yaml
is "$rc" 1 "a forged expectation makes no vector pass"
like "$err" "^note: .*made anew.*damaged" "... and is noticed"

# Cut short, longer, empty, no file at all.
half=$(($(stat -c %s good.pack) / 2))
damage() { # WHAT COMMAND...
    local what=$1
    shift
    "$@"
    report bad "$vectors" wrong.yaml
    like "$err" "^note: .*made anew" "a pack that is $what is noticed"
    cmp -s cold.same bad.same; ok $? "... and changes no result"
    report bad "$vectors" wrong.yaml
    is "$err" "" "... and is replaced"
}
damage "cut short" truncate -s "$half" "$pack"
damage "longer" truncate -s +8 "$pack"
damage "empty" truncate -s 0 "$pack"
rm -f "$pack"; damage "a pipe" mkfifo "$pack"
rm -f "$pack"; damage "a link" ln -s "$T/good.pack" "$pack"
cmp -s good.pack "$pack"; ok $? "the pack is whole again"
damage "not the user's alone" chmod 666 "$pack"
for stamp in cache/packs/*.tool; do
    damage "without its right stamp" sed -i 's,/,/x,' "$stamp"
done

# Two at a time, both with a cold cache.
rm -rf cache
"$CTS" run -r reference "$vectors" >one.out 2>one.err & one=$!
"$CTS" run -r reference "$vectors" >two.out 2>two.err; two=$?
wait $one; is "$?$two" 00 "two runs fill one cache at the same time"
is "$(cat one.err two.err)" "" "... and neither minds the other"

# ---- what is seen meanwhile ----

# on_a_terminal ARGUMENT...
on_a_terminal() {
    rm -rf cache
    TERM=xterm script -qec "$(printf '%q ' "$CTS" "$@")" /dev/null </dev/null >screen 2>&1
}
if command -v script >/dev/null; then
    on_a_terminal run -r reference "$vectors"
    like "$(tr '\r' '\n' <screen)" '^assembling 0 of [1-9][0-9]*' "a cold cache on a terminal: how much is assembled is shown"
    on_a_terminal run -q -r reference "$vectors"
    unlike "$(cat screen)" 'assembling' "... and with --quiet it is not"
else
    skip "a cold cache on a terminal" "no script (Debian: apt-get install bsdutils)"
fi
run_cmd "$CTS" run --no-cache -r reference "$vectors"
is "$err" "" "elsewhere nothing is shown"

# ---- whose folder it is ----

# no_cache NAME REGEX: the vectors run, without a cache, which is said once
no_cache() {
    run_cmd "$CTS" run -r reference "$vectors"
    is "$rc" 0 "$1: the vectors run"
    like "$err" "^note: no cache, everything is assembled anew: $2" "... without a cache, which is said"
    is "$(printf '%s\n' "$err" | wc -l)" 1 "... once"
}

mkdir -p other/packs
for n in $(seq 20); do : >"other/packs/$(printf %064d "$n").pack"; done
ln -s "$T/other" link
EBPF_CTS_CACHE=$T/link no_cache "a link as the folder" ".*/link: it is a link"
EBPF_CTS_CACHE=$T/link/ no_cache "a link with a slash behind it" ".*/link: it is a link"
mkdir halfway && ln -s "$T/other/packs" halfway/packs
EBPF_CTS_CACHE=$T/halfway no_cache "a link in the folder" ".*/halfway/packs: it is a link"
is "$(find other | wc -l)" 22 "nothing behind the links is written or deleted"
ln -s "$T/nowhere" dangling
EBPF_CTS_CACHE=$T/dangling no_cache "a link to nowhere" ".*/dangling: it is a link"
[ ! -e nowhere ]; ok $? "... behind which nothing is made"
for mode in 0770 0777 1777; do
    mkdir "open$mode" && chmod "$mode" "open$mode"
    EBPF_CTS_CACHE=$T/open$mode no_cache "a folder of mode $mode" ".*: it can be written by others"
done
if [ "$(id -u)" = 0 ]; then
    mkdir -m 755 foreign && chown 12345 foreign
    EBPF_CTS_CACHE=$T/foreign no_cache "a folder of another user" ".*/foreign: it belongs to another user"
    is "$(ls -A foreign)" "" "... in which nothing is made"
else
    skip "a folder of another user" "only root can make one"
fi
echo file >file
EBPF_CTS_CACHE=$T/file no_cache "a file as the folder" ".*/file: it is a link, or no folder"

unset EBPF_CTS_CACHE
before=$(find /tmp -maxdepth 1 -name 'ebpf-cts-*' ! -name 'ebpf-cts-??????' | sort)
HOME='' XDG_CACHE_HOME='' no_cache "no HOME" "none of EBPF_CTS_CACHE, XDG_CACHE_HOME and HOME"
(unset HOME XDG_CACHE_HOME; "$CTS" run -r reference "$vectors" >out 2>err)
like "$(cat err)" "^note: no cache" "HOME is not even set: the same"
is "$(find /tmp -maxdepth 1 -name 'ebpf-cts-*' ! -name 'ebpf-cts-??????' | sort)" "$before" "... and nothing is made in /tmp"
HOME=$T/home XDG_CACHE_HOME=relative run_cmd "$CTS" run -r reference "$vectors"
[ -d home/.cache/ebpf-cts/packs ] && [ ! -e relative ]; ok $? "an XDG_CACHE_HOME that is not absolute does not count"
is "$(stat -c %a home/.cache/ebpf-cts home/.cache/ebpf-cts/packs | tr '\n' ' ')" "700 700 " "the folders are the user's alone"
run_cmd env -u HOME "$CTS" run -r reference --no-cache "$vectors"
is "$err" "" "--no-cache: not a word of it"
done_testing
