/* All that is measured. What a subject's values are, its comparison in comparisons.c says. */
#ifndef BENCH_SUBJECTS_H
#define BENCH_SUBJECTS_H

#include "bench.h"

/* start.c, start_posix.c: a process that does nothing, from before it exists until it was reaped. */
extern const bench_subject start_mproc;
extern const bench_subject start_posix_spawn;

/* lock.c, lock_posix.c: a pair of lock and unlock, alone or with another process that does the same. */
extern const bench_subject lock_mproc;
extern const bench_subject lock_pthread;
extern const bench_subject contend_mproc;
extern const bench_subject contend_pthread;

/* park.c, park_posix.c: from one process to another and back, each asleep while the other runs. */
extern const bench_subject park_mproc;
extern const bench_subject park_futex;

/*
 * objects.c: the public functions of objects through the shared library, as the setting's task says, and CPython's;
 * malloc() for what creation costs.
 */
extern const bench_subject objects_mproc;
extern const bench_subject objects_python;
extern const bench_subject objects_malloc;

/* map.c, map_peers.c: squares of int64 in an array of this process; a value is the time for one item. */
extern const bench_subject map_mproc_item;
extern const bench_subject map_mproc_range;
extern const bench_subject map_openmp_pointer;
extern const bench_subject map_openmp_inline;
extern const bench_subject map_python;

/* objects.c, map_peers.c: the same in arrays that processes share. */
extern const bench_subject shared_mproc_item;
extern const bench_subject shared_mproc_range;
extern const bench_subject shared_openmp_pointer;
extern const bench_subject shared_openmp_inline;

/* map.c, map_peers.c: first value: the first map of a new pool; second: creating the pool and the first map. */
extern const bench_subject cold_mproc_item;
extern const bench_subject cold_mproc_range;
extern const bench_subject cold_python;

/* value.c: a small map is encoded and read again; the value is the time for one. */
extern const bench_subject value_mproc;
extern const bench_subject value_mproc_checked;
extern const bench_subject value_msgpack;

/*
 * worker_death.c: from the kill of an idle worker until a successor computes; first value: the median, second:
 * the worst.
 */
extern const bench_subject death_mproc;

/*
 * objects.c: from the kill of a process that has a lock; first value: until another that waits for it is told,
 * second: until the killed one is joined. So many objects live meanwhile.
 */
extern const bench_subject recovery_few;
extern const bench_subject recovery_many;
extern const bench_subject recovery_owner;

/* idle.c: CPU time and context switches that an idle pool needs for each second. */
extern const bench_subject idle_mproc;

#endif
