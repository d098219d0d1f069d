/* uses: base host isa wire pack */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/buf.h"
#include "host/fs.h"
#include "isa/isa.h"
#include "pack/file.h"
#include "pack/pack.h"
#include "pack/writer.h"

static const uint8_t body[16] = {0x0f, 0x21, 0, 0, 0, 0, 0, 0, 0x07, 0x01, 0, 0, 5, 0, 0, 0};

static uint32_t add_state(struct cts_pk_writer *w, uint64_t r0, uint8_t byte)
{
    struct cts_pk_state s;
    uint8_t mem[64], width[64];
    memset(&s, 0, sizeof(s));
    memset(mem, byte, sizeof(mem));
    memset(width, 8, sizeof(width));
    s.r[0] = r0;
    s.mem_bytes = sizeof(mem);
    s.mem.data = cts_pkw_data(w, mem, sizeof(mem));
    s.mem.width = cts_pkw_data(w, width, sizeof(width));
    s.mem.any = s.mem.be = UINT32_MAX;
    s.stack.data = s.stack.width = s.stack.any = s.stack.be = UINT32_MAX;
    return cts_pkw_state(w, &s);
}

static struct cts_layout layout(void)
{
    struct cts_layout l;
    memset(&l, 0, sizeof(l));
    l.mem_bytes = 64;
    l.stride = 256;
    l.spill = -512;
    l.out_mask = 0x3ff;
    l.body_slots = 2;
    return l;
}

static void add_vector(struct cts_pk_writer *w, const char *id, uint64_t r0)
{
    struct cts_pk_vector v;
    struct cts_pk_case c;
    struct cts_pk_unit u;
    struct cts_pk_tuple row;
    struct cts_pk_outcome o;
    uint16_t row_id = CTS_INSN_ADD64_X;
    memset(&v, 0, sizeof(v));
    memset(&c, 0, sizeof(c));
    memset(&u, 0, sizeof(u));
    memset(&row, 0, sizeof(row));
    memset(&o, 0, sizeof(o));
    c.vector = u.vector = cts_pkw_count(w, CTS_PT_VECTORS);
    c.name = cts_pkw_str(w, "1");
    v.id = cts_pkw_str(w, id);
    v.file = cts_pkw_str(w, "f.yaml");
    v.rows = (struct cts_pk_range){cts_pkw_add(w, CTS_PT_INSN_IDS, &row_id), 1};
    v.clauses = (struct cts_pk_range){cts_pkw_count(w, CTS_PT_STRING_REFS), 1};
    cts_pkw_ref(w, "N001");
    u.code = cts_pkw_code(w, body, 2);
    u.slots = u.body_slots = 2;
    u.layout = layout();
    u.sweep = UINT32_MAX;
    u.repeat = u.threads = 1;
    o.state = add_state(w, r0 + 1, 9);
    row.in = add_state(w, r0, 9);
    row.out = (struct cts_pk_range){cts_pkw_add(w, CTS_PT_OUTCOMES, &o), 1};
    v.cases = (struct cts_pk_range){cts_pkw_add(w, CTS_PT_CASES, &c), 1};
    row.kase = v.cases.first;
    u.rows = (struct cts_pk_range){cts_pkw_add(w, CTS_PT_TUPLES, &row), 1};
    v.units = (struct cts_pk_range){cts_pkw_add(w, CTS_PT_UNITS, &u), 1};
    cts_pkw_add(w, CTS_PT_VECTORS, &v);
}

static void make(struct cts_buf *out)
{
    struct cts_pk_writer w;
    struct cts_err err = {0};
    cts_pkw_init(&w);
    cts_buf_init(out, 0);
    add_vector(&w, "a/one", 5);
    add_vector(&w, "a/two", 500);
    assert_int_equal(cts_pkw_end(&w, CTS_LEVEL_FULL, out, &err), 0);
    cts_pkw_release(&w);
}

static uint8_t *copy_of(const struct cts_buf *file)
{
    uint8_t *copy = malloc(file->len);
    assert_non_null(copy);
    memcpy(copy, file->data, file->len);
    return copy;
}

static void what_is_written_is_read(void **state)
{
    struct cts_buf file;
    struct cts_pack p;
    struct cts_err err = {0};
    (void)state;
    make(&file);
    assert_int_equal(cts_pack_from_memory(&p, copy_of(&file), file.len, true, &err), 0);
    assert_int_equal(p.level, CTS_LEVEL_FULL);
    assert_int_equal(p.vector_count, 2);
    assert_string_equal(cts_pack_text(&p, p.vectors[1].id), "a/two");
    assert_string_equal(cts_pack_text(&p, p.vectors[0].why), "");
    assert_string_equal(cts_pack_text(&p, p.string_refs[p.vectors[0].clauses.first]), "N001");
    assert_memory_equal(p.code + p.units[1].code, body, sizeof(body));
    assert_int_equal(p.states[p.rows[1].in].r[0], 500);
    assert_int_equal(p.data[p.states[0].mem.data], 9);
    cts_pack_release(&p);
    assert_null(p.base);
    cts_buf_release(&file);
}

static void equal_things_are_kept_once(void **state)
{
    struct cts_buf file;
    struct cts_pack p;
    (void)state;
    make(&file);
    assert_int_equal(cts_pack_from_memory(&p, copy_of(&file), file.len, true, NULL), 0);
    assert_int_equal(p.units[0].code, p.units[1].code);
    assert_int_equal(p.code_bytes, sizeof(body));
    assert_int_equal(p.data_bytes, 128); /* one image, its widths */
    assert_int_equal(p.string_refs[0], p.string_refs[1]);
    assert_int_equal(p.state_count, 4);
    cts_pack_release(&p);
    cts_buf_release(&file);
}

static void the_same_calls_give_the_same_bytes(void **state)
{
    struct cts_buf a, b;
    (void)state;
    make(&a);
    make(&b);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    cts_buf_release(&a);
    cts_buf_release(&b);
}

static void files_are_read(void **state)
{
    struct cts_buf file;
    struct cts_pack p;
    struct cts_err err = {0};
    char dir[512], path[600], text[2048];
    (void)state;
    make(&file);
    assert_int_equal(cts_fs_temp_dir(dir, sizeof(dir), NULL), 0);
    strcpy(path, dir);
    strcat(path, "/x.pack");
    assert_int_equal(cts_fs_write_atomic(path, file.data, file.len, NULL), 0);
    assert_int_equal(cts_pack_open(&p, path, &err), 0);
    assert_int_equal(p.unit_count, 2);
    cts_pack_release(&p);
    assert_int_equal(cts_fs_write_atomic(path, file.data, file.len / 2, NULL), 0);
    assert_int_equal(cts_pack_open(&p, path, &err), CTS_E_SYNTAX);
    assert_non_null(strstr(cts_err_text(&err, text, sizeof(text)), "/x.pack: the pack is cut"));
    cts_fs_remove_tree(dir);
    assert_int_equal(cts_pack_open(&p, path, NULL), CTS_E_NOTFOUND);
    cts_buf_release(&file);
}

/* What a writer gone wrong, and not the file's keeper, would do: the sum is right. */
static int open_with(struct cts_buf *file, size_t at, const void *bytes, size_t n)
{
    struct cts_pack p;
    uint8_t *copy = copy_of(file);
    memcpy(copy + at, bytes, n);
    cts_pack_seal(copy, file->len);
    int rc = cts_pack_from_memory(&p, copy, file->len, false, NULL);
    if (rc == 0)
        cts_pack_release(&p);
    free(copy);
    return rc;
}

static void foreign_files_are_refused(void **state)
{
    struct cts_buf file;
    uint32_t mark = __builtin_bswap32(CTS_PACK_MARK), version = CTS_PACK_VERSION + 1;
    uint8_t other = 1;
    (void)state;
    make(&file);
    assert_int_equal(open_with(&file, 0, "X", 1), CTS_E_SYNTAX);
    assert_int_equal(open_with(&file, offsetof(struct cts_pack_header, mark), &mark, 4),
                     CTS_E_UNSUPPORTED);
    assert_int_equal(open_with(&file, offsetof(struct cts_pack_header, version), &version, 4),
                     CTS_E_UNSUPPORTED);
    other ^= (uint8_t)file.data[offsetof(struct cts_pack_header, isa)];
    assert_int_equal(open_with(&file, offsetof(struct cts_pack_header, isa), &other, 1),
                     CTS_E_UNSUPPORTED);
    cts_buf_release(&file);
}

static bool opens(const uint8_t *bytes, size_t len)
{
    struct cts_pack p;
    return cts_pack_from_memory(&p, bytes, len, false, NULL) == 0;
}

static void flip(uint8_t *bytes, size_t bit)
{
    bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ 1u << bit % 8);
}

static void every_bit_counts(void **state)
{
    struct cts_buf file;
    (void)state;
    make(&file);
    uint8_t *copy = copy_of(&file);
    for (size_t bit = 0; bit < file.len * 8; bit++) {
        flip(copy, bit);
        if (opens(copy, file.len))
            fail_msg("bit %zu of %zu does not count", bit, file.len * 8);
        flip(copy, bit);
    }
    assert_true(opens(copy, file.len));
    free(copy);
    cts_buf_release(&file);
}

static void many_bits_count(void **state)
{
    struct cts_buf file;
    uint32_t seed = 4711;
    (void)state;
    make(&file);
    for (unsigned round = 0; round < 5000; round++) {
        uint8_t *copy = copy_of(&file);
        for (unsigned k = 0; k <= round % 50; k++) {
            seed = seed * 1664525 + 1013904223;
            flip(copy, (seed >> 4) % (file.len * 8));
        }
        if (memcmp(copy, file.data, file.len) != 0 && opens(copy, file.len))
            fail_msg("the flips of round %u do not count", round);
        free(copy);
    }
    cts_buf_release(&file);
}

static void what_is_added_counts(void **state)
{
    struct cts_buf file;
    (void)state;
    make(&file);
    uint8_t *longer = calloc(1, file.len + 64);
    assert_non_null(longer);
    memcpy(longer, file.data, file.len);
    for (size_t n = 1; n <= 64; n++)
        assert_false(opens(longer, file.len + n));
    free(longer);
    cts_buf_release(&file);
}

static void the_digest_names_the_content(void **state)
{
    struct cts_buf file;
    struct cts_pack a, b;
    (void)state;
    make(&file);
    uint8_t *copy = copy_of(&file);
    assert_int_equal(cts_pack_from_memory(&a, (const uint8_t *)file.data, file.len, false, NULL),
                     0);
    assert_int_equal(cts_pack_from_memory(&b, copy, file.len, false, NULL), 0);
    assert_memory_equal(a.digest, b.digest, 32);
    cts_pack_release(&b);
    copy[file.len - 9]++; /* of the last string */
    cts_pack_seal(copy, file.len);
    assert_int_equal(cts_pack_from_memory(&b, copy, file.len, true, NULL), 0);
    assert_memory_not_equal(a.digest, b.digest, 32);
    cts_pack_release(&a);
    cts_pack_release(&b);
    cts_buf_release(&file);
}

static void any_length_is_survived(void **state)
{
    struct cts_buf file;
    struct cts_pack p;
    (void)state;
    make(&file);
    for (size_t n = 0; n < file.len; n++) {
        uint8_t *copy = malloc(n + 1);
        assert_non_null(copy);
        memcpy(copy, file.data, n);
        assert_int_not_equal(cts_pack_from_memory(&p, copy, n, false, NULL), 0);
        free(copy);
    }
    cts_buf_release(&file);
}

/* One record field at a time is set to what leads outside. */
static void every_index_is_checked(void **state)
{
    static const struct {
        unsigned table;
        size_t at;
        uint32_t value;
    } bad[] = {
        {CTS_PT_VECTORS, offsetof(struct cts_pk_vector, id), 0xffff},
        {CTS_PT_VECTORS, offsetof(struct cts_pk_vector, rows.first), UINT32_MAX},
        {CTS_PT_VECTORS, offsetof(struct cts_pk_vector, rows.count), 0},
        {CTS_PT_VECTORS, offsetof(struct cts_pk_vector, clauses.count), UINT32_MAX},
        {CTS_PT_VECTORS, offsetof(struct cts_pk_vector, only.count), 3},
        {CTS_PT_VECTORS, offsetof(struct cts_pk_vector, cases.count), 2},
        {CTS_PT_VECTORS, offsetof(struct cts_pk_vector, units.first), 1},
        {CTS_PT_CASES, offsetof(struct cts_pk_case, vector), 1},
        {CTS_PT_CASES, offsetof(struct cts_pk_case, name), 0x7fffffff},
        {CTS_PT_CASES, offsetof(struct cts_pk_case, order), 3},
        {CTS_PT_UNITS, offsetof(struct cts_pk_unit, vector), 7},
        {CTS_PT_UNITS, offsetof(struct cts_pk_unit, code), 4},
        {CTS_PT_UNITS, offsetof(struct cts_pk_unit, code), 8},
        {CTS_PT_UNITS, offsetof(struct cts_pk_unit, slots), 3},
        {CTS_PT_UNITS, offsetof(struct cts_pk_unit, body_slots), 3},
        {CTS_PT_UNITS, offsetof(struct cts_pk_unit, layout.mem_bytes), 128},
        {CTS_PT_UNITS, offsetof(struct cts_pk_unit, layout.stack_off), 64},
        {CTS_PT_UNITS, offsetof(struct cts_pk_unit, layout.stride), 257},
        {CTS_PT_UNITS, offsetof(struct cts_pk_unit, layout.spill), 0},
        {CTS_PT_UNITS, offsetof(struct cts_pk_unit, layout.place), 0x05000000},
        {CTS_PT_UNITS, offsetof(struct cts_pk_unit, rows.count), 2},
        {CTS_PT_UNITS, offsetof(struct cts_pk_unit, rows.first), 1},
        {CTS_PT_UNITS, offsetof(struct cts_pk_unit, sweep), 0},
        {CTS_PT_UNITS, offsetof(struct cts_pk_unit, packet.count), 999},
        {CTS_PT_UNITS, offsetof(struct cts_pk_unit, maps.count), 1},
        {CTS_PT_UNITS, offsetof(struct cts_pk_unit, names.first), 9},
        {CTS_PT_UNITS, offsetof(struct cts_pk_unit, flags), 0x80},
        {CTS_PT_UNITS, offsetof(struct cts_pk_unit, repeat), 0},
        {CTS_PT_UNITS, offsetof(struct cts_pk_unit, repeat), 2}, /* not alone */
        {CTS_PT_TUPLES, offsetof(struct cts_pk_tuple, kase), 1},
        {CTS_PT_TUPLES, offsetof(struct cts_pk_tuple, in), 4},
        {CTS_PT_TUPLES, offsetof(struct cts_pk_tuple, in), UINT32_MAX},
        {CTS_PT_TUPLES, offsetof(struct cts_pk_tuple, out.count), 0},
        {CTS_PT_TUPLES, offsetof(struct cts_pk_tuple, out.first), UINT32_MAX},
        {CTS_PT_OUTCOMES, offsetof(struct cts_pk_outcome, kind), 0x0004},
        {CTS_PT_OUTCOMES, offsetof(struct cts_pk_outcome, kind), 0x0200}, /* has_r0 */
        {CTS_PT_OUTCOMES, offsetof(struct cts_pk_outcome, state), UINT32_MAX},
        {CTS_PT_OUTCOMES, offsetof(struct cts_pk_outcome, runtime), 9999},
        {CTS_PT_STATES, offsetof(struct cts_pk_state, place), 0x03},
        {CTS_PT_STATES, offsetof(struct cts_pk_state, any), 0x0400},
        {CTS_PT_STATES, offsetof(struct cts_pk_state, mem.data), 65},
        {CTS_PT_STATES, offsetof(struct cts_pk_state, mem.width), 0},
        {CTS_PT_STATES, offsetof(struct cts_pk_state, mem.any), 0},
        {CTS_PT_STATES, offsetof(struct cts_pk_state, mem.be), 65},
        {CTS_PT_STATES, offsetof(struct cts_pk_state, stack.data), 0},
        {CTS_PT_STATES, offsetof(struct cts_pk_state, mem_bytes), 1 << 30},
        {CTS_PT_INSN_IDS, 0, 0xffffffff},
        {CTS_PT_STRING_REFS, 0, 5000},
        {CTS_PT_STRINGS, 0, 0x41414141},
    };
    struct cts_buf file;
    const struct cts_pack_header *h;
    (void)state;
    make(&file);
    h = (const void *)file.data;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        size_t at = (size_t)h->table[bad[i].table].offset + bad[i].at;
        if (open_with(&file, at, &bad[i].value, 4) != CTS_E_SYNTAX)
            fail_msg("entry %zu was let through", i);
    }
    cts_buf_release(&file);
}

static void header_ranges_are_checked(void **state)
{
    struct cts_buf file;
    (void)state;
    make(&file);
    for (size_t t = 0; t < CTS_PT_COUNT; t++) {
        size_t at = offsetof(struct cts_pack_header, table) +
                    t * sizeof(((struct cts_pack_header *)0)->table[0]);
        uint64_t far_away = UINT64_MAX - 7, odd = 3;
        uint32_t many = UINT32_MAX;
        assert_int_not_equal(open_with(&file, at, &far_away, 8), 0);
        assert_int_not_equal(open_with(&file, at, &odd, 8), 0);
        assert_int_not_equal(open_with(&file, at + 8, &many, 4), 0);
        assert_int_not_equal(open_with(&file, at + 12, &many, 4), 0);
    }
    cts_buf_release(&file);
}

/* Whatever is let through can be walked. The sanitizers see what goes wrong. */
static uint64_t walk(const struct cts_pack *p)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < p->vector_count; i++)
        sum += strlen(cts_pack_text(p, p->vectors[i].id)) + p->insn_ids[p->vectors[i].rows.first];
    for (uint32_t i = 0; i < p->unit_count; i++) {
        const struct cts_pk_unit *u = &p->units[i];
        for (uint32_t k = 0; k < u->slots * 8; k++)
            sum += p->code[u->code + k];
        for (uint32_t k = 0; k < u->rows.count && !(u->flags & CTS_UF_WHOLE); k++) {
            const struct cts_pk_state *s = &p->states[p->rows[u->rows.first + k].in];
            for (uint32_t m = 0; m < u->layout.mem_bytes; m++)
                sum += p->data[s->mem.data + m];
        }
    }
    return sum;
}

static void random_damage_is_survived(void **state)
{
    struct cts_buf file;
    uint32_t seed = 12345, refused = 0;
    volatile uint64_t sum = 0;
    (void)state;
    make(&file);
    for (unsigned round = 0; round < 20000; round++) {
        struct cts_pack p;
        uint8_t *copy = copy_of(&file);
        for (unsigned k = 0; k <= round % 4; k++) {
            seed = seed * 1664525 + 1013904223;
            copy[sizeof(struct cts_pack_header) +
                 (seed >> 8) % (file.len - sizeof(struct cts_pack_header))] ^=
                (uint8_t)(1u << (seed & 7));
        }
        cts_pack_seal(copy, file.len);
        if (cts_pack_from_memory(&p, copy, file.len, false, NULL) == 0)
            sum += walk(&p);
        else
            refused++;
        free(copy);
    }
    assert_true(refused > 1000);
    cts_buf_release(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(equal_things_are_kept_once),
        cmocka_unit_test(the_same_calls_give_the_same_bytes),
        cmocka_unit_test(files_are_read),
        cmocka_unit_test(foreign_files_are_refused),
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(many_bits_count),
        cmocka_unit_test(what_is_added_counts),
        cmocka_unit_test(the_digest_names_the_content),
        cmocka_unit_test(any_length_is_survived),
        cmocka_unit_test(every_index_is_checked),
        cmocka_unit_test(header_ranges_are_checked),
        cmocka_unit_test(random_damage_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
