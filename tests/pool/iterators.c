/* mproc/iterator.h: iterators over the results of tasks: their order, and where items come from. */
#include "pool/numbers_fixture.h"

/* ---- order ------------------------------------------------------------------------------------ */

static void case_imap_gives_results_in_the_order_of_the_items(void)
{
    static const size_t in_flight[] = {0, 1, 2, 100, 5000};
    mproc_pool *pool = fixture_create(2);

    for (int i = 0; i < 5; i++) {
        numbers_source source = {.count = 1000};
        mproc_iterator *iterator = numbers_iterate(pool, numbers_square, &source, false, in_flight[i]);
        for (int64_t n = 0; n < 1000; n++) CHECK_EQ(numbers_take(iterator), n * n);
        numbers_check_end(iterator);
        CHECK_EQ(source.asked, 1001);
        mproc_iterator_free(iterator);
    }
    mproc_iterator_free(NULL);
    mproc_pool_free(pool);
}

static void case_imap_unordered_gives_each_result_once(void)
{
    static const size_t in_flight[] = {0, 1, 3, 100, 5000};
    mproc_pool *pool = fixture_create(3);
    fixture_board *board = fixture_board_create();

    for (uint32_t i = 0; i < 5; i++) {
        numbers_source source = {.board = board, .count = 300};
        mproc_iterator *iterator = numbers_iterate(pool, tasks_count, &source, true, in_flight[i]);
        bool seen[300] = {false};
        for (int n = 0; n < 300; n++) {
            int64_t number = numbers_take(iterator);
            CHECK(number >= 0 && number < 300 && !seen[number]);
            seen[number] = true;
        }
        numbers_check_end(iterator);
        mproc_iterator_free(iterator);
        fixture_check_marks(board, 300, i + 1);
    }
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* More than a segment of the stream of tasks. */
static void case_unordered_goes_on_past_an_item_that_stays(void)
{
    enum { ITEMS = 700 };
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    numbers_source source = {.board = board, .count = ITEMS};
    mproc_iterator *iterator = numbers_iterate(pool, numbers_stay_at_three, &source, true, 10);

    for (int n = 1; n < ITEMS; n++) CHECK(numbers_take(iterator) != 3);
    for (int i = 0; i < 2; i++)
        CHECK_REFUSED(mproc_iterator_next(iterator, NULL, 3 * i), MPROC_TIMEOUT, "not finished");
    atomic_store(&board->go, 1);
    CHECK_EQ(numbers_take(iterator), 3);
    numbers_check_end(iterator);
    mproc_iterator_free(iterator);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* Those behind it are done meanwhile, and come when it has come. */
static void case_a_result_that_is_not_there_in_time_comes_later(void)
{
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    numbers_source source = {.board = board, .count = 20};
    mproc_iterator *iterator = numbers_iterate(pool, numbers_stay_at_three, &source, false, 20);
    mproc_value value = mproc_int(-1);

    for (int n = 0; n < 3; n++) CHECK_EQ(numbers_take(iterator), n);
    CHECK_AWAIT(&board->count, 19);
    for (int i = 0; i < 3; i++)
        CHECK_REFUSED(mproc_iterator_next(iterator, &value, 2 * i), MPROC_TIMEOUT, "the task is not finished");
    CHECK_REFUSED(mproc_iterator_next(iterator, &value, -1), MPROC_INVALID, "MPROC_FOREVER");
    CHECK_EQ(mproc_value_int(value), -1);
    atomic_store(&board->go, 1);
    for (int n = 3; n < 20; n++) CHECK_EQ(numbers_take(iterator), n);
    numbers_check_end(iterator);
    mproc_iterator_free(iterator);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static void case_a_wait_for_the_next_result_is_interrupted_and_it_comes_later(void)
{
    for (int unordered = 0; unordered < 2; unordered++) {
        mproc_pool *pool = fixture_create(1);
        fixture_board *board = fixture_board_create();
        numbers_source source = {.board = board, .count = 5};
        mproc_iterator *iterator = numbers_iterate(pool, numbers_stay_at_three, &source, unordered, 5);
        for (int n = 0; n < 3; n++) CHECK_EQ(numbers_take(iterator), n);
        CHECK_AWAIT(&board->started, 1);
        mproc_interrupt();
        CHECK_REFUSED(mproc_iterator_next(iterator, NULL, MPROC_FOREVER), MPROC_INTERRUPTED, "interrupted");
        atomic_store(&board->go, 1);
        for (int n = 3; n < 5; n++) CHECK_EQ(numbers_take(iterator), n);
        numbers_check_end(iterator);
        mproc_iterator_free(iterator);
        fixture_board_free(board);
        mproc_pool_free(pool);
    }
}

typedef struct taker {
    mproc_iterator *iterator;
    int64_t sum;
} taker;

static void take_ten(void *context)
{
    taker *self = context;

    for (int i = 0; i < 10; i++) self->sum += numbers_take(self->iterator);
}

/* Each with a bell of its own. */
static void case_one_thread_after_the_other_takes_results_out(void)
{
    mproc_pool *pool = fixture_create(2);

    for (int unordered = 0; unordered < 2; unordered++) {
        numbers_source source = {.count = 60};
        taker self = {.iterator = numbers_iterate(pool, numbers_square, &source, unordered, 8)};
        plat_thread *thread;
        for (int i = 0; i < 5; i++) {
            CHECK_OK(plat_thread_start(take_ten, &self, &thread));
            plat_thread_join(thread);
        }
        take_ten(&self);
        CHECK_EQ(self.sum, 70210);
        numbers_check_end(self.iterator);
        mproc_iterator_free(self.iterator);
    }
    mproc_pool_free(pool);
}

/* ---- sources ---------------------------------------------------------------------------------- */

static void case_an_empty_source_is_at_its_end_at_once(void)
{
    mproc_pool *pool = fixture_create(1);

    for (int i = 0; i < 4; i++) {
        numbers_source source = {.count = 0};
        mproc_iterator *iterator = numbers_iterate(pool, numbers_square, &source, i % 2, i < 2 ? 0 : 1);
        numbers_check_end(iterator);
        CHECK_EQ(source.asked, 1);
        mproc_iterator_free(iterator);
    }
    mproc_pool_free(pool);
}

/* The items before it come all, and then it, whatever the order. */
static void case_a_source_that_fails_does_so_after_its_items(void)
{
    static const int counts[] = {0, 1, 4, 5, 100};
    mproc_pool *pool = fixture_create(2);

    for (int i = 0; i < 10; i++) {
        numbers_source source = {.count = counts[i / 2], .end = MPROC_USER + 5};
        mproc_iterator *iterator = numbers_iterate(pool, numbers_square, &source, i % 2, 5);
        mproc_value value = mproc_int(-1);
        int64_t sum = 0, expected = 0;
        for (int n = 0; n < counts[i / 2]; n++) {
            sum += numbers_take(iterator);
            expected += n * n;
        }
        CHECK_EQ(sum, expected);
        CHECK_REFUSED(mproc_iterator_next(iterator, &value, 0), MPROC_USER + 5, "the file is torn");
        CHECK_EQ(mproc_value_int(value), -1);
        numbers_check_end(iterator);
        CHECK_EQ(source.asked, counts[i / 2] + 1);
        mproc_iterator_free(iterator);
    }
    mproc_pool_free(pool);
}

/* Nobody has taken the failure out. */
static void case_an_iterator_whose_source_has_failed_is_freed(void)
{
    mproc_pool *pool = fixture_create(1);

    for (int i = 0; i < 4; i++) {
        numbers_source source = {.count = 5, .end = MPROC_USER};
        mproc_iterator *iterator = numbers_iterate(pool, numbers_square, &source, i % 2, 20);
        for (int n = 0; n < i; n++) numbers_take(iterator);
        mproc_iterator_free(iterator);
    }
    mproc_pool_free(pool);
}

static void case_a_source_is_never_asked_for_more_than_are_in_flight(void)
{
    static const size_t in_flight[] = {1, 2, 7, 300, 0};
    mproc_pool *pool = fixture_create(2);

    for (int i = 0; i < 10; i++) {
        size_t most = in_flight[i / 2] > 0 ? in_flight[i / 2] : 64;
        numbers_source source = {.count = -1};
        mproc_iterator *iterator = numbers_iterate(pool, numbers_square, &source, i % 2, in_flight[i / 2]);
        for (int n = 0; n < 100; n++) {
            int64_t number = numbers_take(iterator);
            if (i % 2 == 0) CHECK_EQ(number, n * n);
            CHECK_EQ(source.asked - source.taken, most); /* it is full each time */
            source.taken++;
        }
        CHECK_EQ(source.most, most);
        mproc_iterator_free(iterator);
    }
    mproc_pool_free(pool);
}

static mproc_pool *own_pool;

/* Gives it the squares of 0, 1, 2, ..., which tasks of the same pool compute. */
static mproc_status next_square(void *context, mproc_value *item)
{
    numbers_source *self = context;

    if (self->asked == self->count) return MPROC_END;
    return mproc_pool_apply(own_pool, numbers_square, MPROC_ARGS(self->asked++), item);
}

static void case_a_source_waits_for_tasks_of_the_same_pool(void)
{
    numbers_source source = {.count = 50};
    mproc_iterator *iterator;

    own_pool = fixture_create(1);
    CHECK_OK(mproc_pool_imap(own_pool, numbers_square, next_square, &source,
                             &(mproc_iterator_options){.in_flight = 4}, &iterator));
    for (int64_t n = 0; n < 50; n++) CHECK_EQ(numbers_take(iterator), n * n * n * n);
    numbers_check_end(iterator);
    mproc_iterator_free(iterator);
    mproc_pool_free(own_pool);
}

static mproc_iterator *own_iterator;

/* Asks for the next result of the iterator that asks it, when all but one item are given. */
static mproc_status asks_back(void *context, mproc_value *item)
{
    numbers_source *self = context;

    if (self->asked == 2) CHECK_REFUSED(mproc_iterator_next(own_iterator, NULL, 0), MPROC_BAD_STATE, "source");
    return numbers_next(context, item);
}

static void case_a_source_that_asks_its_own_iterator_is_refused(void)
{
    mproc_pool *pool = fixture_create(1);
    numbers_source source = {.count = 10};

    CHECK_OK(mproc_pool_imap(pool, numbers_square, asks_back, &source, &(mproc_iterator_options){.in_flight = 3},
                             &own_iterator));
    for (int64_t n = 0; n < 10; n++) CHECK_EQ(numbers_take(own_iterator), n * n);
    numbers_check_end(own_iterator);
    mproc_iterator_free(own_iterator);
    mproc_pool_free(pool);
}

/* What the library uses to say that there are no more. */
static mproc_status ends_at_three(mproc_call *call)
{
    int64_t number;

    MPROC_TRY(mproc_unpack(call, &number));
    return number == 3 ? MPROC_END : mproc_call_return(call, mproc_int(number));
}

static void case_a_task_that_returns_end_is_told_from_the_end(void)
{
    mproc_pool *pool = fixture_create(1);

    for (int i = 0; i < 2; i++) {
        numbers_source source = {.count = 6};
        mproc_iterator *iterator = numbers_iterate(pool, ends_at_three, &source, i == 1, 2);
        int taken = 0;
        for (int n = 0; n < 6; n++) {
            mproc_status status = mproc_iterator_next(iterator, NULL, check_limit_ms());
            taken += status == MPROC_OK;
            if (status == MPROC_OK) continue;
            CHECK_STATUS(status, MPROC_BAD_STATE);
            CHECK_CONTAINS(mproc_last_error_text(), "a task has returned MPROC_END");
        }
        CHECK_EQ(taken, 5);
        numbers_check_end(iterator);
        mproc_iterator_free(iterator);
    }
    mproc_pool_free(pool);
}

CHECK_TWINS(pool_iterators, fixture_of_processes, pool_iterators_threads, fixture_of_threads,
    CASE(imap_gives_results_in_the_order_of_the_items),
    CASE(imap_unordered_gives_each_result_once),
    CASE(unordered_goes_on_past_an_item_that_stays),
    CASE(a_result_that_is_not_there_in_time_comes_later),
    CASE(a_wait_for_the_next_result_is_interrupted_and_it_comes_later),
    CASE(one_thread_after_the_other_takes_results_out),
    CASE(an_empty_source_is_at_its_end_at_once),
    CASE(a_source_that_fails_does_so_after_its_items),
    CASE(an_iterator_whose_source_has_failed_is_freed),
    CASE(a_source_waits_for_tasks_of_the_same_pool),
    CASE(a_task_that_returns_end_is_told_from_the_end),
    CASE(a_source_that_asks_its_own_iterator_is_refused),
    CASE(a_source_is_never_asked_for_more_than_are_in_flight),
);
