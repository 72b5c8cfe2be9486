/* What is mapped: functions, compiled alike for the library's workers and for its rivals. */
#ifndef BENCH_SQUARE_H
#define BENCH_SQUARE_H

#include <mproc/map.h>
#include <stddef.h>
#include <stdint.h>

mproc_status square_item(const void *item, void *result, mproc_call *call);
mproc_status square_range(size_t first, size_t count, const void *items, void *results, mproc_call *call);

/* Works for as many nanoseconds as the item says. */
mproc_status square_work(const void *item, void *result, mproc_call *call);

/* Writes what is to be squared, and what no square is. */
void square_fill(int64_t *items, int64_t *results, size_t count);

/* Ends the program unless all results are right. */
void square_check(const int64_t *items, const int64_t *results, size_t count);

#endif
