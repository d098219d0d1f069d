#!/usr/bin/env bash
# Calls go down only: no circle between the files of a box or a program, and none between boxes, by the symbol tables of what was built.
. "$(dirname "$0")/../e2e/lib.sh"
. "$ROOT/tests/checks/circles.sh"

table=$BUILD/boxes.txt
[ -s "$table" ] || { echo "Bail out! no $table: configure the build first"; exit 255; }

# --- the check itself sees a circle --------------------------------------------------------------------
seed() { # FILE TEXT
    mkdir -p "$T/${1%/*}"
    printf '%s\n' "$2" | "${CC:-cc}" -x c -c -o "$T/$1" -
}
seed low/a.o 'int x_a(void) { return 1; }'
seed low/b.o 'int x_a(void); int x_b(void) { return x_a(); }'
seed high/c.o 'int x_b(void); int x_d(void); int x_c(void) { return x_b() + x_d(); }'
seed high/d.o 'int x_a(void); int x_d(void) { return x_a(); }'
is "$(circles file "$T"/low "$T"/high; circles box "$T"/low "$T"/high)" "" "calls that go down make no circle"
seed high/d.o 'int x_c(void); static int e; int x_d(void) { return e ? x_c() : 0; }'
is "$(circles file "$T"/low "$T"/high)" "high/c -> high/d (x_d)
high/d -> high/c (x_c)" "a circle of two files is named, with what ties it"
seed low/a.o 'int x_d(void); int x_a(void) { return x_d(); }'
is "$(circles box "$T"/low "$T"/high)" "high -> low (x_b)
low -> high (x_d)" "a circle of two boxes is named"
seed low/a.o 'extern const int x_table[]; int x_a(void) { return x_table[0]; }'
seed low/e.o 'int x_a(void); int x_f(void); extern const int x_table[]; const int x_table[] = {1}; int x_f(void) { return x_a(); }'
is "$(circles file "$T"/low)" "low/a -> low/e (x_table)
low/e -> low/a (x_a)" "a table ties as a call does"

# --- what was built ------------------------------------------------------------------------------------
# current FOLDER: links, in $T/built/NAME, the objects of a folder whose source is still there, in the tree or made by the build; an
# old build folder has others. Sources of other folders (__ stands for ..) are looked at with those that they are linked to.
current() {
    local objects object source list=$T/built/${1//\//-}
    mkdir -p "$list"
    for objects in "$BUILD/$1"/CMakeFiles/*.dir; do
        [ -d "$objects" ] || continue
        while IFS= read -r object; do
            source=${object#"$objects/"}
            source=${source%.o}
            source=${source//__/..}
            [ ! -f "$ROOT/$1/$source" ] && [ ! -f "$BUILD/$1/$source" ] || ln -sf "$object" "$list/"
        done < <(find "$objects" -name '*.o')
    done
    echo "$list"
}

looked=0
boxes=()
for folder in $(awk '{ print $3 }' "$table" | grep -v '^tests' | sort -u); do
    list=$(current "$folder")
    count=$(find "$list" -name '*.o' | wc -l)
    [ "$count" -gt 0 ] || continue
    looked=$((looked + count))
    boxes+=("$list")
    is "$(circles file "$list")" "" "$folder: no circle among $count objects"
done
is "$(circles box "${boxes[@]}")" "" "no circle among ${#boxes[@]} boxes"
[ "$looked" -gt 300 ] && [ "${#boxes[@]}" -ge 20 ]; ok $? "objects were looked at ($looked)"
done_testing
