/* Test files of bpf_conformance and of uBPF (`.data`) read as they are: the sections of text that
 * vectors/README.md lists. The program is called with r1 = the address of the memory and r2 = its
 * length (0 and 0 if there is none); what it leaves in r0 is compared in 64 bits.
 *
 * Nothing is guessed: text behind an instruction, a number that does not fit, an unknown section
 * or a missing result is an error with its place. A file that is well formed and tests something
 * else than instructions has the reason why it is skipped. */
#ifndef CTS_CONF_CONF_H
#define CTS_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "host/arena.h"
#include "host/buf.h"
#include "isa/isa.h"
#include "load/vec.h"

enum {
    CTS_CONF_SLOTS_MAX = 1 << 17,
    CTS_CONF_MEM_MAX = CTS_VEC_MEM_MAX,
    CTS_CONF_LABELS_MAX = 4096,
    CTS_CONF_LINKS_MAX = 4, /* files that one file names */
};

/* A file that a section is read from: `-- asm @ FILE`. */
struct cts_conf_link {
    const char *name; /* as it is written */
    const char *path; /* where that is, seen from here */
    const char *text;
    size_t len;
};

struct cts_conf_test {
    struct cts_vec_pos pos; /* of the program's section */
    const uint8_t *code;    /* slots * 8 bytes, little-endian encoding; helpers have the numbers
                               that workers know them by (CTS_DATA_HELPERS) */
    uint32_t slots;
    const uint8_t *mem;
    uint32_t mem_bytes;
    bool is_error, has_result; /* to be rejected or stopped; to return `result`; one at least, and
                                  of both either conforms */
    uint64_t result;
    const char *error;  /* the text that was given, "" */
    const char *skip;   /* why it is not run at all; "": it is */
    const char *no_jit; /* why it is not for compilers; "": it is */
};

/* Reads the files that the sections of one name. They are looked for from its folder on, and in it:
 * another place is an error. Memory belongs to the arena. */
int cts_conf_read_links(const char *path, const char *text, size_t len, struct cts_arena *arena,
                        struct cts_conf_link *links, size_t *count, struct cts_err *err);

/* `name` stands for the file in messages. Memory belongs to the arena. */
int cts_conf_parse(const char *name, const char *text, size_t len,
                   const struct cts_conf_link *links, size_t link_count, struct cts_arena *arena,
                   struct cts_conf_test *out, struct cts_err *err);

/* The assembler alone: `line` is that of the text's first line in the file. */
int cts_conf_assemble(const char *name, unsigned line, const char *text, size_t len,
                      struct cts_arena *arena, const uint8_t **code, uint32_t *slots,
                      struct cts_err *err);

/* The names of the vectors of so many files: the file's without folder and ending; with the name of
 * the folder and a dash in front where several files have one name. Ended by null, in the arena;
 * null if that is exhausted. */
const char *const *cts_conf_names(const char *const *paths, size_t count, struct cts_arena *arena);

/* A vector that calls the program as a function, so that all 64 bits of its result can be compared
 * on every runtime. An error without memory is a verdict on the whole program instead: nothing is
 * in front of it then; so is a test that is skipped. The id is "SUITE/NAME". */
int cts_conf_vector(const struct cts_conf_test *t, const char *suite, const char *name,
                    struct cts_arena *arena, struct cts_vec *out, struct cts_err *err);

/* A vector file with these vectors, to be read by cts_vec_parse. */
void cts_conf_yaml_begin(struct cts_buf *out, const char *suite);
void cts_conf_yaml_add(struct cts_buf *out, const struct cts_vec *v);

/* The text of a .data file: what the test holds, with `about` as its first line, a comment. The
 * program goes into `-- raw`, each slot with its text behind it. */
void cts_conf_write(struct cts_buf *out, const char *about, const struct cts_conf_test *t);

#endif
