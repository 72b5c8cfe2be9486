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
static struct line *take(struct workers *workers)
{
    struct line *line;

    (void)mproc_semaphore_acquire(workers->jobs, MPROC_FOREVER);
    plat_mutex_lock(&workers->mutex);
    if ((line = workers->first) && !(workers->first = line->next_job)) workers->last = &workers->first;
    plat_mutex_unlock(&workers->mutex);
    return line;
}

/*
 * The worker is one of those that wait before its line does: so a client that calls again when it has its answer
 * finds that worker. If there are enough without it, it goes.
 */
static void rest(struct worker *worker)
{
    struct workers *workers = &worker->server->workers;

    worker->rests = true;
    plat_mutex_lock(&workers->mutex);
    if (!(worker->goes = workers->idle >= IDLE_MAX)) workers->idle++;
    plat_mutex_unlock(&workers->mutex);
}

/* As long as the line has something to do, or the worker holds something for it. */
static void attend(struct worker *worker, struct line *line)
{
    enum line_step step = LINE_WORKS;

    worker->rests = false;
    while (step == LINE_WORKS) {
        step = line_work(line, worker);
        if (step == LINE_WAITS) step = line_next(line, worker, rest);
        if (step != LINE_HELD) continue;
        (void)mproc_semaphore_acquire(worker->call, MPROC_FOREVER);
        step = line_next(line, worker, rest);
    }
    if (step != LINE_ENDS) return;
    line_give_up(line);
    if (!worker->rests) rest(worker);
}

static void work(void *context)
{
    struct worker *worker = context;
    struct line *line;

    thread_self.requests_alone = true; /* interrupts are for those who wait */
    thread_self.request = &worker->request;
    interrupt_deserted_by(&worker->deserted);
    while (!worker->goes && (line = take(&worker->server->workers))) attend(worker, line);
    thread_self.request = NULL;
    interrupt_deserted_by(NULL);
    atomic_store(&worker->over, true);
}

static void no_bell(void *context)
{
    (void)context;
}

static void worker_free(struct worker *worker)
{
    pool_thread_end(&worker->thread, no_bell);
    mproc_semaphore_free(worker->call);
    free(worker);
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
        worker_free(worker);
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
    if ((status = mproc_semaphore_create(0, NULL, &worker->call)) == MPROC_OK)
        status = pool_thread_start(&worker->thread, work, worker, "a thread of a manager");
    if (status != MPROC_OK) {
        worker_free(worker);
        return status;
    }
    workers->all[place] = worker;
    return MPROC_OK;
}

/* It is counted as idle when it is there, or not at all. */
static mproc_status add_worker(struct server *server)
{
    struct workers *workers = &server->workers;
    mproc_status status = start(server);

    plat_mutex_lock(&workers->mutex);
    workers->idle++;
    plat_mutex_unlock(&workers->mutex);
    if (status == MPROC_OK) return status;
    return mproc_error(MPROC_LIMIT, "the manager cannot start a thread for the call: %s", mproc_error_text(status));
}

/* Those that are there may wait for what this job is to do: it does not wait for them. */
mproc_status workers_give(struct server *server, struct line *line)
{
    struct workers *workers = &server->workers;
    mproc_status status = MPROC_OK;
    bool more;

    plat_mutex_lock(&workers->mutex);
    more = --workers->idle < 0;
    plat_mutex_unlock(&workers->mutex);
    if (more && (status = add_worker(server)) != MPROC_OK) return status;
    line->next_job = NULL;
    plat_mutex_lock(&workers->mutex);
    *workers->last = line;
    workers->last = &line->next_job;
    plat_mutex_unlock(&workers->mutex);
    (void)mproc_semaphore_release(workers->jobs);
    return status;
}

void workers_end(struct workers *workers)
{
    for (size_t i = 0; i < workers->room; i++)
        if (workers->all[i]) (void)mproc_semaphore_release(workers->jobs);
    for (size_t i = 0; i < workers->room; i++) {
        if (workers->all[i]) worker_free(workers->all[i]);
    }
    free(workers->all);
    mproc_semaphore_free(workers->jobs);
}
