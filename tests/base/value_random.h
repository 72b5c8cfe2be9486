/* Values of any shape, made of random numbers or of a fuzzer's bytes. */
#ifndef VALUE_RANDOM_H
#define VALUE_RANDOM_H

#include <mproc/value.h>

/* Where choices come from: `bytes` until they end, then zeros; or, if `bytes` is NULL, a sequence from `state`. */
struct value_source {
    const unsigned char *bytes;
    size_t size;
    uint64_t state; /* not 0 */
};

/* What a value borrows. */
struct value_tree {
    mproc_value items[4096];
    size_t items_used;
    char text[32768];
    size_t text_used;
};

uint64_t value_choose(struct value_source *source, uint64_t choices);

/* A value that can be encoded. Every type comes, but objects and functions; empty, short and long; nested. */
mproc_value value_random(struct value_source *source, struct value_tree *tree, int depth);

/* Reads all that is in a value, and finds each key of each map; returns some sum of it. */
uint64_t value_walk(mproc_value value);

#endif
