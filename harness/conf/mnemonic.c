#include "conf/impl.h"

#include <string.h>

#include "base/fmt.h"

/* Families whose rows are called after them, with a width of 32 or 64 and _k or _x behind it. */
static const char *const alu[] = {"add", "sub", "mul", "div", "sdiv", "mod",  "smod",
                                  "or",  "and", "xor", "lsh", "rsh",  "arsh", "mov"};
static const char *const jumps[] = {"jeq",  "jgt", "jge", "jset", "jne", "jsgt",
                                    "jsge", "jlt", "jle", "jslt", "jsle"};
static const char *const atomics[] = {"add", "or", "and", "xor", "xchg", "cmpxchg"};

static const struct {
    const char *word, *row;
    uint8_t form;
} singles[] = {
    {"neg", "neg64", CTS_CF_UNARY},
    {"neg32", "neg32", CTS_CF_UNARY},
    {"neg64", "neg64", CTS_CF_UNARY},
    {"le16", "le16", CTS_CF_UNARY},
    {"le32", "le32", CTS_CF_UNARY},
    {"le64", "le64", CTS_CF_UNARY},
    {"be16", "be16", CTS_CF_UNARY},
    {"be32", "be32", CTS_CF_UNARY},
    {"be64", "be64", CTS_CF_UNARY},
    {"swap16", "bswap16", CTS_CF_UNARY},
    {"swap32", "bswap32", CTS_CF_UNARY},
    {"swap64", "bswap64", CTS_CF_UNARY},
    {"bswap16", "bswap16", CTS_CF_UNARY},
    {"bswap32", "bswap32", CTS_CF_UNARY},
    {"bswap64", "bswap64", CTS_CF_UNARY},
    {"movsx864", "movsx64_s8", CTS_CF_MOVSX},
    {"movsx1664", "movsx64_s16", CTS_CF_MOVSX},
    {"movsx3264", "movsx64_s32", CTS_CF_MOVSX},
    {"movsx832", "movsx32_s8", CTS_CF_MOVSX},
    {"movsx1632", "movsx32_s16", CTS_CF_MOVSX},
    {"lddw", "lddw", CTS_CF_LDDW},
    {"ldxb", "ldx_b", CTS_CF_LDX},
    {"ldxh", "ldx_h", CTS_CF_LDX},
    {"ldxw", "ldx_w", CTS_CF_LDX},
    {"ldxdw", "ldx_dw", CTS_CF_LDX},
    {"ldxsb", "ldxsx_b", CTS_CF_LDX},
    {"ldxsh", "ldxsx_h", CTS_CF_LDX},
    {"ldxsw", "ldxsx_w", CTS_CF_LDX},
    {"stb", "st_b", CTS_CF_ST},
    {"sth", "st_h", CTS_CF_ST},
    {"stw", "st_w", CTS_CF_ST},
    {"stdw", "st_dw", CTS_CF_ST},
    {"stxb", "stx_b", CTS_CF_STX},
    {"stxh", "stx_h", CTS_CF_STX},
    {"stxw", "stx_w", CTS_CF_STX},
    {"stxdw", "stx_dw", CTS_CF_STX},
    {"ja", "ja", CTS_CF_JA},
    {"ja32", "ja32", CTS_CF_JA32},
    {"call", "call_helper", CTS_CF_CALL},
    {"exit", "exit", CTS_CF_EXIT},
};

static bool is_one_of(const char *const *list, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], word) == 0)
            return true;
    return false;
}

/* Cuts "32" or "64" off the end: the width it says; 64 if it says none. */
static unsigned cut_width(char *word)
{
    size_t len = strlen(word);
    if (len < 3)
        return 64;
    unsigned width = strcmp(word + len - 2, "32") == 0 ? 32 : 64;
    if (width == 32 || strcmp(word + len - 2, "64") == 0)
        word[len - 2] = '\0';
    return width;
}

static bool find_atomic(char *word, struct cts_conf_mnemonic *out)
{
    char id[64];
    unsigned width = cut_width(word);
    if (!is_one_of(atomics, sizeof(atomics) / sizeof(atomics[0]), word))
        return false;
    cts_fmt(id, sizeof(id), "atomic%u_%s", width, word);
    out->k = cts_row_find(id);
    cts_fmt(id, sizeof(id), "atomic%u_fetch_%s", width, word);
    out->x = cts_row_find(id);
    out->form = CTS_CF_ATOMIC;
    return true;
}

static bool find_family(char *word, struct cts_conf_mnemonic *out)
{
    char id[64];
    unsigned width = cut_width(word);
    bool jump = is_one_of(jumps, sizeof(jumps) / sizeof(jumps[0]), word);
    if (!jump && !is_one_of(alu, sizeof(alu) / sizeof(alu[0]), word))
        return false;
    const char *bits = width == 32 ? "32" : jump ? "" : "64";
    cts_fmt(id, sizeof(id), "%s%s_k", word, bits);
    out->k = cts_row_find(id);
    cts_fmt(id, sizeof(id), "%s%s_x", word, bits);
    out->x = cts_row_find(id);
    out->form = jump ? CTS_CF_JUMP : CTS_CF_ALU;
    return true;
}

bool cts_conf_mnemonic(const char *word, size_t len, bool lock, struct cts_conf_mnemonic *out)
{
    char copy[16];
    if (len == 0 || len >= sizeof(copy))
        return false;
    memcpy(copy, word, len);
    copy[len] = '\0';
    *out = (struct cts_conf_mnemonic){.k = CTS_ROW_COUNT, .x = CTS_ROW_COUNT};
    for (size_t i = 0; !lock && i < sizeof(singles) / sizeof(singles[0]); i++) {
        if (strcmp(singles[i].word, copy) != 0)
            continue;
        out->form = singles[i].form;
        out->k = cts_row_find(singles[i].row);
        return true;
    }
    return lock ? find_atomic(copy, out) : find_family(copy, out);
}
