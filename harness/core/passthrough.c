#include "core/passthrough.h"

#include <string.h>

#include "core/review.h"
#include "core/variant.h"
#include "pack/env.h"

enum {
    SHAPES = 64,
    TRIES = 5, /* a worker that dies over a shape every time cannot do it */
};

/* A pack of one unit in memory: an empty body in the shape of another unit, two rows. */
struct probe {
    struct cts_pack pack;
    struct cts_pk_vector vector;
    struct cts_pk_case test_case;
    struct cts_pk_unit unit;
    struct cts_pk_tuple row[2];
    struct cts_pk_outcome outcome[2];
    struct cts_pk_state state[2];
};

static struct cts_pk_bytes_ref probe_bytes(uint32_t at)
{
    return (struct cts_pk_bytes_ref){
        .data = at, .width = UINT32_MAX, .any = UINT32_MAX, .be = UINT32_MAX};
}

static struct probe *probe_new(const struct cts_pk_unit *like, struct cts_arena *arena)
{
    struct probe *p = cts_arena_take(arena, sizeof(*p));
    uint32_t bytes = like->layout.mem_bytes + CTS_STACK_BYTES;
    uint8_t *data = cts_arena_take(arena, bytes);
    if (!p || !data)
        return NULL;
    for (uint32_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)(i * 29 + 7);
    p->unit = (struct cts_pk_unit){.layout = like->layout, .rows = {0, 2}, .sweep = UINT32_MAX};
    p->unit.layout.out_mask = 0x3ff;
    p->unit.layout.body_slots = 0;
    for (unsigned i = 0; i < 10; i++)
        if (p->unit.layout.place[i] != CTS_PL_MEM && p->unit.layout.place[i] != CTS_PL_FP)
            p->unit.layout.place[i] = CTS_PL_VALUE;
    for (uint32_t k = 0; k < 2; k++) {
        struct cts_pk_state *s = &p->state[k];
        for (unsigned i = 0; i < 10; i++) {
            s->place[i] = p->unit.layout.place[i];
            s->r[i] = s->place[i] == CTS_PL_VALUE ? (0x9e3779b97f4a7c15u ^ k) * (i + 3)
                                                  : (uint64_t)(int64_t)like->layout.add[i];
        }
        s->mem = probe_bytes(0);
        s->stack = probe_bytes(like->layout.mem_bytes);
        p->outcome[k] = (struct cts_pk_outcome){.kind = CTS_OUT_RAN, .state = k};
        p->row[k] = (struct cts_pk_tuple){.kase = 0, .in = k, .out = {k, 1}};
    }
    p->pack = (struct cts_pack){.vectors = &p->vector,
                                .cases = &p->test_case,
                                .units = &p->unit,
                                .rows = p->row,
                                .outcomes = p->outcome,
                                .states = p->state,
                                .code = data,
                                .data = data,
                                .strings = ""};
    return p;
}

static bool same_environment(const struct cts_layout *a, const struct cts_layout *b)
{
    return a->mem_bytes == b->mem_bytes && a->stack_off == b->stack_off && a->spill == b->spill &&
           a->record == b->record && memcmp(a->place, b->place, sizeof(a->place)) == 0 &&
           memcmp(a->add, b->add, sizeof(a->add)) == 0;
}

static const char *describe(const struct cts_machine *m, const struct cts_layout *layout,
                            const char *what, struct cts_arena *arena, uint8_t *made_of)
{
    uint16_t rows[64];
    struct cts_layout placed = *layout;
    struct cts_buf b;
    cts_buf_init(&b, 65536);
    placed.rows = 2;
    placed.stride = cts_request_stride(layout);
    uint32_t n = cts_env_rows(m->caps, &placed, rows, 64);
    cts_buf_addf(&b, "the environment does not hand a state through unchanged (%s)", what);
    for (uint32_t i = 0; i < n; i++) {
        made_of[rows[i]] = 1;
        cts_buf_addf(&b, "%s%s", i ? ", " : "; it is made of ",
                     cts_insn_info((enum cts_insn_id)rows[i])->id);
    }
    const char *copy = cts_arena_strdup(arena, cts_buf_text(&b));
    cts_buf_release(&b);
    return copy;
}

/* What is wrong with the program's answer; null: nothing. */
static const char *find_fault(const struct cts_pipeline *p, struct cts_judge *judge)
{
    const struct cts_answer *a = &p->batch[0]->answer[0];
    if (a->load.verdict != CTS_LOAD_ACCEPTED)
        return a->load.text[0] ? a->load.text : "refused at load";
    if (cts_machine_loads_only(&p->machine))
        return NULL;
    if (a->run.status != CTS_RUN_COMPLETED)
        return a->run.text[0] ? a->run.text : "stopped";
    if (cts_review_entries(p, judge, &p->batch[0]->program[0], 0, NULL) != UINT32_MAX)
        return "a register or a byte differs";
    return NULL;
}

static const char *check_shape(struct cts_pipeline *p, const struct cts_pk_unit *unit,
                               struct cts_judge *judge, uint8_t *made_of)
{
    struct cts_arena *arena = judge->arena;
    struct cts_err err = {0};
    struct cts_seg seg;
    char text[CTS_ERR_MSG_MAX];
    struct probe *probe = probe_new(unit, arena);
    if (!probe ||
        cts_seg_init(&seg, &probe->pack, 0, p->machine.caps, p->opts->level, arena, &err) != 0)
        return "out of memory";
    struct cts_program made = cts_program_of(&seg, 0, 2);
    made.wants_reason = true;
    int rc = -1;
    for (unsigned tries = 0; rc != 0 && tries < TRIES && !p->broken; tries++) {
        cts_err_clear(&err);
        rc = cts_pipeline_run(p, &made, &err);
    }
    const char *what = rc ? cts_err_text(&err, text, sizeof(text)) : find_fault(p, judge);
    return what ? describe(&p->machine, &unit->layout, what, arena, made_of) : NULL;
}

/* Is a unit's shape possible on this runtime at all? What needs a feature it lacks is skipped
 * elsewhere. */
static bool is_possible(const struct cts_machine *m, const struct cts_pack *pack,
                        const struct cts_pk_unit *u)
{
    uint32_t needs = pack->vectors[u->vector].needs;
    return cts_program_region_bytes(1, 2, cts_request_stride(&u->layout)) <=
               cts_machine_room(m, CTS_WIN_RESERVED) &&
           (needs & m->caps->features) == needs;
}

const char *cts_passthrough_check(struct cts_pipeline *p, const struct cts_pack *pack,
                                  const uint8_t *unit_selected, struct cts_arena *arena,
                                  uint8_t *made_of)
{
    const struct cts_layout *seen[SHAPES];
    struct cts_judge none = {.pack = pack, .caps = p->machine.caps, .arena = arena};
    uint32_t count = 0;
    const char *why = NULL;
    for (uint32_t i = 0; i < pack->unit_count && count < SHAPES && !why; i++) {
        const struct cts_pk_unit *u = &pack->units[i];
        uint32_t k = 0;
        if (!unit_selected[i] || (u->flags & (CTS_UF_WHOLE | CTS_UF_PACKET)) ||
            !is_possible(&p->machine, pack, u))
            continue;
        while (k < count && !same_environment(seen[k], &u->layout))
            k++;
        if (k < count)
            continue;
        seen[count++] = &u->layout;
        why = check_shape(p, u, &none, made_of);
    }
    cts_batch_reset(p->batch[0]);
    return why;
}
