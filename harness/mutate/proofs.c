#include "mutate/proofs.h"

#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "base/sha256.h"
#include "host/fs.h"
#include "mutate/smt.h"
#include "sema/sema.h"

enum { LIST_MAX = 16 << 20, HEX = 2 * CTS_PROOF_BYTES };

static const char HEAD[] =
    "# Mutants (ebpf-cts mutants) that z3 proves to be the same function as their row; a row that "
    "was asked about as a whole.\n"
    "# Made by: ebpf-cts mutants --prove FILE\n";

static void end_hash(struct cts_sha256 *sum, uint8_t hash[CTS_PROOF_BYTES])
{
    uint8_t digest[32];

    cts_sha256_end(sum, digest);
    memcpy(hash, digest, CTS_PROOF_BYTES);
}

static void add_question(struct cts_sha256 *sum, const struct cts_spec_insn *row,
                         const struct cts_sema *other)
{
    struct cts_buf text;

    cts_buf_init(&text, 0);
    cts_smt_question(row, other, false, &text);
    cts_sha256_add(sum, cts_buf_text(&text), text.len);
    cts_buf_release(&text);
}

static void hash_mutant(const struct cts_spec_insn *row, const struct cts_mutant *m,
                        uint8_t hash[CTS_PROOF_BYTES])
{
    struct cts_sha256 sum;

    cts_sha256_init(&sum);
    add_question(&sum, row, m->sema);
    end_hash(&sum, hash);
}

/* What the row does and which mutants were made of it. */
static void hash_row(const struct cts_spec_insn *row, const struct cts_mutant *all, size_t n,
                     uint8_t hash[CTS_PROOF_BYTES])
{
    struct cts_sha256 sum;

    cts_sha256_init(&sum);
    cts_sha256_add(&sum, row->id, strlen(row->id) + 1);
    if (row->sema)
        add_question(&sum, row, row->sema);
    for (size_t i = 0; i < n; i++)
        if (all[i].sema)
            cts_sha256_add(&sum, all[i].text, strlen(all[i].text) + 1);
    end_hash(&sum, hash);
}

/* ---- reading ---- */

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, CTS_PROOF_BYTES);
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hash(const char *line, uint8_t hash[CTS_PROOF_BYTES])
{
    for (unsigned i = 0; i < CTS_PROOF_BYTES; i++) {
        int high = digit(line[2 * i]), low = high < 0 ? -1 : digit(line[2 * i + 1]);
        if (low < 0)
            return false;
        hash[i] = (uint8_t)(high << 4 | low);
    }
    return line[HEX] == '\t';
}

static int read_lines(struct cts_proofs *p, const char *text, const char *path, struct cts_err *err)
{
    unsigned number = 1;

    for (const char *line = text; *line; number++) {
        const char *end = strchr(line, '\n');
        if (!end)
            return cts_err_at(err, CTS_E_SYNTAX, path, number, 1, "the line has no end");
        if (*line != '#' && strncmp(line, "hash\t", 5) != 0 &&
            !read_hash(line, p->hash[p->count++]))
            return cts_err_at(err, CTS_E_SYNTAX, path, number, 1,
                              "%d hex digits and a tab begin a proof", HEX);
        line = end + 1;
    }
    qsort(p->hash, p->count, sizeof(*p->hash), compare);
    return 0;
}

int cts_proofs_load(struct cts_proofs *p, const char *path, struct cts_err *err)
{
    struct cts_buf text;
    size_t lines = 1;

    *p = (struct cts_proofs){0};
    cts_buf_init(&text, LIST_MAX);
    int rc = cts_fs_read(path, LIST_MAX, &text, err);
    for (size_t i = 0; rc == 0 && i < text.len; i++)
        lines += text.data[i] == '\n';
    p->hash = rc == 0 ? calloc(lines, sizeof(*p->hash)) : NULL;
    if (rc == 0 && !p->hash)
        rc = cts_err_set(err, CTS_E_NOMEM, "no memory for the proofs");
    if (rc == 0)
        rc = read_lines(p, cts_buf_text(&text), path, err);
    cts_buf_release(&text);
    if (rc != 0)
        cts_proofs_release(p);
    return rc;
}

void cts_proofs_release(struct cts_proofs *p)
{
    free(p->hash);
    *p = (struct cts_proofs){0};
}

/* ---- asking ---- */

static bool has(const struct cts_proofs *p, const uint8_t hash[CTS_PROOF_BYTES])
{
    return p->count && bsearch(hash, p->hash, p->count, sizeof(*p->hash), compare);
}

bool cts_proofs_have(const struct cts_proofs *p, const struct cts_spec_insn *row,
                     const struct cts_mutant *m)
{
    uint8_t hash[CTS_PROOF_BYTES];

    if (p->count == 0)
        return false;
    hash_mutant(row, m, hash);
    return has(p, hash);
}

bool cts_proofs_have_insn(const struct cts_proofs *p, const struct cts_spec_insn *row,
                          const struct cts_mutant *all, size_t n)
{
    uint8_t hash[CTS_PROOF_BYTES];

    if (p->count == 0)
        return false;
    hash_row(row, all, n, hash);
    return has(p, hash);
}

/* ---- writing ---- */

static void put(struct cts_buf *out, const uint8_t hash[CTS_PROOF_BYTES], const char *row,
                const char *op, const char *mutant)
{
    for (unsigned i = 0; i < CTS_PROOF_BYTES; i++)
        cts_buf_addf(out, "%02x", hash[i]);
    cts_buf_addf(out, "\t%s\t%s\t%s\n", row, op, mutant);
}

void cts_proofs_write(const struct cts_mut_list *list, const char *version, struct cts_buf *out)
{
    uint8_t hash[CTS_PROOF_BYTES];

    cts_buf_adds(out, HEAD);
    cts_buf_addf(out, "# z3: %s\nhash\trow\toperator\tmutant\n", version);
    for (size_t i = 0, n; i < list->count; i += n) {
        const struct cts_mutant *all = &list->all[i];
        for (n = 1; i + n < list->count && list->all[i + n].row == all->row; n++)
            ;
        const struct cts_spec_insn *row =
            all->row == CTS_INSN_COUNT
                ? NULL
                : cts_spec_insn_find(list->spec, cts_insn_info(all->row)->id);
        if (!row || !row->sema)
            continue;
        hash_row(row, all, n, hash);
        put(out, hash, row->id, "-", "-");
        for (size_t k = 0; k < n; k++) {
            if (all[k].status != CTS_MUT_PROVEN)
                continue;
            hash_mutant(row, &all[k], hash);
            put(out, hash, row->id, all[k].op, all[k].text);
        }
    }
}
