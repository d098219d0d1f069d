/* Runs llvm-mc. One bad line means no object, and a crash says nothing at all, so the bad programs
 * are found and left out and the rest is run again. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "asm/unit.h"
#include "base/bytes.h"
#include "host/proc.h"

enum {
    RUNS_MAX = 2000, /* of one batch; each takes 20 ms and more */
    TIMEOUT_MS = 60000,
    MESSAGES_MAX = 16 << 20,
    OBJECT_MAX = 512 << 20
};

struct job {
    const struct cts_asm_tool *tool;
    bool be;
    struct cts_asm_batch *b;
    struct cts_arena *arena;
    struct cts_err *err;
    unsigned runs;
    struct cts_buf input, object, messages;
    uint32_t *lines; /* of each unit of the run: the line of its section */
};

/* A part of the units: indexes, changed in place as the bad ones leave. */
struct part {
    uint32_t *unit;
    uint32_t n;
};

int cts_asm_tool_run(const char *path, bool be, const char *text, size_t len,
                     struct cts_buf *object, struct cts_buf *messages, int *status,
                     struct cts_err *err)
{
    const char *const argv[] = {
        path, be ? "-triple=bpfeb" : "-triple=bpfel", "-filetype=obj", "-o", "-", "-", NULL};
    return cts_proc_run(argv, text, len, object, messages, TIMEOUT_MS, status, err);
}

static struct cts_asm_out *out_of(const struct job *j, uint32_t unit)
{
    return &j->b->out[cts_asm_unit_at(j->b, unit)->prog];
}

static void fail_unit(const struct job *j, uint32_t unit, const char *text, size_t len)
{
    const struct cts_asm_unit *u = cts_asm_unit_at(j->b, unit);
    struct cts_asm_out *out = out_of(j, unit);
    out->rc = cts_asm_err(&j->b->src[u->prog], &out->err, CTS_E_TOOL, 1, 0, "%.*s", (int)len, text);
}

static void compose(struct job *j, const struct part *p)
{
    uint32_t line = 1;
    cts_buf_clear(&j->input);
    for (uint32_t i = 0; i < p->n; i++) {
        const struct cts_asm_unit *u = cts_asm_unit_at(j->b, p->unit[i]);
        j->lines[i] = line;
        cts_buf_addf(&j->input, ".section p%u,\"ax\",@progbits\n", i);
        cts_buf_add(&j->input, cts_buf_text(&j->b->text) + u->text_at, u->text_len);
        line += 1 + u->lines;
    }
}

/* The position in the run's part of the unit that holds a line of the input. */
static uint32_t unit_of_line(const struct job *j, const struct part *p, uint32_t line)
{
    uint32_t low = 0, high = p->n;
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (j->lines[mid] <= line)
            low = mid;
        else
            high = mid;
    }
    return low;
}

/* From a column of a line as written to the column of the source. */
static uint32_t source_col(const struct cts_asm_insn *x, uint32_t col)
{
    uint32_t at = col > x->prefix + 1 ? col - 1 - x->prefix : 0;
    if (x->ref_old && at > x->ref_at)
        at = at < x->ref_at + x->ref_new ? x->ref_at : at + x->ref_old - x->ref_new;
    return x->col + at;
}

static void blame_line(const struct job *j, const struct part *p, uint32_t line, uint32_t col,
                       const char *msg, size_t len)
{
    uint32_t i = unit_of_line(j, p, line), k = line - j->lines[i];
    const struct cts_asm_unit *u = cts_asm_unit_at(j->b, p->unit[i]);
    struct cts_asm_out *out = out_of(j, p->unit[i]);
    if (k == 0 || k > u->insn_count) {
        fail_unit(j, p->unit[i], msg, len);
        return;
    }
    const struct cts_asm_insn *x = cts_asm_insn_at(j->b, u->insn_first + k - 1);
    out->rc = cts_asm_err(&j->b->src[u->prog], &out->err, CTS_E_SYNTAX, x->line, source_col(x, col),
                          "%.*s", (int)len, msg);
}

static bool take_number(const char **p, uint32_t *value)
{
    char *end;
    if (**p < '0' || **p > '9')
        return false;
    unsigned long v = strtoul(*p, &end, 10);
    if (v == 0 || v > UINT32_MAX || *end != ':')
        return false;
    *value = (uint32_t)v;
    *p = end + 1;
    return true;
}

/* "<stdin>:LINE:COL: error: MESSAGE"; a warning counts as one. */
static void read_message(const struct job *j, const struct part *p, const char *text)
{
    static const char *const kinds[] = {" error: ", " warning: "};
    uint32_t line, col;
    if (strncmp(text, "<stdin>:", 8) != 0)
        return;
    text += 8;
    if (!take_number(&text, &line) || !take_number(&text, &col))
        return;
    for (size_t i = 0; i < CTS_ARRAY_LEN(kinds); i++) {
        size_t n = strlen(kinds[i]);
        if (strncmp(text, kinds[i], n) == 0)
            blame_line(j, p, line, col, text + n, strcspn(text + n, "\n"));
    }
}

static void read_messages(const struct job *j, const struct part *p)
{
    const char *text = cts_buf_text(&j->messages);
    while (*text) {
        read_message(j, p, text);
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
}

/* Drops the units that have an error by now; true if there were any. */
static bool drop_bad(const struct job *j, struct part *p)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < p->n; i++)
        if (out_of(j, p->unit[i])->rc == 0)
            p->unit[kept++] = p->unit[i];
    bool dropped = kept != p->n;
    p->n = kept;
    return dropped;
}

static void fail_moved(const struct job *j, const struct cts_asm_unit *u,
                       const struct cts_asm_section *s)
{
    struct cts_asm_out *out = &j->b->out[u->prog];
    uint32_t i = 0;
    while (i + 1 < u->insn_count &&
           (uint64_t)cts_asm_insn_at(j->b, u->insn_first + i + 1)->slot * 8 <= s->moved_at)
        i++;
    unsigned line = 1, col = 0;
    if (u->insn_count) {
        line = cts_asm_insn_at(j->b, u->insn_first + i)->line;
        col = cts_asm_insn_at(j->b, u->insn_first + i)->col;
    }
    out->rc = cts_asm_err(&j->b->src[u->prog], &out->err, CTS_E_SYNTAX, line, col,
                          "the name '%s' is not known here", s->symbol);
}

static void finish_unit(const struct job *j, uint32_t unit, const struct cts_asm_section *s)
{
    const struct cts_asm_unit *u = cts_asm_unit_at(j->b, unit);
    struct cts_asm_out *out = &j->b->out[u->prog];
    if (out->rc != 0)
        return;
    if (s->moved) {
        fail_moved(j, u, s);
        return;
    }
    if (!s->found) {
        static const char why[] = "llvm-mc's object lacks the program";
        fail_unit(j, unit, why, sizeof(why) - 1);
        return;
    }
    out->rc = cts_asm_match(j->b, u, j->be, s->bytes, s->len, &out->err);
    if (out->rc == 0) {
        out->bytes = s->bytes;
        out->slots = u->slots;
    }
}

static int read_object(struct job *j, const struct part *p)
{
    struct cts_asm_section *s = calloc(p->n, sizeof(*s));
    if (!s)
        return cts_err_set(j->err, CTS_E_NOMEM, "out of memory");
    int rc = cts_asm_object(j->object.data, j->object.len, j->arena, s, p->n, j->err);
    for (uint32_t i = 0; rc == 0 && i < p->n; i++)
        finish_unit(j, p->unit[i], &s[i]);
    free(s);
    return rc;
}

/* llvm-mc died or hung on this one program. */
static void fail_crash(const struct job *j, uint32_t unit, int status, bool hung)
{
    const struct cts_asm_unit *u = cts_asm_unit_at(j->b, unit);
    struct cts_asm_out *out = out_of(j, unit);
    const char *said = cts_buf_text(&j->messages);
    char how[64];
    if (strncmp(said, "LLVM ERROR: ", 12) != 0)
        said = "";
    out->rc = cts_asm_err(&j->b->src[u->prog], &out->err, CTS_E_TOOL, 1, 0,
                          "llvm-mc %s on this program%s%.*s",
                          hung ? "hangs" : cts_proc_status_text(status, how, sizeof(how)),
                          *said ? ": " : "", (int)strcspn(said, "\n"), said);
}

static int assemble(struct job *j, struct part p);

static int assemble_halves(struct job *j, struct part p)
{
    uint32_t half = p.n / 2;
    int rc = assemble(j, (struct part){p.unit, half});
    return rc != 0 ? rc : assemble(j, (struct part){p.unit + half, p.n - half});
}

static void give_up(const struct job *j, const struct part *p)
{
    static const char why[] = "llvm-mc failed too often; not assembled";
    for (uint32_t i = 0; i < p->n; i++)
        fail_unit(j, p->unit[i], why, sizeof(why) - 1);
}

static int run_part(struct job *j, const struct part *p, int *status, bool *hung)
{
    compose(j, p);
    cts_buf_clear(&j->object);
    cts_buf_clear(&j->messages);
    if (j->input.failed)
        return cts_err_set(j->err, CTS_E_NOMEM, "out of memory");
    struct cts_err why = {.code = 0};
    int rc = cts_asm_tool_run(j->tool->path, j->be, j->input.data, j->input.len, &j->object,
                              &j->messages, status, &why);
    *hung = rc == CTS_E_TIMEOUT;
    if (rc == 0 || *hung)
        return 0;
    return cts_err_set(j->err, rc, "%s", why.msg);
}

static int assemble(struct job *j, struct part p)
{
    while (p.n) {
        int status = 0;
        bool hung = false;
        if (j->runs++ == RUNS_MAX) {
            j->runs--;
            give_up(j, &p);
            return 0;
        }
        int rc = run_part(j, &p, &status, &hung);
        if (rc != 0)
            return rc;
        read_messages(j, &p);
        if (!hung && WIFEXITED(status) && WEXITSTATUS(status) == 0)
            return read_object(j, &p);
        if (drop_bad(j, &p))
            continue;
        if (p.n > 1)
            return assemble_halves(j, p);
        fail_crash(j, p.unit[0], status, hung);
        return 0;
    }
    return 0;
}

int cts_asm_llvm(const struct cts_asm_tool *tool, bool be, struct cts_asm_batch *b,
                 struct cts_arena *arena, struct cts_err *err)
{
    struct job j = {.tool = tool, .be = be, .b = b, .arena = arena, .err = err};
    struct part p = {.n = (uint32_t)(b->units.len / sizeof(struct cts_asm_unit))};
    int rc = 0;
    cts_buf_init(&j.input, 0);
    cts_buf_init(&j.object, OBJECT_MAX);
    cts_buf_init(&j.messages, MESSAGES_MAX);
    p.unit = calloc(p.n ? p.n : 1, sizeof(*p.unit));
    j.lines = calloc(p.n ? p.n : 1, sizeof(*j.lines));
    if (!p.unit || !j.lines)
        rc = cts_err_set(err, CTS_E_NOMEM, "out of memory");
    for (uint32_t i = 0; rc == 0 && i < p.n; i++)
        p.unit[i] = i;
    if (rc == 0)
        rc = assemble(&j, p);
    free(p.unit);
    free(j.lines);
    cts_buf_release(&j.input);
    cts_buf_release(&j.object);
    cts_buf_release(&j.messages);
    return rc;
}
