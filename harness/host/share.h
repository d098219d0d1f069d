/* Memory of another process that is shared with this one: of which kinds it may be, and what
 * becomes of an access to it when it has gone. */
#ifndef CTS_HOST_SHARE_H
#define CTS_HOST_SHARE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct cts_share {
    void *data; /* null: none */
    size_t bytes;
    unsigned place; /* in the table of those that are watched, from 1; 0: none */
};

/* Maps the first `bytes` of what descriptor fd (of this process; it may be closed then) stands for.
 * It must be known to be there for as long as it is mapped: a memory file, which is sealed against
 * shrinking here if it is not yet, or a BPF array whose values can be mapped. CTS_E_UNSUPPORTED
 * with the reason: anything else, or it is too small; CTS_E_NOMEM. */
int cts_share_map(struct cts_share *s, int fd, size_t bytes, struct cts_err *err);

/* An access to the mapping that ends in SIGBUS or SIGSEGV puts private memory of zeros in its
 * place, all of it, and goes on; from then on it is gone, and what is read there is nobody's. Any
 * thread's. Faults elsewhere are what they were without it. */
bool cts_share_is_gone(const struct cts_share *s);
/* Looks at every page of [off, off + bytes), so that what has gone is seen to be. */
void cts_share_touch(const struct cts_share *s, size_t off, size_t bytes);

void cts_share_unmap(struct cts_share *s);

/* The same watch for a mapping that is the caller's own, who gives it back by cts_share_forget and
 * munmap. CTS_E_LIMIT. */
int cts_share_watch(struct cts_share *s, void *data, size_t bytes, struct cts_err *err);
void cts_share_forget(struct cts_share *s);

#endif
