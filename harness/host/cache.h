/* The cache: what costs time to find out, kept in a folder of the user's own.
 *
 * Nothing in it is believed that somebody else can have written: the folder and what is in it must
 * be no links, belong to the user, and be writable by nobody else. Everything goes through a
 * descriptor of a folder that has been looked at, so that it cannot be exchanged on the way, and so
 * the folders above it may be anybody's. Files are replaced as a whole, never written into. */
#ifndef CTS_HOST_CACHE_H
#define CTS_HOST_CACHE_H

#include <stddef.h>

#include "base/err.h"
#include "host/buf.h"

/* Opens the folder `inner` of the cache ("": the cache itself), made if missing, and returns its
 * descriptor, the caller's to close. The cache is $EBPF_CTS_CACHE, else $XDG_CACHE_HOME/ebpf-cts,
 * else $HOME/.cache/ebpf-cts; the latter two count only if they are absolute. CTS_E_NOTFOUND: none
 * of them is set; CTS_E_INVAL: it is not to be trusted; CTS_E_IO. err names the folder. */
int cts_cache_open(const char *inner, struct cts_err *err);

/* Appends the file `name` of the open folder to `out`. CTS_E_NOTFOUND; CTS_E_INVAL: no regular file
 * of the user's own, or writable by others; CTS_E_LIMIT: longer than `limit`; CTS_E_IO. */
int cts_cache_read(int dir, const char *name, size_t limit, struct cts_buf *out,
                   struct cts_err *err);
/* Replaces it: written to the disk whole before it takes the name. */
int cts_cache_write(int dir, const char *name, const void *data, size_t len, struct cts_err *err);

/* The same for files that have no sum of their own: cts_cache_put adds one at the end,
 * cts_cache_get checks it and takes it away. CTS_E_SYNTAX: damaged. */
int cts_cache_get(int dir, const char *name, size_t limit, struct cts_buf *out,
                  struct cts_err *err);
int cts_cache_put(int dir, const char *name, const void *data, size_t len, struct cts_err *err);

#endif
