/* uses: base isa wire rt_plugin */
/* What a program costs through the plugin worker's own code, and what the bare process costs: the
 * same plugin, program and memory. Prints both in microseconds, and their ratio.
 *
 *     bench-plugin PLUGIN [RUNS] */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rt_plugin/adapter.h"

extern char **environ;

enum { ROUNDS = 5, RUNS = 200 };

static const char program[] = "b7 00 00 00 2a 00 00 00 95 00 00 00 00 00 00 00\n";
static const char memory[] = "01 02 03 04 05 06 07 08";

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static FILE *make_input(void)
{
    FILE *f = tmpfile();
    if (!f || fputs(program, f) < 0 || fflush(f) != 0) {
        fprintf(stderr, "no input\n");
        exit(1);
    }
    return f;
}

static void bare(const char *plugin, int input, int sink)
{
    char path[4096], argument[sizeof(memory)];
    char *argv[] = {path, argument, NULL};
    posix_spawn_file_actions_t files;
    pid_t pid;
    int status;
    snprintf(path, sizeof(path), "%s", plugin);
    snprintf(argument, sizeof(argument), "%s", memory);
    lseek(input, 0, SEEK_SET);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, input, 0);
    posix_spawn_file_actions_adddup2(&files, sink, 1);
    if (posix_spawn(&pid, plugin, &files, NULL, argv, environ) || waitpid(pid, &status, 0) != pid ||
        status != 0) {
        fprintf(stderr, "%s cannot be run\n", plugin);
        exit(1);
    }
    posix_spawn_file_actions_destroy(&files);
}

static void through(const struct plg_command *command)
{
    struct plg_out out;
    plg_proc_run(command, memory, program, sizeof(program) - 1, &out);
    if (out.end != PLG_ANSWERED || out.r0 != 42) {
        fprintf(stderr, "%s: %s\n", command->path, out.text);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    char *none[] = {NULL};
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: %s PLUGIN [RUNS]\n", argv[0]);
        return 2;
    }
    const struct plg_command command = {.path = argv[1], .options = none};
    int runs = argc > 2 ? atoi(argv[2]) : RUNS;
    FILE *input = make_input(), *sink = tmpfile();
    double best_bare = 0, best_through = 0;
    for (unsigned round = 0; sink && round < ROUNDS; round++) {
        double start = now();
        for (int i = 0; i < runs; i++)
            bare(argv[1], fileno(input), fileno(sink));
        double middle = now();
        for (int i = 0; i < runs; i++)
            through(&command);
        double end = now();
        if (round == 0 || middle - start < best_bare)
            best_bare = middle - start;
        if (round == 0 || end - middle < best_through)
            best_through = end - middle;
    }
    printf("bare process %.0f us, through the worker %.0f us, ratio %.2f\n", best_bare / runs,
           best_through / runs, best_through / best_bare);
    return 0;
}
