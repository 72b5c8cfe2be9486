/*
 * The keys of the dicts that are measured, here and at the rivals': "key0", "key1" and so on. They are taken in any
 * order, so that neither side foresees where the next one lies.
 */
#ifndef BENCH_KEYS_H
#define BENCH_KEYS_H

#include "measure.h"

#include <stdio.h>
#include <stdlib.h>

struct key {
    uint32_t size;
    char text[12];
};

static inline struct key *keys_create(size_t count)
{
    struct key *keys = calloc(count, sizeof keys[0]);

    if (!keys) abort();
    for (size_t i = 0; i < count; i++)
        keys[i].size = (uint32_t)snprintf(keys[i].text, sizeof keys[i].text, "key%u", (unsigned)i % 10000000u);
    return keys;
}

/* One of `count` keys from the first on; `*state` is any number at first. */
static inline const struct key *keys_any(const struct key *first, size_t count, uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return &first[(uint64_t)*state * count >> 32];
}

#endif
