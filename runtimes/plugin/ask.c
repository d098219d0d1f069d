#include "base/fmt.h"
#include "hex.h"
#include "plugin.h"

void plg_ask(struct plg *g, const char *text, size_t len, const uint8_t *memory, size_t bytes,
             struct plg_out *out)
{
    *out = (struct plg_out){.end = PLG_GARBAGE};
    if (!text) {
        cts_fmt(out->text, sizeof(out->text), "no memory for the program, or it is too long");
        return;
    }
    if (plg_hex_len(bytes) > PLG_ARGUMENT_MOST) {
        cts_fmt(out->text, sizeof(out->text), "%zu bytes of memory are more than an argument holds",
                bytes);
        return;
    }
    if (bytes)
        *plg_hex_put(g->argument, memory, bytes) = '\0';
    plg_proc_run(&g->command, bytes ? g->argument : NULL, text, len, out);
}

uint8_t plg_status(const struct plg_out *out)
{
    static const uint8_t by_end[] = {
        [PLG_ANSWERED] = CTS_RUN_COMPLETED,
        [PLG_REFUSED] = CTS_RUN_REFUSED,
        [PLG_GARBAGE] = CTS_RUN_ERROR,
        [PLG_DIED] = CTS_RUN_CRASHED,
    };
    return by_end[out->end];
}
