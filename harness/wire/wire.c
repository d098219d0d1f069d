#include "wire/wire.h"

#include <string.h>

#include "base/bytes.h"

/* Writers. */

static uint8_t *wr_take(struct cts_wr *w, size_t bytes)
{
    if (w->failed)
        return NULL;
    if (bytes > w->cap - w->len) {
        bool grown = bytes <= SIZE_MAX - w->len && w->grow && w->grow(w, w->len + bytes);
        if (!grown || bytes > w->cap - w->len) {
            w->failed = true;
            return NULL;
        }
    }
    uint8_t *p = w->data + w->len;
    w->len += bytes;
    return p;
}

void cts_wr_u8(struct cts_wr *w, uint8_t v)
{
    uint8_t *p = wr_take(w, 1);
    if (p)
        *p = v;
}

void cts_wr_u16(struct cts_wr *w, uint16_t v)
{
    uint8_t *p = wr_take(w, 2);
    if (p)
        cts_put16le(p, v);
}

void cts_wr_u32(struct cts_wr *w, uint32_t v)
{
    uint8_t *p = wr_take(w, 4);
    if (p)
        cts_put32le(p, v);
}

void cts_wr_u64(struct cts_wr *w, uint64_t v)
{
    uint8_t *p = wr_take(w, 8);
    if (p)
        cts_put64le(p, v);
}

void cts_wr_bytes(struct cts_wr *w, const void *data, uint32_t len)
{
    cts_wr_u32(w, len);
    uint8_t *p = wr_take(w, len);
    if (p && len)
        memcpy(p, data, len);
}

void cts_wr_str(struct cts_wr *w, const char *text)
{
    size_t len = text ? strlen(text) : 0;
    if (len > CTS_FRAME_MAX) {
        w->failed = true;
        return;
    }
    cts_wr_bytes(w, text, (uint32_t)len);
}

/* A text field that its owner may have filled to the brim. */
static void wr_text(struct cts_wr *w, const char *text, size_t cap)
{
    const char *end = memchr(text, 0, cap);
    cts_wr_bytes(w, text, (uint32_t)(end ? (size_t)(end - text) : cap));
}

/* Readers. */

static const uint8_t *rd_take(struct cts_rd *r, size_t bytes)
{
    if (r->failed || bytes > r->len - r->at) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *p = r->data + r->at;
    r->at += bytes;
    return p;
}

uint8_t cts_rd_u8(struct cts_rd *r)
{
    const uint8_t *p = rd_take(r, 1);
    return p ? *p : 0;
}

uint16_t cts_rd_u16(struct cts_rd *r)
{
    const uint8_t *p = rd_take(r, 2);
    return p ? cts_get16le(p) : 0;
}

uint32_t cts_rd_u32(struct cts_rd *r)
{
    const uint8_t *p = rd_take(r, 4);
    return p ? cts_get32le(p) : 0;
}

uint64_t cts_rd_u64(struct cts_rd *r)
{
    const uint8_t *p = rd_take(r, 8);
    return p ? cts_get64le(p) : 0;
}

const uint8_t *cts_rd_bytes(struct cts_rd *r, uint32_t *len)
{
    uint32_t n = cts_rd_u32(r);
    const uint8_t *p = rd_take(r, n);
    *len = p ? n : 0;
    return p;
}

void cts_rd_str(struct cts_rd *r, char *out, size_t cap)
{
    uint32_t len;
    const uint8_t *p = cts_rd_bytes(r, &len);
    size_t n = len < cap ? len : cap - 1;
    if (n)
        memcpy(out, p, n);
    out[n] = '\0';
}

static bool rd_bool(struct cts_rd *r)
{
    uint8_t v = cts_rd_u8(r);
    if (v > 1)
        r->failed = true;
    return v == 1;
}

static int malformed(struct cts_err *err, const char *what)
{
    return cts_err_set(err, CTS_E_PROTOCOL, "malformed %s", what);
}

/* Frames. */

void cts_frame_put(uint8_t header[CTS_FRAME_HEADER], const struct cts_frame *f)
{
    cts_put32le(header, f->bytes);
    cts_put16le(header + 4, f->type);
    cts_put16le(header + 6, 0);
    cts_put32le(header + 8, f->seq);
}

int cts_frame_get(const uint8_t header[CTS_FRAME_HEADER], struct cts_frame *f, struct cts_err *err)
{
    f->bytes = cts_get32le(header);
    f->type = cts_get16le(header + 4);
    f->seq = cts_get32le(header + 8);
    if (f->type < CTS_FT_HELLO || f->type > CTS_FT_PROGRESS || cts_get16le(header + 6))
        return cts_err_set(err, CTS_E_PROTOCOL, "not a frame (type %u)", f->type);
    if (f->bytes > CTS_FRAME_MAX)
        return cts_err_set(err, CTS_E_PROTOCOL, "a frame of %u bytes", f->bytes);
    return 0;
}

void cts_frame_begin(struct cts_wr *w)
{
    w->len = 0;
    w->failed = w->cap < CTS_FRAME_HEADER && !(w->grow && w->grow(w, CTS_FRAME_HEADER));
    if (!w->failed)
        w->len = CTS_FRAME_HEADER;
}

bool cts_frame_end(struct cts_wr *w, uint16_t type, uint32_t seq)
{
    if (w->failed)
        return false;
    const struct cts_frame f = {
        .bytes = (uint32_t)(w->len - CTS_FRAME_HEADER), .type = type, .seq = seq};
    cts_frame_put(w->data, &f);
    return true;
}

/* Capabilities. */

void cts_wire_put_caps(struct cts_wr *w, const struct cts_caps *caps)
{
    wr_text(w, caps->runtime, sizeof(caps->runtime));
    wr_text(w, caps->engine, sizeof(caps->engine));
    wr_text(w, caps->version, sizeof(caps->version));
    cts_wr_u8(w, caps->be);
    cts_wr_u8(w, caps->window_kind);
    cts_wr_u32(w, caps->window_bytes);
    cts_wr_u32(w, (uint32_t)caps->window_fd);
    cts_wr_u64(w, caps->window_addr);
    cts_wr_u32(w, caps->features);
    cts_wr_u32(w, caps->max_slots);
    cts_wr_u32(w, caps->max_segments);
    cts_wr_u32(w, caps->max_iterations);
    cts_wr_u8(w, caps->r0_bits);
}

int cts_wire_get_caps(struct cts_rd *r, struct cts_caps *caps, struct cts_err *err)
{
    *caps = (struct cts_caps){.window_fd = -1};
    cts_rd_str(r, caps->runtime, sizeof(caps->runtime));
    cts_rd_str(r, caps->engine, sizeof(caps->engine));
    cts_rd_str(r, caps->version, sizeof(caps->version));
    caps->be = rd_bool(r);
    caps->window_kind = cts_rd_u8(r);
    caps->window_bytes = cts_rd_u32(r);
    caps->window_fd = (int)cts_rd_u32(r);
    caps->window_addr = cts_rd_u64(r);
    caps->features = cts_rd_u32(r);
    caps->max_slots = cts_rd_u32(r);
    caps->max_segments = cts_rd_u32(r);
    caps->max_iterations = cts_rd_u32(r);
    caps->r0_bits = cts_rd_u8(r);
    if (r->failed || caps->window_kind > CTS_WK_ARGUMENT)
        return malformed(err, "capabilities");
    return 0;
}

/* Items. A layout is the bulk of a request, so it is moved as one block: see PROTOCOL.md. */

enum {
    LY_ADD = 7 * 4,
    LY_OUT_MASK = LY_ADD + 10 * 4,
    LY_RECORD = LY_OUT_MASK + 2,
    LY_PLACE = LY_RECORD + 1,
    LY_BYTES = LY_PLACE + 10
};

static void put_layout(struct cts_wr *w, const struct cts_layout *l)
{
    uint8_t *p = wr_take(w, LY_BYTES);
    if (!p)
        return;
    cts_put32le(p, l->region);
    cts_put32le(p + 4, l->rows);
    cts_put32le(p + 8, l->stride);
    cts_put32le(p + 12, l->mem_bytes);
    cts_put32le(p + 16, l->stack_off);
    cts_put32le(p + 20, (uint32_t)l->spill);
    cts_put32le(p + 24, l->body_slots);
    for (unsigned i = 0; i < 10; i++)
        cts_put32le(p + LY_ADD + 4 * i, (uint32_t)l->add[i]);
    cts_put16le(p + LY_OUT_MASK, l->out_mask);
    p[LY_RECORD] = l->record;
    memcpy(p + LY_PLACE, l->place, sizeof(l->place));
}

static void get_layout(struct cts_rd *r, struct cts_layout *l)
{
    const uint8_t *p = rd_take(r, LY_BYTES);
    if (!p)
        return;
    l->region = cts_get32le(p);
    l->rows = cts_get32le(p + 4);
    l->stride = cts_get32le(p + 8);
    l->mem_bytes = cts_get32le(p + 12);
    l->stack_off = cts_get32le(p + 16);
    l->spill = (int32_t)cts_get32le(p + 20);
    l->body_slots = cts_get32le(p + 24);
    for (unsigned i = 0; i < 10; i++) {
        l->add[i] = (int32_t)cts_get32le(p + LY_ADD + 4 * i);
        l->place[i] = p[LY_PLACE + i];
        if (l->place[i] > CTS_PL_NONE)
            r->failed = true;
    }
    l->out_mask = cts_get16le(p + LY_OUT_MASK);
    l->record = p[LY_RECORD];
}

static uint64_t map_bytes(const struct cts_map_def *m)
{
    return (uint64_t)m->value_bytes * m->entries;
}

static void put_map(struct cts_wr *w, const struct cts_map_def *m)
{
    cts_wr_u32(w, m->value_bytes);
    cts_wr_u32(w, m->entries);
    if (map_bytes(m) > CTS_MOST_MAP_BYTES)
        w->failed = true;
    else
        cts_wr_bytes(w, m->data, m->data ? (uint32_t)map_bytes(m) : 0);
}

static void get_map(struct cts_rd *r, struct cts_map_def *m)
{
    uint32_t len;
    m->value_bytes = cts_rd_u32(r);
    m->entries = cts_rd_u32(r);
    m->data = cts_rd_bytes(r, &len);
    if (!len)
        m->data = NULL;
    if (map_bytes(m) > CTS_MOST_MAP_BYTES || (len && len != map_bytes(m)))
        r->failed = true;
}

static void put_load(struct cts_wr *w, const struct cts_load_req *q)
{
    if (q->slots > CTS_FRAME_MAX / 8 || q->segments > CTS_ITEM_LAYOUTS ||
        q->map_count > CTS_ITEM_MAPS || q->name_count > CTS_ITEM_NAMES) {
        w->failed = true;
        return;
    }
    cts_wr_u8(w, q->kind);
    cts_wr_u8(w, q->packet);
    cts_wr_u8(w, q->log);
    cts_wr_bytes(w, q->code, q->slots * 8);
    cts_wr_u32(w, q->segments);
    for (uint32_t i = 0; i < q->segments; i++)
        put_layout(w, &q->layout[i]);
    cts_wr_u32(w, q->map_count);
    for (uint32_t i = 0; i < q->map_count; i++)
        put_map(w, &q->maps[i]);
    cts_wr_u32(w, q->name_count);
    for (uint32_t i = 0; i < q->name_count; i++)
        cts_wr_str(w, q->names[i]);
    cts_wr_bytes(w, q->elf, q->elf ? q->elf_bytes : 0);
}

/* A count that must not exceed `most`; 0 and a failed reader if it does. */
static uint32_t rd_count(struct cts_rd *r, uint32_t most)
{
    uint32_t n = cts_rd_u32(r);
    if (n > most)
        r->failed = true;
    return r->failed ? 0 : n;
}

static const char *get_name(struct cts_rd *r, char *text)
{
    uint32_t len;
    const uint8_t *p = cts_rd_bytes(r, &len);
    if (len >= CTS_ITEM_NAME_BYTES) {
        r->failed = true;
        len = 0;
    }
    if (len)
        memcpy(text, p, len);
    text[len] = '\0';
    return text;
}

static void get_load(struct cts_rd *r, struct cts_load_req *q, struct cts_item_room *room)
{
    uint32_t bytes;
    q->kind = cts_rd_u8(r);
    q->packet = rd_bool(r);
    q->log = rd_bool(r);
    q->code = cts_rd_bytes(r, &bytes);
    q->slots = bytes / 8;
    q->segments = rd_count(r, CTS_ITEM_LAYOUTS);
    for (uint32_t i = 0; i < q->segments; i++)
        get_layout(r, &room->layout[i]);
    q->map_count = rd_count(r, CTS_ITEM_MAPS);
    for (uint32_t i = 0; i < q->map_count; i++)
        get_map(r, &room->map[i]);
    q->name_count = rd_count(r, CTS_ITEM_NAMES);
    for (uint32_t i = 0; i < q->name_count; i++)
        room->name[i] = get_name(r, room->name_text[i]);
    q->layout = q->segments ? room->layout : NULL;
    q->maps = q->map_count ? room->map : NULL;
    q->names = q->name_count ? room->name : NULL;
    q->elf = cts_rd_bytes(r, &q->elf_bytes);
    if (!q->elf_bytes)
        q->elf = NULL;
    if (bytes % 8 || q->kind > CTS_PROG_WHOLE)
        r->failed = true;
}

static void put_run(struct cts_wr *w, const struct cts_run_req *q)
{
    cts_wr_u32(w, q->first_row);
    cts_wr_u32(w, q->iterations);
    cts_wr_bytes(w, q->packet, q->packet ? q->packet_bytes : 0);
    cts_wr_u32(w, q->threads ? q->threads : 1);
    cts_wr_bytes(w, q->guess, q->guess ? q->guess_bytes : 0);
}

static void get_run(struct cts_rd *r, struct cts_run_req *q)
{
    q->first_row = cts_rd_u32(r);
    q->iterations = cts_rd_u32(r);
    q->packet = cts_rd_bytes(r, &q->packet_bytes);
    if (!q->packet_bytes)
        q->packet = NULL;
    q->threads = cts_rd_u32(r);
    q->guess = cts_rd_bytes(r, &q->guess_bytes);
    if (!q->guess_bytes)
        q->guess = NULL;
    if (!q->iterations || !q->threads || q->threads > CTS_RUN_THREADS)
        r->failed = true;
}

enum { ALL_OPS = CTS_STEP_LOAD | CTS_STEP_RUN | CTS_STEP_UNLOAD | CTS_STEP_ENTRIES };

void cts_wire_put_item(struct cts_wr *w, const struct cts_item *it)
{
    cts_wr_u8(w, it->ops);
    cts_wr_u8(w, it->prog);
    if (it->ops & CTS_STEP_LOAD)
        put_load(w, &it->load);
    if (it->ops & CTS_STEP_RUN)
        put_run(w, &it->run);
    if (it->ops & CTS_STEP_ENTRIES) {
        cts_wr_u32(w, it->entries_off);
        cts_wr_bytes(w, it->rows, it->entries_bytes);
    }
}

int cts_wire_get_item(struct cts_rd *r, struct cts_item *it, struct cts_item_room *room,
                      struct cts_err *err)
{
    *it = (struct cts_item){.ops = cts_rd_u8(r)};
    it->prog = cts_rd_u8(r);
    if (it->ops & CTS_STEP_LOAD)
        get_load(r, &it->load, room);
    if (it->ops & CTS_STEP_RUN)
        get_run(r, &it->run);
    if (it->ops & CTS_STEP_ENTRIES) {
        it->entries_off = cts_rd_u32(r);
        it->rows = cts_rd_bytes(r, &it->entries_bytes);
    }
    if (r->failed || it->ops & ~ALL_OPS || it->prog >= CTS_WIRE_PROGS)
        return malformed(err, "item");
    return 0;
}

/* Answers. */

void cts_wire_put_answer(struct cts_wr *w, const struct cts_answer *a)
{
    cts_wr_u8(w, a->ops);
    if (a->ops & CTS_STEP_LOAD) {
        cts_wr_u8(w, a->load.verdict);
        cts_wr_u32(w, (uint32_t)a->load.err_no);
        cts_wr_u32(w, a->load.native_bytes);
        wr_text(w, a->load.text, sizeof(a->load.text));
    }
    if (a->ops & CTS_STEP_RUN) {
        cts_wr_u8(w, a->run.status);
        cts_wr_u32(w, a->run.done);
        cts_wr_u64(w, a->run.r0);
        wr_text(w, a->run.text, sizeof(a->run.text));
    }
    if (a->ops & CTS_STEP_ENTRIES)
        cts_wr_bytes(w, a->rows, a->entries_bytes);
}

static void get_load_res(struct cts_rd *r, struct cts_load_res *res)
{
    res->verdict = cts_rd_u8(r);
    res->err_no = (int32_t)cts_rd_u32(r);
    res->native_bytes = cts_rd_u32(r);
    cts_rd_str(r, res->text, sizeof(res->text));
    if (res->verdict > CTS_LOAD_UNSETTLED)
        r->failed = true;
}

static void get_run_res(struct cts_rd *r, struct cts_run_res *res)
{
    res->status = cts_rd_u8(r);
    res->done = cts_rd_u32(r);
    res->r0 = cts_rd_u64(r);
    cts_rd_str(r, res->text, sizeof(res->text));
    if (res->status > CTS_RUN_UNSTEADY)
        r->failed = true;
}

int cts_wire_get_answer(struct cts_rd *r, struct cts_answer *a, struct cts_err *err)
{
    /* Texts are kilobytes: only what is there is touched. */
    a->ops = cts_rd_u8(r);
    a->load.text[0] = a->run.text[0] = '\0';
    a->rows = NULL;
    a->entries_bytes = 0;
    if (a->ops & CTS_STEP_LOAD)
        get_load_res(r, &a->load);
    if (a->ops & CTS_STEP_RUN)
        get_run_res(r, &a->run);
    if (a->ops & CTS_STEP_ENTRIES)
        a->rows = cts_rd_bytes(r, &a->entries_bytes);
    if (r->failed || a->ops & ~ALL_OPS)
        return malformed(err, "answer");
    return 0;
}

/* Progress. */

void cts_wire_put_progress(struct cts_wr *w, const struct cts_wire_progress *p)
{
    cts_wr_u32(w, p->begun);
    cts_wr_u8(w, p->waiting);
}

int cts_wire_get_progress(struct cts_rd *r, struct cts_wire_progress *p, struct cts_err *err)
{
    p->begun = cts_rd_u32(r);
    p->waiting = rd_bool(r);
    return r->failed || r->at != r->len ? malformed(err, "report of progress") : 0;
}

/* Features. */

static const char *const feature_names[] = {
    "local-call",   "map-fd",     "map-idx",     "var",         "code",          "btf-call",
    "packet",       "helper-map", "helper-csum", "helper-test", "pointers",      "stack-uninit",
    "verdict-only", "elf",        "guess",       "threads",     "memory",        "tail-call",
    "helper-0",     "helper-1",   "helper-2",    "helper-3",    "helper-4",      "helper-5",
    "callx",        "stack-args", "unchecked",   "cut",         "function-data", "gotox",
};

const char *cts_feature_name(unsigned bit)
{
    return bit < CTS_ARRAY_LEN(feature_names) ? feature_names[bit] : NULL;
}

uint32_t cts_feature_find(const char *name)
{
    for (unsigned i = 0; i < CTS_ARRAY_LEN(feature_names); i++)
        if (strcmp(feature_names[i], name) == 0)
            return UINT32_C(1) << i;
    return 0;
}
