#!/usr/bin/env bash
# The tree holds no path of the machine it was written on, and nothing that was not finished.
. "$(dirname "$0")/../e2e/lib.sh"
cd "$ROOT" || exit 255

if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files -co --exclude-standard
else
    find . -type f ! -path './build*' ! -path './.git/*' | sed 's|^\./||'
fi | while read -r file; do [ -f "$file" ] && echo "$file"; done >"$T/files"
[ -s "$T/files" ]; ok $? "there are files to look at"

found() {
    tr '\n' '\0' <"$T/files" | xargs -0 grep -nIE -e "$1" -- /dev/null | head -n 10
}
quoted() {
    printf '%s' "$1" | sed 's/[][\.*^$+?(){}|]/\\&/g'
}
# What comes before a path: neither the end of another one nor that of a part of a regular expression, as in s/(a+)/src/.
start='(^|[^])+*?A-Za-z0-9_./$}-])'

parent=$(dirname "$ROOT")
if [ "$parent" = / ]; then
    skip "no path of this tree" "it is $ROOT, a word that text may hold"
else
    is "$(found "$start$(quoted "$ROOT")(/|[^A-Za-z0-9_-]|\$)")" "" "no path of this tree"
fi
if [ "$parent" != / ] && [ "$parent" != /tmp ]; then
    is "$(found "$start$(quoted "$parent")/")" "" "no path of the folder around it"
fi
is "$(found "$start/(home|Users)/[A-Za-z]")" "" "no path of a home folder"
if [ -n "${HOME:-}" ] && [ "$HOME" != / ]; then
    is "$(found "$start$(quoted "$HOME")/")" "" "no path of this home folder"
fi
is "$(found '(^|[^A-Za-z])(FIX''ME|X''XX|TO''DO[:(])([^A-Za-z]|$)')" "" "no marks of unfinished work"
is "$(found '^(<<<<<<<|>>>>>>>) ')" "" "no marks of a merge"

done_testing
