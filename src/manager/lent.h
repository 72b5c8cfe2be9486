/*
 * The objects that one client has: by numbers, each with a reference of this process, and how many references the
 * client was given. An object has one number. What calls use meanwhile stays, also if it is given back.
 */
#ifndef MPROC_MANAGER_LENT_H
#define MPROC_MANAGER_LENT_H

#include "manager/message.h"
#include "object/reference.h"
#include "platform.h"

/*
 * `reference` is NULL in a free place. `used` is how many calls use it. The number is the index and 1, as 0 is the
 * manager. `next` is in its bucket, or free.
 */
struct lent_object {
    struct reference *reference;
    uint32_t given;
    uint32_t used;
    uint32_t next;
};

/*
 * `mutex` guards all. Zeroed memory is an empty one. `buckets` are as many as places, a power of two: the index and
 * 1, or 0.
 */
struct lent {
    plat_mutex mutex;
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
 * Writes references into a value that was received, in the place of numbers, and uses the objects, until
 * lent_read_done(). MPROC_INVALID: the client has not all; then nothing is used.
 */
mproc_status lent_read(struct lent *lent, const mproc_value *value);
void lent_read_done(struct lent *lent, const mproc_value *value);

/* Uses the object of a number until lent_use_done(). NULL: the client has it not. */
struct reference *lent_use(struct lent *lent, uint64_t number);
void lent_use_done(struct lent *lent, uint64_t number);

/* The kind of the object, or OBJECT_NONE. */
uint32_t lent_kind(struct lent *lent, uint64_t number);

/* `count` references are back. False: there are not so many. */
bool lent_back(struct lent *lent, uint64_t number, uint64_t count);

/* How many more objects there are than `*counted`, which is as many then. */
size_t lent_count_more(struct lent *lent, uint32_t *counted);

/* All are back. Nobody uses them. */
void lent_clear(struct lent *lent);

#endif
