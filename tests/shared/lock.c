/* mproc/shared.h: the locks of values and arrays: whose they are, what get and set do with them, none at all. */
#include "sync/lockable.h"
#include "sync/peers.h"

static mproc_shared_options raw = {.raw = true};

static mproc_shared_value *create_value(size_t size, const mproc_shared_options *options)
{
    mproc_shared_value *value = NULL;

    CHECK_OK(mproc_shared_value_create(size, NULL, options, &value));
    return value;
}

/* ---- whose -------------------------------------------------------------------------------------- */

static void cannot_have_it(peer *self)
{
    CHECK_STATUS(lockable_acquire(self->object, 0), MPROC_TIMEOUT);
    CHECK_STATUS(lockable_acquire(self->object, 5), MPROC_TIMEOUT);
    CHECK_STATUS(lockable_recover(self->object, 0), MPROC_TIMEOUT);
    CHECK_STATUS(lockable_release(self->object), MPROC_NOT_OWNER);
}

static void case_own_lock_is_an_rlock(void)
{
    peer_crowd crowd;
    void *object;
    int kind;

    crowd_init(&crowd);
    for (kind = 2; kind < LOCKABLES; kind++) {
        object = lockable_create(lockables[kind], false);
        lockable_check_free(object);
        CHECK_OK(lockable_acquire(object, MPROC_FOREVER));
        CHECK_OK(lockable_acquire(object, 0));
        crowd_add(&crowd, 1, cannot_have_it, object);
        crowd_join(&crowd);
        CHECK_OK(lockable_release(object));
        CHECK_OK(lockable_release(object));
        lockable_check_free(object);
        lockable_free(object);
    }
    crowd_fini(&crowd);
}

static void case_given_lock_is_the_same_lock(void)
{
    mproc_lock *lock = lockable_create(MPROC_KIND_LOCK, false);
    mproc_shared_value *value = create_value(8, &(mproc_shared_options){.lock = lock});
    int64_t number = 5;

    CHECK_OK(mproc_shared_value_acquire(value, 0));
    CHECK(mproc_lock_locked(lock));
    CHECK_STATUS(mproc_lock_acquire(lock, 0), MPROC_TIMEOUT);
    CHECK_STATUS(mproc_shared_value_acquire(value, 0), MPROC_TIMEOUT);
    CHECK_OK(mproc_lock_release(lock));
    CHECK_SAYS(mproc_shared_value_release(value), MPROC_BAD_STATE, "nobody holds");
    CHECK_OK(mproc_lock_acquire(lock, 0));
    CHECK_STATUS(mproc_shared_value_recover(value, 1), MPROC_TIMEOUT);
    CHECK_OK(mproc_shared_value_release(value));
    CHECK_OK(mproc_shared_value_set(value, &number, sizeof number));
    CHECK(!mproc_lock_locked(lock));
    mproc_shared_value_free(value);
    lockable_check_free(lock);
    mproc_lock_free(lock);
}

static void case_given_rlock_nests_with_those_that_have_it(void)
{
    mproc_rlock *rlock = lockable_create(MPROC_KIND_RLOCK, false);
    mproc_shared_options options = {.rlock = rlock};
    mproc_shared_value *value = create_value(8, &options);
    mproc_shared_array *array = NULL;
    int64_t number = 5;

    CHECK_OK(mproc_shared_array_create(sizeof number, 3, NULL, &options, &array));
    CHECK_OK(mproc_rlock_acquire(rlock, 0));
    CHECK_OK(mproc_shared_value_acquire(value, 0));
    CHECK_OK(mproc_shared_array_acquire(array, 0));
    CHECK_OK(mproc_shared_value_set(value, &number, sizeof number));
    CHECK_OK(mproc_shared_array_get(array, 0, 1, &number));
    CHECK_OK(mproc_rlock_release(rlock));
    CHECK_OK(mproc_shared_array_release(array));
    CHECK_OK(mproc_shared_value_release(value));
    CHECK_STATUS(mproc_shared_value_release(value), MPROC_NOT_OWNER);
    CHECK(!mproc_rlock_locked(rlock));
    mproc_shared_value_free(value);
    mproc_shared_array_free(array);
    mproc_rlock_free(rlock);
}

static void check_no_lock(void *object)
{
    CHECK_SAYS(lockable_acquire(object, 0), MPROC_NOT_SUPPORTED, "no lock");
    CHECK_STATUS(lockable_acquire(object, MPROC_FOREVER), MPROC_NOT_SUPPORTED);
    CHECK_SAYS(lockable_release(object), MPROC_NOT_SUPPORTED, "no lock");
    CHECK_SAYS(lockable_recover(object, 0), MPROC_NOT_SUPPORTED, "no lock");
}

static void case_raw_items_have_no_lock(void)
{
    mproc_shared_value *value = create_value(8, &raw);
    mproc_shared_array *array = NULL;
    int64_t number = 5, found = 0;

    CHECK_OK(mproc_shared_array_create(sizeof number, 3, NULL, &raw, &array));
    check_no_lock(value);
    check_no_lock(array);
    CHECK_OK(mproc_shared_value_set(value, &number, sizeof number));
    CHECK_OK(mproc_shared_array_set(array, 2, 1, mproc_shared_value_data(value)));
    CHECK_OK(mproc_shared_array_get(array, 2, 1, &found));
    CHECK_EQ(found, 5);
    mproc_shared_value_free(value);
    mproc_shared_array_free(array);
}

static void case_items_have_one_lock_at_most(void)
{
    mproc_lock *lock = lockable_create(MPROC_KIND_LOCK, false);
    mproc_rlock *rlock = lockable_create(MPROC_KIND_RLOCK, false);
    const mproc_shared_options several[] = {{.lock = lock, .rlock = rlock},
                                            {.lock = lock, .raw = true},
                                            {.rlock = rlock, .raw = true},
                                            {true, lock, rlock}};
    mproc_shared_value *value = NULL;
    mproc_shared_array *array = NULL;
    int i;

    for (i = 0; i < 4; i++) {
        CHECK_SAYS(mproc_shared_value_create(8, NULL, &several[i], &value), MPROC_INVALID, "one lock or none");
        CHECK_SAYS(mproc_shared_array_create(8, 3, NULL, &several[i], &array), MPROC_INVALID, "one lock or none");
    }
    CHECK(value == NULL && array == NULL);
    mproc_lock_free(lock);
    mproc_rlock_free(rlock);
}

/* ---- its life ----------------------------------------------------------------------------------- */

static void counts(peer *self)
{
    int64_t *number = mproc_shared_value_data(self->object);
    int i;

    for (i = 0; i < 2000; i++) {
        CHECK_OK(mproc_shared_value_acquire(self->object, MPROC_FOREVER));
        ++*number;
        CHECK_OK(mproc_shared_value_release(self->object));
    }
}

static void check_count(const mproc_shared_options *options)
{
    mproc_shared_value *value = create_value(sizeof(int64_t), options);
    peer_crowd crowd;
    int64_t found;

    if (options != NULL) mproc_lock_free(options->lock);
    crowd_init(&crowd);
    crowd.threads = 2;
    crowd_add(&crowd, 3, counts, value);
    crowd_join(&crowd);
    CHECK_OK(mproc_shared_value_get(value, &found, sizeof found));
    CHECK_EQ(found, 6 * 2000);
    mproc_shared_value_free(value);
    crowd_fini(&crowd);
}

static void case_count_under_a_values_lock_is_exact(void)
{
    check_count(NULL);
}

static void case_lock_that_its_maker_frees_lives_on_in_the_items(void)
{
    uint64_t blocks;

    check_count(&(mproc_shared_options){.lock = lockable_create(MPROC_KIND_LOCK, false)});
    blocks = peers_blocks();
    check_count(&(mproc_shared_options){.lock = lockable_create(MPROC_KIND_LOCK, false)});
    peers_await_blocks(blocks);
}

/* Those who wait by the reference that is freed leave; another process, or another reference, is none of it. */
static void waits_and_releases(peer *self)
{
    CHECK_OK(lockable_acquire(self->object, check_limit_ms()));
    CHECK_OK(lockable_release(self->object));
}

static void is_sent_away(void *object)
{
    CHECK_SAYS(lockable_acquire(object, MPROC_FOREVER), MPROC_CLOSED, "closed or freed");
}

static void is_sent_away_from_get(void *object)
{
    int64_t number = 7;

    CHECK_STATUS(mproc_shared_value_get(object, &number, sizeof number), MPROC_CLOSED);
    CHECK_EQ(number, 7);
}

static void case_free_sends_away_threads_that_wait_for_the_lock(void)
{
    mproc_shared_value *value = create_value(8, NULL), *again = peers_second(value);
    plat_thread *threads[2];
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_shared_value_acquire(again, 0));
    CHECK_OK(plat_thread_start(is_sent_away, value, &threads[0]));
    CHECK_OK(plat_thread_start(is_sent_away_from_get, value, &threads[1]));
    crowd_add(&crowd, 1, waits_and_releases, again);
    peers_await_sleepers(again, 3);
    mproc_shared_value_free(value);
    plat_thread_join(threads[0]);
    plat_thread_join(threads[1]);
    CHECK_OK(mproc_shared_value_release(again));
    crowd_join(&crowd);
    lockable_check_free(again);
    mproc_shared_value_free(again);
    crowd_fini(&crowd);
}

/* ---- get and set -------------------------------------------------------------------------------- */

static void gets_when_it_may(peer *self)
{
    int64_t found = 0;

    CHECK_OK(mproc_shared_value_get(self->object, &found, sizeof found));
    CHECK_EQ(found, 5);
    found = 6;
    CHECK_OK(mproc_shared_value_set(self->object, &found, sizeof found));
}

static void case_get_and_set_wait_for_the_lock(void)
{
    mproc_shared_value *value = create_value(sizeof(int64_t), NULL);
    peer_crowd crowd;
    int64_t found = 0;

    crowd_init(&crowd);
    CHECK_OK(mproc_shared_value_acquire(value, 0));
    crowd_add(&crowd, 1, gets_when_it_may, value);
    peers_await_sleepers(value, 1);
    *(int64_t *)mproc_shared_value_data(value) = 5;
    CHECK_OK(mproc_shared_value_get(value, &found, sizeof found)); /* it is its owner's meanwhile */
    CHECK_EQ(found, 5);
    CHECK_OK(mproc_shared_value_release(value));
    crowd_join(&crowd);
    CHECK_OK(mproc_shared_value_get(value, &found, sizeof found));
    CHECK_EQ(found, 6);
    mproc_shared_value_free(value);
    crowd_fini(&crowd);
}

enum { WORDS = 600, PART = 300 };

static void check_whole(const int64_t *items, int count)
{
    int i;

    for (i = 1; i < count; i++)
        if (items[i] != items[0]) check_fail(__FILE__, __LINE__, "item %d is another's than the first", i);
}

/* Half of the array and all of it, as one who sets has left it: never parts of two. */
static void sets_and_gets(peer *self)
{
    int64_t items[WORDS];
    int i, k;

    for (i = 0; i < 300; i++) {
        for (k = 0; k < WORDS; k++) items[k] = self->number * 1000 + i;
        CHECK_OK(mproc_shared_array_set(self->object, 0, WORDS, items));
        CHECK_OK(mproc_shared_array_get(self->object, 0, WORDS, items));
        check_whole(items, WORDS);
        CHECK_OK(mproc_shared_array_get(self->object, PART, PART, items));
        check_whole(items, PART);
    }
}

static void case_what_is_set_is_got_whole(void)
{
    mproc_shared_array *array = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd.threads = 2;
    CHECK_OK(mproc_shared_array_create(sizeof(int64_t), WORDS, NULL, NULL, &array));
    crowd_add(&crowd, 2, sets_and_gets, array);
    crowd_join(&crowd);
    mproc_shared_array_free(array);
    crowd_fini(&crowd);
}

static void acquires_and_ends(peer *self)
{
    CHECK_OK(lockable_acquire(self->object, check_limit_ms()));
    CHECK_OK(lockable_acquire(self->other, check_limit_ms()));
    peer_end(self);
}

/* Neither reads nor writes what may be half done. */
static void check_abandoned_items(mproc_shared_value *value, mproc_shared_array *array)
{
    int64_t number = 7;

    CHECK_SAYS(mproc_shared_value_get(value, &number, sizeof number), MPROC_OWNER_DIED, "abandoned");
    CHECK_STATUS(mproc_shared_value_set(value, &number, sizeof number), MPROC_OWNER_DIED);
    CHECK_STATUS(mproc_shared_array_get(array, 0, 1, &number), MPROC_OWNER_DIED);
    CHECK_SAYS(mproc_shared_array_set(array, 0, 1, &number), MPROC_OWNER_DIED, "abandoned");
    CHECK_EQ(number, 7);
    CHECK_EQ(*(int64_t *)mproc_shared_value_data(value), 0);
    CHECK_OK(mproc_shared_value_recover(value, 0));
    CHECK_OK(mproc_shared_value_set(value, &number, sizeof number));
    CHECK_OK(mproc_shared_value_release(value));
    CHECK_OK(mproc_shared_array_recover(array, 0));
    CHECK_OK(mproc_shared_array_release(array));
    CHECK_OK(mproc_shared_array_get(array, 0, 1, &number));
    CHECK_EQ(number, 0);
}

static void case_items_of_an_ended_owner_are_neither_got_nor_set(void)
{
    mproc_shared_value *value;
    mproc_shared_array *array;
    peer_crowd crowd;
    int how;

    for (how = 0; how < peers_ends(); how++) {
        value = lockable_create(MPROC_KIND_SHARED_VALUE, false);
        array = lockable_create(MPROC_KIND_SHARED_ARRAY, false);
        crowd_init(&crowd);
        crowd.extra = how;
        crowd.other = array;
        crowd_add(&crowd, 1, acquires_and_ends, value);
        crowd_let_end(&crowd);
        check_abandoned_items(value, array);
        mproc_shared_value_free(value);
        mproc_shared_array_free(array);
        crowd_fini(&crowd);
    }
}

/* ---- interrupts --------------------------------------------------------------------------------- */

static void is_interrupted(void *value)
{
    int64_t number = 7;

    CHECK_STATUS(mproc_shared_value_set(value, &number, sizeof number), MPROC_INTERRUPTED);
}

static void case_interrupt_ends_the_wait_of_get_and_set(void)
{
    mproc_shared_value *value = create_value(sizeof(int64_t), NULL);
    plat_thread *thread;

    CHECK_OK(mproc_shared_value_acquire(value, 0));
    CHECK_OK(plat_thread_start(is_interrupted, value, &thread));
    peers_await_sleepers(value, 1);
    mproc_interrupt();
    plat_thread_join(thread);
    CHECK(mproc_interrupted());
    CHECK_EQ(*(int64_t *)mproc_shared_value_data(value), 0);
    CHECK_OK(mproc_shared_value_release(value));
    mproc_shared_value_free(value);
}

CHECK_TWINS(shared_lock, peers_of_processes, shared_lock_threads, peers_of_threads,
    CASE(own_lock_is_an_rlock),
    CASE(given_lock_is_the_same_lock),
    CASE(given_rlock_nests_with_those_that_have_it),
    CASE(raw_items_have_no_lock),
    CASE(items_have_one_lock_at_most),
    CASE(count_under_a_values_lock_is_exact),
    CASE(lock_that_its_maker_frees_lives_on_in_the_items),
    CASE(free_sends_away_threads_that_wait_for_the_lock),
    CASE(get_and_set_wait_for_the_lock),
    CASE(what_is_set_is_got_whole),
    CASE(items_of_an_ended_owner_are_neither_got_nor_set),
    CASE(interrupt_ends_the_wait_of_get_and_set),
);
