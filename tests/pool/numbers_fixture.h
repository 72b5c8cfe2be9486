/* What the tests of iterators share, beside tasks_fixture.h: a source of numbers. */
#ifndef NUMBERS_FIXTURE_H
#define NUMBERS_FIXTURE_H

#include "pool/tasks_fixture.h"

/* A source of 0, 1, 2, ...: of these alone, or, with a board, of lists of it and these, which is what tasks want. */
typedef struct numbers_source {
    fixture_board *board;
    int64_t count;    /* of items; -1: no end */
    mproc_status end; /* if not MPROC_OK, it fails there */
    int64_t asked;    /* so often */
    int64_t taken;    /* out of the iterator: what the case counts */
    int64_t most;     /* were ever asked for and not taken */
    mproc_value item[2];
} numbers_source;

/* The source's function. */
mproc_status numbers_next(void *context, mproc_value *item);

/* An iterator over it, which has asked for nothing yet. */
mproc_iterator *numbers_iterate(mproc_pool *pool, mproc_function *function, numbers_source *source, bool unordered,
                                size_t in_flight);

/* The next value, which is an integer. */
int64_t numbers_take(mproc_iterator *iterator);

/* It is at its end, and stays there. */
void numbers_check_end(mproc_iterator *iterator);

/* Tasks: returns the square of a number alone. */
mproc_status numbers_square(mproc_call *call);

/* Of a number with its board: counts it and returns it; but for 3, with which it stays. */
mproc_status numbers_stay_at_three(mproc_call *call);

#endif
