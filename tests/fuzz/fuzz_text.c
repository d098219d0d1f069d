/* uses: base isa */
/* Any line, in either syntax: refused with a reason, or an instruction that prints as a text which
 * gives the same instruction. */
#include <stdlib.h>
#include <string.h>

#include "isa/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool zero(void *arg, const char *name, size_t len, int64_t *distance)
{
    (void)arg;
    *distance = len > 0 ? name[0] : 0;
    return len > 1;
}

static bool same(const struct cts_insn *a, const struct cts_insn *b)
{
    return a->opcode == b->opcode && a->dst == b->dst && a->src == b->src && a->off == b->off &&
           a->imm == b->imm && a->next_imm == b->next_imm;
}

static void one(const char *line, enum cts_syntax syntax, const struct cts_text_names *names)
{
    struct cts_insn in, back;
    enum cts_insn_id row, again;
    struct cts_err err;
    char text[CTS_INSN_TEXT_MAX];

    cts_err_clear(&err);
    if (cts_text_parse(line, syntax, names, &in, &row, &err)) {
        if (row != CTS_INSN_COUNT || !err.msg[0] || err.col > strlen(line) + 1)
            abort();
        return;
    }
    if (cts_insn_check(row, &in, NULL) || cts_insn_of(&in) != row)
        abort();
    if (cts_text_print(row, &in, syntax, text, sizeof(text)) >= sizeof(text))
        abort();
    if (cts_text_parse(text, syntax, NULL, &back, &again, NULL) || again != row ||
        !same(&in, &back))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct cts_text_names names = {zero, NULL};
    const char *name, *rest;
    char *line = malloc(size + 1);

    if (!line)
        return 0;
    memcpy(line, data, size);
    line[size] = '\0';
    if (cts_text_label(line, &name, &rest) > size)
        abort();
    for (unsigned s = 0; s < CTS_SYNTAX_COUNT; s++) {
        one(line, (enum cts_syntax)s, NULL);
        one(line, (enum cts_syntax)s, &names);
    }
    free(line);
    return 0;
}
