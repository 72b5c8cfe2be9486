/*
 * One object of each kind, for the tests of objects in values: made, told to tasks, used and counted.
 */
#ifndef THINGS_H
#define THINGS_H

#include <mproc/mproc.h>

#include "check.h"

enum { THINGS_ITEMS = 5 };

typedef struct things {
    mproc_lock *lock;
    mproc_rlock *rlock;
    mproc_semaphore *semaphore;
    mproc_condition *condition;
    mproc_event *event;
    mproc_barrier *barrier;
    mproc_shared_value *value;
    mproc_shared_array *array;
} things;

void things_create(things *all);
void things_free(const things *all);

/* They as a list: a task's arguments, or one of these. */
#define THINGS_LIST(all)                                                                                    \
    MPROC_LIST((all)->lock, (all)->rlock, (all)->semaphore, (all)->condition, (all)->event, (all)->barrier, \
               (all)->value, (all)->array)

/* In a task, the other way round: from the arguments, and from a list. */
mproc_status things_unpack(const mproc_call *call, things *all);
mproc_status things_from(mproc_value list, things *all);

/* Uses each once, which everybody sees who has a reference, and waits for nobody for long. */
void things_use(const things *all);

/* Whether each was used so often, and is free. */
void things_check(const things *all, int uses);

#endif
