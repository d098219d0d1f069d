/* What somebody may have meant who wrote an id that nothing has. */
#ifndef CTS_CLI_SUGGEST_H
#define CTS_CLI_SUGGEST_H

#include "pack/pack.h"

/* Says on stderr which ids are like this one: "Like it: ...". Nothing if none is. */
void cts_suggest(const char *id, const struct cts_pack *pack);

#endif
