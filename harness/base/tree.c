#include "base/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fmt.h"

static void add_pids(struct cts_tree *list, const char *text)
{
    while (*text && list->n < CTS_TREE_MOST) {
        char *end;
        long pid = strtol(text, &end, 10);
        if (end == text || pid <= 0)
            return;
        list->pid[list->n++] = (pid_t)pid;
        text = end + strspn(end, " \n");
    }
}

static void read_children(struct cts_tree *list, const char *path)
{
    char text[8192];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return;
    text[n] = '\0';
    /* A number that is cut off would be somebody else's. */
    char *last = strrchr(text, ' ');
    if ((size_t)n == sizeof(text) - 1 && last)
        *last = '\0';
    add_pids(list, text);
}

void cts_tree_add_children(struct cts_tree *list, pid_t pid)
{
    char path[512];
    cts_fmt(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    for (const struct dirent *t; threads && (t = readdir(threads)) != NULL;) {
        if (t->d_name[0] == '.')
            continue;
        cts_fmt(path, sizeof(path), "/proc/%d/task/%s/children", (int)pid, t->d_name);
        read_children(list, path);
    }
    if (threads)
        closedir(threads);
}

void cts_tree_kill(pid_t pid)
{
    struct cts_tree list = {.pid = {pid}, .n = 1};
    /* Stopped, so that it starts no more while we look. */
    kill(pid, SIGSTOP);
    for (unsigned i = 0; i < list.n; i++)
        cts_tree_add_children(&list, list.pid[i]);
    for (unsigned i = list.n; i-- > 0;)
        kill(list.pid[i], SIGKILL);
}
