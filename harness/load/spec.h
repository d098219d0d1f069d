/* The specification as loaded from spec/: groups, rows, clauses, verdict classes. */
#ifndef CTS_LOAD_SPEC_H
#define CTS_LOAD_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "host/arena.h"
#include "load/yaml.h"

struct cts_expr;
struct cts_sema;

enum { CTS_SPEC_GROUPS_MAX = 32, CTS_SPEC_INSNS_MAX = 4096 };

/* One conformance group; `includes` has bit g set for each group g it holds, itself among them,
 * also through others. */
struct cts_spec_group {
    const char *name, *section, *description, *status;
    const char *of; /* whose rule it is, if it is unregistered; else null */
    uint32_t includes, excludes;
    const struct cts_yaml *node;
};

enum cts_spec_field {
    CTS_SF_OPCODE,
    CTS_SF_DST,
    CTS_SF_SRC,
    CTS_SF_OFF,
    CTS_SF_IMM,
    CTS_SF_NEXT_IMM,
    CTS_SF_COUNT
};

const char *cts_spec_field_name(enum cts_spec_field field); /* "opcode", "dst" ... */

enum cts_spec_rule {
    CTS_SR_FIXED,   /* value */
    CTS_SR_REG,     /* a register 0..10 */
    CTS_SR_ANY,     /* anything the field can hold */
    CTS_SR_NONZERO, /* anything but 0 */
    CTS_SR_SPAN     /* from value to last, the multiples of step */
};

struct cts_spec_enc {
    enum cts_spec_rule rule;
    int32_t value, last, step;
};
/* Does the rule allow it? */
bool cts_spec_enc_allows(const struct cts_spec_enc *enc, int64_t value);
/* Is there a value that both allow? */
bool cts_spec_enc_meet(const struct cts_spec_enc *a, const struct cts_spec_enc *b);

/* Whose instruction a row is. */
enum cts_spec_origin {
    CTS_ORIGIN_RFC,
    CTS_ORIGIN_LINUX,     /* added by Linux after the RFC */
    CTS_ORIGIN_TOOLCHAIN, /* compilers emit it; no RFC, no Linux */
    CTS_ORIGIN_COUNT
};
const char *cts_spec_origin_name(enum cts_spec_origin origin);

/* What else than `does` conforms where the RFC is silent. */
enum cts_spec_way { CTS_WAY_RUN, CTS_WAY_REJECT, CTS_WAY_FAULT, CTS_WAY_COUNT };
const char *cts_spec_way_name(enum cts_spec_way way);

struct cts_spec_outcome {
    const char *when;      /* a condition in the language of `does`; on one line */
    struct cts_expr *cond; /* the same, checked */
    unsigned allow;        /* bit for each enum cts_spec_way */
    const struct cts_yaml *node;
};

struct cts_spec_insn {
    const char *id, *name, *since_isa, *since_linux;
    const char *section; /* of RFC 9669; "" if it is not the RFC's */
    enum cts_spec_origin origin;
    unsigned group;
    bool platform; /* it needs a platform of a kind that the reference machine is not */
    bool slot;     /* not an instruction, but the second slot of a wide one: no asm, no does */
    bool wide;     /* next_imm is given */
    struct cts_spec_enc enc[CTS_SF_COUNT];
    const char *syntax; /* LLVM's; null for a slot */
    const char *ubpf;   /* that of uBPF's assembler; null if it has none */
    const char *gas;    /* that of binutils' assembler; null if it has none */
    const char *does;   /* on one line; null for a slot */
    struct cts_sema *sema;
    struct cts_spec_outcome *outcomes;
    size_t outcome_count;
    struct cts_yaml_strs clauses, ambiguities;
    const char *note; /* or null */
    const struct cts_yaml *node;
};

/* How a statement of the RFC can be tested. */
enum cts_spec_how {
    CTS_HOW_RUN,
    CTS_HOW_VERDICT,
    CTS_HOW_ENCODING,
    CTS_HOW_LINT,
    CTS_HOW_CONCURRENCY,
    CTS_HOW_PLATFORM,
    CTS_HOW_UNTESTABLE,
    CTS_HOW_COUNT
};
const char *cts_spec_how_name(enum cts_spec_how how);

struct cts_spec_clause {
    const char *id, *section, *strength, *statement;
    unsigned tested;    /* bit for each enum cts_spec_how */
    const char *reason; /* why it cannot be tested; null unless CTS_HOW_UNTESTABLE */
    const struct cts_yaml *node;
};

struct cts_spec_verdict {
    const char *id, *name, *from, *statement;
    struct cts_yaml_strs clauses;
    const struct cts_yaml *node;
};

/* What kind of a question it is. */
enum cts_spec_open {
    CTS_OPEN_DEFECT,  /* the RFC contradicts itself or the registry */
    CTS_OPEN_SILENT,  /* it says nothing */
    CTS_OPEN_DISPUTE, /* it says something, and implementations do something else */
    CTS_OPEN_LATER,   /* it is about what came after the RFC */
    CTS_OPEN_COUNT
};
const char *cts_spec_open_name(enum cts_spec_open kind);

/* What one runtime does. */
struct cts_spec_practice {
    const char *runtime, *what;
};

/* Where the RFC contradicts itself or is silent, and what the rows do there. */
struct cts_spec_ambiguity {
    const char *id, *section, *question, *here;
    enum cts_spec_open kind;
    const char *policy; /* the name of what `here` says */
    struct cts_spec_practice *practices;
    size_t practice_count;
    struct cts_yaml_strs vectors; /* ids or globs of the vectors that show it */
    const char *untested;         /* why there are none; null if there are */
    const struct cts_yaml *node;
};

/* What an expectation may rest on: an item of policies.yaml, or an unregistered group. */
struct cts_spec_policy {
    const char *id, *of, *statement; /* of: whose rule it is */
    const struct cts_yaml *node;
};

struct cts_spec {
    struct cts_arena arena;        /* owns everything below */
    struct cts_spec_group *groups; /* in the order of groups.yaml */
    size_t group_count;
    struct cts_spec_insn *rows; /* sorted by id */
    size_t row_count;
    struct cts_spec_clause *clauses; /* in the order of the file */
    size_t clause_count;
    struct cts_spec_verdict *verdicts;
    size_t verdict_count;
    struct cts_spec_ambiguity *ambiguities;
    size_t ambiguity_count;
    struct cts_spec_policy *policies;
    size_t policy_count;
};

void cts_spec_init(struct cts_spec *spec);
void cts_spec_release(struct cts_spec *spec);

/* Everything below `dir`: groups.yaml, isa/, clauses.yaml, verdicts.yaml, ambiguities.yaml and, if
 * it is there, policies.yaml; then the references between them. The first error ends it; `spec` is
 * to be released in any case. */
int cts_spec_load(struct cts_spec *spec, const char *dir, struct cts_err *err);

/* The parts, in the order in which they may be loaded: rows and policies need the groups. */
int cts_groups_load(struct cts_spec *spec, const char *path, struct cts_err *err);
int cts_insns_load(struct cts_spec *spec, const char *dir_or_file, struct cts_err *err);
int cts_clauses_load(struct cts_spec *spec, const char *path, struct cts_err *err);
int cts_verdicts_load(struct cts_spec *spec, const char *path, struct cts_err *err);
int cts_ambiguities_load(struct cts_spec *spec, const char *path, struct cts_err *err);
int cts_policies_load(struct cts_spec *spec, const char *path, struct cts_err *err);

const struct cts_spec_insn *cts_spec_insn_find(const struct cts_spec *spec, const char *id);
const struct cts_spec_clause *cts_spec_clause_find(const struct cts_spec *spec, const char *id);
const struct cts_spec_verdict *cts_spec_verdict_find(const struct cts_spec *spec, const char *id);
const struct cts_spec_policy *cts_spec_policy_find(const struct cts_spec *spec, const char *id);
const struct cts_spec_ambiguity *cts_spec_ambiguity_find(const struct cts_spec *spec,
                                                         const char *id);

#endif
