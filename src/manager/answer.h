/* Answers of managers, as a client takes them. */
#ifndef MPROC_MANAGER_ANSWER_H
#define MPROC_MANAGER_ANSWER_H

#include "manager/connections.h"

/* In the bytes that were received. `result` is a view of them. */
struct answer {
    int64_t number;
    mproc_status status;
    const char *text; /* "" if there is none */
    mproc_value result;
    uint32_t objects;
    bool holds; /* the thread that has done it, there, holds something */
};

/* MPROC_INVALID: it is none. */
mproc_status answer_read(const mproc_value *bytes, struct answer *answer);

/*
 * Gives the result, if the status is MPROC_OK, to `*result`, unless that is NULL: a copy that keeps the objects in
 * it. Returns the answer's status, with its text; MPROC_NO_MEMORY; MPROC_BROKEN: an object cannot be.
 */
mproc_status answer_take(struct client *client, const struct answer *answer, mproc_value *result);

/* Gives back the objects in it. */
void answer_discard(struct client *client, const struct answer *answer);

#endif
