/* Sights for commands: what is asked for with --as, and what is compared there. */
#ifndef CTS_CLI_SIGHTS_H
#define CTS_CLI_SIGHTS_H

#include "core/compared.h"
#include "core/sight.h"
#include "host/arena.h"
#include "host/buf.h"

/* The capabilities that `word` stands for: terms of a sight, or RUNTIME[:ENGINE], whose worker is
 * asked. */
int cts_sights_find(const char *word, struct cts_caps *caps, struct cts_arena *arena,
                    struct cts_err *err);
/* "r0-r9, 64 bytes of memory, 3 verdicts": what is compared, or why nothing is. */
void cts_sights_tell(const struct cts_compared *c, struct cts_buf *out);
/* "r0 r2-r9"; "-" if none. */
void cts_sights_registers(uint32_t mask, struct cts_buf *out);

#endif
