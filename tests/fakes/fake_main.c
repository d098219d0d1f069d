#include <stdio.h>
#include <string.h>

#include "fake.h"

static int usage(void)
{
    fprintf(stderr, "usage: cts-fake-worker --fault NAME [ENGINE]\n"
                    "  none             no fault\n"
                    "  noexec           exits at once with status 1\n");
    for (const struct fake_adapter *a = fake_adapters; a->name; a++)
        fprintf(stderr, "  %-16s %s\n", a->name, a->what);
    for (const struct fake_stream *s = fake_streams; s->name; s++)
        fprintf(stderr, "  %-16s %s\n", s->name, s->what);
    return 2;
}

static const struct cts_adapter *find_adapter(const char *name)
{
    for (const struct fake_adapter *a = fake_adapters; a->name; a++)
        if (strcmp(a->name, name) == 0)
            return a->adapter;
    return NULL;
}

static const struct fake_stream *find_stream(const char *name)
{
    for (const struct fake_stream *s = fake_streams; s->name; s++)
        if (strcmp(s->name, name) == 0)
            return s;
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 3 || strcmp(argv[1], "--fault") != 0)
        return usage();
    const char *fault = argv[2];
    if (strcmp(fault, "noexec") == 0) {
        fprintf(stderr, "this worker never works\n");
        return 1;
    }
    const struct fake_stream *stream = find_stream(fault);
    const struct cts_adapter *adapter = find_adapter(stream && stream->adapter ? stream->adapter
                                                     : stream || !strcmp(fault, "none") ? "right"
                                                                                        : fault);
    if (!adapter)
        return usage();
    if (stream)
        fake_mangle(stream);
    return cts_worker_main(argc - 2, argv + 2, adapter);
}
