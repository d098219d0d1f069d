/* What the program says of itself: help, the manual page, completion. Lists of commands are ended
 * by null. */
#ifndef CTS_CLI_HELP_H
#define CTS_CLI_HELP_H

#include <stdio.h>

#include "cli/command.h"

void cts_help_command(FILE *out, const struct cts_command *c);
void cts_help_all(FILE *out, const struct cts_command *const *commands);
void cts_help_man(FILE *out, const struct cts_command *const *commands);
/* Completion for one shell. */
void cts_help_bash(FILE *out, const struct cts_command *const *commands);
void cts_help_zsh(FILE *out, const struct cts_command *const *commands);
void cts_help_fish(FILE *out, const struct cts_command *const *commands);

#endif
