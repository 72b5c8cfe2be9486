/*
 * A map that takes a while, and a bar that shows how far it is: drawn on stderr while the map runs, if that is a
 * terminal, with the rate and the time that is left. (Python: imap() in a loop, or another library.)
 */
#include <mproc/mproc.h>

#include <stdio.h>

#include "progress/terminal.h"

enum { BLOCKS = 2000, NUMBERS = 1000, WIDTH = 40 };

/* How many primes there are among the thousand numbers of a block. */
static mproc_status count_primes(const void *item, void *result, mproc_call *call)
{
    int first = *(const int *)item * NUMBERS, count = 0;

    (void)call;
    for (int number = first > 2 ? first : 2; number < first + NUMBERS; number++) {
        int divisor = 2;
        while (divisor * divisor <= number && number % divisor != 0) divisor++;
        count += divisor * divisor > number;
    }
    *(int *)result = count;
    return MPROC_OK;
}

static void draw_bar(const mproc_progress *progress, void *context)
{
    char bar[WIDTH + 1] = {0};
    int filled = progress->total > 0 ? (int)(progress->done * WIDTH / progress->total) : WIDTH;

    (void)context;
    for (int i = 0; i < WIDTH; i++) bar[i] = i < filled ? '=' : i == filled ? '>' : ' ';
    fprintf(stderr, "\r[%s] %llu of %llu, %.0f/s", bar, (unsigned long long)progress->done,
            (unsigned long long)progress->total, progress->rate);
    if (progress->left_ms >= 0) fprintf(stderr, ", %lld s left  ", (long long)(progress->left_ms + 999) / 1000);
    if (progress->done == progress->total) fputc('\n', stderr);
    fflush(stderr);
}

int main(void)
{
    mproc_map_options options = {.progress = NULL};
    static int blocks[BLOCKS], counts[BLOCKS];
    mproc_pool *pool;
    int primes = 0;

    mproc_main_guard();

    for (int i = 0; i < BLOCKS; i++) blocks[i] = i;
    if (terminal_sees_stderr()) options.progress = draw_bar;
    mproc_check(mproc_pool_create(NULL, &pool));
    mproc_check(mproc_map(pool, count_primes, blocks, counts, BLOCKS, &options));
    mproc_pool_free(pool);
    for (int i = 0; i < BLOCKS; i++) primes += counts[i];
    printf("%d primes below %d\n", primes, BLOCKS * NUMBERS);
    return 0;
}
