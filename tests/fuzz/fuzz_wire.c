/* uses: base wire */
/* Frames and what is in them: what can be read can be written and read again. */
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cts_rd reader(const uint8_t *data, size_t len)
{
    return (struct cts_rd){.data = data, .len = len};
}

static void item(const uint8_t *data, size_t size)
{
    static struct cts_item_room room, again;
    struct cts_rd r = reader(data, size);
    struct cts_wr w = {.grow = cts_wr_grow_malloc};
    struct cts_item it;
    if (cts_wire_get_item(&r, &it, &room, NULL) != 0)
        return;
    cts_wire_put_item(&w, &it);
    r = reader(w.data, w.len);
    if (!w.failed && (cts_wire_get_item(&r, &it, &again, NULL) != 0 || r.at != w.len))
        abort();
    free(w.data);
}

static void answer(const uint8_t *data, size_t size)
{
    static struct cts_answer a;
    struct cts_rd r = reader(data, size);
    struct cts_wr w = {.grow = cts_wr_grow_malloc};
    if (cts_wire_get_answer(&r, &a, NULL) != 0)
        return;
    cts_wire_put_answer(&w, &a);
    r = reader(w.data, w.len);
    if (!w.failed && (cts_wire_get_answer(&r, &a, NULL) != 0 || r.at != w.len))
        abort();
    free(w.data);
}

static void progress(const uint8_t *data, size_t size)
{
    uint8_t bytes[CTS_PROGRESS_BYTES];
    struct cts_rd r = reader(data, size);
    struct cts_wr w = {.data = bytes, .cap = sizeof(bytes)};
    struct cts_wire_progress p;
    if (cts_wire_get_progress(&r, &p, NULL) != 0)
        return;
    cts_wire_put_progress(&w, &p);
    if (w.failed || w.len != size || memcmp(bytes, data, size) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cts_frame frame;
    struct cts_caps caps;
    struct cts_rd r = reader(data, size);
    if (size >= CTS_FRAME_HEADER)
        (void)cts_frame_get(data, &frame, NULL);
    (void)cts_wire_get_caps(&r, &caps, NULL);
    item(data, size);
    answer(data, size);
    progress(data, size);
    return 0;
}
