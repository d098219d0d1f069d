#include "mutate/mutate.h"

#include <string.h>

#include "mutate/list.h"

static void add_control(struct cts_mut_list *list, const struct cts_spec_insn *row,
                        enum cts_insn_id id)
{
    cts_mut_add(list, &(struct cts_mutant){.row = id,
                                           .op = "control",
                                           .text = row->does,
                                           .level = CTS_LEVEL_QUICK,
                                           .sema = row->sema,
                                           .control = true});
}

int cts_mutants_make(struct cts_mut_list *list, const struct cts_spec *spec, const uint8_t *rows,
                     struct cts_arena *arena, struct cts_err *err)
{
    *list = (struct cts_mut_list){.arena = arena, .spec = spec};
    for (size_t i = 0; i < spec->row_count; i++) {
        const struct cts_spec_insn *row = &spec->rows[i];
        enum cts_insn_id id = cts_insn_find(row->id);
        if (id == CTS_INSN_COUNT)
            return cts_err_set(err, CTS_E_NOTFOUND,
                               "row '%s' is not in the tables: generate them anew", row->id);
        /* What came after the RFC is no standard yet, and few machines have it: only if asked. */
        if (row->slot || row->platform || (rows ? !rows[id] : row->origin != CTS_ORIGIN_RFC))
            continue;
        add_control(list, row, id);
        cts_mut_add_does(list, row, id);
        cts_mut_add_model(list, row, id);
        cts_mut_add_loader(list, id);
        cts_mut_add_compiler(list, id);
        cts_mut_add_frames(list, id);
    }
    if (!rows)
        cts_mut_add_global(list);
    return list->failed ? cts_err_set(err, CTS_E_NOMEM, "no memory for the mutants") : 0;
}

bool cts_mutant_counts(const struct cts_mutant *m)
{
    return !m->control && m->status != CTS_MUT_PROVEN && m->status != CTS_MUT_LISTED &&
           m->status != CTS_MUT_UNDECIDED;
}

static void count(struct cts_mut_score *s, const struct cts_mutant *m, enum cts_level level)
{
    bool dead = m->killed <= level;
    s->generated++;
    if (!cts_mutant_counts(m)) {
        s->undecided += m->status == CTS_MUT_UNDECIDED;
        s->equivalent += m->status != CTS_MUT_UNDECIDED;
        return;
    }
    s->all++;
    s->dead += dead;
    if (m->level > level)
        return;
    s->due++;
    s->killed += dead;
    s->hand += m->killed_hand <= level;
}

struct cts_mut_score cts_mutants_score(const struct cts_mut_list *list, enum cts_insn_id row,
                                       const char *op, enum cts_level level)
{
    struct cts_mut_score s = {0};
    for (size_t i = 0; i < list->count; i++) {
        const struct cts_mutant *m = &list->all[i];
        if (!m->control && (row == CTS_INSN_COUNT || m->row == row) &&
            (!op || strcmp(op, m->op) == 0))
            count(&s, m, level);
    }
    return s;
}
