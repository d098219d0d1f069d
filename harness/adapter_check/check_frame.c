/* Frames: malformed ones, many at a time, in pieces. */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>

#include "base/fmt.h"
#include "adapter_check/impl.h"

enum { MOST_WAITS = 1000 }; /* of 2 ms */

/* Malformed items. A good one is written, and then spoilt. */

struct place {
    size_t item, kind, packet, code, layouts, maps, names, elf, first_row, iterations, threads, end;
};

/* The good item: all steps that the worker knows, of a program of two slots. Offsets are from the
 * begin of the frame. */
static struct place write_good(struct ac *k)
{
    struct ac_code c;
    struct place p = {.item = CTS_FRAME_HEADER + 4};
    ac_returns(k, &c, 1);
    struct cts_item it = ac_item(ALL, 0, &c);
    ac_put_items(k, &it, 1);
    p.kind = p.item + 2;
    p.packet = p.kind + 1;
    p.code = p.packet + 2;
    p.layouts = p.code + 4 + (size_t)c.slots * CTS_SLOT_BYTES;
    p.maps = p.layouts + 4;
    p.names = p.maps + 4;
    p.elf = p.names + 4;
    p.first_row = p.elf + 4 + k->elf.len;
    p.iterations = p.first_row + 4;
    p.threads = p.iterations + 8;
    p.end = k->link->out.len;
    return p;
}

static void set8(struct ac *k, size_t at, uint8_t v)
{
    if (at < k->link->out.len)
        k->link->out.data[at] = v;
}

static void set32(struct ac *k, size_t at, uint32_t v)
{
    if (at + 4 <= k->link->out.len)
        cts_put32le(k->link->out.data + at, v);
}

/* Puts bytes in, before `at`. */
static void insert(struct ac *k, size_t at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cts_wr_u8(&k->link->out, 0);
    if (k->link->out.failed || at + n > k->link->out.len)
        return;
    memmove(k->link->out.data + at + n, k->link->out.data + at, k->link->out.len - at - n);
    memset(k->link->out.data + at, 0, n);
}

static void bad_ops(struct ac *k, struct place p)
{
    set8(k, p.item, 0x17);
}

static void bad_number(struct ac *k, struct place p)
{
    set8(k, p.item + 1, CTS_WIRE_PROGS);
}

static void bad_kind(struct ac *k, struct place p)
{
    set8(k, p.kind, 2);
}

static void bad_bool(struct ac *k, struct place p)
{
    set8(k, p.packet, 2);
}

static void half_slot(struct ac *k, struct place p)
{
    set32(k, p.code, 12);
    memmove(k->link->out.data + p.code + 16, k->link->out.data + p.layouts,
            k->link->out.len - p.layouts);
    k->link->out.len -= 4;
}

static void long_code(struct ac *k, struct place p)
{
    set32(k, p.code, 0xfffffff8);
}

static void many_layouts(struct ac *k, struct place p)
{
    set32(k, p.layouts, 17);
    insert(k, p.maps, (size_t)17 * 81);
}

static void many_maps(struct ac *k, struct place p)
{
    set32(k, p.maps, 17);
    insert(k, p.names, (size_t)17 * 12);
}

static void short_map(struct ac *k, struct place p)
{
    set32(k, p.maps, 1);
    insert(k, p.names, 12 + 4);
    set32(k, p.names, 8);     /* bytes of a value */
    set32(k, p.names + 4, 1); /* entries */
    set32(k, p.names + 8, 4); /* bytes of data */
}

static void huge_map(struct ac *k, struct place p)
{
    set32(k, p.maps, 1);
    insert(k, p.names, 12);
    set32(k, p.names, UINT32_MAX);
    set32(k, p.names + 4, UINT32_MAX);
}

static void long_name(struct ac *k, struct place p)
{
    set32(k, p.names, 1);
    insert(k, p.elf, 4 + 64);
    set32(k, p.elf, 64);
    memset(k->link->out.data + p.elf + 4, 'n', 64);
}

static void long_elf(struct ac *k, struct place p)
{
    set32(k, p.elf, 0xfffffff8);
}

static void no_iterations(struct ac *k, struct place p)
{
    if (p.iterations < p.end)
        set32(k, p.iterations, 0);
    else /* a worker that only loads */
        set8(k, p.item, RUN);
}

static void no_threads(struct ac *k, struct place p)
{
    no_iterations(k, p);
    set32(k, p.iterations, 1);
    set32(k, p.threads, 0);
}

static void many_threads(struct ac *k, struct place p)
{
    no_threads(k, p);
    set32(k, p.threads, CTS_RUN_THREADS + 1);
}

static void cut_off(struct ac *k, struct place p)
{
    k->link->out.len = p.end - 2;
}

static void left_over(struct ac *k, struct place p)
{
    (void)p;
    cts_wr_u32(&k->link->out, 0);
}

static void more_items(struct ac *k, struct place p)
{
    set32(k, p.item - 4, 2);
}

static void countless_items(struct ac *k, struct place p)
{
    set32(k, p.item - 4, UINT32_MAX);
}

static void no_count(struct ac *k, struct place p)
{
    k->link->out.len = p.item - 2;
}

static const struct {
    const char *what;
    void (*spoil)(struct ac *k, struct place p);
} malformed[] = {
    {"an item with a step that has no meaning", bad_ops},
    {"program number 64", bad_number},
    {"a program of kind 2", bad_kind},
    {"a bool that is 2", bad_bool},
    {"code of 12 bytes", half_slot},
    {"code that ends behind the frame", long_code},
    {"17 layouts", many_layouts},
    {"17 maps", many_maps},
    {"a map with half of its data", short_map},
    {"a map of 2^64 bytes", huge_map},
    {"a name of 64 bytes", long_name},
    {"an ELF object that ends behind the frame", long_elf},
    {"0 iterations", no_iterations},
    {"0 threads", no_threads},
    {"65 threads", many_threads},
    {"an item that ends behind the frame", cut_off},
    {"4 bytes behind the items", left_over},
    {"fewer items than the frame says", more_items},
    {"4294967295 items, of which one is there", countless_items},
    {"2 bytes where the number of items should be", no_count},
};

static int check_malformed(struct ac *k)
{
    int rc = ac_open(k);
    for (unsigned i = 0; rc == 0 && i < CTS_ARRAY_LEN(malformed); i++) {
        struct place p = write_good(k);
        malformed[i].spoil(k, p);
        rc = ac_ask(k, CTS_FT_EXEC, 1, 0);
        if (rc == 0)
            rc = ac_want_failed(k, malformed[i].what);
        if (rc == 0)
            rc = ac_runs(k, (int32_t)i);
    }
    return rc;
}

static int check_no_request(struct ac *k)
{
    static const uint16_t types[] = {CTS_FT_CAPS, CTS_FT_DONE, CTS_FT_FAILED};
    int rc = ac_open(k);
    for (unsigned i = 0; rc == 0 && i < CTS_ARRAY_LEN(types); i++) {
        ac_begin(k);
        cts_wr_u32(&k->link->out, 0);
        rc = ac_ask(k, types[i], 0, 0);
        if (rc == 0)
            rc = ac_want_failed(k, "a frame that is no request");
        if (rc == 0)
            rc = ac_runs(k, (int32_t)i);
    }
    return rc;
}

/* Headers after which nobody knows where the next one begins. */

static const struct {
    const char *what;
    uint8_t header[CTS_FRAME_HEADER];
} bad_headers[] = {
    {"type 0x7777", {0, 0, 0, 0, 0x77, 0x77, 0, 0, 1, 0, 0, 0}},
    {"type 0", {0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0}},
    {"a byte that must be zero", {4, 0, 0, 0, CTS_FT_EXEC, 0, 1, 0, 1, 0, 0, 0}},
    {"4 GiB of payload", {0xff, 0xff, 0xff, 0xff, CTS_FT_EXEC, 0, 0, 0, 1, 0, 0, 0}},
    {"64 MiB of payload and one byte", {1, 0, 0, 4, CTS_FT_EXEC, 0, 0, 0, 1, 0, 0, 0}},
};

static int check_header(struct ac *k)
{
    int status, rc = 0;
    for (unsigned i = 0; rc == 0 && i < CTS_ARRAY_LEN(bad_headers); i++) {
        rc = ac_open(k);
        ac_begin(k);
        k->link->out.len = 0;
        for (unsigned n = 0; n < CTS_FRAME_HEADER; n++)
            cts_wr_u8(&k->link->out, bad_headers[i].header[n]);
        if (rc == 0)
            rc = ac_send(k, k->link->out.data, k->link->out.len);
        if (rc == 0 && ac_wait_end(k, &status)) {
            k->why[0] = '\0';
            return ac_fail(k, "after a header with %s: it goes on", bad_headers[i].what);
        }
        if (rc == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
            rc = ac_fail(k, "after a header with %s: exit 0", bad_headers[i].what);
        if (rc == 0 && !WIFEXITED(status))
            rc = ac_fail(k, "after a header with %s: it is killed by signal %d",
                         bad_headers[i].what, WTERMSIG(status));
    }
    return rc;
}

static int check_broken_off(struct ac *k)
{
    static const size_t cut[] = {5, CTS_FRAME_HEADER, CTS_FRAME_HEADER + 9};
    int status, rc = 0;
    for (unsigned i = 0; rc == 0 && i < CTS_ARRAY_LEN(cut); i++) {
        rc = ac_open(k);
        write_good(k);
        if (rc == 0)
            rc = ac_seal(k, CTS_FT_EXEC, 1, 0);
        if (rc == 0)
            rc = ac_send(k, k->link->out.data, cut[i]);
        if (rc == 0) {
            cts_link_hang_up(k->link);
            rc = ac_wait_end(k, &status);
        }
        if (rc == 0 && !WIFEXITED(status))
            rc =
                ac_fail(k, "when its stdin ends in the middle of a frame it is killed by signal %d",
                        WTERMSIG(status));
    }
    return rc;
}

/* Until the worker has taken what was sent, however busy the machine is; most of them do at once.
 */
static void wait_until_taken(const struct ac *k)
{
    const struct timespec t = {.tv_nsec = 2000000};
    int left = 1;
    for (unsigned i = 0; left && i < MOST_WAITS; i++) {
        nanosleep(&t, NULL);
        if (ioctl(k->link->proc.in, FIONREAD, &left) != 0)
            return;
    }
}

/* A pipe hands over what it likes. */
static int check_pieces(struct ac *k)
{
    static const size_t pieces[] = {1, 1, 3, 6, 1, 2, 7, 1};
    struct ac_code c;
    int rc = ac_open(k);
    ac_returns(k, &c, 21);
    struct cts_item it = ac_item(ALL, 0, &c);
    if (rc == 0)
        rc = ac_put_items(k, &it, 1);
    if (rc == 0)
        rc = ac_seal(k, CTS_FT_EXEC, 1, ac_most(&it, 1));
    size_t at = 0;
    for (unsigned i = 0; rc == 0 && i < CTS_ARRAY_LEN(pieces); i++) {
        rc = ac_send(k, k->link->out.data + at, pieces[i]);
        at += pieces[i];
        wait_until_taken(k);
    }
    if (rc == 0)
        rc = ac_send(k, k->link->out.data + at, k->link->out.len - at);
    if (rc == 0)
        rc = ac_want_done(k, &it, 1);
    return rc ? rc : ac_want_ran(k, 0, &it, 21);
}

/* Many requests at once. */

enum { PER_REQUEST = 8 };

static void make_request(const struct ac *k, unsigned q, struct ac_code c[PER_REQUEST],
                         struct cts_item items[PER_REQUEST])
{
    for (unsigned i = 0; i < PER_REQUEST; i++) {
        ac_returns(k, &c[i], (int32_t)(100 * q + i));
        items[i] = ac_item(ALL, i, &c[i]);
    }
}

/* All in one write, so that one read may take several. */
static int send_requests(struct ac *k, struct cts_buf *all)
{
    struct ac_code c[PER_REQUEST];
    struct cts_item items[PER_REQUEST];
    int rc = 0;
    for (unsigned q = 0; rc == 0 && q < CTS_LINK_DEPTH; q++) {
        make_request(k, q, c, items);
        rc = ac_put_items(k, items, PER_REQUEST);
        if (rc == 0)
            rc = ac_seal(k, CTS_FT_EXEC, PER_REQUEST, ac_most(items, PER_REQUEST));
        if (rc == 0)
            cts_buf_add(all, k->link->out.data, k->link->out.len);
    }
    if (rc == 0 && all->failed)
        rc = ac_fail(k, "no memory for %d requests", CTS_LINK_DEPTH);
    return rc ? rc : ac_send(k, all->data, all->len);
}

static int check_under_way(struct ac *k)
{
    struct ac_code c[PER_REQUEST];
    struct cts_item items[PER_REQUEST];
    struct cts_buf all;
    int rc = ac_open(k);
    cts_buf_init(&all, 0);
    if (rc == 0)
        rc = send_requests(k, &all);
    cts_buf_release(&all);
    for (unsigned q = 0; rc == 0 && q < CTS_LINK_DEPTH; q++) {
        make_request(k, q, c, items);
        rc = ac_want_done(k, items, PER_REQUEST);
        for (uint32_t i = 0; rc == 0 && i < PER_REQUEST; i++)
            rc = ac_want_ran(k, i, &items[i], 100 * q + i);
    }
    return rc;
}

const struct ac_check ac_checks_frame[] = {
    {"malformed", "answers what it cannot understand with FAILED, and goes on", AC_NEEDS_RUN,
     check_malformed},
    {"no-request", "answers frames that are no requests with FAILED, and goes on", AC_NEEDS_RUN,
     check_no_request},
    {"bad-header", "ends with another status than 0 after a header without sense", AC_NEEDS_CAPS,
     check_header},
    {"broken-off", "ends when its stdin ends in the middle of a frame", AC_NEEDS_CAPS,
     check_broken_off},
    {"pieces", "takes a frame that comes in pieces", AC_NEEDS_RUN, check_pieces},
    {"under-way", "answers 16 requests that are under way at a time in their order", AC_NEEDS_RUN,
     check_under_way},
    {0},
};
