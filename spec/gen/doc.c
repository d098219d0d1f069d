/* What both forms of the page say. */
#include "doc.h"

#include <string.h>

#include "base/fmt.h"

static const char *open_text(enum cts_spec_field field, const struct cts_spec_enc *enc)
{
    if (enc->rule == CTS_SR_NONZERO)
        return field == CTS_SF_OFF ? "off != 0" : "imm != 0";
    switch (field) {
    case CTS_SF_DST:
        return "dst";
    case CTS_SF_SRC:
        return "src";
    case CTS_SF_OFF:
        return "offset";
    case CTS_SF_IMM:
        return "imm";
    case CTS_SF_NEXT_IMM:
        return "next_imm";
    case CTS_SF_OPCODE:
    case CTS_SF_COUNT:
        break;
    }
    return "opcode";
}

/* The bytes of a fixed field, in the order of memory. */
static void add_digits(uint32_t value, unsigned bytes, bool big, char *text)
{
    size_t len = 0;

    for (unsigned i = 0; i < bytes; i++) {
        unsigned shift = 8 * (big ? bytes - 1 - i : i);
        len += cts_fmt(text + len, CTS_INFO_FIELD_TEXT - len, "%s%02x", i ? " " : "",
                       (unsigned)(value >> shift & 0xff));
    }
}

static void set_box(struct cts_doc_box *box, enum cts_spec_field field,
                    const struct cts_spec_enc *enc, unsigned nibbles, bool big)
{
    *box = (struct cts_doc_box){.name = cts_spec_field_name(field), .nibbles = nibbles};
    box->open = enc->rule != CTS_SR_FIXED;
    if (box->open)
        cts_fmt(box->text, sizeof(box->text), "%s", open_text(field, enc));
    else if (nibbles == 1)
        cts_fmt(box->text, sizeof(box->text), "%x", (unsigned)enc->value);
    else
        add_digits((uint32_t)enc->value, nibbles / 2, big, box->text);
}

void cts_doc_boxes(const struct cts_spec_insn *row, unsigned slot, bool big,
                   struct cts_doc_box box[CTS_DOC_BOXES])
{
    static const struct cts_spec_enc ZERO = {.rule = CTS_SR_FIXED};
    bool second = slot == 1;
    enum cts_spec_field imm = second ? CTS_SF_NEXT_IMM : CTS_SF_IMM;
    enum cts_spec_field high = big ? CTS_SF_DST : CTS_SF_SRC;
    enum cts_spec_field low = big ? CTS_SF_SRC : CTS_SF_DST;

    set_box(&box[0], CTS_SF_OPCODE, second ? &ZERO : &row->enc[CTS_SF_OPCODE], 2, big);
    set_box(&box[1], high, second ? &ZERO : &row->enc[high], 1, big);
    set_box(&box[2], low, second ? &ZERO : &row->enc[low], 1, big);
    set_box(&box[3], CTS_SF_OFF, second ? &ZERO : &row->enc[CTS_SF_OFF], 4, big);
    set_box(&box[4], imm, &row->enc[imm], 8, big);
}

/* Braces and semicolons are in no expression, so they show where lines end. */
static const char *break_lines(struct cts_doc *d, const char *text)
{
    unsigned depth = 0;

    cts_buf_clear(&d->text);
    for (; *text; text++) {
        if (text[0] == ' ' && text[1] == '}') {
            depth -= depth > 0;
            cts_buf_addf(&d->text, "\n%*s", (int)(depth * 4), "");
            continue;
        }
        cts_buf_addc(&d->text, *text);
        depth += *text == '{';
        if ((*text == '{' || *text == ';') && text[1] == ' ') {
            cts_buf_addf(&d->text, "\n%*s", (int)(depth * 4), "");
            text++;
        }
    }
    d->out->failed |= d->text.failed;
    return cts_buf_text(&d->text);
}

const char *cts_doc_does(struct cts_doc *d, const struct cts_spec_insn *row)
{
    return break_lines(d, row->does ? row->does : "");
}

const char *cts_doc_words(struct cts_doc *d, const struct cts_spec_insn *row)
{
    struct cts_buf words;

    cts_buf_init(&words, 0);
    cts_info_words(row, &words);
    d->out->failed |= words.failed;
    const char *text = break_lines(d, cts_buf_text(&words));
    cts_buf_release(&words);
    return text;
}

/* Placeholders and what examples have in their place. */
static const struct {
    const char *name, *text;
    enum cts_spec_field field; /* whose value it is, if that is fixed; CTS_SF_COUNT: none */
} EXAMPLES[] = {
    {"{dst}", "r1", CTS_SF_COUNT}, {"{dst.w}", "w1", CTS_SF_COUNT},
    {"{src}", "r2", CTS_SF_COUNT}, {"{src.w}", "w2", CTS_SF_COUNT},
    {"{imm}", "5", CTS_SF_IMM},    {"{imm64}", "5", CTS_SF_COUNT},
    {"{off}", "+4", CTS_SF_OFF},   {"{disp}", "+ 4", CTS_SF_OFF},
    {"{rel}", "+4", CTS_SF_COUNT}, {"{next_imm}", "0", CTS_SF_NEXT_IMM},
};

/* 4, or the value nearest to 0 that is legal. */
static void add_distance(const struct cts_spec_enc *off, bool apart, struct cts_buf *out)
{
    int v = off->rule == CTS_SR_FIXED ? off->value : 4;

    if (off->rule == CTS_SR_SPAN)
        v = off->value > 0 ? off->value : off->last < 0 ? off->last : 0;
    cts_buf_addf(out, "%c%s%d", v < 0 ? '-' : '+', apart ? " " : "", v < 0 ? -v : v);
}

/* Appends what stands for the placeholder at `at`; returns its length, 0 if there is none. */
static size_t add_example(const struct cts_spec_insn *row, const char *at, struct cts_buf *out)
{
    for (size_t i = 0; i < sizeof(EXAMPLES) / sizeof(EXAMPLES[0]); i++) {
        size_t len = strlen(EXAMPLES[i].name);
        enum cts_spec_field field = EXAMPLES[i].field;
        if (strncmp(at, EXAMPLES[i].name, len) != 0)
            continue;
        if (field == CTS_SF_OFF)
            add_distance(&row->enc[field], strchr(EXAMPLES[i].text, ' ') != NULL, out);
        else if (field != CTS_SF_COUNT && row->enc[field].rule == CTS_SR_FIXED)
            cts_buf_addf(out, "%d", (int)row->enc[field].value);
        else
            cts_buf_adds(out, EXAMPLES[i].text);
        return len;
    }
    return 0;
}

const char *cts_doc_example(struct cts_doc *d, const struct cts_spec_insn *row, const char *syntax)
{
    cts_buf_clear(&d->text);
    while (*syntax) {
        size_t len = add_example(row, syntax, &d->text);
        if (!len)
            cts_buf_addc(&d->text, *syntax);
        syntax += len ? len : 1;
    }
    d->out->failed |= d->text.failed;
    return cts_buf_text(&d->text);
}

const struct cts_vec *cts_doc_vector(const struct cts_doc *d, const char *row_id,
                                     enum cts_vector_kind kind, size_t i)
{
    for (size_t k = 0; k < d->rq->tested->count; k++) {
        const struct cts_vec *v = d->rq->tested->vectors[k];
        if (v->kind == kind && cts_info_has(v->rows, v->row_count, row_id) && !i--)
            return v;
    }
    return NULL;
}

size_t cts_doc_vectors(const struct cts_doc *d, const char *row_id, enum cts_vector_kind kind,
                       size_t *cases)
{
    size_t count = 0;

    *cases = 0;
    for (size_t k = 0; k < d->rq->tested->count; k++) {
        const struct cts_vec *v = d->rq->tested->vectors[k];
        if (v->kind != kind || !cts_info_has(v->rows, v->row_count, row_id))
            continue;
        *cases += v->case_count;
        count++;
    }
    return count;
}

size_t cts_doc_insns_of(const struct cts_doc *d, unsigned group)
{
    size_t count = 0;

    for (size_t i = 0; i < d->spec->row_count; i++)
        count += d->spec->rows[i].group == group;
    return count;
}
