/* This process and its parent, as objects. */
#ifndef MPROC_PROCESS_SELF_H
#define MPROC_PROCESS_SELF_H

#include "process/process.h"

/* The object of this process; made by the first call that needs it. */
mproc_process *process_self(void);

/* In a fork() copy, which is the first process of a family of its own. */
void self_forked(void);

/* A name for the next child, "Process-1:2", and its identity, "1:2". */
void process_next_identity(char identity[SPAWN_IDENTITY_BYTES]);

#endif
