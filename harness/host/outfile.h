/* Files that a person asked for: reports, documents. A regular file is written under another name
 * and takes its own when it is whole; until then, and if that fails, what was there before stays as
 * it was. Devices, pipes and open descriptors are written as they come. */
#ifndef CTS_HOST_OUTFILE_H
#define CTS_HOST_OUTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

/* Which file a path names, whatever the links on the way; also one that is not there yet. */
struct cts_file_id {
    uint64_t dev, ino; /* of the file, or of the folder that it would be in */
    char name[256];    /* "" if the file is there */
    bool sink;         /* the null device: any number of things may be written there */
    bool folder;
};
/* False: nothing can be there, and errno says why. */
bool cts_file_id(const char *path, struct cts_file_id *id);
bool cts_file_id_of(int fd, struct cts_file_id *id);
bool cts_file_same(const struct cts_file_id *a, const struct cts_file_id *b);

/* Can the path be written? Changes nothing. CTS_E_NOTFOUND: there is no such folder; CTS_E_IO. */
int cts_outfile_check(const char *path, struct cts_err *err);

struct cts_outfile {
    FILE *f;
    char *path;  /* whose place it takes at its end; null: it is written as it comes */
    char *temp;  /* its name until then; null: it has none */
    char *shown; /* for messages */
};
int cts_outfile_open(struct cts_outfile *o, const char *path, struct cts_err *err);
/* Closes it; it is whole and has its name, or, after CTS_E_IO, nothing is left of it. */
int cts_outfile_end(struct cts_outfile *o, struct cts_err *err);
/* Closes it; nothing is left of it. */
void cts_outfile_drop(struct cts_outfile *o);
/* All of it at once. */
int cts_outfile_write(const char *path, const void *data, size_t len, struct cts_err *err);

/* Has all been written? 0, or why not as errno says it. */
int cts_outfile_flush(FILE *f);

/* A file without a name, in $TMPDIR or /tmp, to write and read; null and errno. */
FILE *cts_outfile_spool(void);

#endif
