/*
 * One object of each kind, for the tests of objects in values: made, told to tasks, used and counted.
 */
#ifndef ALL_OBJECTS_H
#define ALL_OBJECTS_H

#include <mproc/mproc.h>

#include "check.h"

enum { ALL_OBJECTS_ITEMS = 5 };

typedef struct all_objects {
    mproc_lock *lock;
    mproc_rlock *rlock;
    mproc_semaphore *semaphore;
    mproc_condition *condition;
    mproc_event *event;
    mproc_barrier *barrier;
    mproc_shared_value *value;
    mproc_shared_array *array;
} things;

void all_objects_create(things *all);
void all_objects_free(const things *all);

/* They as a list: a task's arguments, or one of these. */
#define ALL_OBJECTS_LIST(all)                                                                               \
    MPROC_LIST((all)->lock, (all)->rlock, (all)->semaphore, (all)->condition, (all)->event, (all)->barrier, \
               (all)->value, (all)->array)

/* In a task, the other way round: from the arguments, and from a list. */
mproc_status all_objects_unpack(const mproc_call *call, things *all);
mproc_status all_objects_from(mproc_value list, things *all);

/* Uses each once, which everybody sees who has a reference, and waits for nobody for long. */
void all_objects_use(const things *all);

/* Whether each was used so often, and is free. */
void all_objects_check(const things *all, int uses);

#endif
