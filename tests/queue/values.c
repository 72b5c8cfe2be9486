/* Values of every type through a queue, by another process or thread and back. */
#include "queue/queues.h"

#include <math.h>
#include <stdlib.h>

/* ---- an echo ------------------------------------------------------------------------------------ */

/* Gets from one queue and puts into the other, `extra` items. */
static void echoes(peer *self)
{
    for (int64_t i = 0; i < self->extra; i++) {
        mproc_value value = mproc_nil();
        CHECK_OK(mproc_queue_get(self->object, &value, MPROC_FOREVER));
        CHECK_OK(mproc_queue_put(self->other, value, MPROC_FOREVER));
        mproc_value_clear(&value);
    }
}

/* All are in the first queue before the first comes back. */
static void check_echo(const mproc_value *values, int count)
{
    mproc_queue *there = queues_create(0, 0), *back = queues_create(0, 0);
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd.other = back;
    crowd.extra = count;
    for (int i = 0; i < count; i++) CHECK_OK(mproc_queue_put(there, values[i], 0));
    CHECK_EQ(mproc_queue_size(there), count);
    crowd_add(&crowd, 1, echoes, there);
    for (int i = 0; i < count; i++) {
        mproc_value value = mproc_nil();
        CHECK_OK(mproc_queue_get(back, &value, check_limit_ms()));
        CHECK_EQ(mproc_value_type(value), mproc_value_type(values[i]));
        CHECK(mproc_value_equal(value, values[i]));
        mproc_value_clear(&value);
    }
    crowd_fini(&crowd);
    CHECK(mproc_queue_empty(there) && mproc_queue_empty(back));
    mproc_queue_free(there);
    mproc_queue_free(back);
}

static void case_plain_values_arrive(void)
{
    mproc_value values[] = {mproc_nil(),       mproc_bool(true),     mproc_bool(false),      mproc_int(0),
                            mproc_int(-1),     mproc_int(INT64_MIN), mproc_int(INT64_MAX),   mproc_uint(UINT64_MAX),
                            mproc_double(0.5), mproc_double(-0.0),   mproc_double(HUGE_VAL), mproc_double(NAN)};

    check_echo(values, (int)(sizeof values / sizeof values[0]));
}

/* Their encodings lie in a record, up to 2 KiB, or in a block. */
static const size_t sizes[] = {0,    1,    7,    8,    20,    255,   256,        2000,   2015,
                               2016, 2017, 4096, 8192, 32760, 32768, 100 * 1024, 3 << 20};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void check_texts(bool strings)
{
    mproc_value values[SIZES];
    char *text = malloc(sizes[SIZES - 1]);

    CHECK(text != NULL);
    for (size_t i = 0; i < sizes[SIZES - 1]; i++) text[i] = (char)('a' + (i + (i >> 8)) % 26);
    for (int i = 0; i < SIZES; i++)
        values[i] = strings ? mproc_string_from(text + i, sizes[i] - (sizes[i] > 20 ? 20 : 0))
                            : mproc_bytes(text + i, sizes[i] - (sizes[i] > 20 ? 20 : 0));
    check_echo(values, SIZES);
    free(text);
}

static void case_strings_of_every_size_arrive(void)
{
    check_texts(true);
}

static void case_values_of_bytes_of_every_size_arrive(void)
{
    check_texts(false);
}

static void case_lists_and_maps_arrive(void)
{
    enum { MANY = 20000 };
    mproc_value *numbers = malloc(2 * MANY * sizeof *numbers);
    mproc_value values[6];

    CHECK(numbers != NULL);
    for (int i = 0; i < 2 * MANY; i++) numbers[i] = mproc_int(i);
    values[0] = mproc_list_from(NULL, 0);
    values[1] = mproc_map_from(NULL, 0);
    values[2] = MPROC_LIST(1, "two", 3.0, MPROC_LIST(4, MPROC_MAP("five", mproc_nil())));
    values[3] = MPROC_MAP("name", "f1", "count", 2, "tags", MPROC_LIST("a", "b"), "none", mproc_nil());
    values[4] = mproc_list_from(numbers, 2 * MANY);
    values[5] = mproc_map_from(numbers, MANY);
    check_echo(values, 6);
    free(numbers);
}

/* ---- functions ---------------------------------------------------------------------------------- */

static mproc_status is_called(mproc_call *call)
{
    (void)call;
    return MPROC_BROKEN;
}

static void calls_what_it_gets(peer *self)
{
    mproc_function *function = NULL;
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_queue_get(self->object, &value, MPROC_FOREVER));
    CHECK_OK(mproc_value_to(mproc_value_at(value, 1), &function));
    CHECK(function == is_called);
    CHECK_OK(mproc_queue_put(self->other, mproc_int(function(NULL)), 0));
    mproc_value_clear(&value);
}

static void case_functions_arrive(void)
{
    mproc_queue *there = queues_create(0, 0), *back = queues_create(0, 0);
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd.other = back;
    crowd_add(&crowd, 1, calls_what_it_gets, there);
    CHECK_OK(mproc_queue_put(there, MPROC_LIST("call", is_called), 0));
    CHECK_EQ(queues_get_int(back), MPROC_BROKEN);
    crowd_fini(&crowd);
    mproc_queue_free(there);
    mproc_queue_free(back);
}

CHECK_TWINS(queue_values, peers_of_processes, queue_values_threads, peers_of_threads,
    CASE(plain_values_arrive),
    CASE(strings_of_every_size_arrive),
    CASE(values_of_bytes_of_every_size_arrive),
    CASE(lists_and_maps_arrive),
    CASE(functions_arrive),
);
