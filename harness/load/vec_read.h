/* Private to the reader of vector files. Calls go down only:
 *
 *     vec                                       files, items, the keys of a vector
 *     vec_cases  vec_sweep  vec_verdict         what conforms
 *     vec_setup  vec_objects  vec_code          what runs
 *     vec_state  vec_text                       states; placeholders in texts
 *     vec_value  vec_forms                      values; families of vectors
 */
#ifndef CTS_LOAD_VEC_READ_H
#define CTS_LOAD_VEC_READ_H

#include "load/vec.h"
#include "load/yaml.h"

/* One vector while it is read. The arrays grow into `v` at its end. */
struct cts_vec_reader {
    const struct cts_vec_known *known;
    struct cts_arena *arena;
    struct cts_err *err;
    struct cts_vec v;
    struct cts_vec_role role[CTS_VEC_ROLES_MAX];
    bool memory_given, stack_given, stack_off;
};

/* --- vec_value.c --------------------------------------------------------------------------- */

struct cts_vec_pos cts_vec_pos_of(const struct cts_yaml *node);
int cts_vec_nomem(struct cts_vec_reader *r);
/* Is `name` in the list (or is there no list)? Else CTS_E_SCHEMA with a guess at what was meant. */
int cts_vec_check_name(struct cts_vec_reader *r, const struct cts_yaml *node,
                       const struct cts_vec_names *names, const char *what);
/* "r0" .. "r10": the number; else -1. */
int cts_vec_reg_number(const char *text, size_t len);
/* Index of a role; -1: none of that name. */
int cts_vec_role_index(const struct cts_vec_reader *r, const char *name, size_t len);
/* A role that the code names, or rN (which then counts as named outright). */
int cts_vec_read_reg(struct cts_vec_reader *r, const struct cts_yaml *node,
                     struct cts_vec_reg *out);
/* "mem", "mem+8", "fp-16" ...: false if it is none of these. */
bool cts_vec_address(const char *text, enum cts_vec_value_kind *kind, int64_t *add);
int cts_vec_read_hex(struct cts_vec_reader *r, const struct cts_yaml *node, const char *what,
                     uint32_t max, uint8_t **out, uint32_t *count);

/* --- vec_text.c ---------------------------------------------------------------------------- */

/* The role of that name, made if it is new; negative if it cannot be one. */
int cts_vec_take_role(struct cts_vec_reader *r, const char *name, size_t len);
/* Takes the roles of a piece's text, {imm}, and the registers that it names outright. */
int cts_vec_scan_text(struct cts_vec_reader *r, const struct cts_vec_piece *p);

/* --- vec_code.c ---------------------------------------------------------------------------- */

/* `code` takes a text or a list of pieces; roles are collected on the way. */
int cts_vec_read_code(struct cts_vec_reader *r, const struct cts_yaml *node, const char *what,
                      struct cts_vec_code *out);

/* --- vec_state.c --------------------------------------------------------------------------- */

enum cts_vec_where { CTS_VW_IN, CTS_VW_OUT };
int cts_vec_read_state(struct cts_vec_reader *r, const struct cts_yaml *node,
                       enum cts_vec_where where, struct cts_vec_state *out);
/* {at: .., u32: [..]}: lo..hi is where bytes may lie; `at` may be missing if `at_needed` is false.
 */
int cts_vec_read_bytes(struct cts_vec_reader *r, const struct cts_yaml *node, int64_t lo,
                       int64_t hi, bool any_allowed, bool at_needed, struct cts_vec_bytes *out);

/* --- what a vector consists of, each in a file of that name: `map` is the vector ------------- */

int cts_vec_read_setup(struct cts_vec_reader *r, const struct cts_yaml *map);
int cts_vec_read_objects(struct cts_vec_reader *r, const struct cts_yaml *map);
int cts_vec_read_cases(struct cts_vec_reader *r, const struct cts_yaml *map);
int cts_vec_read_sweep(struct cts_vec_reader *r, const struct cts_yaml *map);
extern const char *const cts_vec_verdict_words[];
int cts_vec_read_verdict(struct cts_vec_reader *r, const struct cts_yaml *map);

/* --- vec_forms.c --------------------------------------------------------------------------- */

/* The vectors that an item stands for: itself, or one for each combination of its forms, without
 * the key. */
struct cts_vec_items {
    const struct cts_yaml **list;
    size_t count;
};
int cts_vec_forms(const struct cts_yaml *item, const struct cts_vec_known *known,
                  struct cts_arena *arena, struct cts_vec_items *out, struct cts_err *err);

#endif
