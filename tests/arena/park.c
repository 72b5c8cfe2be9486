/* arena/park.h: both variants, by the build. What kills leave of it is the kill tool's. */
#include "arena/park.h"

#include <limits.h>

#include "object/resource_owner.h"
#include "check.h"
#include "process/process_fixture.h"

enum { SLEEPERS = 5, ROUNDS = 300 };

/* A block of the arena. Sleepers wait until `word` is not 0, and then count themselves. */
typedef struct bed {
    _Atomic uint32_t word;
    _Atomic uint32_t woken;
    _Atomic uint32_t turn;
    uint32_t unused;
} bed;

static bed *bed_create(_Atomic uint64_t **owned)
{
    CHECK(mproc_current_process() != NULL);
    CHECK_OK(resource_take(sizeof(bed), sizeof(bed), owned));
    return arena_at(atomic_load(*owned));
}

/* How many threads of the family sleep on the word, or are about to. */
static uint32_t sleepers_on(const _Atomic uint32_t *word)
{
    uint32_t high = atomic_load(&arena_header->threads_high);
    uint32_t found = 0;
    uint32_t i;

    for (i = 1; i < high; i++) {
        if (atomic_load(&thread_slot_at(i)->parked) == arena_offset(word)) found++;
    }
    return found;
}

static int64_t in_ms(int ms)
{
    return plat_clock_now_ns() + (int64_t)ms * 1000000;
}

/* ---- alone ------------------------------------------------------------------------------------ */

static void case_changed_word_lets_nobody_sleep(void)
{
    _Atomic uint64_t *owned = NULL;
    bed *shared = bed_create(&owned);

    CHECK_OK(park_wait(&shared->word, 1, PLAT_FOREVER));
    CHECK_EQ(atomic_load(&thread_self.slot->parked), 0);
    resource_release(owned);
}

static void case_sleep_ends_at_its_deadline(void)
{
    _Atomic uint64_t *owned = NULL;
    bed *shared = bed_create(&owned);
    int64_t deadline_ns = in_ms(30);
    mproc_status status;

    mproc_error(MPROC_OK, "%s", "untouched");
    do status = park_wait(&shared->word, 0, deadline_ns);
    while (status == MPROC_OK);
    CHECK_STATUS(status, MPROC_TIMEOUT);
    CHECK(plat_clock_now_ns() >= deadline_ns);
    CHECK_STRING(mproc_last_error_text(), "untouched");
    CHECK_EQ(atomic_load(&thread_self.slot->parked), 0);
    do status = park_wait(&shared->word, 0, 0);
    while (status == MPROC_OK);
    CHECK_STATUS(status, MPROC_TIMEOUT);
    resource_release(owned);
}

static void case_wake_without_sleepers_is_fine(void)
{
    _Atomic uint64_t *owned = NULL;
    bed *shared = bed_create(&owned);

    park_wake(&shared->word, 1);
    park_wake(&shared->word, INT_MAX);
    park_wake(&shared->word, 0);
    /* Wakes are not kept for later. */
    while (park_wait(&shared->word, 0, in_ms(5)) == MPROC_OK) continue;
    resource_release(owned);
}

static void case_announced_word_is_in_the_hand(void)
{
    _Atomic uint64_t *owned = NULL;
    bed *shared = bed_create(&owned);

    park_announce(&shared->word);
    CHECK_EQ(atomic_load(&work_intent()->wake), arena_offset(&shared->word));
    park_announce(NULL);
    CHECK_EQ(atomic_load(&work_intent()->wake), 0);
    resource_release(owned);
}

/* ---- threads ---------------------------------------------------------------------------------- */

static void sleeps_until_set(void *argument)
{
    bed *shared = argument;

    CHECK(mproc_current_process() != NULL);
    while (atomic_load(&shared->word) == 0) CHECK_OK(park_wait(&shared->word, 0, PLAT_FOREVER));
    atomic_fetch_add(&shared->woken, 1);
}

static bool all_sleep(void *shared)
{
    return sleepers_on(&((bed *)shared)->word) == SLEEPERS;
}

static void case_all_sleepers_are_woken(void)
{
    _Atomic uint64_t *owned = NULL;
    bed *shared = bed_create(&owned);
    plat_thread *threads[SLEEPERS];
    int i;

    for (i = 0; i < SLEEPERS; i++) CHECK_OK(plat_thread_start(sleeps_until_set, shared, &threads[i]));
    CHECK_WAIT_UNTIL(all_sleep, shared);
    atomic_store(&shared->word, 1);
    park_wake(&shared->word, INT_MAX);
    for (i = 0; i < SLEEPERS; i++) plat_thread_join(threads[i]);
    CHECK_EQ(atomic_load(&shared->woken), SLEEPERS);
    resource_release(owned);
}

static void case_sleepers_are_woken_one_by_one(void)
{
    _Atomic uint64_t *owned = NULL;
    bed *shared = bed_create(&owned);
    plat_thread *threads[SLEEPERS];
    int i;

    for (i = 0; i < SLEEPERS; i++) CHECK_OK(plat_thread_start(sleeps_until_set, shared, &threads[i]));
    CHECK_WAIT_UNTIL(all_sleep, shared);
    atomic_store(&shared->word, 1);
    for (i = 0; i < SLEEPERS; i++) park_wake(&shared->word, 1);
    for (i = 0; i < SLEEPERS; i++) plat_thread_join(threads[i]);
    resource_release(owned);
}

/* Sleepers on one word are not woken in place of those on another. */
static void case_words_are_told_apart(void)
{
    _Atomic uint64_t *owned[2] = {NULL, NULL};
    bed *first = bed_create(&owned[0]);
    bed *second = bed_create(&owned[1]);
    plat_thread *threads[2 * SLEEPERS];
    int i;

    for (i = 0; i < SLEEPERS; i++) {
        CHECK_OK(plat_thread_start(sleeps_until_set, first, &threads[i]));
        CHECK_OK(plat_thread_start(sleeps_until_set, second, &threads[SLEEPERS + i]));
    }
    CHECK_WAIT_UNTIL(all_sleep, first);
    CHECK_WAIT_UNTIL(all_sleep, second);
    atomic_store(&second->word, 1);
    park_wake(&second->word, SLEEPERS);
    for (i = 0; i < SLEEPERS; i++) plat_thread_join(threads[SLEEPERS + i]);
    CHECK_EQ(atomic_load(&first->woken), 0);
    atomic_store(&first->word, 1);
    park_wake(&first->word, SLEEPERS);
    for (i = 0; i < SLEEPERS; i++) plat_thread_join(threads[i]);
    resource_release(owned[0]);
    resource_release(owned[1]);
}

/* ---- ping-pong -------------------------------------------------------------------------------- */

/* Waits for odd or even turns, and passes the turn on. */
static void take_turns(bed *shared, uint32_t mine)
{
    uint32_t turn;

    for (turn = mine; turn < ROUNDS; turn += 2) {
        uint32_t seen;
        while ((seen = atomic_load(&shared->turn)) != turn) CHECK_OK(park_wait(&shared->turn, seen, PLAT_FOREVER));
        atomic_store(&shared->turn, turn + 1);
        park_wake(&shared->turn, 1);
    }
}

static void take_odd_turns(void *shared)
{
    CHECK(mproc_current_process() != NULL);
    take_turns(shared, 1);
}

static void case_threads_take_turns(void)
{
    _Atomic uint64_t *owned = NULL;
    bed *shared = bed_create(&owned);
    plat_thread *thread = NULL;

    CHECK_OK(plat_thread_start(take_odd_turns, shared, &thread));
    take_turns(shared, 0);
    plat_thread_join(thread);
    CHECK_EQ(atomic_load(&shared->turn), ROUNDS);
    resource_release(owned);
}

static mproc_status takes_odd_turns(mproc_call *call)
{
    int64_t offset = 0;

    fixture_unpack(call, &offset);
    take_turns(arena_at((uint64_t)offset), 1);
    return MPROC_OK;
}

static void case_processes_take_turns(void)
{
    _Atomic uint64_t *owned = NULL;
    bed *shared = bed_create(&owned);
    mproc_process *process = fixture_start(takes_odd_turns, NULL, (int64_t)arena_offset(shared), NULL);

    take_turns(shared, 0);
    CHECK_EXITED(process, 0);
    CHECK_EQ(atomic_load(&shared->turn), ROUNDS);
    resource_release(owned);
}

CHECK_SUITE_SETUP(arena_park, fixture_setup,
    CASE(changed_word_lets_nobody_sleep),
    CASE(sleep_ends_at_its_deadline),
    CASE(wake_without_sleepers_is_fine),
    CASE(announced_word_is_in_the_hand),
    CASE(all_sleepers_are_woken),
    CASE(sleepers_are_woken_one_by_one),
    CASE(words_are_told_apart),
    CASE(threads_take_turns),
    CASE(processes_take_turns),
);
