#include "base/vector.h"

#include <stddef.h>

const char *const cts_vector_kinds[] = {
    [CTS_VK_RUN] = "run", [CTS_VK_SWEEP] = "sweep", [CTS_VK_VERDICT] = "verdict", NULL};

const char *const cts_level_names[] = {[CTS_LEVEL_QUICK] = "quick",
                                       [CTS_LEVEL_FULL] = "full",
                                       [CTS_LEVEL_EXHAUSTIVE] = "exhaustive",
                                       NULL};

const char *const cts_order_names[] = {
    [CTS_ORDER_ANY] = "any", [CTS_ORDER_LITTLE] = "little", [CTS_ORDER_BIG] = "big", NULL};

const char *const cts_operands_names[] = {[CTS_OPD_OPAQUE] = "opaque",
                                          [CTS_OPD_CONSTANT] = "constant",
                                          [CTS_OPD_MASKED] = "masked",
                                          NULL};
