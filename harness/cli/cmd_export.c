#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "cli/files.h"
#include "cli/command.h"
#include "cli/say.h"
#include "cli/vectors.h"
#include "conf/conf.h"
#include "host/fs.h"
#include "host/outfile.h"

/* A .data file compares r0 alone. Of a case with several registers that change, one file each comes
 * out; what needs more than registers and memory, or is not the same everywhere, is left out. */

enum { SLOTS_MAX = 4096, PROLOGUE_MAX = 64, ANY_REGISTER = 10 };

struct export
{
    const char *dir;
    struct cts_vectors vectors;
    struct cts_files used;
    bool writes; /* else the files' names are looked at, no more */
    struct cts_err err;
    uint8_t code[(SLOTS_MAX + PROLOGUE_MAX) * CTS_SLOT_BYTES];
    uint32_t slots;
    size_t files, left_out;
};

static void put(struct export *e, uint8_t opcode, unsigned dst, unsigned src, int32_t imm)
{
    const struct cts_insn in = {
        .opcode = opcode, .dst = (uint8_t)dst, .src = (uint8_t)src, .imm = imm};
    cts_slot_put(e->code + (size_t)e->slots++ * CTS_SLOT_BYTES, false, &in);
}

static void put_value(struct export *e, unsigned reg, uint64_t v)
{
    put(e, CTS_OPCODE_LDDW, reg, 0, (int32_t)(uint32_t)v);
    put(e, 0, 0, 0, (int32_t)(uint32_t)(v >> 32));
}

/* The file begins with r1 = memory: whatever holds an address of it comes before r1 itself. */
static void put_inputs(struct export *e, const struct cts_pk_state *in)
{
    static const unsigned order[] = {0, 2, 3, 4, 5, 6, 7, 8, 9, 1};
    for (unsigned i = 0; i < 10; i++) {
        unsigned reg = order[i];
        if (in->place[reg] == CTS_PL_VALUE) {
            put_value(e, reg, in->r[reg]);
            continue;
        }
        unsigned base = in->place[reg] == CTS_PL_MEM ? 1 : 10;
        if (reg != base)
            put(e, 0xbf, reg, base, 0);
        put(e, 0x07, reg, 0, (int32_t)(int64_t)in->r[reg]);
    }
}

static void put_body(struct export *e, const struct cts_pk_unit *u)
{
    memcpy(e->code + (size_t)e->slots * CTS_SLOT_BYTES, e->vectors.pack.code + u->code,
           (size_t)u->slots * CTS_SLOT_BYTES);
    e->slots += u->slots;
}

/* "base64/add/reg#2" and r3 to DIR/base64-add-reg-2-r3.data */
static int write_file(struct export *e, const struct cts_pk_vector *v, const struct cts_pk_case *c,
                      unsigned reg, const struct cts_conf_test *t)
{
    const struct cts_pack *p = &e->vectors.pack;
    const char *id = cts_pack_text(p, v->id), *name = cts_pack_text(p, c->name);
    char path[1024], about[600];
    struct cts_buf text;
    size_t from = cts_fmt(path, sizeof(path), "%s/", e->dir);
    size_t len = cts_fmt(path, sizeof(path), "%s/%s-%s", e->dir, id, name);
    if (reg < ANY_REGISTER)
        len = cts_fmt(path, sizeof(path), "%s/%s-%s-r%u", e->dir, id, name, reg);
    if (len + sizeof(".data") > sizeof(path))
        return cts_err_set(&e->err, CTS_E_LIMIT, "%s: the name is too long", id);
    for (size_t i = from; i < len; i++)
        path[i] = path[i] == '/' ? '-' : path[i];
    memcpy(path + len, ".data", sizeof(".data"));
    if (!e->writes)
        return cts_files_write(&e->used, path, &e->err);
    cts_fmt(about, sizeof(about), "%s#%s", id, name);
    cts_buf_init(&text, 0);
    cts_conf_write(&text, about, t);
    int rc = text.failed ? cts_err_set(&e->err, CTS_E_NOMEM, "out of memory")
                         : cts_outfile_write(path, text.data, text.len, &e->err);
    cts_buf_release(&text);
    e->files += rc == 0;
    return rc;
}

/* The only outcome of a row, if it is the same on every runtime. */
static const struct cts_pk_outcome *only_outcome(const struct cts_pack *p,
                                                 const struct cts_pk_tuple *row)
{
    const struct cts_pk_outcome *o = &p->outcomes[row->out.first];
    return row->out.count == 1 && o->runtime == 0 ? o : NULL;
}

static bool is_plain(const struct cts_pk_unit *u)
{
    return u->sweep == UINT32_MAX && u->operands == CTS_OPD_OPAQUE && u->slots <= SLOTS_MAX &&
           u->packet.count == 0 && u->maps.count == 0 && u->names.count == 0 &&
           !(u->flags & CTS_UF_PACKET) && u->repeat == 1 && u->threads == 1;
}

static bool is_plain_state(const struct cts_pk_state *s)
{
    if (s->mem.data != UINT32_MAX && s->mem.be != UINT32_MAX)
        return false;
    for (unsigned i = 0; i < 10; i++)
        if (s->place[i] != CTS_PL_VALUE && s->place[i] != CTS_PL_MEM && s->place[i] != CTS_PL_FP)
            return false;
    return s->stack.data == UINT32_MAX;
}

static bool has_changed(const struct cts_pk_unit *u, const struct cts_pk_state *in,
                        const struct cts_pk_state *out, unsigned reg)
{
    return (u->layout.out_mask >> reg & 1) && !(out->any >> reg & 1) &&
           out->place[reg] == CTS_PL_VALUE &&
           (in->place[reg] != CTS_PL_VALUE || in->r[reg] != out->r[reg]);
}

/* A body that runs to its end: one file for each register it changes. */
static int export_body(struct export *e, const struct cts_pk_unit *u,
                       const struct cts_pk_tuple *row)
{
    const struct cts_pack *p = &e->vectors.pack;
    const struct cts_pk_outcome *o = only_outcome(p, row);
    const struct cts_pk_state *in = &p->states[row->in];
    if (!o || o->kind != CTS_OUT_RAN || u->slots != u->body_slots || !is_plain_state(in))
        return 0;
    const struct cts_pk_state *out = &p->states[o->state];
    for (unsigned reg = 0; reg < 10; reg++) {
        if (!has_changed(u, in, out, reg))
            continue;
        e->slots = 0;
        put_inputs(e, in);
        put_body(e, u);
        if (reg != 0)
            put(e, 0xbf, 0, reg, 0);
        put(e, CTS_OPCODE_EXIT, 0, 0, 0);
        const struct cts_conf_test t = {.code = e->code,
                                        .slots = e->slots,
                                        .mem = in->mem_bytes ? p->data + in->mem.data : NULL,
                                        .mem_bytes = in->mem_bytes,
                                        .result = out->r[reg],
                                        .error = ""};
        int rc = write_file(e, &p->vectors[u->vector], &p->cases[row->kase], reg, &t);
        if (rc)
            return rc;
    }
    return 0;
}

/* Other policies are about what the platform hands over, and r1 is another there. */
static bool is_portable(const struct cts_pack *p, const struct cts_pk_unit *u)
{
    const char *policy = cts_pack_text(p, p->vectors[u->vector].policy);
    return strcmp(policy, "rfc") == 0 || strcmp(policy, "structural") == 0;
}

static int export_program(struct export *e, const struct cts_pk_unit *u,
                          const struct cts_pk_tuple *row)
{
    const struct cts_pack *p = &e->vectors.pack;
    const struct cts_pk_outcome *o = only_outcome(p, row);
    if (!o || u->slots == 0 || !is_portable(p, u) ||
        !(o->kind == CTS_OUT_REJECTED || (o->kind == CTS_OUT_RAN && o->has_r0)))
        return 0;
    e->slots = 0;
    put_body(e, u);
    const struct cts_conf_test t = {.code = e->code,
                                    .slots = e->slots,
                                    .is_error = o->kind == CTS_OUT_REJECTED,
                                    .result = o->r0,
                                    .error = "rejected"};
    return write_file(e, &p->vectors[u->vector], &p->cases[row->kase], ANY_REGISTER, &t);
}

/* Each case once: in the first unit that has it. */
static int export_vector(struct export *e, const struct cts_pk_vector *v)
{
    const struct cts_pack *p = &e->vectors.pack;
    uint32_t next = v->cases.first;
    for (uint32_t i = 0; i < v->units.count; i++) {
        const struct cts_pk_unit *u = &p->units[v->units.first + i];
        bool whole = u->flags & CTS_UF_WHOLE;
        for (uint32_t r = 0; is_plain(u) && r < u->rows.count; r++) {
            const struct cts_pk_tuple *row = &p->rows[u->rows.first + r];
            if (row->kase < next)
                continue;
            next = row->kase + 1;
            if (p->cases[row->kase].order == CTS_ORDER_BIG)
                continue;
            int rc = whole ? export_program(e, u, row) : export_body(e, u, row);
            if (rc)
                return rc;
        }
    }
    return 0;
}

/* All vectors; without `writes` for the names of the files alone. */
static int export_vectors(struct export *e, bool writes)
{
    int rc = 0;
    e->writes = writes;
    e->left_out = 0;
    for (uint32_t i = 0; rc == 0 && i < e->vectors.pack.vector_count; i++) {
        const struct cts_pk_vector *v = &e->vectors.pack.vectors[i];
        size_t before = e->files;
        if (v->needs == 0 && v->uses == 0 && v->only.count == 0)
            rc = export_vector(e, v);
        e->left_out += e->files == before;
    }
    return rc;
}

static int export_all(struct export *e)
{
    int rc = cts_vectors_open(&e->vectors, &e->err);
    if (rc == 0)
        rc = cts_fs_mkdirs(e->dir, &e->err);
    cts_vectors_files(&e->vectors, &e->used);
    if (rc == 0)
        rc = export_vectors(e, false);
    return rc == 0 ? export_vectors(e, true) : rc;
}

/* DIR, then paths. */
static int take_argument(void *arg, const struct cts_opts *o)
{
    struct export *e = arg;
    if (e->dir)
        return cts_vectors_path(&e->vectors, o);
    e->dir = o->value;
    return 0;
}

/* The exit code. */
static int export(struct export *e)
{
    char text[CTS_ERR_MSG_MAX + CTS_ERR_FILE_MAX];
    if (!e->dir)
        return cts_command_bad(&cts_cmd_export, "expected a folder");
    if (export_all(e) != 0) {
        cts_say("%s\n", cts_err_text(&e->err, text, sizeof(text)));
        return e->writes ? CTS_EXIT_BROKEN : CTS_EXIT_USAGE;
    }
    cts_say("%zu files from %u vectors; %zu vectors cannot be expressed in this format\n", e->files,
            (unsigned)(e->vectors.pack.vector_count - e->left_out), e->left_out);
    return e->vectors.stats.errors ? CTS_EXIT_USAGE : e->files ? CTS_EXIT_OK : CTS_EXIT_NOTHING;
}

static int export_main(int argc, char **argv)
{
    struct export *e = calloc(1, sizeof(*e));
    int code;
    if (!e) {
        cts_say("out of memory\n");
        return CTS_EXIT_BROKEN;
    }
    if (cts_command_parse(&cts_cmd_export, argc, argv, e, &code))
        code = export(e);
    cts_vectors_release(&e->vectors);
    cts_files_release(&e->used);
    free(e);
    return code;
}

const struct cts_command cts_cmd_export = {
    .name = "export",
    .args = "DIR [PATH...]",
    .what = "write vectors as bpf_conformance's .data files",
    .about = "Writes the vectors of the suite, or of the files and folders given, into DIR, for "
             "test runners that read .data files. Such a file compares r0 only: a test case "
             "becomes one file for each register that it changes. Left out are vectors that need "
             "the contents of the stack or of memory, a map, a packet or a helper, that have "
             "functions, or that have several possible outcomes.",
    .examples = {{"ebpf-cts export data", "the whole suite, into the folder data"},
                 {"ebpf-cts export data my-vectors.yaml", "vectors of your own"}},
    .main = export_main,
    .argument = take_argument,
};
