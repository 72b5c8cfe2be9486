/* What the tests of waits for several things share. */
#ifndef WAITING_H
#define WAITING_H

#include "connection/connections.h"

/* For CHECK_SUITE_SETUP: what stays with a process that has waited is there, also the workers of a pool. */
void waiting_setup(void);

/* One thing of each kind, none of them ready. */
enum { KINDS = 7 };

typedef struct one_of_each {
    ends pipe; /* one waits for the first */
    mproc_process *child;
    int64_t freed;   /* its id, if it was freed */
    ends child_pipe; /* it ends when it gets something */
    mproc_queue *queue;
    mproc_pool *pool; /* of a thread */
    mproc_event *gate;
    mproc_result *result; /* it waits for the gate */
    mproc_event *event;
    mproc_semaphore *semaphore;
    plat_handle handle; /* an event of this process */
    mproc_waitable things[KINDS];
} one_of_each;

void each_create(one_of_each *each);
void each_free(one_of_each *each);

/* Makes the thing with this index ready, as it stays. */
void each_make_ready(const one_of_each *each, int index);

/* A wait in a thread of its own: in the set, or for the things. */
typedef struct waiting_thread {
    mproc_wait_set *set;
    mproc_waitable *things;
    size_t count;
    int64_t timeout_ms;
    size_t ready;
    mproc_status status;
    _Atomic uint32_t ended;
    plat_thread *thread;
} waiting_thread;

void waiting_begin(waiting_thread *waiting);
void waiting_end(waiting_thread *waiting);

/* Waits until so many threads of this process sleep in such waits. */
void waiting_await_asleep(int count);

/* The same of threads of another process, which watch what lies in the arena and wait for nothing else. */
void waiting_await_watchers(mproc_process *process, int count);

#endif
