/* Between the files that read the specification. Calls go down only:
 *
 *     spec                                  all files, and what they refer to
 *     spec_insn  spec_clause  spec_policy   one kind of items each
 *     spec_group
 *     spec_item                             lists of items, found by id
 */
#ifndef CTS_LOAD_SPEC_INT_H
#define CTS_LOAD_SPEC_INT_H

#include "load/schema.h"
#include "load/spec.h"

int cts_spec_no_memory(struct cts_err *err);
/* The text of a field that the schema has checked; null if it is not given. */
const char *cts_spec_text(const struct cts_yaml *map, const char *key);
/* Reads a file that is a list, and holds each item against the fields. */
int cts_spec_list(struct cts_spec *spec, const char *path, const struct cts_schema_field *fields,
                  const char *what, struct cts_yaml **out, struct cts_err *err);
/* By id, for cts_spec_insn_find. */
void cts_spec_sort_insns(struct cts_spec *spec);
/* The group that the node names. */
int cts_spec_read_group(const struct cts_spec *spec, const struct cts_yaml *node, unsigned *group,
                        struct cts_err *err);

#endif
