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
extern const steps_table steps_park;
extern const steps_table steps_block;
extern const steps_table steps_slot;

#define STEPS_TABLE(scenarios_) {scenarios_, sizeof scenarios_ / sizeof scenarios_[0]}

#endif
