#include "sema/smt.h"

const char *cts_sema_smt_op(enum cts_sema_op op, enum cts_sema_type of)
{
    static const char *const names[CTS_OP_COUNT][2] = {
        [CTS_OP_NEG] = {"bvneg", "bvneg"},
        [CTS_OP_INV] = {"bvnot", "bvnot"},
        [CTS_OP_NOT] = {"not", "not"},
        [CTS_OP_ADD] = {"bvadd", "bvadd"},
        [CTS_OP_SUB] = {"bvsub", "bvsub"},
        [CTS_OP_MUL] = {"bvmul", "bvmul"},
        [CTS_OP_MULHI] = {"umulhi", "smulhi"},
        [CTS_OP_DIV] = {"bvudiv", "bvsdiv"},
        [CTS_OP_MOD] = {"bvurem", "bvsrem"},
        [CTS_OP_AND] = {"bvand", "bvand"},
        [CTS_OP_OR] = {"bvor", "bvor"},
        [CTS_OP_XOR] = {"bvxor", "bvxor"},
        [CTS_OP_SHL] = {"bvshl", "bvshl"},
        [CTS_OP_SHR] = {"bvlshr", "bvashr"},
        [CTS_OP_EQ] = {"=", "="},
        [CTS_OP_NE] = {"distinct", "distinct"},
        [CTS_OP_LT] = {"bvult", "bvslt"},
        [CTS_OP_LE] = {"bvule", "bvsle"},
        [CTS_OP_GT] = {"bvugt", "bvsgt"},
        [CTS_OP_GE] = {"bvuge", "bvsge"},
        [CTS_OP_ANDALSO] = {"and", "and"},
        [CTS_OP_ORELSE] = {"or", "or"},
    };
    return names[op][cts_sema_type_is_signed(of)];
}

void cts_sema_smt_sort(enum cts_sema_type type, struct cts_buf *out)
{
    if (type == CTS_T_BOOL)
        cts_buf_adds(out, "Bool");
    else
        cts_buf_addf(out, "(_ BitVec %u)", cts_sema_type_bits(type));
}

static const char *extension(enum cts_sema_type of)
{
    return cts_sema_type_is_signed(of) ? "sign_extend" : "zero_extend";
}

void cts_sema_smt_convert(enum cts_sema_type from, enum cts_sema_type to, const char *term,
                          struct cts_buf *out)
{
    unsigned a = cts_sema_type_bits(from), b = cts_sema_type_bits(to);
    if (b < a)
        cts_buf_addf(out, "((_ extract %u 0) %s)", b - 1, term);
    else if (b > a)
        cts_buf_addf(out, "((_ %s %u) %s)", extension(from), b - a, term);
    else
        cts_buf_adds(out, term);
}

void cts_sema_smt_mulhi(enum cts_sema_type type, const char *a, const char *b, struct cts_buf *out)
{
    unsigned bits = cts_sema_type_bits(type);
    const char *extend = extension(type);
    cts_buf_addf(out, "((_ extract %u %u) (bvmul ((_ %s %u) %s) ((_ %s %u) %s)))", 2 * bits - 1,
                 bits, extend, bits, a, extend, bits, b);
}
