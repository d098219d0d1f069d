# The samples of a Markdown document: blocks between fences, and blocks that are indented by four columns after an empty line. Each
# is written to FOLDER/LINE.WORD, where it begins and what stands behind the fence ("indented" if there is none).
# awk -v folder=FOLDER -f samples.awk DOCUMENT
function begin(word) { file = sprintf("%s/%03d.%s", folder, FNR, word); printf "" >file }
function put(text) { print text >file }
/^```/ {
    if (fenced) { fenced = 0; close(file); next }
    fenced = 1
    word = substr($0, 4)
    begin(word == "" ? "fenced" : word)
    next
}
fenced { put($0); next }
inside && /^ *$/ { blank++; next }
inside && match($0, /^ */) && RLENGTH >= indent { while (blank > 0) { put(""); blank-- } put(substr($0, indent + 1)); next }
inside { inside = 0; close(file) }
empty && /^    / && !/^ *[-*] [*a-z]/ || empty && /^    +- (name|id|vectors|run|\.\.\.)/ {
    match($0, /^ */)
    indent = RLENGTH
    blank = 0
    inside = 1
    begin("indented")
    put(substr($0, indent + 1))
    next
}
{ empty = /^ *$/ }
