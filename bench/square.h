/* What is mapped: one function, compiled alike for the library's workers and for its rivals. */
#ifndef BENCH_SQUARE_H
#define BENCH_SQUARE_H

#include <mproc/pool.h>
#include <stddef.h>
#include <stdint.h>

mproc_status square_item(const void *item, void *result, mproc_call *call);
mproc_status square_range(size_t first, size_t count, const void *items, void *results, mproc_call *call);

/* Writes what is to be squared, and what no square is. */
void square_fill(int64_t *items, int64_t *results, size_t count);

/* The arrays of `count` numbers, filled. False: there is no memory. */
bool square_arrays(size_t count, int64_t **items, int64_t **results);

/* Whether all results are right. */
bool square_check(const int64_t *items, const int64_t *results, size_t count);

#endif
