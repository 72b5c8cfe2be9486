/*
 * The methods of objects in other programs: what each is given, in which order, and whether something comes of it.
 * One table for each kind says so to both sides; docs/manager-protocol.md says it to others.
 *
 * The public functions of a kind look where their object is before anything else: see method_is_remote(). Where it
 * is, the kind's row `call` reads what has come, and calls them.
 */
#ifndef MPROC_PROCESS_METHODS_H
#define MPROC_PROCESS_METHODS_H

#include "process/family.h"

/*
 * `takes` has a letter for each value:
 *   k   any value: the key, of what has keys
 *   v   any value
 *   i   an int64, as a value
 *   n   an int64, as a number
 *   y   bytes, as a value
 *   b   a bound of a slice: an int64, or nil, which leaves it out, METHOD_OPEN
 *   f   a bool, as a number
 *   t   a time limit, as a number: the method itself may wait for so long
 * `gives`: something comes of it, and is what it is called for.
 */
struct method {
    uint32_t number;
    bool gives;
    const char *takes;
};

#define METHOD_OPEN INT64_MIN

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
 * proxies. MPROC_NOT_SUPPORTED: there is no such method; MPROC_INVALID: what comes of it has no place to go to;
 * MPROC_FORKED: the object is that of another family.
 */
mproc_status method_call(const struct reference *reference, const struct method *methods, uint32_t number,
                         const struct method_given *given, mproc_value *result);

/* The same of one that is given nothing, and of which nothing comes. */
mproc_status method_do(const struct reference *reference, const struct method *methods, uint32_t number);

/* The same of one that is given a time limit alone. `result` is NULL if nothing comes of it. */
mproc_status method_wait(const struct reference *reference, const struct method *methods, uint32_t number,
                         int64_t timeout_ms, mproc_value *result);

/* The same of one that counts; 0 after a failure. */
size_t method_count(const struct reference *reference, const struct method *methods, uint32_t number);

/* The same of one that says whether; false after a failure. */
bool method_says(const struct reference *reference, const struct method *methods, uint32_t number);

/* MPROC_NOT_SUPPORTED: it cannot be done from afar. `what` is such as "locked". */
mproc_status method_refuse(const struct reference *reference, const char *what);

/* What a public call does first. False: this process is a member of the object's family, and has the object. */
static inline bool method_is_remote(const struct reference *reference)
{
    return thread_self.arena != reference->arena &&
           (family_enter_with_slow(reference->arena) != MPROC_OK || reference->arena == REFERENCE_REMOTE);
}

#endif
