/* The numbers that a worker gives of itself. */
#include "base/bytes.h"
#include "link/link.h"

enum { FD_MAX = 1 << 20 };

static bool is_printable(const char *text)
{
    for (; *text; text++)
        if (*text < 0x20 || *text > 0x7e)
            return false;
    return true;
}

static int check_texts(const struct cts_caps *c, struct cts_err *err)
{
    const struct {
        const char *name, *text;
        bool may_be_empty;
    } texts[] = {{"runtime", c->runtime, false},
                 {"engine", c->engine, false},
                 {"version", c->version, true}};
    for (unsigned i = 0; i < CTS_ARRAY_LEN(texts); i++)
        if (!is_printable(texts[i].text) || (!texts[i].text[0] && !texts[i].may_be_empty))
            return cts_err_set(err, CTS_E_PROTOCOL, "%s: it is empty, or not printable ASCII",
                               texts[i].name);
    return 0;
}

static int check_numbers(const struct cts_caps *c, struct cts_err *err)
{
    const struct {
        const char *name;
        uint32_t value, lowest, highest;
    } numbers[] = {{"max_slots", c->max_slots, 1, CTS_FRAME_MAX / 8},
                   {"max_segments", c->max_segments, 1, CTS_ITEM_LAYOUTS},
                   {"max_iterations", c->max_iterations, 1, UINT32_MAX}};
    for (unsigned i = 0; i < CTS_ARRAY_LEN(numbers); i++)
        if (numbers[i].value < numbers[i].lowest || numbers[i].value > numbers[i].highest)
            return cts_err_set(err, CTS_E_PROTOCOL, "%s is %u, not from %u to %u", numbers[i].name,
                               numbers[i].value, numbers[i].lowest, numbers[i].highest);
    for (unsigned i = 0; i < 32; i++)
        if (c->features >> i & 1 && !cts_feature_name(i))
            return cts_err_set(err, CTS_E_PROTOCOL, "features is 0x%08x: bit %u has no meaning",
                               c->features, i);
    if (c->r0_bits != 32 && c->r0_bits != 64)
        return cts_err_set(err, CTS_E_PROTOCOL, "r0_bits is %u, not 32 or 64", c->r0_bits);
    return 0;
}

static int check_window(const struct cts_caps *c, struct cts_err *err)
{
    if (c->window_fd < -1 || c->window_fd >= FD_MAX)
        return cts_err_set(err, CTS_E_PROTOCOL, "window_fd is %d, not a descriptor or -1",
                           c->window_fd);
    if (c->window_kind == CTS_WK_NONE)
        return 0;
    if (c->window_bytes < CTS_LINK_WINDOW_MIN || c->window_bytes > CTS_LINK_WINDOW_MAX ||
        c->window_bytes % 8)
        return cts_err_set(err, CTS_E_PROTOCOL,
                           "window_bytes is %u, not a multiple of 8 from %d to 1 GiB",
                           c->window_bytes, CTS_LINK_WINDOW_MIN);
    if (c->window_kind == CTS_WK_ABSOLUTE &&
        (!c->window_addr || c->window_addr % 8 || c->window_addr > UINT64_MAX - c->window_bytes))
        return cts_err_set(err, CTS_E_PROTOCOL,
                           "window_addr is 0x%llx, not an address that is divisible by 8",
                           (unsigned long long)c->window_addr);
    return 0;
}

int cts_link_check_caps(const struct cts_caps *c, struct cts_err *err)
{
    int rc = check_texts(c, err);
    if (rc == 0)
        rc = check_numbers(c, err);
    return rc ? rc : check_window(c, err);
}
