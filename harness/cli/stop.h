/* SIGINT, SIGTERM and SIGHUP end a run early, in good order; a second one ends it at once. */
#ifndef CTS_CLI_STOP_H
#define CTS_CLI_STOP_H

/* From now on these signals end the program at once, as if nobody had caught them, after a line
 * that says `words`. */
void cts_stop_at_once(const char *words);
/* From now on these signals are caught. What it returns points to 0 until one came, then to its
 * number. */
const volatile int *cts_stop_on_signals(void);

#endif
