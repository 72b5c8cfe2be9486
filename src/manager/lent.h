/*
 * The objects that one client has: by numbers, each with a reference of this process, and how many references the
 * client was given. An object has one number.
 */
#ifndef MPROC_MANAGER_LENT_H
#define MPROC_MANAGER_LENT_H

#include "manager/message.h"
#include "object/reference.h"

/*
 * `given` is 0 in a free place. The number is the index and 1, as 0 is the manager. `next` is in its bucket, or free.
 */
struct lent_object {
    struct reference *reference;
    uint32_t given;
    uint32_t next;
};

/* Zeroed memory is an empty one. `buckets` are as many as places, a power of two: the index and 1, or 0. */
struct lent {
    struct lent_object *objects;
    uint32_t *buckets;
    uint32_t room;
    uint32_t count;
    uint32_t free; /* index and 1 */
};

/*
 * Writes numbers into a message in the place of its objects, of which somebody has references meanwhile, and counts
 * them as given. MPROC_NOT_SUPPORTED: one is not served to others; MPROC_LIMIT: there are more than `max`;
 * MPROC_NO_MEMORY; then nothing is given. The message is of no use then.
 */
mproc_status lent_write(struct lent *lent, const struct message *message, uint32_t max);

/*
 * Writes references into a value that was received, in the place of numbers. MPROC_INVALID: the client has not all.
 */
mproc_status lent_read(const struct lent *lent, const mproc_value *value);

/* The object of a number, or NULL. */
struct reference *lent_find(const struct lent *lent, uint64_t number);

/* `count` references are back. False: there are not so many. */
bool lent_back(struct lent *lent, uint64_t number, uint64_t count);

/* All are back. */
void lent_clear(struct lent *lent);

#endif
