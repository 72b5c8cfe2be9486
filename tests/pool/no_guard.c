/*
 * A program that has forgotten its guard, and names itself as the executable of its workers: they run main() again.
 * What pools make of it is checked here, and the exit code says whether it was right.
 *
 *     pool_no_guard returns|faults      what main() does in a worker, which may not have a pool
 */
#include <stdlib.h>

#include "check_os.h"
#include "pool_fixture.h"

enum { WORKERS = 3, WORKER_CODE = 5 };

static mproc_status copy(const void *item, void *result, mproc_call *call)
{
    (void)call;
    memcpy(result, item, sizeof(int));
    return MPROC_OK;
}

/* The number in the name of the worker that the text speaks of: so many were started. */
static int number_of_worker(const char *text)
{
    const char *name = strstr(text, "PoolWorker-");

    return name ? atoi(name + strlen("PoolWorker-")) : -1;
}

static int fail(const char *what, mproc_status status)
{
    fprintf(stderr, "%s: %s: %s\n", what, mproc_status_name(status), mproc_last_error_text());
    return 1;
}

static int map_again(mproc_pool *pool, mproc_status expected, const char *part, int workers)
{
    int items[100] = {0}, results[100];
    mproc_status status = mproc_pool_map(pool, copy, items, sizeof items[0], results, sizeof results[0], 100, NULL);

    if (status != expected) return fail("map", status);
    if (!strstr(mproc_last_error_text(), part)) return fail("another text", status);
    if (number_of_worker(mproc_last_error_text()) > workers) return fail("too many workers", status);
    return 0;
}

/* Those that had begun when the pool gave up end by themselves, sooner or later. */
static void await_no_worker(const mproc_pool *pool)
{
    int64_t end_ms = check_now_ms() + check_limit_ms();

    while (mproc_pool_pids(pool, NULL, 0) != 0 && check_now_ms() < end_ms) mproc_sleep_ms(10);
}

/* A moment in which nothing must happen, then the same again. */
static int check_maps(mproc_pool *pool, bool faults)
{
    /* A worker without a guard is known by the first that ends; any other end may be an accident, eight are none. */
    mproc_status expected = faults ? MPROC_WORKER_LOST : MPROC_NO_GUARD;
    const char *part = faults ? "8 workers in a row ended before they were ready" : "mproc_main_guard()";
    /* Creation and each map give those that fault a new chance; all eight may be over before the first map begins. */
    int first = faults ? 2 * (WORKERS + 8) : WORKERS, second = faults ? 3 * (WORKERS + 8) : WORKERS;

    if (map_again(pool, expected, part, first) != 0) return 1;
    if (mproc_pool_pids(pool, NULL, 0) > WORKERS) return fail("more workers than asked for", MPROC_OK);
    await_no_worker(pool);
    mproc_sleep_ms(300);
    if (mproc_pool_pids(pool, NULL, 0) != 0) return fail("a worker is left", MPROC_OK);
    return map_again(pool, expected, part, second);
}

/* Volatile, so that the compiler does not see what is about to happen. */
static volatile uintptr_t nowhere = 8;

static void fault(void)
{
    check_os_quiet();
    os_fault_as_usual();
    *(volatile int *)nowhere = 1;
}

int main(int argc, char **argv)
{
    bool faults = argc == 2 && strcmp(argv[1], "faults") == 0;
    mproc_pool *pool;
    mproc_status status;
    int code;

    /* Without it the first process is told at once, and nothing is started. */
    if (!mproc_parent_process() &&
        mproc_pool_create(&(mproc_pool_options){.workers = WORKERS}, &pool) != MPROC_NO_GUARD)
        return fail("create without a guard", MPROC_OK);
    mproc_check(mproc_set_executable(argv[0]));
    status = mproc_pool_create(&(mproc_pool_options){.workers = WORKERS}, &pool);

    if (status == MPROC_NO_GUARD) {
        if (!strstr(mproc_last_error_text(), "mproc_main_guard()")) return fail("another text", status);
        if (faults) fault();
        return WORKER_CODE;
    }
    if (status != MPROC_OK) return fail("create", status);
    code = check_maps(pool, faults);
    mproc_pool_free(pool);
    return code;
}
