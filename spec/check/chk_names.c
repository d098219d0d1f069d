/* Ids and names are unique, well formed and in order, and what refers to them is sorted. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec_check/check.h"

/* A letter and this many digits. */
static bool is_numbered(const char *id, char letter, size_t digits)
{
    if (id[0] != letter || strlen(id) != digits + 1)
        return false;
    for (size_t i = 1; i <= digits; i++) {
        if (!isdigit((unsigned char)id[i]))
            return false;
    }
    return true;
}

/* `step`: every number is there, not only in order. */
static void check_number(struct cts_check_run *run, const struct cts_yaml *node, const char *id,
                         const char *before, char letter, size_t digits, bool step)
{
    run->looked++;
    if (!is_numbered(id, letter, digits)) {
        cts_check_fault_at(run, node, "'%s' is not %c and %zu digits", id, letter, digits);
        return;
    }
    long number = strtol(id + 1, NULL, 10), last = before ? strtol(before + 1, NULL, 10) : 0;
    if (number <= last || (step && number != last + 1))
        cts_check_fault_at(run, node, "%s stands behind %s", id, before ? before : "nothing");
}

static void check_numbers(struct cts_check_run *run)
{
    const struct cts_spec *s = run->spec;
    const char *before = NULL;

    for (size_t i = 0; i < s->clause_count; before = s->clauses[i++].id)
        check_number(run, s->clauses[i].node, s->clauses[i].id, before, 'N', 3, true);
    before = NULL;
    for (size_t i = 0; i < s->verdict_count; before = s->verdicts[i++].id)
        check_number(run, s->verdicts[i].node, s->verdicts[i].id, before, 'V', 2, true);
    before = NULL;
    for (size_t i = 0; i < s->ambiguity_count; before = s->ambiguities[i++].id)
        check_number(run, s->ambiguities[i].node, s->ambiguities[i].id, before, 'A', 2, false);
}

/* The name is the id in capitals. */
static void check_row_name(struct cts_check_run *run, const struct cts_spec_insn *row)
{
    size_t i = 0;

    run->looked++;
    while (row->id[i] && toupper((unsigned char)row->id[i]) == row->name[i])
        i++;
    if (row->id[i] || row->name[i])
        cts_check_fault_at(run, row->node, "row %s is named %s", row->id, row->name);
    for (i = 0; row->id[i]; i++) {
        if (!islower((unsigned char)row->id[i]) && !isdigit((unsigned char)row->id[i]) &&
            row->id[i] != '_') {
            cts_check_fault_at(run, row->node, "row id '%s': small letters, digits and _", row->id);
            return;
        }
    }
}

static void check_verdict_names(struct cts_check_run *run)
{
    for (size_t i = 0; i < run->spec->verdict_count; i++) {
        const struct cts_spec_verdict *v = &run->spec->verdicts[i];
        run->looked++;
        for (size_t j = 0; j < i; j++) {
            if (!strcmp(run->spec->verdicts[j].name, v->name))
                cts_check_fault_at(run, v->node, "%s and %s are both named %s",
                                   run->spec->verdicts[j].id, v->id, v->name);
        }
    }
}

/* Sorted and without twins; returns whether it is empty. */
static bool check_list(struct cts_check_run *run, const struct cts_yaml *owner, const char *key)
{
    const struct cts_yaml *list = cts_yaml_get(owner, key);

    for (size_t i = 0; list && i < list->count; i++) {
        run->looked++;
        if (i && strcmp(list->items[i - 1]->text, list->items[i]->text) >= 0)
            cts_check_fault_at(run, list->items[i], "%s: '%s' stands behind '%s'", key,
                               list->items[i]->text, list->items[i - 1]->text);
    }
    return !list || !list->count;
}

static void check_lists(struct cts_check_run *run)
{
    const struct cts_spec *s = run->spec;

    for (size_t i = 0; i < s->row_count; i++) {
        const struct cts_spec_insn *row = &s->rows[i];
        bool empty = check_list(run, row->node, "clauses");
        if (empty == (row->origin == CTS_ORIGIN_RFC))
            cts_check_fault_at(run, row->node, "row %s: %s", row->id,
                               empty ? "no clause" : "a clause, but not of the RFC");
        check_list(run, row->node, "ambiguities");
    }
    for (size_t i = 0; i < s->verdict_count; i++) {
        const struct cts_spec_verdict *v = &s->verdicts[i];
        bool empty = check_list(run, v->node, "clauses");
        if (empty && !strcmp(v->from, "rfc"))
            cts_check_fault_at(run, v->node, "class %s is from the RFC, and has no clause", v->id);
    }
}

static bool has_text(const struct cts_yaml_strs *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (!strcmp(list->list[i], text))
            return true;
    }
    return false;
}

/* A question that no row touches and no vector shows has no place in the file. */
static void check_ambiguities(struct cts_check_run *run)
{
    const struct cts_spec *s = run->spec;

    for (size_t i = 0; i < s->ambiguity_count; i++) {
        size_t r = 0;
        while (r < s->row_count && !has_text(&s->rows[r].ambiguities, s->ambiguities[i].id))
            r++;
        run->looked++;
        if (r == s->row_count && !s->ambiguities[i].vectors.count && !s->ambiguities[i].untested)
            cts_check_fault_at(run, s->ambiguities[i].node,
                               "no row touches %s, and no vector shows it", s->ambiguities[i].id);
    }
}

/* "6.6", "3.18", "none" */
static bool is_version(const char *text)
{
    const char *end = text;

    if (!strcmp(text, "none"))
        return true;
    for (int part = 0; part < 2; part++) {
        const char *start = end;
        while (isdigit((unsigned char)*end))
            end++;
        if (end == start || *end != (part ? 0 : '.'))
            return false;
        end++;
    }
    return true;
}

/* Sections of the RFC that define instructions. */
static void check_section(struct cts_check_run *run, const struct cts_spec_insn *row)
{
    bool good = (row->section[0] == '4' || row->section[0] == '5') &&
                (!row->section[1] || row->section[1] == '.');

    run->looked++;
    if (row->origin == CTS_ORIGIN_RFC && !good)
        cts_check_fault_at(run, row->node, "row %s: section %s defines no instruction", row->id,
                           row->section);
    if (!is_version(row->since_linux))
        cts_check_fault_at(run, row->node, "row %s: '%s' is no version of Linux", row->id,
                           row->since_linux);
}

static void run_names(struct cts_check_run *run)
{
    const struct cts_spec *s = run->spec;

    check_numbers(run);
    check_verdict_names(run);
    for (size_t i = 0; i < s->row_count; i++) {
        check_row_name(run, &s->rows[i]);
        check_section(run, &s->rows[i]);
    }
    check_lists(run);
    check_ambiguities(run);
    snprintf(run->more, sizeof(run->more), "%zu rows, %zu clauses, %zu classes, %zu ambiguities",
             s->row_count, s->clause_count, s->verdict_count, s->ambiguity_count);
}

const struct cts_check cts_check_names = {
    .name = "names",
    .what = "ids and names are unique and in order, and references are sorted",
    .unit = "names and references",
    .run = run_names,
};
