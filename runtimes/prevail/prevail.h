/* PREVAIL, a verifier by abstract interpretation: a program that reads an ELF object and says
 * whether the function in it passes. */
#ifndef CTS_RT_PREVAIL_PREVAIL_H
#define CTS_RT_PREVAIL_PREVAIL_H

#include "wire/child.h"
#include "wire/worker.h"

extern const struct cts_adapter cts_prevail_adapter;

/* What a run of it says of a program of so many slots: accepted, rejected with its words, or
 * neither (it broke, did not end, or spoke of something else), with the reason. */
void cts_prevail_verdict(const struct cts_child *run, uint32_t slots, struct cts_load_res *res);

#endif
