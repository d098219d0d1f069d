/* Frames in the bytes of a link. */
#include <string.h>

#include "base/bytes.h"
#include "link/link.h"

enum { REPORTS = 16 /* of progress on a request, and on each of its items */ };

/* There is one. */
static struct cts_link_request *oldest(struct cts_link *l)
{
    return &l->request[(l->answered + 1) % CTS_LINK_DEPTH];
}

/* Requests. */

void cts_link_begin(struct cts_link *l)
{
    cts_frame_begin(&l->out);
}

/* xorshift64*: enough that a worker cannot answer what it has not been asked yet. */
static uint32_t next_random(struct cts_link *l)
{
    l->random ^= l->random >> 12;
    l->random ^= l->random << 25;
    l->random ^= l->random >> 27;
    return (uint32_t)((l->random * 0x2545f4914f6cdd1du) >> 32);
}

static uint64_t most_reports(uint32_t items)
{
    return REPORTS + (uint64_t)REPORTS * items;
}

/* Bytes that may come because of a request. */
static uint64_t most_bytes(const struct cts_link_request *q)
{
    return q->most + most_reports(q->items) * (CTS_FRAME_HEADER + CTS_PROGRESS_BYTES);
}

int cts_link_seal(struct cts_link *l, uint16_t type, uint32_t items, uint64_t most,
                  struct cts_err *err)
{
    if (cts_link_pending(l) >= CTS_LINK_DEPTH)
        return cts_err_set(err, CTS_E_LIMIT, "%d requests are under way", CTS_LINK_DEPTH);
    if (l->out.failed)
        return cts_err_set(err, CTS_E_LIMIT, "the request is too long");
    struct cts_link_request *q = &l->request[++l->sent % CTS_LINK_DEPTH];
    *q = (struct cts_link_request){
        .seq = next_random(l), .items = items, .most = CTS_FRAME_HEADER + most};
    cts_frame_end(&l->out, type, q->seq);
    l->expected += most_bytes(q);
    return 0;
}

/* Responses. */

static const uint8_t *unread(const struct cts_link *l)
{
    return (const uint8_t *)l->in.data + l->in_at;
}

const struct cts_link_request *cts_link_oldest(const struct cts_link *l)
{
    static const struct cts_link_request none;
    return cts_link_pending(l) ? &l->request[(l->answered + 1) % CTS_LINK_DEPTH] : &none;
}

/* Whole responses that nobody has taken yet are no part of one. */
bool cts_link_is_within_frame(const struct cts_link *l)
{
    size_t at = l->in_at;
    while (l->in.len - at >= CTS_FRAME_HEADER) {
        uint32_t bytes = cts_get32le((const uint8_t *)l->in.data + at);
        if (bytes > l->in.len - at - CTS_FRAME_HEADER)
            return true;
        at += CTS_FRAME_HEADER + bytes;
    }
    return at != l->in.len;
}

/* Header bytes that are text say more than their numbers: most often a message on the wrong stream.
 */
static int no_frame(const struct cts_link *l, struct cts_frame *f, struct cts_err *err)
{
    char text[64 + 1];
    size_t n = l->in.len - l->in_at;
    n = n < sizeof(text) - 1 ? n : sizeof(text) - 1;
    memcpy(text, unread(l), n);
    text[n] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    bool printable = strlen(text) >= CTS_FRAME_HEADER;
    for (const char *p = text; *p; p++)
        printable = printable && *p >= 0x20 && *p < 0x7f;
    if (printable)
        return cts_err_set(err, CTS_E_PROTOCOL, "text on stdout: %s", text);
    return cts_frame_get(unread(l), f, err);
}

static int check_header(struct cts_link *l, struct cts_frame *f, struct cts_err *err)
{
    const struct cts_link_request *q = oldest(l);
    if (cts_frame_get(unread(l), f, NULL))
        return no_frame(l, f, err);
    if (!cts_link_pending(l))
        return cts_err_set(err, CTS_E_PROTOCOL, "a frame that answers no request");
    if (f->seq != q->seq)
        return cts_err_set(err, CTS_E_PROTOCOL,
                           "the sequence number is 0x%08x; that of the oldest request is 0x%08x",
                           f->seq, q->seq);
    if (CTS_FRAME_HEADER + (uint64_t)f->bytes > q->most)
        return cts_err_set(err, CTS_E_PROTOCOL,
                           "a frame of %u bytes; no response to this request takes more than %llu",
                           f->bytes, (unsigned long long)q->most - CTS_FRAME_HEADER);
    return 0;
}

/* 1: *f is the whole frame at in_at. 0: not yet. */
static int next_frame(struct cts_link *l, struct cts_frame *f, struct cts_err *err)
{
    size_t have = l->in.len - l->in_at;
    if (have < CTS_FRAME_HEADER)
        return 0;
    int rc = check_header(l, f, err);
    return rc ? rc : have - CTS_FRAME_HEADER >= f->bytes;
}

static struct cts_rd take_frame(struct cts_link *l, const struct cts_frame *f)
{
    struct cts_rd r = {.data = unread(l) + CTS_FRAME_HEADER, .len = f->bytes};
    l->in_at += CTS_FRAME_HEADER + f->bytes;
    return r;
}

/* A report says nothing but of the oldest request, and takes nothing back. */
static int take_report(struct cts_link *l, const struct cts_frame *f, struct cts_err *err)
{
    struct cts_link_request *q = oldest(l);
    struct cts_rd r = {.data = unread(l) + CTS_FRAME_HEADER, .len = f->bytes};
    struct cts_wire_progress p;
    int rc = cts_wire_get_progress(&r, &p, err);
    if (rc)
        return rc;
    if (p.begun > q->items || p.begun < q->reported.begun)
        return cts_err_set(err, CTS_E_PROTOCOL,
                           "a report of progress that it has begun %u of %u items, after %u",
                           p.begun, q->items, q->reported.begun);
    if (++q->reports > most_reports(q->items))
        return cts_err_set(err, CTS_E_PROTOCOL, "reports of progress without end");
    take_frame(l, f);
    q->reported = p;
    l->reports = l->reports || p.begun;
    return 0;
}

int cts_link_next(struct cts_link *l, struct cts_frame *f, struct cts_rd *payload,
                  struct cts_err *err)
{
    int rc;
    while ((rc = next_frame(l, f, err)) > 0 && f->type == CTS_FT_PROGRESS) {
        rc = take_report(l, f, err);
        if (rc)
            return rc;
    }
    if (rc <= 0)
        return rc;
    *payload = take_frame(l, f);
    l->expected -= most_bytes(oldest(l));
    l->answered++;
    l->stderr_volume = 0;
    if (l->in.len - l->in_at > l->expected + l->limits.stray_bytes)
        return cts_err_set(err, CTS_E_PROTOCOL, "it floods stdout");
    return 1;
}
