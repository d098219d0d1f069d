/* uses: base host sema load isa */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "generated/isa_tables.h"
#include "generated/spec_text.h"
#include "host/fs.h"
#include "isa/mach.h"
#include "load/spec.h"
#include "sema/sema.h"

enum { RFC_ROWS = 171, CLAUSES = 178, VERDICTS = 50 };

/* --- the specification of this tree -------------------------------------------------------- */

static struct cts_spec *load_whole(void)
{
    static struct cts_spec spec;
    struct cts_err err;
    char line[CTS_ERR_MSG_MAX + CTS_ERR_FILE_MAX + 32];

    cts_err_clear(&err);
    cts_spec_init(&spec);
    if (cts_spec_load(&spec, CTS_SOURCE_DIR "/spec", &err))
        fail_msg("%s", cts_err_text(&err, line, sizeof(line)));
    return &spec;
}

static void whole_specification_loads(void **state)
{
    struct cts_spec *spec = load_whole();
    size_t of_the_rfc = 0;
    (void)state;

    for (size_t i = 0; i < spec->row_count; i++)
        of_the_rfc += spec->rows[i].origin == CTS_ORIGIN_RFC;
    assert_int_equal(of_the_rfc, RFC_ROWS);
    assert_true(spec->row_count > RFC_ROWS);
    assert_int_equal(spec->clause_count, CLAUSES);
    assert_int_equal(spec->verdict_count, VERDICTS);
    for (size_t i = 1; i < spec->row_count; i++)
        assert_true(strcmp(spec->rows[i - 1].id, spec->rows[i].id) < 0);
    const struct cts_spec_insn *row = cts_spec_insn_find(spec, "lddw_map_fd_value");
    assert_non_null(row);
    assert_true(row->wide);
    assert_int_equal(row->enc[CTS_SF_SRC].value, 2);
    assert_int_equal(row->enc[CTS_SF_NEXT_IMM].rule, CTS_SR_ANY);
    assert_null(cts_spec_insn_find(spec, "lddw_map"));
    assert_string_equal(cts_spec_clause_find(spec, "N030")->strength, "shall");
    assert_string_equal(cts_spec_verdict_find(spec, "V12")->name, "jump-into-wide-insn");
    cts_spec_release(spec);
}

/* Printing a row's tree and reading it again gives the same tree. */
static void every_row_prints_as_itself(void **state)
{
    struct cts_spec *spec = load_whole();
    struct cts_buf a, b;
    (void)state;

    cts_buf_init(&a, 0);
    cts_buf_init(&b, 0);
    for (size_t i = 0; i < spec->row_count; i++) {
        const struct cts_sema_place place = {"printed", 1, 1, 1};
        struct cts_sema *again;
        if (spec->rows[i].slot)
            continue;
        cts_buf_clear(&a);
        cts_buf_clear(&b);
        cts_sema_print(spec->rows[i].sema, &a);
        assert_int_equal(cts_sema_read(cts_buf_text(&a), &place, 0, &spec->arena, &again, NULL), 0);
        cts_sema_print(again, &b);
        assert_string_equal(cts_buf_text(&a), cts_buf_text(&b));
    }
    cts_buf_release(&a);
    cts_buf_release(&b);
    cts_spec_release(spec);
}

/* No encoding may belong to two rows. */
static bool may_overlap(const struct cts_spec_insn *a, const struct cts_spec_insn *b)
{
    for (size_t f = 0; f < CTS_SF_COUNT; f++) {
        if (!cts_spec_enc_meet(&a->enc[f], &b->enc[f]))
            return false;
    }
    return true;
}

static void no_two_rows_overlap(void **state)
{
    struct cts_spec *spec = load_whole();
    (void)state;

    for (size_t i = 0; i < spec->row_count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (may_overlap(&spec->rows[i], &spec->rows[j]))
                fail_msg("%s and %s", spec->rows[i].id, spec->rows[j].id);
        }
    }
    cts_spec_release(spec);
}

/* RFC 9669 section 2.4, from the opcode's class and the operation; EXIT and the sign-extending
 * loads as explained in spec/isa. */
static const char *group_by_rule(const struct cts_spec_insn *row)
{
    unsigned op = (unsigned)row->enc[CTS_SF_OPCODE].value, cls = op & 7, code = op >> 4;
    bool dw = (op & 0x18) == 0x18;

    if (cls == 0)
        return op == 0x18 || row->slot ? "base64" : "packet";
    if (cls == 3 && op >> 5 == 6)
        return dw ? "atomic64" : "atomic32";
    if (cls <= 3)
        return dw ? "base64" : "base32";
    if ((cls == 4 || cls == 7) && (code == 2 || code == 3 || code == 9))
        return cls == 7 ? "divmul64" : "divmul32";
    if ((cls == 4 || cls == 7) && code == 0xd)
        return row->enc[CTS_SF_IMM].value == 64 ? "base64" : "base32";
    if (cls == 5 && (code == 0 || code == 8 || code == 9))
        return "base32";
    return cls == 5 || cls == 7 ? "base64" : "base32";
}

static void groups_follow_the_rule(void **state)
{
    struct cts_spec *spec = load_whole();
    (void)state;

    for (size_t i = 0; i < spec->row_count; i++) {
        const struct cts_spec_insn *row = &spec->rows[i];
        const char *name = spec->groups[row->group].name;
        bool registered = strcmp(spec->groups[row->group].status, "unregistered") != 0;
        assert_int_equal(registered, row->origin == CTS_ORIGIN_RFC);
        if (registered && strcmp(name, group_by_rule(row)) != 0)
            fail_msg("%s", row->id);
    }
    cts_spec_release(spec);
}

/* --- the generated tables ------------------------------------------------------------------ */

static void tables_are_those_of_the_specification(void **state)
{
    struct cts_spec *spec = load_whole();
    (void)state;

    assert_int_equal(CTS_INSN_COUNT, spec->row_count);
    assert_int_equal(CTS_GROUP_COUNT, spec->group_count);
    for (size_t i = 0; i < CTS_INSN_COUNT; i++) {
        const struct cts_insn_info *info = &cts_insn_table[i];
        const struct cts_spec_insn *row = &spec->rows[i];
        assert_string_equal(info->id, row->id);
        assert_string_equal(info->does, row->does ? row->does : "");
        assert_int_equal(info->opcode, row->enc[CTS_SF_OPCODE].value);
        assert_int_equal(info->field[CTS_F_IMM].kind == CTS_FK_ANY,
                         row->enc[CTS_SF_IMM].rule == CTS_SR_ANY);
        assert_int_equal((cts_exec_table[i] == NULL), row->slot || row->platform);
        assert_int_equal((info->flags & CTS_RF_FOREIGN) != 0, row->platform);
        assert_string_equal(info->ubpf, row->ubpf ? row->ubpf : "");
        assert_string_equal(info->section, row->section);
        assert_int_equal((info->flags & CTS_RF_WIDE) != 0, row->wide);
    }
    for (size_t i = 0; i < CTS_CLAUSE_COUNT; i++)
        assert_string_equal(cts_clause_texts[i].text, spec->clauses[i].statement);
    assert_string_equal(cts_verdict_text_find("V01")->name, "invalid-opcode");
    assert_ptr_equal(cts_verdict_text_find("invalid-opcode"), cts_verdict_text_find("V01"));
    assert_null(cts_clause_text_find("N179"));
    assert_null(cts_clause_text_find(""));
    cts_spec_release(spec);
}

static void opcode_index_is_complete(void **state)
{
    unsigned seen[CTS_INSN_COUNT] = {0};
    (void)state;

    for (unsigned op = 0; op < 256; op++) {
        for (unsigned i = cts_opcode_first[op]; i < cts_opcode_first[op + 1]; i++) {
            assert_true(cts_opcode_insns[i] < CTS_INSN_COUNT);
            assert_int_equal(cts_insn_table[cts_opcode_insns[i]].opcode, op);
            seen[cts_opcode_insns[i]]++;
        }
    }
    for (unsigned r = 0; r < CTS_INSN_COUNT; r++)
        assert_int_equal(seen[r], !(cts_insn_table[r].flags & CTS_RF_SLOT));
}

/* --- what the rows do: values from the sentences and examples of RFC 9669 ------------------ */

struct effect {
    enum cts_insn_id row;
    uint64_t dst, src;
    int32_t imm, next_imm;
    uint64_t out;
};

static void rows_do_what_the_rfc_says(void **state)
{
    static const struct effect effects[] = {
        {CTS_INSN_ADD32_X, 0xffffffff00000001, 0xeeeeeeeeffffffff, 0, 0, 0},
        {CTS_INSN_ADD64_X, 0xffffffff, 1, 0, 0, 0x100000000},
        {CTS_INSN_ADD64_K, 0, 0, -1, 0, UINT64_MAX},
        {CTS_INSN_XOR32_K, UINT64_MAX, 0, -1, 0, 0},
        {CTS_INSN_XOR64_K, 0, 0, -1, 0, UINT64_MAX},
        {CTS_INSN_DIV64_K, UINT64_MAX, 0, -1, 0, 1},
        {CTS_INSN_DIV32_K, UINT64_MAX, 0, -1, 0, 1},
        {CTS_INSN_DIV64_X, 5, 0, 0, 0, 0},
        {CTS_INSN_DIV32_X, UINT64_MAX, 0xf00000000, 0, 0, 0},
        {CTS_INSN_SDIV64_K, (uint64_t)-13, 0, 3, 0, (uint64_t)-4},
        {CTS_INSN_SDIV32_X, 0xffffffff80000000, 0xffffffff, 0, 0, 0x80000000},
        {CTS_INSN_SDIV64_X, UINT64_C(1) << 63, UINT64_MAX, 0, 0, UINT64_C(1) << 63},
        {CTS_INSN_MOD64_X, 0xffffffff00000005, 0, 0, 0, 0xffffffff00000005},
        {CTS_INSN_MOD32_X, 0xffffffff00000005, 0, 0, 0, 5},
        {CTS_INSN_MOD64_K, 0x1fffffffe, 0, -1, 0, 0x1fffffffe},
        {CTS_INSN_SMOD64_K, (uint64_t)-13, 0, 3, 0, UINT64_MAX},
        {CTS_INSN_SMOD32_K, 13, 0, -3, 0, 1},
        {CTS_INSN_SMOD64_X, UINT64_C(1) << 63, UINT64_MAX, 0, 0, 0},
        {CTS_INSN_LSH64_X, 1, 65, 0, 0, 2},
        {CTS_INSN_LSH32_X, 0xffffffff00000001, 33, 0, 0, 2},
        {CTS_INSN_RSH32_X, 0xffffffff80000000, 31, 0, 0, 1},
        {CTS_INSN_ARSH32_K, 0x80000000, 0, 31, 0, 0xffffffff},
        {CTS_INSN_ARSH64_K, UINT64_C(1) << 63, 0, 63, 0, UINT64_MAX},
        {CTS_INSN_NEG32, 0xffffffff00000001, 0, 0, 0, 0xffffffff},
        {CTS_INSN_NEG64, 1, 0, 0, 0, UINT64_MAX},
        {CTS_INSN_MOV64_K, 0, 0, -2, 0, (uint64_t)-2},
        {CTS_INSN_MOV32_K, 0, 0, -2, 0, 0xfffffffe},
        {CTS_INSN_MOVSX32_S8, 0, 0x180, 0, 0, 0xffffff80},
        {CTS_INSN_MOVSX64_S16, 0, 0x18000, 0, 0, 0xffffffffffff8000},
        {CTS_INSN_MOVSX64_S32, 0, 0x80000000, 0, 0, 0xffffffff80000000},
        {CTS_INSN_BSWAP16, 0x1122334455667788, 0, 0, 0, 0x8877},
        {CTS_INSN_BSWAP64, 0x1122334455667788, 0, 0, 0, 0x8877665544332211},
        {CTS_INSN_LE16, 0x1122334455667788, 0, 0, 0, 0x7788},
        {CTS_INSN_BE32, 0x1122334455667788, 0, 0, 0, 0x88776655},
        {CTS_INSN_LDDW, 0, 0, INT32_MIN, 1, 0x180000000},
        {CTS_INSN_LDX_H, 0, 0x1000, 0, 0, 0x8281},
        {CTS_INSN_LDXSX_H, 0, 0x1000, 0, 0, 0xffffffffffff8281},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++) {
        const struct effect *e = &effects[i];
        uint8_t memory[8] = {0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88};
        struct cts_mach m;
        cts_mach_init(&m);
        assert_int_equal(cts_mach_map(&m, 0x1000, memory, sizeof(memory), false), 0);
        m.r[3] = e->dst;
        m.r[4] = e->src;
        struct cts_insn in = {.dst = 3, .src = 4, .imm = e->imm, .next_imm = e->next_imm};
        cts_exec_table[e->row](&m, &in);
        assert_int_equal(m.stop, CTS_MACH_RUNNING);
        if (m.r[3] != e->out)
            fail_msg("%s: %llx", cts_insn_table[e->row].id, (unsigned long long)m.r[3]);
        assert_true(m.r[4] == e->src);
    }
}

static void a_fault_changes_nothing(void **state)
{
    static const enum cts_insn_id rows[] = {CTS_INSN_LDX_DW, CTS_INSN_ATOMIC64_XCHG,
                                            CTS_INSN_ATOMIC64_CMPXCHG, CTS_INSN_LDDW_MAP_FD};
    struct cts_insn in = {.dst = 3, .src = 4};
    uint8_t memory[8] = {1, 2, 3};
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cts_mach m;
        cts_mach_init(&m);
        cts_mach_map(&m, 0x1000, memory, sizeof(memory), false);
        m.r[0] = 7;
        m.r[3] = 0x1000; /* can be read, not written */
        m.r[4] = 0x2000; /* not there */
        cts_exec_table[rows[i]](&m, &in);
        assert_true(m.stop == CTS_MACH_FAULT_MEM || m.stop == CTS_MACH_FAULT_PLATFORM);
        assert_true(m.r[0] == 7 && m.r[3] == 0x1000 && m.r[4] == 0x2000);
        assert_true(memory[0] == 1 && memory[1] == 2 && memory[2] == 3);
    }
}

/* --- bad files ----------------------------------------------------------------------------- */

struct folder {
    char path[512];
};

static void put_file(const struct folder *dir, const char *name, const char *text)
{
    char path[1024];

    snprintf(path, sizeof(path), "%s/%s", dir->path, name);
    assert_int_equal(cts_fs_write_atomic(path, text, strlen(text), NULL), 0);
}

static const char GROUPS[] = "- {name: base, section: \"1\", description: d, includes: [], "
                             "excludes: [], status: permanent}\n";

/* A row with the given encoding, semantics and further lines. */
static void assert_row_refused(const char *encoding, const char *does, const char *more,
                               unsigned line, unsigned col, const char *msg)
{
    struct folder dir;
    struct cts_spec spec;
    struct cts_err err;
    char path[1024], text[2048];

    assert_int_equal(cts_fs_temp_dir(dir.path, sizeof(dir.path), NULL), 0);
    put_file(&dir, "groups.yaml", GROUPS);
    snprintf(text, sizeof(text),
             "- id: x\n  name: X\n  group: base\n  since: {isa: v1, linux: \"3.18\"}\n"
             "  section: \"4.1\"\n  encoding: {%s}\n  asm: x\n  does: \"%s\"\n  clauses: []\n%s",
             encoding, does, more);
    put_file(&dir, "rows.yaml", text);
    cts_err_clear(&err);
    cts_spec_init(&spec);
    snprintf(path, sizeof(path), "%s/groups.yaml", dir.path);
    assert_int_equal(cts_groups_load(&spec, path, &err), 0);
    snprintf(path, sizeof(path), "%s/rows.yaml", dir.path);
    int rc = cts_insns_load(&spec, path, &err);
    cts_spec_release(&spec);
    cts_fs_remove_tree(dir.path);
    if (!msg) {
        assert_int_equal(rc, 0);
        return;
    }
    assert_true(rc < 0);
    assert_string_equal(err.msg, msg);
    assert_string_equal(err.file, path);
    assert_int_equal(err.line, line);
    assert_int_equal(err.col, col);
}

static void bad_rows_are_refused(void **state)
{
    static const char good[] = "opcode: 0x07, dst: reg, src: 0, off: 0, imm: any";
    (void)state;

    assert_row_refused(good, "dst = dst + u64(imm)", "", 0, 0, NULL);
    assert_row_refused(good, "dst = dst + imm", "", 8, 20,
                       "'+' between u64 and s32: convert one of them");
    assert_row_refused(good, "dst = dst + src", "", 8, 9,
                       "does: uses src, which the encoding fixes");
    assert_row_refused(good, "dst = dst", "", 8, 9,
                       "does: leaves imm unused, which the encoding leaves open");
    assert_row_refused("opcode: 0x107, dst: reg, src: 0, off: 0, imm: any", "exit", "", 6, 22,
                       "opcode: 0x107 is outside 0..255");
    assert_row_refused("opcode: 7, dst: any, src: 0, off: 0, imm: any", "exit", "", 6, 30,
                       "dst: expected 'reg' or a number");
    assert_row_refused("opcode: 7, src: 0, off: 0, imm: any", "exit", "", 6, 13,
                       "encoding: 'dst' is missing (reg or 0..15)");
    assert_row_refused(
        good, "dst = u64(imm)", "  colour: red\n", 10, 3,
        "instruction: unknown key 'colour' (keys: id, kind, name, group, since, origin, "
        "section, encoding, asm, ubpf, gas, does, platform, outcomes, clauses, "
        "ambiguities, note)");
    assert_row_refused("opcode: 7, dst: reg, src: 0, off: {from: 4, to: 8, step: 8}, imm: any",
                       "exit", "", 6, 48, "off: the ends are no multiples of the step");
    assert_row_refused("opcode: 7, dst: nonzero, src: 0, off: 0, imm: any", "exit", "", 6, 30,
                       "dst: expected 'reg' or a number");
    assert_row_refused(good, "dst = dst + u64(imm)", "  origin: linux\n", 1, 3,
                       "instruction x: a 'section', but not of the RFC");
    assert_row_refused(good, "dst = dst + u64(imm)",
                       "  outcomes: [{when: \"imm == 0\", allow: [run, halt]}]\n", 10, 46,
                       "allow: 'halt' is none of: run, reject, fault; did you mean 'fault'?");
    assert_row_refused(good, "dst = dst + u64(imm)",
                       "  outcomes: [{when: \"imm + 1\", allow: [run]}]\n", 10, 26,
                       "the condition is s32, but must be bool");
    assert_row_refused(good, "dst = dst + u64(imm)",
                       "  outcomes: [{when: \"imm == 0\", allow: [run, reject]}]\n", 0, 0, NULL);
    assert_row_refused(good, "dst = u64(imm)", "  kind: slot\n", 1, 3,
                       "instruction x: a slot has neither 'asm' nor 'does'");
}

static void bad_clauses_are_refused(void **state)
{
    static const struct {
        const char *tail, *msg;
    } cases[] = {
        {"  tested: []\n", "tested: say how, or 'untestable'"},
        {"  tested: [rum]\n", "tested: 'rum' is none of: run, verdict, encoding, lint, "
                              "concurrency, platform, untestable; did you mean 'run'?"},
        {"  tested: [untestable]\n", "N1: untestable, but no 'reason'"},
        {"  tested: [run]\n  reason: r\n", "N1: a 'reason', but not untestable"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct folder dir;
        struct cts_spec spec;
        struct cts_err err;
        char path[1024], text[512];
        assert_int_equal(cts_fs_temp_dir(dir.path, sizeof(dir.path), NULL), 0);
        snprintf(text, sizeof(text),
                 "- id: N1\n  section: \"1\"\n  strength: must\n  statement: s\n%s", cases[i].tail);
        put_file(&dir, "clauses.yaml", text);
        snprintf(path, sizeof(path), "%s/clauses.yaml", dir.path);
        cts_err_clear(&err);
        cts_spec_init(&spec);
        assert_int_equal(cts_clauses_load(&spec, path, &err), CTS_E_SCHEMA);
        assert_string_equal(err.msg, cases[i].msg);
        cts_spec_release(&spec);
        cts_fs_remove_tree(dir.path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_specification_loads),
        cmocka_unit_test(every_row_prints_as_itself),
        cmocka_unit_test(no_two_rows_overlap),
        cmocka_unit_test(groups_follow_the_rule),
        cmocka_unit_test(tables_are_those_of_the_specification),
        cmocka_unit_test(opcode_index_is_complete),
        cmocka_unit_test(rows_do_what_the_rfc_says),
        cmocka_unit_test(a_fault_changes_nothing),
        cmocka_unit_test(bad_rows_are_refused),
        cmocka_unit_test(bad_clauses_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
