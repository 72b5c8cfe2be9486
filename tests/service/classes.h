/* Classes that the tests of objects make objects of, and how they call them. */
#ifndef CLASSES_H
#define CLASSES_H

#include "manager/serving.h"

/* For CHECK_SUITE_SETUP: as serving_setup(), and an object was there. */
void classes_setup(void);

/*
 * "Counter": made with a number. What each method does stands beside it in classes.c; `destroyed` counts ends in this
 * process.
 */
extern const mproc_class classes_counter;
extern _Atomic uint32_t classes_destroyed;
void classes_await_destroyed(uint32_t count);

mproc_object *classes_create(const mproc_class *class_, mproc_args args);
mproc_object *classes_counter_at(int64_t value);

/* The number that comes of a call that succeeds. */
int64_t classes_int(mproc_object *object, const char *method, mproc_args args);

/* A call that fails so. */
void classes_says(mproc_object *object, const char *method, mproc_args args, mproc_status status, const char *text);

/* Another process that has a counter, at 2, until `end` is set. */
typedef struct classes_server {
    mproc_process *process;
    mproc_object *counter;
    mproc_event *end;
} classes_server;

classes_server classes_start_server(void);
void classes_free_server(classes_server *self);

#endif
