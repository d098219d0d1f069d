/* Private to the reader of .data files. */
#ifndef CTS_CONF_IMPL_H
#define CTS_CONF_IMPL_H

#include "conf/conf.h"

/* Numbers: decimal or 0x hexadecimal with an optional sign; all of [text, end). CTS_E_SYNTAX
 * without a message for anything else. `negative`: it had a minus; *v is its magnitude. */
int cts_conf_number(const char *text, size_t len, bool *negative, uint64_t *v);

/* The number of a helper in a .data file, and what it is in programs for workers; any other number
 * is itself. */
int32_t cts_conf_helper_from(int32_t number);
int32_t cts_conf_helper_to(int32_t id);
bool cts_conf_is_helper_call(const struct cts_insn *in);

#endif
