/* Adding to a list of mutants, for those who make them. */
#ifndef CTS_MUTATE_LIST_H
#define CTS_MUTATE_LIST_H

#include "mutate/mutate.h"

/* Copies *m to the end; its texts must be the list's or constant. */
void cts_mut_add(struct cts_mut_list *list, const struct cts_mutant *m);
/* Mutants of the row's `does`. */
void cts_mut_add_does(struct cts_mut_list *list, const struct cts_spec_insn *row,
                      enum cts_insn_id id);
/* Faults of the machine when it runs, or decodes, this row. */
void cts_mut_add_model(struct cts_mut_list *list, const struct cts_spec_insn *row,
                       enum cts_insn_id id);
/* A loader that decides branches by what this row makes it believe (loader.h). */
void cts_mut_add_loader(struct cts_mut_list *list, enum cts_insn_id row);
/* A compiler that mistakes distances in its own code, or the numbers of slots. */
void cts_mut_add_compiler(struct cts_mut_list *list, enum cts_insn_id row);
/* A compiler of large and small frames that mistakes one for the other. */
void cts_mut_add_frames(struct cts_mut_list *list, enum cts_insn_id row);
/* Faults of the decoder that belong to no row: they go with the first row. */
void cts_mut_add_global(struct cts_mut_list *list);

#endif
