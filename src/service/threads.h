/*
 * The threads of a process that serve requests (requests.h): at most one of them waits for the next one, so that a
 * request wakes nobody in vain, and while all are in methods a request that comes has the service's thread fetch
 * one more, which rests or begins.
 */
#ifndef MPROC_SERVICE_THREADS_H
#define MPROC_SERVICE_THREADS_H

#include "service/service.h"

/* Starts one. MPROC_LIMIT, MPROC_NO_MEMORY. */
mproc_status service_thread_start(struct service *service);

/* By the service's thread, when the bell has rung: waits for threads that end, and has requests read. */
void service_threads_look(struct service *service);

/* In a fork() copy. */
void service_threads_forked(void);

#endif
