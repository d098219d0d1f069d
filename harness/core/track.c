#include "core/track.h"

unsigned cts_status_weight(enum cts_status s)
{
    static const unsigned char by_status[CTS_ST_COUNT] = {
        [CTS_ST_SKIP] = 0,  [CTS_ST_PASS] = 1,  [CTS_ST_XPASS] = 1,
        [CTS_ST_XFAIL] = 2, [CTS_ST_ERROR] = 3, [CTS_ST_FAIL] = 4,
    };
    return by_status[s];
}

bool cts_track_failed(const struct cts_track *t)
{
    return t->seen && (t->status == CTS_ST_FAIL || t->status == CTS_ST_XFAIL);
}

/* Does a verdict with this weight, from this unit, replace what the track holds? */
static bool prevails(const struct cts_track *t, enum cts_status status, uint32_t unit)
{
    if (!t->seen)
        return true;
    if (cts_status_weight(status) != cts_status_weight(t->status))
        return cts_status_weight(status) > cts_status_weight(t->status);
    return status != CTS_ST_PASS && unit < t->unit;
}

bool cts_track_set(struct cts_track *t, enum cts_status status, uint32_t unit)
{
    if (!prevails(t, status, unit))
        return false;
    t->seen = true;
    t->status = status;
    t->unit = unit;
    t->failure = CTS_FL_NONE;
    t->skip = CTS_SK_NONE;
    t->by = NULL;
    t->label = t->message = t->detail = "";
    return true;
}
