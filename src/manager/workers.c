/* The threads that do what takes longer. */
#include <stdlib.h>

#include "manager/server.h"

/* So many wait for the next job; more that are not needed any more go. */
#define IDLE_MAX 1

mproc_status workers_init(struct workers *workers)
{
    workers->last = &workers->first;
    return mproc_semaphore_create(0, NULL, &workers->jobs);
}

/* NULL: it is to go. */
static struct session *take(struct workers *workers)
{
    struct session *session;

    (void)mproc_semaphore_acquire(workers->jobs, MPROC_FOREVER);
    plat_mutex_lock(&workers->mutex);
    if ((session = workers->first) && !(workers->first = session->next_job)) workers->last = &workers->first;
    plat_mutex_unlock(&workers->mutex);
    return session;
}

/*
 * The worker is one of those that wait before its session does: so a client that calls again when it has its answer
 * finds that worker. True: there are enough without it.
 */
static bool rest(struct workers *workers)
{
    bool enough;

    plat_mutex_lock(&workers->mutex);
    if ((enough = workers->idle >= IDLE_MAX)) workers->count--;
    else workers->idle++;
    plat_mutex_unlock(&workers->mutex);
    return enough;
}

static void work(void *context)
{
    struct worker *worker = context;
    struct workers *workers = &worker->server->workers;
    struct session *session;
    bool enough = false;

    thread_self.requests_alone = true; /* interrupts are for those who wait */
    while (!enough && (session = take(workers))) {
        enum session_step step = session_work(session);
        enough = rest(workers);
        if (step == SESSION_WAITS) server_await(session);
        else session_end(session);
    }
    atomic_store(&worker->over, true);
}

static void no_bell(void *context)
{
    (void)context;
}

/* A place for one more: a free one, or that of one that has gone. */
static mproc_status find_place(struct workers *workers, size_t *place)
{
    size_t room = workers->room > 0 ? 2 * workers->room : 4;
    struct worker **all;

    for (*place = 0; *place < workers->room; ++*place) {
        struct worker *worker = workers->all[*place];
        if (!worker) return MPROC_OK;
        if (!atomic_load(&worker->over)) continue;
        pool_thread_end(&worker->thread, no_bell);
        free(worker);
        workers->all[*place] = NULL;
        return MPROC_OK;
    }
    if (!(all = realloc(workers->all, room * sizeof(struct worker *))))
        return mproc_error(MPROC_NO_MEMORY, "no memory for one more thread of a manager");
    for (size_t i = workers->room; i < room; i++) all[i] = NULL;
    workers->all = all;
    workers->room = room;
    return MPROC_OK;
}

static mproc_status start(struct server *server)
{
    struct workers *workers = &server->workers;
    struct worker *worker = NULL;
    size_t place;
    mproc_status status;

    if ((status = find_place(workers, &place)) != MPROC_OK) return status;
    if (!(worker = calloc(1, sizeof *worker)))
        return mproc_error(MPROC_NO_MEMORY, "no memory for one more thread of a manager");
    worker->server = server;
    if ((status = pool_thread_start(&worker->thread, work, worker, "a thread of a manager")) != MPROC_OK) {
        free(worker);
        return status;
    }
    workers->all[place] = worker;
    return MPROC_OK;
}

/* One that is started has this job, or another that is there. */
static bool add_worker(struct server *server)
{
    struct workers *workers = &server->workers;
    bool started = start(server) == MPROC_OK, any;

    plat_mutex_lock(&workers->mutex);
    if (started) {
        workers->idle++;
        workers->count++;
    }
    any = workers->count > 0;
    if (!any) workers->idle++;
    plat_mutex_unlock(&workers->mutex);
    return any;
}

/* Where no thread can be started the job waits for one that is there; if there is none, the client is given up. */
void workers_give(struct server *server, struct session *session)
{
    struct workers *workers = &server->workers;
    bool more;

    plat_mutex_lock(&workers->mutex);
    more = --workers->idle < 0;
    plat_mutex_unlock(&workers->mutex);
    if (more && !add_worker(server)) {
        session_end(session);
        return;
    }
    session->next_job = NULL;
    plat_mutex_lock(&workers->mutex);
    *workers->last = session;
    workers->last = &session->next_job;
    plat_mutex_unlock(&workers->mutex);
    (void)mproc_semaphore_release(workers->jobs);
}

void workers_end(struct workers *workers)
{
    for (size_t i = 0; i < workers->room; i++)
        if (workers->all[i]) (void)mproc_semaphore_release(workers->jobs);
    for (size_t i = 0; i < workers->room; i++) {
        if (workers->all[i]) pool_thread_end(&workers->all[i]->thread, no_bell);
        free(workers->all[i]);
    }
    free(workers->all);
    mproc_semaphore_free(workers->jobs);
}
