/*
 * What a pool and its workers have done, readable at any time. Ours.
 *
 *     mproc_pool_totals totals;
 *     mproc_check(mproc_pool_statistics(pool, &totals));
 *     printf("%llu tasks done, %llu wait\n", (unsigned long long)totals.tasks,
 *            (unsigned long long)totals.tasks_waiting);
 *
 * All numbers but those of the present only grow. They are read one after the other, while workers go on.
 */
#ifndef MPROC_POOL_STATISTICS_H
#define MPROC_POOL_STATISTICS_H

#include <mproc/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MPROC_WORKER_NAME_BYTES 32

/* What a worker is at. */
typedef enum mproc_worker_work {
    MPROC_AT_NOTHING = 0, /* it has not begun, looks for work or sleeps */
    MPROC_AT_TASK = 1,
    MPROC_AT_MAP = 2
} mproc_worker_work;

/* What one of a pool's workers, and those that had its place before, have done. */
typedef struct mproc_worker_statistics {
    char name[MPROC_WORKER_NAME_BYTES]; /* of the one that was started last */
    int64_t pid;                        /* its process id; 0: none runs */
    uint64_t starts;                    /* workers that were started in this place; each but the first replaced one */
    uint64_t tasks;                     /* that were finished, failed or not; one that was lost may be among them */
    uint64_t chunks;                    /* of maps, likewise; counted when it leaves a map */
    uint64_t lost;       /* ended when they should not have: killed, crashed, or with an initializer that failed */
    uint64_t retired;    /* ended by themselves: max_tasks, idle_timeout_ms, mproc_pool_resize() */
    int64_t start_up_ns; /* of the last one, until its initializer has returned; 0: that has not */
    mproc_worker_work work;
    int64_t
        work_ns; /* since it has begun with that task, or with one of the short ones before it, or come to the map */
} mproc_worker_statistics;

/*
 * Writes what the worker number `worker`, from 0 on, has done to `*out`. Does not block. Ours.
 *
 * Returns MPROC_OK, or, with `*out` unchanged:
 *   MPROC_INVALID  the pool has not so many workers, nor could have, or `out` is NULL
 *   MPROC_FORKED   this process is a fork() copy
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_pool_worker_statistics(const mproc_pool *pool, int worker,
                                                                    mproc_worker_statistics *out);

/* What is in a pool now, and what all its workers have done. */
typedef struct mproc_pool_totals {
    int workers;            /* the pool's number: mproc_pool_workers() */
    int running;            /* workers that have been started, and have not ended */
    int ready;              /* of these, those whose initializer has returned */
    int maps;               /* in progress */
    uint64_t tasks_waiting; /* that no worker has begun */
    uint64_t tasks_begun;   /* and not finished */
    uint64_t starts;        /* these and the following: the sums over all workers */
    uint64_t tasks;
    uint64_t chunks;
    uint64_t lost;
    uint64_t retired;
} mproc_pool_totals;

/*
 * Writes what the pool has done to `*out`. Does not block, but looks at each task that waits: with a million that
 * takes milliseconds, in which nobody submits one. Ours.
 *
 * Returns MPROC_OK, or, with `*out` unchanged:
 *   MPROC_INVALID  `out` is NULL
 *   MPROC_FORKED   this process is a fork() copy
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_pool_statistics(const mproc_pool *pool, mproc_pool_totals *out);

#ifdef __cplusplus
}
#endif

#endif
