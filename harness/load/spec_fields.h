/* The tables that the files of the specification are checked against, for documentation. */
#ifndef CTS_LOAD_SPEC_FIELDS_H
#define CTS_LOAD_SPEC_FIELDS_H

#include "load/schema.h"

extern const struct cts_schema_field cts_group_fields[], cts_insn_fields[], cts_clause_fields[],
    cts_verdict_fields[], cts_ambiguity_fields[], cts_policy_fields[];

#endif
