/* uses: base wire */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/wire.h"
#include "wire/worker.h"

/* Numbers and strings. */

static void test_numbers_are_little_endian(void **state)
{
    static const uint8_t want[] = {0x01, 0x03, 0x02, 0x07, 0x06, 0x05, 0x04, 0x0f, 0x0e,
                                   0x0d, 0x0c, 0x0b, 0x0a, 0x09, 0x08, 0x02, 0x00, 0x00,
                                   0x00, 'h',  'i',  0x00, 0x00, 0x00, 0x00};
    uint8_t room[64];
    struct cts_wr w = {.data = room, .cap = sizeof(room)};
    (void)state;
    cts_wr_u8(&w, 0x01);
    cts_wr_u16(&w, 0x0203);
    cts_wr_u32(&w, 0x04050607);
    cts_wr_u64(&w, UINT64_C(0x08090a0b0c0d0e0f));
    cts_wr_str(&w, "hi");
    cts_wr_str(&w, NULL);
    assert_false(w.failed);
    assert_int_equal(w.len, sizeof(want));
    assert_memory_equal(room, want, sizeof(want));

    struct cts_rd r = {.data = room, .len = w.len};
    char text[8];
    assert_int_equal(cts_rd_u8(&r), 0x01);
    assert_int_equal(cts_rd_u16(&r), 0x0203);
    assert_int_equal(cts_rd_u32(&r), 0x04050607);
    assert_int_equal(cts_rd_u64(&r), UINT64_C(0x08090a0b0c0d0e0f));
    cts_rd_str(&r, text, sizeof(text));
    assert_string_equal(text, "hi");
    cts_rd_str(&r, text, sizeof(text));
    assert_string_equal(text, "");
    assert_false(r.failed);
    assert_int_equal(r.at, r.len);
}

static void test_writer_stops_at_its_room(void **state)
{
    uint8_t room[6];
    struct cts_wr w = {.data = room, .cap = sizeof(room)};
    (void)state;
    cts_wr_u32(&w, 1);
    cts_wr_u32(&w, 2);
    assert_true(w.failed);
    assert_int_equal(w.len, 4);
    cts_wr_u8(&w, 3); /* would fit, but what was lost is lost */
    assert_int_equal(w.len, 4);
}

static void test_writer_grows_to_a_frame(void **state)
{
    struct cts_wr w = {.grow = cts_wr_grow_malloc};
    static const char block[1 << 16];
    (void)state;
    for (unsigned i = 0; i < 3000 && !w.failed; i++)
        cts_wr_bytes(&w, block, sizeof(block));
    assert_true(w.failed);
    assert_true(w.len <= (size_t)CTS_FRAME_MAX + CTS_FRAME_HEADER);
    assert_true(w.len > (size_t)CTS_FRAME_MAX / 2);
    cts_wr_release_malloc(&w);
    assert_null(w.data);
}

static void test_reader_stops_at_the_end(void **state)
{
    static const uint8_t data[] = {0xff, 0xff, 0xff, 0xff, 'x'};
    struct cts_rd r = {.data = data, .len = sizeof(data)};
    uint32_t len = 7;
    char text[4] = "abc";
    (void)state;
    assert_null(cts_rd_bytes(&r, &len));
    assert_int_equal(len, 0);
    assert_true(r.failed);
    assert_int_equal(cts_rd_u8(&r), 0);
    assert_int_equal(cts_rd_u64(&r), 0);
    cts_rd_str(&r, text, sizeof(text));
    assert_string_equal(text, "");
}

static void test_long_text_is_cut(void **state)
{
    uint8_t room[64];
    struct cts_wr w = {.data = room, .cap = sizeof(room)};
    char text[4];
    (void)state;
    cts_wr_str(&w, "abcdefgh");
    cts_wr_u8(&w, 9);
    struct cts_rd r = {.data = room, .len = w.len};
    cts_rd_str(&r, text, sizeof(text));
    assert_string_equal(text, "abc");
    assert_int_equal(cts_rd_u8(&r), 9);
}

/* Frames. */

static void test_frame_header(void **state)
{
    static const uint8_t want[] = {0x04, 0x03, 0x02, 0x01, 3, 0, 0, 0, 0x0d, 0x0c, 0x0b, 0x0a};
    struct cts_frame in = {.bytes = 0x01020304, .type = CTS_FT_EXEC, .seq = 0x0a0b0c0d}, out;
    uint8_t header[CTS_FRAME_HEADER];
    (void)state;
    cts_frame_put(header, &in);
    assert_memory_equal(header, want, sizeof(want));
    assert_int_equal(cts_frame_get(header, &out, NULL), 0);
    assert_int_equal(out.bytes, in.bytes);
    assert_int_equal(out.type, in.type);
    assert_int_equal(out.seq, in.seq);
}

static void test_bad_frame_headers(void **state)
{
    static const struct {
        uint8_t header[CTS_FRAME_HEADER];
    } bad[] = {
        {{0, 0, 0, 0, 0, 0, 0, 0}}, /* type 0 */
        {{0, 0, 0, 0, 7, 0, 0, 0}}, /* type 7 */
        {{0, 0, 0, 0, 3, 1, 0, 0}}, /* type 259 */
        {{0, 0, 0, 0, 3, 0, 1, 0}}, /* not zero */
        {{1, 0, 0, 4, 3, 0, 0, 0}}, /* one byte too long */
        {{255, 255, 255, 255, 3, 0, 0, 0}},
    };
    (void)state;
    for (unsigned i = 0; i < CTS_ARRAY_LEN(bad); i++) {
        struct cts_frame f;
        struct cts_err err = {0};
        assert_int_equal(cts_frame_get(bad[i].header, &f, &err), CTS_E_PROTOCOL);
        assert_int_equal(err.code, CTS_E_PROTOCOL);
    }
    struct cts_frame f;
    static const uint8_t longest[CTS_FRAME_HEADER] = {0, 0, 0, 4, 3};
    assert_int_equal(cts_frame_get(longest, &f, NULL), 0);
}

/* Capabilities. */

static struct cts_caps some_caps(void)
{
    struct cts_caps c = {.runtime = "linux",
                         .engine = "jit",
                         .version = "6.18 x86_64",
                         .be = true,
                         .window_kind = CTS_WK_ABSOLUTE,
                         .window_bytes = 1 << 20,
                         .window_fd = -1,
                         .window_addr = UINT64_C(0x123456789abcdef0),
                         .features = CTS_FEAT_CODE | CTS_FEAT_STACK_UNINIT,
                         .max_slots = 4096,
                         .max_segments = 8,
                         .max_iterations = 1 << 20,
                         .r0_bits = 32};
    return c;
}

static void test_caps(void **state)
{
    uint8_t room[256];
    struct cts_wr w = {.data = room, .cap = sizeof(room)};
    struct cts_caps in = some_caps(), out;
    (void)state;
    cts_wire_put_caps(&w, &in);
    assert_false(w.failed);
    struct cts_rd r = {.data = room, .len = w.len};
    assert_int_equal(cts_wire_get_caps(&r, &out, NULL), 0);
    assert_int_equal(r.at, r.len);
    assert_string_equal(out.runtime, in.runtime);
    assert_string_equal(out.engine, in.engine);
    assert_string_equal(out.version, in.version);
    assert_true(out.be);
    assert_int_equal(out.window_kind, in.window_kind);
    assert_int_equal(out.window_bytes, in.window_bytes);
    assert_int_equal(out.window_fd, -1);
    assert_null(out.window);
    assert_true(out.window_addr == in.window_addr);
    assert_int_equal(out.features, in.features);
    assert_int_equal(out.max_slots, in.max_slots);
    assert_int_equal(out.max_segments, in.max_segments);
    assert_int_equal(out.max_iterations, in.max_iterations);
    assert_int_equal(out.r0_bits, 32);
    for (size_t len = 0; len < w.len; len++) {
        struct cts_rd cut = {.data = room, .len = len};
        assert_int_equal(cts_wire_get_caps(&cut, &out, NULL), CTS_E_PROTOCOL);
    }
}

/* Text that fills its field has no terminator, and must not be read beyond. */
static void test_caps_with_full_fields(void **state)
{
    uint8_t room[256];
    struct cts_wr w = {.data = room, .cap = sizeof(room)};
    struct cts_caps in = some_caps(), out;
    (void)state;
    memset(in.runtime, 'r', sizeof(in.runtime));
    cts_wire_put_caps(&w, &in);
    struct cts_rd r = {.data = room, .len = w.len};
    assert_int_equal(cts_wire_get_caps(&r, &out, NULL), 0);
    assert_int_equal(strlen(out.runtime), sizeof(out.runtime) - 1);
    assert_string_equal(out.engine, "jit");
}

static void test_caps_with_a_bad_kind(void **state)
{
    uint8_t room[256];
    struct cts_wr w = {.data = room, .cap = sizeof(room)};
    struct cts_caps in = some_caps(), out;
    (void)state;
    in.window_kind = CTS_WK_ARGUMENT + 1;
    cts_wire_put_caps(&w, &in);
    struct cts_rd r = {.data = room, .len = w.len};
    assert_int_equal(cts_wire_get_caps(&r, &out, NULL), CTS_E_PROTOCOL);
}

/* Items. */

static const uint8_t two_slots[16] = {0xb7, 0, 0, 0, 1, 0, 0, 0, 0x95};
static const uint8_t map_data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
static const char *const two_names[] = {"cts_var", "cts_func"};

static void fill_layout(struct cts_layout *l)
{
    *l = (struct cts_layout){.region = 64,
                             .rows = 4,
                             .stride = 256,
                             .mem_bytes = 16,
                             .stack_off = 0x01020304,
                             .spill = -512,
                             .out_mask = 0x3fe,
                             .record = 1,
                             .body_slots = 77};
    for (unsigned i = 0; i < 10; i++) {
        l->place[i] = (uint8_t)(i % (CTS_PL_NONE + 1));
        l->add[i] = -(int32_t)i;
    }
}

static struct cts_item full_item(const struct cts_layout *layouts, const struct cts_map_def *maps)
{
    struct cts_item it = {
        .ops = CTS_STEP_LOAD | CTS_STEP_RUN | CTS_STEP_UNLOAD | CTS_STEP_ENTRIES,
        .prog = 63,
        .load = {.kind = CTS_PROG_WINDOW,
                 .packet = true,
                 .code = two_slots,
                 .slots = 2,
                 .layout = layouts,
                 .segments = 2,
                 .maps = maps,
                 .map_count = 2,
                 .names = two_names,
                 .name_count = 2,
                 .elf = map_data,
                 .elf_bytes = 7},
        .run = {.first_row = 3,
                .iterations = 5,
                .packet = map_data,
                .packet_bytes = 3,
                .threads = 4,
                .guess = map_data,
                .guess_bytes = 8},
        .entries_off = 128,
        .entries_bytes = 5,
        .rows = map_data,
    };
    return it;
}

static void assert_full_item(const struct cts_item *it, const struct cts_layout *layouts)
{
    assert_int_equal(it->prog, 63);
    assert_int_equal(it->load.kind, CTS_PROG_WINDOW);
    assert_true(it->load.packet);
    assert_false(it->load.log);
    assert_int_equal(it->load.slots, 2);
    assert_memory_equal(it->load.code, two_slots, 16);
    assert_int_equal(it->load.segments, 2);
    for (unsigned i = 0; i < 2; i++) {
        const struct cts_layout *a = &it->load.layout[i], *b = &layouts[i];
        assert_int_equal(a->region, b->region);
        assert_int_equal(a->rows, b->rows);
        assert_int_equal(a->stride, b->stride);
        assert_int_equal(a->mem_bytes, b->mem_bytes);
        assert_int_equal(a->stack_off, b->stack_off);
        assert_int_equal(a->spill, b->spill);
        assert_int_equal(a->out_mask, b->out_mask);
        assert_int_equal(a->record, b->record);
        assert_int_equal(a->body_slots, b->body_slots);
        assert_memory_equal(a->place, b->place, sizeof(a->place));
        assert_memory_equal(a->add, b->add, sizeof(a->add));
    }
    assert_int_equal(it->load.map_count, 2);
    assert_int_equal(it->load.maps[0].value_bytes, 4);
    assert_int_equal(it->load.maps[0].entries, 2);
    assert_memory_equal(it->load.maps[0].data, map_data, 8);
    assert_null(it->load.maps[1].data);
    assert_int_equal(it->load.name_count, 2);
    assert_string_equal(it->load.names[0], "cts_var");
    assert_string_equal(it->load.names[1], "cts_func");
    assert_int_equal(it->load.elf_bytes, 7);
    assert_memory_equal(it->load.elf, map_data, 7);
    assert_int_equal(it->run.first_row, 3);
    assert_int_equal(it->run.iterations, 5);
    assert_int_equal(it->run.packet_bytes, 3);
    assert_memory_equal(it->run.packet, map_data, 3);
    assert_int_equal(it->run.threads, 4);
    assert_int_equal(it->run.guess_bytes, 8);
    assert_memory_equal(it->run.guess, map_data, 8);
    assert_int_equal(it->entries_off, 128);
    assert_int_equal(it->entries_bytes, 5);
    assert_memory_equal(it->rows, map_data, 5);
}

static size_t put_full_item(uint8_t *room, size_t cap, struct cts_layout layouts[2])
{
    static const struct cts_map_def maps[] = {{4, 2, map_data}, {1 << 10, 1 << 10, NULL}};
    fill_layout(&layouts[0]);
    fill_layout(&layouts[1]);
    layouts[1].region = 4096;
    struct cts_item it = full_item(layouts, maps);
    struct cts_wr w = {.data = room, .cap = cap};
    cts_wire_put_item(&w, &it);
    assert_false(w.failed);
    return w.len;
}

static void test_item(void **state)
{
    uint8_t room[1024];
    struct cts_layout layouts[2];
    struct cts_item it;
    struct cts_item_room place;
    (void)state;
    size_t len = put_full_item(room, sizeof(room), layouts);
    struct cts_rd r = {.data = room, .len = len};
    assert_int_equal(cts_wire_get_item(&r, &it, &place, NULL), 0);
    assert_int_equal(r.at, len);
    assert_full_item(&it, layouts);
}

static void test_item_cut_anywhere(void **state)
{
    uint8_t room[1024];
    struct cts_layout layouts[2];
    struct cts_item it;
    struct cts_item_room place;
    (void)state;
    size_t len = put_full_item(room, sizeof(room), layouts);
    for (size_t n = 0; n < len; n++) {
        uint8_t *exact = malloc(n + 1); /* so that a sanitizer sees the end */
        assert_non_null(exact);
        memcpy(exact, room, n);
        struct cts_rd r = {.data = exact, .len = n};
        struct cts_err err = {0};
        assert_int_equal(cts_wire_get_item(&r, &it, &place, &err), CTS_E_PROTOCOL);
        assert_int_equal(err.code, CTS_E_PROTOCOL);
        free(exact);
    }
}

static uint32_t next_random(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

/* Whatever the bytes are, what comes out is inside the frame and inside the room. */
static void test_item_with_any_bytes(void **state)
{
    uint8_t room[1024], broken[1024];
    struct cts_layout layouts[2];
    uint32_t x = 1, understood = 0;
    (void)state;
    size_t len = put_full_item(room, sizeof(room), layouts);
    for (unsigned i = 0; i < 20000; i++) {
        struct cts_item it;
        struct cts_item_room place;
        memcpy(broken, room, len);
        for (unsigned n = next_random(&x) % 4 + 1; n; n--)
            broken[next_random(&x) % len] = (uint8_t)next_random(&x);
        struct cts_rd r = {.data = broken, .len = len};
        if (cts_wire_get_item(&r, &it, &place, NULL))
            continue;
        understood++;
        assert_true(r.at <= len);
        if (it.ops & CTS_STEP_LOAD) {
            assert_true(it.load.code >= broken && it.load.code + it.load.slots * 8 <= broken + len);
            assert_true(it.load.segments <= CTS_ITEM_LAYOUTS);
            assert_true(it.load.map_count <= CTS_ITEM_MAPS);
            assert_true(it.load.name_count <= CTS_ITEM_NAMES);
        }
        if (it.ops & CTS_STEP_ENTRIES)
            assert_true(it.rows >= broken && it.rows + it.entries_bytes <= broken + len);
    }
    assert_true(understood > 0);
}

static int reread(struct cts_item it)
{
    uint8_t room[8192];
    struct cts_wr w = {.data = room, .cap = sizeof(room)};
    struct cts_item_room place;
    cts_wire_put_item(&w, &it);
    if (w.failed)
        return CTS_E_LIMIT;
    struct cts_rd r = {.data = room, .len = w.len};
    return cts_wire_get_item(&r, &it, &place, NULL);
}

static void test_items_beyond_the_limits(void **state)
{
    struct cts_layout layouts[CTS_ITEM_LAYOUTS + 1];
    struct cts_map_def maps[CTS_ITEM_MAPS + 1] = {{0}};
    const char *names[CTS_ITEM_NAMES + 1];
    char long_name[CTS_ITEM_NAME_BYTES + 1];
    (void)state;
    memset(long_name, 'n', sizeof(long_name));
    long_name[CTS_ITEM_NAME_BYTES - 1] = '\0';
    for (unsigned i = 0; i < CTS_ARRAY_LEN(layouts); i++) {
        fill_layout(&layouts[i]);
        names[i] = long_name;
    }
    struct cts_item it = full_item(layouts, maps);
    it.load.names = names;
    it.load.segments = CTS_ITEM_LAYOUTS;
    it.load.map_count = CTS_ITEM_MAPS;
    it.load.name_count = CTS_ITEM_NAMES;
    assert_int_equal(reread(it), 0);
    struct cts_item more = it;
    more.load.segments++;
    assert_int_equal(reread(more), CTS_E_LIMIT);
    more = it;
    more.load.map_count++;
    assert_int_equal(reread(more), CTS_E_LIMIT);
    more = it;
    more.load.name_count++;
    assert_int_equal(reread(more), CTS_E_LIMIT);
    more = it;
    more.prog = CTS_WIRE_PROGS;
    assert_int_equal(reread(more), CTS_E_PROTOCOL);
    more = it;
    more.ops |= 1 << 4;
    assert_int_equal(reread(more), CTS_E_PROTOCOL);
    more = it;
    more.run.iterations = 0;
    assert_int_equal(reread(more), CTS_E_PROTOCOL);
    more = it;
    more.load.kind = CTS_PROG_WHOLE + 1;
    assert_int_equal(reread(more), CTS_E_PROTOCOL);
    long_name[CTS_ITEM_NAME_BYTES - 1] = 'n';
    long_name[CTS_ITEM_NAME_BYTES] = '\0';
    assert_int_equal(reread(it), CTS_E_PROTOCOL);
    long_name[0] = '\0';
    layouts[3].place[9] = CTS_PL_NONE + 1;
    assert_int_equal(reread(it), CTS_E_PROTOCOL);
}

/* The example of PROTOCOL.md, byte by byte. */
static void test_the_documented_example(void **state)
{
    static const uint8_t want[] = {
        0x07, 0x05,                                     /* load, run, unload; program 5 */
        0x01, 0x00, 0x00,                               /* a whole program, no packet, no log */
        0x10, 0x00, 0x00, 0x00,                         /* 16 bytes of code */
        0xb7, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, /* r0 = 1 */
        0x95, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* exit */
        0x00, 0x00, 0x00, 0x00,                         /* no layouts */
        0x00, 0x00, 0x00, 0x00,                         /* no maps */
        0x00, 0x00, 0x00, 0x00,                         /* no names */
        0x00, 0x00, 0x00, 0x00,                         /* no ELF object */
        0x00, 0x00, 0x00, 0x00,                         /* first row 0 */
        0x01, 0x00, 0x00, 0x00,                         /* one iteration */
        0x00, 0x00, 0x00, 0x00,                         /* no packet */
        0x01, 0x00, 0x00, 0x00,                         /* one thread */
        0x00, 0x00, 0x00, 0x00,                         /* no guess */
    };
    uint8_t room[128];
    struct cts_wr w = {.data = room, .cap = sizeof(room)};
    struct cts_item it = {.ops = CTS_STEP_LOAD | CTS_STEP_RUN | CTS_STEP_UNLOAD,
                          .prog = 5,
                          .load = {.kind = CTS_PROG_WHOLE, .code = two_slots, .slots = 2},
                          .run = {.iterations = 1}};
    (void)state;
    cts_wire_put_item(&w, &it);
    assert_int_equal(w.len, sizeof(want));
    assert_memory_equal(room, want, sizeof(want));
}

/* Answers. */

static void test_answer(void **state)
{
    static struct cts_answer in, out;
    uint8_t room[8192];
    (void)state;
    in = (struct cts_answer){
        .ops = CTS_STEP_LOAD | CTS_STEP_RUN | CTS_STEP_ENTRIES,
        .load = {.verdict = CTS_LOAD_ACCEPTED, .err_no = -22, .native_bytes = 99},
        .run = {.status = CTS_RUN_FAULTED, .done = 3, .r0 = UINT64_MAX - 1},
        .rows = map_data,
        .entries_bytes = 8};
    memset(in.load.text, 'a', sizeof(in.load.text)); /* no terminator */
    strcpy(in.run.text, "out of bounds");
    struct cts_wr w = {.data = room, .cap = sizeof(room)};
    cts_wire_put_answer(&w, &in);
    assert_false(w.failed);
    struct cts_rd r = {.data = room, .len = w.len};
    assert_int_equal(cts_wire_get_answer(&r, &out, NULL), 0);
    assert_int_equal(r.at, r.len);
    assert_int_equal(out.ops, in.ops);
    assert_int_equal(out.load.verdict, CTS_LOAD_ACCEPTED);
    assert_int_equal(out.load.err_no, -22);
    assert_int_equal(out.load.native_bytes, 99);
    assert_int_equal(strlen(out.load.text), CTS_TEXT_MAX - 1);
    assert_int_equal(out.run.status, CTS_RUN_FAULTED);
    assert_int_equal(out.run.done, 3);
    assert_true(out.run.r0 == UINT64_MAX - 1);
    assert_string_equal(out.run.text, "out of bounds");
    assert_memory_equal(out.rows, map_data, 8);
    for (size_t len = 0; len < w.len; len++) {
        struct cts_rd cut = {.data = room, .len = len};
        assert_int_equal(cts_wire_get_answer(&cut, &out, NULL), CTS_E_PROTOCOL);
    }
}

static void test_the_documented_answer(void **state)
{
    static const uint8_t want[] = {
        0x07,                                           /* all three steps */
        0x00,                                           /* accepted */
        0x00, 0x00, 0x00, 0x00,                         /* no error number */
        0x00, 0x00, 0x00, 0x00,                         /* interpreted */
        0x00, 0x00, 0x00, 0x00,                         /* no text */
        0x00,                                           /* ran */
        0x01, 0x00, 0x00, 0x00,                         /* one iteration */
        0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* r0 = 1 */
        0x00, 0x00, 0x00, 0x00,                         /* no text */
    };
    static const struct cts_answer a = {.ops = CTS_STEP_LOAD | CTS_STEP_RUN | CTS_STEP_UNLOAD,
                                        .load = {.verdict = CTS_LOAD_ACCEPTED},
                                        .run = {.status = CTS_RUN_COMPLETED, .done = 1, .r0 = 1}};
    uint8_t room[128];
    struct cts_wr w = {.data = room, .cap = sizeof(room)};
    (void)state;
    cts_wire_put_answer(&w, &a);
    assert_int_equal(w.len, sizeof(want));
    assert_memory_equal(room, want, sizeof(want));
}

static void test_progress(void **state)
{
    static const struct cts_wire_progress told[] = {{0, false}, {1, true}, {UINT32_MAX, false}};
    uint8_t bytes[CTS_PROGRESS_BYTES];
    struct cts_wire_progress p;
    (void)state;
    for (unsigned i = 0; i < CTS_ARRAY_LEN(told); i++) {
        struct cts_wr w = {.data = bytes, .cap = sizeof(bytes)};
        cts_wire_put_progress(&w, &told[i]);
        assert_false(w.failed);
        assert_int_equal(w.len, sizeof(bytes));
        struct cts_rd r = {.data = bytes, .len = w.len};
        assert_int_equal(cts_wire_get_progress(&r, &p, NULL), 0);
        assert_int_equal(p.begun, told[i].begun);
        assert_int_equal(p.waiting, told[i].waiting);
    }
    static const struct {
        uint8_t bytes[CTS_PROGRESS_BYTES + 1];
        size_t len;
    } bad[] = {
        {{1, 0, 0, 0}, 0},
        {{1, 0, 0, 0}, 4},
        {{1, 0, 0, 0, 2}, 5},
        {{1, 0, 0, 0, 1, 0}, 6},
    };
    for (unsigned i = 0; i < CTS_ARRAY_LEN(bad); i++) {
        struct cts_rd r = {.data = bad[i].bytes, .len = bad[i].len};
        assert_int_equal(cts_wire_get_progress(&r, &p, NULL), CTS_E_PROTOCOL);
    }
}

static void test_bad_answers(void **state)
{
    static const uint8_t bad[][32] = {
        {0x10},                          /* a step that does not exist */
        {CTS_STEP_LOAD, 6},              /* a verdict that does not exist */
        {CTS_STEP_RUN, 7},               /* a status that does not exist */
        {CTS_STEP_ENTRIES, 29, 0, 0, 0}, /* more rows than there are */
    };
    static struct cts_answer out;
    (void)state;
    for (unsigned i = 0; i < CTS_ARRAY_LEN(bad); i++) {
        struct cts_rd r = {.data = bad[i], .len = sizeof(bad[i])};
        assert_int_equal(cts_wire_get_answer(&r, &out, NULL), CTS_E_PROTOCOL);
    }
}

static void test_features(void **state)
{
    (void)state;
    unsigned n = 0;
    for (; cts_feature_name(n); n++)
        assert_int_equal(cts_feature_find(cts_feature_name(n)), 1u << n);
    assert_int_equal(1u << n, CTS_FEAT_GOTOX << 1);
    assert_int_equal(CTS_FEAT_CALLX, CTS_FEAT_DATA_HELPER_N(CTS_DATA_HELPERS_COUNT));
    assert_int_equal(CTS_FEAT_OF_PROGRAMS, ((CTS_FEAT_STACK_UNINIT << 1) - 1) |
                                               (CTS_FEAT_UNCHECKED - CTS_FEAT_TAIL_CALL) |
                                               CTS_FEAT_FUNCTION_DATA | CTS_FEAT_GOTOX);
    assert_int_equal(cts_feature_find("helper-5"), CTS_FEAT_DATA_HELPER_N(5));
    assert_null(cts_feature_name(1000));
    assert_int_equal(cts_feature_find("no-such"), 0);
    assert_int_equal(cts_feature_find(""), 0);
    assert_int_equal(cts_feature_find("helper-csum"), CTS_FEAT_HELPER_CSUM);
}

static void test_a_frame_in_one_piece(void **state)
{
    uint8_t room[CTS_FRAME_HEADER + 4];
    struct cts_wr w = {.data = room, .cap = sizeof(room), .len = 3, .failed = true};
    struct cts_frame f;
    (void)state;
    cts_frame_begin(&w);
    cts_wr_u32(&w, 0x01020304);
    assert_true(cts_frame_end(&w, CTS_FT_DONE, 77));
    assert_int_equal(w.len, sizeof(room));
    assert_int_equal(cts_frame_get(room, &f, NULL), 0);
    assert_int_equal(f.bytes, 4);
    assert_int_equal(f.type, CTS_FT_DONE);
    assert_int_equal(f.seq, 77);
    assert_int_equal(cts_get32le(room + CTS_FRAME_HEADER), 0x01020304);
    cts_wr_u8(&w, 0);
    assert_false(cts_frame_end(&w, CTS_FT_DONE, 77));
    w.cap = CTS_FRAME_HEADER - 1;
    cts_frame_begin(&w);
    assert_true(w.failed);
    assert_false(cts_frame_end(&w, CTS_FT_DONE, 77));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_frame_in_one_piece),
        cmocka_unit_test(test_numbers_are_little_endian),
        cmocka_unit_test(test_writer_stops_at_its_room),
        cmocka_unit_test(test_writer_grows_to_a_frame),
        cmocka_unit_test(test_reader_stops_at_the_end),
        cmocka_unit_test(test_long_text_is_cut),
        cmocka_unit_test(test_frame_header),
        cmocka_unit_test(test_bad_frame_headers),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_caps_with_full_fields),
        cmocka_unit_test(test_caps_with_a_bad_kind),
        cmocka_unit_test(test_item),
        cmocka_unit_test(test_item_cut_anywhere),
        cmocka_unit_test(test_item_with_any_bytes),
        cmocka_unit_test(test_items_beyond_the_limits),
        cmocka_unit_test(test_the_documented_example),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_the_documented_answer),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_bad_answers),
        cmocka_unit_test(test_features),
    };
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
