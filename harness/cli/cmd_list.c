#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/say.h"
#include "cli/targets.h"
#include "cli/vectors.h"
#include "generated/spec_text.h"
#include "host/fs.h"
#include "isa/isa.h"

static int list_insns(void)
{
    for (unsigned i = 0; i < CTS_INSN_COUNT; i++) {
        const struct cts_insn_info *r = cts_insn_info((enum cts_insn_id)i);
        cts_out("%-22s %-9s 0x%02x  %-7s %s\n", r->id, cts_group_name(r->group), r->opcode,
                r->section, r->syntax ? r->syntax : "");
    }
    return CTS_EXIT_OK;
}

static int list_groups(void)
{
    for (unsigned g = 0; g < CTS_GROUP_COUNT; g++) {
        unsigned own = 0, all = 0;
        for (unsigned i = 0; i < CTS_INSN_COUNT; i++) {
            own += cts_insn_info((enum cts_insn_id)i)->group == (enum cts_group)g;
            all += cts_group_has((enum cts_group)g, (enum cts_insn_id)i);
        }
        cts_out("%-9s %3u instructions, %3u with the groups it includes\n",
                cts_group_name((enum cts_group)g), own, all);
    }
    return CTS_EXIT_OK;
}

static int list_clauses(void)
{
    for (size_t i = 0; i < CTS_CLAUSE_COUNT; i++)
        cts_out("%-5s %-6s %s\n", cts_clause_texts[i].id, cts_clause_texts[i].section,
                cts_clause_texts[i].text);
    return CTS_EXIT_OK;
}

static int list_policies(void)
{
    for (size_t i = 0; i < CTS_POLICY_COUNT; i++)
        cts_out("%-22s %s (%s)\n", cts_policy_texts[i].id, cts_policy_texts[i].text,
                cts_policy_texts[i].of);
    return CTS_EXIT_OK;
}

/* Asks the engine's worker whether it is available. */
static int list_engine(struct cts_targets *t, const char *runtime,
                       const struct cts_rt_engine *engine, struct cts_arena *arena,
                       struct cts_err *err)
{
    struct cts_engine_info info;
    const char *name = cts_arena_fmt(arena, "%s:%s", runtime, engine->name);
    if (!name)
        return cts_err_set(err, CTS_E_NOMEM, "out of memory");
    t->count = 0;
    int rc = cts_targets_add(t, name, arena, err);
    if (rc != 0)
        return rc;
    cts_core_probe(&t->list[0], arena, &info);
    cts_out("%-22s %-8s %-8s %s; %s\n", name, engine->is_default ? "default" : "-",
            cts_engine_state_name(info.state), engine->what,
            info.state == CTS_EN_RUNS ? info.version : info.reason);
    return 0;
}

static int list_runtimes(void)
{
    struct cts_arena arena;
    struct cts_targets t = {0};
    struct cts_err err = {0};
    cts_arena_init(&arena, 0);
    int rc = cts_targets_find(&t, &arena, &err);
    for (size_t i = 0; rc == 0 && i < t.runtime_count; i++) {
        const struct cts_rt *rt = &t.runtimes[i];
        for (size_t k = 0; rc == 0 && k < rt->engine_count; k++)
            rc = list_engine(&t, rt->name, &rt->engines[k], &arena, &err);
    }
    cts_arena_release(&arena);
    return rc == 0 ? CTS_EXIT_OK : cts_complain(&err);
}

static int list_vectors(void)
{
    struct cts_vectors v = {0};
    struct cts_err err = {0};
    if (cts_vectors_open(&v, &err) != 0)
        return cts_complain(&err);
    const struct cts_pack *p = &v.pack;
    for (uint32_t i = 0; i < p->vector_count; i++) {
        const struct cts_pk_vector *x = &p->vectors[i];
        cts_out("%-60s %-7s %3u cases  ", cts_pack_text(p, x->id), cts_vector_kinds[x->kind],
                x->cases.count);
        for (uint32_t r = 0; r < x->rows.count; r++)
            cts_out("%s%s", r ? " " : "",
                    cts_insn_info((enum cts_insn_id)p->insn_ids[x->rows.first + r])->id);
        putchar('\n');
    }
    int code = v.stats.errors ? CTS_EXIT_USAGE : CTS_EXIT_OK;
    cts_vectors_release(&v);
    return code;
}

static const struct {
    const char *name, *what;
    int (*list)(void);
} subjects[] = {
    {"runtimes", "runtimes and their engines: available or why not, versions", list_runtimes},
    {"vectors", "test vectors and the instructions that they test", list_vectors},
    {"insns", "instructions of the specification", list_insns},
    {"groups", "conformance groups", list_groups},
    {"clauses", "clauses of RFC 9669", list_clauses},
    {"policies", "policies that vectors cite where the RFC is silent", list_policies},
};

enum { SUBJECTS = sizeof(subjects) / sizeof(subjects[0]) };

static const char *subject(unsigned i, const char **what)
{
    *what = i < SUBJECTS ? subjects[i].what : NULL;
    return i < SUBJECTS ? subjects[i].name : NULL;
}

static int take_subject(void *arg, const struct cts_opts *o)
{
    return cts_opts_choose(o, "list", o->value, subject, arg);
}

static int list_main(int argc, char **argv)
{
    unsigned which = SUBJECTS;
    int code;
    if (!cts_command_parse(&cts_cmd_list, argc, argv, &which, &code))
        return code;
    if (which == SUBJECTS)
        return cts_command_bad(&cts_cmd_list, "expected what to list");
    return subjects[which].list();
}

const struct cts_command cts_cmd_list = {
    .name = "list",
    .args = "WHAT",
    .what = "list runtimes, vectors, instructions, ...",
    .about = "Prints a list, one item a line. WHAT is one of:",
    .subjects = subject,
    .examples = {{"ebpf-cts list runtimes", "what can run here, and what to install"},
                 {"ebpf-cts list insns", "the instructions of the specification"}},
    .main = list_main,
    .argument = take_subject,
};
