/* What a command reads and what it is to write, so that nothing is written over: looked at before
 * anything is done. Files are the same whatever links lead to them. */
#ifndef CTS_CLI_FILES_H
#define CTS_CLI_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "host/outfile.h"

struct cts_file_use {
    struct cts_file_id id;
    char *path; /* null: standard output */
    bool written;
};

struct cts_files {
    struct cts_file_use *list;
    size_t count, cap;
    bool failed; /* out of memory: cts_files_write says so */
};

void cts_files_release(struct cts_files *f);
/* It is read; one that is not there (yet) is named all the same. */
void cts_files_read(struct cts_files *f, const char *path);
/* All that are read below a folder and end so; or the file, if it is one. */
void cts_files_read_all(struct cts_files *f, const char *root, const char *suffix);
/* It is to be written (null: standard output). CTS_E_INVAL: it is read, or written by something
 * else; or what cts_outfile_check returns. */
int cts_files_write(struct cts_files *f, const char *path, struct cts_err *err);

#endif
