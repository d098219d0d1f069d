#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "fake.h"

void fake_write(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            _exit(3);
        at += n;
        len -= (size_t)n;
    }
}

/* What streams do. */

static size_t whole(const struct fake_frame *f)
{
    return CTS_FRAME_HEADER + (size_t)f->head.bytes;
}

static bool send(const struct fake_frame *f, int out)
{
    fake_write(out, f->bytes, whole(f));
    return true;
}

/* Sends the frame with `head` in place of its own. */
static bool send_as(struct fake_frame *f, struct cts_frame head, int out)
{
    cts_frame_put(f->bytes, &head);
    return send(f, out);
}

static bool garbage(struct fake_frame *f, int out)
{
    static const uint8_t noise[] = {0xde, 0xad, 0xbe, 0xef, 0x80, 0x81, 0x82, 0x83, 0x84,
                                    0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c};
    (void)f;
    fake_write(out, noise, sizeof(noise));
    return true;
}

static bool text(struct fake_frame *f, int out)
{
    static const char hello[] = "Hello, this is no frame at all\n";
    (void)f;
    fake_write(out, hello, sizeof(hello) - 1);
    return true;
}

static bool flood(struct fake_frame *f, int out)
{
    char noise[4096];
    memset(noise, 'x', sizeof(noise));
    while (f->marked)
        fake_write(out, noise, sizeof(noise));
    return send(f, out);
}

/* Frames without end, each a good one. */
static bool flood_frames(struct fake_frame *f, int out)
{
    struct cts_frame head = f->head;
    for (send(f, out); f->marked; send_as(f, head, out))
        head.seq++;
    return true;
}

static bool shorter(struct fake_frame *f, int out)
{
    uint32_t n = f->marked ? cts_get32le(f->bytes + CTS_FRAME_HEADER) : 0;
    if (n)
        cts_put32le(f->bytes + CTS_FRAME_HEADER, n - 1);
    return send(f, out);
}

static bool truncated(struct fake_frame *f, int out)
{
    if (!f->marked)
        return send(f, out);
    fake_write(out, f->bytes, whole(f) / 2);
    kill(getppid(), SIGKILL);
    return false;
}

/* Half a frame, and the rest never. */
static bool stuck(struct fake_frame *f, int out)
{
    if (!f->marked)
        return send(f, out);
    fake_write(out, f->bytes, whole(f) / 2);
    for (;;)
        pause();
}

static bool trickle(struct fake_frame *f, int out)
{
    if (!f->marked)
        return send(f, out);
    for (size_t i = 0; i < whole(f); i++) {
        fake_write(out, f->bytes + i, 1);
        usleep(200000);
    }
    return true;
}

static bool wrong_sequence(struct fake_frame *f, int out)
{
    struct cts_frame head = f->head;
    head.seq += f->marked;
    return send_as(f, head, out);
}

static bool wrong_type(struct fake_frame *f, int out)
{
    struct cts_frame head = f->head;
    if (f->marked)
        head.type = CTS_FT_CAPS;
    return send_as(f, head, out);
}

static bool failed(struct fake_frame *f, int out)
{
    if (!f->marked)
        return send(f, out);
    struct cts_wr w = {.data = f->bytes, .len = CTS_FRAME_HEADER, .cap = CTS_FRAME_HEADER + 64};
    cts_wr_u32(&w, (uint32_t)CTS_E_PROTOCOL);
    cts_wr_str(&w, "what?");
    f->head.bytes = (uint32_t)w.len - CTS_FRAME_HEADER;
    f->head.type = CTS_FT_FAILED;
    return send_as(f, f->head, out);
}

static bool huge(struct fake_frame *f, int out)
{
    struct cts_frame head = f->head;
    if (f->marked)
        head.bytes = UINT32_MAX;
    return send_as(f, head, out);
}

/* Within what a frame may have, but far more than the request can be answered with. */
static bool large(struct fake_frame *f, int out)
{
    struct cts_frame head = f->head;
    if (f->marked)
        head.bytes = CTS_FRAME_MAX;
    return send_as(f, head, out);
}

static bool trailing(struct fake_frame *f, int out)
{
    if (f->marked) {
        memset(f->bytes + whole(f), 0, 8);
        f->head.bytes += 8;
    }
    return send_as(f, f->head, out);
}

static bool more_steps(struct fake_frame *f, int out)
{
    if (f->marked)
        f->bytes[CTS_FRAME_HEADER + 4] &= (uint8_t)~CTS_STEP_LOAD;
    return send(f, out);
}

static bool twice(struct fake_frame *f, int out)
{
    send(f, out);
    return f->marked ? send(f, out) : true;
}

static bool closed(struct fake_frame *f, int out)
{
    if (!f->marked)
        return send(f, out);
    close(out);
    for (;;)
        pause();
}

static bool without_progress(struct fake_frame *f, int out)
{
    return f->head.type == CTS_FT_PROGRESS || send(f, out);
}

const struct fake_stream fake_streams[] = {
    {"garbage", "its first words are no frame", garbage, NULL},
    {"text", "the same, but text", text, NULL},
    {"flood-stdout", "garbage without end instead of a marked answer", flood, NULL},
    {"flood-frames", "frames without end after a marked answer", flood_frames, NULL},
    {"short", "one answer too few", shorter, NULL},
    {"truncate", "half a marked answer, then it is killed", truncated, NULL},
    {"stuck", "half a marked answer, then silence", stuck, NULL},
    {"trickle", "one byte of a marked answer every 200 ms", trickle, NULL},
    {"seq", "a wrong sequence number on a marked answer", wrong_sequence, NULL},
    {"type", "a marked answer of the wrong type", wrong_type, NULL},
    {"failed", "does not understand marked requests", failed, NULL},
    {"huge", "a marked answer of 4 GiB", huge, NULL},
    {"large", "a marked answer of 64 MiB", large, NULL},
    {"trailing", "bytes behind a marked answer, inside its frame", trailing, NULL},
    {"ops", "a marked answer leaves out its load", more_steps, NULL},
    {"twice", "a marked answer comes twice", twice, NULL},
    {"closed", "closes its stdout instead of a marked answer", closed, NULL},
    {"late-silent", "as late-unshared, and tells nothing of its progress", without_progress,
     "late-unshared"},
    {NULL, NULL, NULL, NULL},
};

/* The process in between. */

static bool read_all(int fd, uint8_t *data, size_t len)
{
    while (len) {
        ssize_t n = read(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static bool answers_are_marked(const struct fake_frame *f)
{
    struct cts_rd r = {.data = f->bytes + CTS_FRAME_HEADER, .len = f->head.bytes};
    struct cts_answer a;
    if (f->head.type != CTS_FT_DONE)
        return false;
    for (uint32_t n = cts_rd_u32(&r); n; n--) {
        if (cts_wire_get_answer(&r, &a, NULL))
            return false;
        if (a.ops & CTS_STEP_LOAD && a.load.native_bytes == FAKE_MARK_BYTES)
            return true;
    }
    return false;
}

static bool pass_one(const struct fake_stream *stream, int in, int out)
{
    struct fake_frame f;
    uint8_t header[CTS_FRAME_HEADER];
    if (!read_all(in, header, sizeof(header)) || cts_frame_get(header, &f.head, NULL))
        return false;
    f.bytes = calloc(2, CTS_FRAME_HEADER + (size_t)f.head.bytes + 64);
    if (!f.bytes)
        return false;
    memcpy(f.bytes, header, sizeof(header));
    bool on = read_all(in, f.bytes + CTS_FRAME_HEADER, f.head.bytes);
    f.marked = on && answers_are_marked(&f);
    on = on && stream->pass(&f, out);
    free(f.bytes);
    return on;
}

void fake_mangle(const struct fake_stream *stream)
{
    int fds[2];
    if (pipe(fds))
        exit(3);
    pid_t pid = fork();
    if (pid < 0)
        exit(3);
    if (pid == 0) {
        close(0);
        close(fds[1]);
        while (pass_one(stream, fds[0], 1))
            ;
        _exit(0);
    }
    if (dup2(fds[1], 1) < 0)
        exit(3);
    close(fds[0]);
    close(fds[1]);
}
