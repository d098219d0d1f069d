#include "generator.h"

#include <string.h>

const struct cts_generator *cts_generator_find(const char *name)
{
    for (size_t i = 0; cts_generators[i]; i++)
        if (!strcmp(cts_generators[i]->name, name))
            return cts_generators[i];
    return NULL;
}

const char *cts_generator_format(const struct cts_generator *g, const char *name)
{
    for (size_t i = 0; g->formats[i]; i++)
        if (!name || !strcmp(g->formats[i], name))
            return g->formats[i];
    return NULL;
}
