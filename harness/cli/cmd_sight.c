#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/say.h"
#include "cli/sights.h"
#include "cli/vectors.h"
#include "report/text.h"

enum { SIGHTS_MAX = 32 };

static const char *sight_value(unsigned i, const char **what)
{
    const struct cts_sight *s = cts_sight_at(i);
    *what = s ? s->what : NULL;
    return s ? s->terms : NULL;
}

static const char *format_value(unsigned i, const char **what)
{
    static const char *const values[][2] = {{"text", "sums, and what is wrong (default)"},
                                            {"tsv", "one line per vector and sight"}};
    *what = i < 2 ? values[i][1] : NULL;
    return i < 2 ? values[i][0] : NULL;
}

enum format { TEXT, TSV };

struct sight {
    struct cts_vectors vectors;
    const char *as[SIGHTS_MAX];
    unsigned count;
    enum format format;
};

static const struct cts_opt options[] = {
    {0, "as", "SIGHT", "what sees the vectors: RUNTIME:ENGINE, or a sight; may be repeated",
     CTS_OPT_LIST(struct sight, as, count), .words = sight_value},
    {0, "level", "LEVEL", "the vectors of this level",
     CTS_OPT_CHOICE(struct sight, vectors.level, cts_level_word)},
    {'o', "output", "FORMAT", "the format of the report",
     CTS_OPT_CHOICE(struct sight, format, format_value)},
    {0, "no-cache", NULL, "ignore the cache", CTS_OPT_FLAG(struct sight, vectors.no_cache)},
    {0},
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
    cts_out("%s:%u: %s#%s: nothing of its outcome is compared with sight %s; if that cannot be "
            "helped, declare it (needs: ...)\n",
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
        if (rc == 0 && s->format == TSV)
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
    if (s->format == TSV)
        puts("vector\tsight\tcases\tskipped\tregisters\thidden\tmemory\tstack\tresults\tverdicts\t"
             "not compared\twhy skipped");
    for (unsigned i = 0; i < s->count; i++) {
        if (look(s, s->as[i], &sums[i], &err) != 0)
            return cts_complain(&err);
        passed += sums[i].vectors - sums[i].wrong;
        failed += sums[i].wrong;
        skipped += sums[i].skipped;
    }
    if (s->format == TEXT) {
        cts_out("%-14s %7s %7s %7s %7s %7s\n", "sight", "vectors", "skipped", "tests", "skipped",
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

/* The exit code. */
static int sight(struct sight *s)
{
    struct cts_err err = {0};
    for (unsigned i = 0; s->count == i && cts_sight_at(i); i++)
        s->as[s->count++] = cts_sight_at(i)->terms;
    if (cts_vectors_open(&s->vectors, &err) != 0)
        return cts_complain(&err);
    if (s->vectors.pack.vector_count > 0)
        return look_all(s);
    cts_say("ebpf-cts sight: no vector is selected\n");
    return s->vectors.stats.errors ? CTS_EXIT_USAGE : CTS_EXIT_NOTHING;
}

static int sight_main(int argc, char **argv)
{
    struct sight *s = calloc(1, sizeof(*s));
    int code;
    if (!s) {
        cts_say("out of memory\n");
        return CTS_EXIT_BROKEN;
    }
    if (cts_command_parse(&cts_cmd_sight, argc, argv, s, &code))
        code = sight(s);
    cts_vectors_release(&s->vectors);
    free(s);
    return code;
}

const struct cts_command cts_cmd_sight = {
    .name = "sight",
    .args = "[OPTIONS] [PATH...]",
    .what = "count what is compared where a runtime shows less",
    .about = "Counts what is compared of each vector (registers, bytes of memory and stack, "
             "results, verdicts) on each kind of runtime. A sight says what the harness sees of a "
             "kind of runtime. It is written as terms separated by commas: reference, no-FEATURE "
             "(no-pointers, no-local-call, ...), argument, frames, r0, result-32, slots=N, "
             "no-helpers, verdict-only. A test case of whose outcome nothing is compared, although "
             "it is not skipped, tests nothing: that is a failure.",
    .options = options,
    .examples = {{"ebpf-cts sight --as r0", "where only r0 can be seen"},
                 {"ebpf-cts sight --as ubpf:jit -o tsv", "uBPF's JIT, vector by vector"}},
    .main = sight_main,
    .argument = cts_vectors_path,
    .argument_at = offsetof(struct sight, vectors),
};
