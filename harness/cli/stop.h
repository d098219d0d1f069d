/* SIGINT and SIGTERM end a run early, in good order. */
#ifndef CTS_CLI_STOP_H
#define CTS_CLI_STOP_H

/* From now on these signals are caught. What it returns points to 0 until one came. */
const volatile int *cts_stop_on_signals(void);

#endif
