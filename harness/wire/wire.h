/* The frame protocol between harness and worker, version 1.
 *
 * A frame is a header of 12 bytes and a payload; all numbers are little-endian:
 *     u32 payload bytes   u16 type   u16 zero   u32 sequence number (an answer repeats that of its
 * request) The harness sends requests, the worker answers each with one frame, in order; several
 * requests may be under way. Frames that report its progress may come before a response. EOF on the
 * worker's stdin ends it. Strings are u32 length and bytes; booleans u8.
 *
 *     HELLO   u32 lowest, u32 highest version it speaks; string engine ("" default)
 *     CAPS    u32 version; i32 code (0 or enum cts_errno); string reason; if code is 0: struct
 * cts_caps, field by field EXEC    u32 n; n items DONE    u32 n; n answers FAILED  i32 code;
 * string: the frame could not be understood; the worker goes on
 *     PROGRESS u32 items begun; bool waiting
 *
 * PROTOCOL.md in this folder has every field.
 */
#ifndef CTS_WIRE_WIRE_H
#define CTS_WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "wire/worker.h"

enum {
    CTS_WIRE_VERSION = 1,
    CTS_FRAME_HEADER = 12,
    CTS_FRAME_MAX = CTS_MOST_FRAME_BYTES,
    CTS_WIRE_PROGS = 64
};

/* Milliseconds of one item, in the worker's environment: for workers whose runtime is a process of
 * its own. */
#define CTS_WIRE_TIMEOUT_VARIABLE "EBPF_CTS_TIMEOUT_MS"

enum cts_frame_type {
    CTS_FT_HELLO = 1,
    CTS_FT_CAPS = 2,
    CTS_FT_EXEC = 3,
    CTS_FT_DONE = 4,
    CTS_FT_FAILED = 5,
    CTS_FT_PROGRESS = 6, /* from the worker, before its answer */
};

struct cts_frame {
    uint32_t bytes;
    uint16_t type;
    uint32_t seq;
};

/* Steps of an item, in this order. `prog` names the program from its load to its unload: 0 ..
 * CTS_WIRE_PROGS - 1. */
enum cts_step {
    CTS_STEP_LOAD = 1 << 0,
    CTS_STEP_RUN = 1 << 1, /* skipped if the program is not loaded (rejected) */
    CTS_STEP_UNLOAD = 1 << 2,
    CTS_STEP_ENTRIES = 1 << 3, /* the region's bytes travel in the item and in the answer: for
                             workers whose window is not shared */
};

struct cts_item {
    uint8_t ops;
    uint8_t prog;
    struct cts_load_req load;            /* with CTS_STEP_LOAD */
    struct cts_run_req run;              /* with CTS_STEP_RUN */
    uint32_t entries_off, entries_bytes; /* with CTS_STEP_ENTRIES: where in the window */
    const uint8_t *rows;
};

struct cts_answer {
    uint8_t ops; /* the steps that were done */
    struct cts_load_res load;
    struct cts_run_res run;
    uint32_t entries_bytes;
    const uint8_t *rows; /* inside the frame */
};

/* A writer into caller's memory; `failed` is sticky. `want` is the least capacity that will do. */
struct cts_wr {
    uint8_t *data;
    size_t len, cap;
    bool failed;
    bool (*grow)(struct cts_wr *w, size_t want); /* may be null: then cap is final */
};
void cts_wr_u8(struct cts_wr *w, uint8_t v);
void cts_wr_u16(struct cts_wr *w, uint16_t v);
void cts_wr_u32(struct cts_wr *w, uint32_t v);
void cts_wr_u64(struct cts_wr *w, uint64_t v);
void cts_wr_bytes(struct cts_wr *w, const void *data, uint32_t len); /* u32 length and bytes */
void cts_wr_str(struct cts_wr *w, const char *text);
/* grow function for memory from malloc, up to a whole frame; cts_wr_release_malloc (or
 * free(w->data)) gives it back. */
bool cts_wr_grow_malloc(struct cts_wr *w, size_t want);
void cts_wr_release_malloc(struct cts_wr *w);

/* A reader; past the end it returns zeros and `failed` is set. Bytes stay in the frame. */
struct cts_rd {
    const uint8_t *data;
    size_t len, at;
    bool failed;
};
uint8_t cts_rd_u8(struct cts_rd *r);
uint16_t cts_rd_u16(struct cts_rd *r);
uint32_t cts_rd_u32(struct cts_rd *r);
uint64_t cts_rd_u64(struct cts_rd *r);
const uint8_t *cts_rd_bytes(struct cts_rd *r, uint32_t *len);
/* Copies and terminates; longer text is cut. */
void cts_rd_str(struct cts_rd *r, char *out, size_t cap);

void cts_frame_put(uint8_t header[CTS_FRAME_HEADER], const struct cts_frame *f);
int cts_frame_get(const uint8_t header[CTS_FRAME_HEADER], struct cts_frame *f, struct cts_err *err);

/* A frame that is written in one piece: room for the header, the payload by cts_wr_*, and then the
 * header before it. False: it did not fit. */
void cts_frame_begin(struct cts_wr *w);
bool cts_frame_end(struct cts_wr *w, uint16_t type, uint32_t seq);

void cts_wire_put_caps(struct cts_wr *w, const struct cts_caps *caps);
int cts_wire_get_caps(struct cts_rd *r, struct cts_caps *caps, struct cts_err *err);
void cts_wire_put_item(struct cts_wr *w, const struct cts_item *it);
/* `layouts`, `maps`, `names`: room for what the item points to (see CTS_ITEM_*); the rest stays in
 * the frame. */
enum {
    CTS_ITEM_LAYOUTS = CTS_MOST_LAYOUTS,
    CTS_ITEM_MAPS = CTS_MOST_MAPS,
    CTS_ITEM_NAMES = CTS_MOST_NAMES,
    CTS_ITEM_NAME_BYTES = CTS_MOST_NAME_BYTES + 1, /* with its terminator */
};
struct cts_item_room {
    struct cts_layout layout[CTS_ITEM_LAYOUTS];
    struct cts_map_def map[CTS_ITEM_MAPS];
    const char *name[CTS_ITEM_NAMES];
    char name_text[CTS_ITEM_NAMES][CTS_ITEM_NAME_BYTES];
};
int cts_wire_get_item(struct cts_rd *r, struct cts_item *it, struct cts_item_room *room,
                      struct cts_err *err);
void cts_wire_put_answer(struct cts_wr *w, const struct cts_answer *a);
int cts_wire_get_answer(struct cts_rd *r, struct cts_answer *a, struct cts_err *err);

/* How far a worker is with the request it is at. */
struct cts_wire_progress {
    uint32_t begun; /* of the request's items */
    bool waiting;   /* for something that it shares with others; else it is at work */
};
enum { CTS_PROGRESS_BYTES = 5, CTS_PROGRESS_MS = 100 }; /* see PROTOCOL.md */
void cts_wire_put_progress(struct cts_wr *w, const struct cts_wire_progress *p);
int cts_wire_get_progress(struct cts_rd *r, struct cts_wire_progress *p, struct cts_err *err);

/* "local-call", "map-fd", ...: name of bit i of enum cts_feature; null past the last. */
const char *cts_feature_name(unsigned bit);
/* The bit's value, 0 if there is none of that name. */
uint32_t cts_feature_find(const char *name);

#endif
