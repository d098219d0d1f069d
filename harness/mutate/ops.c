/* Mutants of `does`: every place of the tree times every operator that has something to say there.
 * What comes out is printed and read again, so that only well-typed text becomes a mutant.
 *
 * All of them are due at level quick: each is wrong for a value, a width or a displacement by
 * itself. */
#include "mutate/ops.h"

#include <stdlib.h>
#include <string.h>

#include "mutate/list.h"

enum {
    MOST_TEXTS = 4096,
    VARIANTS_MAX = 64,
    /* New nodes of one attempt. A `does` has at most CTS_SEMA_TEXT_MAX characters, hence fewer
     * nodes, and no operator copies more than twice of it. */
    POOL = 4 * CTS_SEMA_TEXT_MAX,
};

static bool is_new(struct cts_mut_maker *k, const char *text)
{
    if (strcmp(text, k->original) == 0)
        return false;
    for (size_t i = 0; i < k->seen_count; i++)
        if (strcmp(k->seen[i], text) == 0)
            return false;
    return k->seen_count < MOST_TEXTS;
}

static const char *text_of(const struct cts_sema *sema, struct cts_arena *arena)
{
    struct cts_buf b;
    cts_buf_init(&b, CTS_SEMA_TEXT_MAX);
    cts_sema_print(sema, &b);
    const char *text = b.failed ? NULL : cts_arena_strdup(arena, cts_buf_text(&b));
    cts_buf_release(&b);
    return text;
}

static void keep(struct cts_mut_maker *k, const char *op, const struct cts_sema *tree)
{
    struct cts_sema_place place = {.file = "mutant", .line = 1, .col = 1, .next_col = 1};
    const char *text = text_of(tree, &k->arena);
    struct cts_sema *sema;
    if (!text || !is_new(k, text))
        return;
    const char *kept = cts_arena_strdup(k->list->arena, text);
    if (!kept || cts_sema_read(kept, &place, CTS_SEMA_RELAXED, k->list->arena, &sema, NULL) != 0)
        return;
    k->seen[k->seen_count++] = kept;
    cts_mut_add(k->list,
                &(struct cts_mutant){
                    .row = k->id, .op = op, .text = kept, .level = CTS_LEVEL_QUICK, .sema = sema});
}

/* One attempt: variant `v` of an operator at place `at`. */
struct attempt {
    struct cts_mut_maker *maker;
    const struct cts_mut_op *op;
    unsigned at, v;
    enum cts_mut_edit answer;
};

static int visit_expr(void *arg, struct cts_expr **slot)
{
    struct attempt *a = arg;
    if (a->at-- > 0)
        return 0;
    a->answer = a->op->on_expr(a->maker, slot, a->v);
    return 1;
}

static int visit_stmt(void *arg, struct cts_stmt **slot)
{
    struct attempt *a = arg;
    if (a->at-- > 0)
        return 0;
    a->answer = a->op->on_stmt(a->maker, slot, a->v);
    return 1;
}

/* False when there are no more places. */
static bool try_place(struct cts_mut_maker *k, const struct cts_mut_op *op, unsigned at)
{
    for (unsigned v = 0; v < VARIANTS_MAX; v++) {
        struct attempt a = {k, op, at, v, CTS_EDIT_OVER};
        cts_arena_init(&k->arena, 0);
        k->used = 0;
        struct cts_sema *tree = k->tree = cts_sema_clone(k->row->sema, &k->arena);
        int found = !tree         ? 0
                    : op->on_expr ? cts_sema_visit(tree, visit_expr, &a)
                                  : cts_sema_visit_stmts(tree, visit_stmt, &a);
        if (found && a.answer == CTS_EDIT_DONE)
            keep(k, op->name, tree);
        cts_arena_release(&k->arena);
        if (!found)
            return false;
        if (a.answer == CTS_EDIT_OVER)
            return true;
    }
    return true;
}

static void try_all(struct cts_mut_maker *k)
{
    /* Of two operators that make the same mutant the first has it. */
    static const struct cts_mut_ops *const families[] = {&cts_mut_value_ops, &cts_mut_operand_ops,
                                                         &cts_mut_memory_ops, &cts_mut_stmt_ops};
    for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++)
        for (size_t o = 0; o < families[f]->count; o++)
            for (unsigned at = 0; try_place(k, &families[f]->ops[o], at); at++)
                ;
}

void cts_mut_add_does(struct cts_mut_list *list, const struct cts_spec_insn *row,
                      enum cts_insn_id id)
{
    struct cts_mut_maker k = {.list = list, .row = row, .id = id};
    k.original = text_of(row->sema, list->arena);
    k.seen = calloc(MOST_TEXTS, sizeof(*k.seen));
    k.pool = calloc(POOL, sizeof(*k.pool));
    if (k.original && k.seen && k.pool)
        try_all(&k);
    else
        list->failed = true;
    free(k.seen);
    free(k.pool);
}
