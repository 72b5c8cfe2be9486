/*
 * What bench_public measures: the library's public functions, called as a program calls them, through the shared
 * library. Each takes one sample, as a subject does.
 */
#ifndef BENCH_PUBLIC_H
#define BENCH_PUBLIC_H

#include "bench.h"

/* public_lock.c: a pair of acquire and release, alone or with another process that does the same. */
bench_measure public_lock;
bench_measure public_lock_contended;

/* public_trip.c: from one process to another and back, each asleep while the other runs. */
bench_measure public_trip_semaphore;
bench_measure public_trip_event;
bench_measure public_trip_condition;

/* public_use.c: calls that have nobody to wait for. */
bench_measure public_semaphore;
bench_measure public_event_set;
bench_measure public_event_is_set;
bench_measure public_event_wait;

/* public_create.c: a pair of create and free. */
bench_measure public_create_lock;
bench_measure public_create_event;
bench_measure public_create_array;

/* public_map.c: squares of int64 from one shared array into another; the value is the time for one item. */
bench_measure public_map_item;
bench_measure public_map_range;

/*
 * public_recovery.c: from the kill of a process that has a lock; first value: until another process that waits for
 * the lock is told, second: until the killed one is joined. `items` objects live meanwhile: of the first process, or
 * of the killed one.
 */
bench_measure public_recovery;
bench_measure public_recovery_owner;

#endif
