/* The specification as a page for people. */
#include "doc.h"

#include <string.h>

static int run(const struct cts_gen_request *rq, struct cts_buf *out, struct cts_err *err)
{
    struct cts_doc d = {.rq = rq, .spec = rq->spec, .out = out};
    struct cts_arena arena;

    cts_arena_init(&arena, 0);
    cts_buf_init(&d.text, 0);
    d.rows = cts_info_by_encoding(rq->spec, &arena);
    int rc = d.rows ? 0 : cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (!rc && !strcmp(rq->format, "html"))
        cts_doc_html(&d);
    else if (!rc)
        cts_doc_markdown(&d);
    cts_buf_release(&d.text);
    cts_arena_release(&arena);
    return rc;
}

static const char *const FORMATS[] = {"html", "markdown", NULL};

const struct cts_generator cts_generator_doc = {
    .name = "doc",
    .what = "the specification as a page for people: every row, clause and open question",
    .formats = FORMATS,
    .wants = CTS_GEN_VECTORS,
    .run = run,
};
