/* Threads of the pool's owner that work for the pool: started when they are needed first. */
#ifndef MPROC_POOL_THREAD_H
#define MPROC_POOL_THREAD_H

#include "platform.h"

/* `mutex` guards who starts it. None that a thread's end may want: on Windows nothing begins meanwhile. */
struct pool_thread {
    plat_mutex mutex;
    plat_thread *thread;
    _Atomic int state;
    _Atomic bool ends;
    void (*main)(void *context);
    void *context;
};

/*
 * Starts it, if it does not run, and waits until it is a thread of the family: one that could not become so would do
 * nothing. No mutex of the pool may be held. MPROC_LIMIT: the system starts no more threads, or there is no slot for
 * it; `what` names it in the text.
 */
mproc_status pool_thread_start(struct pool_thread *thread, void (*main)(void *context), void *context,
                               const char *what);

/* Whether it runs. */
bool pool_thread_runs(const struct pool_thread *thread);

/* Asks it to end - its bell rings in `ring` -, and waits for it. */
void pool_thread_end(struct pool_thread *thread, void (*ring)(void *context));

#endif
