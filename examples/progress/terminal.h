/* Whether somebody looks. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>

/* Whether what is written to stderr comes to a terminal, and not into a file or to another program. */
bool terminal_sees_stderr(void);

#endif
