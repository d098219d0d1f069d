#include "conf/prevail.h"

#include <string.h>

#include "base/fmt.h"
#include "conf/prevail_int.h"

enum { REGS = 10, MOST_FACTS = 64, MOST_VALUES = 24, MOST_CASES = 128, NAME = 96 };

const char *cts_prevail_reason(enum cts_prevail_reason r)
{
    static const char *const text[CTS_PR_COUNT] = {
        [CTS_PR_NONE] = "",
        [CTS_PR_TEXT] = "an instruction that is not read",
        [CTS_PR_TYPES] = "facts of pointers, memory or differences before, or a rejection of such",
        [CTS_PR_MEMORY] = "loads and stores",
        [CTS_PR_CALLS] = "calls",
        [CTS_PR_LOOPS] = "jumps backwards",
        [CTS_PR_OPTIONS] = "options of the verifier",
        [CTS_PR_NO_END] = "no state before or after it",
        [CTS_PR_NO_ROOM] = "nothing to compare",
    };
    return text[r];
}

/* One test. */
struct test {
    const char *title;
    const struct cts_yaml *blocks;
    struct cts_pv_fact pre[MOST_FACTS], post[MOST_FACTS];
    size_t pres, posts;
    const char *message; /* the first; null: none */
    const char *order;   /* "little" or "big"; null: any */
    bool unreachable;    /* it says that code is not reached, which is no reason to reject */
    bool impossible;     /* nothing is known before or after, as nothing gets there */
    bool options;
};

struct maker {
    const char *name, *prefix;
    struct cts_arena *arena;
    struct cts_buf *out;
    struct cts_prevail_sum *sum;
    struct cts_err *err;
    struct test t;
    char id[NAME];
    uint64_t cases[MOST_CASES][REGS];
    size_t case_count;
    unsigned given; /* bit i: ri has a value before */
};

static int no_memory(struct maker *m)
{
    return cts_err_set(m->err, CTS_E_NOMEM, "out of memory");
}

/* Reading. */

static int read_facts(struct maker *m, const struct cts_yaml *test, const char *key,
                      struct cts_pv_fact *facts, size_t *count)
{
    struct cts_yaml_strs strs;
    const struct cts_yaml *node = cts_yaml_get(test, key);
    *count = 0;
    if (!node)
        return cts_yaml_error(test, CTS_E_SCHEMA, m->err, "the test has no '%s'", key);
    int rc = cts_yaml_strs(node, key, m->arena, &strs, m->err);
    if (rc == 0 && strs.count > MOST_FACTS)
        return cts_yaml_error(node, CTS_E_LIMIT, m->err, "%s: more than %d facts", key, MOST_FACTS);
    for (size_t i = 0; rc == 0 && i < strs.count; i++) {
        m->t.impossible |= strcmp(strs.list[i], "_|_") == 0;
        facts[(*count)++] = cts_pv_fact(strs.list[i]);
    }
    return rc;
}

static int read_options(struct maker *m, const struct cts_yaml *test)
{
    struct cts_yaml_strs strs = {0};
    const struct cts_yaml *node = cts_yaml_get(test, "options");
    int rc = node && !cts_yaml_is_null(node)
                 ? cts_yaml_strs(node, "options", m->arena, &strs, m->err)
                 : 0;
    for (size_t i = 0; rc == 0 && i < strs.count; i++) {
        if (strcmp(strs.list[i], "big_endian") == 0)
            m->t.order = "big";
        else if (strcmp(strs.list[i], "!big_endian") == 0)
            m->t.order = "little";
        else
            m->t.options = true;
    }
    return rc;
}

static int read_messages(struct maker *m, const struct cts_yaml *test)
{
    struct cts_yaml_strs strs = {0};
    const struct cts_yaml *node = cts_yaml_get(test, "messages");
    int rc = node && !cts_yaml_is_null(node)
                 ? cts_yaml_strs(node, "messages", m->arena, &strs, m->err)
                 : 0;
    for (size_t i = 0; rc == 0 && i < strs.count; i++)
        m->t.unreachable |= strstr(strs.list[i], "nreachable") != NULL;
    m->t.message = strs.count ? strs.list[0] : NULL;
    return rc;
}

static int read_test(struct maker *m, const struct cts_yaml *test)
{
    m->t = (struct test){.blocks = cts_yaml_get(test, "code")};
    if (!m->t.blocks || m->t.blocks->kind != CTS_YAML_MAP)
        return cts_yaml_error(test, CTS_E_SCHEMA, m->err, "the test has no 'code' of blocks");
    int rc = cts_yaml_str(cts_yaml_get(test, "test-case"), "test-case", &m->t.title, m->err);
    if (rc == 0)
        rc = read_facts(m, test, "pre", m->t.pre, &m->t.pres);
    if (rc == 0)
        rc = read_facts(m, test, "post", m->t.post, &m->t.posts);
    if (rc == 0)
        rc = read_options(m, test);
    return rc ? rc : read_messages(m, test);
}

/* Values before. */

struct values {
    uint64_t v[MOST_VALUES];
    size_t count;
};

static void add_value(struct values *list, uint64_t v)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->v[i] == v)
            return;
    if (list->count < MOST_VALUES)
        list->v[list->count++] = v;
}

static void add_bounds(struct values *list, const struct cts_pv_fact *f)
{
    add_value(list, f->lo.v);
    add_value(list, f->hi.v);
    add_value(list, f->lo.v + 1);
    add_value(list, f->hi.v - 1);
    add_value(list, f->lo.v + (f->hi.v - f->lo.v) / 2);
}

static bool is_of(const struct cts_pv_fact *f, int reg)
{
    return (f->kind == CTS_PV_RANGE && f->a.reg == reg) ||
           (f->kind == CTS_PV_SAME && (f->a.reg == reg || f->b.reg == reg));
}

/* Bounds of what is known of the register, or of any number; then of those that it is tied to. */
static void collect(const struct test *t, int reg, struct values *list)
{
    static const uint64_t any[] = {0,         1,          UINT64_MAX, UINT64_C(1) << 63,
                                   INT64_MAX, 0x80000000, UINT32_MAX, 0x1234567890};
    bool known = false;
    for (size_t i = 0; i < t->pres; i++) {
        if (t->pre[i].kind != CTS_PV_RANGE || t->pre[i].a.reg != reg)
            continue;
        add_bounds(list, &t->pre[i]);
        known = true;
    }
    for (size_t i = 0; i < t->pres; i++)
        for (size_t k = 0; t->pre[i].kind == CTS_PV_SAME && is_of(&t->pre[i], reg) && k < t->pres;
             k++)
            if (t->pre[k].kind == CTS_PV_RANGE &&
                (t->pre[k].a.reg == t->pre[i].a.reg || t->pre[k].a.reg == t->pre[i].b.reg))
                add_bounds(list, &t->pre[k]);
    for (size_t i = 0; i < t->posts; i++) { /* and just beyond what is to come out */
        if (t->post[i].kind != CTS_PV_RANGE)
            continue;
        add_value(list, t->post[i].lo.v - 1);
        add_value(list, t->post[i].hi.v + 1);
        add_value(list, t->post[i].lo.v);
        add_value(list, t->post[i].hi.v);
    }
    for (size_t i = 0; !known && i < sizeof(any) / sizeof(any[0]); i++)
        add_value(list, any[i]);
}

static bool all_hold(const struct test *t, const uint64_t *regs)
{
    for (size_t i = 0; i < t->pres; i++)
        if (!cts_pv_holds(&t->pre[i], regs))
            return false;
    return true;
}

static void choose(struct maker *m, const struct values *lists, unsigned reg, uint64_t *regs)
{
    if (m->case_count == MOST_CASES)
        return;
    if (reg == REGS) {
        if (all_hold(&m->t, regs))
            memcpy(m->cases[m->case_count++], regs, REGS * sizeof(*regs));
        return;
    }
    if (!(m->given >> reg & 1))
        choose(m, lists, reg + 1, regs);
    for (size_t i = 0; m->given >> reg & 1 && i < lists[reg].count; i++) {
        regs[reg] = lists[reg].v[i];
        choose(m, lists, reg + 1, regs);
    }
}

static void make_cases(struct maker *m)
{
    struct values lists[REGS] = {0};
    uint64_t regs[REGS] = {0};
    m->case_count = 0;
    m->given = 0;
    for (size_t i = 0; i < m->t.pres; i++) {
        const struct cts_pv_fact *f = &m->t.pre[i];
        m->given |= f->kind != CTS_PV_OTHER && f->a.reg >= 0 ? 1u << f->a.reg : 0;
        m->given |= f->kind == CTS_PV_SAME ? 1u << f->b.reg : 0;
    }
    for (int r = 0; r < REGS; r++)
        if (m->given >> r & 1)
            collect(&m->t, r, &lists[r]);
    choose(m, lists, 0, regs);
}

/* Vectors. */

static bool is_single(const struct cts_pv_fact *f)
{
    return f->kind == CTS_PV_RANGE && cts_pv_compare(f->lo, f->hi) == 0;
}

/* Not what two registers have in common: behind the code PREVAIL prints `a=b` also where it knows
 * no more than that one of them is not above the other. */
static bool is_checked(const struct cts_pv_fact *f)
{
    return f->kind == CTS_PV_RANGE;
}

static void add_bound(struct cts_buf *out, const struct cts_pv_fact *f, bool upper, int scratch)
{
    const char *sign = f->a.is_signed ? "s" : "";
    struct cts_pv_num n = upper ? f->hi : f->lo;
    cts_buf_addf(out, "      r%d = %lld ll\n      if r%d %s%s r%d goto L__no\n", scratch,
                 (long long)n.v, f->a.reg, sign, upper ? ">" : "<", scratch);
}

static void add_checks(struct maker *m, int scratch)
{
    struct cts_buf *out = m->out;
    cts_buf_adds(out, "      L__checks:\n");
    for (size_t i = 0; i < m->t.posts; i++) {
        const struct cts_pv_fact *f = &m->t.post[i];
        if (!is_checked(f))
            continue;
        add_bound(out, f, false, scratch);
        add_bound(out, f, true, scratch);
    }
    cts_buf_addf(out,
                 "      L__vacuous:\n      r%d = 1\n      goto L__done\n      L__no:\n"
                 "      r%d = 0\n      L__done:\n",
                 scratch, scratch);
}

static void add_text(struct cts_buf *out, const char *text)
{
    for (const char *p = text; *p;) {
        size_t len = strcspn(p, "\n");
        cts_buf_addf(out, "      %.*s\n", (int)len, p);
        p += len + (p[len] == '\n');
    }
}

static void add_quoted(struct cts_buf *out, const char *key, const char *before, const char *text)
{
    cts_buf_addf(out, "    %s: '%s", key, before);
    for (const char *p = text; *p; p++)
        cts_buf_addf(out, "%s%c", *p == '\'' ? "'" : "", *p >= ' ' && *p <= '~' ? *p : '?');
    cts_buf_adds(out, "'\n");
}

static void add_head(struct maker *m, const char *kind, const struct cts_pv_code *c)
{
    const char *comma = "";
    cts_buf_addf(m->out, "  - name: %s%s\n", m->id, kind);
    add_quoted(m->out, "why", "PREVAIL: ", m->t.title);
    cts_buf_adds(m->out, "    insns: [");
    for (unsigned i = 0; i < CTS_INSN_COUNT; i++) {
        if (!c->rows[i] || (i == CTS_INSN_EXIT && c->reads_or_writes))
            continue;
        cts_buf_addf(m->out, "%s%s", comma, cts_insn_info((enum cts_insn_id)i)->id);
        comma = ", ";
    }
    cts_buf_adds(m->out, "]\n    clauses: []\n    policy: imported\n");
}

/* The value of a register behind the code, if it is one and always reached. */
static const struct cts_pv_fact *single_of(const struct maker *m, const struct cts_pv_code *c,
                                           int reg)
{
    for (size_t i = 0; !c->assumes && i < m->t.posts; i++)
        if (is_single(&m->t.post[i]) && m->t.post[i].a.reg == reg)
            return &m->t.post[i];
    return NULL;
}

static void add_case(struct maker *m, const struct cts_pv_code *c, const uint64_t *regs,
                     int scratch)
{
    const char *comma = "";
    cts_buf_adds(m->out, "      - {in: {");
    for (int r = 0; r < REGS; r++) {
        if (!(m->given >> r & 1))
            continue;
        cts_buf_addf(m->out, "%sr%d: 0x%llx", comma, r, (unsigned long long)regs[r]);
        comma = ", ";
    }
    cts_buf_addf(m->out, "}, out: {r%d: 1", scratch);
    for (int r = 0; r < REGS; r++) {
        const struct cts_pv_fact *f = single_of(m, c, r);
        if (f)
            cts_buf_addf(m->out, ", r%d: 0x%llx", r, (unsigned long long)f->lo.v);
        else if (c->writes >> r & 1)
            cts_buf_addf(m->out, ", r%d: any", r);
    }
    cts_buf_addf(m->out, "}%s%s}\n", m->t.order ? ", order: " : "", m->t.order ? m->t.order : "");
}

static int free_register(const struct maker *m, const struct cts_pv_code *c)
{
    unsigned taken = c->reads_or_writes | m->given;
    for (size_t i = 0; i < m->t.posts; i++) {
        const struct cts_pv_fact *f = &m->t.post[i];
        taken |= is_checked(f) ? 1u << f->a.reg : 0;
    }
    for (int r = REGS; r-- > 0;)
        if (!(taken >> r & 1))
            return r;
    return -1;
}

static void count_facts(struct maker *m)
{
    for (size_t i = 0; i < m->t.posts; i++) {
        m->sum->facts += is_checked(&m->t.post[i]);
        m->sum->facts_left += !is_checked(&m->t.post[i]) && m->t.post[i].kind != CTS_PV_TYPE;
    }
}

static bool compares(const struct test *t)
{
    for (size_t i = 0; i < t->posts; i++)
        if (is_checked(&t->post[i]))
            return true;
    return false;
}

static bool has_types(const struct test *t)
{
    for (size_t i = 0; i < t->pres; i++)
        if (t->pre[i].kind == CTS_PV_OTHER)
            return true;
    return false;
}

static enum cts_prevail_reason why_not_run(const struct maker *m, const struct cts_pv_code *c)
{
    const struct test *t = &m->t;
    const struct {
        bool is;
        enum cts_prevail_reason why;
    } reasons[] = {
        {c->strange && !c->memory, CTS_PR_TEXT},
        {c->memory, CTS_PR_MEMORY},
        {c->calls, CTS_PR_CALLS},
        {t->options, CTS_PR_OPTIONS},
        {t->impossible || t->unreachable, CTS_PR_NO_END},
        {has_types(t) || t->message, CTS_PR_TYPES},
        {c->loops, CTS_PR_LOOPS},
        {m->case_count == 0 || !compares(t) || c->reads_or_writes == 0 || free_register(m, c) < 0,
         CTS_PR_NO_ROOM},
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].is)
            return reasons[i].why;
    return CTS_PR_NONE;
}

static int make_run(struct maker *m, enum cts_prevail_reason *why)
{
    struct cts_pv_code c;
    if (cts_pv_code(m->t.blocks, "goto L__checks", m->arena, &c))
        return no_memory(m);
    make_cases(m);
    *why = why_not_run(m, &c);
    if (*why == CTS_PR_NONE) {
        int scratch = free_register(m, &c);
        add_head(m, "", &c);
        cts_buf_adds(m->out, "    operands: [opaque]\n    asm: |\n");
        add_text(m->out, cts_buf_text(&c.text));
        add_checks(m, scratch);
        cts_buf_adds(m->out, "    cases:\n");
        for (size_t i = 0; i < m->case_count; i++)
            add_case(m, &c, m->cases[i], scratch);
        m->sum->runs++;
        m->sum->cases += m->case_count;
        count_facts(m);
    }
    cts_pv_code_release(&c);
    return 0;
}

/* Verdicts: a program can only be made of a test that begins with numbers. */

static bool begins_with_constants(const struct test *t, unsigned *set)
{
    *set = 0;
    for (size_t i = 0; i < t->pres; i++) {
        if (t->pre[i].kind != CTS_PV_TYPE && !is_single(&t->pre[i]))
            return false;
        *set |= is_single(&t->pre[i]) ? 1u << t->pre[i].a.reg : 0;
    }
    for (size_t i = 0; i < t->pres; i++) /* a number, but which one? */
        if (t->pre[i].kind == CTS_PV_TYPE && t->pre[i].a.reg >= 0 && !(*set >> t->pre[i].a.reg & 1))
            return false;
    return true;
}

static void add_program(struct maker *m, const struct cts_pv_code *c, unsigned set)
{
    cts_buf_adds(m->out, "    program: |\n");
    for (size_t i = 0; i < m->t.pres; i++) {
        const struct cts_pv_fact *f = &m->t.pre[i];
        if (f->kind == CTS_PV_RANGE && set >> f->a.reg & 1)
            cts_buf_addf(m->out, "      r%d = %lld ll\n", f->a.reg, (long long)f->lo.v);
        set &= f->kind == CTS_PV_RANGE ? ~(1u << f->a.reg) : set;
    }
    add_text(m->out, cts_buf_text(&c->text));
    if (!c->ends)
        cts_buf_adds(m->out, "      r0 = 0\n      exit\n");
}

static int make_verdict(struct maker *m, bool *made)
{
    struct cts_pv_code c;
    unsigned set = 0;
    *made = false;
    if (cts_pv_code(m->t.blocks, "exit", m->arena, &c))
        return no_memory(m);
    bool context = (c.reads_or_writes & ~set) >> 1 & 1; /* r1, of which a program's begin says */
    bool alone = begins_with_constants(&m->t, &set);
    context = context && !(set >> 1 & 1);
    if (alone && !context && !c.strange && !c.calls && !c.assumes && !c.loops &&
        c.reads_or_writes && !m->t.options && !m->t.impossible && !m->t.unreachable &&
        !m->t.order) {
        add_head(m, "-verdict", &c);
        if (m->t.message)
            add_quoted(m->out, "message", "", m->t.message);
        add_program(m, &c, set);
        cts_buf_addf(m->out, "    verdict: any\n    verdicts: {prevail: %s}\n",
                     m->t.message ? "reject" : "accept");
        m->sum->verdicts++;
        *made = true;
    }
    cts_pv_code_release(&c);
    return 0;
}

/* Files. */

/* A number behind it makes the name this test's own. */
static void make_id(struct maker *m, size_t number)
{
    size_t n = cts_fmt(m->id, NAME / 2, "%s-", m->prefix);
    n = n < NAME / 2 ? n : NAME / 2 - 1;
    for (const char *p = m->t.title; *p && n < NAME - 8; p++) {
        bool word = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9');
        bool upper = *p >= 'A' && *p <= 'Z';
        if (word || upper)
            m->id[n++] = (char)(upper ? *p + 32 : *p);
        else if (m->id[n - 1] != '-')
            m->id[n++] = '-';
    }
    n -= m->id[n - 1] == '-';
    cts_fmt(m->id + n, NAME - n, "-%zu", number);
}

static int make_test(struct maker *m, const struct cts_yaml *test, size_t number)
{
    enum cts_prevail_reason why = CTS_PR_NONE;
    bool verdict = false;
    int rc = read_test(m, test);
    if (rc)
        return rc;
    make_id(m, number);
    m->sum->tests++;
    rc = make_run(m, &why);
    if (rc == 0)
        rc = make_verdict(m, &verdict);
    m->sum->left[why] += why != CTS_PR_NONE && !verdict;
    return rc ? rc : m->out->failed ? no_memory(m) : 0;
}

static bool is_border(const char *line, const char *end)
{
    return end - line >= 3 && memcmp(line, "---", 3) == 0 &&
           (end - line == 3 || strchr(" \r\n", line[3]));
}

/* One document, with as many empty lines in front of it as lines come before it. */
static int read_document(struct maker *m, size_t lines, const char *from, const char *end,
                         struct cts_yaml **out)
{
    size_t len = (size_t)(end - from);
    char *text = cts_arena_take(m->arena, lines + len + 1);
    if (!text)
        return no_memory(m);
    memset(text, '\n', lines);
    memcpy(text + lines, from, len);
    return cts_yaml_parse(m->name, text, lines + len, m->arena, out, m->err);
}

static const char key[] = "\ntest-case:";

static const char *find_key(const char *from, const char *end)
{
    size_t len = sizeof(key) - 2;
    for (const char *p = from; p && p + len <= end; p = memchr(p, '\n', (size_t)(end - p))) {
        p += *p == '\n';
        if ((size_t)(end - p) >= len && memcmp(p, key + 1, len) == 0)
            return p;
    }
    return NULL;
}

int cts_prevail_is(const char *text, size_t len)
{
    return find_key(text, text + len) != NULL;
}

int cts_prevail_add(const char *name, const char *prefix, const char *text, size_t len,
                    struct cts_arena *arena, struct cts_buf *out, struct cts_prevail_sum *sum,
                    struct cts_err *err)
{
    const char *end = text + len, *from = text;
    size_t lines = 0, first = 0, number = 0;
    struct maker *m = cts_arena_take(arena, sizeof(*m));
    int rc = m ? 0 : cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (m)
        *m = (struct maker){
            .name = name, .prefix = prefix, .arena = arena, .out = out, .sum = sum, .err = err};
    for (const char *p = text; rc == 0 && p < end;) {
        const char *eol = memchr(p, '\n', (size_t)(end - p)), *next = eol ? eol + 1 : end;
        bool border = is_border(p, next);
        const char *stop = border ? p : next;
        struct cts_yaml *test = NULL;
        lines++;
        if ((border || next == end) && find_key(from, stop)) {
            rc = read_document(m, first, from, stop, &test);
            if (rc == 0)
                rc = make_test(m, test, ++number);
        }
        if (border) {
            from = next;
            first = lines;
        }
        p = next;
    }
    return rc;
}
