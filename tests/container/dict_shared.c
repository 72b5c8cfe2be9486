/* Dicts that several use, be they processes or threads. */
#include "container/dicts.h"

/* ---- what one does, another sees -------------------------------------------------------------------------- */

static void changes_what_it_gets(peer *self)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_dict_set(self->object, KEY("text"), KEY("a text that is long enough")));
    CHECK_OK(mproc_dict_set(self->object, KEY(7), MPROC_LIST(1, MPROC_MAP("a", 2.5))));
    CHECK_OK(mproc_dict_increment(self->object, KEY("n"), 3, NULL));
    CHECK_OK(mproc_dict_delete(self->object, KEY("gone")));
    CHECK_OK(mproc_dict_pop(self->object, KEY("popped"), &value));
    CHECK_EQ(got_int(value), 5);
}

static void case_what_a_peer_does_is_seen(void)
{
    mproc_dict *dict = dicts_create(MPROC_MAP("n", 1, "gone", 2, "popped", 5));

    peers_use(dict, 1, 0, changes_what_it_gets);
    dicts_check_prints(dict, "{'n': 4, 'text': 'a text that is long enough', 7: [1, {'a': 2.5}]}");
    mproc_dict_free(dict);
}

/* ---- all at once ------------------------------------------------------------------------------------------ */

static void increments(peer *self)
{
    for (int64_t i = 0; i < self->extra; i++) {
        CHECK_OK(mproc_dict_increment(self->object, KEY("all"), 1, NULL));
        CHECK_OK(mproc_dict_increment(self->object, mproc_int(i), 1, NULL));
        CHECK_OK(mproc_dict_set(self->object, MPROC_VALUE(self->number), mproc_int(i)));
    }
}

static void case_increments_of_all_add_up(void)
{
    mproc_dict *dict = dicts_create(mproc_nil());
    int64_t times = check_many(20000, 2000);

    peers_use(dict, 4, times, increments);
    CHECK_EQ(dicts_int(dict, KEY("all")), 4 * times);
    CHECK_EQ(dicts_int(dict, mproc_int(times - 1)), 4);
    dicts_check_sound(dict);
    mproc_dict_free(dict);
}

static void updates(peer *self)
{
    for (int64_t i = 0; i < self->extra; i++)
        CHECK_OK(mproc_dict_update_with(self->object, KEY("n"), adds, MPROC_ARGS(2)));
}

static void case_no_update_is_lost(void)
{
    mproc_dict *dict = dicts_create(MPROC_MAP("n", 0));
    int64_t times = check_many(5000, 500);

    peers_use(dict, 4, times, updates);
    CHECK_EQ(dicts_int(dict, KEY("n")), 8 * times);
    mproc_dict_free(dict);
}

/* Each takes what is there; nobody takes what another has. */
static void pops(peer *self)
{
    for (int64_t i = 0; i < self->extra; i++) {
        mproc_value value = mproc_nil();
        if (mproc_dict_pop(self->object, mproc_int(i), &value) != MPROC_OK) continue;
        CHECK_EQ(mproc_value_int(mproc_value_at(value, 1)), i);
        mproc_value_clear(&value);
        atomic_fetch_add(&self->board->done, 1);
    }
}

static void case_each_value_is_popped_once(void)
{
    mproc_dict *dict = dicts_create(mproc_nil());
    int64_t many = check_many(5000, 500);

    for (int64_t i = 0; i < many; i++)
        CHECK_OK(mproc_dict_set(dict, mproc_int(i), MPROC_LIST("a text of some length", i)));
    CHECK_EQ(peers_use(dict, 4, many, pops), many);
    CHECK_EQ(mproc_dict_count(dict), 0);
    mproc_dict_free(dict);
}

/* ---- readers beside writers ------------------------------------------------------------------------------- */

static void write_all(peer *self, bool clears)
{
    char text[SAME_BYTES];

    for (int64_t i = 0; i < self->extra; i++) {
        CHECK_OK(mproc_dict_set(self->object, KEY("text"), same_text(i, SAME_BYTES, text)));
        CHECK_OK(mproc_dict_set(self->object, mproc_int(i), mproc_int(i)));
        if (i >= 20) CHECK_OK(mproc_dict_delete(self->object, mproc_int(i - 20)));
        if (clears && i % 500 == 499) {
            CHECK_OK(mproc_dict_clear(self->object));
            CHECK_OK(mproc_dict_set(self->object, KEY("text"), KEY("00")));
            for (int64_t j = i - 19; j <= i; j++) CHECK_OK(mproc_dict_set(self->object, mproc_int(j), mproc_int(j)));
        }
    }
    atomic_store(&self->board->done, 1);
}

static void writes(peer *self)
{
    write_all(self, false);
}

static void writes_and_clears(peer *self)
{
    write_all(self, true);
}

static void reads(peer *self)
{
    while (atomic_load(&self->board->done) == 0) {
        mproc_value value = mproc_nil();
        if (mproc_dict_get(self->object, KEY("text"), &value) != MPROC_OK) continue;
        got_same_text(value);
        CHECK(mproc_dict_count(self->object) <= 22);
    }
}

static void check_readers(peer_body *one_does)
{
    mproc_dict *dict = dicts_create(MPROC_MAP("text", "0"));

    peers_use_beside(dict, check_many(40000, 3000), reads, one_does);
    dicts_check_sound(dict);
    mproc_dict_free(dict);
}

static void case_readers_see_whole_values(void)
{
    check_readers(writes);
}

/*
 * Who reads without the lock may read what was freed meanwhile, and then looks again. The thread sanitizer cannot
 * know that; so this is for processes alone.
 */
static void case_readers_see_whole_values_while_all_are_freed(void)
{
    check_readers(writes_and_clears);
}

/* ---- many keys in one step -------------------------------------------------------------------------------- */

enum { AT_ONCE = 12 };

/* Of all keys the values are the same, and there are all of them or none. */
static void sees_all_or_none(peer *self)
{
    while (atomic_load(&self->board->done) == 0) {
        mproc_value copy = mproc_nil();
        size_t count = mproc_dict_count(self->object);
        CHECK(count == 0 || count == AT_ONCE);
        CHECK_OK(mproc_dict_copy(self->object, &copy));
        count = mproc_value_count(copy);
        CHECK(count == 0 || count == AT_ONCE);
        for (size_t i = 1; i < count; i++) CHECK(mproc_value_equal(mproc_value_at(copy, i), mproc_value_at(copy, 0)));
        mproc_value_clear(&copy);
    }
}

static void sets_all(peer *self)
{
    mproc_value pairs[2 * AT_ONCE];
    char text[40];

    memset(text, 'a', sizeof text);
    for (int64_t i = 0; i < self->extra; i++) {
        for (int64_t j = 0; j < AT_ONCE; j++) {
            pairs[2 * j] = mproc_int(j);
            pairs[2 * j + 1] = i % 3 ? mproc_int(i) : mproc_string_from(text, (size_t)(i % 40));
        }
        CHECK_OK(mproc_dict_update(self->object, mproc_map_from(pairs, AT_ONCE)));
        if (i % 10 == 9 && !peers_are_threads()) CHECK_OK(mproc_dict_clear(self->object));
    }
    atomic_store(&self->board->done, 1);
}

static void case_many_keys_are_set_in_one_step(void)
{
    mproc_dict *dict = dicts_create(mproc_nil());

    peers_use_beside(dict, check_many(3000, 300), sees_all_or_none, sets_all);
    dicts_check_sound(dict);
    mproc_dict_free(dict);
}

/* ---- objects -------------------------------------------------------------------------------------------- */

static void uses_what_is_in_it(peer *self)
{
    mproc_value value = mproc_nil(), copy = mproc_nil();
    mproc_dict *inner = NULL;
    mproc_queue *queue = NULL;

    CHECK_OK(mproc_dict_get(self->object, KEY("inner"), &value));
    CHECK_OK(mproc_value_to(value, &inner));
    mproc_value_clear(&value);
    CHECK_OK(mproc_dict_increment(inner, KEY("n"), 1, NULL));
    CHECK_OK(mproc_dict_copy(self->object, &copy));
    CHECK_OK(mproc_dict_delete(self->object, KEY("queue")));
    CHECK_OK(mproc_value_to(mproc_value_at(mproc_value_get(copy, "queue"), 1), &queue));
    mproc_value_clear(&copy);
    CHECK_OK(mproc_queue_put(queue, mproc_int(3), 0));
    CHECK_OK(mproc_dict_set(inner, KEY("queue"), MPROC_VALUE(queue)));
    mproc_queue_free(queue);
    mproc_dict_free(inner);
}

/* They live as long as somebody refers to them: the dict, and what was got from it. */
static void case_objects_live_as_long_as_they_are_in_it(void)
{
    mproc_dict *dict = dicts_create(mproc_nil()), *inner;
    mproc_queue *queue = NULL;
    mproc_value value = mproc_nil();
    uint64_t blocks;

    inner = dicts_create(MPROC_MAP("n", 1));
    CHECK_OK(mproc_queue_create(NULL, &queue));
    CHECK_OK(mproc_dict_set(dict, KEY("inner"), MPROC_VALUE(inner)));
    CHECK_OK(mproc_dict_set(dict, KEY("queue"), MPROC_LIST("it", queue)));
    mproc_queue_free(queue);
    mproc_dict_free(inner);
    peers_use(dict, 1, 0, uses_what_is_in_it);
    CHECK_OK(mproc_dict_get(dict, KEY("inner"), &value));
    CHECK_OK(mproc_value_to(value, &inner));
    mproc_value_clear(&value);
    CHECK_EQ(dicts_int(inner, KEY("n")), 2);
    CHECK_OK(mproc_dict_get(inner, KEY("queue"), &value));
    CHECK_OK(mproc_dict_clear(inner));
    CHECK_OK(mproc_value_to(value, &queue));
    mproc_value_clear(&value);
    CHECK_OK(mproc_queue_get(queue, &value, 0));
    CHECK_EQ(got_int(value), 3);
    mproc_queue_free(queue);
    blocks = peers_blocks();
    mproc_dict_free(inner);
    CHECK_EQ(peers_blocks(), blocks); /* the outer one has it */
    mproc_dict_free(dict);
}

CHECK_TWINS(dict_shared, peers_of_processes, dict_shared_threads, peers_of_threads,
    CASE(what_a_peer_does_is_seen),
    CASE(increments_of_all_add_up),
    CASE(no_update_is_lost),
    CASE(each_value_is_popped_once),
    CASE(readers_see_whole_values),
    CASE(many_keys_are_set_in_one_step),
    CASE(objects_live_as_long_as_they_are_in_it)
);

CHECK_SUITE_SETUP(dict_shared_by_processes, peers_of_processes,
    CASE(readers_see_whole_values_while_all_are_freed)
);
