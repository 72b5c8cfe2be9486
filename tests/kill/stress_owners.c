/*
 * A stress over the owners of pools: each gives its workers tasks that return texts and an event, and is killed at
 * random. Its workers end with it, and nothing is left of what was under way: neither memory nor handles of the
 * event.
 */
#include "stress.h"

#include "check.h"
#include "object/recovery.h"
#include "object/reference.h"
#include "process/family.h"

#include <mproc/mproc.h>

#include <stdio.h>
#include <string.h>

#define PROCESSES 3
#define WORKERS 2
#define TASKS 24
#define TEXT_BYTES 20480
#define FAILED (MPROC_USER + 1)

enum kind { SQUARE, TEXT, EVENT, FAIL, KINDS };

struct board {
    _Atomic uint64_t event;
    _Atomic uint32_t stop;
    struct stress_wrong wrong;
    _Atomic uint32_t rounds[STRESS_LIVES_MAX];
};

static struct board *board;
static mproc_event *event;
static char text[TEXT_BYTES + 1];

/* ---- tasks ---------------------------------------------------------------------------------------- */

static mproc_status square(mproc_call *call)
{
    uint64_t number;

    MPROC_TRY(mproc_unpack(call, &number));
    return mproc_call_return(call, MPROC_VALUE(number * number));
}

static mproc_status send_text_back(mproc_call *call)
{
    const char *its;
    uint64_t number;

    MPROC_TRY(mproc_unpack(call, &number, &its));
    return mproc_call_return(call, MPROC_LIST(number, its));
}

static mproc_status send_event_back(mproc_call *call)
{
    mproc_event *its;
    uint64_t number;

    MPROC_TRY(mproc_unpack(call, &number, &its));
    return mproc_call_return(call, MPROC_LIST(number, its));
}

static mproc_status fail(mproc_call *call)
{
    uint64_t number;

    MPROC_TRY(mproc_unpack(call, &number));
    return mproc_error(FAILED, "no stock of %llu", (unsigned long long)number);
}

/* ---- an owner ------------------------------------------------------------------------------------- */

static mproc_status submit(mproc_pool *pool, uint64_t number, mproc_result **result)
{
    switch (number % KINDS) {
    case TEXT:
        return mproc_pool_apply_async(pool, send_text_back, MPROC_ARGS(number, text), NULL, result);
    case EVENT:
        return mproc_pool_apply_async(pool, send_event_back, MPROC_ARGS(number, event), NULL, result);
    case FAIL:
        return mproc_pool_apply_async(pool, fail, MPROC_ARGS(number), NULL, result);
    default:
        return mproc_pool_apply_async(pool, square, MPROC_ARGS(number), NULL, result);
    }
}

static void judge(uint64_t number, mproc_result *result)
{
    mproc_value value;
    mproc_status status = mproc_result_get(result, &value, check_limit_ms());
    bool pair = number % KINDS == TEXT || number % KINDS == EVENT;
    uint64_t returned = 0;

    EXPECT(status == (number % KINDS == FAIL ? FAILED : MPROC_OK));
    if (status != MPROC_OK) return;
    EXPECT(mproc_value_to(pair ? mproc_value_at(value, 0) : value, &returned) == MPROC_OK);
    EXPECT(returned == (pair ? number : number * number));
}

/* Of some it does not wait for the result. */
static void give_tasks(mproc_pool *pool)
{
    mproc_result *results[TASKS];

    for (uint64_t i = 0; i < TASKS; i++) EXPECT(submit(pool, i, &results[i]) == MPROC_OK);
    for (uint64_t i = 0; i < TASKS; i++) {
        if (i % 5 > 0) judge(i, results[i]);
        mproc_result_free(results[i]);
    }
}

static mproc_status live(mproc_call *call)
{
    struct stress_life life;
    mproc_pool *pool;

    CHECK_OK(mproc_unpack_bytes(call, &life, sizeof life));
    board = arena_at(life.board);
    event = stress_open(&board->event);
    memset(text, 't', TEXT_BYTES);
    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = WORKERS}, &pool));
    while (!atomic_load(&board->stop)) {
        give_tasks(pool);
        atomic_fetch_add(&board->rounds[life.number], 1);
    }
    mproc_pool_free(pool);
    mproc_event_free(event);
    return MPROC_OK;
}

/* ---- the stress ----------------------------------------------------------------------------------- */

static void put_back(void)
{
}

static uint32_t rounds(uint32_t life, uint32_t thread)
{
    (void)thread;
    return atomic_load(&board->rounds[life]);
}

static bool is_dropped(void *unused)
{
    (void)unused;
    recovery_adopt();
    return object_handles(arena_at(atomic_load(&board->event))) == 1;
}

void stress_owners(int seconds)
{
    struct stress stress = {.live = live,
                            .processes = PROCESSES,
                            .threads = 1,
                            .least = 500,
                            .most = 20000,
                            .put_back = put_back,
                            .rounds = rounds};
    uint64_t all = 0;

    board = stress_begin(&stress, "owners of pools", sizeof *board);
    CHECK_OK(mproc_event_create(&event));
    stress_tell(&board->event, event);
    stress_blow(&stress, seconds);
    stress_await_rounds(&stress);
    atomic_store(&board->stop, 1);
    stress_join(&stress);
    for (uint32_t i = 0; i < stress.lives; i++) all += atomic_load(&board->rounds[i]);
    printf("%lu kills, %llu tasks\n", (unsigned long)stress.kills, (unsigned long long)all * TASKS);
    stress_check_nothing_wrong(&board->wrong);
    CHECK_WAIT_UNTIL(is_dropped, NULL);
    mproc_event_free(event);
    stress_end(&stress);
}
