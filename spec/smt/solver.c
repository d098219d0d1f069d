#include "smt_int.h"

#include "host/fs.h"
#include "host/proc.h"

const char cts_solver_hint[] = "no z3 (apt-get install z3)";

bool cts_solver_is_here(const char *z3)
{
    char path[4096];

    return cts_fs_find_program(z3, path, sizeof(path)) == 0;
}

int cts_solver_run(const char *z3, const struct cts_buf *script, unsigned ms, struct cts_buf *out,
                   struct cts_err *err)
{
    const char *const argv[] = {z3, "-in", "-smt2", NULL};
    struct cts_buf noise;
    int status = -1, rc;

    cts_buf_init(&noise, 65536);
    rc = cts_proc_run(argv, script->data, script->len, out, &noise, ms, &status, err);
    cts_buf_release(&noise);
    return rc;
}
