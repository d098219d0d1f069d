/* The rows are those of RFC 9669 appendix A, plus what other tables add, but for the differences
 * that spec/anchors/differences.yaml explains. */
#include <stdio.h>
#include <string.h>

#include "spec_check/anchors.h"

static const char RFC[] = "rfc9669-appendix-a";

static void compare_field(struct cts_check_run *run, struct cts_differences *all,
                          const struct cts_anchor *anchor, const struct cts_anchor_row *a,
                          const char *field, const char *there, const char *here)
{
    if (!strcmp(there, "-") || !strcmp(there, here) ||
        cts_difference_explains(all, anchor->name, a->row->id, field, there, here))
        return;
    cts_check_fault_at(run, a->row->node, "%s: %s '%s', but %s:%u says '%s'", a->row->id, field,
                       here, anchor->path, a->line, there);
}

static void compare_row(struct cts_check_run *run, struct cts_differences *all,
                        const struct cts_anchor *anchor, const struct cts_anchor_row *a)
{
    run->looked++;
    for (const struct cts_anchor_row *b = anchor->rows; b < a; b++) {
        if (!strcmp(a->key, b->key))
            cts_check_fault(run, anchor->path, a->line, "'%s' is there twice", a->key);
    }
    if (!a->row) {
        if (!cts_difference_explains(all, anchor->name, a->key, "insn", "insn", "-"))
            cts_check_fault(run, anchor->path, a->line, "'%s' is no row of spec/isa", a->key);
        return;
    }
    compare_field(run, all, anchor, a, "group", a->group, run->spec->groups[a->row->group].name);
    compare_field(run, all, anchor, a, "section", a->section, a->row->section);
}

/* An addition is none if the appendix has it. */
static void compare_addition(struct cts_check_run *run, const struct cts_anchor *rfc,
                             const struct cts_anchor *anchor, const struct cts_anchor_row *a)
{
    if (a->row && cts_anchor_of(rfc, a->row))
        cts_check_fault(run, anchor->path, a->line, "'%s' (%s) is in appendix A as well", a->key,
                        a->row->id);
}

/* As the tables write it. */
static void add_rule(struct cts_buf *out, const struct cts_spec_enc *e)
{
    if (e->rule == CTS_SR_FIXED)
        cts_buf_addf(out, "%d", (int)e->value);
    else if (e->rule == CTS_SR_SPAN)
        cts_buf_addf(out, "%d..%d/%d", (int)e->value, (int)e->last, (int)e->step);
    else
        cts_buf_adds(out, e->rule == CTS_SR_NONZERO ? "nonzero" : "any");
}

/* The line that the table lacks, if what it is a table of has the instruction. */
static void lacks_row(struct cts_check_run *run, const struct cts_anchor *anchor,
                      const struct cts_spec_insn *row)
{
    struct cts_buf line;

    cts_buf_init(&line, 1024);
    cts_buf_addf(&line, "0x%02x", (unsigned)row->enc[CTS_SF_OPCODE].value);
    for (enum cts_spec_field f = CTS_SF_SRC; f <= CTS_SF_IMM; f++) {
        cts_buf_addc(&line, '\t');
        add_rule(&line, &row->enc[f]);
    }
    cts_buf_addf(&line, "\t-\t-\t%s\t", row->name);
    cts_buf_adds(&line, row->origin == CTS_ORIGIN_LINUX ? row->since_linux : "VERSION");
    if (!strcmp(anchor->name, RFC))
        cts_check_fault_at(run, row->node, "%s: %s has no such row", row->id, anchor->path);
    else
        cts_check_fault_at(run, row->node, "%s: %s has no such row; if %s has it, add to %s: %s",
                           row->id, anchor->path, anchor->name, anchor->path, cts_buf_text(&line));
    cts_buf_release(&line);
}

/* A row must be in the table of its origin; one of the RFC that the appendix lacks, in both of the
 * others. */
static void find_row(struct cts_check_run *run, struct cts_differences *all,
                     const struct cts_anchor anchor[3], const struct cts_spec_insn *row)
{
    static const bool wanted[CTS_ORIGIN_COUNT][3] = {
        [CTS_ORIGIN_RFC] = {true, false, false},
        [CTS_ORIGIN_LINUX] = {false, true, false},
        [CTS_ORIGIN_TOOLCHAIN] = {false, false, true},
    };
    bool lacks = false;

    for (size_t i = 0; i < 3; i++) {
        if (!(wanted[row->origin][i] || lacks) || cts_anchor_of(&anchor[i], row))
            continue;
        lacks = row->origin == CTS_ORIGIN_RFC;
        if (!cts_difference_explains(all, anchor[i].name, row->id, "insn", "-", "insn"))
            lacks_row(run, &anchor[i], row);
    }
}

static void run_anchors(struct cts_check_run *run)
{
    static const char *const names[] = {RFC, "linux", "llvm", NULL};
    struct cts_anchor anchor[3];
    struct cts_differences all;
    size_t used = 0;

    if (!cts_differences_load(run, &all))
        return;
    for (size_t i = 0; i < 3; i++) {
        if (!cts_anchor_load(run, names[i], &anchor[i]))
            return;
    }
    for (size_t i = 0; i < 3; i++) {
        for (size_t r = 0; r < anchor[i].count; r++) {
            compare_row(run, &all, &anchor[i], &anchor[i].rows[r]);
            if (i)
                compare_addition(run, &anchor[0], &anchor[i], &anchor[i].rows[r]);
        }
    }
    for (size_t i = 0; i < run->spec->row_count; i++)
        find_row(run, &all, anchor, &run->spec->rows[i]);
    cts_differences_unused(run, &all, names);
    for (size_t i = 0; i < all.count; i++)
        used += all.list[i].used;
    snprintf(run->more, sizeof(run->more),
             "%zu of them of appendix A, %zu rows here, %zu explained differences", anchor[0].count,
             run->spec->row_count, used);
}

const struct cts_check cts_check_anchors = {
    .name = "anchors",
    .what = "the rows are those of appendix A, Linux and LLVM, but for explained differences",
    .unit = "lines of outside tables",
    .run = run_anchors,
};
