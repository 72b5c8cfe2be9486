/*
 * A stress over one container: each process has things of its own in it - keys, elements, values - and changes them;
 * it is killed at random. What it has written down before and after each change is the model: after its death its
 * things are what the model says, before the change that it was in the middle of or after it. All count together, and
 * look whether what others have is whole.
 */
#ifndef KILL_STRESS_CONTAINER_H
#define KILL_STRESS_CONTAINER_H

#include "stress.h"

#include <mproc/call.h>
#include <mproc/status.h>

/* Of one life. Each is a number that the container's functions give a meaning to; 0: it is not there. */
#define STRESS_THINGS 24

/* `it` is this process' reference of the container. */
struct stress_container {
    const char *name; /* "a dict" */
    void *(*create)(void);

    /* What becomes of the things of a life: `next` is what they are now. The same number says the same. */
    void (*plan)(uint32_t random, uint32_t *next);

    /* Does what was planned, in one step; MPROC_BROKEN: something is not as it was. */
    mproc_status (*change)(void *it, uint32_t life, uint32_t random, const uint32_t *now, const uint32_t *next);

    bool (*is)(void *it, uint32_t life, uint32_t thing, uint32_t what);

    /* Takes out what is there of a life that has ended, while the others go on. */
    void (*take_out)(void *it, uint32_t life);

    /* Returns whether all that is there is whole, whoever changes it meanwhile. */
    bool (*look)(void *it);

    /* Counts, and says how far all have counted. NULL: this one has nothing to count with. */
    mproc_status (*count_up)(void *it, uint32_t random);
    uint64_t (*counted)(void *it);

    /* When nobody changes it: how many things there are, and what is wrong with it, or NULL. */
    size_t (*count)(void *it);
    const char *(*sound)(void *it);
};

/* `live` calls stress_container_live() with the same container. */
void stress_container(const struct stress_container *container, mproc_function *live, int seconds);
mproc_status stress_container_live(const struct stress_container *container, mproc_call *call);

#endif
