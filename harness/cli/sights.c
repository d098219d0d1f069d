#include "cli/sights.h"

#include <string.h>

#include "cli/targets.h"
#include "core/session.h"
#include "core/start.h"

static int ask_worker(const struct cts_target *t, struct cts_caps *caps, struct cts_arena *arena,
                      struct cts_err *err)
{
    struct cts_session s;
    struct cts_engine_info info;
    cts_session_init(&s, t->argv, t->engine);
    int rc = cts_engine_start(&s, t, arena, &info, err);
    if (rc == 0) {
        *caps = s.caps;
        caps->window = NULL;
    }
    cts_session_release(&s);
    return rc;
}

int cts_sights_find(const char *word, struct cts_caps *caps, struct cts_arena *arena,
                    struct cts_err *err)
{
    struct cts_targets t = {0};
    struct cts_err unknown = {0};
    if (cts_sight_caps(word, caps, &unknown) == 0)
        return 0;
    int rc = cts_targets_find(&t, arena, err);
    if (rc == 0 && cts_targets_add(&t, word, arena, err) != 0)
        return cts_err_set(err, CTS_E_NOTFOUND, "%s, nor a runtime", unknown.msg);
    if (rc == 0 && t.count != 1)
        return cts_err_set(err, CTS_E_INVAL, "%s has several engines: specify one", word);
    return rc ? rc : ask_worker(&t.list[0], caps, arena, err);
}

void cts_sights_registers(uint32_t mask, struct cts_buf *out)
{
    const char *space = "";
    if (!mask)
        cts_buf_adds(out, "-");
    for (unsigned i = 0; i < 10; i++) {
        unsigned last = i;
        if (!(mask >> i & 1))
            continue;
        while (mask >> (last + 1) & 1)
            last++;
        cts_buf_addf(out, last > i ? "%sr%u-r%u" : "%sr%u", space, i, last);
        space = " ";
        i = last;
    }
}

static void tell_count(struct cts_buf *out, const char **comma, uint32_t count, const char *one,
                       const char *many)
{
    if (count == 0)
        return;
    cts_buf_addf(out, "%s%u %s", *comma, count, count == 1 ? one : many);
    *comma = ", ";
}

void cts_sights_tell(const struct cts_compared *c, struct cts_buf *out)
{
    const char *comma = "";
    if (c->registers) {
        cts_sights_registers(c->registers, out);
        comma = ", ";
    }
    tell_count(out, &comma, c->memory, "byte of memory", "bytes of memory");
    tell_count(out, &comma, c->stack, "byte of stack", "bytes of stack");
    tell_count(out, &comma, c->results, "result", "results");
    tell_count(out, &comma, c->verdicts, "verdict", "verdicts");
    if (c->hidden) {
        cts_buf_addf(out, "%snot ", *comma ? "; " : "");
        cts_sights_registers(c->hidden, out);
        cts_buf_adds(out, ", which changes");
        comma = "; ";
    }
    if (c->vacuous)
        cts_buf_addf(out, "%s%u %s of whose outcome nothing is compared", *comma ? "; " : "",
                     c->vacuous, c->vacuous == 1 ? "case" : "cases");
    if (c->skipped && c->asked)
        cts_buf_addf(out, "; %u of %u cases skipped: %s", c->skipped, c->skipped + c->asked,
                     c->why);
    else if (c->skipped)
        cts_buf_addf(out, "skipped: %s", c->why);
}
