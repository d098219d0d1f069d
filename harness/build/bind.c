#include "build/impl.h"

#include <string.h>

/* Callee-saved registers and r0 are what a JIT treats specially; the plain choice avoids them. */
static const uint8_t usual[] = {3, 4, 5, 2, 1, 6, 7, 8, 9, 0};

enum { REGS = CTS_REG_COUNT, CHOICES_MAX = CTS_REG_COUNT };

struct binder {
    const struct cts_vec *v;
    uint8_t choice[CTS_VEC_ROLES_MAX][CHOICES_MAX];
    size_t choices[CTS_VEC_ROLES_MAX];
    uint8_t order[CTS_VEC_ROLES_MAX]; /* varied roles first */
    size_t roles;                     /* aliases left out */
    size_t varied;
    uint16_t covered[CTS_VEC_ROLES_MAX]; /* registers a role has had */
    struct cts_binding *out;
    size_t count;
};

/* Registers that a role may have: its own choice, else what nothing else speaks of. */
static void choices_of(struct binder *b, size_t role)
{
    const struct cts_vec_role *r = &b->v->roles[role];
    unsigned out_of_bounds = (unsigned)b->v->named | b->v->unreadable | 1u << 10;
    unsigned mask = r->choice ? r->choice : 0x3ffu & ~out_of_bounds;
    for (size_t i = 0; i < sizeof(usual); i++)
        if (mask >> usual[i] & 1)
            b->choice[role][b->choices[role]++] = usual[i];
    if (mask >> 10 & 1)
        b->choice[role][b->choices[role]++] = 10;
}

static void start(struct binder *b, const struct cts_vec *v)
{
    memset(b, 0, sizeof(*b));
    b->v = v;
    for (int vary = 1; vary >= 0; vary--) {
        for (size_t i = 0; i < v->role_count; i++) {
            if (v->roles[i].alias_of >= 0 || v->roles[i].vary != (vary == 1))
                continue;
            choices_of(b, i);
            b->order[b->roles++] = (uint8_t)i;
        }
        if (vary)
            b->varied = b->roles;
    }
}

/* Gives the roles order[at..] registers that are free, best ones first: those the role has not had,
 * from a place on that differs from role to role. */
static bool assign(struct binder *b, size_t at, uint16_t taken, size_t turn,
                   struct cts_binding *bind)
{
    if (at == b->roles)
        return true;
    size_t role = b->order[at], n = b->choices[role];
    bool varied = at < b->varied;
    for (int fresh = varied ? 1 : 0; fresh >= 0; fresh--) {
        for (size_t i = 0; i < n; i++) {
            uint8_t reg = b->choice[role][(i + (varied ? turn : 0)) % n];
            if (taken >> reg & 1 || (fresh && b->covered[role] >> reg & 1))
                continue;
            bind->reg[role] = reg;
            if (assign(b, at + 1, (uint16_t)(taken | 1u << reg), turn, bind))
                return true;
        }
    }
    return false;
}

static void follow_aliases(const struct binder *b, struct cts_binding *bind)
{
    for (size_t i = 0; i < b->v->role_count; i++)
        if (b->v->roles[i].alias_of >= 0)
            bind->reg[i] = bind->reg[b->v->roles[i].alias_of];
}

static bool is_new(const struct binder *b, const struct cts_binding *bind)
{
    for (size_t i = 0; i < b->count; i++)
        if (memcmp(b->out[i].reg, bind->reg, sizeof(bind->reg)) == 0)
            return false;
    return true;
}

static void keep(struct binder *b, struct cts_binding *bind, enum cts_level level)
{
    follow_aliases(b, bind);
    if (b->count == CTS_BLD_BINDINGS_MAX || !is_new(b, bind))
        return;
    bind->level = (uint8_t)level;
    b->out[b->count++] = *bind;
    for (size_t i = 0; i < b->v->role_count; i++)
        b->covered[i] = (uint16_t)(b->covered[i] | 1u << bind->reg[i]);
}

/* A binding in which the role order[at] has `reg`. */
static bool force(struct binder *b, size_t at, uint8_t reg, struct cts_binding *bind)
{
    size_t role = b->order[at], keep_choices = b->choices[role];
    uint8_t first = b->choice[role][0];
    uint16_t had = b->covered[role];
    b->choice[role][0] = reg;
    b->choices[role] = 1;
    b->covered[role] = 0;
    bool ok = assign(b, 0, 0, b->count, bind);
    b->choice[role][0] = first;
    b->choices[role] = keep_choices;
    b->covered[role] = had;
    return ok;
}

/* Until every varied role has had every register of its choice. */
static void cover(struct binder *b)
{
    for (size_t at = 0; at < b->varied; at++) {
        size_t role = b->order[at];
        for (size_t i = 0; i < b->choices[role]; i++) {
            struct cts_binding bind = {0};
            uint8_t reg = b->choice[role][i];
            if (!(b->covered[role] >> reg & 1) && force(b, at, reg, &bind))
                keep(b, &bind, CTS_LEVEL_QUICK);
        }
    }
}

/* All combinations of the varied roles; the others take what is left. */
static void combine(struct binder *b, size_t at, uint16_t taken, struct cts_binding *bind)
{
    if (at == b->varied) {
        struct cts_binding whole = *bind;
        if (assign(b, at, taken, 0, &whole))
            keep(b, &whole, CTS_LEVEL_FULL);
        return;
    }
    size_t role = b->order[at];
    for (size_t i = 0; i < b->choices[role] && b->count < CTS_BLD_BINDINGS_MAX; i++) {
        uint8_t reg = b->choice[role][i];
        if (taken >> reg & 1)
            continue;
        bind->reg[role] = reg;
        combine(b, at + 1, (uint16_t)(taken | 1u << reg), bind);
    }
}

int cts_bld_bind(struct cts_builder *b, const struct cts_vec *v, const struct cts_binding **out,
                 size_t *count, struct cts_err *err)
{
    struct binder bd;
    struct cts_binding first = {0};
    bool full = b->opts->level >= CTS_LEVEL_FULL;
    start(&bd, v);
    bd.out = cts_arena_take_array(&b->arena, bd.varied ? CTS_BLD_BINDINGS_MAX : 1, sizeof(*bd.out));
    if (!bd.out)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (!assign(&bd, 0, 0, 0, &first))
        return cts_err_at(err, CTS_E_SCHEMA, v->pos.file, v->pos.line, v->pos.col,
                          "there are not enough registers for the roles of '%s'", v->id);
    keep(&bd, &first, CTS_LEVEL_QUICK);
    cover(&bd);
    if (full && bd.varied) {
        struct cts_binding bind = {0};
        combine(&bd, 0, 0, &bind);
    }
    *out = bd.out;
    *count = bd.count;
    return 0;
}
