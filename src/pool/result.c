/* What a program does with results. */
#include "pool/result.h"

#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "object/parcel.h"
#include "object/wait.h"
#include "pool/async_map.h"
#include "pool/bell.h"
#include "pool/keeper.h"
#include "pool/limits.h"
#include "pool/outcome.h"
#include "pool/workers.h"
#include "process/arguments.h"
#include "process/family.h"

/* A task that is begun at once, by a worker that spins, is often finished by then. */
#define SPIN_NS ((int64_t)20000)
#define SPIN_PAUSES 32
/*
 * Whoever looks at a slot takes the cache line from the worker. So the first look comes when the task is likely to be
 * finished: a little earlier after each time that it was, and later after each time that it was not, in 1/16 pauses.
 */
#define PATIENCE_UNIT 16u
#define PATIENCE_LEAST (2 * PATIENCE_UNIT)
#define PATIENCE_MOST (16 * PATIENCE_UNIT)
#define PATIENCE_STEP 8

/* What spinning has been good for: up by one with each success, down by one with each failure; see pays_to_spin(). */
#define LUCK_MOST 8
#define LUCK_REST 32

static bool is_known(const mproc_result *result)
{
    return atomic_load_explicit(&result->state, memory_order_acquire) != RESULT_PENDING;
}

/* What the slot says, of one that is not known; TASK_EMPTY of one that is. */
static enum task_state state_at(const mproc_result *result)
{
    if (is_known(result)) return TASK_EMPTY;
    return task_state_of(atomic_load_explicit(&result->slot->word, memory_order_acquire), result->position);
}

/* If it is just being taken out of its slot, the result is known when the mutex is free. */
enum task_state result_state(const mproc_result *result)
{
    struct tasks *tasks = result->tasks;
    enum task_state state;

    if (!is_known(result)) {
        state = task_state_of(atomic_load_explicit(&result->slot->word, memory_order_acquire), result->position);
        if (state == TASK_READY && !result->map && atomic_load(&tasks->shared->stranded) == STRANDED_UNTOLD)
            return TASK_FAILED;
        if (state != TASK_EMPTY && state != TASK_LEFT && state != TASK_ENDED) return state;
        plat_mutex_lock(&tasks->mutex);
        plat_mutex_unlock(&tasks->mutex);
    }
    return atomic_load(&result->state) == RESULT_DONE ? TASK_DONE : TASK_FAILED;
}

bool result_is_over(const mproc_result *result)
{
    enum task_state state = result_state(result);

    return state != TASK_READY && state != TASK_TAKEN;
}

/* Whether it is over at the first look, or soon after it. */
static bool look_first(const mproc_result *result)
{
    _Atomic uint32_t *patience = &result->tasks->patience;
    uint32_t before = atomic_load_explicit(patience, memory_order_relaxed);

    for (uint32_t i = 0; i < before / PATIENCE_UNIT; i++) plat_thread_pause();
    if (result_is_over(result)) {
        if (before > PATIENCE_LEAST) atomic_store_explicit(patience, before - 1, memory_order_relaxed);
        return true;
    }
    for (int i = 0; i < SPIN_PAUSES; i++) {
        plat_thread_pause();
        if (!result_is_over(result)) continue;
        if (before < PATIENCE_MOST) atomic_store_explicit(patience, before + PATIENCE_STEP, memory_order_relaxed);
        return true;
    }
    return false;
}

static bool is_cpu_left(const struct pool_shared *shared)
{
    uint32_t workers = atomic_load(&shared->limit), awake = 0;

    for (uint32_t i = 0; i < workers && awake < arena_header->cpus; i++)
        if (!atomic_load_explicit(&pool_worker_at(shared, i)->asleep, memory_order_relaxed)) awake++;
    return awake < arena_header->cpus;
}

/*
 * Without a CPU of its own, who spins takes that of a worker. It pays if most tasks are finished meanwhile, and is
 * tried once more when LUCK_REST waits have gone by without.
 */
static bool pays_to_spin(const mproc_result *result)
{
    _Atomic int32_t *luck = &result->tasks->luck;
    int32_t before = atomic_load_explicit(luck, memory_order_relaxed);

    if (before >= 0 || is_cpu_left(result->tasks->shared)) return true;
    atomic_store_explicit(luck, before + 1, memory_order_relaxed);
    return false;
}

static void note_luck(const mproc_result *result, bool over)
{
    _Atomic int32_t *luck = &result->tasks->luck;
    int32_t before = atomic_load_explicit(luck, memory_order_relaxed), now = over ? before + 1 : before - 1;

    if (before == 0 && !over) now = -LUCK_REST;
    if (now <= LUCK_MOST) atomic_store_explicit(luck, now, memory_order_relaxed);
}

static void spin(const mproc_result *result)
{
    bool over = false;
    int64_t until_ns;

    if (result->woke || arena_header->cpus < 2 || !pays_to_spin(result) || look_first(result)) return;
    until_ns = plat_clock_now_ns() + SPIN_NS;
    do {
        for (int i = 0; i < SPIN_PAUSES && !(over = result_is_over(result)); i++) plat_thread_pause();
    } while (!over && plat_clock_now_ns() < until_ns);
    note_luck(result, over);
}

uint32_t result_bell(void)
{
    return 1 + thread_self.index % (BELL_MAPS - 1);
}

/* False: it does not wait for anything any more. */
static bool announce(const mproc_result *result, uint32_t bell)
{
    _Atomic uint64_t *word = &result->slot->word;
    uint64_t seen = atomic_load(word), bells;

    do {
        enum task_state state = task_state_of(seen, result->position);
        if (state != TASK_READY && state != TASK_TAKEN) return false;
        if (task_bell(seen) == bell || task_bell(seen) == BELL_ALL) return true;
        bells = task_bell(seen) ? BELL_ALL : bell;
    } while (!atomic_compare_exchange_weak(word, &seen, (seen & ~TASK_BELL_MASK) | bells << TASK_BELL_SHIFT));
    return true;
}

/* In the mutex, as the slot may go with the pool. */
bool result_announce(const mproc_result *result, uint32_t bell)
{
    struct tasks *tasks = result->tasks;
    bool announced;

    plat_mutex_lock(&tasks->mutex);
    announced = !is_known(result) && announce(result, bell);
    plat_mutex_unlock(&tasks->mutex);
    return announced;
}

mproc_status result_wait_until_over(mproc_result *result, struct wait *wait)
{
    uint32_t bell = result_bell();
    _Atomic uint32_t *word = &result->tasks->shared->bells[bell];
    mproc_status status = worker_check_waiter(result->tasks->shared);

    if (status == MPROC_OK && result->map) status = async_map_check_waiter(result->map);

    spin(result);
    while (status == MPROC_OK) {
        uint32_t seen = atomic_load(word);
        if (result_is_over(result) || !result_announce(result, bell)) break;
        status = wait_sleep(wait, word, seen);
    }
    if (status == MPROC_TIMEOUT && result_is_over(result)) return MPROC_OK;
    return status == MPROC_TIMEOUT ? wait_timed_out(wait, "the task is not finished") : status;
}

mproc_status mproc_result_wait(mproc_result *result, int64_t timeout_ms)
{
    struct wait wait;
    mproc_status status;

    assert(result);
    if ((status = family_enter_with(result->tasks->arena)) != MPROC_OK) return status;
    if (timeout_ms >= 0 && is_known(result)) return MPROC_OK;
    if ((status = wait_begin(&wait, NULL, timeout_ms)) != MPROC_OK) return status;
    if (result_is_over(result)) return MPROC_OK;
    if (timeout_ms == 0) return wait_tried("the task is not finished");
    return result_wait_until_over(result, &wait);
}

/* ---- together with other things ------------------------------------------------------------------ */

static mproc_status look(void *thing, plat_handle *handle)
{
    const mproc_result *result = thing;
    mproc_status status;

    if ((status = family_enter_with(result->tasks->arena)) != MPROC_OK) return status;
    *handle = PLAT_NO_HANDLE;
    if (result_is_over(result)) return MPROC_OK;
    return worker_check_waiter(result->tasks->shared) == MPROC_OK ? MPROC_TIMEOUT : MPROC_BAD_STATE;
}

static mproc_status watch(void *thing)
{
    const mproc_result *result = thing;
    uint32_t bell = result_bell();

    park_watch(&result->tasks->shared->bells[bell]);
    result_announce(result, bell);
    return MPROC_OK;
}

const struct waitable result_waitable = {.name = "a result", .look = look, .announce = watch};

/* ---- what became of it ---------------------------------------------------------------------------- */

mproc_value result_view(const mproc_result *result)
{
    if (result->owned) return encoding_view(parcel_data(parcel_at(atomic_load(result->owned))));
    if (result->map) return async_map_view(result->map);
    return result->size > 0 ? cell_view((const struct cell *)result->cells) : mproc_nil();
}

mproc_status mproc_result_get(mproc_result *result, mproc_value *value, int64_t timeout_ms)
{
    mproc_status status;

    do { /* once more, where workers have come back after all */
        if ((status = mproc_result_wait(result, timeout_ms)) != MPROC_OK) return status;
        if (!is_known(result)) tasks_collect(result);
    } while (!is_known(result));
    if (result->status != MPROC_OK)
        return mproc_error(result->status, "%s", result->text ? result->text : mproc_status_text(result->status));
    if (value) *value = result_view(result);
    return MPROC_OK;
}

bool mproc_result_ready(mproc_result *result)
{
    assert(result);
    return family_enter_with(result->tasks->arena) == MPROC_OK && result_is_over(result);
}

bool mproc_result_successful(mproc_result *result)
{
    assert(result);
    return family_enter_with(result->tasks->arena) == MPROC_OK && result_state(result) == TASK_DONE;
}

bool mproc_result_running(mproc_result *result)
{
    assert(result);
    return family_enter_with(result->tasks->arena) == MPROC_OK && result_state(result) == TASK_TAKEN;
}

bool mproc_result_cancelled(mproc_result *result)
{
    assert(result);
    return family_enter_with(result->tasks->arena) == MPROC_OK && is_known(result) && result->cancelled;
}

/* In the mutex, as one that is just lost is counted there. */
int mproc_result_attempts(mproc_result *result)
{
    struct tasks *tasks;
    int begun;

    assert(result);
    tasks = result->tasks;
    if (family_enter_with(tasks->arena) != MPROC_OK) return 0;
    plat_mutex_lock(&tasks->mutex);
    begun = result->begun + (state_at(result) > TASK_READY);
    plat_mutex_unlock(&tasks->mutex);
    return begun;
}

mproc_status mproc_result_cancel(mproc_result *result)
{
    struct tasks *tasks;
    mproc_status status;
    bool done;

    assert(result);
    tasks = result->tasks;
    if ((status = family_enter_with(tasks->arena)) != MPROC_OK) return status;
    done = tasks_cancel(result, MPROC_CANCELLED, "the task was cancelled before it was begun");
    if (done || (is_known(result) && result->cancelled)) return MPROC_OK;
    return mproc_error(MPROC_BAD_STATE, "the task cannot be cancelled any more: it %s",
                       result_is_over(result) ? "is finished" : "has been begun");
}

/*
 * Registers it with the keeper, which asks, and ends it in time. Under the mutex of the tasks. MPROC_TIMEOUT: it was
 * lost with its worker, and waits to be begun again.
 */
static mproc_status stop_by(mproc_result *result, int64_t by_ns)
{
    enum task_state state = state_at(result);
    mproc_status status;

    if (state == TASK_READY) return MPROC_TIMEOUT;
    if (state != TASK_TAKEN)
        return mproc_error(MPROC_BAD_STATE, "the task cannot be stopped any more: it is finished");
    if ((status = limits_create(result)) != MPROC_OK) return status;
    if (!result->limits->stops || by_ns < result->limits->stop_by_ns) result->limits->stop_by_ns = by_ns;
    result->limits->stops = true;
    return MPROC_OK;
}

mproc_status mproc_result_stop(mproc_result *result, int64_t grace_ms)
{
    struct tasks *tasks;
    mproc_pool *pool;
    int64_t by_ns;
    mproc_status status;

    assert(result);
    tasks = result->tasks;
    if ((status = deadline_from_timeout(grace_ms, &by_ns)) != MPROC_OK) return status;
    if ((status = family_enter_with(tasks->arena)) != MPROC_OK) return status;
    do {
        if (tasks_cancel(result, MPROC_CANCELLED, "the task was stopped before it was begun")) return MPROC_OK;
        if (result->map) return async_map_stop(result, grace_ms);
        plat_mutex_lock(&tasks->mutex);
        pool = is_known(result) ? NULL : tasks->pool;
        plat_mutex_unlock(&tasks->mutex);
        if (pool && (status = keeper_start(pool)) != MPROC_OK) return status;
        plat_mutex_lock(&tasks->mutex);
        status = stop_by(result, by_ns);
        plat_mutex_unlock(&tasks->mutex);
    } while (status == MPROC_TIMEOUT);
    if (status == MPROC_OK) keeper_ring(pool);
    return status;
}

/* Of what a fork() copy has nothing but the memory is given back. */
void mproc_result_free(mproc_result *result)
{
    struct tasks *tasks;

    if (!result) return;
    tasks = result->tasks;
    if (family_enter_with(tasks->arena) != MPROC_OK) return;
    waitable_ends(result, true);
    plat_mutex_lock(&tasks->mutex);
    if (!is_known(result)) tasks_forget(result);
    outcome_put(result);
    tasks_unlock(tasks);
}

/* In one turn of the mutex: nobody else knows the result, and what apply() runs mostly returns a number. */
bool result_end(mproc_result *result, mproc_value *value)
{
    struct tasks *tasks = result->tasks;
    mproc_value view = mproc_nil();
    bool plain;

    plat_mutex_lock(&tasks->mutex);
    tasks_take_out(result);
    plain = is_known(result) && result->status == MPROC_OK && !result->owned;
    if (plain) view = result_view(result);
    plain = plain && view.type < MPROC_TYPE_STRING;
    view.form = VALUE_BORROWED;
    if (plain && value) *value = view;
    if (plain) outcome_put(result);
    tasks_unlock(tasks);
    return plain;
}

/* ---- values that outlive their results ------------------------------------------------------------ */

/* The memory of the value begins with what keeps its objects, see struct parcel_keeper. */
mproc_status result_take_value(mproc_result *result, mproc_value *value)
{
    const struct parcel *parcel = result->owned ? parcel_at(atomic_load(result->owned)) : NULL;
    size_t size = parcel ? (size_t)parcel->size : ENCODING_ROOT + sizeof result->cells;
    size_t before = parcel && parcel->links > 1 ? sizeof(struct parcel_keeper) : 0;
    mproc_value view = result_view(result);
    unsigned char *memory;
    uint32_t objects;
    mproc_status status;

    if (view.type < MPROC_TYPE_STRING) {
        view.form = VALUE_BORROWED;
        *value = view;
        return MPROC_OK;
    }
    if (!(memory = malloc(before + size)))
        return mproc_error(MPROC_NO_MEMORY, "no memory for a result of %zu bytes", size);
    if ((status = encoding_write(&view, memory + before, size, &size, &objects)) != MPROC_OK) {
        free(memory);
        return status;
    }
    if (before > 0) {
        ((struct encoding_header *)(void *)(memory + before))->before = (uint32_t)before;
        *(struct parcel_keeper *)(void *)memory =
            (struct parcel_keeper){.owned = result->owned, .arena = thread_self.arena};
        result->owned = NULL;
    }
    *value = encoding_owned(memory + before);
    return MPROC_OK;
}
