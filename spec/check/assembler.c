#include "spec_check/assembler.h"

#include <stdio.h>
#include <string.h>

struct batch {
    struct cts_check_run *run;
    const struct cts_assembler *a;
    struct cts_limits *limits;
    const char *syntax; /* of the row at hand */
    struct cts_buf text;
    struct cts_sample *samples;
    size_t count, cap;
    size_t rows, silent; /* rows with a text, and rows without */
};

/* The limit that the sample is under; null: none. */
static struct cts_limit *limit_of(const struct cts_limits *limits, const struct cts_sample *s)
{
    for (size_t i = 0; i < limits->count; i++) {
        struct cts_limit *l = &limits->list[i];
        if (l->row == s->row &&
            (l->all || s->value[l->field] < l->lo || s->value[l->field] > l->hi))
            return l;
    }
    return NULL;
}

static void add_sample(void *arg, const struct cts_sample *s)
{
    struct batch *b = arg;

    if (b->a->only_good && limit_of(b->limits, s))
        return;
    if (b->count == b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 4096;
        struct cts_sample *more = cts_check_take(b->run, cap, sizeof(*more));
        if (!more)
            return;
        if (b->count)
            memcpy(more, b->samples, b->count * sizeof(*more));
        b->samples = more;
        b->cap = cap;
    }
    b->samples[b->count++] = *s;
    cts_sample_text(s, b->syntax, b->a->signed_off, &b->text);
}

static void add_rows(struct batch *b)
{
    const struct cts_spec *spec = b->run->spec;

    for (size_t i = 0; i < spec->row_count; i++) {
        const struct cts_spec_insn *row = &spec->rows[i];
        if (row->slot)
            continue;
        b->syntax = b->a->syntax(b->a->arg, row);
        if (b->syntax && *b->syntax) {
            b->rows++;
            cts_sample_each(row, add_sample, b);
            continue;
        }
        b->silent++;
        const struct cts_limit *limit = cts_limit_of(b->limits, row, CTS_SF_COUNT);
        if (!b->syntax && row->origin == CTS_ORIGIN_RFC && (!limit || !limit->all))
            cts_check_fault_at(b->run, row->node,
                               "%s: no text for %s, and limits.yaml says not why", row->id,
                               b->a->tool);
    }
}

static void hex(const uint8_t *bytes, size_t count, char out[2 * CTS_SAMPLE_BYTES + 1])
{
    for (size_t i = 0; i < count; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    out[2 * count] = 0;
}

static void wrong(const struct batch *b, const struct cts_sample *s, bool be, const uint8_t *bytes,
                  size_t count, const struct cts_asm_line *line)
{
    char want[2 * CTS_SAMPLE_BYTES + 1], got[2 * CTS_SAMPLE_BYTES + 1];
    const char *syntax = b->a->syntax(b->a->arg, s->row);
    struct cts_buf text;

    cts_buf_init(&text, 4096);
    cts_sample_text(s, syntax, b->a->signed_off, &text);
    hex(bytes, count, want);
    hex(line->bytes, line->count, got);
    cts_check_fault_at(b->run, s->row->node, "%s, %s endian: '%.*s' is %s, %s says %s", s->row->id,
                       be ? "big" : "little", (int)text.len - 1, cts_buf_text(&text), want,
                       b->a->tool, line->count ? got : "it cannot be");
    cts_buf_release(&text);
}

/* How many samples the row has that begins with the i-th, if all of them are refused; else 0. */
static size_t count_refused(const struct batch *b, const struct cts_asm_line *lines, size_t i)
{
    const struct cts_spec_insn *row = b->samples[i].row;
    size_t n = 0;

    if (i && b->samples[i - 1].row == row)
        return 0;
    for (; i + n < b->count && b->samples[i + n].row == row; n++) {
        if (lines[i + n].count || limit_of(b->limits, &b->samples[i + n]))
            return 0;
    }
    return n;
}

/* One fault, and not one for each value of each field. */
static void refuses(const struct batch *b, const struct cts_sample *s, bool be)
{
    struct cts_buf text;

    cts_buf_init(&text, 4096);
    cts_sample_text(s, b->a->syntax(b->a->arg, s->row), b->a->signed_off, &text);
    cts_check_fault_at(b->run, s->row->node, "%s, %s endian: %s %s refuses '%.*s' and all others%s",
                       s->row->id, be ? "big" : "little", b->a->tool, b->a->version,
                       (int)text.len - 1, cts_buf_text(&text),
                       s->row->origin == CTS_ORIGIN_RFC ? "" : b->a->unknown);
    cts_buf_release(&text);
}

static void compare(struct batch *b, bool be, const struct cts_asm_line *lines)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct cts_sample *s = &b->samples[i];
        size_t refused = count_refused(b, lines, i);
        if (refused) {
            refuses(b, s, be);
            b->run->looked += refused;
            i += refused - 1;
            continue;
        }
        struct cts_limit *limit = limit_of(b->limits, s);
        uint8_t bytes[CTS_SAMPLE_BYTES];
        size_t count = cts_sample_encode(s, be, bytes);
        bool same = lines[i].count == count && !memcmp(lines[i].bytes, bytes, count);

        if (limit) {
            limit->met++;
            limit->wrong += !same;
            continue;
        }
        b->run->looked++;
        if (!same)
            wrong(b, s, be, bytes, count, &lines[i]);
    }
}

/* Limits of the version at hand must be real ones. */
static void check_limits(struct batch *b)
{
    for (size_t i = 0; i < b->limits->count; i++) {
        const struct cts_limit *l = &b->limits->list[i];
        const char *text = b->a->syntax(b->a->arg, l->row);
        if (b->a->only_good && text && l->all)
            cts_check_fault_at(b->run, l->node, "%s: %s has a text for %s", l->id, l->tool,
                               l->row->id);
        if (!text || !*text) /* it came later, and this version has it not */
            continue;
        if (b->a->only_good || l->wrong || strcmp(l->version, b->a->version) != 0)
            continue;
        cts_check_fault_at(b->run, l->node, "%s: %s %s", l->id, l->row->id,
                           l->met ? "gives the right bytes all the same"
                                  : "has no value that is under this limit");
    }
}

void cts_assembler_compare(struct cts_check_run *run, const struct cts_assembler *a)
{
    struct cts_limits limits;
    struct batch b = {.run = run, .a = a, .limits = &limits};

    if (!cts_limits_load(run, a->tool, &limits))
        return;
    cts_buf_init(&b.text, (size_t)16 << 20);
    add_rows(&b);
    struct cts_asm_line *lines = cts_check_take(run, b.count, sizeof(*lines));
    for (int be = 0; lines && be < 2; be++) {
        memset(lines, 0, b.count * sizeof(*lines));
        if (!a->assemble(a->arg, run, be, &b.text, lines, b.count))
            break;
        compare(&b, be, lines);
    }
    if (lines && !run->faults)
        check_limits(&b);
    snprintf(run->more, sizeof(run->more), "of %zu rows, %zu limits, %s %s", b.rows, limits.count,
             a->tool, a->version);
    cts_buf_release(&b.text);
}
