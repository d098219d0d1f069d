#include "cli/looks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/say.h"
#include "cli/sights.h"

struct sums {
    unsigned all, killed, due, not_due, absent;
};

static struct sums count(const struct cts_mut_list *list, const struct cts_mut_look *looks)
{
    struct sums s = {0};
    for (size_t i = 0; i < list->count; i++) {
        s.all += looks[i].asked;
        s.killed += looks[i].killed;
        s.due += looks[i].asked && looks[i].due;
        s.absent += looks[i].absent && !looks[i].due;
        s.not_due += looks[i].asked && !looks[i].due && !looks[i].absent;
    }
    return s;
}

static const char *row_text(const struct cts_mutant *m)
{
    return m->row == CTS_INSN_COUNT ? "-" : cts_insn_info(m->row)->id;
}

static bool lives(const struct cts_mut_look *look)
{
    return look->asked && !look->killed;
}

static void print_tsv(const char *sight, const struct cts_mut_list *list,
                      const struct cts_mut_look *looks)
{
    for (size_t i = 0; i < list->count; i++)
        if (lives(&looks[i]))
            cts_out("%s\t%s\t%s\t%s\t%s\t%s\t%s\n", sight, row_text(&list->all[i]), list->all[i].op,
                    list->all[i].text,
                    looks[i].due      ? "due"
                    : looks[i].absent ? "no such instruction"
                                      : "not due",
                    list->all[i].killer, looks[i].why);
}

/* Is there one with this reason before it? */
static bool is_told(const struct cts_mut_look *looks, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (lives(&looks[i]) && !looks[i].due && strcmp(looks[i].why, looks[at].why) == 0)
            return true;
    return false;
}

static void print_reasons(const struct cts_mut_list *list, const struct cts_mut_look *looks)
{
    for (size_t i = 0; i < list->count; i++) {
        unsigned n = 0;
        if (!lives(&looks[i]) || looks[i].due || is_told(looks, i))
            continue;
        for (size_t k = i; k < list->count; k++)
            n += lives(&looks[k]) && !looks[k].due && strcmp(looks[k].why, looks[i].why) == 0;
        cts_out("    %5u %s\n", n, looks[i].why);
    }
}

static void print_survivors(const struct cts_mut_list *list, const struct cts_mut_look *looks)
{
    for (size_t i = 0; i < list->count; i++)
        if (lives(&looks[i]) && looks[i].due)
            cts_out("    survives: %s  %s: %s\n        %s (%s)\n", row_text(&list->all[i]),
                    list->all[i].op, list->all[i].text, looks[i].why, list->all[i].killer);
}

static void print_text(const char *sight, const struct sums *s, const struct cts_mut_list *list,
                       const struct cts_mut_look *looks)
{
    cts_out("as %s: ", sight);
    printf(
        "%.1f %% of what is due (%u of %u); not due %u (%.2f %%), of instructions that it lacks %u "
        "(%.2f %%)\n",
        s->due ? 100.0 * s->killed / s->due : 100.0, s->killed, s->due, s->not_due,
        s->all ? 100.0 * s->not_due / s->all : 0.0, s->absent,
        s->all ? 100.0 * s->absent / s->all : 0.0);
    print_survivors(list, looks);
    print_reasons(list, looks);
}

static int look(struct cts_looks *l, const char *sight, struct cts_mut_list *list,
                const struct cts_mut_opts *opts, bool tsv, struct cts_err *err)
{
    struct cts_mut_look *looks = calloc(list->count + 1, sizeof(*looks));
    struct cts_caps caps;
    if (!looks)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    int rc = cts_sights_find(sight, &caps, list->arena, err);
    if (rc == 0)
        rc = cts_mutants_look(list, opts, &caps, looks, err);
    struct sums s = count(list, looks);
    if (rc == 0 && tsv)
        print_tsv(sight, list, looks);
    else if (rc == 0)
        print_text(sight, &s, list, looks);
    l->passed += s.killed;
    l->failed += s.due - s.killed;
    l->skipped += s.not_due + s.absent;
    free(looks);
    return rc;
}

int cts_looks_print(struct cts_looks *l, struct cts_mut_list *list, const struct cts_mut_opts *opts,
                    bool tsv, struct cts_err *err)
{
    int rc = 0;
    if (tsv)
        cts_out("sight\tinsn\toperator\tmutant\tstatus\tkiller\treason\n");
    for (unsigned i = 0; rc == 0 && i < l->count; i++) {
        if (strcmp(l->as[i], "all") != 0)
            rc = look(l, l->as[i], list, opts, tsv, err);
        for (unsigned k = 0; rc == 0 && strcmp(l->as[i], "all") == 0 && cts_sight_at(k); k++)
            rc = look(l, cts_sight_at(k)->terms, list, opts, tsv, err);
    }
    return rc;
}
