/* Sets that several use, be they processes or threads. */
#include "container/sets.h"

/* ---- what one does, another sees ---------------------------------------------------------------------------- */

static void changes_what_it_gets(peer *self)
{
    CHECK(sets_add(self->object, KEY("a text that is long enough")));
    CHECK(!sets_add(self->object, KEY(1)));
    CHECK_OK(mproc_set_remove(self->object, KEY("gone")));
    CHECK_OK(mproc_set_update(self->object, MPROC_VALUE((const mproc_set *)self->other)));
}

static void case_what_a_peer_does_is_seen(void)
{
    mproc_set *set = sets_create(MPROC_LIST(1, "gone")), *other = sets_create(MPROC_LIST(7, 1));
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd.other = other;
    crowd_add(&crowd, 1, changes_what_it_gets, set);
    crowd_fini(&crowd);
    sets_check(set, "[1, 'a text that is long enough', 7]");
    mproc_set_free(other);
    mproc_set_free(set);
}

/* ---- all at once -------------------------------------------------------------------------------------------- */

static void adds_all(peer *self)
{
    for (int64_t i = 0; i < self->extra; i++)
        if (sets_add(self->object, mproc_int(i))) atomic_fetch_add(&self->board->done, 1);
}

static void case_each_element_is_new_to_one(void)
{
    mproc_set *set = sets_create(mproc_nil());
    int64_t many = check_many(20000, 2000);

    CHECK_EQ(peers_use(set, 4, many, adds_all), many);
    CHECK_EQ(mproc_set_count(set), many);
    dicts_check_sound(&set->dict);
    mproc_set_free(set);
}

static void pops_all(peer *self)
{
    mproc_value element = mproc_nil();

    while (mproc_set_pop(self->object, &element) == MPROC_OK) {
        mproc_value_clear(&element);
        atomic_fetch_add(&self->board->done, 1);
    }
}

static void case_each_element_is_popped_once(void)
{
    mproc_set *set = sets_create(mproc_nil());
    int64_t many = check_many(5000, 500);

    for (int64_t i = 0; i < many; i++) CHECK(sets_add(set, mproc_int(i)));
    CHECK_EQ(peers_use(set, 4, 0, pops_all), many);
    CHECK_EQ(mproc_set_count(set), 0);
    mproc_set_free(set);
}

/* ---- sets that come and go as a whole ------------------------------------------------------------------------ */

/* Its own number and text are always both there or not. One element comes alone. */
static void changes_by_sets(peer *self)
{
    char text[] = "the text of a peer: ?";
    mproc_value pair[] = {mproc_int(self->number), MPROC_VALUE((const char *)text)};
    mproc_value both = mproc_list_from(pair, 2);
    mproc_value alone = mproc_int(100 + self->number);

    text[sizeof text - 2] = (char)('0' + self->number);
    for (int64_t i = 0; i < self->extra; i++) {
        CHECK_OK(i % 3 ? mproc_set_update(self->object, both)
                       : mproc_set_symmetric_difference_update(self->object, both));
        CHECK(sets_add(self->object, alone));
        CHECK(mproc_set_has(self->object, pair[0]) && mproc_set_has(self->object, pair[1]));
        CHECK_OK(mproc_set_difference_update(self->object, both));
        CHECK(!mproc_set_has(self->object, pair[0]) && !mproc_set_has(self->object, pair[1]));
        CHECK_OK(mproc_set_remove(self->object, alone));
    }
    atomic_fetch_add(&self->board->done, 1);
}

/* Text and number come by one step, in this order. */
static void looks_at_all(peer *self)
{
    while (atomic_load(&self->board->done) < 2) {
        mproc_value copy = mproc_nil();
        int64_t numbers = 0, texts = 0;
        CHECK_OK(mproc_set_copy(self->object, &copy));
        for (size_t i = 0; i < mproc_value_count(copy); i++) {
            mproc_value element = mproc_value_at(copy, i);
            if (mproc_value_string(element)) texts++;
            else if (mproc_value_int(element) < 100) numbers++;
        }
        CHECK_EQ(numbers, texts);
        mproc_value_clear(&copy);
    }
}

static void case_change_by_a_set_is_one_step(void)
{
    mproc_set *set = sets_create(mproc_nil());

    peers_use_beside(set, check_many(3000, 300), changes_by_sets, looks_at_all);
    sets_check(set, "[]");
    mproc_set_free(set);
}

/* As long as they add, nobody's element gets lost in what another puts in the place of the whole. */
static void adds_its_own(peer *self)
{
    for (int64_t i = 0; i < self->extra; i++) CHECK(sets_add(self->object, mproc_int(1000 + self->number + 10 * i)));
    atomic_fetch_add(&self->board->done, 1);
}

static void updates_meanwhile(peer *self)
{
    while (atomic_load(&self->board->done) < 2) {
        CHECK_OK(mproc_set_update(self->object, MPROC_LIST(1, 2, 3)));
        CHECK_OK(mproc_set_difference_update(self->object, MPROC_LIST(3, 2, 1)));
    }
}

static void case_no_element_is_lost_to_changes_by_sets(void)
{
    mproc_set *set = sets_create(mproc_nil());
    int64_t times = check_many(3000, 300);

    peers_use_beside(set, times, adds_its_own, updates_meanwhile);
    CHECK_EQ(mproc_set_count(set), 2 * times);
    dicts_check_sound(&set->dict);
    mproc_set_free(set);
}

CHECK_TWINS(set_shared, peers_of_processes, set_shared_threads, peers_of_threads,
    CASE(what_a_peer_does_is_seen),
    CASE(each_element_is_new_to_one),
    CASE(each_element_is_popped_once)
);

/*
 * Who reads without the lock may read what was freed meanwhile, and then looks again. The thread sanitizer cannot
 * know that; so these are for processes alone.
 */
CHECK_SUITE_SETUP(set_shared_by_processes, peers_of_processes,
    CASE(change_by_a_set_is_one_step),
    CASE(no_element_is_lost_to_changes_by_sets)
);
