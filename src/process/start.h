/* Starting a process. */
#ifndef MPROC_PROCESS_START_H
#define MPROC_PROCESS_START_H

#include "process/process.h"

/* Starts it; the layer above has checked nothing yet. */
mproc_status process_start(mproc_process *process);

#endif
