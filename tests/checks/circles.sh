# Circles of calls, from the symbol tables of objects: `circles file FOLDER...` and `circles box FOLDER...`, where a folder
# holds the objects of one box. A name that two objects define is nobody's; weak and local ones tie nothing.

# "box object kind name", one symbol a line. Names without an underscore are the C library's, whoever defines them.
symbols() { # FOLDER...
    local box
    for box in "$@"; do
        nm -A --extern-only --format=posix "$box"/*.o | awk -v box="${box##*/}" '
            $2 ~ /_/ {
                sub(/(\.c)?\.o:$/, "", $1)
                sub(/.*\//, "", $1)
                print box, $1, $3, $2
            }'
    done
}

# The lines of a graph "from to name" whose two ends lie on a circle.
on_circles() {
    awk '
    { if (!(($1, $2) in names)) { out[$1] = out[$1] " " $2; node[$1]; node[$2]; }
      names[$1, $2] = names[$1, $2] " " $3 }
    function reach(from, at,    list, n, i) {
        n = split(out[at], list, " ")
        for (i = 1; i <= n; i++)
            if (!((from, list[i]) in reached)) { reached[from, list[i]]; reach(from, list[i]) }
    }
    END {
        for (a in node) reach(a, a)
        for (edge in names) {
            split(edge, ends, SUBSEP)
            if ((ends[2], ends[1]) in reached)
                print ends[1] " -> " ends[2] " (" substr(names[edge], 2) ")"
        }
    }' | sort
}

# "from to name" for each call: between the objects of one box, or ("box") between boxes.
calls() { # file|box
    awk -v of="$1" '
    $3 ~ /^[A-TVX-Z]$/ { if (($4) in home) twice[$4]; home[$4] = of == "box" ? $1 : $1 "/" $2; box[$4] = $1 }
    $3 == "U" { uses[++n] = $1 " " $2 " " $4 }
    END {
        for (i = 1; i <= n; i++) {
            split(uses[i], u, " ")
            if (!(u[3] in home) || u[3] in twice) continue
            from = of == "box" ? u[1] : u[1] "/" u[2]
            if (of == "file" && box[u[3]] != u[1]) continue
            if (from != home[u[3]]) print from, home[u[3]], u[3]
        }
    }' | sort -u
}

# "FROM -> TO (NAME...)" for each pair that lies on a circle.
circles() { # file|box FOLDER...
    symbols "${@:2}" | calls "$1" | on_circles
}
