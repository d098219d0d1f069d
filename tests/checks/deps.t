#!/usr/bin/env bash
# Who includes whom, compared with the table that the build has (boxes.txt in the build folder, from cmake/CtsBoxes.cmake).
. "$(dirname "$0")/../e2e/lib.sh"
cd "$ROOT" || exit 255

table=$BUILD/boxes.txt
[ -s "$table" ] || { echo "Bail out! no $table: configure the build first"; exit 255; }

# includes FILE...: lines "file:line box" for each #include "box/header.h"
includes() {
    awk 'match($0, /^[ \t]*#[ \t]*include[ \t]*"[^"]+"/) {
        split($0, part, "\"")
        n = split(part[2], dir, "/")
        if (n > 1)
            print FILENAME ":" FNR, dir[1]
    }' "$@" /dev/null
}

# offences ALLOWED... < includes: what is included and must not be
offences() {
    local allowed=" $* "
    case $allowed in *" isa "*) allowed+="generated " ;; esac
    while read -r place box; do
        case $allowed in *" $box "*) ;; *) echo "$place: '$box' is no dependency" ;; esac
    done
}

check_folder() { # NAME FOLDER ALLOWED...
    local files bad
    files=$(find "$2" -maxdepth 1 -name '*.[ch]')
    [ -n "$files" ] || { fail_test "$1 has sources in $2"; return; }
    # shellcheck disable=SC2086
    bad=$(includes $files | offences "$(basename "$2")" "${@:3}")
    is "$bad" "" "$1 ($2) includes only what it depends on"
}

declared=
covered=
while read -r kind name folder deps; do
    case $kind in
        box)
            # shellcheck disable=SC2086
            check_folder "box $name" "$folder" "$name" $deps
            covered="$covered $folder"
            case " $declared " in *" $name "*) continue ;; esac
            late=
            for dep in $deps; do
                case " $declared " in *" $dep "*) ;; *) late="$late $dep" ;; esac
            done
            is "$late" "" "box $name depends only on boxes before it"
            declared="$declared $name"
            ;;
        program)
            case $folder in
                tests/fakes) check_folder "program $name" "$folder" $deps ;;
                tests*) ;;
                # A worker builds for other systems, too: no more than these boxes, and libraries of its own folder.
                runtimes*)
                    extra=
                    for dep in $deps; do
                        case $dep in
                            base | isa | wire) ;;
                            *) grep -qE "^(box|program) (cts_)?$dep $folder( |\$)" "$table" || extra="$extra $dep" ;;
                        esac
                    done
                    is "$extra" "" "runtime program $name uses base, isa and wire only"
                    # shellcheck disable=SC2086
                    check_folder "runtime program $name" "$folder" $deps
                    ;;
                *)
                    # shellcheck disable=SC2086
                    check_folder "program $name" "$folder" $deps
                    ;;
            esac
            ;;
    esac
    covered="$covered $folder"
done <"$table"

bad=
for folder in $(find harness runtimes spec -name '*.c' -exec dirname {} + | sort -u); do
    case " $covered " in *" $folder "*) ;; *) bad="$bad $folder" ;; esac
done
is "$bad" "" "every folder of C sources is in the table"

awk '$1 == "program" && $3 ~ /^spec\/(gen|check)$/ && / isa( |$)/' "$table" >"$T/spec"
is "$(cat "$T/spec")" "" "what generates the tables of isa does not use isa"

bad=
for file in tests/unit/*.c tests/bench/*.c tests/fuzz/*.c; do
    [ -e "$file" ] || continue
    uses=$(sed -n '1s|^/\* uses: \(.*\) \*/.*|\1|p' "$file")
    # shellcheck disable=SC2086
    bad="$bad$(includes "$file" | offences $uses)"
done
is "$bad" "" "every test includes only the boxes its first line names"

where() {
    grep -rlE --include='*.[ch]' "^[ \t]*#[ \t]*include[ \t]*<($1)>" harness runtimes spec | sort | tr '\n' ' '
}
is "$(where 'yaml\.h' | wc -w)" 1 "libyaml is known to one file"
is "$(where 'g?elf\.h|libelf\.h' | wc -w)" 1 "libelf is known to one file"

# Printing and ending the process is for the command line, the reports and main functions.
quiet=$(find harness runtimes -name '*.c' ! -path 'harness/cli/*' ! -path 'harness/report/*' \
    -exec grep -LE '^(int main|int cts_worker_main)\(' {} +)
# shellcheck disable=SC2086
bad=$(grep -nE '(^|[^_[:alnum:]])(printf|vprintf|puts|putchar|perror|exit|abort)[[:space:]]*\(|\(stdout' \
    $quiet | grep -vE '^[^:]*:[0-9]+:[[:space:]]*(/?\*|//)' || true)
is "$bad" "" "only the command line, reports and main functions print or exit"

# The map names each box of the harness, and no other.
mapped=$(sed -nE 's/^\| `([a-z_]+)` \| .*/\1/p' harness/README.md | sort | xargs)
is "$mapped" "$( (awk '$1 == "box" && $3 ~ /^harness\// { print $2 }' "$table"; echo cli) | sort | xargs)" "harness/README.md names the boxes there are ($(wc -w <<<"$mapped"))"

done_testing
