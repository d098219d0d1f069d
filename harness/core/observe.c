#include "core/observe.h"

#include "core/match.h"
#include "core/state.h"

#include <string.h>

#include "base/bytes.h"

static struct cts_obs observe_entry(const struct cts_machine *m, const struct cts_program *p,
                                    const struct cts_answer *a)
{
    struct cts_seg *seg = p->body[0];
    uint32_t r = cts_program_tuple(p, 0, 0);
    struct cts_obs o = {.seen = CTS_SEEN_RAN,
                        .text = a->run.text,
                        .row = cts_program_entry(m, p, 0),
                        .expect = cts_program_expect(p, 0)};
    if (m->caps->window_kind == CTS_WK_NATIVE) {
        if (cts_order_get64(m->caps->be, o.row + CTS_ENTRY_END) == CTS_ENDED_EXITED) {
            o.seen = CTS_SEEN_EXITED;
            o.result_known = true;
            o.r0 = cts_order_get64(m->caps->be, o.row + CTS_ENTRY_OUT);
        }
    } else if (!cts_seg_match(seg, r, o.row, o.expect) &&
               cts_seg_untouched(seg, r, o.row, o.expect)) {
        o.seen = CTS_SEEN_EXITED;
        o.result_known = p->iterations == 1;
        o.r0 = a->run.r0;
    }
    return o;
}

struct cts_obs cts_observe(const struct cts_machine *m, const struct cts_program *p,
                           const struct cts_answer *a)
{
    if (a->load.verdict != CTS_LOAD_ACCEPTED)
        return cts_observe_load(&a->load);
    if (p->iterations == 0)
        return (struct cts_obs){.seen = CTS_SEEN_ACCEPTED};
    if (a->run.status != CTS_RUN_COMPLETED)
        return cts_observe_stop(&a->run);
    if (!p->body[0]->whole)
        return observe_entry(m, p, a);
    return (struct cts_obs){
        .seen = CTS_SEEN_RAN, .text = a->run.text, .result_known = true, .r0 = a->run.r0};
}

static enum cts_seen seen_of_load(const struct cts_load_res *l)
{
    switch ((enum cts_load_status)l->verdict) {
    case CTS_LOAD_ACCEPTED:
        return CTS_SEEN_ACCEPTED;
    case CTS_LOAD_REJECTED:
        return CTS_SEEN_REJECTED;
    case CTS_LOAD_CRASHED:
        return CTS_SEEN_CRASHED;
    case CTS_LOAD_TIMED_OUT:
        return CTS_SEEN_TIMED_OUT;
    case CTS_LOAD_UNSETTLED:
        return CTS_SEEN_UNSETTLED;
    case CTS_LOAD_ERROR:
        break;
    }
    return CTS_SEEN_LOAD_ERROR;
}

static enum cts_seen seen_of_run(const struct cts_run_res *r)
{
    switch ((enum cts_run_status)r->status) {
    case CTS_RUN_COMPLETED:
        return CTS_SEEN_RAN;
    case CTS_RUN_FAULTED:
        return CTS_SEEN_FAULTED;
    case CTS_RUN_CRASHED:
        return CTS_SEEN_CRASHED;
    case CTS_RUN_TIMED_OUT:
        return CTS_SEEN_TIMED_OUT;
    case CTS_RUN_REFUSED:
        return CTS_SEEN_REFUSED;
    case CTS_RUN_UNSTEADY:
        return CTS_SEEN_RAN;
    case CTS_RUN_ERROR:
        break;
    }
    return CTS_SEEN_LOAD_ERROR;
}

struct cts_obs cts_observe_load(const struct cts_load_res *l)
{
    return (struct cts_obs){.seen = seen_of_load(l), .text = l->text};
}

struct cts_obs cts_observe_stop(const struct cts_run_res *r)
{
    return (struct cts_obs){
        .seen = seen_of_run(r), .flaky = r->status == CTS_RUN_UNSTEADY, .text = r->text};
}

enum cts_seen cts_observe_end(const struct cts_program *p, const struct cts_answer *a)
{
    if (a->load.verdict != CTS_LOAD_ACCEPTED)
        return seen_of_load(&a->load);
    return p->iterations ? seen_of_run(&a->run) : CTS_SEEN_ACCEPTED;
}

static struct cts_wrong wrong_with(uint32_t r, const char *text)
{
    return (struct cts_wrong){r, {.seen = CTS_SEEN_RAN, .flaky = true, .text = text}};
}

struct cts_wrong cts_observe_wrong(const struct cts_machine *m, const struct cts_program *p,
                                   uint32_t s, uint32_t r, uint32_t at, struct cts_arena *arena)
{
    struct cts_wrong w = wrong_with(r, "wrong among other programs, right alone");
    w.obs.among = cts_program_among(p);
    size_t bytes = p->layout[s].stride;
    if (cts_machine_predicts(m) && p->bodies * p->iterations > 1) /* it is as before the run */
        return w;
    uint8_t *copy = cts_arena_take(arena, bytes + p->expect_bytes);
    if (!copy) /* then there is no state to show */
        return w;
    memcpy(copy, cts_program_entry(m, p, at), bytes);
    w.obs.row = copy;
    if (!p->expect_bytes)
        return w;
    memcpy(copy + bytes, cts_program_expect(p, at), p->expect_bytes);
    w.obs.expect = copy + bytes;
    return w;
}

struct cts_wrong cts_observe_wrong_end(const struct cts_seg *seg, uint32_t first,
                                       const struct cts_answer *a, struct cts_arena *arena)
{
    bool loaded = a->load.verdict == CTS_LOAD_ACCEPTED;
    const char *why = loaded ? a->run.text : a->load.text;
    uint32_t r = loaded && a->run.done < seg->rows - first ? first + a->run.done : first;
    const char *text =
        cts_arena_fmt(arena, "%s among other programs (%.200s), right alone",
                      loaded ? "stopped" : "not accepted", why[0] ? why : "no reason given");
    return wrong_with(r, text ? text : "stopped among other programs, right alone");
}

uint32_t cts_observe_tuples(const struct cts_program *p, uint32_t s)
{
    uint32_t left = p->body[s]->rows - p->first;
    return left < p->iterations ? left : p->iterations;
}

uint32_t cts_observe_entries(const struct cts_machine *m, const struct cts_program *p, uint32_t s,
                             struct cts_arena *arena, struct cts_wrong *wrong)
{
    uint32_t tuples = cts_observe_tuples(p, s);
    for (uint32_t i = 0; i < tuples; i++) {
        uint32_t at = i * p->bodies + s;
        if (cts_seg_match(p->body[s], p->first + i, cts_program_entry(m, p, at),
                          cts_program_expect(p, at)))
            continue;
        if (wrong)
            *wrong = cts_observe_wrong(m, p, s, p->first + i, at, arena);
        return i;
    }
    return UINT32_MAX;
}

bool cts_observe_ending(const struct cts_machine *m, const struct cts_program *p, uint32_t *at)
{
    /* Who predicts leaves every entry that is wrong as it was, and says itself where it ended. */
    if (cts_machine_predicts(m) || p->bodies == 1)
        return false;
    for (*at = 0; *at < p->iterations * p->bodies; ++*at) {
        uint32_t s = *at % p->bodies, r = cts_program_tuple(p, s, *at / p->bodies);
        if (cts_seg_untouched(p->body[s], r, cts_program_entry(m, p, *at),
                              cts_program_expect(p, *at)))
            return true;
    }
    return false;
}
