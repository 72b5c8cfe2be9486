/* The places for jobs. */
#include "pool/job.h"

#include <limits.h>
#include <stdlib.h>

#include "arena/park.h"
#include "object/interrupt.h"
#include "object/wait.h"
#include "pool/async_map.h"
#include "pool/bell.h"
#include "pool/buffer.h"

/* Whether nobody uses it, and no worker is in it any more. Under `mutex`. */
static bool is_free(struct job *job)
{
    return !job->used && buffer_is_complete(&job->buffers[0]) && buffer_is_complete(&job->buffers[1]);
}

mproc_status job_create(mproc_pool *pool, uint32_t index, enum job_kind kind, uint64_t directory)
{
    uint64_t size = sizeof(struct pool_job) + 2 * ARENA_LINE + pool->count * sizeof(struct job_worker);
    struct job *job = calloc(1, sizeof *job);
    mproc_status status;

    if (!job) return mproc_error(MPROC_NO_MEMORY, "no memory for a job of a pool");
    if ((status = resource_take(size, size, &job->owned)) != MPROC_OK) {
        free(job);
        return status;
    }
    job->shared = (struct pool_job *)line_after((uintptr_t)arena_at(atomic_load(job->owned)));
    job->index = index;
    job->used = kind == JOB_TASKS;
    atomic_store(&job->shared->kind, kind);
    atomic_store(&job->shared->stream.directory, directory);
    pool->jobs[index] = job;
    atomic_store(&pool->shared->jobs[index], arena_offset(job->shared));
    return MPROC_OK;
}

/* The first that is free, or a new one. NULL: all are used. Under `mutex`. */
static mproc_status find(mproc_pool *pool, struct job **out)
{
    struct job *job;
    mproc_status status;

    for (uint32_t i = 0; i < POOL_JOBS; i++) {
        if (i == POOL_TASKS) continue;
        if (!pool->jobs[i] && (status = job_create(pool, i, JOB_MAP, 0)) != MPROC_OK) return status;
        job = pool->jobs[i];
        if (!job || !is_free(job)) continue;
        *out = job;
        return MPROC_OK;
    }
    *out = NULL;
    return MPROC_OK;
}

/* A close that comes later waits for the job. */
static mproc_status try_take(mproc_pool *pool, bool admitted, struct job **out)
{
    mproc_status status;

    plat_mutex_lock(&pool->mutex);
    status = admitted ? pool_check_alive(pool) : pool_check_open(pool);
    if (status == MPROC_OK) status = find(pool, out);
    if (status == MPROC_OK && *out) {
        (*out)->used = true;
        (*out)->leaves = false;
        (*out)->admitted = admitted;
        if (!admitted) atomic_fetch_add(&pool->shared->busy, 1);
    }
    plat_mutex_unlock(&pool->mutex);
    return status;
}

/* All are used. Interrupts end it, and so does whoever closes the pool. */
static mproc_status wait_for_place(mproc_pool *pool, bool admitted, struct job **out)
{
    _Atomic uint32_t *freed = &pool->shared->jobs_freed;
    mproc_status status = MPROC_OK;

    atomic_fetch_add(&pool->jobs_wanted, 1);
    while (status == MPROC_OK) {
        uint32_t seen = atomic_load(freed);
        if ((status = try_take(pool, admitted, out)) != MPROC_OK || *out) break;
        if (interrupt_take()) status = admitted ? async_map_stopped() : interrupt_status();
        else wait_on(freed, seen, PLAT_FOREVER);
    }
    atomic_fetch_sub(&pool->jobs_wanted, 1);
    return status;
}

mproc_status job_take(mproc_pool *pool, bool admitted, struct job **out)
{
    mproc_status status = try_take(pool, admitted, out);

    return status == MPROC_OK && !*out ? wait_for_place(pool, admitted, out) : status;
}

void job_put(mproc_pool *pool, struct job *job)
{
    struct pool_shared *shared = pool->shared;

    plat_mutex_lock(&pool->mutex);
    job->used = false;
    job->wanted = 0;
    if (!job->admitted) atomic_fetch_sub(&shared->busy, 1);
    plat_mutex_unlock(&pool->mutex);
    if (atomic_load(&shared->state) != POOL_OPEN) {
        bell_ring_all(shared);
        jobs_alarm(shared);
    } else if (atomic_load(&pool->jobs_wanted) > 0) {
        jobs_alarm(shared);
    }
}

void jobs_alarm(struct pool_shared *shared)
{
    atomic_fetch_add(&shared->jobs_freed, 1);
    park_wake(&shared->jobs_freed, INT_MAX);
}

static void free_buffer(struct pool_buffer *buffer)
{
    for (int i = 0; i < buffer->outgrown_count; i++) resource_release(buffer->outgrown[i]);
    resource_release(buffer->words);
    resource_release(buffer->data);
}

void jobs_free(mproc_pool *pool)
{
    for (uint32_t i = 0; i < POOL_JOBS; i++) {
        struct job *job = pool->jobs[i];
        if (!job) continue;
        free_buffer(&job->buffers[0]);
        free_buffer(&job->buffers[1]);
        resource_release(job->args);
        resource_release(job->owned);
        free(job);
    }
}
