/* The groups are those of RFC 9669 section 7.1.1, and each row is in the group that the text of the
 * RFC (sections 2.4, 4.1, 4.2, 4.3, 5, 5.3, 5.5) gives it, but for explained differences. */
#include <stdio.h>
#include <string.h>

#include "spec_check/anchors.h"

enum { LD = 0, LDX = 1, ST = 2, STX = 3, ALU = 4, JMP = 5, JMP32 = 6, ALU64 = 7 };

struct group_rule {
    unsigned classes; /* bit for each class */
    uint8_t mask, value;
    bool imm64; /* only with imm 64 */
    const char *group;
};

#define IN(c) (1u << (c))

/* The first that fits holds. */
static const struct group_rule GROUP_RULES[] = {
    {IN(STX), 0xf8, 0xc0, false, "atomic32"},
    {IN(STX), 0xf8, 0xd8, false, "atomic64"},
    {IN(LD), 0xe0, 0x20, false, "packet"},
    {IN(LD), 0xe0, 0x40, false, "packet"},
    {IN(ALU), 0xf0, 0x20, false, "divmul32"},
    {IN(ALU), 0xf0, 0x30, false, "divmul32"},
    {IN(ALU), 0xf0, 0x90, false, "divmul32"},
    {IN(ALU64), 0xf0, 0x20, false, "divmul64"},
    {IN(ALU64), 0xf0, 0x30, false, "divmul64"},
    {IN(ALU64), 0xf0, 0x90, false, "divmul64"},
    {IN(ALU) | IN(ALU64), 0xf0, 0xd0, true, "base64"},
    {IN(ALU) | IN(ALU64), 0xf0, 0xd0, false, "base32"},
    {IN(ALU64), 0, 0, false, "base64"},
    {IN(JMP), 0xf0, 0x00, false, "base32"},
    {IN(JMP), 0xf0, 0x80, false, "base32"},
    {IN(JMP), 0, 0, false, "base64"},
    {IN(LD) | IN(LDX) | IN(ST) | IN(STX), 0x18, 0x18, false, "base64"},
    {0xff, 0, 0, false, "base32"},
};

static const char *group_by_text(const struct cts_spec_insn *row)
{
    uint8_t opcode = (uint8_t)row->enc[CTS_SF_OPCODE].value;
    bool imm64 = row->enc[CTS_SF_IMM].rule == CTS_SR_FIXED && row->enc[CTS_SF_IMM].value == 64;
    const struct group_rule *r = GROUP_RULES;

    while (!(r->classes & IN(opcode & 7)) || (opcode & r->mask) != r->value || (r->imm64 && !imm64))
        r++;
    return r->group;
}

static bool is_registered(const struct cts_spec_group *g)
{
    return strcmp(g->status, "unregistered") != 0;
}

static void check_row(struct cts_check_run *run, struct cts_differences *all,
                      const struct cts_spec_insn *row)
{
    const struct cts_spec_group *group = &run->spec->groups[row->group];

    run->looked++;
    if (is_registered(group) != (row->origin == CTS_ORIGIN_RFC)) {
        cts_check_fault_at(run, row->node, "%s: of origin %s, but in the %sregistered group %s",
                           row->id, cts_spec_origin_name(row->origin),
                           is_registered(group) ? "" : "un", group->name);
        return;
    }
    if (row->origin != CTS_ORIGIN_RFC || row->slot)
        return;
    const char *text = group_by_text(row);
    if (strcmp(text, group->name) != 0 &&
        !cts_difference_explains(all, "section-2.4", row->id, "group", text, group->name))
        cts_check_fault_at(run, row->node, "%s: in group %s, by the text of the RFC in %s", row->id,
                           group->name, text);
}

/* The second slot is in the group of what it is the second slot of. */
static void check_slots(struct cts_check_run *run)
{
    const struct cts_spec *spec = run->spec;

    for (size_t i = 0; i < spec->row_count; i++) {
        for (size_t j = 0; j < spec->row_count; j++) {
            if (spec->rows[i].slot && spec->rows[j].wide &&
                spec->rows[i].group != spec->rows[j].group)
                cts_check_fault_at(run, spec->rows[i].node, "%s: in another group than %s",
                                   spec->rows[i].id, spec->rows[j].id);
        }
    }
}

/* A list of the node, with commas; "-" if it is empty. */
static const char *joined(struct cts_check_run *run, const struct cts_yaml *list)
{
    const char *text = "-";

    for (size_t i = 0; text && i < list->count; i++)
        text = i ? cts_arena_fmt(run->arena, "%s,%s", text, list->items[i]->text)
                 : list->items[i]->text;
    return text ? text : "";
}

static void compare_group(struct cts_check_run *run, const struct cts_table *t,
                          const struct cts_table_line *l, const struct cts_spec_group *g)
{
    const char *const here[] = {
        g->name,
        joined(run, cts_yaml_get(g->node, "includes")),
        joined(run, cts_yaml_get(g->node, "excludes")),
        g->status,
    };

    for (size_t i = 1; i < 4; i++) {
        if (strcmp(here[i], l->field[i]) != 0)
            cts_check_fault_at(run, g->node, "group %s: %s '%s', but %s:%u says '%s'", g->name,
                               t->name[i], here[i], t->path, l->line, l->field[i]);
    }
}

static void check_group(struct cts_check_run *run, const struct cts_table *t,
                        const struct cts_spec_group *g)
{
    const struct cts_table_line *l = NULL;

    for (size_t i = 0; i < t->count; i++) {
        if (!strcmp(t->lines[i].field[0], g->name))
            l = &t->lines[i];
    }
    if (l)
        compare_group(run, t, l, g);
    else if (is_registered(g))
        cts_check_fault_at(run, g->node, "group %s is not in %s", g->name, t->path);
    for (size_t i = 0; i < run->spec->group_count; i++) {
        const struct cts_spec_group *in = &run->spec->groups[i];
        if (is_registered(g) && !is_registered(in) && (g->includes >> i & 1))
            cts_check_fault_at(run, g->node, "group %s is registered, and so closed, but holds %s",
                               g->name, in->name);
        if ((g->includes & g->excludes) >> i & 1)
            cts_check_fault_at(run, g->node, "group %s includes and excludes %s", g->name,
                               in->name);
    }
}

static bool has_rows(const struct cts_spec *spec, size_t group)
{
    for (size_t i = 0; i < spec->row_count; i++) {
        if (spec->rows[i].group == group && !spec->rows[i].slot)
            return true;
    }
    return false;
}

static bool check_all_groups(struct cts_check_run *run)
{
    static const char *const columns[] = {"name", "includes", "excludes", "status", NULL};
    const struct cts_spec *spec = run->spec;
    struct cts_table t;
    struct cts_err err = {0};

    if (cts_table_load(run->spec_dir, "groups.tsv", columns, run->arena, &t, &err)) {
        cts_check_fault_err(run, &err);
        return false;
    }
    for (size_t g = 0; g < spec->group_count; g++) {
        check_group(run, &t, &spec->groups[g]);
        if (!has_rows(spec, g))
            cts_check_fault_at(run, spec->groups[g].node, "group %s has no row",
                               spec->groups[g].name);
    }
    for (size_t i = 0; i < t.count; i++) {
        size_t g = 0;
        while (g < spec->group_count && strcmp(spec->groups[g].name, t.lines[i].field[0]) != 0)
            g++;
        if (g == spec->group_count)
            cts_check_fault(run, t.path, t.lines[i].line, "groups.yaml has no group '%s'",
                            t.lines[i].field[0]);
    }
    return true;
}

static void run_groups(struct cts_check_run *run)
{
    static const char *const anchors[] = {"section-2.4", NULL};
    struct cts_differences all;
    size_t used = 0;

    if (!cts_differences_load(run, &all) || !check_all_groups(run))
        return;
    for (size_t i = 0; i < run->spec->row_count; i++)
        check_row(run, &all, &run->spec->rows[i]);
    check_slots(run);
    cts_differences_unused(run, &all, anchors);
    for (size_t i = 0; i < all.count; i++)
        used += all.list[i].used;
    snprintf(run->more, sizeof(run->more), "%zu groups, %zu explained differences",
             run->spec->group_count, used);
}

const struct cts_check cts_check_groups = {
    .name = "groups",
    .what = "the groups are those of the registry, and each row is in that of the RFC's text",
    .unit = "instructions",
    .run = run_groups,
};
