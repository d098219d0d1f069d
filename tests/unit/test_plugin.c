/* uses: base isa wire rt_plugin reference */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "rt_plugin/fold.h"
#include "rt_plugin/hex.h"
#include "isa/isa.h"
#include "rt_plugin/prog.h"
#include "reference.h"

/* Numbers. */

static void test_numbers(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t value;
    } cases[] = {
        {"0", true, 0},
        {"0x2A\n", true, 42},
        {" \tffffffffffffffff \r\n", true, UINT64_MAX},
        {"add", true, 0xadd},
        {"", false, 0},
        {"0x", false, 0},
        {"-1", false, 0},
        {"3 4", false, 0},
        {"3 trailing garbage", false, 0},
        {"12345678123456789", false, 0},
        {"1.5", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < CTS_ARRAY_LEN(cases); i++) {
        uint64_t value;
        assert_int_equal(plg_hex_number(cases[i].text, &value), cases[i].ok);
        if (cases[i].ok)
            assert_true(value == cases[i].value);
    }
}

static void test_bytes(void **state)
{
    static const uint8_t bytes[] = {0x00, 0x7f, 0xa5};
    char text[16] = "";
    (void)state;
    *plg_hex_put(text, bytes, sizeof(bytes)) = '\0';
    assert_string_equal(text, "00 7f a5");
    assert_int_equal(plg_hex_len(sizeof(bytes)), 8);
    assert_int_equal(plg_hex_len(0), 0);
    assert_ptr_equal(plg_hex_put(text, bytes, 0), text);
}

/* The fold. */

static void test_the_fold_sees_every_bit_and_place(void **state)
{
    uint8_t memory[64 * 8], other[sizeof(memory)];
    (void)state;
    for (size_t i = 0; i < sizeof(memory); i++)
        memory[i] = (uint8_t)(i * 31 + 7);
    uint64_t want = plg_fold(1, memory, 64);
    assert_true(want != plg_fold(2, memory, 64));
    for (size_t bit = 0; bit < 8 * sizeof(memory); bit++) {
        memcpy(other, memory, sizeof(memory));
        other[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_true(plg_fold(1, other, 64) != want);
    }
    for (size_t i = 0; i + 8 < sizeof(memory); i += 8) {
        memcpy(other, memory, sizeof(memory));
        memcpy(other + i, memory + i + 8, 8);
        memcpy(other + i + 8, memory + i, 8);
        assert_true(plg_fold(1, other, 64) != want);
    }
}

/* Programs. */

struct code {
    uint8_t bytes[64 * CTS_SLOT_BYTES];
    uint32_t slots;
};

static void add(struct code *c, enum cts_insn_id row, unsigned dst, unsigned src, int off,
                int32_t imm)
{
    struct cts_insn in = {.opcode = cts_insn_info(row)->opcode,
                          .dst = (uint8_t)dst,
                          .src = (uint8_t)src,
                          .off = (int16_t)off,
                          .imm = imm};
    cts_slot_put(c->bytes + (size_t)c->slots++ * CTS_SLOT_BYTES, CTS_HOST_IS_BE, &in);
}

/* Counts in its region, by a function behind its end that calls another, then ends; r1: the region.
 * What comes behind the end has to be found again when something longer stands there. */
static struct code counting(uint32_t *tail)
{
    struct code c = {.slots = 0};
    add(&c, CTS_INSN_STX_DW, 10, 1, -8, 0);
    add(&c, CTS_INSN_CALL_LOCAL, 0, 1, 0, 3); /* 5 */
    add(&c, CTS_INSN_LDX_DW, 1, 10, -8, 0);
    *tail = c.slots;
    add(&c, CTS_INSN_MOV64_K, 0, 0, 0, 0);
    add(&c, CTS_INSN_EXIT, 0, 0, 0, 0);
    add(&c, CTS_INSN_LDX_DW, 2, 1, CTS_WIN_INDEX, 0); /* 5 */
    add(&c, CTS_INSN_CALL_LOCAL, 0, 1, 0, 1);         /* 8 */
    add(&c, CTS_INSN_EXIT, 0, 0, 0, 0);
    add(&c, CTS_INSN_ADD64_K, 2, 0, 0, 1); /* 8 */
    add(&c, CTS_INSN_STX_DW, 1, 2, CTS_WIN_INDEX, 0);
    add(&c, CTS_INSN_EXIT, 0, 0, 0, 0);
    return c;
}

static uint32_t decode(const char *text, uint8_t *out)
{
    uint32_t n = 0;
    for (; *text && *text != '\n'; text += text[2] == ' ' ? 3 : 2)
        out[n++] = (uint8_t)strtoul(text, NULL, 16);
    return n;
}

static uint64_t run_text(const char *text, uint8_t *memory, uint32_t bytes)
{
    static struct cts_load_res loaded;
    static struct cts_run_res ran;
    static uint64_t aligned[4096];
    struct cts_caps caps;
    void *self, *prog = NULL;
    uint8_t *code = (uint8_t *)aligned;
    const struct cts_load_req load = {
        .kind = CTS_PROG_WHOLE, .code = code, .slots = decode(text, code) / CTS_SLOT_BYTES};
    const struct cts_run_req request = {.iterations = 1, .packet = memory, .packet_bytes = bytes};
    assert_int_equal(cts_reference_open(cts_exec_table, &self,
                                        CTS_HOST_IS_BE ? CTS_REFERENCE_BE : CTS_REFERENCE_LE, &caps,
                                        NULL),
                     0);
    cts_reference_adapter.load(self, &load, &prog, &loaded);
    assert_int_equal(loaded.verdict, CTS_LOAD_ACCEPTED);
    cts_reference_adapter.run(self, prog, &request, &ran);
    assert_int_equal(ran.status, CTS_RUN_COMPLETED);
    cts_reference_adapter.unload(self, prog);
    cts_reference_adapter.release(self);
    return ran.r0;
}

static void check_tail(bool loops, uint32_t rows, uint32_t first, uint32_t words)
{
    struct plg_prog p;
    struct plg_traits traits = {.loops = loops};
    uint8_t memory[256];
    uint32_t tail;
    size_t len = 0;
    struct code c = counting(&tail);
    const struct cts_layout layout = {
        .rows = 1, .stride = 256, .out_mask = 0x3ff, .body_slots = tail};
    const struct cts_load_req req = {.kind = CTS_PROG_WINDOW,
                                     .code = c.bytes,
                                     .slots = c.slots,
                                     .layout = &layout,
                                     .segments = 1};
    for (unsigned i = 0; i < sizeof(memory); i++)
        memory[i] = (uint8_t)(i * 13 + 1);
    cts_put64_host(memory + CTS_WIN_INDEX, 0);
    assert_int_equal(plg_prog_init(&p, &req, NULL), 0);
    const struct plg_tail t = {.rows = rows, .first = first, .words = words, .mask = 0xabcdef};
    char *text = plg_prog_text(&p, &traits, &t, &len);
    assert_non_null(text);
    assert_int_equal(len, strlen(text));
    uint64_t r0 = run_text(text, memory, sizeof(memory));
    cts_put64_host(memory + CTS_WIN_INDEX, rows);
    uint64_t want = words == 1 ? cts_get64_host(memory + 8 * (size_t)first)
                               : plg_fold(p.salt, memory + 8 * (size_t)first, words);
    assert_true(r0 == (want ^ 0xabcdef));
    free(text);
    plg_prog_release(&p);
}

static void test_tails(void **state)
{
    (void)state;
    for (unsigned loops = 0; loops < 2; loops++) {
        check_tail(loops, 1, 0, 32);
        check_tail(loops, 1, 0, 1);
        check_tail(loops, 1, 31, 1);
        check_tail(loops, 1, 7, 9);
    }
    check_tail(true, 2, 0, 32);
    check_tail(true, 128, 0, 32);
}

static void test_an_environment_of_another_kind(void **state)
{
    struct plg_prog p;
    uint32_t tail;
    struct cts_err err = {0};
    struct code c = counting(&tail);
    (void)state;
    for (uint32_t at = 0; at < c.slots + 2; at++) {
        const struct cts_layout layout = {.rows = 1, .stride = 256, .body_slots = at};
        const struct cts_load_req req = {.kind = CTS_PROG_WINDOW,
                                         .code = c.bytes,
                                         .slots = c.slots,
                                         .layout = &layout,
                                         .segments = 1};
        cts_err_clear(&err);
        if (at == tail)
            continue;
        assert_int_equal(plg_prog_init(&p, &req, &err), CTS_E_INVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_the_fold_sees_every_bit_and_place),
        cmocka_unit_test(test_tails),
        cmocka_unit_test(test_an_environment_of_another_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
