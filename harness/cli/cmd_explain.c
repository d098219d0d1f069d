#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/paths.h"
#include "cli/say.h"
#include "cli/sights.h"
#include "cli/suggest.h"
#include "cli/vectors.h"
#include "core/core.h"
#include "generated/spec_text.h"
#include "isa/isa.h"
#include "load/bugs.h"

enum { IDS_MAX = 256 };

struct call {
    struct cts_vectors vectors;
    const char *ids[IDS_MAX];
    unsigned count;
};

static const struct cts_opt options[] = {
    {0, "level", "LEVEL", "show the variants of this level",
     CTS_OPT_CHOICE(struct call, vectors.level, cts_level_word)},
    {0},
};

static void print_rule(const char *name, const struct cts_field_rule *f)
{
    if (f->kind == CTS_FK_REG)
        cts_out("  %-9s a register, 0 to 10\n", name);
    else if (f->kind == CTS_FK_ANY)
        cts_out("  %-9s any value\n", name);
    else if (f->kind == CTS_FK_NONZERO)
        cts_out("  %-9s any value but 0\n", name);
    else if (f->kind == CTS_FK_SPAN)
        cts_out("  %-9s a multiple of %d from %d to %d\n", name, f->step, f->value, f->last);
    else
        cts_out("  %-9s %d\n", name, f->value);
}

static void print_clause(const char *id)
{
    const struct cts_clause_text *c = cts_clause_text_find(id);
    cts_out("  %-6s section %s: %s\n", id, c ? c->section : "?", c ? c->text : "");
}

static const char *const field_names[CTS_F_COUNT] = {"dst", "src", "offset", "imm", "next_imm"};

static bool explain_row(const char *id)
{
    enum cts_insn_id at = cts_insn_find(id);
    if (at == CTS_INSN_COUNT)
        return false;
    const struct cts_insn_info *r = cts_insn_info(at);
    cts_out("instruction %s (%s), %s%s, group %s, since ISA %s, Linux %s\n\n", r->id, r->name,
            r->section[0] ? "RFC 9669 section " : "not in the RFC, from ",
            r->section[0] ? r->section : r->origin, cts_group_name(r->group), r->since_isa,
            r->since_linux);
    cts_out("syntax     %s\nuBPF       %s\n", r->syntax[0] ? r->syntax : "(none)",
            r->ubpf[0] ? r->ubpf : "(none)");
    cts_out("semantics  %s\n\nencoding\n  %-9s 0x%02x\n", r->does ? r->does : "(none)", "opcode",
            r->opcode);
    for (unsigned f = 0; f < (r->flags & CTS_RF_WIDE ? CTS_F_COUNT : CTS_F_NEXT_IMM); f++)
        print_rule(field_names[f], &r->field[f]);
    cts_out("\nclauses\n");
    for (size_t i = 0; r->clauses && r->clauses[i]; i++)
        print_clause(r->clauses[i]);
    return true;
}

static void print_vector_line(const struct cts_pack *p, const struct cts_pk_vector *v)
{
    cts_out("  %s (%s:%u), %u test cases\n", cts_pack_text(p, v->id), cts_pack_text(p, v->file),
            v->line, v->cases.count);
}

static bool vector_has_row(const struct cts_pack *p, const struct cts_pk_vector *v, unsigned row)
{
    for (uint32_t i = 0; i < v->rows.count; i++)
        if (p->insn_ids[v->rows.first + i] == row)
            return true;
    return false;
}

static bool refers_to(const struct cts_pack *p, struct cts_pk_range refs, const char *text)
{
    for (uint32_t i = 0; i < refs.count; i++)
        if (strcmp(cts_pack_text(p, p->string_refs[refs.first + i]), text) == 0)
            return true;
    return false;
}

/* The vectors that test a row, rest on a clause, show a class, or would have caught a bug. */
static unsigned print_vectors_of(const struct cts_pack *p, const char *id)
{
    enum cts_insn_id row = cts_insn_find(id);
    unsigned count = 0;
    for (uint32_t i = 0; i < p->vector_count; i++) {
        const struct cts_pk_vector *v = &p->vectors[i];
        if (!(row != CTS_INSN_COUNT && vector_has_row(p, v, row)) &&
            !refers_to(p, v->clauses, id) && !refers_to(p, v->bugs, id) &&
            strcmp(cts_pack_text(p, v->klass), id) != 0 &&
            strcmp(cts_pack_text(p, v->policy), id) != 0)
            continue;
        if (count++ == 0)
            cts_out("\nvectors\n");
        print_vector_line(p, v);
    }
    return count;
}

static void print_code(const struct cts_pack *p, const struct cts_pk_unit *u)
{
    enum { MOST_LINES = 48 };
    const uint8_t *code = p->code + u->code;
    for (uint32_t at = 0, lines = 0; at < u->slots; lines++) {
        const uint8_t *b = code + (size_t)at * CTS_SLOT_BYTES;
        char text[256];
        if (lines == MOST_LINES) {
            cts_out("    ... %u more slots\n", u->slots - at);
            return;
        }
        if (at == u->body_slots)
            cts_out("          (subprograms)\n");
        int n = cts_disasm(b, u->slots - at, false, text, sizeof(text));
        cts_out("    %4u  %02x %02x %02x %02x %02x %02x %02x %02x  %s\n", at, b[0], b[1], b[2],
                b[3], b[4], b[5], b[6], b[7], text);
        at += (uint32_t)n;
    }
}

static void print_value(const struct cts_pk_state *s, unsigned i)
{
    static const char *const places[] = {[CTS_PL_VALUE] = "",
                                         [CTS_PL_MEM] = "mem+",
                                         [CTS_PL_FP] = "fp+",
                                         [CTS_PL_CTX] = "",
                                         [CTS_PL_NONE] = ""};
    cts_out(" r%u=%s0x%llx", i, places[s->place[i]], (unsigned long long)s->r[i]);
}

static void print_row(const struct cts_pack *p, const struct cts_pk_tuple *row)
{
    static const char *const kinds[] = {[CTS_OUT_RAN] = "runs",
                                        [CTS_OUT_REJECTED] = "is rejected",
                                        [CTS_OUT_FAULTED] = "is stopped",
                                        [CTS_OUT_EXITED] = "exits"};
    const struct cts_pk_state *in = row->in == UINT32_MAX ? NULL : &p->states[row->in];
    cts_out("    test case %s:", cts_pack_text(p, p->cases[row->kase].name));
    for (uint32_t i = 0; i < row->out.count; i++) {
        const struct cts_pk_outcome *o = &p->outcomes[row->out.first + i];
        cts_out("%s %s", i ? ", or" : "", kinds[o->kind]);
        if (o->runtime)
            cts_out(" on %s", cts_pack_text(p, o->runtime));
        if (o->has_r0)
            cts_out(" with r0=0x%llx", (unsigned long long)o->r0);
        for (unsigned r = 0; in && o->state != UINT32_MAX && r < 10; r++) {
            const struct cts_pk_state *s = &p->states[o->state];
            if (s->r[r] != in->r[r] || s->place[r] != in->place[r]) {
                print_value(in, r);
                cts_out(" ->");
                print_value(s, r);
            }
        }
    }
    putchar('\n');
}

/* What is compared of it, sight by sight. */
static void print_compared(const struct cts_pack *p, const struct cts_pk_vector *v)
{
    const struct cts_sight *sight;
    cts_out("\ncompared, by sight\n");
    for (unsigned i = 0; (sight = cts_sight_at(i)); i++) {
        struct cts_arena arena;
        struct cts_buf text;
        struct cts_caps caps;
        struct cts_compared c;
        struct cts_err err = {0};
        cts_arena_init(&arena, 0);
        cts_buf_init(&text, 0);
        int rc = cts_sight_caps(sight->terms, &caps, &err);
        if (rc == 0)
            rc = cts_compare_vector(p, (uint32_t)(v - p->vectors), &caps, &arena, &c, &err);
        if (rc == 0)
            cts_sights_tell(&c, &text);
        cts_out("  %-13s %s\n", sight->terms, rc == 0 ? cts_buf_text(&text) : err.msg);
        cts_buf_release(&text);
        cts_arena_release(&arena);
    }
}

static void explain_vector(const struct cts_pack *p, const struct cts_pk_vector *v)
{
    cts_out("vector %s (%s:%u)\n", cts_pack_text(p, v->id), cts_pack_text(p, v->file), v->line);
    if (v->why)
        cts_out("%s\n", cts_pack_text(p, v->why));
    cts_out("\npolicy     %s\ninsns     ", v->policy ? cts_pack_text(p, v->policy) : "rfc");
    for (uint32_t i = 0; i < v->rows.count; i++)
        cts_out(" %s", cts_insn_info((enum cts_insn_id)p->insn_ids[v->rows.first + i])->id);
    if (v->message)
        cts_out("\nmessage    %s (for information, not compared)", cts_pack_text(p, v->message));
    cts_out("\n\nclauses\n");
    for (uint32_t i = 0; i < v->clauses.count; i++)
        print_clause(cts_pack_text(p, p->string_refs[v->clauses.first + i]));
    for (uint32_t i = 0; i < v->bugs.count; i++)
        cts_out(i ? "  %s\n" : "\nwould have caught\n  %s\n",
                cts_pack_text(p, p->string_refs[v->bugs.first + i]));
    cts_out("\nvariants (%u)\n", v->units.count);
    for (uint32_t i = 0; i < v->units.count; i++) {
        const struct cts_pk_unit *u = &p->units[v->units.first + i];
        cts_out("  %s\n", u->label ? cts_pack_text(p, u->label) : "(one)");
        if (i >= 4)
            continue;
        print_code(p, u);
        for (uint32_t r = 0; r < u->rows.count; r++)
            print_row(p, &p->rows[u->rows.first + r]);
    }
    print_compared(p, v);
}

static bool explain_class(const char *id)
{
    const struct cts_verdict_text *c = cts_verdict_text_find(id);
    if (!c)
        return false;
    cts_out("verdict class %s: %s\n%s\n", c->id, c->name, c->text);
    return true;
}

static bool explain_clause(const char *id)
{
    const struct cts_clause_text *c = cts_clause_text_find(id);
    if (!c)
        return false;
    cts_out("clause %s, RFC 9669 section %s\n%s\n", c->id, c->section, c->text);
    return true;
}

static void print_ambiguity(const struct cts_ambiguity_text *a)
{
    cts_out("ambiguity %s, RFC 9669 section %s: %s\nhere: %s\n", a->id, a->section, a->question,
            a->here);
}

static bool explain_policy(const char *id)
{
    const struct cts_policy_text *p = cts_policy_text_find(id);
    bool found = p != NULL;
    if (p)
        cts_out("policy %s, of %s\n%s\n", p->id, p->of, p->text);
    for (size_t i = 0; i < CTS_AMBIGUITY_COUNT; i++) {
        const struct cts_ambiguity_text *a = &cts_ambiguity_texts[i];
        if (strcmp(a->policy, id) != 0)
            continue;
        if (found)
            cts_out("\n");
        print_ambiguity(a);
        found = true;
    }
    return found;
}

/* Whose rule it is that holds there, and which rows name it. */
static const struct cts_ambiguity_text *explain_ambiguity(const char *id)
{
    const struct cts_ambiguity_text *a = cts_ambiguity_text_find(id);
    const struct cts_policy_text *p = a ? cts_policy_text_find(a->policy) : NULL;
    if (!a)
        return NULL;
    print_ambiguity(a);
    cts_out("policy %s%s%s\n", a->policy, p ? ", of " : "", p ? p->of : "");
    bool any = false;
    for (size_t i = 0; i < CTS_INSN_NOTE_COUNT; i++)
        for (const char *const *own = cts_insn_notes[i].ambiguities; own && *own; own++) {
            if (strcmp(*own, id) != 0)
                continue;
            if (!any)
                cts_out("\ninstructions\n");
            cts_out("  %s\n", cts_insn_notes[i].id);
            any = true;
        }
    return a;
}

/* The vector of this id, or of the id before its '#'. */
static const struct cts_pk_vector *find_vector(const struct cts_pack *p, const char *id)
{
    size_t len = strcspn(id, "#");
    for (uint32_t i = 0; i < p->vector_count; i++) {
        const char *own = cts_pack_text(p, p->vectors[i].id);
        if (strncmp(own, id, len) == 0 && own[len] == '\0')
            return &p->vectors[i];
    }
    return NULL;
}

static bool explain_bug(const char *id)
{
    struct cts_arena arena;
    struct cts_bugs bugs;
    struct cts_err err = {0};
    cts_arena_init(&arena, 0);
    const char *path = cts_data_path(&arena, "spec/bugs.yaml");
    const struct cts_bug *bug = NULL;
    if (path && cts_bugs_load(&bugs, path, &arena, &err) == 0)
        bug = cts_bug_find(&bugs, id);
    else
        cts_complain(&err);
    if (bug) {
        cts_out("bug %s of %s", bug->id, bug->project);
        if (bug->year)
            cts_out(", %s", bug->year);
        cts_out("\n%s\n%s\n", bug->says, bug->link);
    }
    cts_arena_release(&arena);
    return bug;
}

static int explain(const char *id, struct cts_vectors *v, bool open)
{
    const struct cts_pk_vector *vector = open ? find_vector(&v->pack, id) : NULL;
    const struct cts_ambiguity_text *a = explain_ambiguity(id);
    bool found = a || explain_row(id) || explain_clause(id) || explain_class(id) ||
                 explain_policy(id) || (!vector && explain_bug(id));
    if (vector)
        explain_vector(&v->pack, vector);
    else if (open)
        /* Vectors rest on the policy that settles it. */
        found |= print_vectors_of(&v->pack, a ? a->policy : id) > 0;
    if (found || vector)
        return CTS_EXIT_OK;
    if (!open)
        return CTS_EXIT_BROKEN;
    cts_say("ebpf-cts explain: unknown vector, instruction, clause, ambiguity, verdict class, "
            "policy or bug '%s'\n",
            id);
    cts_suggest(id, &v->pack);
    return CTS_EXIT_USAGE;
}

/* All that are named, one after another; what is unknown keeps none of the others away. */
static int explain_all(const char *const *ids, unsigned count, struct cts_vectors *v)
{
    struct cts_err err = {0};
    char text[CTS_ERR_MSG_MAX + CTS_ERR_FILE_MAX];
    int worst = CTS_EXIT_OK;
    bool open = cts_vectors_open(v, &err) == 0;
    if (!open)
        cts_say("ebpf-cts: %s\n", cts_err_text(&err, text, sizeof(text)));
    for (unsigned i = 0; i < count; i++) {
        if (i)
            cts_out("\n");
        int code = explain(ids[i], v, open);
        worst = code > worst ? code : worst;
    }
    return worst;
}

static int take_id(void *arg, const struct cts_opts *o)
{
    struct call *c = arg;
    return cts_opts_collect(o, c->ids, &c->count, IDS_MAX);
}

static int explain_main(int argc, char **argv)
{
    struct call c = {0};
    int code;
    if (!cts_command_parse(&cts_cmd_explain, argc, argv, &c, &code))
        return code;
    if (c.count == 0)
        return cts_command_bad(&cts_cmd_explain, "expected an ID");
    code = explain_all(c.ids, c.count, &c.vectors);
    cts_vectors_release(&c.vectors);
    return code;
}

const struct cts_command cts_cmd_explain = {
    .name = "explain",
    .args = "[OPTIONS] ID...",
    .what = "explain a vector, instruction, clause, policy, ...",
    .about = "Prints what is known of each ID: a test vector (clauses, code, test cases), an "
             "instruction of the specification (encoding, semantics, vectors), a clause of the "
             "RFC, an ambiguity of the RFC (and how it is resolved), a verdict class, a policy "
             "(its rule, and where the RFC is silent), or a real bug (by the identifier that "
             "vectors give for it).",
    .options = options,
    .examples = {{"ebpf-cts explain add64_x N039", "an instruction and a clause"},
                 {"ebpf-cts explain base64/add/reg", "a test vector"}},
    .main = explain_main,
    .argument = take_id,
};
