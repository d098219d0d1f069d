/* Asks the solver about every law and says in TAP what it answered. */
#include "smt_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"

/* The hardest law takes z3 4.8.12 ten million steps, which are two seconds of a processor. The
 * limit of CPU time is for what is no step. */
enum { STEPS = 200000000, CPU_MS = 600000, LINE_MAX_BYTES = 400 };

/* For reading laws: sign- and zero-extension of immediates, offsets and halves. */
static const char LAW_WORDS[] =
    "(define-fun sx ((x (_ BitVec 32))) (_ BitVec 64) ((_ sign_extend 32) x))\n"
    "(define-fun sxo ((x (_ BitVec 16))) (_ BitVec 64) ((_ sign_extend 48) x))\n"
    "(define-fun zx ((x (_ BitVec 32))) (_ BitVec 64) ((_ zero_extend 32) x))\n"
    "(define-fun lo ((x (_ BitVec 64))) (_ BitVec 32) ((_ extract 31 0) x))\n"
    "(define-fun hi ((x (_ BitVec 64))) (_ BitVec 32) ((_ extract 63 32) x))\n"
    "(define-fun abs ((x (_ BitVec 64))) (_ BitVec 64) (ite (bvslt x #x0000000000000000) (bvneg x) "
    "x))\n"
    "(define-fun low8 ((x (_ BitVec 64))) (_ BitVec 64) (bvand x #x00000000000000ff))\n"
    "(define-fun low16 ((x (_ BitVec 64))) (_ BitVec 64) (bvand x #x000000000000ffff))\n"
    "(define-fun low32 ((x (_ BitVec 64))) (_ BitVec 64) (bvand x #x00000000ffffffff))\n"
    "(define-fun low64 ((x (_ BitVec 64))) (_ BitVec 64) x)\n"
    "(define-fun low5 ((x (_ BitVec 64))) (_ BitVec 64) (bvand x #x000000000000001f))\n"
    "(define-fun low6 ((x (_ BitVec 64))) (_ BitVec 64) (bvand x #x000000000000003f))\n";

enum verdict { NOTHING, SAT, UNSAT, UNKNOWN };

struct answer {
    enum verdict given, asked;
    enum cts_solver_end end;
    bool error, gave_up;
    char error_text[LINE_MAX_BYTES];
    char model[LINE_MAX_BYTES];
    double seconds;
};

/* --- asking -------------------------------------------------------------------------------------
 */

static int add_rows(const struct cts_spec *spec, struct cts_buf *out, struct cts_err *err)
{
    int rc = 0;

    for (size_t i = 0; !rc && i < spec->row_count; i++) {
        struct cts_arena arena;
        cts_arena_init(&arena, 64 << 20);
        for (enum cts_smt_alias a = CTS_ALIAS_NONE; !rc && a < CTS_ALIAS_COUNT; a++) {
            struct cts_smt_insn row;
            if (!cts_smt_alias_possible(&spec->rows[i], a))
                continue;
            rc = cts_smt_insn_make(&spec->rows[i], a, &arena, &row, err);
            if (!rc)
                cts_smt_define_insn(&row, out);
        }
        cts_arena_release(&arena);
    }
    return rc;
}

static void add_question(const struct cts_law *law, struct cts_buf *out)
{
    cts_buf_addf(out, "(push)\n%s\n", law->vars);
    if (law->given)
        cts_buf_addf(out, "(assert %s)\n(echo \"@given\")\n(check-sat)\n", law->given);
    cts_buf_addf(out, "(assert (not %s))\n(echo \"@asked\")\n", law->holds);
    cts_buf_adds(out, law->bits ? "(check-sat-using qfbv)\n" : "(check-sat)\n");
    if (law->names && *law->names)
        cts_buf_addf(out, "(echo \"@model\")\n(get-value (%s))\n", law->names);
    cts_buf_adds(out, "(echo \"@stats\")\n(get-info :all-statistics)\n(pop)\n");
}

static bool is_chosen(const struct cts_law *law, const struct cts_laws_options *options)
{
    return !options || !options->filter || strstr(law->id, options->filter) != NULL;
}

static int make_common(const struct cts_spec *spec, struct cts_buf *out, struct cts_err *err)
{
    int rc;

    cts_smt_prelude(false, NULL, out);
    rc = add_rows(spec, out, err);
    cts_buf_adds(out, LAW_WORDS);
    if (!rc && out->failed)
        rc = cts_err_set(err, CTS_E_NOMEM, "no memory for the formulas");
    return rc;
}

/* The laws that are chosen, as questions whose texts belong to the arena of the laws. */
static int make_questions(struct cts_laws *laws, const struct cts_laws_options *options,
                          struct cts_solver_question *q, struct cts_err *err)
{
    struct cts_buf text;
    size_t n = 0;
    bool failed = false;

    cts_buf_init(&text, 0);
    for (size_t i = 0; !failed && i < laws->count; i++) {
        if (!is_chosen(&laws->law[i], options))
            continue;
        cts_buf_clear(&text);
        add_question(&laws->law[i], &text);
        q[n].text = cts_arena_strdup(&laws->arena, cts_buf_text(&text));
        failed = text.failed || !q[n++].text;
    }
    cts_buf_release(&text);
    return failed ? cts_err_set(err, CTS_E_NOMEM, "no memory for the questions") : 0;
}

/* --- reading the answers
 * -------------------------------------------------------------------------- */

enum part { PART_START, PART_GIVEN, PART_ASKED, PART_MODEL, PART_STATS };

struct listener {
    struct answer *now;
    enum part part;
};

static void append(char *to, const char *from, size_t len)
{
    size_t have = strlen(to);

    while (len > 0 && have + 2 < LINE_MAX_BYTES) {
        char c = *from++;
        len--;
        if (c == ' ' && have > 0 && to[have - 1] == ' ')
            continue;
        to[have++] = c;
        to[have] = '\0';
    }
}

static enum verdict verdict_of(const char *line, size_t len)
{
    static const char *const words[] = {[SAT] = "sat", [UNSAT] = "unsat", [UNKNOWN] = "unknown"};

    for (enum verdict v = SAT; v <= UNKNOWN; v++) {
        if (strlen(words[v]) == len && memcmp(words[v], line, len) == 0)
            return v;
    }
    return NOTHING;
}

static void hear_mark(struct listener *l, const char *line)
{
    static const char *const marks[] = {[PART_GIVEN] = "@given",
                                        [PART_ASKED] = "@asked",
                                        [PART_MODEL] = "@model",
                                        [PART_STATS] = "@stats"};

    for (enum part p = PART_GIVEN; p <= PART_STATS; p++) {
        if (strncmp(line, marks[p], 6) == 0)
            l->part = p;
    }
}

static void hear_error(struct listener *l, const char *line, size_t len)
{
    /* There is a model only where there is a counterexample. */
    if (l->part == PART_MODEL && strstr(line, "model is not available"))
        return;
    l->now->gave_up |= cts_solver_gave_up(line);
    if (cts_solver_gave_up(line))
        return;
    l->now->error = true;
    if (!*l->now->error_text)
        append(l->now->error_text, line, len);
}

static void hear(struct listener *l, const char *line, size_t len)
{
    if (line[0] == '@') {
        hear_mark(l, line);
        return;
    }
    if (strncmp(line, "(error", 6) == 0) {
        hear_error(l, line, len);
        return;
    }
    if (l->part == PART_GIVEN)
        l->now->given = verdict_of(line, len);
    else if (l->part == PART_ASKED)
        l->now->asked = verdict_of(line, len);
    else if (l->part == PART_MODEL)
        append(l->now->model, line, len);
    else if (l->part == PART_STATS && strstr(line, ":time"))
        l->now->seconds = strtod(strstr(line, ":time") + 5, NULL);
}

static void listen_all(struct listener *l, char *text)
{
    while (*text) {
        char *end = strchr(text, '\n');
        size_t len = end ? (size_t)(end - text) : strlen(text);
        if (end)
            *end = '\0';
        hear(l, text, len);
        text += len + (end != NULL);
    }
}

/* --- telling ------------------------------------------------------------------------------------
 */

/* What is wrong with the law; null: nothing, or that is not known. */
static const char *complaint(const struct cts_law *law, const struct answer *a)
{
    bool valid = law->expected == CTS_LAW_VALID;

    if (a->error)
        return "the solver does not understand it";
    if (a->end == CTS_SOLVER_DIED)
        return "the solver ended without an answer";
    if (law->given && a->given == UNSAT)
        return "what is given never holds";
    switch (a->asked) {
    case NOTHING:
        return a->end == CTS_SOLVER_SPENT ? NULL : "the solver did not answer";
    case SAT:
        return valid ? "it does not hold" : NULL;
    case UNSAT:
        return valid ? NULL : "it holds, though it is said not to";
    case UNKNOWN:
        return NULL;
    }
    return "no such answer";
}

static void tell_law(const struct cts_law *law, const struct answer *a, struct cts_buf *out)
{
    cts_buf_addf(out, "#     law: %s\n", law->says);
    if (law->given)
        cts_buf_addf(out, "#   given: %s\n", law->given);
    cts_buf_addf(out, "#   holds: %s\n", law->holds);
    if (a->error)
        cts_buf_addf(out, "#     z3: %s\n", a->error_text);
}

/* Neither proven nor refuted: TODO, or SKIP if the law need not be decided. */
static void tell_undecided(const struct cts_law *law, const struct answer *a,
                           struct cts_laws_result *result, struct cts_buf *out)
{
    const char *why = law->may_unknown;

    result->undecided++;
    result->open += !why;
    cts_buf_addf(out, "%s %zu - %s (%u.%02u s) # %s undecided: %s\n", why ? "ok" : "not ok",
                 result->checked, law->id, (unsigned)a->seconds, (unsigned)(a->seconds * 100) % 100,
                 why ? "SKIP" : "TODO",
                 why                          ? why
                 : a->end == CTS_SOLVER_SPENT ? "the solver's CPU time for a law was over"
                                              : "the solver gave it up");
    if (!why)
        tell_law(law, a, out);
}

static void tell(const struct cts_law *law, const struct answer *a, struct cts_laws_result *result,
                 struct cts_buf *out)
{
    const char *why = complaint(law, a);

    result->checked++;
    if (!why && (a->asked == UNKNOWN || a->asked == NOTHING)) {
        tell_undecided(law, a, result, out);
        return;
    }
    cts_buf_addf(out, "%s %zu - %s", why ? "not ok" : "ok", result->checked, law->id);
    cts_buf_addf(out, " (%u.%02u s)\n", (unsigned)a->seconds, (unsigned)(a->seconds * 100) % 100);
    if (why) {
        cts_buf_addf(out, "# %s\n", why);
        tell_law(law, a, out);
    }
    if (a->asked == SAT && *a->model)
        cts_buf_addf(out, "# %s: %s\n", why ? "counterexample" : "refuted by", a->model);
    result->failed += why != NULL;
    result->passed += !why;
    result->valid += !why && a->asked == UNSAT;
    result->refuted += !why && a->asked == SAT;
}

/* Rows that some checked law names. */
static size_t count_rows(const struct cts_spec *spec, const struct cts_laws *laws,
                         const struct cts_laws_options *options)
{
    bool *seen = calloc(spec->row_count + 1, sizeof(*seen));
    size_t count = 0;

    for (size_t i = 0; seen && i < laws->count; i++) {
        const char *holds = laws->law[i].holds;
        size_t at = 0, len;
        if (!is_chosen(&laws->law[i], options))
            continue;
        while ((len = cts_law_next_function(holds, &at)) > 0) {
            const struct cts_spec_insn *row = cts_law_insn(spec, holds + at, len);
            if (row && !seen[row - spec->rows]) {
                seen[row - spec->rows] = true;
                count++;
            }
            at += len;
        }
    }
    free(seen);
    return count;
}

static struct cts_solver_opts solver_options(const struct cts_laws_options *options,
                                             const struct cts_buf *common)
{
    struct cts_solver_opts s = {.common = cts_buf_text(common), .steps = STEPS, .cpu_ms = CPU_MS};

    if (!options)
        return s;
    s.program = options->z3;
    if (options->steps)
        s.steps = options->steps;
    if (options->cpu_ms) {
        s.steps = 0;
        s.cpu_ms = options->cpu_ms;
    }
    return s;
}

static int ask(const struct cts_spec *spec, const struct cts_laws_options *options,
               struct cts_solver_question *q, size_t n, struct cts_buf *answers,
               struct cts_laws_result *result, struct cts_err *err)
{
    struct cts_buf common;
    uint64_t start = cts_clock_ns();
    int rc;

    cts_buf_init(&common, 0);
    rc = make_common(spec, &common, err);
    if (!rc) {
        struct cts_solver_opts s = solver_options(options, &common);
        rc = cts_solver_ask(&s, q, n, answers, err);
    }
    result->seconds = (double)(cts_clock_ns() - start) / 1e9;
    cts_buf_release(&common);
    return rc;
}

static void tell_all(const struct cts_laws *laws, const struct cts_laws_options *options,
                     const struct cts_solver_question *q, struct cts_buf *answers,
                     struct cts_laws_result *result, struct cts_buf *out)
{
    size_t n = 0;

    for (size_t i = 0; i < laws->count; i++) {
        struct answer a = {0};
        struct listener l = {.now = &a};
        if (!is_chosen(&laws->law[i], options))
            continue;
        a.end = q[n].end;
        if (q[n].len)
            listen_all(&l, answers->data + q[n].at);
        /* What it says when it has given something up is not to be trusted. */
        if (!a.error && (a.gave_up || a.given == UNKNOWN))
            a.asked = UNKNOWN;
        tell(&laws->law[i], &a, result, out);
        n++;
    }
}

static size_t count_chosen(const struct cts_laws *laws, const struct cts_laws_options *options)
{
    size_t n = 0;

    for (size_t i = 0; i < laws->count; i++)
        n += is_chosen(&laws->law[i], options);
    return n;
}

static int check_all(const struct cts_spec *spec, struct cts_laws *laws,
                     const struct cts_laws_options *options, struct cts_laws_result *result,
                     struct cts_buf *out, struct cts_err *err)
{
    size_t n = count_chosen(laws, options);
    struct cts_solver_question *q = calloc(n + 1, sizeof(*q));
    struct cts_buf answers;
    int rc;

    if (!q)
        return cts_err_set(err, CTS_E_NOMEM, "no memory for the questions");
    cts_buf_init(&answers, 0);
    rc = make_questions(laws, options, q, err);
    if (!rc)
        rc = ask(spec, options, q, n, &answers, result, err);
    if (!rc)
        tell_all(laws, options, q, &answers, result, out);
    cts_buf_release(&answers);
    free(q);
    if (rc)
        return rc;
    result->rows = count_rows(spec, laws, options);
    cts_buf_addf(out, "1..%zu\n", result->checked);
    cts_buf_addf(out,
                 "# laws %zu: valid %zu, refuted as expected %zu, undecided %zu, failed %zu; rows "
                 "%zu; %u.%02u s\n",
                 result->checked, result->valid, result->refuted, result->undecided, result->failed,
                 result->rows, (unsigned)result->seconds, (unsigned)(result->seconds * 100) % 100);
    return 0;
}

int cts_laws_run(const struct cts_spec *spec, const char *dir,
                 const struct cts_laws_options *options, struct cts_laws_result *result,
                 struct cts_buf *out, struct cts_err *err)
{
    struct cts_laws laws;
    struct cts_buf path;
    int rc;

    memset(result, 0, sizeof(*result));
    cts_laws_init(&laws);
    cts_buf_init(&path, 4096);
    cts_buf_addf(&path, "%s/laws.yaml", dir);
    rc = cts_laws_load(&laws, spec, cts_buf_text(&path), err);
    if (!rc)
        rc = cts_laws_generate(&laws, spec, err);
    cts_buf_adds(out, "TAP version 13\n");
    if (!rc && !cts_solver_is_here(options ? options->z3 : NULL)) {
        result->skipped = true;
        cts_buf_addf(out, "1..0 # SKIP %s\n", cts_solver_hint);
    } else if (!rc) {
        rc = check_all(spec, &laws, options, result, out, err);
    }
    cts_buf_release(&path);
    cts_laws_release(&laws);
    return rc;
}
