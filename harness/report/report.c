#include "report/report.h"

#include <string.h>

const struct cts_reporter *cts_reporter_find(const char *name)
{
    for (size_t i = 0; cts_reporters[i]; i++)
        if (strcmp(cts_reporters[i]->name, name) == 0)
            return cts_reporters[i];
    return NULL;
}
