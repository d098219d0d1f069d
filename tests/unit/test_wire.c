/* uses: base wire */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

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
        {{0, 0, 0, 0, 6, 0, 0, 0}}, /* type 6 */
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
        .ops = CTS_OP_LOAD | CTS_OP_RUN | CTS_OP_UNLOAD | CTS_OP_ROWS,
        .prog = 63,
        .load = {.kind = CTS_PK_WINDOW,
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
        .run =
            {.first_row = 3, .iterations = 5, .packet = map_data, .packet_bytes = 3, .threads = 4},
        .rows_off = 128,
        .rows_bytes = 5,
        .rows = map_data,
    };
    return it;
}

static void assert_full_item(const struct cts_item *it, const struct cts_layout *layouts)
{
    assert_int_equal(it->prog, 63);
    assert_int_equal(it->load.kind, CTS_PK_WINDOW);
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
    assert_int_equal(it->rows_off, 128);
    assert_int_equal(it->rows_bytes, 5);
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
        if (it.ops & CTS_OP_LOAD) {
            assert_true(it.load.code >= broken && it.load.code + it.load.slots * 8 <= broken + len);
            assert_true(it.load.segments <= CTS_ITEM_LAYOUTS);
            assert_true(it.load.map_count <= CTS_ITEM_MAPS);
            assert_true(it.load.name_count <= CTS_ITEM_NAMES);
        }
        if (it.ops & CTS_OP_ROWS)
            assert_true(it.rows >= broken && it.rows + it.rows_bytes <= broken + len);
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
    more.load.kind = CTS_PK_WHOLE + 1;
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
    };
    uint8_t room[128];
    struct cts_wr w = {.data = room, .cap = sizeof(room)};
    struct cts_item it = {.ops = CTS_OP_LOAD | CTS_OP_RUN | CTS_OP_UNLOAD,
                          .prog = 5,
                          .load = {.kind = CTS_PK_WHOLE, .code = two_slots, .slots = 2},
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
    in = (struct cts_answer){.ops = CTS_OP_LOAD | CTS_OP_RUN | CTS_OP_ROWS,
                             .load = {.verdict = CTS_ACCEPTED, .err_no = -22, .native_bytes = 99},
                             .run = {.status = CTS_FAULTED, .done = 3, .r0 = UINT64_MAX - 1},
                             .rows = map_data,
                             .rows_bytes = 8};
    memset(in.load.text, 'a', sizeof(in.load.text)); /* no terminator */
    strcpy(in.run.text, "out of bounds");
    struct cts_wr w = {.data = room, .cap = sizeof(room)};
    cts_wire_put_answer(&w, &in);
    assert_false(w.failed);
    struct cts_rd r = {.data = room, .len = w.len};
    assert_int_equal(cts_wire_get_answer(&r, &out, NULL), 0);
    assert_int_equal(r.at, r.len);
    assert_int_equal(out.ops, in.ops);
    assert_int_equal(out.load.verdict, CTS_ACCEPTED);
    assert_int_equal(out.load.err_no, -22);
    assert_int_equal(out.load.native_bytes, 99);
    assert_int_equal(strlen(out.load.text), CTS_TEXT_MAX - 1);
    assert_int_equal(out.run.status, CTS_FAULTED);
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
    static const struct cts_answer a = {.ops = CTS_OP_LOAD | CTS_OP_RUN | CTS_OP_UNLOAD,
                                        .load = {.verdict = CTS_ACCEPTED},
                                        .run = {.status = CTS_RAN, .done = 1, .r0 = 1}};
    uint8_t room[128];
    struct cts_wr w = {.data = room, .cap = sizeof(room)};
    (void)state;
    cts_wire_put_answer(&w, &a);
    assert_int_equal(w.len, sizeof(want));
    assert_memory_equal(room, want, sizeof(want));
}

static void test_bad_answers(void **state)
{
    static const uint8_t bad[][32] = {
        {0x10},                     /* a step that does not exist */
        {CTS_OP_LOAD, 5},           /* a verdict that does not exist */
        {CTS_OP_RUN, 5},            /* a status that does not exist */
        {CTS_OP_ROWS, 29, 0, 0, 0}, /* more rows than there are */
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
    assert_int_equal(1u << n, CTS_FEAT_TAIL_CALL << 1);
    assert_int_equal(CTS_FEAT_OF_PROGRAMS, ((CTS_FEAT_STACK_UNINIT << 1) - 1) | CTS_FEAT_TAIL_CALL);
    assert_null(cts_feature_name(1000));
    assert_int_equal(cts_feature_find("no-such"), 0);
    assert_int_equal(cts_feature_find(""), 0);
    assert_int_equal(cts_feature_find("helper-csum"), CTS_FEAT_HELPER_CSUM);
}

/* The worker's main loop, with an adapter that notes what is done to it. */

struct notes { /* shared with the worker's process */
    unsigned loads, runs, unloads, releases, aheads;
    bool unaligned, unannounced;
    const uint8_t *ahead_elf; /* of the last load announced */
    char engine[16];
};

static struct notes *notes; /* an adapter's probe is handed nothing else to reach it by */
static uint8_t window[4096];

static int note_probe(void **self, const char *engine, struct cts_caps *caps, struct cts_err *err)
{
    if (strcmp(engine, "missing") == 0)
        return cts_err_set(err, CTS_E_UNSUPPORTED, "install it");
    snprintf(notes->engine, sizeof(notes->engine), "%s", engine);
    printf("a library greets\n");
    fflush(stdout);
    *self = notes;
    caps->window_kind = CTS_WK_NATIVE;
    caps->window = window;
    caps->window_bytes = sizeof(window);
    caps->window_fd = -1;
    caps->max_slots = 16;
    return 0;
}

static void note_ahead(void *self, const struct cts_load_req *reqs, uint32_t n)
{
    struct notes *mine = self;
    mine->aheads += n;
    for (uint32_t i = 0; i < n; i++)
        mine->ahead_elf = reqs[i].elf;
}

static void note_load(void *self, const struct cts_load_req *req, void **prog,
                      struct cts_load_res *res)
{
    struct notes *n = self;
    n->loads++;
    n->unannounced |= n->aheads < n->loads || n->ahead_elf != req->elf || !req->elf;
    n->unaligned |= (uintptr_t)req->code % 8 != 0;
    if (req->code[0] == 0xff) {
        res->verdict = CTS_REJECTED;
        res->err_no = 22;
        strcpy(res->text, "no");
        return;
    }
    res->verdict = CTS_ACCEPTED;
    *prog = n;
}

static void note_run(void *self, void *prog, const struct cts_run_req *req, struct cts_run_res *res)
{
    struct notes *n = self;
    assert_ptr_equal(prog, n);
    n->runs++;
    window[64]++;
    res->status = CTS_RAN;
    res->done = req->iterations;
    res->r0 = 42;
}

static void note_unload(void *self, void *prog)
{
    (void)prog;
    ((struct notes *)self)->unloads++;
}

static void note_release(void *self)
{
    ((struct notes *)self)->releases++;
}

static const struct cts_engine note_engines[] = {{"one", "1"}, {"missing", "2"}, {NULL, NULL}};
static const struct cts_adapter note_adapter = {.name = "note",
                                                .engines = note_engines,
                                                .probe = note_probe,
                                                .ahead = note_ahead,
                                                .load = note_load,
                                                .run = note_run,
                                                .unload = note_unload,
                                                .release = note_release};

struct link {
    pid_t pid;
    int to, from;
    uint8_t payload[1 << 16];
    struct cts_frame frame;
};

static int start_worker(void **state)
{
    static struct link link;
    int to[2], from[2];
    notes = mmap(NULL, sizeof(*notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (notes == MAP_FAILED || pipe(to) || pipe(from))
        return -1;
    fflush(stdout);
    link.pid = fork();
    if (link.pid == 0) {
        char name[] = "note", *argv[] = {name, NULL};
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[0]), close(to[1]), close(from[0]), close(from[1]);
        _exit(cts_worker_main(1, argv, &note_adapter));
    }
    close(to[0]), close(from[1]);
    link.to = to[1];
    link.from = from[0];
    *state = &link;
    return 0;
}

static int end_worker(void **state)
{
    struct link *l = *state;
    if (l->to >= 0)
        close(l->to);
    close(l->from);
    if (l->pid)
        waitpid(l->pid, NULL, 0);
    munmap(notes, sizeof(*notes));
    return 0;
}

static int exit_of(struct link *l)
{
    int status;
    close(l->to);
    l->to = -1;
    assert_int_equal(waitpid(l->pid, &status, 0), l->pid);
    l->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void ask_raw(struct link *l, uint16_t type, uint32_t seq, const void *data, size_t len)
{
    uint8_t header[CTS_FRAME_HEADER];
    struct cts_frame f = {.bytes = (uint32_t)len, .type = type, .seq = seq};
    cts_frame_put(header, &f);
    assert_int_equal(write(l->to, header, sizeof(header)), sizeof(header));
    if (len)
        assert_int_equal(write(l->to, data, len), len);
}

static void read_fully(int fd, void *data, size_t len)
{
    uint8_t *at = data;
    while (len) {
        ssize_t n = read(fd, at, len);
        assert_true(n > 0);
        at += n;
        len -= (size_t)n;
    }
}

static struct cts_rd answer(struct link *l, uint16_t type, uint32_t seq)
{
    uint8_t header[CTS_FRAME_HEADER];
    read_fully(l->from, header, sizeof(header));
    assert_int_equal(cts_frame_get(header, &l->frame, NULL), 0);
    assert_true(l->frame.bytes <= sizeof(l->payload));
    read_fully(l->from, l->payload, l->frame.bytes);
    assert_int_equal(l->frame.type, type);
    assert_int_equal(l->frame.seq, seq);
    struct cts_rd r = {.data = l->payload, .len = l->frame.bytes};
    return r;
}

static struct cts_rd greet(struct link *l, uint32_t low, uint32_t high, const char *engine)
{
    uint8_t room[64];
    struct cts_wr w = {.data = room, .cap = sizeof(room)};
    cts_wr_u32(&w, low);
    cts_wr_u32(&w, high);
    cts_wr_str(&w, engine);
    ask_raw(l, CTS_FT_HELLO, 1, room, w.len);
    return answer(l, CTS_FT_CAPS, 1);
}

static int32_t refusal(struct cts_rd r, char *why, size_t cap)
{
    assert_int_equal(cts_rd_u32(&r), CTS_WIRE_VERSION);
    int32_t code = (int32_t)cts_rd_u32(&r);
    cts_rd_str(&r, why, cap);
    assert_false(r.failed);
    return code;
}

static void open_engine(struct link *l)
{
    char why[64];
    assert_int_equal(refusal(greet(l, 1, 3, ""), why, sizeof(why)), 0);
}

static void test_worker_handshake(void **state)
{
    struct link *l = *state;
    struct cts_rd r = greet(l, 1, 3, "");
    struct cts_caps caps;
    assert_int_equal(cts_rd_u32(&r), CTS_WIRE_VERSION);
    assert_int_equal(cts_rd_u32(&r), 0);
    assert_int_equal(cts_rd_u32(&r), 0);
    assert_int_equal(cts_wire_get_caps(&r, &caps, NULL), 0);
    assert_int_equal(r.at, r.len);
    assert_string_equal(caps.runtime, "note");
    assert_string_equal(caps.engine, "one");
    assert_string_equal(notes->engine, "one");
    assert_int_equal(exit_of(l), 0);
    assert_int_equal(notes->releases, 1);
}

static void test_worker_refuses_engines(void **state)
{
    struct link *l = *state;
    char why[256];
    assert_int_equal(refusal(greet(l, 1, 1, "four"), why, sizeof(why)), CTS_E_UNSUPPORTED);
    assert_non_null(strstr(why, "four"));
    assert_non_null(strstr(why, "one, missing"));
    assert_int_equal(refusal(greet(l, 1, 1, "missing"), why, sizeof(why)), CTS_E_UNSUPPORTED);
    assert_string_equal(why, "install it");
    assert_int_equal(refusal(greet(l, 2, 3, "one"), why, sizeof(why)), CTS_E_PROTOCOL);
    assert_int_equal(exit_of(l), 0);
    assert_int_equal(notes->releases, 0);
}

static void expect_failed(struct link *l, uint32_t seq)
{
    struct cts_rd r = answer(l, CTS_FT_FAILED, seq);
    char why[256];
    assert_true((int32_t)cts_rd_u32(&r) < 0);
    cts_rd_str(&r, why, sizeof(why));
    assert_false(r.failed);
    assert_true(why[0]);
}

static size_t whole_item(uint8_t *room, size_t cap, uint8_t ops, uint8_t prog, uint8_t opcode)
{
    uint8_t code[16];
    memcpy(code, two_slots, sizeof(code));
    code[0] = opcode;
    struct cts_item it = {
        .ops = ops,
        .prog = prog,
        .load = {.kind = CTS_PK_WHOLE, .code = code, .slots = 2, .elf = map_data, .elf_bytes = 4},
        .run = {.iterations = 3},
        .rows_off = 64,
        .rows_bytes = 8,
        .rows = map_data};
    struct cts_wr w = {.data = room, .cap = cap};
    cts_wire_put_item(&w, &it);
    assert_false(w.failed);
    return w.len;
}

static void ask_item(struct link *l, uint32_t seq, uint8_t ops, uint8_t prog, uint8_t opcode)
{
    uint8_t room[512] = {1};
    size_t n = whole_item(room + 4, sizeof(room) - 4, ops, prog, opcode);
    ask_raw(l, CTS_FT_EXEC, seq, room, n + 4);
}

static struct cts_answer *one_answer(struct link *l, uint32_t seq)
{
    static struct cts_answer a;
    struct cts_rd r = answer(l, CTS_FT_DONE, seq);
    assert_int_equal(cts_rd_u32(&r), 1);
    assert_int_equal(cts_wire_get_answer(&r, &a, NULL), 0);
    assert_int_equal(r.at, r.len);
    return &a;
}

static void test_worker_steps(void **state)
{
    enum { ALL = CTS_OP_LOAD | CTS_OP_RUN | CTS_OP_UNLOAD };
    struct link *l = *state;
    open_engine(l);
    ask_item(l, 2, ALL, 0, 0xb7);
    struct cts_answer *a = one_answer(l, 2);
    assert_int_equal(a->ops, ALL);
    assert_int_equal(a->load.verdict, CTS_ACCEPTED);
    assert_int_equal(a->run.status, CTS_RAN);
    assert_int_equal(a->run.done, 3);
    assert_int_equal(a->run.r0, 42);

    ask_item(l, 3, ALL, 0, 0xff);
    a = one_answer(l, 3);
    assert_int_equal(a->ops, CTS_OP_LOAD);
    assert_int_equal(a->load.verdict, CTS_REJECTED);
    assert_string_equal(a->load.text, "no");

    /* Split over questions; a run without a program does nothing. */
    ask_item(l, 4, CTS_OP_RUN, 9, 0);
    assert_int_equal(one_answer(l, 4)->ops, 0);
    ask_item(l, 5, CTS_OP_LOAD, 9, 0xb7);
    assert_int_equal(one_answer(l, 5)->ops, CTS_OP_LOAD);
    ask_item(l, 6, CTS_OP_RUN, 9, 0);
    assert_int_equal(one_answer(l, 6)->ops, CTS_OP_RUN);
    ask_item(l, 7, CTS_OP_UNLOAD, 9, 0);
    assert_int_equal(one_answer(l, 7)->ops, CTS_OP_UNLOAD);
    ask_item(l, 8, CTS_OP_UNLOAD, 9, 0);
    assert_int_equal(one_answer(l, 8)->ops, 0);
    assert_int_equal(notes->unloads, 2);

    /* A number that is taken again gives its program up; the end of input gives up the rest. */
    ask_item(l, 9, CTS_OP_LOAD, 9, 0xb7);
    one_answer(l, 9);
    ask_item(l, 10, CTS_OP_LOAD, 9, 0xb7);
    one_answer(l, 10);
    assert_int_equal(notes->unloads, 3);
    assert_int_equal(exit_of(l), 0);
    assert_int_equal(notes->unloads, 4);
    assert_int_equal(notes->releases, 1);
    assert_false(notes->unaligned);
    /* Each load was announced, by the place of its object. */
    assert_int_equal(notes->loads, 5);
    assert_int_equal(notes->aheads, 5);
    assert_false(notes->unannounced);
}

static void test_worker_rows(void **state)
{
    struct link *l = *state;
    open_engine(l);
    ask_item(l, 2, CTS_OP_LOAD | CTS_OP_RUN | CTS_OP_ROWS, 0, 0xb7);
    struct cts_answer *a = one_answer(l, 2);
    assert_true(a->ops & CTS_OP_ROWS);
    assert_int_equal(a->rows_bytes, 8);
    assert_int_equal(a->rows[0], map_data[0] + 1);
    assert_memory_equal(a->rows + 1, map_data + 1, 7);
}

static void test_worker_refuses_what_it_cannot_read(void **state)
{
    struct link *l = *state;
    uint8_t room[512] = {1};
    ask_item(l, 1, CTS_OP_LOAD, 0, 0xb7); /* before the greeting */
    expect_failed(l, 1);
    open_engine(l);
    ask_raw(l, CTS_FT_HELLO, 2, room, 0);
    expect_failed(l, 2);
    ask_raw(l, CTS_FT_DONE, 3, room, 4);
    expect_failed(l, 3);
    ask_raw(l, CTS_FT_EXEC, 4, room, 0);
    expect_failed(l, 4);
    size_t n = whole_item(room + 4, sizeof(room) - 4, CTS_OP_LOAD, 0, 0xb7);
    ask_raw(l, CTS_FT_EXEC, 5, room, n + 3); /* cut */
    expect_failed(l, 5);
    ask_raw(l, CTS_FT_EXEC, 6, room, n + 5); /* a byte too many */
    expect_failed(l, 6);
    room[0] = 2; /* more items than there are */
    ask_raw(l, CTS_FT_EXEC, 7, room, n + 4);
    expect_failed(l, 7);
    room[0] = room[1] = room[2] = room[3] = 0xff;
    ask_raw(l, CTS_FT_EXEC, 8, room, n + 4);
    expect_failed(l, 8);
    ask_item(l, 9, CTS_OP_LOAD | CTS_OP_RUN, 0, 0xb7); /* and it goes on */
    assert_int_equal(one_answer(l, 9)->ops, CTS_OP_LOAD | CTS_OP_RUN);
    assert_int_equal(exit_of(l), 0);
}

static void ask_layout(struct link *l, uint32_t seq, const struct cts_layout *layout)
{
    uint8_t room[512] = {1};
    struct cts_item it = {
        .ops = CTS_OP_LOAD,
        .load = {.code = two_slots, .slots = 2, .layout = layout, .segments = layout ? 1 : 0}};
    struct cts_wr w = {.data = room, .len = 4, .cap = sizeof(room)};
    cts_wire_put_item(&w, &it);
    ask_raw(l, CTS_FT_EXEC, seq, room, w.len);
}

static void test_worker_keeps_to_its_window(void **state)
{
    struct link *l = *state;
    static const struct cts_layout bad[] = {
        {.region = 64, .rows = 3, .stride = 256},
        {.region = 64, .rows = 4, .stride = 200},
        {.region = 0, .rows = 16, .stride = 256},
        {.region = 32, .rows = 1, .stride = 256},
        {.region = 1u << 31, .rows = 1, .stride = 256},
        {.region = 4096, .rows = 1, .stride = 1},
        {.region = 0, .rows = 1u << 31, .stride = 1u << 31},
    };
    static const struct cts_layout good = {.region = 64, .rows = 8, .stride = 256};
    uint32_t seq = 2;
    open_engine(l);
    for (unsigned i = 0; i < CTS_ARRAY_LEN(bad); i++, seq++) {
        ask_layout(l, seq, &bad[i]);
        expect_failed(l, seq);
    }
    ask_layout(l, seq, NULL);
    expect_failed(l, seq++);
    ask_layout(l, seq, &good);
    assert_int_equal(one_answer(l, seq)->load.verdict, CTS_ACCEPTED);
    assert_int_equal(notes->loads, 1);
}

static void test_worker_gives_up_on_a_bad_header(void **state)
{
    struct link *l = *state;
    open_engine(l);
    ask_raw(l, 77, 5, NULL, 0);
    expect_failed(l, 5);
    assert_int_equal(exit_of(l), 2);
    assert_int_equal(notes->releases, 1);
}

static void test_worker_notices_a_broken_frame(void **state)
{
    struct link *l = *state;
    open_engine(l);
    assert_int_equal(write(l->to, "\x10\0\0\0\x03", 5), 5);
    assert_int_equal(exit_of(l), 1);
    assert_int_equal(notes->releases, 1);
}

#define WITH_WORKER(f) cmocka_unit_test_setup_teardown(f, start_worker, end_worker)

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        cmocka_unit_test(test_bad_answers),
        cmocka_unit_test(test_features),
        WITH_WORKER(test_worker_handshake),
        WITH_WORKER(test_worker_refuses_engines),
        WITH_WORKER(test_worker_steps),
        WITH_WORKER(test_worker_rows),
        WITH_WORKER(test_worker_refuses_what_it_cannot_read),
        WITH_WORKER(test_worker_keeps_to_its_window),
        WITH_WORKER(test_worker_gives_up_on_a_bad_header),
        WITH_WORKER(test_worker_notices_a_broken_frame),
    };
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
