#include "bench.h"

#include <stdlib.h>
#include <string.h>

static int compare_numbers(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return (a > b) - (a < b);
}

double bench_median(double *numbers, size_t count)
{
    qsort(numbers, count, sizeof numbers[0], compare_numbers);
    if (count % 2 != 0) return numbers[count / 2];
    return (numbers[count / 2 - 1] + numbers[count / 2]) / 2;
}

void bench_series_summarize(bench_series *series)
{
    double sorted[BENCH_SAMPLES_MAX];

    if (series->count == 0) return;
    for (int value = 0; value < BENCH_VALUES_MAX; value++) {
        memcpy(sorted, series->samples[value], series->count * sizeof sorted[0]);
        series->median[value] = bench_median(sorted, series->count);
        series->low[value] = sorted[0];
        series->high[value] = sorted[series->count - 1];
    }
}

/* xorshift64: all that shuffling needs. */
uint64_t bench_random(uint64_t *state)
{
    uint64_t x = *state;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *state = x;
    return x;
}
