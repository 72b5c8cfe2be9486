/*
 * The linear way: the victim walks once through its operation. At each change of the shared memory it is recovered
 * as if it had died there, by a copy of this process; the promises are checked; the memory is put back, and the
 * victim walks on. On the second level a recoverer walks in the same way at each such point.
 *
 * A death costs a fork, and not a new way to its point: a thousand pairs take a second. What lies outside of the
 * shared memory cannot be put back, so whoever has peers, sleeps, or leaves things to the system is killed for real
 * (step.c).
 */
#ifndef KILL_WALK_H
#define KILL_WALK_H

#include "trials.h"

/* Whether the run's scenario may be walked, as far as its table says. */
bool walk_serves(const step_trials *run);

/*
 * Walks, after the path of the victim is known. Returns whether all promises were kept; sets `*walked` to false if
 * the scenario turned out to have what cannot be put back.
 */
bool walk_run(step_trials *run, step_depth depth, bool *walked);

#endif
