/* uses: base host load */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "host/buf.h"
#include "load/vec.h"

static const char *const rows[] = {"add64_x", "add64_k", "neg64"};
static const char *const clauses[] = {"N001", "N002"};
static const char *const domains[] = {"u64", "imm"};
static const char *const needs[] = {"map-fd"};

struct fixture {
    struct cts_arena arena;
    struct cts_buf faults; /* one line each */
    struct cts_vec_file file;
    struct cts_err err;
    int rc;
};

static void on_fault(void *arg, const struct cts_err *err)
{
    char text[2048];
    cts_buf_addf(arg, "%s\n", cts_err_text(err, text, sizeof(text)));
}

static void parse(struct fixture *f, const char *text)
{
    struct cts_vec_known known = {
        .rows = {rows, 3}, .clauses = {clauses, 2}, .domains = {domains, 2}, .needs = {needs, 1}};
    struct cts_vec_report report = {on_fault, &f->faults};
    cts_arena_init(&f->arena, 0);
    cts_buf_init(&f->faults, 0);
    cts_err_clear(&f->err);
    f->rc =
        cts_vec_parse("f.yaml", text, strlen(text), &known, &report, &f->arena, &f->file, &f->err);
}

static void done(struct fixture *f)
{
    cts_buf_release(&f->faults);
    cts_arena_release(&f->arena);
}

#define HEAD "suite: t/x\nvectors:\n"
#define VECTOR "  - name: v\n    insns: [add64_x]\n    clauses: [N001]\n"
#define ADD VECTOR "    asm: \"{dst} += {src}\"\n"

static const struct cts_vec *only(struct fixture *f)
{
    if (f->faults.len)
        print_error("%s", cts_buf_text(&f->faults));
    assert_int_equal(f->rc, 0);
    assert_int_equal(f->faults.len, 0);
    assert_int_equal(f->file.count, 1);
    return &f->file.vectors[0];
}

/* The vector is refused at this place with a message that has these words in it. */
static void refuses(const char *text, const char *place, const char *words)
{
    struct fixture f;
    parse(&f, text);
    assert_int_equal(f.rc, 0);
    assert_int_equal(f.file.count, 0);
    if (strncmp(cts_buf_text(&f.faults), place, strlen(place)) != 0 ||
        !strstr(cts_buf_text(&f.faults), words))
        fail_msg("wanted '%s .. %s', got '%s'", place, words, cts_buf_text(&f.faults));
    done(&f);
}

/* A vector with `n` items of a list, each `item` but for the last, which is `last`. */
static void with_list(struct cts_buf *out, const char *key, unsigned n, const char *item,
                      const char *last)
{
    cts_buf_clear(out);
    cts_buf_adds(out, HEAD ADD "    cases: [{in: {dst: 1}, out: {dst: 2}}]\n");
    cts_buf_addf(out, "    %s:\n", key);
    for (unsigned i = 0; i < n; i++)
        cts_buf_addf(out, i + 1 < n ? "      - %s%u\n" : "      - %s\n", i + 1 < n ? item : last,
                     i);
}

static void takes(const char *text)
{
    struct fixture f;
    parse(&f, text);
    only(&f);
    done(&f);
}

/* What a worker cannot be asked is refused where it stands; what it can be is not. */
static void the_limits_of_the_protocol_are_the_readers(void **state)
{
    char name[CTS_MOST_NAME_BYTES + 2];
    struct cts_buf text;
    (void)state;
    cts_buf_init(&text, 0);
    memset(name, 'n', sizeof(name));
    name[CTS_MOST_NAME_BYTES] = '\0';
    with_list(&text, "names", CTS_MOST_NAMES, "bpf_", name);
    takes(cts_buf_text(&text));
    name[CTS_MOST_NAME_BYTES] = 'n';
    name[CTS_MOST_NAME_BYTES + 1] = '\0';
    with_list(&text, "names", 3, "bpf_", name);
    refuses(cts_buf_text(&text), "f.yaml:11:9: ", "names: a name has 1 to 63 bytes, this one 64");
    with_list(&text, "names", 2, "bpf_", "''");
    refuses(cts_buf_text(&text), "f.yaml:10:9: ", "names: a name has 1 to 63 bytes, this one 0");
    /* Bytes, not characters. */
    with_list(&text, "names", 1, "",
              "\"\xc3\xa4"
              "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn\"");
    refuses(cts_buf_text(&text), "f.yaml:9:9: ", "this one 64");
    with_list(&text, "names", CTS_MOST_NAMES + 1, "bpf_", "bpf_x");
    refuses(cts_buf_text(&text), "f.yaml:25:9: ", "names: at most 16");

    with_list(&text, "maps", CTS_MOST_MAPS, "{value: 4096, entries: 16} #", "{programs: 4096}");
    takes(cts_buf_text(&text));
    with_list(&text, "maps", CTS_MOST_MAPS + 1, "{value: 8, entries: 1} #", "{programs: 1}");
    refuses(cts_buf_text(&text), "f.yaml:25:9: ", "maps: at most 16");
    with_list(&text, "maps", 1, "", "{value: 4096, entries: 17}");
    refuses(cts_buf_text(&text), "f.yaml:9:9: ", "a map has at most 65536 bytes");
    with_list(&text, "maps", 1, "", "{programs: 4097}");
    refuses(cts_buf_text(&text), "f.yaml:9:", "programs");
    cts_buf_release(&text);
}

static void the_longest_packet_is_read(void **state)
{
    struct cts_buf text;
    (void)state;
    for (unsigned more = 0; more < 2; more++) {
        cts_buf_init(&text, 0);
        cts_buf_adds(&text, HEAD ADD "    cases: [{in: {dst: 1}, out: {dst: 2}}]\n    packet: '");
        for (unsigned i = 0; i < CTS_VEC_PACKET_MAX + more; i++)
            cts_buf_adds(&text, "a5");
        cts_buf_adds(&text, "'\n");
        if (more)
            refuses(cts_buf_text(&text), "f.yaml:8:13: ", "packet: pairs of");
        else
            takes(cts_buf_text(&text));
        cts_buf_release(&text);
    }
}

static void a_level_is_read(void **state)
{
    static const char *const words[] = {"quick", "full", "exhaustive"};
    (void)state;
    for (unsigned level = CTS_LEVEL_QUICK; level <= CTS_LEVEL_EXHAUSTIVE; level++) {
        struct fixture f;
        char text[512];
        snprintf(text, sizeof(text), HEAD ADD "    level: %s\n    cases: [{out: {dst: 1}}]\n",
                 words[level]);
        parse(&f, text);
        assert_int_equal(only(&f)->level, level);
        done(&f);
    }
    refuses(HEAD ADD "    level: slow\n    cases: [{out: {dst: 1}}]\n", "f.yaml:7:12", "level");
}

static void threads_and_repeat_are_read(void **state)
{
    struct fixture f;
    (void)state;
    parse(&f, HEAD ADD "    threads: 16\n    repeat: 1000000\n    operands: [opaque]\n"
                       "    cases: [{out: {dst: 1}}]\n");
    assert_int_equal(only(&f)->threads, 16);
    assert_int_equal(f.file.vectors[0].repeat, 1000000);
    done(&f);
    parse(&f, HEAD ADD "    cases: [{out: {dst: 1}}]\n");
    assert_int_equal(only(&f)->threads, 1);
    assert_int_equal(f.file.vectors[0].repeat, 1);
    done(&f);
    refuses(HEAD ADD "    threads: 17\n    operands: [opaque]\n    cases: [{out: {dst: 1}}]\n",
            "f.yaml:7:14", "threads");
    refuses(HEAD ADD "    repeat: 0\n    operands: [opaque]\n    cases: [{out: {dst: 1}}]\n",
            "f.yaml:7:13", "repeat");
    refuses(HEAD ADD "    repeat: 2\n    cases: [{out: {dst: 1}}]\n", "f.yaml:3:5", "opaque");
    refuses(HEAD ADD "    repeat: 2\n    sweep: {dst: u64}\n", "f.yaml:7:5", "repeat");
}

static void maps_of_programs_are_read(void **state)
{
    struct fixture f;
    (void)state;
    parse(&f, HEAD ADD "    maps: [{programs: 2}, {value: 8, entries: 1}]\n"
                       "    cases: [{out: {dst: 1}}]\n");
    assert_int_equal(only(&f)->map_count, 2);
    assert_int_equal(f.file.vectors[0].maps[0].value_bytes, 0);
    assert_int_equal(f.file.vectors[0].maps[0].entries, 2);
    assert_int_equal(f.file.vectors[0].maps[1].value_bytes, 8);
    done(&f);
    refuses(HEAD ADD "    maps: [{programs: 2, value: 8}]\n    cases: [{out: {dst: 1}}]\n",
            "f.yaml:7:12", "programs");
    refuses(HEAD ADD "    maps: [{entries: 2}]\n    cases: [{out: {dst: 1}}]\n", "f.yaml:7:12",
            "value and entries");
}

static void a_vector_is_read(void **state)
{
    struct fixture f;
    (void)state;
    parse(&f, "suite: base64/add\nabout: x\nvectors:\n"
              "  - name: carry\n"
              "    why: because\n"
              "    insns: [add64_x, neg64]\n"
              "    clauses: [N001, N002]\n"
              "    bugs: [CVE-1]\n"
              "    needs: [map-fd]\n"
              "    only: [linux]\n"
              "    asm: |\n"
              "      {dst} += {src}\n"
              "      {dst.w} = w7\n"
              "    vary: {dst: any, src: [r1, r10]}\n"
              "    unreadable: [r1, r2]\n"
              "    cases:\n"
              "      - {in: {dst: -1, src: fp+0}, out: {dst: 0x10, r5: any}}\n"
              "      - {name: z, in: {dst: mem-8}, exits: 7, or: [reject, fault], order: big}\n");
    const struct cts_vec *v = only(&f);
    assert_string_equal(v->id, "base64/add/carry");
    assert_int_equal(v->pos.line, 4);
    assert_string_equal(v->policy, "rfc");
    assert_int_equal(v->row_count, 2);
    assert_string_equal(v->only[0], "linux");
    assert_int_equal(v->role_count, 2);
    assert_string_equal(v->roles[0].name, "dst");
    assert_true(v->roles[0].vary);
    assert_int_equal(v->roles[0].choice, 0);
    assert_int_equal(v->roles[1].choice, 1 << 1 | 1 << 10);
    assert_int_equal(v->named, 1 << 7 | 1 << 5);
    assert_int_equal(v->unreadable, 1 << 1 | 1 << 2);
    assert_int_equal(v->code.pieces[0].text_pos.line, 12);
    assert_int_equal(v->memory, 64);
    assert_false(v->stack);
    assert_int_equal(v->case_count, 2);
    const struct cts_vec_case *c = v->cases;
    assert_string_equal(c[0].name, "1");
    assert_int_equal(c[0].in.regs[0].v, UINT64_MAX);
    assert_int_equal(c[0].in.regs[1].kind, CTS_VV_FP);
    assert_int_equal(c[0].outcomes[0].out.regs[1].kind, CTS_VV_ANY);
    assert_string_equal(c[1].name, "z");
    assert_int_equal(c[1].order, CTS_ORDER_BIG);
    assert_int_equal((int64_t)c[1].in.regs[0].v, -8);
    assert_int_equal(c[1].outcome_count, 3);
    assert_int_equal(c[1].outcomes[0].kind, CTS_OUT_EXITED);
    assert_int_equal(c[1].outcomes[0].r0, 7);
    assert_int_equal(c[1].outcomes[1].kind, CTS_OUT_REJECTED);
    assert_int_equal(c[1].outcomes[2].kind, CTS_OUT_FAULTED);
    done(&f);
}

static void memory_and_stack_are_read(void **state)
{
    struct fixture f;
    (void)state;
    parse(&f, HEAD ADD "    cases:\n"
                       "      - in: {mem: [{at: 8, u32: [1, -1]}, {at: 0, hex: '00 fF'}],\n"
                       "             stack: [{at: -16, u64: 5}]}\n"
                       "        out: {mem: {at: 60, any: 4}}\n");
    const struct cts_vec *v = only(&f);
    assert_int_equal(v->memory, 64);
    assert_true(v->stack);
    const struct cts_vec_state *in = &v->cases[0].in;
    assert_int_equal(in->mem_count, 2);
    assert_int_equal(in->mem[0].bytes, 8);
    assert_int_equal(in->mem[0].values[1], 0xffffffff);
    assert_int_equal(in->mem[1].values[1], 0xff);
    assert_int_equal(in->stack[0].at, -16);
    assert_int_equal(v->cases[0].outcomes[0].out.mem[0].width, 0);
    done(&f);
}

static void code_in_pieces_is_read(void **state)
{
    struct fixture f;
    (void)state;
    parse(&f, HEAD VECTOR "    code:\n"
                          "      - \"{a} = 1\"\n"
                          "      - {insn: add64_k, dst: a, imm: \"{imm}\"}\n"
                          "      - {opcode: 0x8f, dst: '{b}', src: 15, off: -1, imm: 0xffffffff}\n"
                          "      - {slot: '95 00 00 00 00 00 00 01', repeat: 2}\n"
                          "      - {repeat: 9, text: '{a} += 1'}\n"
                          "    subs: |\n"
                          "      r0 = 1\n"
                          "      exit\n"
                          "    cases: [{imm: 3, out: {}}]\n");
    const struct cts_vec *v = only(&f);
    assert_int_equal(v->code.count, 5);
    assert_false(v->code.is_text);
    const struct cts_vec_piece *p = v->code.pieces;
    assert_string_equal(p[1].row, "add64_k");
    assert_true(p[1].imm.is_imm);
    assert_int_equal(p[2].opcode, 0x8f);
    assert_int_equal(p[2].dst.role, 1);
    assert_int_equal(p[2].src.reg, 15);
    assert_int_equal(p[3].slot[7], 1);
    assert_int_equal(p[3].repeat, 2);
    assert_int_equal(p[4].repeat, 9);
    assert_true(v->subs.is_text);
    assert_int_equal(v->role_count, 2);
    assert_true(v->cases[0].has_imm);
    done(&f);
}

static void sweeps_and_verdicts_are_read(void **state)
{
    struct fixture f;
    (void)state;
    parse(&f, HEAD "  - name: s\n"
                   "    insns: [add64_k]\n"
                   "    clauses: [N001]\n"
                   "    asm: '{dst} += {imm}'\n"
                   "    sweep: {dst: u64, imm: imm, mem+8: u64}\n"
                   "    given: {r7: 5}\n"
                   "  - name: d\n"
                   "    class: V01\n"
                   "    insns: [neg64]\n"
                   "    clauses: []\n"
                   "    policy: structural\n"
                   "    program: ['r0 = 0', exit]\n"
                   "    verdict: reject-or-run\n"
                   "    verdicts: {linux: reject}\n"
                   "    r0: 5\n");
    assert_int_equal(f.faults.len, 0);
    assert_int_equal(f.file.count, 2);
    const struct cts_vec *s = &f.file.vectors[0], *d = &f.file.vectors[1];
    assert_int_equal(s->kind, CTS_VK_SWEEP);
    assert_int_equal(s->sweep_count, 3);
    assert_int_equal(s->sweeps[2].target, CTS_SWEEP_MEM);
    assert_int_equal(s->sweeps[2].at, 8);
    assert_int_equal(s->cases[0].in.reg_count, 1);
    assert_int_equal(d->kind, CTS_VK_VERDICT);
    assert_int_equal(d->cases[0].outcome_count, 3);
    assert_int_equal(d->cases[0].outcomes[1].kind, CTS_OUT_RAN);
    assert_true(d->cases[0].outcomes[1].has_r0);
    assert_string_equal(d->cases[0].outcomes[2].runtime, "linux");
    done(&f);
}

#define VERDICT                                                                                    \
    "  - name: v\n    class: V04\n    insns: [neg64]\n    clauses: []\n    policy: structural\n"

static void flips_make_cases(void **state)
{
    struct fixture f;
    (void)state;
    parse(&f, HEAD VERDICT "    program: ['r0 = 0', {insn: neg64, dst: 0, flip: src, but: [2, 0]},"
                           " exit]\n"
                           "    verdict: reject\n    message: uses reserved fields\n"
                           "    verdicts: {linux: accept, 'linux:jit': any}\n");
    const struct cts_vec *v = only(&f);
    assert_string_equal(v->message, "uses reserved fields");
    assert_string_equal(v->flip->field, "src");
    assert_int_equal(v->flip->at, 12);
    assert_int_equal(v->case_count, 2);
    assert_string_equal(v->cases[0].name, "src-bit-1");
    assert_string_equal(v->cases[1].name, "src-bit-3");
    assert_int_equal(v->cases[1].flip_bit, 3);
    assert_int_equal(v->cases[1].outcome_count, 5);
    assert_string_equal(v->cases[1].outcomes[4].runtime, "linux:jit");
    done(&f);
}

static void faulty_flips_have_their_place(void **state)
{
    (void)state;
    refuses(HEAD VERDICT "    program: [{opcode: 0x87, flip: colour}]\n    verdict: reject\n",
            "f.yaml:8:36: ", "flip: opcode, dst");
    refuses(HEAD VERDICT "    program: [{opcode: 0x87, flip: next_imm}]\n    verdict: reject\n",
            "f.yaml:8:36: ", "one slot only");
    refuses(HEAD VERDICT "    program: [{opcode: 0x87, but: [1]}]\n    verdict: reject\n",
            "f.yaml:8:35: ", "but: needs flip");
    refuses(HEAD VERDICT "    program: [{opcode: 0x87, flip: dst, but: [4]}]\n"
                         "    verdict: reject\n",
            "f.yaml:8:47: ", "but");
    refuses(HEAD VERDICT "    program: [{opcode: 0x87, flip: dst, but: [0, 1, 2, 3]}]\n"
                         "    verdict: reject\n",
            "f.yaml:8:46: ", "leaves no bit");
    refuses(HEAD VERDICT "    program: [{opcode: 0x87, flip: dst}, {opcode: 0x87, flip: src}]\n"
                         "    verdict: reject\n",
            "f.yaml:8:42: ", "in one piece");
    refuses(HEAD VECTOR "    code: [{opcode: 0x87, flip: dst}]\n    cases: [{out: {}}]\n",
            "f.yaml:6:12: ", "of a verdict's program");
    refuses(HEAD VERDICT "    program: [exit]\n    verdict: reject\n"
                         "    verdicts: {'linux:': any}\n",
            "f.yaml:10:16: ", "RUNTIME:ENGINE");
    refuses(HEAD "  - name: v\n    insns: [neg64]\n    clauses: []\n    policy: structural\n"
                 "    program: [exit]\n    verdict: reject\n",
            "f.yaml:3:5: ", "needs 'class'");
}

static bool has_outcome(const struct cts_vec_case *c, const char *runtime, unsigned kind)
{
    for (size_t i = 0; i < c->outcome_count; i++)
        if (strcmp(c->outcomes[i].runtime, runtime) == 0 && c->outcomes[i].kind == kind)
            return true;
    return false;
}

static void one_word_names_all_verifiers(void **state)
{
    struct fixture f;
    (void)state;
    parse(&f, HEAD VECTOR "    class: V27\n    program: [exit]\n    verdict: any\n"
                          "    verdicts: {verifiers: reject, dpdk: accept}\n");
    const struct cts_vec_case *c = &only(&f)->cases[0];
    assert_true(has_outcome(c, "linux", CTS_OUT_REJECTED));
    assert_true(has_outcome(c, "prevail", CTS_OUT_REJECTED));
    assert_true(has_outcome(c, "dpdk", CTS_OUT_RAN));
    assert_false(has_outcome(c, "dpdk", CTS_OUT_REJECTED));
    assert_false(has_outcome(c, "verifiers", CTS_OUT_REJECTED));
    done(&f);
}

static void aliases_have_a_leader(void **state)
{
    struct fixture f;
    (void)state;
    parse(&f, HEAD ADD "    alias: [src, dst]\n"
                       "    vary: {src: [r3]}\n"
                       "    cases: [{in: {src: 1}, out: {src: 2}}]\n");
    const struct cts_vec *v = only(&f);
    assert_int_equal(v->roles[0].alias_of, -1);
    assert_int_equal(v->roles[0].choice, 1 << 3);
    assert_int_equal(v->roles[1].alias_of, 0);
    assert_int_equal(v->cases[0].in.regs[0].reg.role, 0);
    done(&f);
    refuses(HEAD ADD "    alias: [src, dst]\n    cases: [{in: {src: 1, dst: 1}, out: {}}]\n",
            "f.yaml:8:27: ", "duplicate register");
}

static void faults_have_their_place(void **state)
{
    (void)state;
    refuses(HEAD ADD "    colour: red\n    cases: [{out: {}}]\n", "f.yaml:7:5: ", "'colour'");
    refuses(HEAD "  - insns: [add64_x]\n    clauses: []\n", "f.yaml:3:5: ", "name");
    refuses(HEAD "  - name: v\n    insns: [add64_y]\n    clauses: [N001]\n    asm: exit\n"
                 "    cases: [{out: {}}]\n",
            "f.yaml:4:13: ", "did you mean 'add64_x'");
    refuses(HEAD "  - name: v\n    insns: [add64_x]\n    clauses: [N009]\n    asm: exit\n"
                 "    cases: [{out: {}}]\n",
            "f.yaml:5:15: ", "unknown 'N009'");
    refuses(HEAD ADD "    needs: [map-fb]\n    cases: [{out: {}}]\n", "f.yaml:7:13: ", "map-fd");
    refuses(HEAD ADD, "f.yaml:3:5: ", "exactly one of cases, sweep, verdict");
    refuses(HEAD VECTOR "    cases: [{out: {}}]\n", "f.yaml:3:5: ", "exactly one of asm, code");
    refuses(HEAD ADD "    r0: 1\n    cases: [{out: {}}]\n", "f.yaml:7:5: ", "has no 'r0'");
    refuses(HEAD ADD "    sweep: {dst: u65}\n", "f.yaml:7:18: ", "did you mean 'u64'");
    refuses(HEAD ADD "    sweep: {imm: imm}\n", "f.yaml:7:13: ", "no {imm}");
    refuses(HEAD ADD "    sweep: {mem+60: u64}\n", "f.yaml:7:13: ", "not inside the 64 bytes");
    refuses(HEAD ADD "    vary: {dest: any}\n    cases: [{out: {}}]\n",
            "f.yaml:7:12: ", "no role 'dest'");
    refuses(HEAD ADD "    vary: {dst: [r11]}\n    cases: [{out: {}}]\n",
            "f.yaml:7:18: ", "r0 to r10");
    refuses(HEAD ADD "    memory: 12\n    cases: [{out: {}}]\n", "f.yaml:7:13: ", "multiple of 8");
    refuses(HEAD VECTOR "    asm: |\n      r1 = 2\n      {dst.x} = 1\n    cases: [{out: {}}]\n",
            "f.yaml:8: ", "{dst.x}");
    refuses(HEAD VECTOR "    asm: '{mem} = 1'\n    cases: [{out: {}}]\n",
            "f.yaml:6: ", "cannot be a role");
}

static void faulty_cases_have_their_place(void **state)
{
    (void)state;
    refuses(HEAD ADD "    cases: [{in: {dst: 1}}]\n", "f.yaml:7:13: ", "exactly one of out");
    refuses(HEAD ADD "    cases: [{out: {dts: 1}}]\n", "f.yaml:7:20: ", "'dts'");
    refuses(HEAD ADD "    cases: [{in: {dst: any}, out: {}}]\n", "f.yaml:7:24: ", "");
    refuses(HEAD ADD "    cases: [{in: {r10: 1}, out: {}}]\n", "f.yaml:7:19: ", "frame pointer");
    refuses(HEAD ADD "    cases: [{imm: 1, out: {}}]\n", "f.yaml:7:19: ", "no {imm}");
    refuses(HEAD ADD "    cases: [{name: a, out: {}}, {name: a, out: {}}]\n",
            "f.yaml:7:33: ", "first defined at line 7");
    refuses(HEAD ADD "    cases: [{in: {mem: [{at: 62, u32: 1}]}, out: {}}]\n",
            "f.yaml:7:25: ", "beyond the end");
    refuses(HEAD ADD "    cases: [{in: {mem: [{at: 0, u8: 256}]}, out: {}}]\n",
            "f.yaml:7:37: ", "256");
    refuses(HEAD ADD "    cases: [{in: {mem: [{at: 0, u64: 1}, {at: 7, u8: 1}]}, out: {}}]\n",
            "f.yaml:7:42: ", "overlap");
    refuses(HEAD ADD "    cases: [{in: {mem: [{at: 0, any: 4}]}, out: {}}]\n",
            "f.yaml:7:38: ", "comes out only");
    refuses(HEAD ADD "    stack: false\n    cases: [{out: {stack: [{at: -8, u8: 1}]}}]\n",
            "f.yaml:8:27: ", "stack: false");
    refuses(HEAD ADD "    cases: [{out: {}, or: [crash]}]\n", "f.yaml:7:28: ", "or: a list");
    refuses(HEAD VECTOR "    asm: '{a} = {imm}'\n    cases: [{out: {}}]\n",
            "f.yaml:7:13: ", "imm is missing");
}

static void one_bad_vector_does_not_lose_the_others(void **state)
{
    struct fixture f;
    (void)state;
    parse(&f, HEAD ADD "    cases: [{out: {}}]\n"
                       "  - name: bad\n"
                       "    insns: 7\n"
                       "  - name: v\n    insns: [neg64]\n    clauses: [N001]\n    asm: exit\n"
                       "    cases: [{out: {}}]\n"
                       "  - name: w\n    insns: [neg64]\n    clauses: [N001]\n    asm: exit\n"
                       "    cases: [{out: {}}]\n");
    assert_int_equal(f.rc, 0);
    assert_int_equal(f.file.count, 2);
    assert_string_equal(f.file.vectors[1].id, "t/x/w");
    assert_non_null(strstr(cts_buf_text(&f.faults), "f.yaml:9:12: "));
    assert_non_null(strstr(cts_buf_text(&f.faults),
                           "f.yaml:10:5: duplicate vector 't/x/v' (first defined at line 3)"));
    done(&f);
}

static void a_broken_frame_loses_the_file(void **state)
{
    static const char *const broken[] = {"vectors: []\n", "suite: A B\nvectors: []\n",
                                         "suite: x\nvectors: 5\n", "- 1\n", "suite: [\n"};
    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct fixture f;
        parse(&f, broken[i]);
        assert_true(f.rc < 0);
        assert_string_equal(f.err.file, "f.yaml");
        assert_true(f.err.line > 0);
        done(&f);
    }
}

static void placeholders_are_replaced(void **state)
{
    struct fixture f;
    static const uint8_t regs[] = {3, 9};
    (void)state;
    parse(&f, HEAD VECTOR "    asm: \"{dst} = {imm} # {nobody}\\n{b.w} += {dst.w}\"\n"
                          "    cases: [{imm: 1, out: {}}]\n");
    const struct cts_vec *v = only(&f);
    assert_string_equal(cts_vec_expand(v, v->code.pieces[0].text, regs, "-5", &f.arena),
                        "r3 = -5 \nw9 += w3");
    done(&f);
}

#define FORMS                                                                                      \
    "  - name: v\n    insns: [neg64]\n    clauses: [N001]\n    asm: \"<change>; {b} = {a}\"\n"

static bool has_row(const struct cts_vec *v, size_t at, const char *row)
{
    return at < v->row_count && strcmp(v->rows[at], row) == 0;
}

static void one_item_with_forms_is_a_family(void **state)
{
    struct fixture f;
    (void)state;
    parse(&f, HEAD FORMS "    forms:\n"
                         "      change: {add64_x: \"{<who>} += {c}\", plain: \"{a} = {c}\"}\n"
                         "      who: {original: a, copy: b}\n"
                         "    cases: [{in: {a: 1, c: 2}, out: {a: computed}}]\n");
    assert_string_equal(cts_buf_text(&f.faults), "");
    assert_int_equal(f.file.count, 4);
    assert_string_equal(f.file.vectors[0].id, "t/x/v-add64-x-original");
    assert_string_equal(f.file.vectors[1].id, "t/x/v-add64-x-copy");
    assert_string_equal(f.file.vectors[3].id, "t/x/v-plain-copy");
    assert_string_equal(f.file.vectors[0].code.pieces[0].text, "{a} += {c}; {b} = {a}");
    assert_string_equal(f.file.vectors[3].code.pieces[0].text, "{a} = {c}; {b} = {a}");
    assert_true(has_row(&f.file.vectors[0], 0, "add64_x"));
    assert_true(has_row(&f.file.vectors[0], 1, "neg64"));
    assert_true(has_row(&f.file.vectors[3], 0, "neg64"));
    assert_true(f.file.vectors[0].computed);
    done(&f);
}

static void forms_stand_in_subs_too(void **state)
{
    struct fixture f;
    (void)state;
    parse(&f, HEAD "  - name: v\n    insns: [neg64]\n    clauses: [N001]\n    asm: call f\n"
                   "    subs: \"f: r0 = <n>; exit\"\n    forms: {n: {one: \"1\", two: \"2\"}}\n"
                   "    cases: [{out: {}}]\n");
    assert_string_equal(cts_buf_text(&f.faults), "");
    assert_int_equal(f.file.count, 2);
    assert_string_equal(f.file.vectors[0].subs.pieces[0].text, "f: r0 = 1; exit");
    assert_string_equal(f.file.vectors[1].subs.pieces[0].text, "f: r0 = 2; exit");
    assert_string_equal(f.file.vectors[1].code.pieces[0].text, "call f");
    done(&f);
}

static void faulty_forms_have_their_place(void **state)
{
    (void)state;
    refuses(HEAD FORMS "    forms: {chnge: {x: \"{a} = 1\"}}\n    cases: [{in: {a: 1}}]\n",
            "f.yaml:7:13", "nothing names <chnge>");
    refuses(HEAD FORMS "    forms: {change: {}}\n    cases: [{in: {a: 1}}]\n", "f.yaml:7:13",
            "has no text");
    refuses(HEAD FORMS "    forms: {change: {x: \"{a} = 1\\n\"}}\n    cases: [{in: {a: 1}}]\n",
            "f.yaml:7:25", "one line");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limits_of_the_protocol_are_the_readers),
        cmocka_unit_test(the_longest_packet_is_read),
        cmocka_unit_test(a_level_is_read),
        cmocka_unit_test(threads_and_repeat_are_read),
        cmocka_unit_test(maps_of_programs_are_read),
        cmocka_unit_test(a_vector_is_read),
        cmocka_unit_test(memory_and_stack_are_read),
        cmocka_unit_test(code_in_pieces_is_read),
        cmocka_unit_test(sweeps_and_verdicts_are_read),
        cmocka_unit_test(flips_make_cases),
        cmocka_unit_test(faulty_flips_have_their_place),
        cmocka_unit_test(one_word_names_all_verifiers),
        cmocka_unit_test(aliases_have_a_leader),
        cmocka_unit_test(faults_have_their_place),
        cmocka_unit_test(faulty_cases_have_their_place),
        cmocka_unit_test(one_bad_vector_does_not_lose_the_others),
        cmocka_unit_test(a_broken_frame_loses_the_file),
        cmocka_unit_test(placeholders_are_replaced),
        cmocka_unit_test(one_item_with_forms_is_a_family),
        cmocka_unit_test(forms_stand_in_subs_too),
        cmocka_unit_test(faulty_forms_have_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
