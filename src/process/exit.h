/* The end of a process, for layers above. */
#ifndef MPROC_PROCESS_EXIT_H
#define MPROC_PROCESS_EXIT_H

/* What a process does that exits, when its children have ended: a later call replaces it. Nothing is locked then. */
void exit_set_last(void (*function)(void));

#endif
