/* What rules use: faults, memory, the vectors. */
#include <string.h>

#include "base/fmt.h"
#include "host/fs.h"
#include "load/vec_known.h"
#include "spec_check/check.h"

const struct cts_check *cts_check_find(const struct cts_check *const *rules, const char *name)
{
    for (size_t i = 0; rules[i]; i++) {
        if (!strcmp(rules[i]->name, name))
            return rules[i];
    }
    return NULL;
}

/* --- faults -------------------------------------------------------------------------------- */

static void fault_v(struct cts_check_run *run, const char *file, unsigned line, const char *fmt,
                    va_list ap)
{
    if (run->faults++ == CTS_CHECK_NAMED_MAX)
        cts_buf_adds(&run->text, "# ... and more\n");
    if (run->faults > CTS_CHECK_NAMED_MAX)
        return;
    cts_buf_addf(&run->text, "# %s:", file);
    if (line)
        cts_buf_addf(&run->text, "%u:", line);
    cts_buf_addc(&run->text, ' ');
    cts_buf_addvf(&run->text, fmt, ap);
    cts_buf_addc(&run->text, '\n');
}

void cts_check_fault(struct cts_check_run *run, const char *file, unsigned line, const char *fmt,
                     ...)
{
    va_list ap;
    va_start(ap, fmt);
    fault_v(run, file, line, fmt, ap);
    va_end(ap);
}

void cts_check_fault_at(struct cts_check_run *run, const struct cts_yaml *node, const char *fmt,
                        ...)
{
    va_list ap;
    va_start(ap, fmt);
    fault_v(run, node->file, node->line, fmt, ap);
    va_end(ap);
}

void cts_check_fault_err(struct cts_check_run *run, const struct cts_err *err)
{
    cts_check_fault(run, err->file[0] ? err->file : run->spec_dir, err->line, "%s", err->msg);
}

void cts_check_note(struct cts_check_run *run, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    cts_buf_adds(&run->text, "# ");
    cts_buf_addvf(&run->text, fmt, ap);
    cts_buf_addc(&run->text, '\n');
    va_end(ap);
}

void *cts_check_take(struct cts_check_run *run, size_t n, size_t size)
{
    void *memory = cts_arena_take_array(run->arena, n ? n : 1, size);
    if (!memory)
        cts_check_fault(run, run->spec_dir, 0, "out of memory");
    return memory;
}

/* --- vectors ------------------------------------------------------------------------------- */

struct collector {
    struct cts_arena *arena;
    struct cts_check_vecs *vecs;
};

static void collect(void *arg, const struct cts_err *err)
{
    struct collector *c = arg;
    struct cts_check_vecs *v = c->vecs;

    if (v->fault_count == v->fault_cap) {
        size_t cap = v->fault_cap ? v->fault_cap * 2 : 16;
        struct cts_err *more = cts_arena_take_array(c->arena, cap, sizeof(*more));
        if (!more)
            return;
        if (v->fault_count)
            memcpy(more, v->faults, v->fault_count * sizeof(*more));
        v->faults = more;
        v->fault_cap = cap;
    }
    v->faults[v->fault_count++] = *err;
}

static void load_files(struct cts_check_run *run, const struct cts_fs_list *list,
                       const struct cts_vec_known *known, struct cts_check_vecs *vecs)
{
    struct collector c = {run->arena, vecs};
    struct cts_vec_report report = {collect, &c};
    struct cts_vec_file *files = cts_check_take(run, list->count, sizeof(*files));

    vecs->files = files;
    for (size_t i = 0; files && i < list->count; i++) {
        struct cts_err err = {0};
        if (cts_vec_load(list->paths[i], known, &report, run->arena, &files[vecs->file_count],
                         &err)) {
            collect(&c, &err);
            continue;
        }
        vecs->vec_count += files[vecs->file_count++].count;
    }
}

const struct cts_check_vecs *cts_check_load_vectors(struct cts_check_run *run)
{
    struct cts_vec_known known;
    struct cts_fs_list list;
    struct cts_err err = {0};

    if (*run->vecs)
        return *run->vecs;
    if (!run->vectors_dir) {
        run->skip = "no vectors are given";
        return NULL;
    }
    if (cts_fs_walk(run->vectors_dir, ".yaml", run->arena, &list, &err) ||
        cts_vec_known_of(run->spec, run->arena, &known, &err)) {
        cts_check_fault_err(run, &err);
        return NULL;
    }
    struct cts_check_vecs *vecs = cts_check_take(run, 1, sizeof(*vecs));
    if (!vecs)
        return NULL;
    load_files(run, &list, &known, vecs);
    *run->vecs = vecs;
    return vecs;
}
