/* uses: base host load isa asm conf wire pack build result core */
/* Sights, and what is compared of vectors in them. */
#include "vectors.h"

#include "core/compared.h"
#include "core/sight.h"

static struct cts_compared compare(struct fixture *f, const char *sight, uint32_t vector)
{
    struct cts_arena arena;
    struct cts_caps caps;
    struct cts_compared c;
    cts_arena_init(&arena, 0);
    assert_int_equal(cts_sight_caps(sight, &caps, &f->err), 0);
    assert_int_equal(cts_compare_vector(&f->pack, vector, &caps, &arena, &c, &f->err), 0);
    c.why = c.why ? "skipped" : NULL; /* it is the arena's */
    cts_arena_release(&arena);
    return c;
}

static void test_terms(void **state)
{
    struct cts_caps all, c;
    (void)state;
    assert_int_equal(cts_sight_caps("reference", &all, NULL), 0);
    assert_true(all.features & CTS_FEAT_POINTERS);
    assert_int_equal(cts_sight_caps("no-pointers,slots=77", &c, NULL), 0);
    assert_int_equal(c.features, all.features & ~(uint32_t)CTS_FEAT_POINTERS);
    assert_int_equal(c.max_slots, 77);
    assert_int_equal(cts_sight_caps("argument", &c, NULL), 0);
    assert_int_equal(c.window_kind, CTS_WK_ARGUMENT);
    for (unsigned i = 0; cts_sight_at(i); i++)
        assert_int_equal(cts_sight_caps(cts_sight_at(i)->terms, &c, NULL), 0);
    static const char *const bad[] = {
        "",         ",",   "no-",        "no-such", "slots",     "slots=0",      "slots=1x",
        "slots=-1", "r0,", "reference ", "R0",      "slots=1e3", "slots=9999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(cts_sight_caps(bad[i], &c, NULL), CTS_E_INVAL);
}

/* All registers, all memory, and of the stack what is not the environment's. */
static void test_all_is_compared(void **state)
{
    struct fixture f;
    (void)state;
    build_one(&f, CTS_LEVEL_QUICK, SMALL);
    struct cts_compared c = compare(&f, "reference", 0);
    assert_int_equal(c.asked, 1);
    assert_int_equal(c.registers, 0x3ff);
    assert_int_equal(c.memory, 64);
    assert_int_equal(c.stack, CTS_STACK_BYTES - 8);
    assert_int_equal(c.hidden | c.results | c.verdicts | c.vacuous, 0);
    assert_int_equal(compare(&f, "argument", 0).stack, CTS_STACK_BYTES - 16);
    c = compare(&f, "verdict-only", 0);
    assert_int_equal(c.asked, 0);
    assert_int_equal(c.skipped, 1);
    assert_non_null(c.why);
    assert_int_equal(compare(&f, "slots=20", 0).skipped, 1);
    done(&f);
}

static const char addresses[] = HEAD
    "  - {name: moved, insns: [mov64_x], clauses: [N053], asm: 'r3 = r4',\n"
    "     cases: [{in: {r4: mem+8}, out: {r3: mem+8}}]}\n"
    "  - {name: used, insns: [mov64_x], clauses: [N053], asm: \"r3 = r4\\nr3 = *(u8 *)(r3 + 0)\",\n"
    "     cases: [{in: {r4: mem+8, mem: [{at: 8, u8: [5]}]}, out: {r3: 5}}]}\n"
    "  - {name: over, insns: [ldx_b], clauses: [N053], asm: 'r4 = *(u8 *)(r4 + 0)',\n"
    "     cases: [{in: {r4: mem+8, mem: [{at: 8, u8: [5]}]}, out: {r4: 5}}]}\n"
    "  - {name: either, insns: [ldx_b], clauses: [N053], asm: \"if r5 == 0 goto +1\\nr4 = 5\",\n"
    "     cases: [{in: {r4: mem+8, r5: 1}, out: {r4: 5}}]}\n"
    "  - {name: swept, insns: [ldx_b], clauses: [N053], asm: 'r4 = *(u8 *)(r4 + 0)',\n"
    "     given: {r4: mem+8}, sweep: {mem+8: u8}}\n"
    "  - {name: counted, insns: [add64_x], clauses: [N053], asm: 'r4 += r5',\n"
    "     given: {r4: mem+8}, sweep: {r5: u8}}\n";

/* An address that comes out is not looked at, what is loaded over one is: unless the body has a way
 * on which the address stays. */
static void test_addresses(void **state)
{
    enum { MOVED, USED, OVER, EITHER, SWEPT, COUNTED, VECTORS };
    static const struct {
        uint32_t registers, vacuous;
    } want[VECTORS] = {[MOVED] = {0x3e7, 1},  [USED] = {0x3ef, 0},  [OVER] = {0x3ff, 0},
                       [EITHER] = {0x3ef, 1}, [SWEPT] = {0x3ff, 0}, [COUNTED] = {0x3ef, 1}};
    struct fixture f;
    (void)state;
    build_one(&f, CTS_LEVEL_QUICK, addresses);
    assert_int_equal(f.pack.vector_count, VECTORS);
    for (uint32_t i = 0; i < VECTORS; i++) {
        struct cts_compared c = compare(&f, "no-pointers", i);
        assert_int_equal(c.registers, want[i].registers);
        assert_int_equal(c.vacuous, want[i].vacuous);
        c = compare(&f, "reference", i);
        assert_int_equal(c.registers, 0x3ff);
        assert_int_equal(c.vacuous, 0);
    }
    done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_all_is_compared),
        cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
