#include "core/batch.h"

#include "core/tuple.h"

#include <stdlib.h>

struct cts_batch *cts_batch_new(uint32_t half, uint32_t window_bytes)
{
    struct cts_batch *b = calloc(1, sizeof(*b));
    if (!b)
        return NULL;
    cts_buf_init(&b->code, 0);
    cts_buf_init(&b->elf, 0);
    cts_buf_init(&b->predicted, 0);
    b->half = half;
    b->used = CTS_WIN_RESERVED;
    b->expect = malloc(window_bytes ? window_bytes : 1);
    if (b->expect)
        return b;
    cts_batch_free(b);
    return NULL;
}

void cts_batch_free(struct cts_batch *b)
{
    if (!b)
        return;
    cts_buf_release(&b->code);
    cts_buf_release(&b->elf);
    cts_buf_release(&b->predicted);
    free(b->expect);
    free(b);
}

void cts_batch_reset(struct cts_batch *b)
{
    cts_buf_clear(&b->code);
    cts_buf_clear(&b->elf);
    cts_buf_clear(&b->predicted);
    b->programs = 0;
    b->used = CTS_WIN_RESERVED;
    b->expect_used = 0;
    b->asked = false;
}

bool cts_batch_is_full(const struct cts_batch *b)
{
    return b->programs == CTS_BATCH_PROGRAMS || b->code.len + b->elf.len > CTS_BATCH_CODE;
}

bool cts_batch_fits(const struct cts_machine *m, const struct cts_batch *b,
                    const struct cts_program *p)
{
    return p->body[0]->whole ||
           cts_program_region_bytes(p->bodies, p->iterations ? p->iterations : 1,
                                    cts_request_stride(&p->body[0]->layout)) <=
               cts_machine_room(m, b->used);
}

static void place(const struct cts_machine *m, struct cts_batch *b, struct cts_program *p)
{
    uint32_t region = b->half * cts_machine_half_bytes(m) + b->used;
    b->expect_used += cts_program_place(
        p, region, cts_request_power_above(p->bodies * p->iterations), b->expect + b->expect_used);
    if (cts_machine_predicts(m))
        cts_program_leave_out_the_open(p);
}

/* May an outcome other than a rejection at load conform? If not, the program is loaded and never
 * run. */
static bool may_run(const struct cts_machine *m, const struct cts_seg *seg)
{
    if (cts_machine_loads_only(m))
        return false;
    return cts_machine_predicts(m) || cts_seg_may_run(seg);
}

static int check_limits(const struct cts_machine *m, const struct cts_batch *b,
                        const struct cts_program *p, struct cts_err *err)
{
    uint32_t repeat = p->body[0]->unit->repeat;
    if (repeat > m->caps->max_iterations)
        return cts_err_set(err, CTS_E_LIMIT, "it takes %u iterations, a run of %s has at most %u",
                           repeat, m->caps->runtime, m->caps->max_iterations);
    if (!cts_batch_fits(m, b, p))
        return cts_err_set(err, CTS_E_LIMIT, "%s has not enough memory for it", m->caps->runtime);
    return 0;
}

int cts_batch_add(const struct cts_machine *m, struct cts_batch *b, const struct cts_program *made,
                  struct cts_err *err)
{
    struct cts_program *p = &b->program[b->programs];
    struct cts_item *it = &b->item[b->programs];
    int rc = check_limits(m, b, made, err);
    if (rc != 0)
        return rc;
    *p = *made;
    bool whole = p->body[0]->whole, run = may_run(m, p->body[0]);
    if (!whole)
        place(m, b, p);
    rc = cts_program_add_code(m, p, &b->code, err);
    if (rc == 0)
        rc = cts_program_add_object(m, p, &b->code, &b->elf, err);
    if (rc != 0)
        return rc;
    if (!run)
        p->iterations = 0;
    *it = cts_program_item(p, CTS_STEP_LOAD | CTS_STEP_UNLOAD | (run ? CTS_STEP_RUN : 0),
                           (uint8_t)(b->half * CTS_BATCH_PROGRAMS + b->programs));
    it->load.log = p->wants_reason && (run || cts_machine_loads_only(m));
    if (!whole)
        b->used += (cts_layout_bytes(&p->layout[0]) + 63) & ~(uint32_t)63;
    cts_program_fill(m, p);
    rc = cts_program_add_predicted(m, p, &b->predicted, err);
    b->programs += rc == 0;
    return rc;
}

int cts_batch_turn_to(const struct cts_machine *m, struct cts_batch *b, uint32_t r, uint8_t ops,
                      struct cts_err *err)
{
    b->program[0].first = r;
    b->item[0].ops = ops;
    cts_program_fill(m, &b->program[0]);
    cts_buf_clear(&b->predicted);
    return cts_program_add_predicted(m, &b->program[0], &b->predicted, err);
}

void cts_batch_point(struct cts_batch *b)
{
    for (uint32_t i = 0; i < b->programs; i++)
        cts_program_point(&b->program[i], &b->code, &b->elf, &b->predicted, &b->item[i]);
}
