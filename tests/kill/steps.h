/*
 * The scenarios of the kill tool, one table for each room's part.
 */
#ifndef KILL_STEPS_H
#define KILL_STEPS_H

#include "step.h"

typedef struct steps_table {
    const step_scenario *scenarios;
    size_t count;
} steps_table;

extern const steps_table steps_lock;
extern const steps_table steps_intent;
extern const steps_table steps_park;
extern const steps_table steps_block;
extern const steps_table steps_extent;
extern const steps_table steps_slot;
extern const steps_table steps_object;
extern const steps_table steps_locks;
extern const steps_table steps_semaphore;
extern const steps_table steps_condition;
extern const steps_table steps_event;
extern const steps_table steps_barrier;
extern const steps_table steps_named;
extern const steps_table steps_shared;
extern const steps_table steps_queue;
extern const steps_table steps_queue_asleep;
extern const steps_table steps_queue_lost;
extern const steps_table steps_queue_lease;
extern const steps_table steps_queue_object;
extern const steps_table steps_deposit;
extern const steps_table steps_dict;
extern const steps_table steps_set;
extern const steps_table steps_namespace;
extern const steps_table steps_list;
extern const steps_table steps_tasks;
extern const steps_table steps_workers;
extern const steps_table steps_limits;
extern const steps_table steps_retries;
extern const steps_table steps_wait;
extern const steps_table steps_service;
extern const steps_table steps_start;
extern const steps_table steps_pool;

#define STEPS_TABLE(scenarios_)                              \
    {                                                        \
        scenarios_, sizeof scenarios_ / sizeof scenarios_[0] \
    }

/*
 * The command line of a program that has these tables (the last is NULL):
 *
 *     program --list              prints the scenarios' names
 *     program --expect name ...   fails if they are others
 *     program [--alone|--pairs|--more-pairs|--all-pairs] name ...
 *
 * A name that ends in '.' stands for all that begin so; none for all. Without an option the depth is STEP_SAMPLE, and
 * STEP_PAIRS where the environment has MPROC_TEST_ALL.
 * `found` is called once, before the first scenario. Returns the program's exit code.
 */
int steps_main(char **arguments, const steps_table *const *tables, void (*found)(void));

#endif
