#include "core/sight.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "core/needs.h"
#include "core/variant.h"
#include "host/buf.h"
#include "pack/env.h"
#include "wire/wire.h"

enum {
    EVERY_SLOT = 1000000,
    WINDOW = 1 << 24,
    PLUGIN_SLOTS = 65535,
    PLUGIN_ROWS = 128,
};

static const uint32_t platform_features =
    CTS_FEAT_MAP_FD | CTS_FEAT_MAP_IDX | CTS_FEAT_VAR | CTS_FEAT_CODE | CTS_FEAT_BTF_CALL |
    CTS_FEAT_HELPER_MAP | CTS_FEAT_HELPER_CSUM | CTS_FEAT_HELPER_TEST | CTS_FEAT_TAIL_CALL;

static const struct cts_sight sights[] = {
    {"reference", "everything: the reference machine"},
    {"no-pointers", "addresses may not be stored: a verifier without privileges"},
    {"argument", "the window's address is an argument, and kept in the stack while a body runs"},
    {"frames", "operand tuples travel: the window is not shared"},
    {"r0", "nothing but r0 comes out, into which everything is folded: a plugin"},
    {"result-32", "32 bits of what a program returns: Linux"},
    {"slots=65535", "programs of 65,535 slots and less"},
    {"slots=4096", "programs of 4,096 slots and less"},
    {"no-helpers", "no helpers, maps, variables and functions of a platform"},
    {"verdict-only", "programs are loaded and never run"},
};

const struct cts_sight *cts_sight_at(unsigned i)
{
    return i < CTS_ARRAY_LEN(sights) ? &sights[i] : NULL;
}

/* ---- terms ---- */

static void be_reference(struct cts_caps *c)
{
    (void)c;
}

static void be_argument(struct cts_caps *c)
{
    c->window_kind = CTS_WK_ARGUMENT;
    c->window_addr = 0;
    c->features &= ~(uint32_t)CTS_FEAT_PACKET; /* no context comes in beside it */
}

static void be_frames(struct cts_caps *c)
{
    c->window_fd = -1;
}

/* As the worker for plugins says of one that has all it looks for. */
static void be_r0(struct cts_caps *c)
{
    be_argument(c);
    be_frames(c);
    c->features = CTS_FEAT_GUESS | CTS_FEAT_MEMORY | CTS_FEAT_LOCAL_CALL | CTS_FEAT_STACK_UNINIT;
    c->max_slots = PLUGIN_SLOTS;
    c->max_iterations = PLUGIN_ROWS;
}

static void be_without_helpers(struct cts_caps *c)
{
    c->features &= ~platform_features;
}

static void be_result_32(struct cts_caps *c)
{
    c->r0_bits = 32;
}

static void be_verdict_only(struct cts_caps *c)
{
    c->features |= CTS_FEAT_VERDICT_ONLY;
    c->window_kind = CTS_WK_NONE;
    c->window_bytes = 0;
}

static const struct {
    const char *name;
    void (*be)(struct cts_caps *c);
} terms[] = {
    {"reference", be_reference},
    {"argument", be_argument},
    {"frames", be_frames},
    {"r0", be_r0},
    {"result-32", be_result_32},
    {"no-helpers", be_without_helpers},
    {"verdict-only", be_verdict_only},
};

static bool take_slots(const char *term, struct cts_caps *c)
{
    static const char slots[] = "slots=";
    char *end;
    if (strncmp(term, slots, sizeof(slots) - 1) != 0)
        return false;
    unsigned long n = strtoul(term + sizeof(slots) - 1, &end, 10);
    if (*end || end == term + sizeof(slots) - 1 || n == 0 || n > EVERY_SLOT)
        return false;
    c->max_slots = (uint32_t)n;
    return true;
}

static bool take_term(const char *term, struct cts_caps *c)
{
    for (size_t i = 0; i < CTS_ARRAY_LEN(terms); i++) {
        if (strcmp(terms[i].name, term) != 0)
            continue;
        terms[i].be(c);
        return true;
    }
    uint32_t lacks = strncmp(term, "no-", 3) == 0 ? cts_feature_find(term + 3) : 0;
    c->features &= ~lacks;
    return lacks || take_slots(term, c);
}

int cts_sight_caps(const char *text, struct cts_caps *caps, struct cts_err *err)
{
    *caps = (struct cts_caps){.window_kind = CTS_WK_ABSOLUTE,
                              .window_bytes = WINDOW,
                              .window_addr = WINDOW,
                              .features = CTS_FEAT_OF_PROGRAMS | CTS_FEAT_THREADS | CTS_FEAT_MEMORY,
                              .max_slots = EVERY_SLOT,
                              .max_segments = 1,
                              .max_iterations = 1 << 20,
                              .r0_bits = 64};
    cts_fmt(caps->runtime, sizeof(caps->runtime), "reference");
    for (const char *at = text;; at++) {
        char term[32];
        size_t n = strcspn(at, ",");
        cts_fmt(term, sizeof(term), "%.*s", (int)n, at);
        if (n == 0 || n >= sizeof(term) || !take_term(term, caps))
            return cts_err_set(err, CTS_E_INVAL, "unknown sight '%.*s'", (int)n, at);
        at += n;
        if (!*at)
            return 0;
    }
}

/* ---- what can be asked ---- */

static const char *name_of(uint32_t features)
{
    return cts_feature_name((unsigned)__builtin_ctz(features));
}

static bool fits_window(const struct cts_caps *caps, const struct cts_layout *l)
{
    uint64_t bytes = CTS_ENTRY_MEM + (uint64_t)l->mem_bytes;
    if (l->stack_off)
        bytes = (uint64_t)l->stack_off + 2 * CTS_STACK_BYTES;
    return bytes <= caps->window_bytes;
}

bool cts_sight_fits(const struct cts_pack *p, uint32_t unit, const struct cts_caps *caps)
{
    const struct cts_pk_unit *u = &p->units[unit];
    struct cts_env_segment seg = {.code = p->code + u->code,
                                  .slots = u->slots,
                                  .body_slots = u->body_slots,
                                  .layout = u->layout};
    struct cts_buf code;
    if (cts_unit_is_whole(u, caps))
        return u->slots <= caps->max_slots;
    if (caps->window_kind == CTS_WK_NONE || !fits_window(caps, &u->layout))
        return false;
    seg.layout.region = CTS_WIN_RESERVED;
    seg.layout.rows = 1;
    seg.layout.stride = 1;
    cts_buf_init(&code, 0);
    bool fits = cts_env_build(caps, &seg, 1, &code, NULL) == 0;
    cts_buf_release(&code);
    return fits;
}

/* Is the case among the unit's? */
static bool has_case(const struct cts_pack *p, const struct cts_pk_unit *u, uint32_t kase)
{
    if (u->sweep != UINT32_MAX)
        return p->sweeps[u->sweep].kase == kase;
    for (uint32_t r = u->rows.first; r < u->rows.first + u->rows.count; r++)
        if (p->rows[r].kase == kase)
            return true;
    return false;
}

const char *cts_sight_why_not(const struct cts_pack *p, const struct cts_pk_vector *v,
                              uint32_t kase, const struct cts_caps *caps, char *text)
{
    uint32_t lacks = cts_case_lacks(p, v, kase, caps);
    bool fits = false, threads = true;
    for (uint32_t i = v->units.first; i < v->units.first + v->units.count; i++) {
        if (!has_case(p, &p->units[i], kase))
            continue;
        threads = threads && p->units[i].threads > 1;
        fits = fits || cts_sight_fits(p, i, caps);
    }
    if (threads && !(caps->features & CTS_FEAT_THREADS))
        lacks |= CTS_FEAT_THREADS;
    if (lacks)
        cts_fmt(text, CTS_SIGHT_WHY, "needs %s", name_of(lacks));
    else if (!fits && caps->window_kind == CTS_WK_NONE)
        cts_fmt(text, CTS_SIGHT_WHY, "is run, and programs are only loaded");
    else if (!fits)
        cts_fmt(text, CTS_SIGHT_WHY, "takes more slots of program or of stack than there are");
    else if (p->cases[kase].order == (caps->be ? CTS_ORDER_LITTLE : CTS_ORDER_BIG))
        cts_fmt(text, CTS_SIGHT_WHY, "for machines of the other byte order");
    else
        return NULL;
    return text;
}
