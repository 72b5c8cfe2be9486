/*
 * The plugin. Its host has no main guard, and cannot have one: so children are not the host started anew, but a
 * program of the plugin's own, which opens this library when it is asked for a function of it.
 */
#include "primes.h"

#include <mproc/mproc.h>
#include <stdio.h>

#define PARTS 8

static bool is_prime(int number)
{
    for (int divisor = 2; divisor * divisor <= number; divisor++)
        if (number % divisor == 0) return false;
    return number >= 2;
}

/* Runs in a worker: counts the primes of one part, [first, first + size). */
static mproc_status count_part(const void *item, void *result, mproc_call *call)
{
    const int *part = item;
    int *count = result;

    (void)call;
    *count = 0;
    for (int number = part[0]; number < part[0] + part[1]; number++) *count += is_prime(number);
    return MPROC_OK;
}

static mproc_status count_all(mproc_pool *pool, int limit, int *sum)
{
    int parts[PARTS][2], counts[PARTS];
    int size = (limit + PARTS - 1) / PARTS;

    for (int i = 0; i < PARTS; i++) {
        parts[i][0] = i * size;
        parts[i][1] = i < PARTS - 1 ? size : limit - i * size;
    }
    MPROC_TRY(mproc_map(pool, count_part, parts, counts, PARTS, NULL));
    *sum = 0;
    for (int i = 0; i < PARTS; i++) *sum += counts[i];
    return MPROC_OK;
}

int primes_count(const char *worker, int limit)
{
    mproc_pool *pool = NULL;
    int sum = -1;
    mproc_status status = mproc_set_executable(worker);

    if (status == MPROC_OK) status = mproc_pool_create(&(mproc_pool_options){.workers = 2}, &pool);
    if (status == MPROC_OK) status = count_all(pool, limit, &sum);
    if (status != MPROC_OK) fprintf(stderr, "primes: %s\n", mproc_last_error_text());
    mproc_pool_free(pool); /* nothing runs on: the host never calls the library at its end */
    return sum;
}
