/* What the two sides of the stress over tasks share: who gives them, and what they do. */
#ifndef KILL_STRESS_TASKS_H
#define KILL_STRESS_TASKS_H

#include "stress.h"

#define TASKS_MAX ((uint64_t)1 << 23)
#define TASKS_FAILED (MPROC_USER + 1)

/* Of each task how often it was begun, and how often one of its callbacks was called. */
struct tasks_board {
    struct stress_wrong wrong;
    _Atomic uint64_t number;
    _Atomic uint32_t died; /* so many have ended their thread */
    _Atomic uint8_t begun[TASKS_MAX];
    _Atomic uint8_t called[TASKS_MAX];
};

/* Each gets the board and its number, and returns the square of that. */
mproc_function tasks_square, tasks_sleep_and_square;

/* For up to 4 ms; every other one comes back when it is asked to. */
mproc_function tasks_stay_and_square;

/* The same, but the first attempt ends its thread. */
mproc_function tasks_die_at_first;

/* Fails with TASKS_FAILED. */
mproc_function tasks_fail;

/* Return their number, and a text or an event that they get as well. */
mproc_function tasks_send_back, tasks_send_event_back;

/* An item of a map. */
mproc_item_function tasks_negate;

#endif
