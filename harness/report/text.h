/* What the formats share: text from anywhere made fit for each of them, and the time of the run.
 *
 * Texts of a result may hold anything: control characters, bytes that are not UTF-8. All functions
 * here end at the terminator, take a null pointer for "", and put U+FFFD for each byte that is no
 * part of a character. */
#ifndef CTS_REPORT_TEXT_H
#define CTS_REPORT_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/text.h"
#include "host/buf.h"
#include "result/result.h"

/* One line for people: control characters and those that turn text around become visible (\x1b,
 * \u202e). */
void cts_text_line(struct cts_buf *b, const char *text);
/* The same for text of several lines, each begun with `indent` and ended by a newline. */
void cts_text_block(struct cts_buf *b, const char *indent, const char *text);
/* One visible line and its newline, folded at blanks to `width` columns (0: not at all): what does
 * not fit stands on lines indented by `hang`. `mark` ends each line that goes on. A word is never
 * parted. Colours take no room. */
void cts_text_fold(struct cts_buf *b, const char *line, unsigned width, unsigned hang,
                   const char *mark);
/* A document of any format: lines and tabs stay, other characters that are not to reach a terminal
 * become visible. */
void cts_text_document(struct cts_buf *b, const char *text);
/* With its quotes. Also a double-quoted scalar of YAML. */
void cts_text_json(struct cts_buf *b, const char *text);
/* For an attribute in double quotes, and for the text of an element (lines stay lines). What
 * XML 1.0 forbids becomes visible. */
void cts_text_xml(struct cts_buf *b, const char *text);
void cts_text_xml_body(struct cts_buf *b, const char *text);

/* Now, or the moment SOURCE_DATE_EPOCH names, as 2024-10-31T00:00:00Z. */
enum { CTS_TEXT_TIME_CAP = 32 };
const char *cts_text_time(char buf[CTS_TEXT_TIME_CAP]);
/* Does SOURCE_DATE_EPOCH name a moment? */
bool cts_text_time_is_given(void);
/* Nanoseconds as seconds with `digits` (1..9) behind the point, cut off. */
void cts_text_seconds(struct cts_buf *b, uint64_t ns, unsigned digits);
/* 1,234,567 */
void cts_text_count(struct cts_buf *b, uint64_t n);

/* What there is to say of an engine: its version, or "skipped: " or "broken: " and the reason. */
void cts_text_engine(struct cts_buf *b, const struct cts_engine_info *info);
/* "interrupted: 12 cases were not run" of a run that is not whole; else nothing and false. */
bool cts_text_incomplete(struct cts_buf *b, const struct cts_summary *s);

/* Writes the buffer and empties it. False if a part of it was lost for lack of memory: then nothing
 * is written. */
bool cts_text_flush(struct cts_buf *b, FILE *out);

#endif
