#include "core/ring.h"

#include "core/fill.h"
#include "core/match.h"
#include "core/state.h"

enum {
    MOST_ENTRIES = 4096,
    AHEAD = 8,
};

/* While the worker runs one part of the ring, the other is filled. Where entries travel the ring is
 * one part, sent whole and coming back whole: a request that carried the other part, too, would
 * bring its entries back as they were. */
struct ring {
    struct cts_pipeline *pipe;
    const struct cts_machine *m;
    struct cts_judge *judge;
    struct cts_batch *b;
    struct cts_program *prog;
    struct cts_seg *seg;
    uint32_t parts; /* 1 or 2 */
    uint32_t part;  /* operand tuples in each */
    uint32_t runs;  /* how many parts there are to run */
    uint32_t last;  /* tuples in the last of them */
};

static uint32_t ring_count(const struct ring *g, uint32_t run)
{
    return run + 1 == g->runs ? g->last : g->part;
}

/* The entries were last in the cache of the processor that ran them: fetching some of them at a
 * time hides most of the way. */
static inline void fetch_entry(const uint8_t *entry, bool to_write)
{
    for (unsigned at = 0; at < CTS_ENTRY_MEM; at += 64) {
        if (to_write)
            __builtin_prefetch(entry + at, 1);
        else
            __builtin_prefetch(entry + at, 0);
    }
}

static void ring_fill(const struct ring *g, uint32_t run)
{
    for (uint32_t i = 0; i < ring_count(g, run); i++) {
        uint32_t r = run * g->part + i, at = r & (g->prog->layout[0].rows - 1);
        fetch_entry(cts_program_entry(g->m, g->prog, at + AHEAD), true);
        uint8_t *entry = cts_program_entry(g->m, g->prog, at);
        uint8_t *expect = cts_program_expect(g->prog, at);
        if (run < g->parts)
            cts_seg_fill(g->seg, r, entry, expect);
        else
            cts_seg_refill(g->seg, r, entry, expect);
    }
}

/* The index of the next entry is the program's while it runs, and it runs while we fill: it goes on
 * counting in a window that is shared. One that travels is sent with the index that it is to have.
 */
static void ring_point(const struct ring *g, uint32_t first)
{
    uint8_t *header = cts_machine_window_at(g->m, g->prog->layout[0].region);
    cts_order_put64(g->m->caps->be, header + CTS_WIN_INDEX, first);
}

static int ring_request(const struct ring *g, uint32_t run, struct cts_err *err)
{
    struct cts_item *it = &g->b->item[0];
    uint8_t ops = CTS_STEP_RUN;
    if (run == 0)
        ops |= CTS_STEP_LOAD;
    if (run + 1 == g->runs)
        ops |= CTS_STEP_UNLOAD;
    *it = cts_program_item(g->prog, ops, 0);
    cts_batch_point(g->b);
    it->run.iterations = ring_count(g, run);
    it->run.first_row = (run * g->part) & (g->prog->layout[0].rows - 1);
    if (run == 0 || g->parts == 1)
        ring_point(g, it->run.first_row);
    return cts_session_ask(g->pipe->session, it, 1, g->pipe->opts->timeout_ms, err);
}

/* The first tuple of the part that is not as expected, if there is one. */
static struct cts_wrong ring_check(const struct ring *g, uint32_t run)
{
    uint32_t n = ring_count(g, run);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t r = run * g->part + i, at = r & (g->prog->layout[0].rows - 1);
        fetch_entry(cts_program_entry(g->m, g->prog, at + AHEAD), false);
        if (!cts_seg_match(g->seg, r, cts_program_entry(g->m, g->prog, at),
                           cts_program_expect(g->prog, at)))
            return cts_observe_wrong(g->m, g->prog, 0, r, at, g->judge->arena);
    }
    if (cts_session_window_is_gone(g->pipe->session)) /* the next request says so */
        return cts_observe_wrong(g->m, g->prog, 0, run * g->part, 0, g->judge->arena);
    cts_judge_matched(g->judge, g->seg, run * g->part, n);
    return cts_not_wrong();
}

/* Goes through the sweep; *wrong is the first tuple that deviates in any way, if one does.
 * Negative: the session's error. */
static int ring_go(const struct ring *g, struct cts_wrong *wrong, struct cts_err *err)
{
    struct cts_session *s = g->pipe->session;
    struct cts_answer *a = &g->b->answer[0];
    unsigned timeout = g->pipe->opts->timeout_ms;
    uint32_t asked = 0, taken = 0;
    int rc = 0;
    *wrong = cts_not_wrong();
    while (rc == 0 && (taken < asked || (asked < g->runs && !cts_is_wrong(wrong)))) {
        if (asked < g->runs && asked - taken < g->parts && !cts_is_wrong(wrong)) {
            ring_fill(g, asked);
            rc = ring_request(g, asked++, err);
            continue;
        }
        rc = cts_session_answer(s, a, 1, timeout, err);
        if (rc != 0)
            break;
        if (!cts_is_wrong(wrong))
            *wrong = cts_answer_is_run(a)
                         ? ring_check(g, taken)
                         : cts_observe_wrong_end(g->seg, taken * g->part, a, g->judge->arena);
        taken++;
    }
    if (rc == 0)
        rc = cts_session_ask(s, NULL, 0, timeout, err);
    return rc == 0 ? cts_session_answer(s, NULL, 0, timeout, err) : rc;
}

/* A tuple that is wrong there must fit alone, too. */
static bool ring_fits(const struct ring *g, uint32_t entries, uint32_t stride)
{
    return cts_program_region_bytes(1, 1, stride) <= cts_machine_room(g->m, CTS_WIN_RESERVED) &&
           CTS_WIN_RESERVED + cts_program_region_bytes(1, entries, stride) <=
               cts_machine_window_bytes(g->m) &&
           entries / g->parts <= g->m->caps->max_iterations;
}

/* CTS_E_LIMIT if the window has not even room for the smallest ring. */
static int ring_init(struct ring *g, struct cts_pipeline *p, struct cts_judge *judge,
                     struct cts_seg *seg, struct cts_err *err)
{
    uint32_t stride = cts_request_stride(&seg->layout), entries = MOST_ENTRIES;
    struct cts_batch *b = cts_pipeline_begin_alone(p);
    *g = (struct ring){.pipe = p,
                       .m = &p->machine,
                       .judge = judge,
                       .b = b,
                       .prog = &b->program[0],
                       .seg = seg,
                       .parts = cts_machine_entries_travel(&p->machine) ? 1 : 2};
    while (entries > g->parts && !ring_fits(g, entries, stride))
        entries /= 2;
    if (!ring_fits(g, entries, stride))
        return cts_err_set(err, CTS_E_LIMIT, "%s has not enough memory for it",
                           g->m->caps->runtime);
    b->programs = 1;
    b->program[0] = cts_program_of(seg, 0, 0);
    g->part = entries / g->parts;
    g->runs = (seg->rows + g->part - 1) / g->part;
    g->last = seg->rows - (g->runs - 1) * g->part;
    b->expect_used += cts_program_place(g->prog, CTS_WIN_RESERVED, entries, b->expect);
    int rc = cts_program_add_code(g->m, g->prog, &b->code, err);
    return rc == 0 ? cts_program_add_object(g->m, g->prog, &b->code, &b->elf, err) : rc;
}

int cts_ring_run(struct cts_pipeline *p, struct cts_judge *judge, struct cts_seg *seg,
                 struct cts_ring_end *end, struct cts_err *err)
{
    int rc = 0;
    *end = (struct cts_ring_end){.wrong = cts_not_wrong()};
    for (unsigned attempt = 0; attempt < 2 && !p->broken; attempt++) {
        struct ring g;
        cts_err_clear(err);
        rc = ring_init(&g, p, judge, seg, err);
        if (rc != 0) {
            end->died.code = 0;
            return rc;
        }
        rc = ring_go(&g, &end->wrong, err);
        cts_pipeline_count_timeout(p, rc == CTS_E_TIMEOUT);
        if (rc == 0)
            break;
        if (attempt == 0)
            end->died = *err;
        cts_pipeline_restart(p);
    }
    return rc;
}
