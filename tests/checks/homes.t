#!/usr/bin/env bash
# A constant has one home: no two files of harness give the same name the same number, nor does a runtime's file and one of harness.
# (Runtimes may choose the same limits, each for itself; spec/check knows its numbers from elsewhere, on purpose.)
. "$(dirname "$0")/../e2e/lib.sh"
cd "$ROOT" || exit 255

# constants FILE...: lines "name value file" of what enums and macros give a number in figures.
constants() {
    perl -e '
        for my $file (@ARGV) {
            open my $in, "<", $file or die "$file: $!\n";
            local $/;
            my $text = <$in>;
            $text =~ s{/\*.*?\*/}{}gs;
            my @found;
            while ($text =~ /\benum(?:\s+\w+)?\s*\{([^}]*)\}/g) {
                my $body = $1;
                push @found, [$1, $2] while $body =~ /\b(\w+)\s*=\s*((?:\([^()]*\)|[^,(])+)/g;
            }
            push @found, [$1, $2] while $text =~ /^#define\s+(\w+)[ \t]+([^\n\\]+)$/mg;
            for my $c (@found) {
                my ($name, $value) = @$c;
                $value =~ s/\s+//g;
                print "$name $value $file\n" if $value =~ /(?<![A-Za-z_0-9])[0-9]|_MAX$/;
            }
        }' "$@"
}

# twice FILE...: "name value: files" for each constant with two homes
twice() {
    constants "$@" | sort -u | awk '
        { key = $1 " " $2; n[key]++; files[key] = files[key] " " $3; if ($3 ~ /^harness\// || $3 !~ /\//) ours[key] = 1 }
        END { for (key in n) if (n[key] > 1 && ours[key]) print key ":" files[key] }' | sort
}

# --- the check itself sees one ----------------------------------------------------------------------------
printf 'enum { A = 1 << 3, B = 7 };\n#define C UINT32_MAX\n' >"$T/a.c"
printf '/* enum { B = 7 }; */ enum kind { A = 1 << 4, D = A };\n' >"$T/b.c"
is "$(cd "$T" && twice a.c b.c)" "" "another value, an alias and a comment are no second home"
printf 'enum {\n    A = 1\n        << 3,\n};\n#define C UINT32_MAX\n' >"$T/b.c"
is "$(cd "$T" && twice a.c b.c)" "A 1<<3: a.c b.c
C UINT32_MAX: a.c b.c" "a number and a macro with two homes are named"

# --- the tree ---------------------------------------------------------------------------------------------
mapfile -t files < <(git ls-files 'harness/*.[ch]' 'runtimes/*.[ch]' | grep -v '^runtimes/example/')
is "$(twice "${files[@]}")" "" "no constant of ${#files[@]} files has two homes"
is "$(grep -lE "'E', *'L', *'F'" "${files[@]}" | xargs)" harness/isa/object.c "ELF headers are written in one file"
count=$(constants "${files[@]}" | wc -l)
[ "$count" -gt 500 ]; ok $? "constants were looked at ($count)"
done_testing
