/*
 * What has a lock that can be acquired, released and recovered - locks, rlocks, shared values and arrays - by one
 * set of functions, so that a case may be about all of them.
 */
#ifndef LOCKABLE_H
#define LOCKABLE_H

#include <mproc/mproc.h>

#include "check.h"

enum { LOCKABLES = 4 };

/* The kinds, MPROC_KIND_LOCK first. */
extern const mproc_object_kind lockables[LOCKABLES];

/* An object whose lock nobody holds; `recover`: with the option of that name. */
void *lockable_create(mproc_object_kind kind, bool recover);
void lockable_free(void *object);

mproc_status lockable_acquire(void *object, int64_t timeout_ms);
mproc_status lockable_release(void *object);
mproc_status lockable_recover(void *object, int64_t timeout_ms);

/* Whether the thread that holds it may acquire it again: all but a lock. */
bool lockable_nests(const void *object);

/* Checks that it can be had, as often as its kind can be, and is free afterwards. */
void lockable_check_free(void *object);

/* Checks that only who recovers it can have it; and recovers it, after which it is free. */
void lockable_check_abandoned(void *object);
void lockable_check_recovers(void *object);

#endif
