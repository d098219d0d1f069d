/* Changing a list of known failures without touching a byte of the rest. */
#ifndef CTS_LOAD_KNOWN_EDIT_H
#define CTS_LOAD_KNOWN_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "host/buf.h"
#include "load/known.h"

/* Appends to `out` the list's text without the items i for which remove[i] (null: none), and with
 * the n entries of `add`, an item each, behind the others (of which file, line, col and versions do
 * not count). The lines of an item go from its dash to its last line of content or of comment that
 * is indented more than the dash; all other comments and blank lines stay.
 *
 * The new text is read again and compared before it is given away: CTS_E_INVAL with the place when
 * it would not say exactly that (a list written as [...], or with the end of the document
 * marked). */
int cts_known_edit(const struct cts_known_list *list, const bool *remove,
                   const struct cts_known_entry *add, size_t n, struct cts_buf *out,
                   struct cts_err *err);

#endif
