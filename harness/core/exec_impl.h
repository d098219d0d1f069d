/* Between the files of the executor: programs being put together (exec_job.c), frames of them under
 * way (exec_frame.c), units alone (exec_alone.c), long sweeps (exec_ring.c), units in pieces
 * (exec_piece.c), the environment's own test (exec_test.c). */
#ifndef CTS_CORE_EXEC_IMPL_H
#define CTS_CORE_EXEC_IMPL_H

#include "core/exec.h"
#include "core/rows.h"
#include "core/start.h"
#include "host/buf.h"

enum {
    FRAME_JOBS = 32,
    FRAME_CODE = 1 << 20,             /* bytes of code after which a frame goes out */
    RING_ROWS = 4096,                 /* of a sweep too long for half a window */
    TRAVEL_BYTES = CTS_FRAME_MAX / 4, /* of rows, of which a frame may carry two copies */
    MAX_RESTARTS_IN_A_ROW = 3,
    SELF_TEST_SHAPES = 64,
    SELF_TEST_TRIES = 5, /* a worker that dies over a shape every time cannot do it */
};

/* What was seen of a row among others that was not right: told if the row is right alone. */
struct wrong {
    uint32_t row; /* UINT32_MAX: there was none */
    struct cts_obs obs;
};

/* One program: bodies that share it, and the rows they take. */
struct job {
    struct cts_seg *seg[CTS_ITEM_LAYOUTS];
    struct cts_layout layout[CTS_ITEM_LAYOUTS];
    uint32_t segs;
    uint32_t from, to;          /* see cts_x_among */
    uint32_t first;             /* the first operand row of each body that is run */
    uint32_t iterations;        /* 0: loaded, not run */
    uint8_t *expect;            /* iterations * segs * expect_bytes */
    size_t expect_bytes;        /* of one row */
    size_t code_at, code_len;   /* in the frame's code */
    size_t elf_at, elf_len;     /* in the frame's objects */
    size_t guess_at, guess_len; /* in the frame's guesses */
    struct cts_map_def map[CTS_ITEM_MAPS];
    const char *name[CTS_ITEM_NAMES];
};

struct frame {
    struct job job[FRAME_JOBS];
    struct cts_item item[FRAME_JOBS];
    struct cts_answer answer[FRAME_JOBS];
    uint32_t jobs;
    uint32_t used; /* bytes of its half of the window */
    bool asked;
    uint64_t items_before; /* asked of the session before these */
    struct cts_buf code, elf;
    struct cts_buf guess; /* regions as they are to be: for workers that see nothing but r0 */
    uint8_t *expect; /* expected states of its rows: as large as its part of the window, since a
                        row's never takes more than its stride */
    size_t expect_used;
};

struct cts_exec {
    struct cts_session *session;
    const struct cts_core_opts *opts;
    struct cts_judge *judge;
    struct frame *frame[2];
    unsigned current;
    const uint32_t *units; /* to be run */
    struct job open;       /* the program being put together */
    uint32_t anew;         /* index of the last unit that began a program as its vector's first */
    struct again {
        uint32_t unit;
        struct wrong wrong; /* the first of its rows that was */
        size_t blame;       /* it was under way when a worker died: index + 1 */
    } *again;               /* units to look at one by one */
    size_t again_count, again_cap;
    struct blame {
        uint32_t unit; /* of the program that was running, as far as one can tell */
        struct cts_among among;
        struct cts_err err;
        bool confirmed; /* one of those under way did it again */
    } *blame;
    size_t blames, blame_cap;
    unsigned failed_starts;
    unsigned timeouts; /* in a row */
    bool gave_up;      /* there were too many of them */
    bool broken;       /* the worker cannot be started any more */
    struct cts_err why_broken;
};

/* Where things are: asked for each row, hence inline. */

static inline const struct cts_caps *cts_x_caps(const struct cts_exec *x)
{
    return &x->session->caps;
}

/* Whose expectations count: the engine's that is running. */
static inline struct cts_who cts_x_who(const struct cts_exec *x)
{
    return (struct cts_who){.runtime = cts_x_caps(x)->runtime, .engine = cts_x_caps(x)->engine};
}

/* Programs are loaded and never run: each is loaded once, whatever its rows. */
static inline bool cts_x_loads_only(const struct cts_exec *x)
{
    return cts_x_caps(x)->features & CTS_FEAT_VERDICT_ONLY;
}

/* Nothing but r0 comes out of a program, and whether it is accepted shows only when it is run. */
static inline bool cts_x_guesses(const struct cts_exec *x)
{
    return cts_x_caps(x)->features & CTS_FEAT_GUESS;
}

/* Rows of the window that a unit takes. */
static inline uint32_t cts_x_rows_of(const struct cts_exec *x, const struct cts_seg *seg)
{
    return cts_x_loads_only(x) ? 1 : seg->rows;
}

static inline uint8_t *cts_x_window_at(const struct cts_exec *x, uint32_t offset)
{
    return (uint8_t *)cts_x_caps(x)->window + offset;
}

static inline uint8_t *cts_x_row_at(const struct cts_exec *x, const struct job *j, uint32_t index)
{
    const struct cts_layout *l = &j->layout[0];
    return cts_x_window_at(x, l->region) + CTS_WIN_HEADER +
           (size_t)(index & (l->rows - 1)) * l->stride;
}

static inline uint8_t *cts_x_expect_at(const struct job *j, uint32_t index)
{
    return j->expect ? j->expect + (size_t)index * j->expect_bytes : NULL;
}

/* What made a program of several bodies what it is: the units to be run, from one on that begins a
 * program whatever is run before it, to the last of the program. None where there is one body. */
static inline struct cts_among cts_x_among(const struct cts_exec *x, const struct job *j)
{
    return j->segs > 1 ? (struct cts_among){x->units + j->from, j->to - j->from}
                       : (struct cts_among){NULL, 0};
}

/* Units (exec.c). */

bool cts_x_is_long(const struct cts_exec *x, const struct cts_seg *seg);
struct cts_seg *cts_x_new_seg(struct cts_exec *x, uint32_t unit, struct cts_arena *arena);
/* The program being put together is put into the frame. */
void cts_x_close_job(struct cts_exec *x);

/* Programs (exec_job.c). */

struct frame *cts_x_current(struct cts_exec *x);
/* Do rows, or guesses of them, travel in the frames? Then no more of the window is used than a
 * frame can hold, and whatever is asked for carries all its rows there and back. */
bool cts_x_rows_travel(const struct cts_exec *x);
/* The window's bytes that are used. */
uint32_t cts_x_window_bytes(const struct cts_exec *x);
/* A frame's part of them. */
uint32_t cts_x_half_bytes(const struct cts_exec *x);
/* What is left of the part where the first `used` bytes are taken. */
uint32_t cts_x_room(const struct cts_exec *x, uint32_t used);
uint32_t cts_x_stride_of(const struct cts_layout *l);
bool cts_x_is_whole(const struct cts_seg *seg);
uint64_t cts_x_region_bytes(uint32_t segs, uint32_t iterations, uint32_t stride);
void cts_x_reset_frame(struct frame *f);
/* Body s runs its own row first + i in iteration i; a body with fewer rows than the others repeats
 * its last. */
uint32_t cts_x_row_number(const struct job *j, uint32_t s, uint32_t i);
void cts_x_place_job(struct frame *f, struct job *j, uint32_t region, uint32_t rows);
int cts_x_add_code(struct cts_exec *x, struct frame *f, struct job *j, struct cts_err *err);
void cts_x_make_item(struct job *j, struct cts_item *it, uint8_t ops, uint8_t prog);
/* Writes the rows of its iterations, and what is expected of them. */
void cts_x_fill_job(struct cts_exec *x, struct job *j);
/* The program once more, as an object, for workers that want one. */
int cts_x_add_object(struct cts_exec *x, struct frame *f, struct job *j, struct cts_err *err);
/* The region as it is to be, for workers that guess. */
int cts_x_add_guess(struct cts_exec *x, struct frame *f, struct job *j, struct cts_err *err);
/* Once the frame's buffers no longer move. */
void cts_x_point_at_code(const struct frame *f, const struct job *j, struct cts_item *it);
int cts_x_add_job(struct cts_exec *x, struct frame *f, const struct job *made, uint32_t half,
                  struct cts_err *err);

/* Frames (exec_frame.c). */

unsigned cts_x_timeout_of(const struct cts_exec *x);
int cts_x_ask(struct cts_exec *x, struct frame *f, struct cts_err *err);
/* Was there a time-out? Too many of them in a row, and the engine is given up: it is not started
 * again. */
void cts_x_count_timeout(struct cts_exec *x, bool timed_out);
/* The answers to a frame, and to the empty question behind it: what a worker says beside its
 * answers comes between the two, and is blamed on this frame and no later one. */
int cts_x_answers(struct cts_exec *x, struct frame *f, struct cts_err *err);
struct cts_obs cts_x_observe(const struct cts_exec *x, const struct job *j, uint32_t s, uint32_t i,
                             const struct cts_answer *a);
/* Rows of one body after a run that went through: matching ones are told; the first other one, from
 * the job's first on, is returned (or UINT32_MAX) and copied to *wrong (not null). */
uint32_t cts_x_check_rows(struct cts_exec *x, const struct job *j, uint32_t s, struct wrong *wrong);
enum cts_seen cts_x_seen_of_load(const struct cts_load_res *l);
enum cts_seen cts_x_seen_of_run(const struct cts_run_res *r);
static inline bool cts_x_is_death(enum cts_seen seen)
{
    return seen == CTS_SEEN_CRASHED || seen == CTS_SEEN_TIMED_OUT;
}
/* What was seen of an accepted program that was run and did not go through. */
struct cts_obs cts_x_observe_stop(const struct cts_run_res *r);
bool cts_x_restart(struct cts_exec *x);
void cts_x_broken_unit(struct cts_exec *x, const struct cts_seg *seg);
/* The unit ended the worker when it was alone, too. */
void cts_x_confirm(struct cts_exec *x, uint32_t unit);
void cts_x_drain(struct cts_exec *x);
/* Sends the current frame and turns to the other, whose answers are taken first. */
void cts_x_flush_frame(struct cts_exec *x);

/* Units alone (exec_alone.c). */

/* None was wrong. */
static inline struct wrong cts_x_not_wrong(void)
{
    return (struct wrong){.row = UINT32_MAX};
}
/* Operand row `r` of body s, the row `at` of the region, came out wrong; its state is copied. */
struct wrong cts_x_wrong_row(struct cts_exec *x, const struct job *j, uint32_t s, uint32_t r,
                             uint32_t at);
/* A run of rows from `first` on did not go through, or its program was not accepted. */
struct wrong cts_x_wrong_end(struct cts_exec *x, const struct cts_seg *seg, uint32_t first,
                             const struct cts_answer *a);
/* wrong: copied; null: none of its rows was. */
void cts_x_look_again(struct cts_exec *x, const struct cts_seg *seg, const struct wrong *wrong);
void cts_x_look_again_all(struct cts_exec *x, const struct job *j);
/* One program, alone in the worker. 0 with the answer in frame 0, or the session's error after a
 * restart. */
int cts_x_run_job(struct cts_exec *x, const struct job *made, struct cts_err *err);
struct job cts_x_job_of(struct cts_seg *seg, uint32_t first, uint32_t rows);
void cts_x_add_job_failed(struct cts_exec *x, struct cts_seg *seg, int rc,
                          const struct cts_err *err);
/* Runs rows [first, first + rows) of a unit; a worker that dies of it is asked once more. 0 with
 * the answer in frame 0; *died tells that the first attempt ended the worker, and err how. */
int cts_x_run_twice(struct cts_exec *x, struct cts_seg *seg, uint32_t first, uint32_t rows,
                    bool *died, struct cts_err *err);
/* What there is to say when the worker died at least once. */
void cts_x_judge_death(struct cts_exec *x, struct cts_seg *seg, uint32_t r, int second_rc,
                       const struct cts_err *err);
/* One operand row by itself. wrong: what was seen of it among others, if it is of this row; may be
 * null. */
void cts_x_run_row(struct cts_exec *x, struct cts_seg *seg, uint32_t r, const struct wrong *wrong);
/* The row that was wrong, by itself. */
void cts_x_run_wrong_row(struct cts_exec *x, struct cts_seg *seg, const struct wrong *wrong);
/* Is the state of the platform, or the result, of one row lost in the next? */
bool cts_x_row_by_row(const struct cts_exec *x, const struct cts_seg *seg);
void cts_x_look_again_at_all(struct cts_exec *x, struct cts_arena *arena);
/* A worker died, and of none of the programs it can have been when they were alone: never a pass.
 */
void cts_x_settle_blames(struct cts_exec *x, struct cts_arena *arena);

/* Units with more rows than one program takes, on a worker that guesses (exec_piece.c). */

/* Into frames: as many rows a program as it takes. */
void cts_x_add_pieces(struct cts_exec *x, struct cts_seg *seg);
/* Alone. */
void cts_x_run_pieces(struct cts_exec *x, struct cts_seg *seg, const struct wrong *wrong);

/* Long sweeps (exec_ring.c). */

/* earlier: of another run; a row that is wrong now counts before it. */
void cts_x_run_long_sweep(struct cts_exec *x, struct cts_seg *seg, const struct wrong *earlier);

#endif
