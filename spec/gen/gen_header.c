/* One C header for whoever writes a runtime, an assembler or a verifier: constants, bounds of every
 * field of every row, a decoder and a check. C99 and C++17; needs <stdbool.h> and <stdint.h> only.
 */
#include "gen.h"
#include "info.h"

#include <string.h>

#include "sema/sema.h"

/* --- parts that are the same for every specification -------------------------------------- */

static const char CONSTANTS[] =
    "/* --- opcodes ---\n"
    " *\n"
    " * An opcode byte is a class in its low three bits and, above it, either operation and "
    "source\n"
    " * (arithmetic and jumps) or mode and size (loads and stores). RFC 9669, sections 3 to 5. */\n"
    "#define BPF_ISA_CLASS_MASK 0x07\n"
    "#define BPF_ISA_LD 0x00\n"
    "#define BPF_ISA_LDX 0x01\n"
    "#define BPF_ISA_ST 0x02\n"
    "#define BPF_ISA_STX 0x03\n"
    "#define BPF_ISA_ALU 0x04\n"
    "#define BPF_ISA_JMP 0x05\n"
    "#define BPF_ISA_JMP32 0x06\n"
    "#define BPF_ISA_ALU64 0x07\n\n"
    "#define BPF_ISA_SOURCE_MASK 0x08\n"
    "#define BPF_ISA_K 0x00\n"
    "#define BPF_ISA_X 0x08\n\n"
    "#define BPF_ISA_CODE_MASK 0xf0\n"
    "#define BPF_ISA_ADD 0x00\n"
    "#define BPF_ISA_SUB 0x10\n"
    "#define BPF_ISA_MUL 0x20\n"
    "#define BPF_ISA_DIV 0x30\n"
    "#define BPF_ISA_OR 0x40\n"
    "#define BPF_ISA_AND 0x50\n"
    "#define BPF_ISA_LSH 0x60\n"
    "#define BPF_ISA_RSH 0x70\n"
    "#define BPF_ISA_NEG 0x80\n"
    "#define BPF_ISA_MOD 0x90\n"
    "#define BPF_ISA_XOR 0xa0\n"
    "#define BPF_ISA_MOV 0xb0\n"
    "#define BPF_ISA_ARSH 0xc0\n"
    "#define BPF_ISA_END 0xd0\n\n"
    "#define BPF_ISA_JA 0x00\n"
    "#define BPF_ISA_JEQ 0x10\n"
    "#define BPF_ISA_JGT 0x20\n"
    "#define BPF_ISA_JGE 0x30\n"
    "#define BPF_ISA_JSET 0x40\n"
    "#define BPF_ISA_JNE 0x50\n"
    "#define BPF_ISA_JSGT 0x60\n"
    "#define BPF_ISA_JSGE 0x70\n"
    "#define BPF_ISA_CALL 0x80\n"
    "#define BPF_ISA_EXIT 0x90\n"
    "#define BPF_ISA_JLT 0xa0\n"
    "#define BPF_ISA_JLE 0xb0\n"
    "#define BPF_ISA_JSLT 0xc0\n"
    "#define BPF_ISA_JSLE 0xd0\n\n"
    "#define BPF_ISA_SIZE_MASK 0x18\n"
    "#define BPF_ISA_W 0x00\n"
    "#define BPF_ISA_H 0x08\n"
    "#define BPF_ISA_B 0x10\n"
    "#define BPF_ISA_DW 0x18\n\n"
    "#define BPF_ISA_MODE_MASK 0xe0\n"
    "#define BPF_ISA_IMM 0x00\n"
    "#define BPF_ISA_ABS 0x20\n"
    "#define BPF_ISA_IND 0x40\n"
    "#define BPF_ISA_MEM 0x60\n"
    "#define BPF_ISA_MEMSX 0x80\n"
    "#define BPF_ISA_ATOMIC 0xc0\n\n"
    "/* The register byte: the destination is in the low half of a little-endian instruction and "
    "in\n"
    " * the high half of a big-endian one. */\n"
    "#define BPF_ISA_LOW_MASK 0x0f\n"
    "#define BPF_ISA_HIGH_MASK 0xf0\n"
    "#define BPF_ISA_REG_MAX 10\n"
    "#define BPF_ISA_SLOT_BYTES 8\n\n";

static const char TYPES[] =
    "/* The fields of an instruction. Those that start with next_ are of the second slot of a "
    "wide\n"
    " * one, and 0 in others. */\n"
    "struct bpf_isa_insn {\n"
    "    uint8_t opcode, dst, src;\n"
    "    uint8_t slots; /* 1; 2: the second slot is there, too */\n"
    "    int16_t off;\n"
    "    int32_t imm;\n"
    "    uint8_t next_opcode, next_regs;\n"
    "    int16_t next_off;\n"
    "    int32_t next_imm;\n"
    "};\n\n"
    "enum bpf_isa_field {\n"
    "    BPF_ISA_FIELD_NONE, /* nothing is wrong */\n"
    "    BPF_ISA_FIELD_OPCODE,\n"
    "    BPF_ISA_FIELD_DST,\n"
    "    BPF_ISA_FIELD_SRC,\n"
    "    BPF_ISA_FIELD_OFF,\n"
    "    BPF_ISA_FIELD_IMM,\n"
    "    BPF_ISA_FIELD_NEXT_IMM,\n"
    "    BPF_ISA_FIELD_NEXT_SLOT /* it is missing, or its other fields are not 0 */\n"
    "};\n\n"
    "/* The values that a field may have: the multiples of step from min to max, without 0 if\n"
    " * nonzero is 1. */\n"
    "struct bpf_isa_bounds {\n"
    "    int32_t min, max, step;\n"
    "    uint8_t nonzero;\n"
    "};\n\n"
    "/* What a row does, as a set. */\n"
    "#define BPF_ISA_READS_DST 0x0001\n"
    "#define BPF_ISA_READS_SRC 0x0002\n"
    "#define BPF_ISA_READS_R0 0x0004\n"
    "#define BPF_ISA_WRITES_DST 0x0008\n"
    "#define BPF_ISA_WRITES_SRC 0x0010\n"
    "#define BPF_ISA_WRITES_R0 0x0020\n"
    "#define BPF_ISA_LOADS 0x0040 /* reads memory */\n"
    "#define BPF_ISA_STORES 0x0080 /* writes memory */\n"
    "#define BPF_ISA_LOCKS 0x0100 /* nothing comes between its accesses */\n"
    "#define BPF_ISA_JUMPS 0x0200 /* may go elsewhere than to the next one */\n"
    "#define BPF_ISA_CALLS 0x0400\n"
    "#define BPF_ISA_ASKS 0x0800 /* needs the platform: maps, functions, packet */\n"
    "#define BPF_ISA_BY_ORDER 0x1000 /* depends on the machine's byte order */\n\n"
    "/* What is legal, one row. An opcode's rows stand together. */\n"
    "struct bpf_isa_rule {\n"
    "    const char *id;\n"
    "    uint8_t opcode;\n"
    "    uint8_t slots; /* 1; 2: a wide instruction */\n"
    "    uint8_t group; /* enum bpf_isa_group */\n"
    "    uint16_t uses; /* set of BPF_ISA_READS_DST ... */\n"
    "    struct bpf_isa_bounds dst, src, off, imm, next_imm;\n"
    "    const char *since_isa, *since_linux;\n"
    "};\n\n";

static const char FUNCTIONS[] =
    "/* --- reading and checking --- */\n\n"
    "static inline uint32_t bpf_isa_u32_(const uint8_t *p, bool big)\n"
    "{\n"
    "    return big ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]\n"
    "               : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];\n"
    "}\n\n"
    "static inline int32_t bpf_isa_s32_(const uint8_t *p, bool big)\n"
    "{\n"
    "    uint32_t u = bpf_isa_u32_(p, big);\n\n"
    "    return u <= INT32_MAX ? (int32_t)u : -(int32_t)(UINT32_MAX - u) - 1;\n"
    "}\n\n"
    "static inline int16_t bpf_isa_s16_(const uint8_t *p, bool big)\n"
    "{\n"
    "    int u = big ? p[0] << 8 | p[1] : p[1] << 8 | p[0];\n\n"
    "    return (int16_t)(u > INT16_MAX ? u - 65536 : u);\n"
    "}\n\n"
    "/* Is it the opcode of a wide instruction? */\n"
    "static inline bool bpf_isa_is_wide(uint8_t opcode)\n"
    "{\n"
    "    unsigned i = bpf_isa_first_rule(opcode);\n\n"
    "    return i < BPF_ISA_INSN_COUNT && bpf_isa_rules()[i].slots == 2;\n"
    "}\n\n"
    "/* Reads the instruction at `bytes`, where `slots` (at least 1) slots of eight bytes are "
    "left.\n"
    " * Returns the slots it takes. */\n"
    "static inline unsigned bpf_isa_get(const uint8_t *bytes, unsigned slots, bool big_endian,\n"
    "                                   struct bpf_isa_insn *in)\n"
    "{\n"
    "    uint8_t low = (uint8_t)(bytes[1] & BPF_ISA_LOW_MASK), high = (uint8_t)(bytes[1] >> 4);\n"
    "    bool two = bpf_isa_is_wide(bytes[0]) && slots > 1;\n\n"
    "    in->opcode = bytes[0];\n"
    "    in->dst = big_endian ? high : low;\n"
    "    in->src = big_endian ? low : high;\n"
    "    in->slots = (uint8_t)(two ? 2 : 1);\n"
    "    in->off = bpf_isa_s16_(bytes + 2, big_endian);\n"
    "    in->imm = bpf_isa_s32_(bytes + 4, big_endian);\n"
    "    in->next_opcode = two ? bytes[8] : (uint8_t)0;\n"
    "    in->next_regs = two ? bytes[9] : (uint8_t)0;\n"
    "    in->next_off = two ? bpf_isa_s16_(bytes + 10, big_endian) : (int16_t)0;\n"
    "    in->next_imm = two ? bpf_isa_s32_(bytes + 12, big_endian) : 0;\n"
    "    return in->slots;\n"
    "}\n\n"
    "static inline bool bpf_isa_fits_(const struct bpf_isa_bounds *b, int32_t v)\n"
    "{\n"
    "    return v >= b->min && v <= b->max && v % b->step == 0 && !(b->nonzero && v == 0);\n"
    "}\n\n"
    "/* The fields that break the rule, as a set: bit f for enum bpf_isa_field f. */\n"
    "static inline unsigned bpf_isa_faults_(const struct bpf_isa_rule *r,\n"
    "                                       const struct bpf_isa_insn *in)\n"
    "{\n"
    "    unsigned bad = 0;\n\n"
    "    bad |= (unsigned)!bpf_isa_fits_(&r->dst, in->dst) << BPF_ISA_FIELD_DST;\n"
    "    bad |= (unsigned)!bpf_isa_fits_(&r->src, in->src) << BPF_ISA_FIELD_SRC;\n"
    "    bad |= (unsigned)!bpf_isa_fits_(&r->off, in->off) << BPF_ISA_FIELD_OFF;\n"
    "    bad |= (unsigned)!bpf_isa_fits_(&r->imm, in->imm) << BPF_ISA_FIELD_IMM;\n"
    "    if (r->slots < 2)\n"
    "        return bad;\n"
    "    if (in->slots < 2 || in->next_opcode || in->next_regs || in->next_off)\n"
    "        return bad | 1u << BPF_ISA_FIELD_NEXT_SLOT;\n"
    "    return bad | (unsigned)!bpf_isa_fits_(&r->next_imm, in->next_imm)\n"
    "                     << BPF_ISA_FIELD_NEXT_IMM;\n"
    "}\n\n"
    "static inline unsigned bpf_isa_count_(unsigned set)\n"
    "{\n"
    "    unsigned n = 0;\n\n"
    "    for (; set; set &= set - 1)\n"
    "        n++;\n"
    "    return n;\n"
    "}\n\n"
    "/* Is the instruction legal where the groups of the set `groups` are supported (bit g for "
    "enum\n"
    " * bpf_isa_group g; BPF_ISA_ALL_GROUPS)? BPF_ISA_FIELD_NONE, and *row is its row; else the "
    "first\n"
    " * field that breaks the rule, and *row is the row that comes nearest, BPF_ISA_INSN_COUNT if "
    "no\n"
    " * row has that opcode. */\n"
    "static inline enum bpf_isa_field bpf_insn_check(const struct bpf_isa_insn *in, uint32_t "
    "groups,\n"
    "                                                enum bpf_isa_info *row)\n"
    "{\n"
    "    const struct bpf_isa_rule *rules = bpf_isa_rules();\n"
    "    unsigned least = 32, faults = 1u << BPF_ISA_FIELD_OPCODE, f = 0;\n\n"
    "    *row = BPF_ISA_INSN_COUNT;\n"
    "    for (unsigned i = bpf_isa_first_rule(in->opcode);\n"
    "         i < BPF_ISA_INSN_COUNT && rules[i].opcode == in->opcode; i++) {\n"
    "        unsigned bad = bpf_isa_faults_(&rules[i], in);\n"
    "        if (!(groups >> rules[i].group & 1) || bpf_isa_count_(bad) >= least)\n"
    "            continue;\n"
    "        least = bpf_isa_count_(bad);\n"
    "        faults = bad;\n"
    "        *row = (enum bpf_isa_info)i;\n"
    "    }\n"
    "    while (faults && !(faults >> f & 1))\n"
    "        f++;\n"
    "    return (enum bpf_isa_field)f;\n"
    "}\n\n"
    "/* The row of a legal instruction; BPF_ISA_INSN_COUNT if it is not legal. */\n"
    "static inline enum bpf_isa_info bpf_insn_row(const struct bpf_isa_insn *in)\n"
    "{\n"
    "    enum bpf_isa_info row;\n\n"
    "    return bpf_insn_check(in, BPF_ISA_ALL_GROUPS, &row) == BPF_ISA_FIELD_NONE\n"
    "               ? row\n"
    "               : BPF_ISA_INSN_COUNT;\n"
    "}\n";

/* --- parts made from the rows -------------------------------------------------------------- */

static void add_macro(const char *prefix, const char *id, struct cts_buf *out)
{
    cts_buf_adds(out, prefix);
    cts_gen_upper(id, out);
}

static void add_groups(const struct cts_spec *spec, struct cts_buf *out)
{
    uint32_t all = 0;

    cts_buf_adds(out, "/* --- conformance groups --- */\n\nenum bpf_isa_group {\n");
    for (size_t g = 0; g < spec->group_count; g++) {
        add_macro("    BPF_ISA_GROUP_", spec->groups[g].name, out);
        cts_buf_adds(out, ",\n");
        all |= (uint32_t)1 << g;
    }
    cts_buf_adds(
        out, "    BPF_ISA_GROUP_COUNT\n};\n\n"
             "/* What supporting a group means: the set of the groups it holds, itself among them. "
             "Sets are\n * made by or. */\n");
    for (size_t g = 0; g < spec->group_count; g++) {
        add_macro("#define BPF_ISA_HAS_", spec->groups[g].name, out);
        cts_buf_addf(out, " 0x%xu\n", (unsigned)spec->groups[g].includes);
    }
    cts_buf_addf(out, "#define BPF_ISA_ALL_GROUPS 0x%xu\n\n", (unsigned)all);
}

static void add_rows(const struct cts_spec_insn **rows, struct cts_buf *out)
{
    cts_buf_adds(out, "/* --- rows --- */\n\nenum bpf_isa_info {\n");
    for (size_t i = 0; rows[i]; i++) {
        add_macro("    BPF_ISA_INSN_", rows[i]->id, out);
        cts_buf_adds(out, ",\n");
    }
    cts_buf_adds(out, "    BPF_ISA_INSN_COUNT\n};\n\n");
    for (size_t i = 0; rows[i]; i++) {
        add_macro("#define BPF_ISA_OPCODE_", rows[i]->id, out);
        cts_buf_addf(out, " 0x%02x\n", (unsigned)rows[i]->enc[CTS_SF_OPCODE].value);
    }
    cts_buf_addc(out, '\n');
}

static void add_number(int32_t v, struct cts_buf *out)
{
    if (v == INT32_MIN)
        cts_buf_adds(out, "INT32_MIN");
    else if (v == INT32_MAX)
        cts_buf_adds(out, "INT32_MAX");
    else
        cts_buf_addf(out, "%d", (int)v);
}

static void add_bounds(const struct cts_spec_insn *row, enum cts_spec_field field,
                       struct cts_buf *out)
{
    static const struct {
        int32_t min, max;
    } LIMITS[CTS_SF_COUNT] = {
        [CTS_SF_DST] = {0, 15},
        [CTS_SF_SRC] = {0, 15},
        [CTS_SF_OFF] = {INT16_MIN, INT16_MAX},
        [CTS_SF_IMM] = {INT32_MIN, INT32_MAX},
        [CTS_SF_NEXT_IMM] = {INT32_MIN, INT32_MAX},
    };
    const struct cts_spec_enc *enc = &row->enc[field];
    int32_t min = LIMITS[field].min, max = LIMITS[field].max, step = 1;
    bool nonzero = enc->rule == CTS_SR_NONZERO;

    if (field == CTS_SF_NEXT_IMM && !row->wide) {
        min = max = 0;
    } else if (enc->rule == CTS_SR_FIXED) {
        min = max = enc->value;
    } else if (enc->rule == CTS_SR_REG) {
        min = 0, max = 10;
    } else if (enc->rule == CTS_SR_SPAN) {
        min = enc->value, max = enc->last, step = enc->step;
    }
    cts_buf_adds(out, ", {");
    add_number(min, out);
    cts_buf_adds(out, ", ");
    add_number(max, out);
    cts_buf_addf(out, ", %d, %d}", (int)step, nonzero);
}

/* In the order of the bits of the header. */
static unsigned uses_of(const struct cts_sema *sema)
{
    static const enum cts_sema_operand OPERANDS[] = {CTS_O_DST, CTS_O_SRC, CTS_O_R0};
    static const unsigned USES[] = {CTS_USES_LOAD, CTS_USES_STORE, CTS_USES_ATOMIC,
                                    CTS_USES_JUMP, CTS_USES_CALL,  CTS_USES_PLATFORM,
                                    CTS_USES_ORDER};
    unsigned set = 0, uses = sema ? cts_sema_uses(sema) : 0;

    for (unsigned i = 0; sema && i < 3; i++) {
        set |= (unsigned)cts_sema_reads(sema, OPERANDS[i]) << i;
        set |= (unsigned)cts_sema_writes(sema, OPERANDS[i]) << (3 + i);
    }
    for (unsigned i = 0; i < sizeof(USES) / sizeof(USES[0]); i++)
        set |= (unsigned)((uses & USES[i]) != 0) << (6 + i);
    return set;
}

static void add_rules(const struct cts_spec *spec, const struct cts_spec_insn **rows,
                      struct cts_buf *out)
{
    cts_buf_adds(out, "/* Indexed by enum bpf_isa_info; sorted by opcode. */\n"
                      "static inline const struct bpf_isa_rule *bpf_isa_rules(void)\n{\n"
                      "    static const struct bpf_isa_rule rules[BPF_ISA_INSN_COUNT] = {\n");
    for (size_t i = 0; rows[i]; i++) {
        const struct cts_spec_insn *row = rows[i];
        cts_buf_addf(out, "        {\"%s\", 0x%02x, %d, ", row->id,
                     (unsigned)row->enc[CTS_SF_OPCODE].value, row->wide ? 2 : 1);
        add_macro("BPF_ISA_GROUP_", spec->groups[row->group].name, out);
        cts_buf_addf(out, ", 0x%04x", uses_of(row->sema));
        for (unsigned f = CTS_SF_DST; f < CTS_SF_COUNT; f++)
            add_bounds(row, (enum cts_spec_field)f, out);
        cts_buf_addf(out, ", \"%s\", \"%s\"},\n", row->since_isa, row->since_linux);
    }
    cts_buf_adds(out, "    };\n\n    return rules;\n}\n\n");
}

static void add_index(const struct cts_spec_insn **rows, struct cts_buf *out)
{
    size_t count = 0, first = 0;

    while (rows[count])
        count++;
    cts_buf_adds(out,
                 "/* The first row of an opcode; BPF_ISA_INSN_COUNT if it is assigned to none. "
                 "*/\n"
                 "static inline unsigned bpf_isa_first_rule(uint8_t opcode)\n{\n"
                 "    static const uint16_t first[256] = {");
    for (int op = 0; op < 256; op++) {
        while (first < count && rows[first]->enc[CTS_SF_OPCODE].value < op)
            first++;
        bool has = first < count && rows[first]->enc[CTS_SF_OPCODE].value == op;
        cts_buf_addf(out, "%s%zu,", op % 16 ? " " : "\n        ", has ? first : count);
    }
    cts_buf_adds(out, "\n    };\n\n    return first[opcode];\n}\n\n");
}

/* Second slots are no instructions. */
static void drop_slots(const struct cts_spec_insn **rows)
{
    size_t kept = 0;

    for (size_t i = 0; rows[i]; i++)
        if (!rows[i]->slot)
            rows[kept++] = rows[i];
    rows[kept] = NULL;
}

static int run(const struct cts_gen_request *rq, struct cts_buf *out, struct cts_err *err)
{
    struct cts_arena arena;

    cts_arena_init(&arena, 0);
    const struct cts_spec_insn **rows = cts_info_by_encoding(rq->spec, &arena);
    if (!rows) {
        cts_arena_release(&arena);
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    }
    drop_slots(rows);
    cts_buf_adds(out, "/* The BPF instruction set (RFC 9669) for C99 and C++17: constants, what is "
                      "legal in every field,\n"
                      " * a decoder and a check. Made by `ebpf-cts spec header`; do not edit. */\n"
                      "#ifndef BPF_ISA_HEADER_\n#define BPF_ISA_HEADER_\n\n"
                      "#include <stdbool.h>\n#include <stdint.h>\n\n");
    cts_buf_adds(out, CONSTANTS);
    add_groups(rq->spec, out);
    add_rows(rows, out);
    cts_buf_adds(out, TYPES);
    add_rules(rq->spec, rows, out);
    add_index(rows, out);
    cts_buf_adds(out, FUNCTIONS);
    cts_buf_adds(out, "\n#endif\n");
    cts_arena_release(&arena);
    return 0;
}

static const char *const FORMATS[] = {"c", NULL};

const struct cts_generator cts_generator_header = {
    .name = "header",
    .what = "a C header: constants, legality table, decoder",
    .formats = FORMATS,
    .run = run,
};
