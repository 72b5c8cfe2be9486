/* Lists that several use, be they processes or threads. */
#include "container/lists.h"

/* ---- what one does, another sees -------------------------------------------------------------------------- */

static void changes_what_it_gets(peer *self)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_list_append(self->object, TEXT("a text that is long enough")));
    CHECK_OK(mproc_list_insert(self->object, 0, MPROC_LIST(1, MPROC_MAP("a", 2.5))));
    CHECK_OK(mproc_list_increment(self->object, 1, 3, NULL));
    CHECK_OK(mproc_list_remove(self->object, TEXT("gone")));
    CHECK_OK(mproc_list_pop(self->object, 2, &value));
    CHECK_EQ(got_int(value), 5);
}

static void case_what_a_peer_does_is_seen(void)
{
    mproc_list *list = lists_create(MPROC_LIST(1, "gone", 5));

    peers_use(list, 1, 0, changes_what_it_gets);
    lists_check_prints(list, "[[1, {'a': 2.5}], 4, 'a text that is long enough']");
    mproc_list_free(list);
}

/* ---- all at once ------------------------------------------------------------------------------------------ */

static void appends(peer *self)
{
    for (int64_t i = 0; i < self->extra; i++) {
        CHECK_OK(mproc_list_append(self->object, mproc_int(i * 4 + self->number)));
        CHECK_OK(mproc_list_increment(self->object, 0, 1, NULL));
    }
}

static void case_no_append_and_no_increment_is_lost(void)
{
    mproc_list *list = lists_create(MPROC_LIST(0));
    int64_t last[4] = {-1, -1, -1, -1}, times = check_many(20000, 2000);

    peers_use(list, 4, times, appends);
    CHECK_EQ(lists_int(list, 0), 4 * times);
    CHECK_EQ(mproc_list_count(list), 4 * times + 1);
    for (int64_t i = 1; i <= 4 * times; i++) {
        int64_t number = lists_int(list, i);
        CHECK_EQ(number / 4, last[number % 4] + 1);
        last[number % 4] = number / 4;
    }
    lists_check_sound(list);
    mproc_list_free(list);
}

static void updates(peer *self)
{
    for (int64_t i = 0; i < self->extra; i++) CHECK_OK(mproc_list_update_with(self->object, -1, adds, MPROC_ARGS(2)));
}

static void case_no_update_is_lost(void)
{
    mproc_list *list = lists_create(MPROC_LIST("a", 0));
    int64_t times = check_many(5000, 500);

    peers_use(list, 4, times, updates);
    CHECK_EQ(lists_int(list, 1), 8 * times);
    mproc_list_free(list);
}

/* Each takes what is there, from another place; nobody takes what another has. */
static void pops(peer *self)
{
    static const int64_t places[] = {0, -1, 1, -2};
    mproc_value value = mproc_nil();

    for (;;) {
        mproc_status status = mproc_list_pop(self->object, places[self->number], &value);
        if (status == MPROC_NOT_FOUND && mproc_list_count(self->object) == 0) return;
        if (status == MPROC_NOT_FOUND) status = mproc_list_pop(self->object, 0, &value);
        if (status != MPROC_OK) continue;
        atomic_fetch_add(&self->board->done, (uint32_t)mproc_value_int(mproc_value_at(value, 1)));
        mproc_value_clear(&value);
    }
}

static void case_each_element_is_popped_once(void)
{
    mproc_list *list = lists_create(mproc_nil());
    int64_t many = check_many(4000, 400);

    for (int64_t i = 0; i < many; i++) CHECK_OK(mproc_list_append(list, MPROC_LIST("some text of a length", i)));
    CHECK_EQ(peers_use(list, 4, 0, pops), many * (many - 1) / 2);
    mproc_list_free(list);
}

/* Others append and take out; who sorts loses nothing, and comes to an end. */
static void sorts(peer *self)
{
    for (int64_t i = 0; i < self->extra / 50; i++) CHECK_OK(mproc_list_sort(self->object, NULL, false));
}

static void comes_and_goes(peer *self)
{
    mproc_value value = mproc_nil();

    for (int64_t i = 0; i < self->extra; i++) {
        CHECK_OK(mproc_list_append(self->object, mproc_int(i)));
        CHECK_OK(mproc_list_pop(self->object, 0, &value));
    }
}

static void case_sort_comes_to_an_end_while_others_change_the_list(void)
{
    mproc_list *list = lists_create(MPROC_LIST(3, 2, 1, 0));

    peers_use_beside(list, check_many(10000, 1000), comes_and_goes, sorts);
    CHECK_EQ(mproc_list_count(list), 4);
    lists_check_sound(list);
    mproc_list_free(list);
}

/* ---- readers beside writers ------------------------------------------------------------------------------- */

/* `moves`: also what makes another body. */
static void write_all(peer *self, bool moves)
{
    char text[SAME_BYTES];

    for (int64_t i = 0; i < self->extra; i++) {
        CHECK_OK(mproc_list_set(self->object, i % 20, same_text(i, SAME_BYTES, text)));
        CHECK_OK(mproc_list_append(self->object, same_text(i, 7, text)));
        if (moves) {
            CHECK_OK(mproc_list_insert(self->object, 1, same_text(i, 7, text)));
            CHECK_OK(mproc_list_delete(self->object, 1));
            if (i % 16 == 0) CHECK_OK(mproc_list_reverse(self->object));
            if (i % 16 == 8) CHECK_OK(mproc_list_sort(self->object, NULL, false));
        }
        CHECK_OK(mproc_list_delete(self->object, -1));
    }
    atomic_store(&self->board->done, 1);
}

static void writes(peer *self)
{
    write_all(self, false);
}

static void writes_and_moves(peer *self)
{
    write_all(self, true);
}

static void reads(peer *self)
{
    for (int64_t i = 0; atomic_load(&self->board->done) == 0; i++) {
        mproc_value value = mproc_nil();
        CHECK_OK(mproc_list_get(self->object, i % 20, &value));
        got_same_text(value);
        CHECK(mproc_list_count(self->object) >= 20 && mproc_list_count(self->object) <= 22);
    }
}

static void check_readers(peer_body *one_does)
{
    mproc_list *list = lists_create(mproc_nil());

    for (int i = 0; i < 20; i++) CHECK_OK(mproc_list_append(list, TEXT("0")));
    peers_use_beside(list, check_many(20000, 1500), reads, one_does);
    lists_check_sound(list);
    mproc_list_free(list);
}

static void case_readers_see_whole_values(void)
{
    check_readers(writes);
}

static void case_readers_see_whole_values_while_all_are_moved(void)
{
    check_readers(writes_and_moves);
}

/* Two types by turns, in the same cell: half of one and half of the other is neither. */
static void numbers_come_and_go(peer *self)
{
    for (int64_t i = 0; i < self->extra; i++) {
        mproc_value value;
        CHECK_OK(mproc_list_append(self->object, i % 2 ? MPROC_VALUE(7.5) : mproc_int(7)));
        if (i % 3) CHECK_OK(mproc_list_pop(self->object, -1, &value));
        else CHECK_OK(mproc_list_delete(self->object, -1));
    }
    atomic_store(&self->board->done, 1);
}

static void reads_last(peer *self)
{
    while (atomic_load(&self->board->done) == 0) {
        mproc_value value = mproc_nil();
        CHECK_OK(mproc_list_get(self->object, -1, &value));
        if (mproc_value_type(value) == MPROC_TYPE_DOUBLE) CHECK(mproc_value_double(value) == 7.5);
        else CHECK(mproc_value_int(value) == 7);
    }
}

static void case_readers_see_whole_numbers_that_come_and_go(void)
{
    mproc_list *list = lists_create(MPROC_LIST(7));

    peers_use_beside(list, check_many(1000000, 20000), reads_last, numbers_come_and_go);
    lists_check_sound(list);
    mproc_list_free(list);
}

/* ---- objects ---------------------------------------------------------------------------------------------- */

static void uses_what_is_in_it(peer *self)
{
    mproc_value value = mproc_nil(), copy = mproc_nil();
    mproc_queue *queue = NULL;
    mproc_list *inner = NULL;

    CHECK_OK(mproc_list_get(self->object, 0, &value));
    CHECK_OK(mproc_value_to(value, &inner));
    mproc_value_clear(&value);
    CHECK_OK(mproc_list_append(inner, mproc_int(2)));
    CHECK_OK(mproc_list_get_slice(self->object, 1, OPEN, 1, &copy));
    CHECK_OK(mproc_list_delete(self->object, 1));
    CHECK_OK(mproc_value_to(mproc_value_at(mproc_value_at(copy, 0), 1), &queue));
    mproc_value_clear(&copy);
    CHECK_OK(mproc_queue_put(queue, mproc_int(3), 0));
    CHECK_OK(mproc_list_insert(inner, 0, MPROC_VALUE(queue)));
    mproc_queue_free(queue);
    mproc_list_free(inner);
}

/* They live as long as somebody refers to them: the list, and what was got from it. */
static void case_objects_live_as_long_as_they_are_in_it(void)
{
    mproc_list *list = lists_create(mproc_nil()), *inner;
    mproc_queue *queue = NULL;
    mproc_value value = mproc_nil();
    uint64_t blocks;

    inner = lists_create(MPROC_LIST(1));
    CHECK_OK(mproc_queue_create(NULL, &queue));
    CHECK_OK(mproc_list_extend(list, MPROC_LIST(inner, MPROC_LIST("it", queue))));
    mproc_queue_free(queue);
    mproc_list_free(inner);
    peers_use(list, 1, 0, uses_what_is_in_it);
    CHECK_OK(mproc_list_get(list, 0, &value));
    CHECK_OK(mproc_value_to(value, &inner));
    mproc_value_clear(&value);
    CHECK_EQ(lists_int(inner, 2), 2);
    CHECK_OK(mproc_list_pop(inner, 0, &value));
    CHECK_OK(mproc_value_to(value, &queue));
    mproc_value_clear(&value);
    CHECK_OK(mproc_queue_get(queue, &value, 0));
    CHECK_EQ(got_int(value), 3);
    mproc_queue_free(queue);
    blocks = peers_blocks();
    mproc_list_free(inner);
    CHECK_EQ(peers_blocks(), blocks); /* the outer one has it */
    mproc_list_free(list);
}

/* What is in two places is one list: seen from both, and from who has it. */
static void case_lists_in_lists_are_the_same_everywhere(void)
{
    mproc_list *inner = lists_create(MPROC_LIST(1)), *outer = lists_create(MPROC_LIST(inner)), *seen = NULL;
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_list_repeat(outer, 3));
    CHECK_OK(mproc_list_append(inner, mproc_int(2)));
    for (int i = 0; i < 3; i++) {
        CHECK_OK(mproc_list_get(outer, i, &value));
        CHECK_OK(mproc_value_to(value, &seen));
        mproc_value_clear(&value);
        CHECK_OK(mproc_list_append(seen, mproc_int(3 + i)));
        mproc_list_free(seen);
    }
    lists_check_prints(inner, "[1, 2, 3, 4, 5]");
    CHECK(mproc_list_contains(outer, MPROC_VALUE(inner)));
    mproc_list_free(inner);
    mproc_list_free(outer);
}

/* A circle of two is broken by clear, and ends then. */
static void case_a_circle_ends_when_it_is_cleared(void)
{
    uint64_t blocks = peers_blocks();
    mproc_list *one = lists_create(mproc_nil()), *other = lists_create(MPROC_LIST(one, TEXT("a text that is long")));

    CHECK_OK(mproc_list_append(one, MPROC_LIST(other, other)));
    mproc_list_free(other);
    CHECK_OK(mproc_list_clear(one));
    mproc_list_free(one);
    CHECK_EQ(peers_blocks(), blocks);
}

CHECK_TWINS(list_shared, peers_of_processes, list_shared_threads, peers_of_threads,
    CASE(what_a_peer_does_is_seen),
    CASE(no_append_and_no_increment_is_lost),
    CASE(no_update_is_lost),
    CASE(readers_see_whole_values),
    CASE(readers_see_whole_numbers_that_come_and_go),
    CASE(objects_live_as_long_as_they_are_in_it),
    CASE(lists_in_lists_are_the_same_everywhere),
    CASE(a_circle_ends_when_it_is_cleared)
);

/*
 * Who reads without the lock may read what was freed meanwhile, and then looks again. The thread sanitizer cannot
 * know that; so these are for processes alone.
 */
CHECK_SUITE_SETUP(list_shared_by_processes, peers_of_processes,
    CASE(each_element_is_popped_once),
    CASE(sort_comes_to_an_end_while_others_change_the_list),
    CASE(readers_see_whole_values_while_all_are_moved)
);
