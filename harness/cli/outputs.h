/* The reports that a command line asks for: -o FORMAT[=FILE], which may be repeated. */
#ifndef CTS_CLI_OUTPUTS_H
#define CTS_CLI_OUTPUTS_H

#include <stdbool.h>

#include "cli/files.h"
#include "cli/opt.h"
#include "cli/vectors.h"
#include "host/outfile.h"
#include "report/report.h"

enum { CTS_OUTPUTS_MAX = 16 };

struct cts_output {
    const struct cts_reporter *format;
    const char *path; /* null: stdout */
    struct cts_outfile file;
    struct cts_report report;
    bool open, lost;
};

enum cts_color { CTS_COLOR_AUTO, CTS_COLOR_ALWAYS, CTS_COLOR_NEVER };

struct cts_outputs {
    struct cts_output list[CTS_OUTPUTS_MAX];
    unsigned count;
    enum cts_color color;
    struct cts_report_opts opts; /* what all of them share: verbose, quiet ... */
    char time[32];               /* of the run; "" if no report is to say it */
    char hash[65];               /* of the vectors; "" if no report says it */
};

/* Takes an option's value; 0, or the exit code after a message. */
int cts_outputs_add(void *outputs, const struct cts_opts *o);
/* When there are colours, in the enum's order, for an option. */
const char *cts_color_word(unsigned i, const char **what);

/* The formats there are: see opt.h. */
const char *cts_outputs_format(unsigned i, const char **what);

/* Text, if nothing was asked for. Can all be written, each for itself? CTS_E_INVAL and so on;
 * nothing is changed. */
int cts_outputs_check(struct cts_outputs *all, struct cts_files *files, struct cts_err *err);
/* Nothing in them that is another thing the next time: asked for, or SOURCE_DATE_EPOCH is set. */
bool cts_outputs_are_reproducible(const struct cts_outputs *all);

/* Starts them, after the check. 0, or the exit code after a message. */
int cts_outputs_open(struct cts_outputs *all, const struct cts_vectors *vectors);
void cts_outputs_engine(struct cts_outputs *all, const struct cts_engine_info *info);
void cts_outputs_result(struct cts_outputs *all, const struct cts_result *r);
/* Ends and closes them. False, after a message, if something could not be written. */
bool cts_outputs_close(struct cts_outputs *all, const struct cts_summary *s);

#endif
