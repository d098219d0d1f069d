/* Private to the reader of .data files. */
#ifndef CTS_CONF_IMPL_H
#define CTS_CONF_IMPL_H

#include "conf/conf.h"

enum cts_conf_form {
    CTS_CF_ALU,    /* dst, register or immediate */
    CTS_CF_UNARY,  /* dst */
    CTS_CF_MOVSX,  /* dst, src */
    CTS_CF_LDDW,   /* dst, 64-bit immediate */
    CTS_CF_LDX,    /* dst, [src+off] */
    CTS_CF_ST,     /* [dst+off], immediate */
    CTS_CF_STX,    /* [dst+off], src */
    CTS_CF_ATOMIC, /* [dst+off], src, after `lock` or `lock fetch` */
    CTS_CF_JUMP,   /* dst, register or immediate, target */
    CTS_CF_JA,     /* target in off */
    CTS_CF_JA32,   /* target in imm */
    CTS_CF_CALL,   /* [helper|local|runtime] what */
    CTS_CF_EXIT,
};

/* What a mnemonic stands for. */
struct cts_conf_mnemonic {
    uint8_t form; /* enum cts_conf_form */
    enum cts_row_id k,
        x; /* by immediate; by register, or with the fetch bit; CTS_ROW_COUNT: none */
};

/* False if there is no such mnemonic. `lock`: those of atomic operations, without that word. */
bool cts_conf_mnemonic(const char *word, size_t len, bool lock, struct cts_conf_mnemonic *out);

/* Numbers: decimal or 0x hexadecimal with an optional sign; all of [text, end). CTS_E_SYNTAX
 * without a message for anything else. `negative`: it had a minus; *v is its magnitude. */
int cts_conf_number(const char *text, size_t len, bool *negative, uint64_t *v);

/* The number of a helper in a .data file, and what it is in programs for workers; any other number
 * is itself. */
int32_t cts_conf_helper_from(int32_t number);
int32_t cts_conf_helper_to(int32_t id);
bool cts_conf_is_helper_call(const struct cts_insn *in);

#endif
