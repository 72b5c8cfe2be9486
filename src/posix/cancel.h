/*
 * A thread that is cancelled (pthread_cancel) inside a call of the library would leave a lock, a count or a
 * descriptor behind. So whatever of this directory calls what POSIX names a cancellation point does it between these
 * two: the thread ends at the next one outside.
 */
#ifndef MPROC_POSIX_CANCEL_H
#define MPROC_POSIX_CANCEL_H

#include <pthread.h>

/* Returns the state until now. Keeps errno, and may be called in a signal handler. */
static inline int cancel_hold(void)
{
    int state;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    return state;
}

static inline void cancel_resume(int state)
{
    pthread_setcancelstate(state, NULL);
}

#endif
