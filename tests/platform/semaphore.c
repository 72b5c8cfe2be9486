/* platform.h, semaphore.c: a wake-up object in shared memory. */
#include "platform_fixture.h"

/*
 * A wait may return without a post, so "nothing is there" shows as a timeout that comes sooner or later, not
 * at the first call.
 */
static void check_empty(plat_semaphore *semaphore)
{
    int waits = 0;

    while (waits < 100 && plat_semaphore_wait(semaphore, platform_in_ms(2)) != MPROC_TIMEOUT) waits++;
    CHECK(waits < 100);
}

static void case_post_before_wait_is_kept(void)
{
    plat_semaphore semaphore = {0};

    CHECK_OK(plat_semaphore_open(&semaphore));
    plat_semaphore_post(&semaphore);
    CHECK_OK(plat_semaphore_wait(&semaphore, PLAT_FOREVER));
    check_empty(&semaphore);
    plat_semaphore_close(&semaphore);
}

static void case_wait_for_a_passed_deadline_tries(void)
{
    plat_semaphore semaphore = {0};

    CHECK_OK(plat_semaphore_open(&semaphore));
    CHECK_STATUS(plat_semaphore_wait(&semaphore, 0), MPROC_TIMEOUT);
    CHECK_STATUS(plat_semaphore_wait(&semaphore, INT64_MIN), MPROC_TIMEOUT);
    plat_semaphore_post(&semaphore);
    CHECK_OK(plat_semaphore_wait(&semaphore, 0));
    plat_semaphore_post(&semaphore);
    CHECK_OK(plat_semaphore_wait(&semaphore, INT64_MIN));
    plat_semaphore_close(&semaphore);
}

static void case_holds_at_most_one_post(void)
{
    plat_semaphore semaphore = {0};
    int i;

    CHECK_OK(plat_semaphore_open(&semaphore));
    /* Enough to show even in a system that counts, and that 100 returns without a post would not explain. */
    for (i = 0; i < 1000; i++) plat_semaphore_post(&semaphore);
    CHECK_OK(plat_semaphore_wait(&semaphore, PLAT_FOREVER));
    check_empty(&semaphore);
    plat_semaphore_close(&semaphore);
}

static void case_times_out_and_not_before(void)
{
    static const int64_t spans_ns[] = {1, 300000, 1999999, 15000000};
    plat_semaphore semaphore = {0};
    size_t i;

    CHECK_OK(plat_semaphore_open(&semaphore));
    for (i = 0; i < sizeof spans_ns / sizeof spans_ns[0]; i++) {
        int64_t deadline = plat_clock_now_ns() + spans_ns[i];
        while (plat_semaphore_wait(&semaphore, deadline) != MPROC_TIMEOUT)
            CHECK(plat_clock_now_ns() < platform_limit_ns());
        CHECK(plat_clock_now_ns() >= deadline);
    }
    plat_semaphore_close(&semaphore);
}

static void case_closed_and_opened_again(void)
{
    plat_semaphore semaphore = {0};
    uint32_t serial;

    CHECK_OK(plat_semaphore_open(&semaphore));
    serial = atomic_load(&semaphore.serial);
    plat_semaphore_close(&semaphore);
    CHECK_OK(plat_semaphore_open(&semaphore));
    CHECK(atomic_load(&semaphore.serial) != serial);
    plat_semaphore_post(&semaphore);
    CHECK_OK(plat_semaphore_wait(&semaphore, PLAT_FOREVER));
    plat_semaphore_close(&semaphore);
}

static void case_posting_what_is_not_open_is_harmless(void)
{
    plat_semaphore semaphore = {0};

    plat_semaphore_post(&semaphore);
    CHECK_OK(plat_semaphore_open(&semaphore));
    plat_semaphore_close(&semaphore);
    plat_semaphore_post(&semaphore);
}

/* ---- threads ---------------------------------------------------------------------------------- */

typedef struct player {
    plat_semaphore *mine;
    plat_semaphore *other;
    _Atomic uint32_t *turn;
    uint32_t me;
    int rounds;
} player;

static void await_turn(player *pair)
{
    while (atomic_load(pair->turn) % 2 != pair->me) CHECK_OK(plat_semaphore_wait(pair->mine, platform_limit_ns()));
}

/* Takes turns with the other side; both sleep in between. */
static void play(void *context)
{
    player *pair = context;
    int i;

    for (i = 0; i < pair->rounds; i++) {
        await_turn(pair);
        atomic_fetch_add(pair->turn, 1);
        plat_semaphore_post(pair->other);
    }
}

enum { ROUNDS = 1000 };

static void play_in_thread(void *context)
{
    player *pair = context;

    CHECK_OK(plat_semaphore_open(pair->mine));
    play(pair);
    plat_semaphore_close(pair->mine);
}

static void case_two_threads_take_turns(void)
{
    plat_semaphore semaphores[2] = {{0}};
    _Atomic uint32_t turn = 0;
    player first = {&semaphores[0], &semaphores[1], &turn, 0, ROUNDS};
    player second = {&semaphores[1], &semaphores[0], &turn, 1, ROUNDS};
    plat_thread *thread;

    CHECK_OK(plat_semaphore_open(first.mine));
    CHECK_OK(plat_thread_start(play_in_thread, &second, &thread));
    play(&first);
    plat_thread_join(thread);
    CHECK_EQ(atomic_load(&turn), 2 * ROUNDS);
    plat_semaphore_close(first.mine);
}

enum { POSTERS = 4, POSTS = 2000 };

static plat_semaphore posted;
static _Atomic uint32_t stress_count;

static void post_often(void *unused)
{
    int i;

    (void)unused;
    for (i = 0; i < POSTS; i++) {
        atomic_fetch_add(&stress_count, 1);
        plat_semaphore_post(&posted);
    }
}

/* A post may be one of many that come at once, but the last one is never lost. */
static void case_stress_of_posts_loses_none(void)
{
    plat_thread *threads[POSTERS];
    int i;

    CHECK_OK(plat_semaphore_open(&posted));
    for (i = 0; i < POSTERS; i++) CHECK_OK(plat_thread_start(post_often, NULL, &threads[i]));
    while (atomic_load(&stress_count) < POSTERS * POSTS) CHECK_OK(plat_semaphore_wait(&posted, platform_limit_ns()));
    for (i = 0; i < POSTERS; i++) plat_thread_join(threads[i]);
    plat_semaphore_close(&posted);
}

/* ---- processes -------------------------------------------------------------------------------- */

static int helper_takes_turns(const char *text)
{
    plat_handle handles[4];
    platform_board *board;
    player pair;

    platform_handles(text, handles);
    board = platform_board_open(handles[0]);
    pair = (player){&board->semaphores[1], &board->semaphores[0], &board->word, 1, ROUNDS};
    play_in_thread(&pair);
    return 0;
}

static void case_two_processes_take_turns(void)
{
    plat_handle memory;
    platform_board *board = platform_board_create(&memory);
    player pair = {&board->semaphores[0], &board->semaphores[1], &board->word, 0, ROUNDS};
    plat_process process;

    CHECK_OK(plat_semaphore_open(pair.mine));
    platform_start("semaphore.takes_turns", "", memory, &process);
    play(&pair);
    CHECK_EXITS(&process, 0);
    CHECK_EQ(atomic_load(&board->word), 2 * ROUNDS);
    plat_semaphore_close(pair.mine);
    platform_board_drop(board, memory);
}

static int helper_sleeps_on_it(const char *text)
{
    plat_handle handles[4];
    platform_board *board;

    platform_handles(text, handles);
    board = platform_board_open(handles[0]);
    CHECK_OK(plat_semaphore_open(&board->semaphores[0]));
    atomic_store(&board->step, 1);
    for (;;) plat_semaphore_wait(&board->semaphores[0], PLAT_FOREVER);
    return 0;
}

static void case_posting_to_a_killed_owner_is_ignored(void)
{
    plat_handle memory;
    platform_board *board = platform_board_create(&memory);
    plat_process process;

    platform_start("semaphore.sleeps_on_it", "", memory, &process);
    platform_await_step(board, 1);
    plat_semaphore_post(&board->semaphores[0]);
    CHECK_OK(plat_process_kill(&process));
    CHECK_SIGNALLED(&process, 9);
    plat_semaphore_post(&board->semaphores[0]);
    plat_semaphore_post(&board->semaphores[0]);
    /* The place is taken over by another owner. */
    CHECK_OK(plat_semaphore_open(&board->semaphores[0]));
    plat_semaphore_post(&board->semaphores[0]);
    CHECK_OK(plat_semaphore_wait(&board->semaphores[0], PLAT_FOREVER));
    plat_semaphore_close(&board->semaphores[0]);
    platform_board_drop(board, memory);
}

CHECK_SUITE(semaphore,
    CASE(post_before_wait_is_kept),
    CASE(wait_for_a_passed_deadline_tries),
    CASE(holds_at_most_one_post),
    CASE(times_out_and_not_before),
    CASE(closed_and_opened_again),
    CASE(posting_what_is_not_open_is_harmless),
    CASE(two_threads_take_turns),
    CASE(stress_of_posts_loses_none),
    CASE(two_processes_take_turns),
    CASE(posting_to_a_killed_owner_is_ignored),
    HELPER(takes_turns),
    HELPER(sleeps_on_it),
);
