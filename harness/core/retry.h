/* What is to be tried again: variants, each once, and suspects, whose programs may have ended the
 * worker. A list; nothing here runs anything.
 *
 * A suspect is cleared of it when one of the variants that wait for it, alone, ends the worker once
 * more; if none does, what was seen is the suspect's, and flaky. */
#ifndef CTS_CORE_RETRY_H
#define CTS_CORE_RETRY_H

#include "core/observe.h"

struct cts_retry_entry {
    uint32_t variant;
    struct cts_wrong wrong; /* the first of its tuples that was */
    size_t suspect;         /* it was under way when a worker died: index + 1; 0: it was not */
};

struct cts_suspect {
    uint32_t variant; /* of the program that was running, as far as one can tell */
    struct cts_among among;
    struct cts_err err;
    bool confirmed; /* one of those under way did it again */
};

struct cts_retry {
    struct cts_retry_entry *entry;
    size_t entries, entry_cap;
    struct cts_suspect *suspect;
    size_t suspects, suspect_cap;
    bool failed; /* there was no memory for all of it: nothing can be said of any variant */
};

void cts_retry_release(struct cts_retry *r);
/* Empties it. */
void cts_retry_clear(struct cts_retry *r);

/* wrong: copied, unless another one was first; null: none of its tuples was. */
void cts_retry_add(struct cts_retry *r, const struct cts_seg *seg, const struct cts_wrong *wrong);
/* All variants of a program. */
void cts_retry_add_program(struct cts_retry *r, const struct cts_program *p);
/* A program that was running, or may have been, when the worker came to this end. The entries that
 * are added from now on until cts_retry_end_suspect are those that wait for it. Returns a mark for
 * that. */
size_t cts_retry_begin_suspect(struct cts_retry *r, const struct cts_program *p,
                               struct cts_among among, const struct cts_err *err);
void cts_retry_end_suspect(struct cts_retry *r, size_t mark);
/* The variant ended the worker when it was alone, too. */
void cts_retry_confirm(struct cts_retry *r, uint32_t variant);
/* Does a suspect wait for what this entry does when it is alone? */
bool cts_retry_is_awaited(const struct cts_retry *r, const struct cts_retry_entry *e);

#endif
