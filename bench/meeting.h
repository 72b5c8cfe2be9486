/*
 * Processes that begin at once, each with a part of one work. What they share lies in memory that is zeroed at first:
 * how many are ready, whether they have begun, how many have ended, and when the last of them did.
 */
#ifndef BENCH_MEETING_H
#define BENCH_MEETING_H

#include "measure.h"

#include <stdatomic.h>

struct meeting {
    _Atomic size_t ready;
    _Atomic size_t begun;
    _Atomic size_t ended;
    _Atomic int64_t ended_ns;
};

/*
 * For each process: binds it to the CPU that has that number, calls `pass` for a tenth of the repeats, meets the
 * others, and calls it for all repeats. Nobody ends before all `count` have.
 */
void meeting_pass(struct meeting *meeting, size_t count, size_t cpu, measure_pass *pass, void *context,
                  size_t repeats);

/* For who started them: begins when all `count` are ready, and returns how long they took, in ns. */
double meeting_time(struct meeting *meeting, size_t count);

#endif
