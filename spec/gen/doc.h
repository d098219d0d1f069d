/* The two forms of `doc`, and what they share. */
#ifndef CTS_SPEC_GEN_DOC_H
#define CTS_SPEC_GEN_DOC_H

#include "info.h"

/* The rows of the page in its order: by group, then by encoding. */
struct cts_doc {
    const struct cts_gen_request *rq;
    const struct cts_spec *spec;
    const struct cts_spec_insn **rows; /* by encoding, ended by null */
    struct cts_buf *out;
    struct cts_buf text; /* for making texts */
};

extern const char cts_doc_css[], cts_doc_js[]; /* doc.css and doc.js */

void cts_doc_html(struct cts_doc *d);
void cts_doc_markdown(struct cts_doc *d);

/* One box of an encoding. */
struct cts_doc_box {
    const char *name;               /* "offset" */
    unsigned nibbles;               /* its width */
    bool open;                      /* not fixed: `text` is what it may be */
    char text[CTS_INFO_FIELD_TEXT]; /* the digits in their order in memory, or the name */
};
enum { CTS_DOC_BOXES = 5 };
/* The boxes of slot 0 or 1 in the order of memory, a byte's high half first. */
void cts_doc_boxes(const struct cts_spec_insn *row, unsigned slot, bool big,
                   struct cts_doc_box box[CTS_DOC_BOXES]);

/* A `does`, or the words of a row, on several lines with indents; in d->text. */
const char *cts_doc_does(struct cts_doc *d, const struct cts_spec_insn *row);
const char *cts_doc_words(struct cts_doc *d, const struct cts_spec_insn *row);

/* A syntax with example operands; in d->text. */
const char *cts_doc_example(struct cts_doc *d, const struct cts_spec_insn *row, const char *syntax);

/* The i-th vector about a row, of a kind; null behind the last. */
const struct cts_vec *cts_doc_vector(const struct cts_doc *d, const char *row_id,
                                     enum cts_vector_kind kind, size_t i);
size_t cts_doc_vectors(const struct cts_doc *d, const char *row_id, enum cts_vector_kind kind,
                       size_t *cases);
size_t cts_doc_insns_of(const struct cts_doc *d, unsigned group);

#endif
