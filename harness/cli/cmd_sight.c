#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/opt.h"
#include "cli/say.h"
#include "cli/sights.h"
#include "cli/vectors.h"
#include "report/text.h"

enum { SIGHTS_MAX = 32 };

enum option { O_AS = 1, O_LEVEL, O_OUTPUT, O_NO_CACHE };

static const struct cts_opt options[] = {
    {O_AS, 0, "as", "SIGHT", "what sees them: a sight, or RUNTIME:ENGINE; again for more"},
    {O_LEVEL, 0, "level", "LEVEL", "the vectors of this level: quick (default), full, exhaustive"},
    {O_OUTPUT, 'o', "output", "FORMAT", "text (default), or tsv: one line a vector and sight"},
    {O_NO_CACHE, 0, "no-cache", NULL, "assemble everything anew"},
    {0},
};

static const char *sight_value(unsigned i, const char **what)
{
    const struct cts_sight *s = cts_sight_at(i);
    *what = s ? s->what : NULL;
    return s ? s->terms : NULL;
}

static const char *format_value(unsigned i, const char **what)
{
    static const char *const values[][2] = {
        {"text", "sums, and what is wrong"}, {"tsv", "one line a vector and sight"}, {NULL, NULL}};
    *what = i < 2 ? values[i][1] : NULL;
    return i < 2 ? values[i][0] : NULL;
}

static const struct cts_opt_values values[] = {{O_AS, sight_value}, {O_OUTPUT, format_value}, {0}};

struct sight {
    struct cts_vectors vectors;
    const char *as[SIGHTS_MAX];
    unsigned count;
    bool tsv;
};

/* Of one sight. */
struct sums {
    unsigned vectors, skipped, cases, cases_skipped, wrong;
    uint64_t results, verdicts;
};

static void print_line(const char *sight, const char *vector, const struct cts_compared *c)
{
    struct cts_buf b;
    cts_buf_init(&b, 0);
    cts_buf_addf(&b, "%s\t%s\t%u\t%u\t", vector, sight, c->asked, c->skipped);
    cts_sights_registers(c->registers, &b);
    cts_buf_adds(&b, "\t");
    cts_sights_registers(c->hidden, &b);
    cts_buf_addf(&b, "\t%u\t%u\t%u\t%u\t%u\t%s\n", c->memory, c->stack, c->results, c->verdicts,
                 c->vacuous, c->why ? c->why : "-");
    cts_text_flush(&b, stdout);
    cts_buf_release(&b);
}

static void print_vacuous(const struct cts_pack *p, const char *sight, uint32_t vector,
                          const struct cts_compared *c)
{
    const struct cts_pk_vector *v = &p->vectors[vector];
    const struct cts_pk_case *k = &p->cases[c->first_vacuous];
    cts_out("%s:%u: %s#%s: nothing of its outcome is compared as %s sees it: if that cannot be "
            "had, say so (needs: ...)\n",
            cts_pack_text(p, v->file), k->line, cts_pack_text(p, v->id), cts_pack_text(p, k->name),
            sight);
}

static void add(struct sums *s, const struct cts_compared *c)
{
    s->vectors += c->asked > 0;
    s->skipped += c->asked == 0;
    s->cases += c->asked;
    s->cases_skipped += c->skipped;
    s->wrong += c->vacuous > 0;
    s->results += c->results;
    s->verdicts += c->verdicts;
}

static int look(const struct sight *s, const char *sight, struct sums *sums, struct cts_err *err)
{
    const struct cts_pack *p = &s->vectors.pack;
    struct cts_arena arena;
    struct cts_caps caps;
    cts_arena_init(&arena, 0);
    int rc = cts_sights_find(sight, &caps, &arena, err);
    for (uint32_t i = 0; rc == 0 && i < p->vector_count; i++) {
        struct cts_arena own;
        struct cts_compared c;
        cts_arena_init(&own, 0);
        rc = cts_compare_vector(p, i, &caps, &own, &c, err);
        if (rc == 0 && s->tsv)
            print_line(sight, cts_pack_text(p, p->vectors[i].id), &c);
        else if (rc == 0 && c.vacuous)
            print_vacuous(p, sight, i, &c);
        if (rc == 0)
            add(sums, &c);
        cts_arena_release(&own);
    }
    cts_arena_release(&arena);
    return rc;
}

static void print_sums(const char *sight, const struct sums *s)
{
    cts_out("%-14s %7u %7u %7u %7u %7u\n", sight, s->vectors, s->skipped, s->cases,
            s->cases_skipped, s->wrong);
}

static int look_all(struct sight *s)
{
    unsigned passed = 0, failed = 0, skipped = 0;
    struct sums sums[SIGHTS_MAX] = {{0}};
    struct cts_err err = {0};
    if (s->tsv)
        puts("vector\tsight\tcases\tskipped\tregisters\thidden\tmemory\tstack\tresults\tverdicts\t"
             "not compared\twhy skipped");
    for (unsigned i = 0; i < s->count; i++) {
        if (look(s, s->as[i], &sums[i], &err) != 0)
            return cts_complain(&err);
        passed += sums[i].vectors - sums[i].wrong;
        failed += sums[i].wrong;
        skipped += sums[i].skipped;
    }
    if (!s->tsv) {
        cts_out("%-14s %7s %7s %7s %7s %7s\n", "sight", "vectors", "skipped", "cases", "skipped",
                "vacuous");
        for (unsigned i = 0; i < s->count; i++)
            print_sums(s->as[i], &sums[i]);
        printf("total: %u passed, %u failed, %u skipped\n", passed, failed, skipped);
    }
    if (fflush(stdout) != 0 || ferror(stdout))
        return CTS_EXIT_BROKEN;
    if (s->vectors.stats.errors)
        return CTS_EXIT_USAGE;
    return failed ? CTS_EXIT_FAILED : passed ? CTS_EXIT_OK : CTS_EXIT_NOTHING;
}

static int take(void *arg, const struct cts_opts *o, int id)
{
    struct sight *s = arg;
    switch (id) {
    case CTS_OPT_ARG:
        return cts_vectors_path(&s->vectors, o);
    case O_AS:
        return cts_opts_collect(o, s->as, &s->count, SIGHTS_MAX);
    case O_LEVEL:
        return cts_vectors_level(&s->vectors, o);
    case O_NO_CACHE:
        s->vectors.no_cache = true;
        return 0;
    case O_OUTPUT:
        s->tsv = strcmp(o->value, "tsv") == 0;
        if (!s->tsv && strcmp(o->value, "text") != 0)
            return cts_opts_bad(o, "there is no format '%s': text or tsv", o->value);
        return 0;
    }
    return CTS_EXIT_USAGE;
}

static int sight_main(int argc, char **argv)
{
    struct sight *s = calloc(1, sizeof(*s));
    struct cts_err err = {0};
    if (!s) {
        cts_say("out of memory\n");
        return CTS_EXIT_BROKEN;
    }
    int code = cts_command_parse(&cts_cmd_sight, argc, argv, take, s);
    for (unsigned i = 0; code == 0 && s->count == i && cts_sight_at(i); i++)
        s->as[s->count++] = cts_sight_at(i)->terms;
    if (code == 0 && cts_vectors_open(&s->vectors, &err) != 0)
        code = cts_complain(&err);
    else if (code == 0 && s->vectors.pack.vector_count == 0) {
        cts_say("ebpf-cts sight: no vector is selected\n");
        code = s->vectors.stats.errors ? CTS_EXIT_USAGE : CTS_EXIT_NOTHING;
    } else if (code == 0)
        code = look_all(s);
    cts_vectors_release(&s->vectors);
    free(s);
    return code == CTS_OPT_HELP ? (int)CTS_EXIT_OK : code;
}

const struct cts_command cts_cmd_sight = {
    .name = "sight",
    .args = "[OPTIONS] [PATH...]",
    .what = "tell what of the vectors is compared where less than everything is seen",
    .about =
        "Counts for each vector what is compared of it (registers, bytes of memory and stack,\n"
        "results, verdicts) as each kind of runtime lets the harness see it. A sight is told in\n"
        "terms with commas between them: reference, no-FEATURE (no-pointers, no-local-call, ...),\n"
        "argument, frames, r0, result-32, slots=N, no-helpers, verdict-only. A case of whose "
        "outcome nothing\n"
        "is compared, and that is no skip there, tests nothing: that is a failure.",
    .options = options,
    .values = values,
    .main = sight_main,
};
