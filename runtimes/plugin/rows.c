/* One operand tuple after the other is memory for the plugin; nothing comes back but r0, which is a
 * fold of all of it. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "fold.h"
#include "plugin.h"

static const char changed[] = "what it answers is not the same from one time to the next";

/* XORed to the result where it is to be seen whether the end was reached. */
static const uint64_t other_mask = UINT64_C(0x9d39247e33776d41);

/* Iterations [first, first + count) of a program, their rows as memory of its own. */
struct piece {
    struct plg *g;
    const struct plg_prog *p;
    const uint8_t *guess; /* the region; null: none */
    uint8_t *region;
    uint32_t first, count;
    uint32_t times;        /* the rows are run so often: 1 but for units that repeat themselves */
    uint32_t bytes, words; /* of the memory */
    struct cts_run_res *res;
};

/* The bytes of a row that anybody looks at. */
static uint32_t row_bytes(const struct cts_layout *l)
{
    uint32_t bytes = CTS_ENTRY_MEM + l->mem_bytes;
    if (l->stack_off)
        bytes = l->stack_off + 2 * CTS_STACK_BYTES;
    return (bytes + 7) & ~(uint32_t)7;
}

static size_t row_at(const struct piece *c, uint32_t row)
{
    return CTS_WIN_HEADER + (size_t)row * c->p->layout.stride;
}

static uint32_t rows_of(const struct piece *c)
{
    return c->count * c->p->bodies;
}

/* The environment's own place in the header holds the r1 that was stored last. */
static void leave_scratch(const struct piece *c, uint8_t *image)
{
    for (uint32_t i = c->p->bodies; i-- > 0;) {
        if (!(c->p->out_mask[i] & 2))
            continue;
        size_t row = row_at(c, rows_of(c) - c->p->bodies + i);
        memcpy(image + CTS_WIN_SCRATCH, image + row + CTS_ENTRY_OUT + 8, 8);
        return;
    }
}

/* Memory like a region with these rows: of the region before the run, or of the guess. */
static void make_image(const struct piece *c, const uint8_t *from, uint64_t index, uint8_t *image)
{
    memcpy(image, c->region, CTS_WIN_HEADER);
    cts_put64_host(image + CTS_WIN_INDEX, index);
    memcpy(image + CTS_WIN_HEADER, from + row_at(c, c->first * c->p->bodies),
           c->bytes - CTS_WIN_HEADER);
    if (index)
        leave_scratch(c, image);
}

static void set_count(struct piece *c, uint32_t count)
{
    c->count = count;
    c->bytes = (uint32_t)row_at(c, rows_of(c) - 1) + row_bytes(&c->p->layout);
    c->words = c->bytes / 8;
    make_image(c, c->region, 0, c->g->image);
    make_image(c, c->guess ? c->guess : c->region, (uint64_t)rows_of(c) * c->times, c->g->want);
}

static enum plg_end ask(const struct piece *c, uint32_t first, uint32_t words, uint64_t mask,
                        struct plg_out *out)
{
    const struct plg_tail tail = {
        .rows = rows_of(c) * c->times, .first = first, .words = words, .mask = mask};
    size_t len = 0;
    char *text = plg_prog_text(c->p, &c->g->traits, &tail, &len);
    plg_ask(c->g, text, len, c->g->image, c->bytes, out);
    free(text);
    return out->end;
}

static uint64_t fold_of(const struct piece *c, const uint8_t *memory, uint32_t first,
                        uint32_t words)
{
    if (words == 1)
        return cts_get64_host(memory + 8 * (size_t)first);
    return plg_fold(c->p->salt, memory + 8 * (size_t)first, words);
}

static void say(const struct piece *c, uint8_t status, const char *text)
{
    c->res->status = status;
    cts_fmt(c->res->text, sizeof(c->res->text), "%s", text);
}

/* What is there after the run goes back to the harness. */
static void keep(const struct piece *c, const uint8_t *memory)
{
    uint64_t index = (uint64_t)(c->first + c->count) * c->p->bodies * c->times;
    memcpy(c->region, memory, CTS_WIN_HEADER);
    cts_put64_host(c->region + CTS_WIN_INDEX, index);
    memcpy(c->region + row_at(c, c->first * c->p->bodies), memory + CTS_WIN_HEADER,
           c->bytes - CTS_WIN_HEADER);
}

/* Reading back. */

/* Words [first, end) into want: those that are as wanted are not looked at one by one. */
static bool read_words(const struct piece *c, uint32_t first, uint32_t end)
{
    struct plg_out out;
    if (ask(c, first, end - first, 0, &out) != PLG_ANSWERED)
        return false;
    if (end - first == 1) {
        cts_put64_host(c->g->want + 8 * (size_t)first, out.r0);
        return true;
    }
    if (out.r0 == fold_of(c, c->g->want, first, end - first))
        return true;
    uint32_t middle = first + (end - first) / 2;
    return read_words(c, first, middle) && read_words(c, middle, end);
}

/* One row did something else than was wanted, and r0 was `r0`. */
static void look_closer(const struct piece *c, uint64_t r0)
{
    struct plg_out out;
    if (ask(c, 0, c->words, other_mask, &out) != PLG_ANSWERED) {
        say(c, CTS_RUN_UNSTEADY, changed);
    } else if (out.r0 == r0) {
        /* The end was not reached: this is the program's own result. */
        c->res->r0 = r0;
        cts_put64_host(c->region + CTS_WIN_INDEX, (uint64_t)c->first + 1);
        say(c, CTS_RUN_COMPLETED, "");
    } else if ((out.r0 ^ r0) != other_mask || !read_words(c, 0, c->words) ||
               fold_of(c, c->g->want, 0, c->words) != r0) {
        say(c, CTS_RUN_UNSTEADY, changed);
    } else {
        keep(c, c->g->want);
        say(c, CTS_RUN_COMPLETED, "");
    }
}

/* Rows [first, end) that are as wanted go back to the harness; the others stay what it put there,
 * which conforms to nothing. How many those are; -1: a run did not go through. */
static int sort_rows(const struct piece *c, uint32_t first, uint32_t end)
{
    size_t from = row_at(c, first), to = row_at(c, end - 1) + row_bytes(&c->p->layout);
    struct plg_out out;
    if (ask(c, (uint32_t)from / 8, (uint32_t)(to - from) / 8, 0, &out) != PLG_ANSWERED)
        return -1;
    if (out.r0 == fold_of(c, c->g->want, (uint32_t)from / 8, (uint32_t)(to - from) / 8)) {
        memcpy(c->region + row_at(c, c->first * c->p->bodies + first), c->g->want + from,
               to - from);
        return 0;
    }
    if (end - first == 1)
        return 1;
    uint32_t middle = first + (end - first) / 2;
    int low = sort_rows(c, first, middle), high = low < 0 ? -1 : sort_rows(c, middle, end);
    return high < 0 ? -1 : low + high;
}

/* Several bodies did something else than was wanted: which of them? */
static void blame_bodies(const struct piece *c, uint64_t r0)
{
    struct plg_out out;
    if (ask(c, 0, c->words, other_mask, &out) != PLG_ANSWERED ||
        (out.r0 != r0 && (out.r0 ^ r0) != other_mask))
        say(c, CTS_RUN_UNSTEADY, changed);
    else if (out.r0 == r0)
        say(c, CTS_RUN_FAULTED, "one of several bodies ended the program");
    else if (sort_rows(c, 0, rows_of(c)) > 0)
        say(c, CTS_RUN_COMPLETED, "");
    else
        say(c, CTS_RUN_UNSTEADY, changed);
}

/* Running. */

/* Did the first `count` rows do what was wanted? If not, *out says what happened. */
static bool goes_well(struct piece *c, uint32_t count, struct plg_out *out)
{
    set_count(c, count);
    return ask(c, 0, c->words, 0, out) == PLG_ANSWERED &&
           out->r0 == fold_of(c, c->g->want, 0, c->words);
}

/* Some of `count` rows did not: rows before the first such one are told as they are, the others
 * stay what the harness put there, which conforms to nothing. */
static void find_first_bad(struct piece *c, struct plg_out *out)
{
    uint32_t good = 0, bad = c->count;
    struct plg_out tried;
    while (bad - good > 1) {
        uint32_t middle = good + (bad - good) / 2;
        if (goes_well(c, middle, &tried)) {
            good = middle;
        } else {
            bad = middle;
            *out = tried;
        }
    }
    if (good) {
        set_count(c, good);
        keep(c, c->g->want);
    }
    c->res->done = c->first + good;
}

static bool run_piece(struct piece *c, uint32_t count)
{
    struct plg_out out;
    if (goes_well(c, count, &out)) {
        keep(c, c->g->want);
        c->res->done = c->first + count;
        return true;
    }
    c->res->done = c->first;
    if (count > 1 && c->p->bodies == 1)
        find_first_bad(c, &out);
    if (out.end != PLG_ANSWERED)
        say(c, plg_status(&out), out.text);
    else if (c->p->bodies > 1)
        blame_bodies(c, out.r0);
    else if (count > 1)
        say(c, CTS_RUN_COMPLETED, "");
    else
        look_closer(c, out.r0);
    if (c->res->status == CTS_RUN_COMPLETED)
        c->res->done = c->first + count;
    return false;
}

/* Of the region, in iterations. More of them go through it again, as a repetition of one row does.
 */
static uint32_t room(const struct plg_prog *p)
{
    return p->layout.rows / p->bodies;
}

void plg_run_rows(struct plg *g, const struct plg_prog *p, const struct cts_run_req *req,
                  struct cts_run_res *res)
{
    uint32_t region_bytes = cts_layout_bytes(&p->layout), count = req->iterations;
    struct piece c = {.g = g,
                      .p = p,
                      .region = g->window.data + p->layout.region,
                      .res = res,
                      .guess = req->guess,
                      .times = 1};
    bool loops = g->traits.loops && plg_prog_can_loop(p);
    if (room(p) == 1 && loops) {
        c.times = count;
        count = 1;
    }
    res->status = CTS_RUN_COMPLETED;
    if (region_bytes > PLG_HALF || count > room(p) || req->first_row) {
        say(&c, CTS_RUN_ERROR, "a region of another kind than was offered");
        return;
    }
    if (req->guess_bytes != region_bytes)
        c.guess = NULL;
    uint32_t at_once = loops ? count : 1;
    for (; c.first < count; c.first += at_once)
        if (!run_piece(&c, at_once))
            return;
    res->done = req->iterations;
}
