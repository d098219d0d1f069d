/* The runtime of the example: a machine that knows the 64-bit arithmetic of BPF and nothing else.
 * It stands for the library that an adapter is written for, and knows nothing of the harness. */
#ifndef TOY_H
#define TOY_H

#include <stdbool.h>
#include <stdint.h>

struct toy_program;

enum { TOY_SLOTS = 4096 };

/* Little-endian code of `slots` instructions of 8 bytes. Null: it is refused, and *why says why. */
struct toy_program *toy_load(const uint8_t *code, uint32_t slots, const char **why);
/* Runs the first `slots` instructions on these registers. True: it came to an exit; false: to the
 * end of them. */
bool toy_run(const struct toy_program *p, uint32_t slots, uint64_t r[11]);
void toy_free(struct toy_program *p);

#endif
