/*
 * What the scenarios of a pool's tasks share: a pool of the root, made by hand from its parts, whose workers are
 * forked children of the root, or the root itself.
 */
#ifndef KILL_STEPS_TASKS_H
#define KILL_STEPS_TASKS_H

#include "test_family.h"
#include "steps.h"

#include "pool/pool.h"

#include <mproc/mproc.h>

#define TASKS 4
#define WORKERS 3

/* The worker that dies, and two others. */
#define VICTIM 0
#define OTHER 1
#define THIRD 2

/*
 * The state of these scenarios: how often each task was begun, and what is wrong, as a task saw it. `leaving`: the
 * victim is to be killed for what it is in.
 */
struct test_tasks {
    struct test_family family;
    _Atomic uint32_t begun[TASKS];
    _Atomic uint32_t wrong;
    _Atomic uint32_t leaving;
    _Atomic uint32_t begun_late; /* something else, by the victim, after that */
};

extern struct test_tasks *test_tasks;
extern mproc_pool *test_tasks_pool;
extern mproc_lock *test_tasks_lock;
extern mproc_result *test_tasks_results[TASKS];
extern bool test_tasks_late[TASKS]; /* ended by its owner, as its time was up */
extern int64_t test_tasks_retries;  /* of those that are submitted from now on */

/* Tasks of all kinds. Their first argument is their number. */
mproc_status test_tasks_square(mproc_call *call); /* in the slot, and what it returns as well */
mproc_status test_tasks_pass(mproc_call *call);   /* a lock and a text, which it returns */
mproc_status test_tasks_fail(mproc_call *call);   /* after it has kept such a value */
mproc_status
test_tasks_meet(mproc_call *call); /* the victim, in the first, was to wake another, which waits for it */

/* The first two; in the victim the pool's keeper finds meanwhile that their time is up. */
mproc_status test_tasks_overrun(mproc_call *call);
mproc_status test_tasks_overrun_passing(mproc_call *call);

/* Whether the calling process is the victim. */
bool test_tasks_is_victim(void);

/* For the set-up: the pool, of which nobody works yet. */
void test_tasks_create_pool(void);
void test_tasks_free_pool(bool results_first);
void test_tasks_begin(void *state);

/* The memory of large blocks that is in use now is put back, too: they grow from the heap's end down. */
void test_tasks_keep(void);

/* Of the pool that there is now, all that workers and its owner change is watched. */
void test_tasks_watch(void);

/* Forgets the pool and its results, which the caller has freed, for another, of which nobody has results. */
void test_tasks_forget(mproc_pool *pool);

/* Gives the pool the task of this number, whose function tells which arguments it gets. */
void test_tasks_submit(int number, mproc_function *function);
void test_tasks_close(void);

/* The calling process is the worker of that index, and its successors, until the pool has ended. */
void test_tasks_work(uint32_t index);

/* For step_scenario. */
void test_tasks_work_as_victim(void *state);
void test_tasks_work_in_ranges(void *state);
void test_tasks_recover(void *state);

/* What the pool's owner does when it has collected the victim. */
void test_tasks_bury(void);

/* Whether the victim had begun the task of this number, and not finished it, when it was buried. */
bool test_tasks_was_taken(int number);

/*
 * Each of the tasks ended once, as it should; none was lost but the one that the victim had begun and not finished.
 * Before that another worker, in turn the successor or one that has not heard of the death, does what is left.
 */
const char *test_tasks_check(void *state, bool completed);

#define RECOVERED                                                                                             \
    .recover_enter = test_family_enter_recoverer, .recover = test_tasks_recover, .teardown = test_family_end, \
    .sparse = true

#endif
