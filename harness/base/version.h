/* Ranges of versions, compared number by number: "<6.9", ">=6.6 <6.12", "22.11".
 *
 * A comparison looks at as many numbers as the range writes: 6.9.3 is "6.9" and "<=6.9", and is not
 * ">6.9". Numbers that a version lacks are 0. */
#ifndef CTS_BASE_VERSION_H
#define CTS_BASE_VERSION_H

#include <stdbool.h>
#include <stdint.h>

enum { CTS_VERSION_NUMBERS = 6, CTS_VERSION_TERMS = 4 };

enum cts_version_op { CTS_VO_EQ, CTS_VO_LT, CTS_VO_LE, CTS_VO_GT, CTS_VO_GE };

struct cts_version_term {
    enum cts_version_op op;
    unsigned count; /* of numbers, at least 1 */
    uint32_t number[CTS_VERSION_NUMBERS];
};

/* All terms hold. */
struct cts_version_range {
    unsigned count;
    struct cts_version_term term[CTS_VERSION_TERMS];
};

/* Null, or what is wrong with the text. */
const char *cts_version_parse(const char *text, struct cts_version_range *out);

/* Is the version in the range? `version` is text of any kind ("6.18.44-rc1 x86_64", "DPDK 22.11"):
 * its first number that is not part of a word counts, with the numbers behind its points. A text
 * without such a number is in no range. */
bool cts_version_in(const struct cts_version_range *range, const char *version);

#endif
