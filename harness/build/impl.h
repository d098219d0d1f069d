/* Private to the builder. */
#ifndef CTS_BUILD_IMPL_H
#define CTS_BUILD_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "asm/asm.h"
#include "build/build.h"
#include "conf/conf.h"
#include "host/arena.h"
#include "host/buf.h"
#include "host/fs.h"
#include "isa/isa.h"
#include "load/vec.h"
#include "pack/writer.h"

/* In the field src: a call of the program's own function, a wide load of a function's address. */
enum { SRC_LOCAL = 1, SRC_CODE = 4 };

enum {
    CTS_BLD_BINDINGS_MAX = 1000, /* of one vector */
    CTS_BLD_SLOTS_MAX = 1 << 20, /* of one unit */
    CTS_BLD_VERSION = 6,         /* raise it when the same files are to give another pack */
};

/* Which register each role has. */
struct cts_binding {
    uint8_t reg[CTS_VEC_ROLES_MAX];
    uint8_t level; /* enum cts_level */
};

/* A text to be assembled; equal ones are asked for once. */
struct cts_request {
    struct cts_asm_src src;
    const uint8_t *bytes; /* of the answer, in the arena */
    uint32_t slots;
    struct cts_err *err; /* null: assembled */
};

/* Where the lines of a request's text come from, as the one who asks sees it. */
struct cts_text_use {
    uint32_t request;
    struct cts_vec_pos body, subs; /* subs.line 0: there are none in it */
    unsigned body_lines;
};

/* One code of a vector: a binding and a value of {imm}. */
struct cts_concrete {
    const struct cts_binding *binding;
    uint8_t level; /* enum cts_level: of the binding, or of the immediate's place in its domain */
    bool has_imm;
    uint64_t imm;
    size_t kase;               /* of a verdict: the case it is the program of */
    struct cts_text_use *uses; /* of the TEXT pieces, in the order of code, subs */
    uint8_t *code;             /* after assembly: little-endian */
    uint32_t slots, body_slots;
};

struct cts_plan {
    const struct cts_vec *v;
    const struct cts_binding *bindings;
    size_t binding_count;
    struct cts_concrete *concretes; /* binding by binding, within one imm by imm */
    size_t concrete_count;
};

struct cts_builder {
    const struct cts_build_opts *opts;
    struct cts_build_stats *stats;
    int cache; /* descriptor of the packs' folder; negative: there is no cache */
    struct cts_arena arena;
    struct cts_pk_writer w;
    struct cts_request *requests;
    size_t request_count, request_cap;
    uint32_t *request_slots; /* hash table of request numbers + 1 */
    size_t request_slot_cap;
    struct cts_plan *plans;
    size_t plan_count, plan_cap;
};

/* Tells the caller of an error and counts it. */
void cts_bld_fault(struct cts_builder *b, const struct cts_err *err);
/* Tells the caller of something that is no error. */
void cts_bld_note(struct cts_builder *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* bind.c: all bindings of the roles up to the level, the first being the plainest. */
int cts_bld_bind(struct cts_builder *b, const struct cts_vec *v, const struct cts_binding **out,
                 size_t *count, struct cts_err *err);

/* code.c */
int cts_bld_request(struct cts_builder *b, const struct cts_vec *v, struct cts_concrete *c,
                    struct cts_err *err);
/* `assembler`: the path of the one used, "" if nothing had to be assembled. */
int cts_bld_assemble(struct cts_builder *b, char *assembler, size_t cap, struct cts_err *err);
/* Puts the code of a concrete together. */
int cts_bld_compose(struct cts_builder *b, const struct cts_vec *v, struct cts_concrete *c,
                    struct cts_err *err);

struct cts_code_facts {
    uint16_t regs; /* registers it may read or write */
    bool alone;    /* it may end the program, loop, or is long */
    bool straight; /* its body can only fall through to its end */
};
void cts_bld_facts(const uint8_t *code, uint32_t slots, uint32_t body_slots,
                   struct cts_code_facts *f);

/* args.c */
/* May a function read r1 or r2 as it was called with? Little-endian encoding. */
bool cts_bld_takes_arguments(const uint8_t *code, uint32_t slots);

/* state.c */
enum { CTS_BLD_NO_SCRATCH = -1 };
struct cts_scratch {
    int reg;        /* CTS_BLD_NO_SCRATCH: none */
    uint64_t value; /* what it holds in the end */
};
/* The register a state speaks of under a binding. */
unsigned cts_bld_reg(struct cts_vec_reg reg, const struct cts_binding *bind);
/* Are all states of the vector possible under the binding (no register named twice, r10 as it is)?
 */
int cts_bld_check_states(const struct cts_vec *v, const struct cts_binding *bind,
                         struct cts_err *err);
/* The state `in` (out null), or the one that comes out of it. `salt` varies what is not named. */
uint32_t cts_bld_state(struct cts_builder *b, const struct cts_vec *v,
                       const struct cts_binding *bind, const struct cts_vec_state *in,
                       const struct cts_vec_state *out, unsigned salt,
                       const struct cts_scratch *scratch);
void cts_bld_map(struct cts_builder *b, const struct cts_vec_map *m);

/* variant.c: the code again, its plain inputs set by constants or masked to their bits, and a check
 * behind the body that a verifier decides. False: there is no such variant of this case. */
struct cts_variant {
    uint8_t *code;
    uint32_t slots, body_slots;
    struct cts_scratch scratch;
};
bool cts_bld_variant(struct cts_builder *b, const struct cts_vec *v, const struct cts_concrete *c,
                     const struct cts_vec_case *kase, enum cts_operands kind,
                     struct cts_variant *out);

/* compute.c: fills in the outputs that are left to be computed (p->v is then a copy). */
int cts_bld_compute(struct cts_builder *b, struct cts_plan *p, struct cts_err *err);

/* emit.c */
void cts_bld_emit(struct cts_builder *b, const struct cts_plan *plan);

/* cache.c. `key`: over the files (path and bytes) and everything else that decides what comes out.
 */
struct cts_source {
    const char *path, *text;
    size_t len;
    const struct cts_conf_link *links; /* files that a .data file names */
    size_t link_count;
};
void cts_bld_key(const struct cts_build_opts *opts, const struct cts_source *files, size_t n,
                 char key[65]);
/* Opens b->cache, or says why there is none. */
void cts_bld_cache_open(struct cts_builder *b);
/* True: *pack is the one of the cache. What is there and is not to be believed is said. */
bool cts_bld_cached(struct cts_builder *b, const char *key, struct cts_pack *pack);
/* Keeps the pack, with a stamp of the assembler it was made with. A cache that cannot be written is
 * no error. */
void cts_bld_keep(struct cts_builder *b, const char *key, const char *assembler, const void *data,
                  size_t len);

#endif
