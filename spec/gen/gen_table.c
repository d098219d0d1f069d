/* The table of RFC 9669's appendix A and of the registry, from the rows. */
#include "grid.h"
#include "info.h"

/* One column: its head, and how a cell is written. */
struct column {
    const char *head;
    bool full; /* only with `full` */
    void (*cell)(const struct cts_spec *spec, const struct cts_spec_insn *row, struct cts_buf *out);
};

static void add_field(const struct cts_spec_insn *row, enum cts_spec_field f, struct cts_buf *out)
{
    char text[CTS_INFO_FIELD_TEXT];

    cts_buf_adds(out, cts_info_field_text(row, f, text));
}

#define FIELD_CELL(name, field)                                                                    \
    static void name(const struct cts_spec *spec, const struct cts_spec_insn *row,                 \
                     struct cts_buf *out)                                                          \
    {                                                                                              \
        (void)spec;                                                                                \
        add_field(row, field, out);                                                                \
    }
FIELD_CELL(cell_opcode, CTS_SF_OPCODE)
FIELD_CELL(cell_dst, CTS_SF_DST)
FIELD_CELL(cell_src, CTS_SF_SRC)
FIELD_CELL(cell_off, CTS_SF_OFF)
FIELD_CELL(cell_imm, CTS_SF_IMM)
FIELD_CELL(cell_next_imm, CTS_SF_NEXT_IMM)

static void cell_words(const struct cts_spec *spec, const struct cts_spec_insn *row,
                       struct cts_buf *out)
{
    (void)spec;
    cts_info_words(row, out);
}

static void cell_group(const struct cts_spec *spec, const struct cts_spec_insn *row,
                       struct cts_buf *out)
{
    cts_buf_adds(out, spec->groups[row->group].name);
}

static void cell_reference(const struct cts_spec *spec, const struct cts_spec_insn *row,
                           struct cts_buf *out)
{
    (void)spec;
    cts_info_reference(row, out);
}

static void cell_id(const struct cts_spec *spec, const struct cts_spec_insn *row,
                    struct cts_buf *out)
{
    (void)spec;
    cts_buf_adds(out, row->id);
}

static void cell_isa(const struct cts_spec *spec, const struct cts_spec_insn *row,
                     struct cts_buf *out)
{
    (void)spec;
    cts_buf_adds(out, row->since_isa);
}

static void cell_linux(const struct cts_spec *spec, const struct cts_spec_insn *row,
                       struct cts_buf *out)
{
    (void)spec;
    cts_buf_adds(out, row->since_linux);
}

static void cell_origin(const struct cts_spec *spec, const struct cts_spec_insn *row,
                        struct cts_buf *out)
{
    (void)spec;
    cts_buf_adds(out, cts_spec_origin_name(row->origin));
}

static const struct column COLUMNS[] = {
    {"opcode", false, cell_opcode},
    {"dst_reg", true, cell_dst},
    {"src_reg", false, cell_src},
    {"offset", false, cell_off},
    {"imm", false, cell_imm},
    {"next_imm", true, cell_next_imm},
    {"description", false, cell_words},
    {"groups", false, cell_group},
    {"reference", false, cell_reference},
    {"id", true, cell_id},
    {"origin", true, cell_origin},
    {"isa", true, cell_isa},
    {"linux", true, cell_linux},
};

enum { COLUMN_COUNT = sizeof(COLUMNS) / sizeof(COLUMNS[0]) };

static void add_line(const struct cts_gen_request *rq, const struct cts_spec_insn *row,
                     struct cts_buf *cell, struct cts_grid *grid)
{
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        if (COLUMNS[c].full && !rq->full)
            continue;
        cts_buf_clear(cell);
        if (row)
            COLUMNS[c].cell(rq->spec, row, cell);
        else
            cts_buf_adds(cell, COLUMNS[c].head);
        cts_grid_add(grid, cts_buf_text(cell));
        grid->failed |= cell->failed;
    }
}

static void print_table(const struct cts_gen_request *rq, const struct cts_spec_insn **rows,
                        struct cts_buf *out)
{
    struct cts_grid grid;
    struct cts_buf cell;
    size_t columns = 0;

    for (size_t c = 0; c < COLUMN_COUNT; c++)
        columns += rq->full || !COLUMNS[c].full;
    cts_grid_init(&grid, columns, 0);
    cts_buf_init(&cell, 0);
    add_line(rq, NULL, &cell, &grid);
    for (size_t i = 0; rows[i]; i++)
        add_line(rq, rows[i], &cell, &grid);
    cts_grid_print(&grid, rq->format, out);
    cts_buf_release(&cell);
    cts_grid_release(&grid);
}

/* The registry knows the RFC's rows only. */
static void drop_others(const struct cts_spec_insn **rows)
{
    size_t kept = 0;

    for (size_t i = 0; rows[i]; i++)
        if (rows[i]->origin == CTS_ORIGIN_RFC)
            rows[kept++] = rows[i];
    rows[kept] = NULL;
}

static int run(const struct cts_gen_request *rq, struct cts_buf *out, struct cts_err *err)
{
    struct cts_arena arena;

    cts_arena_init(&arena, 0);
    const struct cts_spec_insn **rows = cts_info_by_encoding(rq->spec, &arena);
    int rc = rows ? 0 : cts_err_set(err, CTS_E_NOMEM, "out of memory");
    if (!rc && !rq->full)
        drop_others(rows);
    if (!rc)
        print_table(rq, rows, out);
    cts_arena_release(&arena);
    return rc;
}

static const char *const FORMATS[] = {"text", "markdown", "csv", "tsv", NULL};

const struct cts_generator cts_generator_table = {
    .name = "table",
    .what = "the rows as the table of RFC 9669, appendix A",
    .formats = FORMATS,
    .run = run,
};
