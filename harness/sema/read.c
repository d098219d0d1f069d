/* Text to checked tree. */
#include "sema/impl.h"

int cts_sema_read(const char *text, const struct cts_sema_place *place, unsigned flags,
                  struct cts_arena *arena, struct cts_sema **out, struct cts_err *err)
{
    int rc = cts_sema_parse(text, place, arena, out, err);

    if (!rc)
        rc = cts_sema_check(*out, flags, err);
    if (rc)
        *out = NULL;
    return rc;
}

int cts_sema_read_condition(const char *text, const struct cts_sema_place *place,
                            struct cts_arena *arena, struct cts_expr **out, struct cts_err *err)
{
    struct cts_sema *sema;
    int rc = cts_sema_parse_condition(text, place, arena, &sema, out, err);

    if (!rc)
        rc = cts_sema_check_condition(sema, *out, err);
    if (rc)
        *out = NULL;
    return rc;
}
