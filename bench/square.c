#include "square.h"

#include "measure.h"

mproc_status square_item(const void *item, void *result, mproc_call *call)
{
    int64_t number = *(const int64_t *)item;

    (void)call;
    *(int64_t *)result = number * number;
    return MPROC_OK;
}

mproc_status square_range(size_t first, size_t count, const void *items, void *results, mproc_call *call)
{
    const int64_t *numbers = items;
    int64_t *squares = results;

    (void)first;
    (void)call;
    for (size_t i = 0; i < count; i++) squares[i] = numbers[i] * numbers[i];
    return MPROC_OK;
}

mproc_status square_work(const void *item, void *result, mproc_call *call)
{
    (void)result;
    (void)call;
    measure_work(*(const int64_t *)item);
    return MPROC_OK;
}

void square_fill(int64_t *items, int64_t *results, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        items[i] = (int64_t)i;
        results[i] = -1;
    }
}

void square_check(const int64_t *items, const int64_t *results, size_t count)
{
    for (size_t i = 0; i < count; i++) measure_require(results[i] == items[i] * items[i], "all squares are right");
}
