/* The names of the language, one table a kind; and what the names stand for. */
#include "sema/impl.h"

static const struct {
    const char *name;
    unsigned bits;
    bool is_signed;
} TYPES[CTS_T_COUNT] = {
    [CTS_T_NONE] = {"unknown", 0, false}, [CTS_T_BOOL] = {"bool", 1, false},
    [CTS_T_U8] = {"u8", 8, false},        [CTS_T_U16] = {"u16", 16, false},
    [CTS_T_U32] = {"u32", 32, false},     [CTS_T_U64] = {"u64", 64, false},
    [CTS_T_S8] = {"s8", 8, true},         [CTS_T_S16] = {"s16", 16, true},
    [CTS_T_S32] = {"s32", 32, true},      [CTS_T_S64] = {"s64", 64, true},
};

static const struct {
    const char *name;
    enum cts_sema_type type;
} OPERANDS[CTS_O_COUNT] = {
    [CTS_O_DST] = {"dst", CTS_T_U64}, [CTS_O_SRC] = {"src", CTS_T_U64},
    [CTS_O_R0] = {"r0", CTS_T_U64},   [CTS_O_IMM] = {"imm", CTS_T_S32},
    [CTS_O_OFF] = {"off", CTS_T_S16}, [CTS_O_NEXT_IMM] = {"next_imm", CTS_T_S32},
};

static const struct {
    const char *text;
    unsigned level;
} OPS[CTS_OP_COUNT] = {
    [CTS_OP_NEG] = {"-", 0},       [CTS_OP_INV] = {"~", 0},  [CTS_OP_NOT] = {"!", 0},
    [CTS_OP_ADD] = {"+", 9},       [CTS_OP_SUB] = {"-", 9},  [CTS_OP_MUL] = {"*", 10},
    [CTS_OP_MULHI] = {"mulhi", 0}, [CTS_OP_DIV] = {"/", 10}, [CTS_OP_MOD] = {"%", 10},
    [CTS_OP_AND] = {"&", 5},       [CTS_OP_OR] = {"|", 3},   [CTS_OP_XOR] = {"^", 4},
    [CTS_OP_SHL] = {"<<", 8},      [CTS_OP_SHR] = {">>", 8}, [CTS_OP_EQ] = {"==", 6},
    [CTS_OP_NE] = {"!=", 6},       [CTS_OP_LT] = {"<", 7},   [CTS_OP_LE] = {"<=", 7},
    [CTS_OP_GT] = {">", 7},        [CTS_OP_GE] = {">=", 7},  [CTS_OP_ANDALSO] = {"&&", 2},
    [CTS_OP_ORELSE] = {"||", 1},
};

static const struct {
    const char *name;
    enum cts_sema_type arg, result;
} FUNCS[CTS_FN_COUNT] = {
    [CTS_FN_BSWAP16] = {"bswap16", CTS_T_U16, CTS_T_U16},
    [CTS_FN_BSWAP32] = {"bswap32", CTS_T_U32, CTS_T_U32},
    [CTS_FN_BSWAP64] = {"bswap64", CTS_T_U64, CTS_T_U64},
    [CTS_FN_LE16] = {"le16", CTS_T_U16, CTS_T_U16},
    [CTS_FN_LE32] = {"le32", CTS_T_U32, CTS_T_U32},
    [CTS_FN_LE64] = {"le64", CTS_T_U64, CTS_T_U64},
    [CTS_FN_BE16] = {"be16", CTS_T_U16, CTS_T_U16},
    [CTS_FN_BE32] = {"be32", CTS_T_U32, CTS_T_U32},
    [CTS_FN_BE64] = {"be64", CTS_T_U64, CTS_T_U64},
    [CTS_FN_MAP_BY_FD] = {"map_by_fd", CTS_T_S32, CTS_T_U64},
    [CTS_FN_MAP_BY_IDX] = {"map_by_idx", CTS_T_S32, CTS_T_U64},
    [CTS_FN_MAP_VAL] = {"map_val", CTS_T_U64, CTS_T_U64},
    [CTS_FN_VAR_ADDR] = {"var_addr", CTS_T_S32, CTS_T_U64},
    [CTS_FN_CODE_ADDR] = {"code_addr", CTS_T_S32, CTS_T_U64},
    [CTS_FN_PACKET8] = {"packet8", CTS_T_U64, CTS_T_U8},
    [CTS_FN_PACKET16] = {"packet16", CTS_T_U64, CTS_T_U16},
    [CTS_FN_PACKET32] = {"packet32", CTS_T_U64, CTS_T_U32},
    [CTS_FN_FROM_ARENA] = {"from_arena", CTS_T_U64, CTS_T_U64},
    [CTS_FN_TO_ARENA] = {"to_arena", CTS_T_U64, CTS_T_U64},
    [CTS_FN_SLOTS_TO] = {"slots_to", CTS_T_U64, CTS_T_S64},
    [CTS_FN_MODULE_FUNC] = {"module_func", CTS_T_U64, CTS_T_S32},
    [CTS_FN_ARG_IN] = {"arg_in", CTS_T_S16, CTS_T_U64},
    [CTS_FN_ARG_OUT] = {"arg_out", CTS_T_S16, CTS_T_U64},
};

static const char *const CALLS[CTS_CALL_COUNT] = {
    [CTS_CALL_HELPER] = "helper",
    [CTS_CALL_LOCAL] = "local",
    [CTS_CALL_BTF] = "btf",
};

static const char *const ORDERS[CTS_MO_COUNT] = {
    [CTS_MO_PLAIN] = "",
    [CTS_MO_ACQUIRE] = "acquire",
    [CTS_MO_RELEASE] = "release",
};

const char *cts_sema_type_name(enum cts_sema_type type)
{
    return type < CTS_T_COUNT ? TYPES[type].name : "?";
}

unsigned cts_sema_type_bits(enum cts_sema_type type)
{
    return type < CTS_T_COUNT ? TYPES[type].bits : 0;
}

bool cts_sema_type_is_signed(enum cts_sema_type type)
{
    return type < CTS_T_COUNT && TYPES[type].is_signed;
}

enum cts_sema_type cts_sema_type_of(unsigned bits, bool is_signed)
{
    for (enum cts_sema_type t = CTS_T_U8; t < CTS_T_COUNT; t++) {
        if (TYPES[t].bits == bits && TYPES[t].is_signed == is_signed)
            return t;
    }
    return CTS_T_NONE;
}

const char *cts_sema_operand_name(enum cts_sema_operand o)
{
    return o < CTS_O_COUNT ? OPERANDS[o].name : "?";
}

enum cts_sema_type cts_sema_operand_type(enum cts_sema_operand o)
{
    return o < CTS_O_COUNT ? OPERANDS[o].type : CTS_T_NONE;
}

const char *cts_sema_op_text(enum cts_sema_op op)
{
    return op < CTS_OP_COUNT ? OPS[op].text : "?";
}

bool cts_sema_op_is_named(enum cts_sema_op op)
{
    return op >= CTS_OP_ADD && cts_sema_op_level(op) == 0;
}

unsigned cts_sema_op_level(enum cts_sema_op op)
{
    return op < CTS_OP_COUNT ? OPS[op].level : 0;
}

const char *cts_sema_func_name(enum cts_sema_func func)
{
    return func < CTS_FN_COUNT ? FUNCS[func].name : "?";
}

enum cts_sema_type cts_sema_func_arg(enum cts_sema_func func)
{
    return func < CTS_FN_COUNT ? FUNCS[func].arg : CTS_T_NONE;
}

enum cts_sema_type cts_sema_func_result(enum cts_sema_func func)
{
    return func < CTS_FN_COUNT ? FUNCS[func].result : CTS_T_NONE;
}

const char *cts_sema_call_name(enum cts_sema_call call)
{
    return call < CTS_CALL_COUNT ? CALLS[call] : "?";
}

const char *cts_sema_order_name(enum cts_sema_memory_order order)
{
    return order < CTS_MO_COUNT ? ORDERS[order] : "?";
}
