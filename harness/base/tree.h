/* Processes by descent, as Linux's /proc tells it. */
#ifndef CTS_BASE_TREE_H
#define CTS_BASE_TREE_H

#include <sys/types.h>

enum { CTS_TREE_MOST = 1024 };

struct cts_tree {
    pid_t pid[CTS_TREE_MOST];
    unsigned n;
};

/* Adds the children of a process, those of each of its threads, as far as there is room; zombies
 * are among them. */
void cts_tree_add_children(struct cts_tree *list, pid_t pid);
/* Kills the process and all it started, as far as they are still its descendants. */
void cts_tree_kill(pid_t pid);

#endif
