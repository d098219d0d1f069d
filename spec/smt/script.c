/* Whole scripts: what is declared once, and the functions of rows. */
#include "smt_int.h"

#include <string.h>

static const char BANNER[] =
    "; What BPF instructions do, made from the specification by ebpf-cts.\n"
    ";\n"
    "; ROW.dst, ROW.src, ROW.r0, ROW.mem are new values; ROW.taken: control goes elsewhere than to "
    "the\n"
    "; next instruction, ROW.next slots from it; ROW.exits: the function ends. What has no "
    "function "
    "here\n"
    "; is not changed, except that r1 to r5 have no defined value after calls and packet loads.\n"
    "; Arguments are the operands that matter, in the order dst src r0 imm next_imm off r1 .. r5 "
    "mem be;\n"
    "; be: the machine is big-endian. ROW.dst=src.OBSERVABLE is for one register in both places.\n"
    "; Faults are not modelled: there is memory at every address.\n";

static const char MEMORY[] =
    "(define-sort Mem () (Array (_ BitVec 64) (_ BitVec 8)))\n"
    "(define-fun bswap16 ((x (_ BitVec 16))) (_ BitVec 16)\n"
    "  (concat ((_ extract 7 0) x) ((_ extract 15 8) x)))\n"
    "(define-fun bswap32 ((x (_ BitVec 32))) (_ BitVec 32)\n"
    "  (concat (bswap16 ((_ extract 15 0) x)) (bswap16 ((_ extract 31 16) x))))\n"
    "(define-fun bswap64 ((x (_ BitVec 64))) (_ BitVec 64)\n"
    "  (concat (bswap32 ((_ extract 31 0) x)) (bswap32 ((_ extract 63 32) x))))\n";

static void add_orders(struct cts_buf *out)
{
    for (unsigned bits = 16; bits <= 64; bits *= 2) {
        cts_buf_addf(out,
                     "(define-fun le%u ((x (_ BitVec %u)) (be Bool)) (_ BitVec %u) (ite be "
                     "(bswap%u x) x))\n",
                     bits, bits, bits, bits);
        cts_buf_addf(out,
                     "(define-fun be%u ((x (_ BitVec %u)) (be Bool)) (_ BitVec %u) (ite be x "
                     "(bswap%u x)))\n",
                     bits, bits, bits, bits);
    }
}

static void add_address(unsigned i, struct cts_buf *out)
{
    if (i == 0)
        cts_buf_adds(out, "a");
    else
        cts_buf_addf(out, "(bvadd a #x%016x)", i);
}

static void add_load(unsigned bits, struct cts_buf *out)
{
    unsigned bytes = bits / 8;

    cts_buf_addf(out, "(define-fun load%u ((m Mem) (a (_ BitVec 64)) (be Bool)) (_ BitVec %u)\n  ",
                 bits, bits);
    if (bytes > 1)
        cts_buf_addf(out, "(le%u (concat", bits);
    for (unsigned i = bytes; i-- > 0;) {
        cts_buf_adds(out, bytes > 1 ? " (select m " : "(select m ");
        add_address(i, out);
        cts_buf_addc(out, ')');
    }
    cts_buf_adds(out, bytes > 1 ? ") be))\n" : ")\n");
}

static void add_store(unsigned bits, struct cts_buf *out)
{
    unsigned bytes = bits / 8;

    cts_buf_addf(out,
                 "(define-fun store%u ((m Mem) (a (_ BitVec 64)) (v (_ BitVec %u)) (be Bool)) "
                 "Mem\n  ",
                 bits, bits);
    if (bytes > 1)
        cts_buf_addf(out, "(let ((w (le%u v be))) ", bits);
    for (unsigned i = 0; i < bytes; i++)
        cts_buf_adds(out, "(store ");
    cts_buf_addc(out, 'm');
    for (unsigned i = 0; i < bytes; i++) {
        cts_buf_addc(out, ' ');
        add_address(i, out);
        cts_buf_addf(out, " ((_ extract %u %u) %s))", 8 * i + 7, 8 * i, bytes > 1 ? "w" : "v");
    }
    cts_buf_adds(out, bytes > 1 ? "))\n" : ")\n");
}

/* --- the platform ------------------------------------------------------------------------------
 */

uint64_t cts_smt_platform_key(enum cts_sema_func func)
{
    return UINT64_C(0x9e3779b97f4a7c15) * ((uint64_t)func + 1);
}

uint64_t cts_smt_call_key(enum cts_sema_call kind)
{
    return UINT64_C(0xbf58476d1ce4e5b9) * ((uint64_t)kind + 1);
}

uint64_t cts_smt_point_arg(unsigned reg)
{
    return UINT64_C(0x0123456789abcdef) * (reg + 3);
}

static void add_function(enum cts_sema_func func, bool concrete, struct cts_buf *out)
{
    const char *name = cts_sema_func_name(func);
    unsigned in = cts_sema_type_bits(cts_sema_func_arg(func));
    unsigned bits = cts_sema_type_bits(cts_sema_func_result(func));

    if (!concrete) {
        cts_buf_addf(out, "(declare-fun %s ((_ BitVec %u)) (_ BitVec %u))\n", name, in, bits);
        return;
    }
    cts_buf_addf(out,
                 "(define-fun %s ((x (_ BitVec %u))) (_ BitVec %u)\n  ((_ extract %u 0) (bvxor "
                 "((_ sign_extend %u) x) #x%016llx)))\n",
                 name, in, bits, bits - 1, 64 - in, (unsigned long long)cts_smt_platform_key(func));
}

static void add_call(enum cts_sema_call kind, bool concrete, struct cts_buf *out)
{
    const char *name = cts_sema_call_name(kind);

    if (!concrete) {
        static const char domain[] =
            "((_ BitVec 32) (_ BitVec 64) (_ BitVec 64) (_ BitVec 64) (_ BitVec 64) (_ BitVec 64) "
            "Mem)";
        cts_buf_addf(out, "(declare-fun %s %s (_ BitVec 64))\n", name, domain);
        cts_buf_addf(out, "(declare-fun %s.mem %s Mem)\n", name, domain);
        return;
    }
    static const char domain[] = "((x (_ BitVec 32)) (a (_ BitVec 64)) (b (_ BitVec 64)) "
                                 "(c (_ BitVec 64)) (d (_ BitVec 64)) (e (_ BitVec 64)) (m Mem))";
    cts_buf_addf(out,
                 "(define-fun %s %s (_ BitVec 64)\n  (bvxor ((_ sign_extend 32) x) a b c d e "
                 "#x%016llx))\n",
                 name, domain, (unsigned long long)cts_smt_call_key(kind));
    cts_buf_addf(out, "(define-fun %s.mem %s Mem m)\n", name, domain);
}

/* Does the text apply this function, or its part for memory? */
static bool applies(const char *text, const char *name)
{
    size_t len = strlen(name);

    for (const char *p = text; p && (p = strstr(p, name)); p += len) {
        if (p > text && p[-1] == '(' && (p[len] == ' ' || p[len] == '.'))
            return true;
    }
    return text == NULL;
}

void cts_smt_prelude(bool concrete, const char *rows, struct cts_buf *out)
{
    cts_buf_adds(out, MEMORY);
    add_orders(out);
    for (unsigned bits = 8; bits <= 64; bits *= 2) {
        add_load(bits, out);
        add_store(bits, out);
    }
    for (enum cts_sema_func f = CTS_FN_MAP_BY_FD; f < CTS_FN_COUNT; f++) {
        if (applies(rows, cts_sema_func_name(f)))
            add_function(f, concrete, out);
    }
    for (enum cts_sema_call c = CTS_CALL_HELPER; c < CTS_CALL_COUNT; c++) {
        if (c != CTS_CALL_LOCAL && applies(rows, cts_sema_call_name(c)))
            add_call(c, concrete, out);
    }
}

/* --- rows ---------------------------------------------------------------------------------------
 */

void cts_smt_arguments(unsigned inputs, bool sorts, struct cts_buf *out)
{
    const char *space = "";

    for (unsigned i = 0; i < CTS_SI_COUNT; i++) {
        if (!(inputs >> i & 1))
            continue;
        if (sorts)
            cts_buf_addf(out, "%s(%s %s)", space, cts_smt_inputs[i].name, cts_smt_inputs[i].sort);
        else
            cts_buf_addf(out, "%s%s", space, cts_smt_inputs[i].name);
        space = " ";
    }
}

void cts_smt_define(const char *name, const char *sort, const struct cts_smt_term *term,
                    struct cts_buf *out)
{
    cts_buf_addf(out, "(define-fun %s (", name);
    cts_smt_arguments(term->inputs, true, out);
    cts_buf_addf(out, ") %s\n  %s)\n", sort, term->text);
}

void cts_smt_define_insn(const struct cts_smt_insn *row, struct cts_buf *out)
{
    for (unsigned o = 0; o < CTS_SO_COUNT; o++) {
        char name[160];
        struct cts_buf b;
        if (!row->out[o].text)
            continue;
        cts_buf_init(&b, sizeof(name));
        cts_buf_addf(&b, "%s.%s", row->prefix, cts_smt_observables[o].name);
        out->failed |= b.failed;
        cts_smt_define(cts_buf_text(&b), cts_smt_observables[o].sort, &row->out[o], out);
        cts_buf_release(&b);
    }
}

static int add_row(const struct cts_spec_insn *row, struct cts_buf *out, struct cts_err *err)
{
    struct cts_arena arena;
    int rc = 0;

    cts_arena_init(&arena, 64 << 20);
    cts_buf_addf(out, "\n; %s: ", row->id);
    cts_sema_print(row->sema, out);
    cts_buf_addc(out, '\n');
    for (enum cts_smt_alias a = CTS_ALIAS_NONE; !rc && a < CTS_ALIAS_COUNT; a++) {
        struct cts_smt_insn r;
        if (!cts_smt_alias_possible(row, a))
            continue;
        rc = cts_smt_insn_make(row, a, &arena, &r, err);
        if (!rc)
            cts_smt_define_insn(&r, out);
    }
    cts_arena_release(&arena);
    return rc;
}

int cts_smt_script(const struct cts_spec *spec, const char *const *ids, size_t count,
                   struct cts_buf *out, struct cts_err *err)
{
    struct cts_buf rows;
    int rc = 0;

    cts_buf_init(&rows, 0);
    for (size_t i = 0; !rc && i < (count ? count : spec->row_count); i++) {
        const struct cts_spec_insn *row = count ? cts_spec_insn_find(spec, ids[i]) : &spec->rows[i];
        if (!row)
            rc = cts_err_set(err, CTS_E_NOTFOUND, "unknown instruction '%.80s'", ids[i]);
        else if (row->sema)
            rc = add_row(row, &rows, err);
    }
    cts_buf_adds(out, BANNER);
    cts_buf_adds(out, "(set-logic QF_AUFBV)\n");
    cts_smt_prelude(false, cts_buf_text(&rows), out);
    cts_buf_adds(out, cts_buf_text(&rows));
    if (!rc && (out->failed || rows.failed))
        rc = cts_err_set(err, CTS_E_NOMEM, "no memory for the formulas");
    cts_buf_release(&rows);
    return rc;
}
