/* Maps that nobody waits for. */
#include "pool/async_map.h"

#include <stdlib.h>

#include "base/options.h"
#include "object/wait.h"
#include "pool/bell.h"
#include "pool/outcome.h"
#include "pool/thread.h"
#include "process/family.h"

#define THREADS_MAX (POOL_JOBS - 1)
/* The number of the map that a thread is at: each has one at a time. */
#define AT_MAP 1

/*
 * Its result has the slot, as if it were a task's. Who stops it asks the thread that runs it, by `request`.
 */
struct async_map {
    struct task_slot slot;
    struct stop_request request;
    mproc_result *result;
    struct async_map *next;
    bool over_values;
    struct map map;
    struct values_map values_map;
    mproc_value kept; /* a copy of the arguments, or of the items */
};

struct map_thread {
    struct pool_thread thread;
    mproc_pool *pool;
    struct map_thread *next;
};

mproc_status async_map_refuse_callbacks(void)
{
    return mproc_error(MPROC_INVALID, "a map that its caller waits for has no callbacks: they are for "
                                      "mproc_pool_map_async() and its like");
}

mproc_status async_map_stopped(void)
{
    return mproc_error(MPROC_CANCELLED, "the map was stopped");
}

mproc_status async_map_check_waiter(const struct async_map *map)
{
    if (thread_self.request != &map->request) return MPROC_OK;
    return mproc_error(MPROC_BAD_STATE, "a progress callback is about to wait for its own map, for ever");
}

void async_map_free(struct async_map *map)
{
    if (!map) return;
    for (size_t i = 0; map->values_map.values && i < map->kept.count; i++)
        mproc_value_clear(&map->values_map.values[i]);
    free(map->values_map.values);
    mproc_value_clear(&map->kept);
    free(map);
}

mproc_value async_map_view(const struct async_map *map)
{
    return map->over_values ? mproc_list_from(map->values_map.values, map->kept.count) : mproc_nil();
}

/* Of a map that was not begun, and never is. */
static void write_statuses(const struct async_map *map, mproc_status status)
{
    mproc_status *statuses = map->over_values ? map->values_map.options.statuses : map->map.statuses;
    size_t count = map->over_values ? map->values_map.items.count : map->map.count;

    for (size_t i = 0; statuses && i < count; i++) statuses[i] = status;
}

/* ---- running -------------------------------------------------------------------------------------- */

static mproc_status run(struct async_map *map)
{
    if (map->over_values) return values_map_run(&map->values_map);
    return map_run(&map->map);
}

/* In the thread that runs maps: who stops this one interrupts that. */
static void run_interruptibly(struct async_map *map)
{
    mproc_result *result = map->result;
    mproc_status status;

    thread_self.request_seen = 0;
    atomic_store(&map->request.at, AT_MAP);
    thread_self.request = &map->request;
    status = run(map);
    thread_self.request = NULL;
    outcome_of_map(result, status, status == MPROC_OK ? "" : mproc_error_text(status));
}

/* Under the pool's mutex. The maps that are not begun, without this one. */
static bool unlink_map(struct async_maps *maps, struct async_map *map)
{
    struct async_map **at = &maps->first;

    while (*at && *at != map) at = &(*at)->next;
    if (!*at) return false;
    if (!(*at = map->next)) maps->end = at;
    maps->waiting--;
    return true;
}

/* The first that is not begun; it is now. NULL: there is none. */
static struct async_map *take(mproc_pool *pool)
{
    struct async_maps *maps = &pool->maps;
    struct async_map *map;

    plat_mutex_lock(&pool->mutex);
    if ((map = maps->first) != NULL) {
        unlink_map(maps, map);
        maps->idle--;
        atomic_fetch_add(&map->slot.word, TASK_TAKEN - TASK_READY);
    }
    plat_mutex_unlock(&pool->mutex);
    return map;
}

/*
 * Under the pool's mutex: one is finished, or cancelled. The pool may end now, if it is closed, and may be freed when
 * the mutex is free.
 */
static void count_out(mproc_pool *pool)
{
    pool->maps.unfinished--;
    atomic_fetch_sub(&pool->shared->busy, 1);
    if (atomic_load(&pool->shared->state) != POOL_OPEN) bell_ring_all(pool->shared);
    bell_tell(pool->shared, BELL_CALLED);
}

static void run_maps(void *context)
{
    struct map_thread *self = context;
    mproc_pool *pool = self->pool;
    _Atomic uint32_t *bell = &pool->shared->bells[BELL_MAPS];
    struct async_map *map;

    thread_self.requests_alone = true;
    for (;;) {
        uint32_t seen = atomic_load(bell);
        if ((map = take(pool)) != NULL) {
            run_interruptibly(map);
            plat_mutex_lock(&pool->mutex);
            pool->maps.idle++;
            count_out(pool);
            plat_mutex_unlock(&pool->mutex);
        } else if (atomic_load(&self->thread.ends)) {
            return;
        } else {
            wait_on(bell, seen, PLAT_FOREVER);
        }
    }
}

/* One more. MPROC_LIMIT, MPROC_NO_MEMORY. */
static mproc_status start_thread(mproc_pool *pool)
{
    struct map_thread *thread = calloc(1, sizeof *thread);
    mproc_status status;

    if (!thread) return mproc_error(MPROC_NO_MEMORY, "no memory for a thread that runs maps");
    thread->pool = pool;
    status = pool_thread_start(&thread->thread, run_maps, thread, "a thread that runs maps");
    if (status != MPROC_OK) {
        free(thread);
        return status;
    }
    plat_mutex_lock(&pool->mutex);
    thread->next = pool->maps.threads;
    pool->maps.threads = thread;
    pool->maps.count++;
    pool->maps.idle++;
    plat_mutex_unlock(&pool->mutex);
    return MPROC_OK;
}

/* ---- submitting ----------------------------------------------------------------------------------- */

/* A close that comes later waits for it. Whoever is told of its end finds `*out` written. */
static mproc_status append(mproc_pool *pool, struct async_map *map, mproc_result **out)
{
    struct async_maps *maps = &pool->maps;
    mproc_status status;

    plat_mutex_lock(&pool->mutex);
    if ((status = pool_check_open(pool)) == MPROC_OK) {
        if (!maps->first) maps->end = &maps->first;
        *maps->end = map;
        maps->end = &map->next;
        maps->waiting++;
        maps->unfinished++;
        if (out) *out = map->result;
        atomic_fetch_add(&pool->shared->busy, 1);
    }
    plat_mutex_unlock(&pool->mutex);
    return status;
}

static bool has_threads(mproc_pool *pool)
{
    bool any;

    plat_mutex_lock(&pool->mutex);
    any = pool->maps.count > 0;
    plat_mutex_unlock(&pool->mutex);
    return any;
}

static bool wants_thread(mproc_pool *pool)
{
    bool wanted;

    plat_mutex_lock(&pool->mutex);
    wanted = (int64_t)pool->maps.waiting > pool->maps.idle && pool->maps.count < THREADS_MAX;
    plat_mutex_unlock(&pool->mutex);
    return wanted;
}

static mproc_status create_result(mproc_pool *pool, struct async_map *map, mproc_value_callback *callback,
                                  mproc_error_callback *error_callback, void *context)
{
    struct tasks *tasks;
    mproc_result *result;
    mproc_status status;

    if ((status = tasks_of(pool, &tasks)) != MPROC_OK) return status;
    if ((callback || error_callback) && (status = callbacks_start(tasks)) != MPROC_OK) return status;
    plat_mutex_lock(&tasks->mutex);
    result = map->result = outcome_create(tasks);
    plat_mutex_unlock(&tasks->mutex);
    if (!result) return mproc_error(MPROC_NO_MEMORY, "no memory for a result");
    result->slot = &map->slot;
    result->map = map;
    result->callback = callback;
    result->error_callback = error_callback;
    result->context = context;
    return MPROC_OK;
}

/* The tasks and, if `wanted`, the program hold the result. */
static void enter_result(mproc_result *result, bool wanted)
{
    struct tasks *tasks = result->tasks;
    bool called = result->callback || result->error_callback;

    plat_mutex_lock(&tasks->mutex);
    result->holders = wanted ? 2 : 1;
    result->unwanted = !wanted && !called;
    if (called) tasks->callbacks_due++;
    atomic_store(&result->slot->word,
                 task_word(0, 0, TASK_READY) | (called ? (uint64_t)BELL_CALLBACKS << TASK_BELL_SHIFT : 0));
    plat_mutex_unlock(&tasks->mutex);
}

/* As if it had never been there. The map stays. */
static void withdraw_result(mproc_result *result)
{
    struct tasks *tasks = result->tasks;

    plat_mutex_lock(&tasks->mutex);
    if (result->holders > 0 && (result->callback || result->error_callback)) {
        tasks->callbacks_due--;
        bell_tell(tasks->shared, BELL_CALLED);
    }
    tasks->holders--;
    result_memory_give(&tasks->results, result);
    plat_mutex_unlock(&tasks->mutex);
}

/* The map is the pool's from here on, unless this fails. */
static mproc_status submit(mproc_pool *pool, struct async_map *map, mproc_result **out)
{
    mproc_result *result = map->result;
    mproc_status status = MPROC_OK;

    if (!has_threads(pool)) status = start_thread(pool);
    if (status != MPROC_OK) {
        withdraw_result(result);
        return status;
    }
    enter_result(result, out != NULL);
    if ((status = append(pool, map, out)) != MPROC_OK) {
        withdraw_result(result);
        return status;
    }
    /* Without one more it waits until another map is finished. */
    if (wants_thread(pool)) (void)!start_thread(pool);
    bell_tell(pool->shared, BELL_MAPS);
    return MPROC_OK;
}

static struct async_map *create(mproc_pool *pool)
{
    struct async_map *map = calloc(1, sizeof *map);

    if (!map) return NULL;
    map->map.pool = map->values_map.pool = pool;
    map->map.admitted = map->values_map.admitted = true;
    atomic_store(&map->values_map.grace_ms, GRACE_OF_POOL);
    return map;
}

mproc_status mproc_pool_map_async_sized(mproc_pool *pool, const struct mproc_map_request *request,
                                        const mproc_map_options *options, size_t options_size, mproc_result **out)
{
    mproc_map_options all;
    struct async_map *map;
    mproc_status status;

    assert(pool && request);
    options_read(&all, sizeof all, options, options_size);
    if (!(map = create(pool))) return mproc_error(MPROC_NO_MEMORY, "no memory for a map");
    if ((status = map_prepare(&map->map, request, &all)) != MPROC_OK) goto failed;
    if ((status = mproc_value_copy(all.args, &map->kept)) != MPROC_OK) goto failed;
    map->map.args = map->kept;
    status = create_result(pool, map, all.callback, all.error_callback, all.context);
    if (status == MPROC_OK && (status = submit(pool, map, out)) == MPROC_OK) return MPROC_OK;
failed:
    write_statuses(map, status);
    async_map_free(map);
    return status;
}

static mproc_status check_values(const mproc_pool *pool, mproc_function *function, const mproc_value *items,
                                 int64_t retries)
{
    mproc_status status;

    if (!function) return mproc_error(MPROC_INVALID, "a map needs a function, and was given NULL");
    if (!items->as.items && items->count > 0)
        return mproc_error(MPROC_INVALID, "%zu values to map over at no address", (size_t)items->count);
    if ((status = pool_check_retries(retries)) != MPROC_OK) return status;
    return family_enter_with(pool->arena);
}

mproc_status mproc_pool_map_values_async_sized(mproc_pool *pool, mproc_function *function, const mproc_value *items,
                                               size_t count, const mproc_values_options *options, size_t options_size,
                                               mproc_result **out)
{
    struct async_map *map;
    struct values_map *values_map;
    mproc_status status;

    assert(pool);
    if (!(map = create(pool))) return mproc_error(MPROC_NO_MEMORY, "no memory for a map");
    values_map = &map->values_map;
    map->over_values = true;
    options_read(&values_map->options, sizeof values_map->options, options, options_size);
    values_map->items = mproc_list_from(items, count);
    status = check_values(pool, function, &values_map->items, values_map->options.retries);
    if (status != MPROC_OK) goto failed;
    if ((status = progress_check(values_map->options.progress_per_second)) != MPROC_OK) goto failed;
    if ((status = mproc_value_copy(values_map->items, &map->kept)) != MPROC_OK) goto failed;
    values_map->function = function;
    values_map->values = calloc(count > 0 ? count : 1, sizeof *values_map->values);
    if (!values_map->values) {
        status = mproc_error(MPROC_NO_MEMORY, "no memory for %zu values", count);
        goto failed;
    }
    values_map->items = map->kept;
    status = create_result(pool, map, values_map->options.callback, values_map->options.error_callback,
                           values_map->options.context);
    if (status == MPROC_OK && (status = submit(pool, map, out)) == MPROC_OK) return MPROC_OK;
failed:
    write_statuses(map, status);
    async_map_free(map);
    return status;
}

/* ---- ending --------------------------------------------------------------------------------------- */

bool async_map_cancel(mproc_result *result, mproc_status status, const char *text)
{
    mproc_pool *pool = result->tasks->pool;
    bool unlinked;

    if (atomic_load(&result->state) != RESULT_PENDING || !pool) return false;
    plat_mutex_lock(&pool->mutex);
    if ((unlinked = unlink_map(&pool->maps, result->map))) {
        write_statuses(result->map, status);
        result->cancelled = true;
        outcome_of_map(result, status, text);
        count_out(pool);
    }
    plat_mutex_unlock(&pool->mutex);
    return unlinked;
}

/* Under the pool's mutex. Of several graces the shortest counts. */
static void shorten(_Atomic int64_t *grace_ms, int64_t asked_ms)
{
    int64_t before_ms = atomic_load(grace_ms);

    if (before_ms == GRACE_OF_POOL || asked_ms < before_ms) atomic_store(grace_ms, asked_ms);
}

mproc_status async_map_stop(mproc_result *result, int64_t grace_ms)
{
    struct async_map *map = result->map;
    mproc_pool *pool = result->tasks->pool;

    if (atomic_load(&result->state) != RESULT_PENDING)
        return mproc_error(MPROC_BAD_STATE, "the map cannot be stopped any more: it is finished");
    plat_mutex_lock(&pool->mutex);
    shorten(&map->map.grace_ms, grace_ms);
    shorten(&map->values_map.grace_ms, grace_ms);
    atomic_store(&map->request.asked, AT_MAP);
    if (map->map.job && map->map.job->leaves) map_leave_by(&map->map);
    plat_mutex_unlock(&pool->mutex);
    interrupt_wake(family.process);
    pool_alarm(pool->shared);
    return MPROC_OK;
}

mproc_status async_maps_wait(mproc_pool *pool, int64_t deadline_ns)
{
    return bell_wait_for_none(&pool->shared->bells[BELL_CALLED], &pool->mutex, &pool->maps.unfinished, deadline_ns,
                              "maps of the pool are not finished");
}

static void ring(void *context)
{
    const struct map_thread *thread = context;

    bell_tell(thread->pool->shared, BELL_MAPS);
}

void async_maps_end(mproc_pool *pool)
{
    struct map_thread *thread;

    for (;;) {
        plat_mutex_lock(&pool->mutex);
        if ((thread = pool->maps.threads) != NULL) pool->maps.threads = thread->next;
        plat_mutex_unlock(&pool->mutex);
        if (!thread) return;
        pool_thread_end(&thread->thread, ring);
        free(thread);
    }
}
