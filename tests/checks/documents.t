#!/usr/bin/env bash
# ctest: cost=12
# The samples of the documents are run: each command, each piece of YAML, each conversation and each output. What cannot be run here
# is in documents.tsv with the reason, and counted.
. "$(dirname "$0")/../e2e/lib.sh"
export EBPF_CTS_CACHE=$T/cache
cd "$T" || exit 255

list=$ROOT/tests/checks/documents.tsv
documents=(README.md spec/README.md vectors/README.md runtimes/README.md reports/README.md harness/wire/PROTOCOL.md)

# ---- where they are run ----

# Data with few vectors, which commands about all of them then are about; a tree to add things to; and what the samples call mine.
mkdir -p data/vectors/base64 data/runtimes tree/build my-vectors FOLDER
cp -r "$ROOT/spec" data/
cp -r "$ROOT"/vectors/{divmul64,packet} data/vectors/
cp "$ROOT"/vectors/base64/{add,movsx,end}.yaml data/vectors/base64/
cp -r "$ROOT/vectors/programs" data/vectors/
(cd "$ROOT" && find runtimes -name '*.yaml' | tar cf - -T -) | tar xf - -C data
(cd "$ROOT" && tar cf - CMakeLists.txt LICENSE README.md cmake harness reports runtimes spec) | tar xf - -C tree
ln -s "$BUILD" build
ln -s "$ROOT/vectors" tree/vectors
ln -s "$BUILD"/{ebpf-cts,cts-worker-reference} tree/build/
printf '#!/bin/sh\nfor a; do shift; [ "$a" = --jit ] || set -- "$@" "$a"; done\nexec "%s" "$@"\n' "$TESTS/cts-fake-plugin" >my_plugin
printf '#!/bin/sh\nexec "%s" interp\n' "$BUILD/cts-worker-reference" >my-worker
cp my-worker worker && cp my-worker FOLDER/worker && cp "$ROOT/runtimes/reference/runtime.yaml" FOLDER/
sed -i 's/^worker: .*/worker: .\/worker/' FOLDER/runtime.yaml
printf '#!/bin/sh\nexec "%s" --mutant "%s" "$@"\n' "$BUILD/cts-mutant-worker" \
    "$("$BUILD/cts-mutant-worker" --list | awk -F '\t' '$2 == "add64_x" { print $1; exit }')" >mine
chmod +x my_plugin my-worker worker FOLDER/worker mine
cp "$ROOT/vectors/base64/sub.yaml" my-vectors/
export PATH=$BUILD:$PATH

# ---- one sample each ----

# listed SAMPLE: is it in the list? Sets $action and $reason.
listed() {
    action= reason=
    while IFS=$'\t' read -r of begin what why; do
        [ "$of" = "$document" ] && [ "${1:0:${#begin}}" = "$begin" ] || continue
        printf '%s\t%s\n' "$of" "$begin" >>used
        action=$what reason=$why
        return 0
    done < <(grep -v '^#' "$list")
    return 1
}

# excused NAME SAMPLE: is something else done with it? Counts it then.
excused() {
    listed "$2" || return 1
    case $action in
        not)
            left=$((left + 1))
            diag "$1: not run: $reason"
            ;;
        by)
            ran=$((ran + 1))
            grep -qF -- "${reason#* }" "$ROOT/${reason%% *}"
            ok $? "$1: ${reason%% *} runs it"
            ;;
        as) return 1 ;;
        *) fail_test "$list: '$action' is no action" ;;
    esac
}

# Whatever these words stand for in the documents.
filled() {
    sed -E "s|PREFIX|$T/installed|g; s|\bNAME\b|reference|g; s|\bENGINE\b|interp|g; s|\bOLD NEW\b|$ROOT/spec $T/data/spec|; s|\bFILE\b|$T/own-known.yaml|; s| \[ARGUMENT\.\.\.\]||"
}

# A list of one's own for --known.
printf '%s\n' '- vectors: base64/add/none' '  reason: "none"' '  clause: N039' >own-known.yaml

command_sample() { # NAME LINE
    local line=$2 place=$T data=$T/data
    excused "$1" "$2" && return
    ran=$((ran + 1))
    [ "$action" != as ] || line=$reason
    line=$(printf '%s\n' "$line" | filled)
    case $document:$block in
        # A runtime of this tree.
        runtimes/README.md:*'runtimes/mine'*) place=$T/tree data=$T/tree ;;
    esac
    (cd "$place" && EBPF_CTS_DATA=$data && export EBPF_CTS_DATA && EBPF_CTS_LIBEXEC=$([ "$place" = "$T/tree" ] && echo "$T/tree/build" || echo "$BUILD") &&
        export EBPF_CTS_LIBEXEC && eval "$line") >.out 2>.err </dev/null
    rc=$?
    if [ "$rc" = 4 ] && grep -q '^linux:[a-z-]*  skipped: ' .out; then
        skip "$1: $2" "$(sed -n 's/^linux:[a-z-]*  skipped: //p' .out | head -n 1)"
        return
    fi
    is "$rc" 0 "$1: $2"
    [ "$rc" = 0 ] || diag "$(tail -n 5 .out .err)"
}

# A vector file: whole, or made of items, or of keys of an item; what is missing then is the simplest there is.
vector_sample() { # NAME FILE
    local first keys
    first=$(grep -m 1 . "$2")
    keys=$(sed -nE 's/^([a-z]+(-[a-z]+)*):.*/\1/p' "$2" | tr '\n' ' ')
    rm -rf sample && mkdir sample
    case $first in
        suite:*) cp "$2" sample/v.yaml ;;
        '- '*) { printf 'suite: sample\nvectors:\n' && sed 's/^/  /' "$2"; } >sample/v.yaml ;;
        *)
            {
                printf 'suite: sample\nvectors:\n  - name: sample\n'
                sed 's/^/    /' "$2"
                case " $keys" in *' insns '*) ;; *) printf '    insns: [mov64_k]\n' ;; esac
                case " $keys" in *' clauses '*) ;; *) printf '    clauses: [N052]\n' ;; esac
                case " $keys" in *' asm '* | *' code '* | *' program '*) ;; *) printf '    asm: "{dst} = 1"\n' ;; esac
                case " $keys" in *' cases '* | *' program '* | *' sweep '*) ;; *) printf '    cases: [{in: {dst: 1}, out: {dst: any}}]\n' ;; esac
            } >sample/v.yaml
            ;;
    esac
    run_cmd "$CTS" run -r reference --level full sample
    # What the reference machine does not have is a skip; a piece may be of a program that is none.
    case $first in
        suite:* | '- '*) like "$rc" '^0$' "$1: it passes" ;;
        *) like "$rc" "^[04]$" "$1: it loads, and does not fail" ;;
    esac
    unlike "$err" '\.yaml:[0-9]+:[0-9]+: ' "... without an error"
    [ "$rc" = 0 ] || diag "$(printf '%s\n' "$out" "$err" | head -n 30)"
}

spec_sample() { # NAME FILE: the item in the place of the one of that name
    local id file
    id=$(sed -n 's/^- id: \([a-z0-9_]*\).*/\1/p' "$2")
    file=$(grep -lE "^- id: $id( |\$)" "$ROOT"/spec/isa/*.yaml)
    rm -rf sample && cp -r "$ROOT/spec" sample
    awk -v id="$id" '/^- id: / { drop = $3 == id } !drop' "$file" >sample/isa/"${file##*/}"
    cat "$2" >>sample/isa/"${file##*/}"
    run_cmd "$CTS" spec check --spec sample --vectors "$ROOT/vectors" names fields overlap syntax types clauses anchors
    is "$rc" 0 "$1: $id as it is written there"
    [ "$rc" = 0 ] || diag "$(printf '%s\n%s\n' "$out" "$err" | grep -v '^ok')"
}

runtime_sample() { # NAME FILE
    case $(grep -m 1 . "$2") in
        name:*)
            rm -rf sample && cp -r data sample
            rm -rf sample/runtimes/ubpf/* && cp "$2" sample/runtimes/ubpf/runtime.yaml
            run_cmd env EBPF_CTS_DATA="$T/sample" "$CTS" list runtimes
            is "$rc" 0 "$1: it is read"
            like "$out" '^ubpf:jit ' "... and its engines are listed"
            [ "$rc" = 0 ] || diag "$err"
            ;;
        *)
            run_cmd env EBPF_CTS_DATA="$T/data" "$CTS" run -r reference --known "$2" -f 'base64/end/*'
            is "$rc" 0 "$1: it is read"
            like "$out" '^total: [1-9]' "... in a run"
            [ "$rc" = 0 ] || diag "$err"
            ;;
    esac
}

# An output: what it shows is what comes out, line by line. "..." stands for any number of lines, and N of a summary for any number.
output_sample() { # NAME FILE
    run_cmd env COLUMNS=80 EBPF_CTS_DATA="$T/data" build/ebpf-cts run -r ./mine:interp -f base64/add/reg
    numberless() { sed -E 's/[0-9]+\.[0-9]+ s$/N s/; /^(vectors|pass|total|    runtimes|    wrong)/ s/[0-9][0-9,]*/N/g; s|'"$T/|"'|g; s|'"$BUILD|build|g"; }
    printf '%s\n' "$out" | numberless >have
    numberless <"$2" >want
    awk 'NR == FNR { have[++n] = $0; next }
        /^\.\.\.$/ { any = 1; next }
        { while (at < n && have[at + 1] != $0 && any) at++
          if (have[at + 1] != $0) { print "expected: " $0; print "     got: " have[at + 1]; exit }
          at++; any = 0 }' have want >differs
    is "$(cat differs)" "" "$1: what comes out of the command above it"
}

# Frames and items: the request of the document is sent to a worker, and the response is that of the document.
hex() { sed -E 's/   .*//; s/[^0-9a-f ]//g' | tr -d ' \n'; }
conversation() {
    local item answer hello length
    item=$(hex <"$(ls samples/*.fenced | xargs grep -l '^07 05 ')")
    answer=$(hex <"$(ls samples/*.fenced | xargs grep -lE '^07 +all three')")
    hello=0d000000010000000100000001000000010000000100000078
    is "$(grep -h '^harness  0d' "$1" | sed -E "s/^harness +//; s/'x'/78/" | tr -d ' ')" "$hello" "$2: HELLO is what is sent here"
    length=$(printf '%02x000000' $((${#item} / 2 + 4)))
    is "$(grep -h '^harness  41' "$1" | sed -E 's/^harness +//; s/\.//g' | tr -d ' ')" "${length}03000000""02000000""01000000" "... and EXEC has the length of its item"
    printf "$(printf '%s%s%s%s' "$hello" "$length" "030000000200000001000000" "$item" | sed 's/../\\x&/g')" |
        "$TESTS/cts-raw-worker" --fault any-engine 2>.err | od -An -v -tx1 | tr -d ' \n' >said
    # CAPS: its length, then type 2 and seq 1; behind it DONE, with the answer.
    length=$(sed -E 's/^(..)(..)(..)(..).*/\4\3\2\1/' said)
    like "$(cut -c 9-40 said)" '^02000000010000000100000000000000$' "... a worker answers HELLO as shown"
    is "$(cut -c $((2 * (12 + 16#${length:-0}) + 9))- said)" "04000000""02000000""01000000$answer" "... and EXEC, to the byte"
}

text_sample() { # NAME FILE
    case $document:$(grep -m 1 . "$2") in
        README.md:*) output_sample "$1" "$2" ;;
        harness/wire/PROTOCOL.md:harness*) conversation "$2" "$1" ;;
        harness/wire/PROTOCOL.md:07*) pass "$1: it is a part of the conversation" ;;
        runtimes/README.md:cts_cargo*)
            while IFS= read -r text; do
                grep -qF -- "${text%)}" "$ROOT/runtimes/solana-sbpf/CMakeLists.txt"
                ok $? "$1: solana-sbpf has $text"
            done < <(sed -E 's/ +#.*//; s/NAME/solana-sbpf/g' "$2" | grep .)
            ;;
        *) fail_test "$1: nothing is known of it: run it in checks/documents.t, or say in documents.tsv why not" ;;
    esac
}

# ---- all of them ----

: >used
for document in "${documents[@]}"; do
    rm -rf samples && mkdir samples
    awk -v folder=samples -f "$ROOT/tests/checks/samples.awk" "$ROOT/$document"
    ran=0 left=0
    for sample in samples/*; do
        line=${sample#samples/} line=$((10#${line%%.*}))
        first=$(grep -m 1 . "$sample")
        name=$document:$line
        case $first in
            ./cts\ * | build/ebpf-cts\ * | ebpf-cts\ * | cmake\ * | cp\ *)
                block=$(cat "$sample")
                while IFS= read -r text; do
                    [ -z "$text" ] || command_sample "$name" "$(sed -E 's/  +#.*//' <<<"$text")"
                    line=$((line + 1)) name=$document:$line
                done <"$sample"
                ;;
            *)
                ! excused "$name" "$first" || continue
                ran=$((ran + 1))
                case $document:$first in
                    vectors/*) vector_sample "$name" "$sample" ;;
                    spec/*) spec_sample "$name" "$sample" ;;
                    runtimes/README.md:name:* | runtimes/README.md:-*) runtime_sample "$name" "$sample" ;;
                    *) text_sample "$name" "$sample" ;;
                esac
                ;;
        esac
    done
    [ "$ran" -gt 0 ]; ok $? "$document has samples"
    diag "shown: $document: $ran samples run, $left not"
done
is "$(grep -v '^#' "$list" | cut -f 1,2 | sort -u | comm -23 - <(sort -u used))" "" "documents.tsv has no sample that is not there"
done_testing
