#include "host/solver.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fmt.h"
#include "host/clock.h"
#include "host/fs.h"
#include "host/proc.h"

enum {
    REPLY_BYTES = 1 << 16,
    LOOK_MS = 100,    /* how often its CPU time is looked at */
    IDLE_MS = 300000, /* a solver that computes nothing for so long will not answer */
    MARK_BYTES = 10,
};

static const char MARK[] = "@question ";
const char cts_solver_hint[] = "no z3 (apt-get install z3)";

struct asker {
    const struct cts_solver_opts *opts;
    struct cts_solver_question *q;
    size_t n;
    struct cts_proc p;
    struct cts_buf text; /* what this process is asked */
    size_t sent;
    struct cts_buf line; /* the beginning of a line */
    struct cts_buf *answers;
    size_t now;               /* the question that is being answered; n: none */
    size_t next;              /* the one whose mark comes next */
    bool ended;               /* the last one is answered */
    bool exhausted;           /* the question that is being answered has spent its steps */
    uint64_t cpu, cpu_before; /* ns: as last seen; when `now` began */
    uint64_t moved;           /* the time when `cpu` was last another one */
    struct cts_err *err;
};

static const char *program_of(const struct cts_solver_opts *opts)
{
    return opts->program ? opts->program : "z3";
}

bool cts_solver_is_here(const char *program)
{
    char path[4096];

    return cts_fs_find_program(program ? program : "z3", path, sizeof(path)) == 0;
}

bool cts_solver_gave_up(const char *line)
{
    return strcmp(line, "unknown") == 0 ||
           (strncmp(line, "(error", 6) == 0 &&
            (strstr(line, "resource limit exceeded") || strstr(line, "canceled")));
}

/* --- one process -------------------------------------------------------------------------------
 */

/* CPU time of all threads of the process. It stays where it is once the process is over. */
static void look_at_cpu(struct asker *a)
{
    struct timespec t;
    clockid_t clock;
    uint64_t ns = a->cpu;

    if (clock_getcpuclockid(a->p.pid, &clock) == 0 && clock_gettime(clock, &t) == 0)
        ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
    if (ns != a->cpu || a->moved == 0)
        a->moved = cts_clock_ns();
    a->cpu = ns;
}

static void close_question(struct asker *a, enum cts_solver_end end)
{
    if (a->now < a->n) {
        a->q[a->now].end = end;
        a->q[a->now].len = a->answers->len - a->q[a->now].at;
        cts_buf_addc(a->answers, '\0');
    }
    a->now = a->n;
}

static int hear_mark(struct asker *a, const char *word)
{
    size_t number = strcmp(word, "end") == 0 ? a->n : strtoul(word, NULL, 10);

    if (number != a->next)
        return cts_err_set(a->err, CTS_E_TOOL, "%s answers question %zu instead of %zu",
                           program_of(a->opts), number, a->next);
    close_question(a, CTS_SOLVER_ANSWERED);
    /* What has spent its steps is not asked more. */
    a->ended = number == a->n || a->exhausted;
    a->next = number + !a->ended;
    a->now = a->ended ? a->n : number;
    look_at_cpu(a);
    a->cpu_before = a->cpu;
    if (!a->ended)
        a->q[number].at = a->answers->len;
    return 0;
}

static int hear_line(struct asker *a)
{
    const char *line = cts_buf_text(&a->line);

    if (strncmp(line, MARK, MARK_BYTES) == 0)
        return hear_mark(a, line + MARK_BYTES);
    if (a->now == a->n && a->line.len)
        return cts_err_set(a->err, CTS_E_TOOL, "%s: %.400s", program_of(a->opts), line);
    a->exhausted |= a->opts->steps && cts_solver_gave_up(line);
    cts_buf_add(a->answers, line, a->line.len);
    cts_buf_addc(a->answers, '\n');
    return 0;
}

static int hear(struct asker *a, const char *data, size_t len)
{
    int rc = 0;

    while (!rc && len > 0 && !a->ended) {
        const char *end = memchr(data, '\n', len);
        size_t take = end ? (size_t)(end - data) : len;
        cts_buf_add(&a->line, data, take);
        take += end != NULL;
        data += take;
        len -= take;
        if (!end)
            break;
        rc = hear_line(a);
        cts_buf_clear(&a->line);
    }
    if (!rc && (a->line.failed || a->answers->failed))
        rc = cts_err_set(a->err, CTS_E_NOMEM, "no memory for the answers of %s",
                         program_of(a->opts));
    return rc;
}

static void feed(struct asker *a)
{
    while (a->sent < a->text.len) {
        ssize_t n = cts_proc_write(&a->p, a->text.data + a->sent, a->text.len - a->sent);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            break;
        a->sent += (size_t)n;
    }
    close(a->p.in);
    a->p.in = -1;
}

/* True at the end of the stream. */
static bool read_some(struct asker *a, int *rc)
{
    char chunk[REPLY_BYTES];
    ssize_t n = read(a->p.out, chunk, sizeof(chunk));

    if (n > 0)
        *rc = hear(a, chunk, (size_t)n);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static void drop_noise(struct asker *a)
{
    char chunk[REPLY_BYTES];
    ssize_t n = read(a->p.err_fd, chunk, sizeof(chunk));

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        close(a->p.err_fd);
        a->p.err_fd = -1;
    }
}

static bool is_spent(const struct asker *a)
{
    return a->opts->cpu_ms && a->cpu - a->cpu_before > (uint64_t)a->opts->cpu_ms * 1000000;
}

/* Listens until the last question is answered, one has spent its time, or the process is over. */
static int listen_to(struct asker *a)
{
    int rc = 0;

    while (!rc && !a->ended) {
        struct pollfd fds[] = {
            {.fd = a->p.in, .events = POLLOUT},
            {.fd = a->p.out, .events = POLLIN},
            {.fd = a->p.err_fd, .events = POLLIN},
        };
        int ready = poll(fds, 3, LOOK_MS);
        if (ready < 0 && errno != EINTR)
            return cts_err_set(a->err, CTS_E_IO, "poll: %s", strerror(errno));
        if (ready > 0 && fds[0].revents && a->p.in >= 0)
            feed(a);
        if (ready > 0 && fds[2].revents && a->p.err_fd >= 0)
            drop_noise(a);
        if (ready > 0 && fds[1].revents) {
            if (read_some(a, &rc))
                return rc;
            continue; /* what it has said counts before its time does */
        }
        look_at_cpu(a);
        if (is_spent(a))
            return 0;
        if (cts_clock_ns() - a->moved > (uint64_t)IDLE_MS * 1000000)
            return cts_err_set(a->err, CTS_E_TOOL, "%s neither answers nor computes",
                               program_of(a->opts));
    }
    return rc;
}

static void write_questions(struct asker *a, size_t first)
{
    cts_buf_clear(&a->text);
    cts_buf_adds(&a->text, a->opts->common ? a->opts->common : "");
    for (size_t i = first; i < a->n; i++) {
        cts_buf_addf(&a->text, "(echo \"%s%zu\")\n", MARK, i);
        if (a->opts->steps)
            cts_buf_addf(&a->text, "(set-option :reproducible-resource-limit %llu)\n",
                         (unsigned long long)a->opts->steps);
        cts_buf_adds(&a->text, a->q[i].text);
    }
    cts_buf_addf(&a->text, "(echo \"%send\")\n", MARK);
}

/* Questions from *first on; *first becomes the one to go on with. */
static int ask_one_process(struct asker *a, size_t *first)
{
    const char *const argv[] = {program_of(a->opts), "-smt2", "-in", NULL};
    char text[64];

    write_questions(a, *first);
    if (a->text.failed)
        return cts_err_set(a->err, CTS_E_NOMEM, "no memory for the questions");
    a->sent = 0;
    a->now = a->n;
    a->next = *first;
    a->ended = a->exhausted = false;
    a->cpu = a->cpu_before = a->moved = 0;
    cts_buf_clear(&a->line);
    int rc = cts_proc_start(&a->p, argv, a->err);
    if (!rc)
        rc = listen_to(a);
    bool spent = is_spent(a);
    int status = cts_proc_end(&a->p);
    if (rc || a->ended) {
        *first = rc ? a->n : a->next;
        return rc;
    }
    if (a->now == a->n)
        return cts_err_set(a->err, CTS_E_TOOL, "%s ended before the first question: %s",
                           program_of(a->opts), cts_proc_status_text(status, text, sizeof(text)));
    *first = a->now + 1;
    close_question(a, spent ? CTS_SOLVER_SPENT : CTS_SOLVER_DIED);
    return 0;
}

int cts_solver_ask(const struct cts_solver_opts *opts, struct cts_solver_question *q, size_t n,
                   struct cts_buf *answers, struct cts_err *err)
{
    struct asker a = {.opts = opts, .q = q, .n = n, .answers = answers, .err = err};
    size_t first = 0;
    int rc = 0;

    cts_buf_clear(answers);
    if (!cts_solver_is_here(opts->program))
        return cts_err_set(err, CTS_E_UNSUPPORTED, "%s", cts_solver_hint);
    for (size_t i = 0; i < n; i++)
        q[i] = (struct cts_solver_question){.text = q[i].text, .end = CTS_SOLVER_DIED};
    cts_proc_init(&a.p);
    cts_buf_init(&a.text, 0);
    cts_buf_init(&a.line, 1 << 24);
    while (!rc && first < n)
        rc = ask_one_process(&a, &first);
    cts_buf_release(&a.text);
    cts_buf_release(&a.line);
    return rc;
}

void cts_solver_version(const char *program, char *text, size_t size)
{
    const struct cts_solver_opts opts = {.program = program, .cpu_ms = 60000};
    struct cts_solver_question q = {.text = "(get-info :version)\n"};
    struct cts_buf answers;

    cts_buf_init(&answers, 1 << 16);
    const char *says =
        cts_solver_ask(&opts, &q, 1, &answers, NULL) == 0 ? cts_buf_text(&answers) + q.at : "";
    const char *from = strchr(says, '"'), *to = from ? strchr(from + 1, '"') : NULL;
    if (to)
        cts_fmt(text, size, "%.*s", (int)(to - from - 1), from + 1);
    else
        cts_fmt(text, size, "unknown");
    cts_buf_release(&answers);
}
