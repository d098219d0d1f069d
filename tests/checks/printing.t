#!/usr/bin/env bash
# What commands print goes through cli/say.h or report/text.h, which make foreign text visible: nothing else prints a string.
. "$(dirname "$0")/../e2e/lib.sh"
cd "$ROOT" || exit 255

looked=0
for file in harness/cli/*.c; do
    case $file in
        # Texts of the program itself; progress is numbers.
        */say.c | */help.c | */completion.c | */progress.c) continue ;;
    esac
    looked=$((looked + 1))
    # printf of numbers alone is no matter.
    is "$(grep -nE '\b(puts|fputs|vprintf|vfprintf|perror|putc|fputc)\(|\bf?printf\([^;]*%[-0-9.*]*s' "$file" | grep -vE '\bputs\( *("|$)' |
        grep -v "fputs(\"" | grep -vE "putchar|fputc\('")" "" "$file prints no string by itself"
done
for folder in base host load conf asm wire pack link build core adapter_check mutate report result; do
    looked=$((looked + 1))
    is "$(grep -nE '\b(printf|perror|puts|putchar)\(|\bf(printf|puts|putc|write)\([^;]*std(out|err)' harness/$folder/*.c)" "" "harness/$folder prints nothing"
done
[ "$looked" -gt 20 ]; ok $? "files were looked at ($looked)"
done_testing
