/* uses: base host sema load spec_gen */
/* What `ebpf-cts spec` prints, against the specification it was made from. */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fmt.h"
#include "host/fs.h"
#include "host/proc.h"
#include "load/spec.h"
#include "sema/sema.h"
#include "spec_gen/generator.h"

#define SPEC_DIR CTS_SOURCE_DIR "/spec"
#define VECTORS_DIR CTS_SOURCE_DIR "/vectors"

static struct cts_spec spec;
static struct cts_tested tested;

static int load(void **state)
{
    struct cts_err err = {0};

    (void)state;
    cts_spec_init(&spec);
    int rc = cts_spec_load(&spec, SPEC_DIR, &err);
    if (!rc)
        rc = cts_tested_load(&tested, VECTORS_DIR, &spec, &err);
    if (rc)
        print_error("%s:%u: %s\n", err.file, err.line, err.msg);
    return rc;
}

static int release(void **state)
{
    (void)state;
    cts_tested_release(&tested);
    cts_spec_release(&spec);
    return 0;
}

static int generate(const char *name, const char *format, bool full, struct cts_buf *out)
{
    const struct cts_generator *g = cts_generator_find(name);
    struct cts_err err = {0};

    assert_non_null(g);
    struct cts_gen_request rq = {.spec = &spec,
                                 .other = &spec,
                                 .spec_name = "a",
                                 .other_name = "b",
                                 .tested = &tested,
                                 .format = cts_generator_format(g, format),
                                 .full = full};
    assert_non_null(rq.format);
    cts_buf_clear(out);
    int rc = g->run(&rq, out, &err);
    assert_false(out->failed);
    return rc;
}

/* --- the header ----------------------------------------------------------------------------- */

static const char WRAPPER[] =
    "#include \"bpf_isa.h\"\n"
    "int t_check(const uint8_t *bytes, unsigned slots, bool big, uint32_t groups, int *field);\n"
    "int t_check(const uint8_t *bytes, unsigned slots, bool big, uint32_t groups, int *field)\n"
    "{\n"
    "    struct bpf_isa_insn in;\n"
    "    enum bpf_isa_info row;\n"
    "    bpf_isa_get(bytes, slots, big, &in);\n"
    "    *field = (int)bpf_insn_check(&in, groups, &row);\n"
    "    if (groups == BPF_ISA_ALL_GROUPS && bpf_insn_row(&in) != (*field ? BPF_ISA_INSN_COUNT : "
    "row))\n"
    "        return -2;\n"
    "    return row == BPF_ISA_INSN_COUNT ? -1 : (int)row;\n"
    "}\n"
    "const char *t_id(int row);\n"
    "const char *t_id(int row) { return bpf_isa_rules()[row].id; }\n"
    "unsigned t_uses(int row, unsigned reads, unsigned writes);\n"
    "unsigned t_uses(int row, unsigned reads, unsigned writes)\n"
    "{\n"
    "    static const unsigned sets[2][3] = {\n"
    "        {BPF_ISA_READS_DST, BPF_ISA_READS_SRC, BPF_ISA_READS_R0},\n"
    "        {BPF_ISA_WRITES_DST, BPF_ISA_WRITES_SRC, BPF_ISA_WRITES_R0}};\n"
    "    unsigned uses = bpf_isa_rules()[row].uses;\n"
    "    if (reads < 3)\n"
    "        return uses & sets[0][reads];\n"
    "    if (writes < 3)\n"
    "        return uses & sets[1][writes];\n"
    "    return uses & BPF_ISA_JUMPS;\n"
    "}\n"
    "uint32_t t_all(void);\n"
    "uint32_t t_all(void) { return BPF_ISA_ALL_GROUPS; }\n";

static struct {
    char dir[256];
    void *library;
    int (*check)(const uint8_t *bytes, unsigned slots, bool big, uint32_t groups, int *field);
    const char *(*id)(int row);
    uint32_t (*all)(void);
    unsigned (*uses)(int row, unsigned reads, unsigned writes);
} header;

static const char *in_dir(const char *name, char path[512])
{
    snprintf(path, 512, "%s/%s", header.dir, name);
    return path;
}

static void *symbol(const char *name)
{
    void *p = dlsym(header.library, name);

    assert_non_null(p);
    return p;
}

static const char *compiler(void)
{
    static const char *const NAMES[] = {"cc", "gcc", "clang", "clang-19"};
    const char *own = getenv("CC");
    char path[512];

    for (size_t i = 0; (!own || !*own) && i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
        if (!cts_fs_find_program(NAMES[i], path, sizeof(path)))
            own = NAMES[i];
    return own && *own ? own : NAMES[0];
}

/* Writes, compiles and loads it. */
static void use_header(void)
{
    char h[512], c[512], so[512];
    const char *cc = compiler();
    struct cts_buf text, messages;
    struct cts_err err = {0};
    int status = 0;

    if (header.library)
        return;
    cts_buf_init(&text, 0);
    cts_buf_init(&messages, 1 << 16);
    assert_int_equal(cts_fs_temp_dir(header.dir, sizeof(header.dir), &err), 0);
    assert_int_equal(generate("header", NULL, false, &text), 0);
    assert_int_equal(
        cts_fs_write_atomic(in_dir("bpf_isa.h", h), cts_buf_text(&text), text.len, &err), 0);
    assert_int_equal(cts_fs_write_atomic(in_dir("check.c", c), WRAPPER, sizeof(WRAPPER) - 1, &err),
                     0);
    const char *const argv[] = {cc,
                                "-std=c99",
                                "-O2",
                                "-Wall",
                                "-Wextra",
                                "-pedantic",
                                "-Werror",
                                "-fPIC",
                                "-shared",
                                "-o",
                                in_dir("check.so", so),
                                c,
                                NULL};
    assert_int_equal(cts_proc_run(argv, NULL, 0, NULL, &messages, 60000, &status, &err), 0);
    if (status)
        print_error("%s\n", cts_buf_text(&messages));
    assert_int_equal(status, 0);
    header.library = dlopen(so, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(header.library);
    *(void **)&header.check = symbol("t_check");
    *(void **)&header.id = symbol("t_id");
    *(void **)&header.all = symbol("t_all");
    *(void **)&header.uses = symbol("t_uses");
    cts_buf_release(&messages);
    cts_buf_release(&text);
}

static int drop_header(void **state)
{
    (void)state;
    if (header.library)
        dlclose(header.library);
    if (header.dir[0])
        cts_fs_remove_tree(header.dir);
    return 0;
}

struct fields {
    uint8_t opcode, dst, src;
    int16_t off;
    int32_t imm, next_imm;
};

/* Sixteen bytes: the second slot has next_imm and zeros. Written here byte by byte, so that the
 * header's reading is tested, too. */
static void put(const struct fields *f, bool big, uint8_t bytes[16])
{
    uint32_t values[2] = {(uint32_t)f->imm, (uint32_t)f->next_imm};

    memset(bytes, 0, 16);
    bytes[0] = f->opcode;
    bytes[1] = (uint8_t)(big ? f->dst << 4 | f->src : f->src << 4 | f->dst);
    for (unsigned i = 0; i < 2; i++)
        bytes[big ? 3 - i : 2 + i] = (uint8_t)((uint16_t)f->off >> 8 * i);
    for (unsigned k = 0; k < 2; k++)
        for (unsigned i = 0; i < 4; i++)
            bytes[8 * k + (big ? 7 - i : 4 + i)] = (uint8_t)(values[k] >> 8 * i);
}

static int64_t field_value(const struct fields *f, unsigned field)
{
    switch (field) {
    case CTS_SF_OPCODE:
        return f->opcode;
    case CTS_SF_DST:
        return f->dst;
    case CTS_SF_SRC:
        return f->src;
    case CTS_SF_OFF:
        return f->off;
    case CTS_SF_IMM:
        return f->imm;
    default:
        return f->next_imm;
    }
}

static bool row_allows(const struct cts_spec_insn *row, const struct fields *f)
{
    for (unsigned field = 0; field < CTS_SF_COUNT; field++) {
        if (field == CTS_SF_NEXT_IMM && !row->wide)
            continue;
        if (!cts_spec_enc_allows(&row->enc[field], field_value(f, field)))
            return false;
    }
    return !row->slot;
}

/* The rows of one opcode, and values at the edges of what they allow. */
struct opcode {
    const struct cts_spec_insn *rows[64];
    size_t count;
    bool wide;
    int64_t off[64], imm[64], next[64];
    size_t offs, imms, nexts;
};

static void add_edge(int64_t *list, size_t *count, int64_t v, int64_t lo, int64_t hi)
{
    for (size_t i = 0; i < *count; i++)
        if (list[i] == v)
            return;
    if (v < lo || v > hi)
        return;
    assert_true(*count < 64);
    list[(*count)++] = v;
}

static void add_edges(int64_t *list, size_t *count, const struct cts_spec_enc *enc, int64_t lo,
                      int64_t hi)
{
    const int64_t always[] = {0, 1, -1, lo, hi};

    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        add_edge(list, count, always[i], lo, hi);
    if (!enc || (enc->rule != CTS_SR_FIXED && enc->rule != CTS_SR_SPAN))
        return;
    for (int64_t by = -1; by <= 1; by++) {
        add_edge(list, count, enc->value + by, lo, hi);
        if (enc->rule == CTS_SR_SPAN) {
            add_edge(list, count, enc->last + by, lo, hi);
            add_edge(list, count, enc->value + by * enc->step, lo, hi);
            add_edge(list, count, enc->last + by * enc->step, lo, hi);
        }
    }
}

static void look_up(struct opcode *o, unsigned op)
{
    *o = (struct opcode){0};
    add_edges(o->off, &o->offs, NULL, INT16_MIN, INT16_MAX);
    add_edges(o->imm, &o->imms, NULL, INT32_MIN, INT32_MAX);
    for (size_t i = 0; i < spec.row_count; i++) {
        const struct cts_spec_insn *row = &spec.rows[i];
        if (row->slot || (unsigned)row->enc[CTS_SF_OPCODE].value != op)
            continue;
        assert_true(o->count < 64);
        o->rows[o->count++] = row;
        o->wide |= row->wide;
        add_edges(o->off, &o->offs, &row->enc[CTS_SF_OFF], INT16_MIN, INT16_MAX);
        add_edges(o->imm, &o->imms, &row->enc[CTS_SF_IMM], INT32_MIN, INT32_MAX);
        if (row->wide)
            add_edges(o->next, &o->nexts, &row->enc[CTS_SF_NEXT_IMM], INT32_MIN, INT32_MAX);
    }
    if (!o->nexts)
        o->nexts = 1; /* 0 */
}

/* enum bpf_isa_field of the header */
enum { H_NONE, H_OPCODE, H_DST, H_SRC, H_OFF, H_IMM, H_NEXT_IMM, H_NEXT_SLOT };

static const enum cts_spec_field OF_HEADER[] = {
    [H_OPCODE] = CTS_SF_OPCODE, [H_DST] = CTS_SF_DST, [H_SRC] = CTS_SF_SRC,
    [H_OFF] = CTS_SF_OFF,       [H_IMM] = CTS_SF_IMM, [H_NEXT_IMM] = CTS_SF_NEXT_IMM,
};

/* Does the field that the header names break the rule of the row that it names? */
static bool is_blame_right(int row, int field, const struct fields *f, const struct opcode *o)
{
    if (field == H_OPCODE)
        return !o->count && row == -1;
    if (field < H_DST || field > H_NEXT_IMM || row < 0)
        return false;
    const struct cts_spec_insn *near = cts_spec_insn_find(&spec, header.id(row));
    return near && near->enc[CTS_SF_OPCODE].value == f->opcode &&
           !cts_spec_enc_allows(&near->enc[OF_HEADER[field]], field_value(f, OF_HEADER[field]));
}

static bool is_same(const struct fields *f, const struct opcode *o, bool big, uint32_t groups,
                    size_t *legal)
{
    const struct cts_spec_insn *want = NULL;
    uint8_t bytes[16];
    int field;

    for (size_t i = 0; !want && i < o->count; i++)
        if ((groups >> o->rows[i]->group & 1) && row_allows(o->rows[i], f))
            want = o->rows[i];
    put(f, big, bytes);
    int row = header.check(bytes, 2, big, groups, &field);
    *legal += want != NULL;
    if (!want)
        return field != H_NONE && is_blame_right(row, field, f, o);
    return field == H_NONE && row >= 0 && !strcmp(header.id(row), want->id);
}

static bool compare_opcode(const struct opcode *o, unsigned op, uint32_t groups, size_t *compared,
                           size_t *legal)
{
    for (unsigned regs = 0; regs < 256; regs++) {
        size_t inner = o->offs * o->imms * o->nexts;
        for (size_t i = 0; i < 2 * inner; i++) {
            size_t k = i / 2;
            struct fields f = {(uint8_t)op,
                               (uint8_t)(regs & 15),
                               (uint8_t)(regs >> 4),
                               (int16_t)o->off[k % o->offs],
                               (int32_t)o->imm[k / o->offs % o->imms],
                               (int32_t)o->next[k / o->offs / o->imms]};
            ++*compared;
            if (is_same(&f, o, i & 1, groups, legal))
                continue;
            print_error("0x%02x dst %u src %u off %d imm %d next_imm %d\n", f.opcode, f.dst, f.src,
                        f.off, f.imm, f.next_imm);
            return false;
        }
    }
    return true;
}

static uint32_t groups_of(const struct opcode *o)
{
    uint32_t set = 0;

    for (size_t i = 0; i < o->count; i++)
        set |= (uint32_t)1 << o->rows[i]->group;
    return set;
}

static void header_is_the_specification(void **state)
{
    static struct opcode o;
    size_t compared = 0, legal = 0;

    (void)state;
    use_header();
    for (unsigned op = 0; op < 256; op++) {
        look_up(&o, op);
        assert_true(compare_opcode(&o, op, header.all(), &compared, &legal));
        /* Where rows of several groups share an opcode, those of each group alone, too. */
        uint32_t groups = groups_of(&o);
        for (uint32_t rest = groups & (groups - 1) ? groups : 0; rest; rest &= rest - 1)
            assert_true(compare_opcode(&o, op, rest & (0 - rest), &compared, &legal));
    }
    print_message("# compared %zu instructions with the field rules, %zu legal\n", compared, legal);
    assert_true(compared > 65536 && legal > 0);
}

/* A legal instruction of the row. */
static struct fields legal_one(const struct cts_spec_insn *row)
{
    int64_t v[CTS_SF_COUNT];

    for (unsigned f = 0; f < CTS_SF_COUNT; f++) {
        const struct cts_spec_enc *enc = &row->enc[f];
        v[f] = enc->rule == CTS_SR_FIXED || enc->rule == CTS_SR_SPAN ? enc->value : 1;
    }
    if (!row->wide)
        v[CTS_SF_NEXT_IMM] = 0;
    return (struct fields){(uint8_t)v[CTS_SF_OPCODE], (uint8_t)v[CTS_SF_DST],
                           (uint8_t)v[CTS_SF_SRC],    (int16_t)v[CTS_SF_OFF],
                           (int32_t)v[CTS_SF_IMM],    (int32_t)v[CTS_SF_NEXT_IMM]};
}

static void header_knows_groups(void **state)
{
    size_t looked = 0;

    (void)state;
    use_header();
    for (size_t i = 0; i < spec.row_count; i++) {
        const struct cts_spec_insn *row = &spec.rows[i];
        struct fields f = legal_one(row);
        uint8_t bytes[16];
        if (row->slot)
            continue;
        put(&f, false, bytes);
        for (size_t g = 0; g < spec.group_count; g++) {
            uint32_t set = spec.groups[g].includes;
            int field, at = header.check(bytes, 2, false, set, &field);
            bool has = set >> row->group & 1;
            assert_true((field == H_NONE && !strcmp(header.id(at), row->id)) == has);
            looked++;
        }
    }
    print_message("# compared %zu pairs of row and group\n", looked);
    assert_true(looked > 0);
}

static void header_says_what_rows_do(void **state)
{
    static const enum cts_sema_operand OPERANDS[] = {CTS_O_DST, CTS_O_SRC, CTS_O_R0};
    size_t looked = 0;

    (void)state;
    use_header();
    for (size_t i = 0; i < spec.row_count; i++) {
        const struct cts_spec_insn *row = &spec.rows[i];
        struct fields f = legal_one(row);
        uint8_t bytes[16];
        int field;
        if (row->slot)
            continue;
        put(&f, false, bytes);
        int at = header.check(bytes, 2, false, header.all(), &field);
        for (unsigned k = 0; k < 3; k++, looked += 2) {
            assert_true(!header.uses(at, k, 3) == !cts_sema_reads(row->sema, OPERANDS[k]));
            assert_true(!header.uses(at, 3, k) == !cts_sema_writes(row->sema, OPERANDS[k]));
        }
        assert_true(!header.uses(at, 3, 3) == !(cts_sema_uses(row->sema) & CTS_USES_JUMP));
    }
    assert_true(looked > 0);
}

static void header_wants_the_whole_second_slot(void **state)
{
    size_t looked = 0;

    (void)state;
    use_header();
    for (size_t i = 0; i < spec.row_count; i++) {
        struct fields f = legal_one(&spec.rows[i]);
        uint8_t bytes[16];
        int field;
        if (!spec.rows[i].wide)
            continue;
        put(&f, false, bytes);
        header.check(bytes, 1, false, header.all(), &field);
        assert_int_equal(field, H_NEXT_SLOT);
        for (unsigned k = 8; k < 12; k++, looked++) {
            bytes[k] = 0x80;
            header.check(bytes, 2, false, header.all(), &field);
            assert_int_equal(field, H_NEXT_SLOT);
            bytes[k] = 0;
        }
    }
    assert_true(looked > 0);
}

/* --- the others ----------------------------------------------------------------------------- */

static size_t count_lines(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void table_has_every_row_once(void **state)
{
    struct cts_buf out;
    size_t rfc = 0;

    (void)state;
    cts_buf_init(&out, 0);
    for (size_t i = 0; i < spec.row_count; i++)
        rfc += spec.rows[i].origin == CTS_ORIGIN_RFC;
    assert_int_equal(generate("table", "tsv", false, &out), 0);
    assert_int_equal(count_lines(cts_buf_text(&out)), rfc + 1);
    assert_int_equal(generate("table", "csv", true, &out), 0);
    assert_int_equal(count_lines(cts_buf_text(&out)), spec.row_count + 1);
    assert_int_equal(generate("table", "tsv", true, &out), 0);
    for (size_t i = 0; i < spec.row_count; i++) {
        char cell[128];
        cts_fmt(cell, sizeof(cell), "\t%s\t%s\t", spec.rows[i].id,
                cts_spec_origin_name(spec.rows[i].origin));
        const char *first = strstr(cts_buf_text(&out), cell);
        assert_non_null(first);
        assert_null(strstr(first + 1, cell));
    }
    cts_buf_release(&out);
}

static void descriptions_are_the_rfcs(void **state)
{
    static const char *const LINES[] = {
        "0x04\t0x0\t0\tany\tdst = (u32)((u32)dst + (u32)imm)\tbase32\tRFC 9669, Section 4.1\n",
        "0x05\t0x0\tany\t0x00\tgoto +offset\tbase32\tRFC 9669, Section 4.3\n",
        "0x07\t0x0\t0\tany\tdst += imm\tbase64\tRFC 9669, Section 4.1\n",
        "0x16\t0x0\tany\tany\tif (u32)dst == (u32)imm goto +offset\tbase32\tRFC 9669, Section "
        "4.3\n",
        "0x61\tany\tany\t0x00\tdst = *(u32 *)(src + offset)\tbase32\tRFC 9669, Section 5\n",
        "0x65\t0x0\tany\tany\tif dst s> imm goto +offset\tbase64\tRFC 9669, Section 4.3\n",
        "0x91\tany\tany\t0x00\tdst = *(s8 *)(src + offset)\tbase32\tRFC 9669, Section 5.2\n",
        "0x97\t0x0\t1\tany\tdst = (imm == 0) ? dst : (dst s% imm)\tdivmul64\t"
        "RFC 9669, Section 4.1\n",
        "0xbf\tany\t8\t0x00\tdst = (s64)(s8)src\tbase64\tRFC 9669, Section 4.1\n",
        "0xcf\tany\t0\t0x00\tdst s>>= src & 63\tbase64\tRFC 9669, Section 4.1\n",
        "0xd7\t0x0\t0\t0x40\tdst = bswap64(dst)\tbase64\tRFC 9669, Section 4.2\n",
    };
    struct cts_buf out;

    (void)state;
    cts_buf_init(&out, 0);
    generate("table", "tsv", false, &out);
    for (size_t i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++) {
        if (!strstr(cts_buf_text(&out), LINES[i]))
            print_error("missing: %s", LINES[i]);
        assert_non_null(strstr(cts_buf_text(&out), LINES[i]));
    }
    cts_buf_release(&out);
}

/* Every generator in every format: the same bytes twice, and not none. */
static void output_is_always_the_same(void **state)
{
    struct cts_buf one, two;
    size_t looked = 0;

    (void)state;
    cts_buf_init(&one, 0);
    cts_buf_init(&two, 0);
    for (size_t i = 0; cts_generators[i]; i++) {
        const struct cts_generator *g = cts_generators[i];
        for (size_t f = 0; g->formats[f]; f++, looked++) {
            assert_int_equal(generate(g->name, g->formats[f], true, &one), 0);
            assert_int_equal(generate(g->name, g->formats[f], true, &two), 0);
            assert_true(one.len > 0);
            assert_int_equal(one.len, two.len);
            assert_memory_equal(one.data, two.data, one.len);
        }
    }
    assert_true(looked > 0);
    cts_buf_release(&two);
    cts_buf_release(&one);
}

/* All of them bound what they write. */
static void a_full_buffer_is_noticed(void **state)
{
    (void)state;
    for (size_t i = 0; cts_generators[i]; i++) {
        const struct cts_generator *g = cts_generators[i];
        struct cts_gen_request rq = {.spec = &spec,
                                     .other = &spec,
                                     .spec_name = "a",
                                     .other_name = "b",
                                     .tested = &tested,
                                     .format = g->formats[0]};
        struct cts_err err = {0};
        struct cts_buf out;
        cts_buf_init(&out, 20);
        g->run(&rq, &out, &err);
        assert_true(out.failed);
        cts_buf_release(&out);
    }
}

static void page_needs_nothing_else(void **state)
{
    static const char *const FOREIGN[] = {"<link", "src=", "url(", "@import", "http:", "https:"};
    struct cts_buf out;

    (void)state;
    cts_buf_init(&out, 0);
    assert_int_equal(generate("doc", "html", false, &out), 0);
    for (size_t i = 0; i < sizeof(FOREIGN) / sizeof(FOREIGN[0]); i++)
        assert_null(strstr(cts_buf_text(&out), FOREIGN[i]));
    for (size_t i = 0; i < spec.row_count; i++) {
        char tag[128];
        cts_fmt(tag, sizeof(tag), "<details class=\"row\" id=\"%s\"", spec.rows[i].id);
        assert_non_null(strstr(cts_buf_text(&out), tag));
    }
    for (size_t i = 0; i < spec.clause_count; i++) {
        char tag[128];
        cts_fmt(tag, sizeof(tag), "<article id=\"%s\"", spec.clauses[i].id);
        assert_non_null(strstr(cts_buf_text(&out), tag));
    }
    cts_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_is_the_specification),
        cmocka_unit_test(header_knows_groups),
        cmocka_unit_test(header_says_what_rows_do),
        cmocka_unit_test(header_wants_the_whole_second_slot),
        cmocka_unit_test(table_has_every_row_once),
        cmocka_unit_test(descriptions_are_the_rfcs),
        cmocka_unit_test(output_is_always_the_same),
        cmocka_unit_test(a_full_buffer_is_noticed),
        cmocka_unit_test_teardown(page_needs_nothing_else, drop_header),
    };

    return cmocka_run_group_tests(tests, load, release);
}
