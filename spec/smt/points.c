/* Inputs for every row, chosen by the solver and from boundary values, and what the formulas make
 * of them. */
#include "smt_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "host/clock.h"

enum {
    QUERY_MS = 100, /* for one input. One that takes longer is left out: boundary values there are
                       at any rate, and enough of them */
    ROW_CPU_MS = 600000, /* of the solver, for all inputs of a row */
    BOUNDARY = 24,       /* points of each row and byte order */
    BOUNDARY_ALIAS = 8,  /* and for each other way of its registers */
    POINTS_MAX = 200000,
};

/* What is printed of each point, one value a line. */
enum field {
    F_SAT,
    F_DST,
    F_SRC,
    F_R0,
    F_IMM,
    F_NEXT_IMM,
    F_OFF,
    F_BASE,
    F_MEM,
    F_OUT_DST,
    F_OUT_SRC,
    F_OUT_R0,
    F_OUT_MEM,
    F_OUT_TAKEN,
    F_OUT_NEXT,
    F_OUT_EXITS,
    F_COUNT
};

struct maker {
    struct cts_smt_points *points;
    const struct cts_smt_insn *row;
    struct cts_buf script;
    size_t cap;
    bool be, choose;
    uint64_t random;
    struct cts_err *err;
};

void cts_smt_points_init(struct cts_smt_points *points)
{
    memset(points, 0, sizeof(*points));
    cts_arena_init(&points->arena, 1 << 30);
}

void cts_smt_points_release(struct cts_smt_points *points)
{
    cts_arena_release(&points->arena);
    memset(points, 0, sizeof(*points));
}

/* --- asking -------------------------------------------------------------------------------------
 */

static struct cts_smt_point *add_point(struct maker *k, bool chosen)
{
    struct cts_smt_points *p = k->points;
    struct cts_smt_point *point;

    if (p->count == k->cap) {
        size_t cap = k->cap ? 2 * k->cap : 1024;
        struct cts_smt_point *more =
            cap > POINTS_MAX ? NULL : cts_arena_take_array(&p->arena, cap, sizeof(*more));
        if (!more) {
            cts_err_set(k->err, CTS_E_LIMIT, "too many points");
            return NULL;
        }
        if (p->count)
            memcpy(more, p->point, p->count * sizeof(*more));
        p->point = more;
        k->cap = cap;
    }
    point = &p->point[p->count++];
    memset(point, 0, sizeof(*point));
    point->row = k->row->row;
    point->alias = k->row->alias;
    point->be = k->be;
    point->choose = k->choose;
    point->chosen = chosen;
    return point;
}

/* (ROW.OBSERVABLE arguments), or what stands for its old value. */
static void add_output(struct maker *k, unsigned o, const char *old)
{
    const struct cts_smt_term *t = &k->row->out[o];

    if (!t->text) {
        cts_buf_adds(&k->script, old);
        return;
    }
    cts_buf_addf(&k->script, t->inputs ? "(%s.%s " : "%s.%s", k->row->prefix,
                 cts_smt_observables[o].name);
    cts_smt_arguments(t->inputs, false, &k->script);
    cts_buf_adds(&k->script, t->inputs ? ")" : "");
}

static void add_window(struct maker *k, bool after)
{
    cts_buf_adds(&k->script, "(let ((m ");
    if (after)
        add_output(k, CTS_SO_MEM, "mem");
    else
        cts_buf_adds(&k->script, "mem");
    cts_buf_adds(&k->script, ")) (concat");
    for (unsigned i = 0; i < CTS_POINT_MEM; i++)
        cts_buf_addf(&k->script, " (select m (bvadd base #x%016x))", i);
    cts_buf_adds(&k->script, "))");
}

static void add_value(struct maker *k, enum field f)
{
    static const char *const inputs[F_COUNT] = {
        [F_DST] = "dst",           [F_SRC] = "src", [F_R0] = "r0",     [F_IMM] = "imm",
        [F_NEXT_IMM] = "next_imm", [F_OFF] = "off", [F_BASE] = "base",
    };

    if (f == F_MEM || f == F_OUT_MEM)
        add_window(k, f == F_OUT_MEM);
    else if (f < F_MEM)
        cts_buf_adds(&k->script, inputs[f]);
    else if (f <= F_OUT_R0)
        add_output(k, CTS_SO_DST + (unsigned)(f - F_OUT_DST), inputs[F_DST + (f - F_OUT_DST)]);
    else if (f == F_OUT_NEXT)
        add_output(k, CTS_SO_NEXT, "#x0000000000000000");
    else
        add_output(k, f == F_OUT_TAKEN ? CTS_SO_TAKEN : CTS_SO_EXITS, "false");
}

static void add_values(struct maker *k, bool chosen)
{
    for (enum field f = F_DST; f < F_COUNT; f++) {
        if ((f == F_MEM || f == F_OUT_MEM) && !k->row->address) {
            cts_buf_addf(&k->script, "(echo \"#x%0*u\")\n", 2 * CTS_POINT_MEM, 0u);
            continue;
        }
        cts_buf_adds(&k->script, chosen ? "(eval " : "(simplify ");
        add_value(k, f);
        cts_buf_adds(&k->script, chosen ? " :completion true)\n" : ")\n");
    }
    cts_buf_adds(&k->script, "(pop)\n");
}

/* What is the same for all points of a row. */
static void add_constants(struct maker *k)
{
    for (unsigned r = 1; r <= 5; r++)
        cts_buf_addf(&k->script, "(define-fun r%u () (_ BitVec 64) #x%016llx)\n", r,
                     (unsigned long long)cts_smt_point_arg(r));
    cts_buf_addf(&k->script, "(define-fun be () Bool %s)\n", k->be ? "true" : "false");
    cts_buf_addf(&k->script, "(define-fun choose () Bool %s)\n", k->choose ? "true" : "false");
}

static void add_base(struct maker *k)
{
    cts_buf_addf(&k->script, "(define-fun base () (_ BitVec 64) (bvsub %s #x%016x))\n",
                 k->row->address ? k->row->address : "#x0000000000010000", (unsigned)CTS_POINT_AT);
}

static int begin(struct maker *k, bool chosen, struct cts_smt_point **point)
{
    *point = add_point(k, chosen);
    if (!*point)
        return CTS_E_LIMIT;
    cts_buf_addf(&k->script, "(echo \"@p %zu\")\n(push)\n", k->points->count - 1);
    return 0;
}

/* --- points chosen by the solver
 * -------------------------------------------------------------------- */

/* `goal` holds; `lively`: and the registers differ in both halves. */
static int choose_point(struct maker *k, const char *goal, bool lively)
{
    struct cts_smt_point *point;
    int rc = begin(k, true, &point);

    if (rc)
        return rc;
    for (unsigned i = CTS_SI_DST; i <= CTS_SI_OFF; i++)
        cts_buf_addf(&k->script, "(declare-const %s %s)\n", cts_smt_inputs[i].name,
                     cts_smt_inputs[i].sort);
    cts_buf_adds(&k->script, "(declare-const mem Mem)\n");
    add_base(k);
    if (k->row->address)
        cts_buf_adds(&k->script, "(assert (bvuge base #x0000000000010000))\n"
                                 "(assert (bvult base #x7fffffffffff0000))\n");
    if (lively)
        cts_buf_adds(&k->script,
                     "(assert (distinct ((_ extract 63 32) dst) ((_ extract 63 32) src) "
                     "((_ extract 63 32) r0) #x00000000))\n"
                     "(assert (distinct ((_ extract 31 0) dst) ((_ extract 31 0) src) "
                     "((_ extract 31 0) r0) #x00000000))\n"
                     "(assert (distinct imm next_imm #x00000000))\n"
                     "(assert (distinct off #x0000))\n");
    cts_buf_addf(&k->script, "(assert %s)\n(check-sat)\n", goal);
    add_values(k, true);
    return 0;
}

static int choose_both(struct maker *k, const char *fmt, const char *term)
{
    struct cts_buf goal;
    int rc;

    cts_buf_init(&goal, 1 << 20);
    for (const char *p = fmt; *p; p++) {
        if (*p == '$')
            cts_buf_adds(&goal, term);
        else
            cts_buf_addc(&goal, *p);
    }
    rc = goal.failed ? cts_err_set(k->err, CTS_E_LIMIT, "a condition is too long") : 0;
    if (!rc)
        rc = choose_point(k, cts_buf_text(&goal), false);
    if (!rc)
        rc = choose_point(k, cts_buf_text(&goal), true);
    cts_buf_release(&goal);
    return rc;
}

static int choose_all(struct maker *k)
{
    _Static_assert(CTS_POINT_AT == 0xc, "written out below");
    static const char *const wanted[] = {
        "(= ((_ extract 63 63) $) #b1)",
        "(and (= ((_ extract 63 63) $) #b0) (= ((_ extract 31 31) $) #b1))",
        "(= $ #x0000000000000000)",
    };
    /* The byte at base + CTS_POINT_AT. */
    static const char *const stored[] = {
        "(bvslt (select $ (bvadd base #x000000000000000c)) #x00)",
        "(= (select $ (bvadd base #x000000000000000c)) #x00)",
    };
    int rc = 0;

    for (unsigned c = 0; !rc && c < k->row->conds; c++) {
        rc = choose_both(k, "$", k->row->cond[c].text);
        if (!rc)
            rc = choose_both(k, "(not $)", k->row->cond[c].text);
    }
    for (unsigned o = CTS_SO_DST; !rc && o <= CTS_SO_R0; o++) {
        for (size_t w = 0; !rc && k->row->out[o].text && w < CTS_ARRAY_LEN(wanted); w++)
            rc = choose_both(k, wanted[w], k->row->out[o].text);
    }
    for (size_t w = 0; !rc && k->row->address && w < CTS_ARRAY_LEN(stored); w++) {
        if (k->row->out[CTS_SO_MEM].text)
            rc = choose_both(k, stored[w], k->row->out[CTS_SO_MEM].text);
    }
    return rc;
}

/* --- boundary values
 * --------------------------------------------------------------------------------- */

static uint64_t next_random(struct maker *k)
{
    k->random = k->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return k->random ^ k->random >> 29;
}

static const uint64_t values[] = {
    0,
    1,
    2,
    31,
    32,
    63,
    64,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x7fffffff,
    0x80000000,
    0xffffffff,
    UINT64_C(0x100000000),
    UINT64_C(0x100000001),
    UINT64_C(0x7fffffffffffffff),
    UINT64_C(0x8000000000000000),
    UINT64_C(0xffffffff80000000),
    UINT64_C(0xffffffff00000000),
    UINT64_C(0xffffffffffffffff),
    UINT64_C(0x0123456789abcdef),
    UINT64_C(0xfedcba9876543210),
};
static const uint16_t offsets[] = {0, 1, 0xffff, 0x7fff, 0x8000, 8, 0xfff8, 100};

/* Mostly a boundary value, sometimes any; two of them are often related. */
static uint64_t pick(struct maker *k, uint64_t other)
{
    uint64_t r = next_random(k);

    switch (r % 8) {
    case 0:
        return next_random(k);
    case 1:
        return other;
    case 2:
        return other ^ UINT64_C(1) << (r >> 8 & 63);
    default:
        return values[(r >> 8) % CTS_ARRAY_LEN(values)];
    }
}

static void add_boundary_memory(struct maker *k)
{
    if (!k->row->address) {
        cts_buf_adds(&k->script, "(define-fun mem () Mem ((as const Mem) #x00))\n");
        return;
    }
    cts_buf_adds(&k->script, "(define-fun mem () Mem ");
    for (unsigned i = 0; i < CTS_POINT_MEM; i++)
        cts_buf_adds(&k->script, "(store ");
    cts_buf_adds(&k->script, "((as const Mem) #xa5)");
    for (unsigned i = 0; i < CTS_POINT_MEM; i++) {
        uint64_t r = next_random(k);
        unsigned byte = r % 4 == 0 ? 0 : r % 4 == 1 ? 0xff : (unsigned)(r >> 8 & 0xff);
        cts_buf_addf(&k->script, " (bvadd base #x%016x) #x%02x)", i, byte);
    }
    cts_buf_adds(&k->script, ")\n");
}

static int add_boundary(struct maker *k, unsigned number)
{
    struct cts_smt_point *point;
    uint64_t value[3], imm, next_imm, off;
    int rc = begin(k, false, &point);

    if (rc)
        return rc;
    value[0] = number < CTS_ARRAY_LEN(values) ? values[number] : pick(k, 0);
    value[1] = pick(k, value[0]);
    value[2] = pick(k, value[0]);
    imm = pick(k, value[0]);
    next_imm = pick(k, imm);
    off = offsets[next_random(k) % CTS_ARRAY_LEN(offsets)];
    for (unsigned r = 0; r < 3; r++) {
        if (k->row->address && k->row->address_inputs >> r & 1)
            value[r] = UINT64_C(0x100000) + (next_random(k) >> 20);
        cts_buf_addf(&k->script, "(define-fun %s () (_ BitVec 64) #x%016llx)\n",
                     cts_smt_inputs[r].name, (unsigned long long)value[r]);
    }
    cts_buf_addf(&k->script,
                 "(define-fun imm () (_ BitVec 32) #x%08x)\n(define-fun next_imm () (_ BitVec 32) "
                 "#x%08x)\n(define-fun off () (_ BitVec 16) #x%04x)\n",
                 (unsigned)(uint32_t)imm, (unsigned)(uint32_t)next_imm, (unsigned)off);
    add_base(k);
    add_boundary_memory(k);
    cts_buf_adds(&k->script, "(echo \"sat\")\n");
    add_values(k, false);
    return 0;
}

/* --- all rows
 * ------------------------------------------------------------------------------------------ */

static int add_configuration(struct maker *k, bool be, bool choose)
{
    unsigned most = k->row->alias == CTS_ALIAS_NONE ? BOUNDARY : BOUNDARY_ALIAS;
    int rc;

    k->be = be;
    k->choose = choose;
    cts_buf_adds(&k->script, "(push)\n");
    add_constants(k);
    rc = choose_all(k);
    for (unsigned i = 0; !rc && i < most; i++)
        rc = add_boundary(k, i);
    cts_buf_adds(&k->script, "(pop)\n");
    return rc;
}

static int add_alias(struct maker *k, const struct cts_spec_insn *row, enum cts_smt_alias alias)
{
    struct cts_smt_insn r;
    unsigned inputs = 0;
    int rc = cts_smt_insn_make(row, alias, &k->points->arena, &r, k->err);

    if (rc)
        return rc;
    k->row = &r;
    cts_smt_define_insn(&r, &k->script);
    for (unsigned o = 0; o < CTS_SO_COUNT; o++)
        inputs |= r.out[o].text ? r.out[o].inputs : 0;
    for (unsigned be = 0; !rc && be <= (inputs >> CTS_SI_BE & 1); be++) {
        for (unsigned c = 0; !rc && c <= (inputs >> CTS_SI_CHOOSE & 1); c++)
            rc = add_configuration(k, be, c);
    }
    return rc;
}

static int add_row(struct maker *k, const struct cts_spec_insn *row)
{
    int rc = 0;

    k->points->rows++;
    k->random = 1;
    for (const char *p = row->id; *p; p++)
        k->random = k->random * 31 + (unsigned char)*p;
    for (enum cts_smt_alias a = CTS_ALIAS_NONE; !rc && a < CTS_ALIAS_COUNT; a++) {
        if (cts_smt_alias_possible(row, a))
            rc = add_alias(k, row, a);
    }
    return rc;
}

/* --- reading the answers
 * -------------------------------------------------------------------------------- */

/* Hexadecimal, binary or a truth value; false for anything else. */
static bool read_number(const char *text, uint64_t *out)
{
    char *end;

    *out = 0;
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        *out = text[0] == 't';
        return true;
    }
    if (text[0] != '#' || (text[1] != 'x' && text[1] != 'b'))
        return false;
    *out = strtoull(text + 2, &end, text[1] == 'x' ? 16 : 2);
    return end > text + 2 && *end == '\0';
}

static bool read_bytes(const char *text, uint8_t bytes[CTS_POINT_MEM])
{
    if (strncmp(text, "#x", 2) != 0 || strlen(text) != 2 + 2 * CTS_POINT_MEM)
        return false;
    for (size_t i = 0; i < CTS_POINT_MEM; i++) {
        const char digits[3] = {text[2 + 2 * i], text[3 + 2 * i], '\0'};
        char *end;
        bytes[i] = (uint8_t)strtoul(digits, &end, 16);
        if (*end)
            return false;
    }
    return true;
}

static bool read_field(struct cts_smt_point *p, enum field f, const char *text)
{
    uint64_t v = 0;

    if (f == F_MEM || f == F_OUT_MEM)
        return read_bytes(text, f == F_MEM ? p->in.mem : p->out.mem);
    if (f == F_SAT || !read_number(text, &v))
        return false;
    switch (f) {
    case F_SAT:
    case F_MEM:
    case F_OUT_MEM:
    case F_COUNT:
        return false;
    case F_DST:
        p->in.dst = v;
        break;
    case F_SRC:
        p->in.src = v;
        break;
    case F_R0:
        p->in.r0 = v;
        break;
    case F_IMM:
        p->imm = (int32_t)(uint32_t)v;
        break;
    case F_NEXT_IMM:
        p->next_imm = (int32_t)(uint32_t)v;
        break;
    case F_OFF:
        p->off = (int16_t)(uint16_t)v;
        break;
    case F_BASE:
        p->base = v;
        break;
    case F_OUT_DST:
        p->out.dst = v;
        break;
    case F_OUT_SRC:
        p->out.src = v;
        break;
    case F_OUT_R0:
        p->out.r0 = v;
        break;
    case F_OUT_TAKEN:
        p->taken = v != 0;
        break;
    case F_OUT_NEXT:
        p->next = (int64_t)v;
        break;
    case F_OUT_EXITS:
        p->exits = v != 0;
        break;
    }
    return true;
}

/* One register in several places has one value. */
static void spread(struct cts_smt_state *s, enum cts_smt_alias alias)
{
    const uint64_t cells[] = {s->dst, s->src, s->r0};

    s->src = cells[cts_smt_alias_cell(alias, 1)];
    s->r0 = cells[cts_smt_alias_cell(alias, 2)];
}

struct listener {
    struct cts_smt_points *points;
    uint8_t *fields; /* read of each point; 0xff: there is no such input */
    struct cts_smt_point *now;
    struct cts_err *err;
};

static int hear(struct listener *l, const char *line)
{
    size_t at;

    if (strncmp(line, "@p ", 3) == 0) {
        at = strtoul(line + 3, NULL, 10);
        l->now = at < l->points->count ? &l->points->point[at] : NULL;
        return 0;
    }
    at = l->now ? (size_t)(l->now - l->points->point) : 0;
    if (l->now && l->fields[at] == 0xff)
        return 0; /* complaints that there is no model */
    if (l->now && l->fields[at] == F_SAT) {
        l->fields[at] = strcmp(line, "sat") == 0 ? F_DST : 0xff;
        /* A goal that nothing meets, or that is too hard: there are enough others. */
        if (strcmp(line, "sat") == 0 || strcmp(line, "unsat") == 0 ||
            strcmp(line, "unknown") == 0 || strcmp(line, "timeout") == 0)
            return 0;
    } else if (l->now && l->fields[at] < F_COUNT &&
               read_field(l->now, (enum field)l->fields[at], line)) {
        l->fields[at]++;
        return 0;
    }
    return cts_err_set(l->err, CTS_E_TOOL, "z3 about %s: %.200s",
                       l->now ? l->now->row->id : "the formulas", line);
}

/* Keeps the points that are complete. */
static int settle(struct listener *l)
{
    struct cts_smt_points *p = l->points;
    size_t kept = 0;

    for (size_t i = 0; i < p->count; i++) {
        if (l->fields[i] == 0xff)
            continue;
        if (l->fields[i] != F_COUNT)
            return cts_err_set(l->err, CTS_E_TOOL, "z3 said too little about %s",
                               p->point[i].row->id);
        p->point[kept] = p->point[i];
        spread(&p->point[kept].in, p->point[kept].alias);
        spread(&p->point[kept].out, p->point[kept].alias);
        kept++;
    }
    p->count = kept;
    return 0;
}

/* The answers about one row, line by line. */
static int hear_all(struct listener *l, char *text)
{
    int rc = 0;

    while (!rc && *text) {
        char *end = strchr(text, '\n');
        if (end)
            *end = '\0';
        rc = hear(l, text);
        text = end ? end + 1 : text + strlen(text);
    }
    return rc;
}

static int read_answers(struct cts_smt_points *points, const struct cts_solver_question *q,
                        size_t n, struct cts_buf *answers, struct cts_err *err)
{
    struct listener l = {.points = points, .err = err};
    int rc = 0;

    l.fields = calloc(points->count + 1, 1);
    if (!l.fields)
        return cts_err_set(err, CTS_E_NOMEM, "no memory for the answers");
    for (size_t i = 0; !rc && i < n; i++) {
        if (q[i].end != CTS_SOLVER_ANSWERED)
            rc = cts_err_set(err, CTS_E_TOOL, "z3 did not come to an end with a row: %.60s",
                             q[i].text);
        else if (q[i].len)
            rc = hear_all(&l, answers->data + q[i].at);
    }
    if (!rc)
        rc = settle(&l);
    free(l.fields);
    return rc;
}

/* The rows' texts stand behind one another in the script, from starts[i] on. */
static int ask(struct maker *k, const size_t *starts, size_t n)
{
    struct cts_solver_question *q = calloc(n + 1, sizeof(*q));
    struct cts_solver_opts opts = {.cpu_ms = ROW_CPU_MS};
    struct cts_buf common, answers;
    int rc = 0;

    cts_buf_init(&common, 0);
    cts_buf_init(&answers, 0);
    cts_smt_prelude(true, NULL, &common);
    cts_buf_addf(&common, "(set-option :timeout %d)\n", QUERY_MS);
    opts.common = cts_buf_text(&common);
    for (size_t i = 0; q && i < n; i++)
        q[i].text = k->script.data + starts[i];
    if (!q || common.failed || k->script.failed)
        rc = cts_err_set(k->err, CTS_E_NOMEM, "no memory for the questions");
    if (!rc)
        rc = cts_solver_ask(&opts, q, n, &answers, k->err);
    if (!rc)
        rc = read_answers(k->points, q, n, &answers, k->err);
    cts_buf_release(&common);
    cts_buf_release(&answers);
    free(q);
    return rc;
}

int cts_smt_points_make(const struct cts_spec *spec, const char *row, struct cts_smt_points *points,
                        struct cts_err *err)
{
    struct maker k = {.points = points, .err = err};
    const struct cts_spec_insn *one = row ? cts_spec_insn_find(spec, row) : NULL;
    size_t *starts = calloc(spec->row_count + 1, sizeof(*starts)), n = 0;
    uint64_t start = cts_clock_ns();
    int rc = 0;

    cts_buf_init(&k.script, 0);
    if (!starts)
        rc = cts_err_set(err, CTS_E_NOMEM, "no memory for the rows");
    else if (row && (!one || !one->sema))
        rc = cts_err_set(err, CTS_E_NOTFOUND, "unknown instruction '%.80s'", row);
    else if (!cts_solver_is_here(NULL))
        rc = cts_err_set(err, CTS_E_UNSUPPORTED, "%s", cts_solver_hint);
    for (size_t i = 0; !rc && i < spec->row_count; i++) {
        if (!spec->rows[i].sema || (one && one != &spec->rows[i]))
            continue;
        starts[n++] = k.script.len;
        rc = add_row(&k, &spec->rows[i]);
        cts_buf_addc(&k.script, '\0');
    }
    if (!rc)
        rc = ask(&k, starts, n);
    cts_buf_release(&k.script);
    free(starts);
    points->seconds = (double)(cts_clock_ns() - start) / 1e9;
    return rc;
}
