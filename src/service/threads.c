/* Threads that serve requests. */
#include "service/threads.h"

#include <stdlib.h>
#include <string.h>

#include "arena/park.h"
#include "object/wait.h"
#include "pool/thread.h"
#include "process/task.h"
#include "service/requests.h"

/* Where a request cannot be taken, as there is no memory, so long is waited. */
#define PAUSE_NS ((int64_t)10000000)
/* So many threads rest, at most; more that are not needed any more end. */
#define RESTING_MAX 3

/* One thread. `next` is in the list of those that end. */
struct serving {
    struct pool_thread thread;
    struct service *service;
    struct request request;
    struct serving *next;
};

/* `mutex` guards the threads that end, until they are waited for. */
static struct {
    _Atomic int32_t resting;
    plat_mutex mutex;
    struct serving *ending;
} own;

/* By the thread that is about to end: another one waits for that. */
static void leave(struct serving *serving)
{
    plat_mutex_lock(&own.mutex);
    serving->next = own.ending;
    own.ending = serving;
    plat_mutex_unlock(&own.mutex);
    service_ring(serving->service);
}

/* It has ended inside a method. Called in the thread itself. */
static void thread_ended(void *context)
{
    struct serving *serving = context;

    request_abandon(&serving->request);
    leave(serving);
}

static bool begin_reading(struct service *service)
{
    uint32_t none = 0;

    return atomic_compare_exchange_strong(&service->reading, &none, 1);
}

static bool begin_rest(void)
{
    int32_t resting = atomic_load(&own.resting);

    while (resting < RESTING_MAX)
        if (atomic_compare_exchange_weak(&own.resting, &resting, resting + 1)) return true;
    return false;
}

/* Until nobody else waits for requests; false: there are threads enough. */
static bool become_reader(struct service *service)
{
    if (begin_reading(service)) return true;
    if (!begin_rest()) return false;
    for (;;) {
        uint32_t seen = atomic_load(&service->rest);
        if (begin_reading(service)) break;
        (void)wait_on(&service->rest, seen, PLAT_FOREVER);
    }
    atomic_fetch_sub(&own.resting, 1);
    return true;
}

/* Who has put one before this does not know that nobody waits for it. */
static void end_reading(struct service *service)
{
    atomic_store(&service->reading, 0);
    if (requests_wait()) service_ring(service);
}

/* A function that has run may have left locks held. */
static void serve(void *context)
{
    struct serving *serving = context;
    struct task task;

    thread_self.requests_alone = true; /* interrupts are for those who wait */
    task_enter(&task);
    task_on_thread_end(thread_ended, serving);
    while (become_reader(serving->service)) {
        while (request_take(&serving->request, MPROC_FOREVER) != MPROC_OK)
            plat_clock_sleep_until(plat_clock_now_ns() + PAUSE_NS);
        end_reading(serving->service);
        request_serve(&serving->request);
        (void)task_returned(&task, MPROC_OK);
    }
    task_on_thread_end(NULL, NULL);
    task_leave();
    leave(serving);
}

mproc_status service_thread_start(struct service *service)
{
    struct serving *serving = calloc(1, sizeof *serving);
    mproc_status status;

    if (!serving) return mproc_error(MPROC_NO_MEMORY, "no memory for one more thread of a process' objects");
    serving->service = service;
    status = pool_thread_start(&serving->thread, serve, serving, "a thread of a process' objects");
    if (status != MPROC_OK) free(serving);
    return status;
}

static void no_bell(void *context)
{
    (void)context;
}

static void collect(void)
{
    struct serving *serving, *next;

    plat_mutex_lock(&own.mutex);
    serving = own.ending;
    own.ending = NULL;
    plat_mutex_unlock(&own.mutex);
    for (; serving; serving = next) {
        next = serving->next;
        plat_mutex_lock(&serving->thread.mutex); /* whoever has started it may not know yet that it runs */
        plat_mutex_unlock(&serving->thread.mutex);
        pool_thread_end(&serving->thread, no_bell);
        free(serving);
    }
}

/* Without one more, requests wait for one of those that are in methods. */
void service_threads_look(struct service *service)
{
    collect();
    if (atomic_load(&service->reading) || !requests_wait()) return;
    if (atomic_load(&own.resting) == 0) {
        (void)service_thread_start(service);
        return;
    }
    atomic_fetch_add(&service->rest, 1);
    (void)park_wake(&service->rest, 1);
}

void service_threads_forked(void)
{
    memset(&own, 0, sizeof own);
}
