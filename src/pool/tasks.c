/* Tasks of a pool, in their stream. */
#include "pool/tasks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena/park.h"
#include "base/encoding.h"
#include "base/log.h"
#include "object/parcel.h"
#include "pool/async_map.h"
#include "pool/bell.h"
#include "pool/job.h"
#include "pool/limits.h"
#include "pool/outcome.h"
#include "pool/segments.h"
#include "process/family.h"

/* With each turn so many are taken out, twice as many as have come: so the stream stays short. */
#define COLLECT_MOST (2 * TASKS_TURN)

/* ---- taking out --------------------------------------------------------------------------------- */

/* The slot is empty: its result is known, if somebody wants it. */
static void end_slot(struct tasks *tasks, struct owned_segment *segment, uint32_t index)
{
    mproc_result *result = segment->results[index];

    segment->results[index] = NULL;
    segment->out[index / 64] |= (uint64_t)1 << index % 64;
    if (--segment->left == 0) segment_end(tasks, segment);
    if (result) outcome_publish(result);
}

static bool is_out(const struct owned_segment *segment, uint32_t index)
{
    return !segment || segment->out[index / 64] >> index % 64 & 1;
}

/* Whether the position is behind us: its task is taken out, now or before. */
static bool collect_at(struct tasks *tasks, uint64_t position)
{
    struct owned_segment *segment = segment_at(tasks, position / TASK_SEGMENT);
    uint32_t index = position % TASK_SEGMENT;
    enum task_state state;
    struct task_slot *slot;

    if (is_out(segment, index)) return true;
    slot = &segment->shared->slots[index];
    state = task_state_of(atomic_load_explicit(&slot->word, memory_order_acquire), position);
    if (state < TASK_DONE) return false;
    if (slot->form == TASK_PARCEL) tasks->heavy = true;
    if (segment->results[index]) outcome_take(segment->results[index], slot, &segment->shared->results[index], state);
    if (atomic_load(&segment->shared->arguments[index]))
        object_drop(work_intent(), &segment->shared->arguments[index]);
    if (slot->form == TASK_PARCEL) object_drop(work_intent(), &segment->shared->results[index]);
    end_slot(tasks, segment, index);
    return true;
}

static bool note_straggler(struct tasks *tasks, uint64_t position)
{
    uint32_t room = tasks->stragglers_room ? 2 * tasks->stragglers_room : 64;
    uint64_t *grown;

    if (tasks->stragglers_count == tasks->stragglers_room) {
        if (!(grown = realloc(tasks->stragglers, room * sizeof *grown))) return false;
        tasks->stragglers = grown;
        tasks->stragglers_room = room;
    }
    tasks->stragglers[tasks->stragglers_count++] = position;
    return true;
}

void tasks_collect_next(struct tasks *tasks, bool all)
{
    uint64_t near = all ? 0 : (uint64_t)4 * TASK_RANGE * tasks->shared->workers,
             most = all ? UINT64_MAX : COLLECT_MOST;
    uint64_t head = atomic_load(&tasks->stream->head), before = head > near ? head - near : 0;
    uint32_t left = 0, count = all || tasks->tail % TASK_SEGMENT == 0 ? tasks->stragglers_count : 0;

    for (uint32_t i = 0; i < count; i++)
        if (!collect_at(tasks, tasks->stragglers[i])) tasks->stragglers[left++] = tasks->stragglers[i];
    tasks->stragglers_count -= count - left;
    for (; most > 0 && tasks->collected < tasks->tail; most--) {
        uint64_t position = tasks->collected;
        if (!collect_at(tasks, position) && (position >= before || !note_straggler(tasks, position))) return;
        tasks->collected++;
    }
}

/* ---- putting in --------------------------------------------------------------------------------- */

static uint32_t bell_of(const mproc_result *result)
{
    return result && (result->callback || result->error_callback) ? BELL_CALLBACKS : 0;
}

/*
 * The word is one more store to the slot's line: it goes with the others, before a worker that looks takes the line.
 * The fence stands between it and the look at who sleeps.
 */
static void publish_task(struct tasks *tasks, struct task_slot *slot, mproc_result *result)
{
    struct pool_shared *shared = tasks->shared;
    uint64_t timed = result && result->limits ? TASK_TIMED : 0;
    uint64_t word = task_word(tasks->tail, 0, TASK_READY) | (uint64_t)bell_of(result) << TASK_BELL_SHIFT | timed;
    bool woke;

    atomic_store_explicit(&slot->word, word, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
    tasks->tail++;
    woke = bell_ring_one(shared, POOL_TASKS);
    if (result) result->woke = woke;
}

void tasks_append(struct tasks *tasks, const struct submission *submission, mproc_result *result)
{
    struct owned_segment *segment = segment_at(tasks, tasks->tail / TASK_SEGMENT);
    uint32_t index = tasks->tail % TASK_SEGMENT;
    struct task_slot *slot = &segment->shared->slots[index];

    slot->function = submission->function;
    slot->form = (uint8_t)submission->form;
    slot->wanted = result != NULL;
    slot->size = (uint8_t)submission->size;
    slot->lost = 0;
    if (submission->form == TASK_CELLS) memcpy(slot->data, submission->cells, TASK_INLINE);
    if (submission->form == TASK_PARCEL)
        object_refer(work_intent(), atomic_load(submission->owned), &segment->shared->arguments[index], OBJECT_GIVEN);
    segment->results[index] = result;
    if (result) {
        result->position = tasks->tail;
        result->slot = slot;
        result->holders++;
        if (bell_of(result)) tasks->callbacks_due++;
        if (result->limits) limits_begin(result, submission);
    }
    publish_task(tasks, slot, result);
}

/* ---- ending ------------------------------------------------------------------------------------- */

/* By the owner, who has the slot: nobody else does anything with it any more. */
static void end_task(struct tasks *tasks, struct owned_segment *segment, uint64_t position, mproc_status status,
                     const char *text)
{
    uint32_t index = position % TASK_SEGMENT;
    mproc_result *result = segment->results[index];
    uint64_t word = atomic_exchange(&segment->shared->slots[index].word, task_word(position, 0, TASK_ENDED));

    if (result) outcome_set(result, status, text);
    object_drop(work_intent(), &segment->shared->arguments[index]);
    object_drop(work_intent(), &segment->shared->results[index]);
    end_slot(tasks, segment, index);
    atomic_fetch_add(&tasks->ended, 1);
    if (task_bell(word)) bell_tell(tasks->shared, task_bell(word));
}

bool tasks_leave(struct tasks *tasks, struct owned_segment *segment, uint64_t position, mproc_status status,
                 const char *text)
{
    uint32_t index = position % TASK_SEGMENT;
    _Atomic uint64_t *word = &segment->shared->slots[index].word;
    uint64_t seen = atomic_load(word);
    mproc_result *result = segment->results[index];

    do
        if (task_state_of(seen, position) != TASK_TAKEN) return false;
    while (!atomic_compare_exchange_weak(word, &seen, task_word(position, task_worker(seen), TASK_LEFT)));
    segment->results[index] = NULL;
    result->begun++;
    outcome_set(result, status, text);
    outcome_publish(result);
    if (task_bell(seen)) bell_tell(tasks->shared, task_bell(seen));
    return true;
}

/* Takes it from whoever would begin it. */
static bool claim(struct task_slot *slot, uint64_t position)
{
    uint64_t word = atomic_load(&slot->word);

    do
        if (task_state_of(word, position) != TASK_READY) return false;
    while (!atomic_compare_exchange_weak(&slot->word, &word,
                                         task_word(position, 0, TASK_ENDED) | (word & TASK_BELL_MASK)));
    return true;
}

const char tasks_stranded_text[] =
    "no worker of the pool is left: the last, a thread, could not enter the family, as there is no slot for one "
    "more thread, or no memory";

void tasks_take_out(mproc_result *result)
{
    struct tasks *tasks = result->tasks;
    uint64_t position = result->position;

    if (atomic_load(&result->state) == RESULT_PENDING && !collect_at(tasks, position) &&
        atomic_load(&tasks->shared->stranded) == STRANDED_UNTOLD && claim(result->slot, position))
        end_task(tasks, segment_at(tasks, position / TASK_SEGMENT), position, MPROC_LIMIT, tasks_stranded_text);
}

void tasks_collect(mproc_result *result)
{
    struct tasks *tasks = result->tasks;
    uint64_t position = result->position;

    if (result->map) return;
    plat_mutex_lock(&tasks->mutex);
    tasks_take_out(result);
    for (int i = 1; tasks->pool && i < TASKS_TURN && position + i < tasks->tail; i++)
        if (!collect_at(tasks, position + i)) break;
    plat_mutex_unlock(&tasks->mutex);
}

bool tasks_cancel(mproc_result *result, mproc_status status, const char *text)
{
    struct tasks *tasks = result->tasks;
    struct owned_segment *segment;
    bool claimed;

    if (result->map) return async_map_cancel(result, status, text);
    plat_mutex_lock(&tasks->mutex);
    claimed = atomic_load(&result->state) == RESULT_PENDING && claim(result->slot, result->position);
    segment = claimed ? segment_at(tasks, result->position / TASK_SEGMENT) : NULL;
    if (claimed) {
        result->cancelled = true;
        end_task(tasks, segment, result->position, status, text);
    }
    plat_mutex_unlock(&tasks->mutex);
    return claimed;
}

/* 0 is no word of any position. */
static uint64_t word_at(const struct tasks *tasks, uint64_t position)
{
    const struct owned_segment *segment = segment_at(tasks, position / TASK_SEGMENT);

    return segment ? atomic_load(&segment->shared->slots[position % TASK_SEGMENT].word) : 0;
}

static enum task_state state_at(const struct tasks *tasks, uint64_t position)
{
    return task_state_of(word_at(tasks, position), position);
}

/* A successor is for what the dead worker has reserved: none is needed, if all of that is begun or over. */
static void forget_range(const struct tasks *tasks, struct pool_worker *part)
{
    uint64_t from = atomic_load(&part->range_from), to = atomic_load(&part->range_to);

    for (uint64_t position = from; position < to && to - from <= TASK_RANGE; position++)
        if (state_at(tasks, position) == TASK_READY) return;
    atomic_store(&part->range_job, 0);
}

/* It is among what the dead worker has reserved, unless that had it from another, and no others in hand. */
static void reserve_again(struct pool_worker *part, uint64_t position)
{
    if (atomic_load(&part->range_job) == POOL_TASKS + 1 && atomic_load(&part->range_from) <= position &&
        position < atomic_load(&part->range_to))
        return;
    atomic_store(&part->range_job, 0);
    atomic_store(&part->range_from, position);
    atomic_store(&part->range_to, position + 1);
    atomic_store(&part->range_job, POOL_TASKS + 1);
}

/* The dead worker was in it. */
static void lose(struct tasks *tasks, struct pool_worker *part, uint64_t position, mproc_status status,
                 const char *end)
{
    struct owned_segment *segment = segment_at(tasks, position / TASK_SEGMENT);
    mproc_result *result = segment->results[position % TASK_SEGMENT];
    char text[POOL_TEXT_BYTES], times[40] = "";

    if (status == MPROC_WORKER_LOST && limits_retry(segment, position)) {
        reserve_again(part, position);
        if (log_on(MPROC_LOG_WARNING))
            log_owe(MPROC_LOG_WARNING, "%.400s while it ran a task, which is begun again", end);
        return;
    }
    if (result && ++result->begun > 1) snprintf(times, sizeof times, ", which was begun %d times", result->begun);
    snprintf(text, sizeof text, "%.400s while it ran a task%s", end, times);
    if (log_on(MPROC_LOG_WARNING) && status == MPROC_WORKER_LOST) log_owe(MPROC_LOG_WARNING, "%s", text);
    end_task(tasks, segment, position, status, text);
}

/* Its place is free for another worker: what was asked of this one is none of that one's business. */
void tasks_bury(mproc_pool *pool, uint32_t worker, mproc_status status, const char *end)
{
    struct tasks *tasks = pool->tasks;
    struct pool_worker *part = pool_worker_at(pool->shared, worker);
    uint64_t at = atomic_exchange(&part->request.at, 0), word;
    enum task_state state;

    atomic_store(&part->request.asked, 0);
    if (!tasks) return;
    plat_mutex_lock(&tasks->mutex);
    if (at_place(at) == POOL_TASKS) {
        word = word_at(tasks, at_number(at));
        state = task_state_of(word, at_number(at));
        if ((state == TASK_TAKEN || state == TASK_LEFT) && task_worker(word) == worker)
            lose(tasks, part, at_number(at), status, end);
    }
    forget_range(tasks, part);
    plat_mutex_unlock(&tasks->mutex);
}

void tasks_end_all(struct tasks *tasks, mproc_status status, const char *text)
{
    if (!tasks) return;
    plat_mutex_lock(&tasks->mutex);
    for (uint64_t number = 0; number < STREAM_SEGMENTS; number++) {
        struct owned_segment *segment = tasks->segments[number];
        for (uint32_t i = 0; segment && i < TASK_SEGMENT; i++) {
            uint64_t position = segment->number * TASK_SEGMENT + i;
            if (!claim(&segment->shared->slots[i], position)) continue;
            end_task(tasks, segment, position, status, text);
            segment = tasks->segments[number]; /* the last of it may be out */
        }
    }
    plat_mutex_unlock(&tasks->mutex);
}

static bool is_behind(const struct tasks *tasks, uint64_t position)
{
    return is_out(segment_at(tasks, position / TASK_SEGMENT), position % TASK_SEGMENT);
}

static void note_state(enum task_state state, uint64_t *begun, uint64_t *waiting)
{
    *waiting += state == TASK_READY;
    *begun += state == TASK_TAKEN || state == TASK_LEFT;
}

uint32_t tasks_pending(mproc_pool *pool, uint32_t most, uint64_t *waiting)
{
    struct tasks *tasks = pool->tasks;
    uint64_t begun = 0, position;
    uint32_t i;

    *waiting = 0;
    if (!tasks) return 0;
    plat_mutex_lock(&tasks->mutex);
    while (tasks->collected < tasks->tail && is_behind(tasks, tasks->collected)) tasks->collected++;
    for (position = tasks->tail; position > tasks->collected && begun + *waiting < most;)
        note_state(state_at(tasks, --position), &begun, waiting);
    for (i = 0; i < tasks->stragglers_count && begun + *waiting < most; i++)
        note_state(state_at(tasks, tasks->stragglers[i]), &begun, waiting);
    plat_mutex_unlock(&tasks->mutex);
    return (uint32_t)begun;
}

bool tasks_waiting(mproc_pool *pool)
{
    struct tasks *tasks = pool->tasks;
    bool waiting = false;

    if (!tasks) return false;
    plat_mutex_lock(&tasks->mutex);
    tasks_collect_next(tasks, true);
    for (uint32_t i = 0; i < tasks->stragglers_count && !waiting; i++)
        waiting = state_at(tasks, tasks->stragglers[i]) == TASK_READY;
    for (uint64_t position = tasks->collected; position < tasks->tail && !waiting; position++)
        waiting = state_at(tasks, position) == TASK_READY;
    plat_mutex_unlock(&tasks->mutex);
    return waiting;
}

void tasks_forget(mproc_result *result)
{
    struct tasks *tasks = result->tasks;
    struct owned_segment *segment = segment_at(tasks, result->position / TASK_SEGMENT);

    if (!result->map && (!segment || collect_at(tasks, result->position))) return;
    if (result->map || result->limits) result->unwanted = !bell_of(result);
    if (result->map || result->limits || bell_of(result)) return;
    segment->results[result->position % TASK_SEGMENT] = NULL;
    result->holders--;
}

/* ---- the whole ---------------------------------------------------------------------------------- */

static void free_functions(struct tasks *tasks)
{
    for (uint32_t i = 0; i < tasks->functions_count; i++) resource_release(tasks->function_blocks[i]);
    tasks->functions_count = 0;
}

static struct tasks *create(mproc_pool *pool)
{
    struct tasks *tasks = calloc(1, sizeof *tasks);
    uint64_t size = STREAM_SEGMENTS * sizeof(struct stream_entry);

    if (!tasks) return NULL;
    *tasks = (struct tasks){.arena = pool->arena, .holders = 1, .pool = pool, .shared = pool->shared};
    tasks->called_end = &tasks->called;
    tasks->segments = calloc(STREAM_SEGMENTS, sizeof(struct owned_segment *));
    if (tasks->segments && resource_take(size, size, &tasks->directory) == MPROC_OK) return tasks;
    free(tasks->segments);
    free(tasks);
    return NULL;
}

mproc_status tasks_of(mproc_pool *pool, struct tasks **out)
{
    struct tasks *tasks = NULL;
    mproc_status status;

    if ((*out = atomic_load(&pool->tasks)) != NULL) return MPROC_OK;
    plat_mutex_lock(&pool->mutex);
    if ((status = pool_check_open(pool)) != MPROC_OK || pool->tasks) goto done;
    if (!(tasks = create(pool))) {
        status = mproc_error(MPROC_NO_MEMORY, "no memory for the tasks of a pool");
    } else if ((status = job_create(pool, POOL_TASKS, JOB_TASKS, atomic_load(tasks->directory))) != MPROC_OK) {
        resource_release(tasks->directory);
        free(tasks->segments);
        free(tasks);
    } else {
        tasks->stream = &pool->jobs[POOL_TASKS]->shared->stream;
        atomic_store(&pool->tasks, tasks);
    }
done:
    *out = pool->tasks;
    plat_mutex_unlock(&pool->mutex);
    return status;
}

void tasks_unlock(struct tasks *tasks)
{
    bool last = tasks->holders == 0;

    plat_mutex_unlock(&tasks->mutex);
    if (!last) return;
    result_memory_end(&tasks->results);
    resource_release(tasks->shared_owned);
    free(tasks);
}

/* What no worker has finished, none will. */
void tasks_free(mproc_pool *pool)
{
    struct tasks *tasks = pool->tasks;

    if (!tasks) return;
    callbacks_end(tasks);
    plat_mutex_lock(&tasks->mutex);
    for (uint64_t position = tasks->collected; position < tasks->tail; position++) collect_at(tasks, position);
    for (uint32_t i = 0; i < tasks->stragglers_count; i++) collect_at(tasks, tasks->stragglers[i]);
    segments_free(tasks);
    free_functions(tasks);
    resource_release(tasks->directory);
    free(tasks->stragglers);
    tasks->pool = NULL;
    plat_mutex_unlock(&tasks->mutex);
}

void tasks_let_go(struct tasks *tasks, _Atomic uint64_t *shared_owned)
{
    plat_mutex_lock(&tasks->mutex);
    tasks->shared_owned = shared_owned;
    tasks->holders--;
    tasks_unlock(tasks);
}
