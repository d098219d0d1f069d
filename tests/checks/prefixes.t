#!/usr/bin/env bash
# One prefix belongs to one enum: in the headers, the constants of an enum that has a name begin alike (cut behind the last _), and no other
# enum's begin so.
. "$(dirname "$0")/../e2e/lib.sh"
cd "$ROOT" || exit 255

# enums FILE...: lines "prefix enum file" for each enum with a name
enums() {
    awk '
        function finish(  n, i, len, name, prefix) {
            n = split(body, part, ",")
            prefix = ""
            for (i = 1; i <= n; i++) {
                name = part[i]
                sub(/=.*/, "", name)
                gsub(/[ \t]/, "", name)
                if (name == "")
                    continue
                if (prefix == "")
                    prefix = name
                for (len = length(prefix); substr(name, 1, len) != substr(prefix, 1, len); len--) ;
                prefix = substr(prefix, 1, len)
            }
            sub(/[^_]*$/, "", prefix)
            print prefix, tag, FILENAME
        }
        FNR == 1 { comment = 0; tag = "" }
        {
            line = $0
            while (1) {
                if (comment) {
                    if ((at = index(line, "*/")) == 0) { line = ""; break }
                    line = substr(line, at + 2)
                    comment = 0
                }
                if ((at = index(line, "/*")) == 0)
                    break
                rest = substr(line, at + 2)
                line = substr(line, 1, at - 1)
                if ((end = index(rest, "*/")) != 0)
                    line = line " " substr(rest, end + 2)
                else
                    comment = 1
            }
            if (tag == "" && match(line, /enum [a-z_0-9]+ \{/)) {
                tag = substr(line, RSTART + 5, RLENGTH - 7)
                line = substr(line, RSTART + RLENGTH)
                body = ""
            }
            if (tag != "") {
                body = body line
                if ((at = index(body, "}")) != 0) {
                    body = substr(body, 1, at - 1)
                    finish()
                    tag = ""
                }
            }
        }' "$@"
}

# shared < lines of enums: prefixes of more than one enum, and those that are of no enum alone
shared() {
    sort -u | awk '
        { if ($1 == "CTS_") print "no prefix: " $2 " (" $3 ")" }
        seen[$1] && seen[$1] != $2 { print $1 ": " seen[$1] " (" file[$1] "), " $2 " (" $3 ")" }
        { seen[$1] = $2; file[$1] = $3 }'
}

cat >"$T/a.h" <<'X'
enum cts_one { CTS_ON_A, /* , CTS_OFF */ CTS_ON_B = 3 };
enum { CTS_ON_LIMIT = 7 };
enum cts_two {
    CTS_TWO_A, /* a comment
                  of two lines */
    CTS_TWO_B,
};
X
echo 'enum cts_three { CTS_ON_C, CTS_ON_D };' >"$T/b.h"
echo 'enum cts_four { CTS_YES, CTS_NO };' >"$T/c.h"
is "$(enums "$T/a.h")" "CTS_ON_ cts_one $T/a.h
CTS_TWO_ cts_two $T/a.h" "enums are read, with comments and without a name"
is "$(enums "$T/a.h" | shared)" "" "... whose prefixes are their own"
is "$(enums "$T/a.h" "$T/b.h" | shared)" "CTS_ON_: cts_one ($T/a.h), cts_three ($T/b.h)" "a prefix of two is found"
is "$(enums "$T/c.h" | shared)" "no prefix: cts_four ($T/c.h)" "... and an enum without one"

# shellcheck disable=SC2046
enums $(find harness spec runtimes -name '*.h' ! -path '*/generated/*' | sort) >"$T/enums"
is "$(shared <"$T/enums")" "" "one prefix belongs to one enum"
ok "$([ "$(wc -l <"$T/enums")" -gt 50 ])$?" "$(wc -l <"$T/enums") enums were looked at"
done_testing
