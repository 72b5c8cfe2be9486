#include "pool/numbers_fixture.h"

mproc_status numbers_next(void *context, mproc_value *item)
{
    numbers_source *self = context;
    int64_t number = self->asked++;

    if (number == self->count && self->end != MPROC_OK) return mproc_error(self->end, "the file is torn");
    if (number == self->count) return MPROC_END;
    CHECK(self->count < 0 || number < self->count); /* nobody asks once more */
    if (self->asked - self->taken > self->most) self->most = self->asked - self->taken;
    self->item[0] = mproc_uint(fixture_board_offset(self->board));
    self->item[1] = mproc_int(number);
    *item = self->board ? mproc_list_from(self->item, 2) : self->item[1];
    return MPROC_OK;
}

mproc_iterator *numbers_iterate(mproc_pool *pool, mproc_function *function, numbers_source *source, bool unordered,
                                size_t in_flight)
{
    mproc_iterator_options options = {
        .unordered = unordered, .unpack = source->board != NULL, .in_flight = in_flight};
    mproc_iterator *iterator = NULL;

    CHECK_OK(mproc_pool_imap(pool, function, numbers_next, source, &options, &iterator));
    CHECK_EQ(source->asked, 0);
    return iterator;
}

int64_t numbers_take(mproc_iterator *iterator)
{
    mproc_value value = mproc_nil();
    int64_t number;

    CHECK_OK(mproc_iterator_next(iterator, &value, check_limit_ms()));
    number = mproc_value_int(value);
    mproc_value_clear(&value);
    return number;
}

/* It stays at its end. */
void numbers_check_end(mproc_iterator *iterator)
{
    mproc_value value = mproc_int(-1);

    for (int i = 0; i < 3; i++)
        CHECK_REFUSED(mproc_iterator_next(iterator, &value, i * 5), MPROC_END, "the iterator is at its end");
    CHECK_STATUS(mproc_iterator_next(iterator, NULL, MPROC_FOREVER), MPROC_END);
    CHECK_EQ(mproc_value_int(value), -1);
}

mproc_status numbers_square(mproc_call *call)
{
    int64_t number;

    MPROC_TRY(mproc_unpack(call, &number));
    return mproc_call_return(call, mproc_int(number * number));
}

mproc_status numbers_stay_at_three(mproc_call *call)
{
    int64_t number;

    tasks_arguments(call, &number);
    return number == 3 ? tasks_stay(call) : tasks_count(call);
}
