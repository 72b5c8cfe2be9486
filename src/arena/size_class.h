/* Sizes in four steps to each doubling: 64, 80, 96, 112, 128, 160, ... */
#ifndef MPROC_ARENA_SIZE_CLASS_H
#define MPROC_ARENA_SIZE_CLASS_H

#include <stdint.h>

#define SIZE_CLASS_BYTES_MIN ((uint64_t)64)
#define SIZE_CLASS_STEPS 4 /* between two powers of two */

static inline uint64_t size_class_bytes(uint32_t size_class)
{
    return (SIZE_CLASS_BYTES_MIN / SIZE_CLASS_STEPS * (SIZE_CLASS_STEPS + size_class % SIZE_CLASS_STEPS))
           << size_class / SIZE_CLASS_STEPS;
}

/*
 * The largest class of at most so many bytes, 64 at least. The doublings are found by halving the distance, which is
 * shorter for what is small.
 */
static inline uint32_t size_class_below(uint64_t bytes)
{
    uint32_t doublings = 0;

    for (uint32_t half = bytes < 65536 ? 8 : 32; half > 0; half /= 2)
        if (bytes >> (doublings + half) >= SIZE_CLASS_BYTES_MIN) doublings += half;
    return SIZE_CLASS_STEPS * doublings +
           (uint32_t)(bytes >> doublings) / (uint32_t)(SIZE_CLASS_BYTES_MIN / SIZE_CLASS_STEPS) - SIZE_CLASS_STEPS;
}

/* The smallest class of at least so many bytes: at most a quarter is wasted. */
static inline uint32_t size_class_of(uint64_t bytes)
{
    return bytes <= SIZE_CLASS_BYTES_MIN ? 0 : size_class_below(bytes - 1) + 1;
}

#endif
