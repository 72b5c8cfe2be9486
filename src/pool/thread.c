/* Threads of the pool's owner. */
#include "pool/thread.h"

#include "process/family.h"

/* How often its start is looked for: it takes some tens of microseconds. */
#define BEGIN_NS ((int64_t)20000)

enum { THREAD_NONE, THREAD_BEGINS, THREAD_RUNS, THREAD_FAILED };

static void thread_main(void *context)
{
    struct pool_thread *thread = context;
    bool entered = family_enter() == MPROC_OK;

    atomic_store(&thread->state, entered ? THREAD_RUNS : THREAD_FAILED);
    if (entered) thread->main(thread->context);
}

/* Under its mutex. */
static mproc_status start(struct pool_thread *thread, const char *what)
{
    mproc_status status;

    atomic_store(&thread->state, THREAD_BEGINS);
    if ((status = plat_thread_start(thread_main, thread, &thread->thread)) != MPROC_OK) {
        atomic_store(&thread->state, THREAD_NONE);
        return status;
    }
    while (atomic_load(&thread->state) == THREAD_BEGINS) plat_clock_sleep_until(plat_clock_now_ns() + BEGIN_NS);
    if (pool_thread_runs(thread)) return MPROC_OK;
    plat_thread_join(thread->thread);
    thread->thread = NULL;
    atomic_store(&thread->state, THREAD_NONE);
    return mproc_error(MPROC_LIMIT, "%s cannot enter the family: there is no slot for one more thread, or no memory",
                       what);
}

mproc_status pool_thread_start(struct pool_thread *thread, void (*main)(void *context), void *context,
                               const char *what)
{
    mproc_status status = MPROC_OK;

    if (pool_thread_runs(thread)) return MPROC_OK;
    plat_mutex_lock(&thread->mutex);
    if (!pool_thread_runs(thread)) {
        thread->main = main;
        thread->context = context;
        status = start(thread, what);
    }
    plat_mutex_unlock(&thread->mutex);
    return status;
}

bool pool_thread_runs(const struct pool_thread *thread)
{
    return atomic_load(&thread->state) == THREAD_RUNS;
}

void pool_thread_end(struct pool_thread *thread, void (*ring)(void *context))
{
    if (!pool_thread_runs(thread)) return;
    atomic_store(&thread->ends, true);
    ring(thread->context);
    plat_thread_join(thread->thread);
    atomic_store(&thread->state, THREAD_NONE);
}
