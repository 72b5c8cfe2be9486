/*
 * What step.c and walk.c share: one scenario's run.
 */
#ifndef KILL_TRIALS_H
#define KILL_TRIALS_H

#include "path.h"
#include "step.h"
#include "tracee.h"

/* A trial takes milliseconds; one that takes this long hangs. */
#define TRIAL_SECONDS_MAX 60
#define TO_THE_END (-1L)

/* How a child gets to its point of death. */
typedef struct step_way {
    step_path *path;
    long k;      /* the point, or TO_THE_END */
    bool direct; /* by short cuts */
    bool steady; /* it takes the same path each time */
} step_way;

/* One scenario's run. */
typedef struct step_trials {
    const step_scenario *scenario;
    step_report *report;
    void *state;
    unsigned char *shadow; /* the watched memory and the state as they were at the last point */
    bool pair;             /* the recoverer dies, too */
    bool sparse;           /* at few points */
    bool walked;           /* the victim has walked: see walk.h */
    step_way victim, recoverer;
    step_path victim_path, recoverer_path;
    char victim_at[160], recoverer_at[160];
    bool fell;      /* somebody ran into a trap that was meant for another: the trial proves nothing */
    bool completed; /* the victim had come to its end */
    bool recovered; /* the recoverer had */
} step_trials;

/* Whether the watched memory or the state is another than at the last call. */
bool trials_changed(step_trials *run);

/* Before the first of a row of these: the watched places may have grown. */
void trials_renew_shadow(step_trials *run);

/* Forks a child that runs the operation, for the tracer to step. */
pid_t trials_fork(step_trials *run, void (*enter)(void *), void (*operation)(void *));

/* What became of a child that did not stop where it should. */
const char *trials_crash(const step_tracee *tracee);

/* The victim died at run->victim_at and, if `pair`, its recoverer at run->recoverer_at. */
void trials_say_failure(const step_trials *run, bool pair, const char *wrong);

#endif
