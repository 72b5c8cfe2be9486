/*
 * The methods of containers in other programs: what each is given, in which order, and whether something comes of it.
 * One table for each kind says so to both sides; docs/manager-protocol.md says it to others.
 */
#ifndef MPROC_CONTAINER_METHODS_H
#define MPROC_CONTAINER_METHODS_H

#include "object/reference.h"

/*
 * `takes` has a letter for each value:
 *   k   any value: the key, of what has keys
 *   v   any value
 *   i   an int64, as a value
 *   n   an int64, as a number
 *   b   a bound of a slice: an int64, or nil, which leaves it out
 *   f   a bool, as a number
 * `gives`: something comes of it, and is what it is called for.
 */
struct method {
    uint32_t number;
    bool gives;
    const char *takes;
};

/* What a method is given, here. `at` is its numbers, in their order; NULL: it takes none. */
struct method_given {
    const mproc_value *key, *value;
    const int64_t *at;
};

/* No method has more numbers. */
#define METHOD_NUMBERS_MAX 3

/*
 * Reads what came from another program. `methods` are those of the kind, with a number of 0 behind the last one.
 * `given` refers to `values`, and to `numbers`, of which there are METHOD_NUMBERS_MAX. MPROC_NOT_SUPPORTED: there is
 * no such method. MPROC_INVALID: it takes others, or another number of them.
 */
mproc_status method_read(const struct reference *reference, const struct method *methods, uint32_t number,
                         const mproc_value *values, size_t count, int64_t *numbers, struct method_given *given);

/*
 * Calls a method of what is in another program. `given` has all that the method takes. As <mproc/manager.h> says for
 * proxies. MPROC_NOT_SUPPORTED: there is no such method; MPROC_INVALID: what comes of it
 * has no place to go to.
 */
mproc_status method_call(const struct reference *reference, const struct method *methods, uint32_t number,
                         const struct method_given *given, mproc_value *result);

/* The same of one that counts; 0 after a failure. */
size_t method_count(const struct reference *reference, const struct method *methods, uint32_t number);

#endif
