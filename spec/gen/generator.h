/* What `ebpf-cts spec` prints from a specification. One file each (gen_<name>.c) that defines
 * `const struct cts_generator cts_generator_<name>`; CMakeLists.txt has the list. */
#ifndef CTS_SPEC_GENERATOR_H
#define CTS_SPEC_GENERATOR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "host/arena.h"
#include "host/buf.h"
#include "load/spec.h"
#include "load/vec.h"

/* The vectors of a folder, in the order of their ids. */
struct cts_tested {
    struct cts_arena arena; /* owns them */
    const struct cts_vec **vectors;
    size_t count;
    size_t faults;        /* vectors that could not be used */
    struct cts_err first; /* the first of them */
};

/* Reads every .yaml below `dir`; rows, clauses and classes are checked against `spec`. Release it
 * in any case. */
int cts_tested_load(struct cts_tested *t, const char *dir, const struct cts_spec *spec,
                    struct cts_err *err);
void cts_tested_release(struct cts_tested *t);

struct cts_gen_request {
    const struct cts_spec *spec;
    const struct cts_spec
        *other; /* what it is compared with; null unless the generator wants two */
    const char *spec_name, *other_name; /* the folders, as given */
    const struct cts_tested *tested;    /* null unless the generator wants vectors */
    const char *format;                 /* one of the generator's */
    bool full;                          /* what else there is to say */
};

enum cts_gen_wants {
    CTS_GEN_VECTORS = 1 << 0, /* `tested` */
    CTS_GEN_TWO = 1 << 1,     /* `other` */
};

struct cts_generator {
    const char *name, *what;
    const char *const *formats; /* ended by a null pointer; the first is the default */
    unsigned wants;             /* enum cts_gen_wants */
    /* Appends the whole text; the same request always gives the same bytes. 1: there are
     * differences (`diff` only). Negative: `err`. */
    int (*run)(const struct cts_gen_request *rq, struct cts_buf *out, struct cts_err *err);
};

/* All of them, ended by a null pointer. */
extern const struct cts_generator *const cts_generators[];
const struct cts_generator *cts_generator_find(const char *name);
/* The generator's own pointer for a format (null: the default); null if it has none of that name.
 */
const char *cts_generator_format(const struct cts_generator *g, const char *name);

#endif
