/* What generators ask about rows, for nobody else. */
#ifndef CTS_SPEC_GEN_INFO_H
#define CTS_SPEC_GEN_INFO_H

#include "generator.h"

/* The rows in the order of the registry: by opcode, source, offset, immediate ("any" last). In the
 * arena, ended by null; null when it is exhausted. */
const struct cts_spec_insn **cts_info_by_encoding(const struct cts_spec *spec,
                                                  struct cts_arena *arena);

/* The field as the registry writes it: "0x07", "any", "8", ... In `text`. */
enum { CTS_INFO_FIELD_TEXT = 48 };
const char *cts_info_field_text(const struct cts_spec_insn *row, enum cts_spec_field field,
                                char text[CTS_INFO_FIELD_TEXT]);

/* "RFC 9669, Section 4.1", or whose instruction else it is. */
void cts_info_reference(const struct cts_spec_insn *row, struct cts_buf *out);

/* The meaning in the notation of RFC 9669 ("dst = (u32)((u32)dst + (u32)imm)"); for a slot its
 * note. */
void cts_info_words(const struct cts_spec_insn *row, struct cts_buf *out);

bool cts_info_has(const char *const *list, size_t count, const char *id);

/* JSON: a string with its quotes; a list of strings. */
void cts_json_string(const char *text, struct cts_buf *out);
void cts_json_strings(const char *const *list, size_t count, struct cts_buf *out);
/* The tree of a `does`, as described in spec/schema/isa.schema.json. */
void cts_json_sema(const struct cts_sema *sema, struct cts_buf *out);

/* Text between the tags of HTML or in a quoted attribute. */
void cts_html_text(const char *text, struct cts_buf *out);

#endif
