/* System calls that are older than some C libraries' names for them; their numbers are the same on
 * every architecture. */
#ifndef CTS_BASE_SYSCALLS_H
#define CTS_BASE_SYSCALLS_H

#include <sys/syscall.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

#endif
