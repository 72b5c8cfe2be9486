/* Several results. */
#include "pool/result.h"

#include <stdlib.h>

#include "pool/bell.h"
#include "pool/worker.h"
#include "process/family.h"

/* ---- waiting for several -------------------------------------------------------------------------- */

struct many {
    mproc_result *const *results;
    size_t count;
    mproc_wait_mode mode;
};

/* All but what is waited for with MPROC_WAIT_ALL, which is waited for one after the other. */
static bool is_satisfied(const struct many *many)
{
    size_t over = 0;

    for (size_t i = 0; i < many->count; i++) {
        enum task_state state = result_state(many->results[i]);
        if (state == TASK_READY || state == TASK_TAKEN) continue;
        if (many->mode == MPROC_WAIT_ANY || state != TASK_DONE) return true;
        over++;
    }
    return over == many->count;
}

static mproc_status wait_until_satisfied(const struct many *many, struct wait *wait)
{
    struct tasks *tasks = many->results[0]->tasks;
    uint32_t bell = result_bell();
    _Atomic uint32_t *word = &tasks->shared->bells[bell];
    mproc_status status = worker_check_waiter(tasks->shared);

    while (status == MPROC_OK) {
        uint32_t seen = atomic_load(word);
        for (size_t i = 0; i < many->count; i++) result_announce(many->results[i], bell);
        if (is_satisfied(many)) break;
        status = wait_sleep(wait, word, seen);
    }
    if (status == MPROC_TIMEOUT && is_satisfied(many)) return MPROC_OK;
    return status == MPROC_TIMEOUT ? wait_timed_out(wait, "the tasks are not finished") : status;
}

static mproc_status wait_for_all(const struct many *many, struct wait *wait)
{
    mproc_status status = MPROC_OK;

    for (size_t i = 0; i < many->count && status == MPROC_OK; i++)
        if (!result_is_over(many->results[i])) status = result_wait_until_over(many->results[i], wait);
    return status;
}

static mproc_status check_many(const struct many *many)
{
    mproc_status status;

    if ((unsigned)many->mode > MPROC_WAIT_FIRST_FAILURE)
        return mproc_error(MPROC_INVALID, "%d is no way to wait for results", (int)many->mode);
    if (!many->results && many->count > 0)
        return mproc_error(MPROC_INVALID, "%zu results at no address", many->count);
    for (size_t i = 0; i < many->count; i++)
        if ((status = family_enter_with(many->results[i]->tasks->arena)) != MPROC_OK) return status;
    for (size_t i = 1; i < many->count && many->mode != MPROC_WAIT_ALL; i++)
        if (many->results[i]->tasks != many->results[0]->tasks)
            return mproc_error(MPROC_INVALID,
                               "result %zu is of another pool than the first: one waits for those of one "
                               "pool, or for all",
                               i);
    return MPROC_OK;
}

mproc_status mproc_result_wait_many(mproc_result *const *results, size_t count, mproc_wait_mode mode,
                                    int64_t timeout_ms)
{
    struct many many = {results, count, mode};
    struct wait wait;
    mproc_status status;

    if ((status = timeout_check(timeout_ms)) != MPROC_OK) return status;
    if ((status = check_many(&many)) != MPROC_OK || count == 0) return status;
    if ((status = wait_begin(&wait, NULL, timeout_ms)) != MPROC_OK) return status;
    if (mode == MPROC_WAIT_ALL) return wait_for_all(&many, &wait);
    return is_satisfied(&many) ? MPROC_OK : wait_until_satisfied(&many, &wait);
}

/* ---- one after the other, as they are finished ---------------------------------------------------- */

/* `turn` is the position + 1; 0: it is looked at from the beginning. */
struct awaited {
    mproc_result *result;
    size_t index;
    uint64_t turn;
};

/*
 * `all` has first those that came out, up to `out`; then those that are known, up to `known`; those that may be
 * finished, as they are begun, or were ended before, up to `begun`; then the others, by their position in the stream.
 * So nobody looks at thousands of tasks of which none can be finished.
 */
struct mproc_completed {
    struct tasks *tasks;
    uint32_t bell;
    uint64_t ended_seen;
    size_t count;
    size_t out;
    size_t known;
    size_t begun;
    struct awaited all[];
};

static int compare_turns(const void *left, const void *right)
{
    const struct awaited *a = left, *b = right;

    return a->turn < b->turn ? -1 : a->turn > b->turn;
}

/* Is made known while that is so: where workers come back, tasks that were given up may be run. */
static bool make_known(mproc_result *result)
{
    if (result_is_over(result) && atomic_load(&result->state) == RESULT_PENDING) tasks_collect(result);
    return atomic_load(&result->state) != RESULT_PENDING;
}

static void sort(struct mproc_completed *completed)
{
    qsort(completed->all + completed->begun, completed->count - completed->begun, sizeof(struct awaited),
          compare_turns);
}

/* Somebody has ended tasks that were not begun, perhaps some of these. */
static void find_ended(struct mproc_completed *completed)
{
    uint64_t ended = atomic_load(&completed->tasks->ended);

    if (ended == completed->ended_seen) return;
    completed->ended_seen = ended;
    for (size_t i = completed->begun; i < completed->count; i++)
        if (result_is_over(completed->all[i].result)) completed->all[i].turn = 0;
    sort(completed);
}

/*
 * Those behind the head may be begun, too, but only as many as workers have reserved. If no worker is left, and none
 * was told so, all are over.
 */
static uint64_t begun_turn(struct tasks *tasks)
{
    uint64_t turn = UINT64_MAX;

    plat_mutex_lock(&tasks->mutex);
    if (tasks->pool && atomic_load(&tasks->shared->stranded) != STRANDED_UNTOLD)
        turn = atomic_load(&tasks->stream->head) + tasks_near(tasks);
    plat_mutex_unlock(&tasks->mutex);
    return turn;
}

/* False: none of those that did not come out is finished. */
static bool find_known(struct mproc_completed *completed)
{
    struct awaited *all = completed->all;
    uint64_t turn;

    if (completed->out < completed->known) return true;
    find_ended(completed);
    turn = begun_turn(completed->tasks);
    while (completed->begun < completed->count && all[completed->begun].turn <= turn) completed->begun++;
    for (size_t i = completed->known; i < completed->begun; i++) {
        struct awaited found = all[i];
        if (!make_known(found.result)) continue;
        all[i] = all[completed->known];
        all[completed->known++] = found;
    }
    return completed->out < completed->known;
}

static void announce_all(const struct mproc_completed *completed, size_t until)
{
    for (size_t i = completed->known; i < until; i++) result_announce(completed->all[i].result, completed->bell);
}

mproc_status mproc_completed_create(mproc_result *const *results, size_t count, mproc_completed **out)
{
    struct many many = {results, count, MPROC_WAIT_ANY};
    struct mproc_completed *completed;
    mproc_status status;

    if (!out) return mproc_error(MPROC_INVALID, "there is nowhere to write what was created: out is NULL");
    if ((status = check_many(&many)) != MPROC_OK) return status;
    if (!(completed = calloc(1, sizeof *completed + count * sizeof(struct awaited))))
        return mproc_error(MPROC_NO_MEMORY, "no memory to wait for %zu results", count);
    completed->tasks = count > 0 ? results[0]->tasks : NULL;
    completed->count = count;
    completed->bell = result_bell();
    for (size_t i = 0; i < count; i++)
        completed->all[i] = (struct awaited){results[i], i, results[i]->map ? 0 : results[i]->position + 1};
    sort(completed);
    announce_all(completed, count);
    *out = completed;
    return MPROC_OK;
}

mproc_status mproc_completed_next(mproc_completed *completed, size_t *index, int64_t timeout_ms)
{
    struct wait wait;
    mproc_status status;

    assert(completed);
    if ((status = wait_begin(&wait, NULL, timeout_ms)) != MPROC_OK) return status;
    if (completed->out == completed->count) return mproc_error(MPROC_END, "all results came out");
    if ((status = family_enter_with(completed->tasks->arena)) != MPROC_OK) return status;
    while (!find_known(completed)) { /* the pool is there: all that it had when it was freed is known */
        _Atomic uint32_t *word = &completed->tasks->shared->bells[completed->bell];
        uint32_t seen = atomic_load(word);
        if (find_known(completed)) break;
        if (timeout_ms == 0) return wait_tried("none of the tasks that are left is finished");
        if ((status = worker_check_waiter(completed->tasks->shared)) != MPROC_OK) return status;
        announce_all(completed, completed->begun);
        status = wait_sleep(&wait, word, seen);
        if (status == MPROC_OK || (status == MPROC_TIMEOUT && find_known(completed))) continue;
        if (status != MPROC_TIMEOUT) return status;
        return mproc_error(MPROC_TIMEOUT, "none of %zu tasks that are left, of %zu, is finished within %lld ms",
                           completed->count - completed->out, completed->count, (long long)timeout_ms);
    }
    if (index) *index = completed->all[completed->out].index;
    completed->out++;
    return MPROC_OK;
}

void mproc_completed_free(mproc_completed *completed)
{
    free(completed);
}
