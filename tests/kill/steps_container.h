/*
 * What the scenarios of containers share: a container of the root, of which the victim has a reference of its own. A
 * scenario says what is there before, and what the victim does; that is tried once, to know what is there after. If
 * it is about objects in values there is a lock, too, whose handles are counted.
 */
#ifndef KILL_STEPS_CONTAINER_H
#define KILL_STEPS_CONTAINER_H

#include "steps.h"
#include "test_family.h"

#include "object/reference.h"

#include <mproc/call.h>
#include <mproc/lock.h>
#include <mproc/value.h>

#define TEXT(x) MPROC_VALUE(x)

/* `it` is a reference of the container. */
struct container_kind {
    enum object_kind object;
    mproc_status (*make)(enum object_kind object, struct reference **it); /* an empty one */
    mproc_status (*copy)(const void *it, mproc_value *copy);

    /* Returns what is wrong with it, or NULL. */
    const char *(*sound)(const void *it);

    /* Others go on with it: things come, also so many that it grows, and the same things go. */
    mproc_status (*use)(void *it);
    mproc_status (*use_less)(void *it);
};

/* `fill` puts into an empty one what is there before; `change` is what the victim does. */
struct container_change {
    const struct container_kind *kind;
    void (*fill)(void *it);
    mproc_status (*change)(void *it);
    bool objects;
};

/* Longer than what a value itself has room for, and of two sizes. */
extern const char test_text[], test_other[];

/* Another in each trial: free memory has none that is to come. */
extern int64_t test_number;

/* Of scenarios about objects. */
extern mproc_lock *test_lock;

/* The victim's. */
extern void *test_container_mine;

void test_must(mproc_status status);

/* Of pops: what was got is given back. */
mproc_status test_cleared(mproc_status status, mproc_value *value);

/* For updates: makes of a value a list that has it twice. */
mproc_status test_doubles(mproc_call *call);

/* A change that is one call. */
#define CONTAINER_CHANGE(it, name, call) \
    static mproc_status name(void *it)   \
    {                                    \
        return call;                     \
    }

/* For step_scenario. Afterwards it is what it was before, or after: that, if the change has returned. */
void test_container_begin(void *state);
void test_container_enter(void *state);
void test_container_operation(void *state);
void test_container_recover(void *state);
const char *test_container_check(void *state, bool completed);

/* Where the victim alone has containers. */
void test_container_begin_alone(void *state);
void test_container_enter_alone(void *state);
void test_container_free_mine(void *state);

#define CONTAINER_RECOVERED                                                                                       \
    .recover_enter = test_family_enter_recoverer, .recover = test_container_recover, .teardown = test_family_end, \
    .slow = true, .sparse = true

#define CONTAINER_SCENARIO(...)                                                                          \
    .about = &(const struct container_change){__VA_ARGS__}, .setup = test_container_begin,               \
    .enter = test_container_enter, .operation = test_container_operation, .check = test_container_check, \
    CONTAINER_RECOVERED

#define CONTAINER_ALONE(enter_, operation_)                                                                    \
    .setup = test_container_begin_alone, .enter = enter_, .operation = operation_, .check = test_family_check, \
    CONTAINER_RECOVERED

#endif
