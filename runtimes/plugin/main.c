/* cts-worker-plugin PLUGIN [OPTION...] ENGINE */
#include <string.h>

#include "adapter.h"
#include "wire/worker.h"

/* A probe gets no argument of ours, so the command has to stand here. */
static struct plg_command command;

static int probe(void **self, unsigned engine, struct cts_caps *caps, struct cts_err *err)
{
    (void)engine;
    if (!command.path)
        return cts_err_set(err, CTS_E_UNSUPPORTED,
                           "it wants a plugin: ebpf-cts run -r 'plugin:PATH [OPTION...]'");
    return plg_open(&command, self, caps, err);
}

int main(int argc, char **argv)
{
    const char *engine = argc > 1 ? argv[argc - 1] : "plugin";
    const struct cts_engine engines[] = {{engine, "a plugin of bpf_conformance"}, {NULL, NULL}};
    struct cts_adapter adapter = plg_adapter;
    if (argc > 2) {
        argv[argc - 1] = NULL;
        command = (struct plg_command){.path = argv[1], .options = argv + 2};
    }
    adapter.engines = engines;
    adapter.probe = probe;
    return cts_worker_main(1, argv, &adapter);
}
