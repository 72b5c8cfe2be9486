/* arena/lock.h: among threads and processes that live. What becomes of it when they die is the kill tool's. */
#include "arena/lock.h"

#include "object/resource_owner.h"
#include "check.h"
#include "process/process_fixture.h"

enum { THREADS = 4, ROUNDS = 20000 };

/* A block of the arena: the counter is changed under the lock alone, and not atomically. */
typedef struct guarded {
    arena_lock lock;
    uint32_t unused;
    volatile int64_t counter;
} guarded;

static guarded *guarded_create(_Atomic uint64_t **owned)
{
    CHECK_OK(resource_take(sizeof(guarded), sizeof(guarded), owned));
    return arena_at(atomic_load(*owned));
}

static struct intent *own_intent(void)
{
    return work_intent();
}

static void count_up(guarded *shared, int rounds)
{
    int i;

    for (i = 0; i < rounds; i++) {
        lock_acquire(own_intent(), &shared->lock);
        shared->counter = shared->counter + 1;
        lock_release(own_intent(), &shared->lock);
    }
}

static void count_in_a_thread(void *shared)
{
    CHECK(mproc_current_process() != NULL);
    count_up(shared, ROUNDS);
}

static void case_owner_is_in_the_word_and_the_lock_in_the_hand(void)
{
    _Atomic uint64_t *owned = NULL;
    guarded *shared = guarded_create(&owned);

    CHECK_EQ(atomic_load(&shared->lock.word), 0);
    lock_acquire(own_intent(), &shared->lock);
    CHECK_EQ(atomic_load(&shared->lock.word), thread_self.owner_id);
    CHECK(lock_owned(&shared->lock, thread_self.owner_id));
    CHECK_EQ(atomic_load(&own_intent()->lock), arena_offset(&shared->lock));
    lock_release(own_intent(), &shared->lock);
    CHECK_EQ(atomic_load(&shared->lock.word), 0);
    CHECK_EQ(atomic_load(&own_intent()->lock), 0);
    resource_release(owned);
}

static void case_threads_exclude_each_other(void)
{
    _Atomic uint64_t *owned = NULL;
    guarded *shared = guarded_create(&owned);
    plat_thread *threads[THREADS];
    int i;

    for (i = 0; i < THREADS; i++) CHECK_OK(plat_thread_start(count_in_a_thread, shared, &threads[i]));
    for (i = 0; i < THREADS; i++) plat_thread_join(threads[i]);
    CHECK_EQ(shared->counter, THREADS * ROUNDS);
    CHECK_EQ(atomic_load(&shared->lock.word), 0);
    resource_release(owned);
}

static mproc_status counts_in_a_process(mproc_call *call)
{
    int64_t offset = 0;

    fixture_unpack(call, &offset);
    count_up(arena_at((uint64_t)offset), ROUNDS);
    return MPROC_OK;
}

static void case_processes_exclude_each_other(void)
{
    _Atomic uint64_t *owned = NULL;
    guarded *shared = guarded_create(&owned);
    mproc_process *processes[THREADS];
    int i;

    for (i = 0; i < THREADS; i++)
        processes[i] = fixture_start(counts_in_a_process, NULL, (int64_t)arena_offset(shared), NULL);
    count_up(shared, ROUNDS);
    for (i = 0; i < THREADS; i++) CHECK_EXITED(processes[i], 0);
    CHECK_EQ(shared->counter, (THREADS + 1) * ROUNDS);
    CHECK_EQ(atomic_load(&shared->lock.word), 0);
    resource_release(owned);
}

/* ---- asleep ----------------------------------------------------------------------------------- */

static bool somebody_waits(void *shared)
{
    return (atomic_load(&((guarded *)shared)->lock.word) & LOCK_WAITERS) != 0;
}

static void takes_it_once(void *shared)
{
    CHECK(mproc_current_process() != NULL);
    count_up(shared, 1);
}

static void case_sleeping_waiter_is_woken(void)
{
    _Atomic uint64_t *owned = NULL;
    guarded *shared = guarded_create(&owned);
    plat_thread *thread = NULL;

    lock_acquire(own_intent(), &shared->lock);
    CHECK_OK(plat_thread_start(takes_it_once, shared, &thread));
    CHECK_WAIT_UNTIL(somebody_waits, shared);
    CHECK_EQ(shared->counter, 0);
    CHECK(lock_owned(&shared->lock, thread_self.owner_id));
    lock_release(own_intent(), &shared->lock);
    plat_thread_join(thread);
    CHECK_EQ(shared->counter, 1);
    CHECK_EQ(atomic_load(&shared->lock.word), 0);
    resource_release(owned);
}

/* ---- owners that die -------------------------------------------------------------------------- */

static mproc_status holds_it(mproc_call *call)
{
    int64_t offset = 0;
    fixture_board *board = fixture_unpack(call, &offset);

    lock_acquire(own_intent(), &((guarded *)arena_at((uint64_t)offset))->lock);
    fixture_step(board);
    for (;;) check_pause_ms(1000);
    return MPROC_OK;
}

static void case_lock_of_a_killed_process_is_given_on(void)
{
    _Atomic uint64_t *owned = NULL;
    guarded *shared = guarded_create(&owned);
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_start(holds_it, board, (int64_t)arena_offset(shared), NULL);

    fixture_await_step(board, 1);
    CHECK(atomic_load(&shared->lock.word) != 0);
    CHECK_OK(mproc_process_kill(process));
    count_up(shared, 1);
    CHECK_ENDED_BY(process, 9);
    CHECK_EQ(shared->counter, 1);
    fixture_board_free(board);
    resource_release(owned);
}

/* Values: the orphan's pid. */
static mproc_status has_a_holder(mproc_call *call)
{
    int64_t offset = 0;
    fixture_board *board = fixture_unpack(call, &offset);
    mproc_process *holder = fixture_start(holds_it, board, offset, NULL);

    atomic_store(&board->values[0], mproc_process_pid(holder));
    return fixture_waits(call);
}

/* Nobody collects an orphan: whoever waits for its lock finds out. */
static void case_lock_of_a_killed_orphan_is_given_on(void)
{
    _Atomic uint64_t *owned = NULL;
    guarded *shared = guarded_create(&owned);
    fixture_board *board = fixture_board_create();
    mproc_process *parent = fixture_start(has_a_holder, board, (int64_t)arena_offset(shared), NULL);

    fixture_await_step(board, 2);
    CHECK_OK(mproc_process_kill(parent));
    CHECK_ENDED_BY(parent, 9);
    fixture_kill(atomic_load(&board->values[0]));
    count_up(shared, 1);
    CHECK_EQ(shared->counter, 1);
    CHECK_EQ(atomic_load(&shared->lock.word) & ~LOCK_WAITERS, 0);
    fixture_board_free(board);
    resource_release(owned);
}

CHECK_SUITE_SETUP(arena_lock, fixture_setup,
    CASE(owner_is_in_the_word_and_the_lock_in_the_hand),
    CASE(threads_exclude_each_other),
    CASE(processes_exclude_each_other),
    CASE(sleeping_waiter_is_woken),
    CASE(lock_of_a_killed_process_is_given_on),
    CASE(lock_of_a_killed_orphan_is_given_on),
);
