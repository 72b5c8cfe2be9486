/* What bench_mproc measures: the public functions, called as a program calls them, through the shared library. */
#ifndef BENCH_MPROC_H
#define BENCH_MPROC_H

#include "measure.h"

#include <mproc/queue.h>

/*
 * start.c: a process that does nothing, until it was joined; `items` bytes are resident meanwhile, or, for
 * `start-names`, `items` names of shared memory exist.
 */
measure_task start, start_names;

/* lock.c: a pair of acquire and release, alone or with another process that does the same. */
measure_task lock, lock_contended;

/* trip.c: from one process to another and back, each asleep while the other runs. */
measure_task trip_semaphore, trip_event, trip_condition;

/* calls.c: calls that have nobody to wait for. */
measure_task semaphore_alone, event_set, event_is_set, event_wait;

/*
 * create.c: a pair of create and free, by one process, or by `items` processes at once: then the time by their
 * number. `create-beside`: of small ones while another process creates and frees `items` bytes for each repeat; the
 * second value is the longest.
 */
measure_task create_lock, create_event, create_array, create_100_bytes, create_beside;

/* map.c: squares of int64, the time for one; `cold` has two values: a new pool's first map, alone and with create. */
measure_task map_item, map_range, map_shared_item, map_shared_range, map_cold_item, map_cold_range;

/*
 * The time for all of `items` items that take `chunk` nanoseconds each, or the last of them a hundred times as long:
 * with no chunk size, or with chunks of one.
 */
measure_task map_work, map_work_one, map_skewed, map_skewed_one;

/* value.c: a small map is made and read, the time for one: as a copy in memory, or encoded and checked. */
measure_task value_copied, value_checked;

/* The two halves of this by a queue. */
void value_put_message(mproc_queue *queue);
void value_get_message(mproc_queue *queue);

/*
 * queue.c: one process puts and another gets, the time for one item of `items` bytes; `chunk` is the queue's maxsize,
 * 0 for none. Also by two of each, by four of each, many at once, and as values. `queue_trip`: from one process to
 * another and back by two queues, each time after a rest of `items` nanoseconds.
 */
measure_task queue_bytes, queue_2x2, queue_4x4, queue_many, queue_int, queue_string, queue_map, queue_trip;

/*
 * connection.c: `connection_trip`: a byte from one process to another and back, each time after a rest of `items`
 * nanoseconds. `connection_stream`: the time for one message of `items` bytes, one way. `connection_accept`: a
 * client connects, is accepted, and both sides are closed, by one thread: by a Unix socket, or, if there are `items`,
 * by TCP. `connection_authenticate`: the same with a client in another process, and both prove a key.
 */
measure_task connection_trip, connection_stream, connection_accept, connection_authenticate;

/*
 * wait.c: the time for one wait over `items` connections of which one has a message: in one call, and in a set that
 * is kept.
 */
measure_task wait_once, wait_kept;

/*
 * dict.c: the time for one use of a dict with `items` keys, by one process or by `chunk` processes at once, each with
 * keys of its own: then the time for all by their number. `dict_look`: set and get of keys that are there;
 * `dict_change`: increment, and delete and set of the same key; `dict_readers`: get, also by one in a process of its
 * own. `dict_grow`: sets of new keys, the mean and the longest. `dict_bytes`: what an entry takes, in bytes.
 */
measure_task dict_look, dict_change, dict_readers, dict_grow, dict_bytes;

/*
 * list.c: the time for one use of a list with `items` elements: an append and a pop of the last one; a get of any.
 */
measure_task list_use;

/*
 * manager.c: an increment in a dict of a manager in another process, each time after a rest of `items` nanoseconds:
 * the median and the 99th percentile. By a Unix socket, or, if there is a `chunk`, by TCP.
 */
measure_task manager_increment;

/*
 * object.c: a call of an object of a class that another process has, each time after a rest of `items` nanoseconds:
 * the median and the 99th percentile.
 */
measure_task object_call;

/*
 * tasks.c: squares of int64, each a task of its own; `chunk` is the kind of the workers. `tasks_async`: the time
 * for one of `items` tasks, whose results are kept until all are submitted; `tasks_cold`: by a new pool, with its
 * creation. `tasks_trip`: submits and waits, each time after a rest of `items` nanoseconds: the median and the 99th
 * percentile. `tasks_imap`: the time for one, with `items` in flight. `tasks_sleep`: the time for `items` tasks
 * that sleep for `chunk` nanoseconds each.
 */
measure_task tasks_async, tasks_cold, tasks_trip, tasks_imap, tasks_sleep;

/*
 * load.c: `tasks_sized`: the time for one of `items` tasks that work for `chunk` nanoseconds each, by processes or by
 * threads. `tasks_cancel`: for cancelling `items` tasks that wait. `tasks_beside`: submits and waits while a map runs
 * whose chunks take `items` nanoseconds: the median and the 99th percentile.
 */
measure_task tasks_sized, tasks_sized_threads, tasks_cancel, tasks_beside;

/*
 * death.c: from the kill of an idle worker until a successor computes: the median and the worst. `task_death`: from
 * the kill of a worker in a task until its successor runs the next one, while `items` results are kept.
 */
measure_task worker_death, task_death;

/*
 * recovery.c: from the kill of a process that has a lock, until another that waits for it is told, and until the
 * killed one is joined. `items` objects live meanwhile: of the first process, or of the killed one.
 */
measure_task recovery, recovery_owner;

/* idle.c: prints the ids of the processes concerned, and rests until its input ends: bench.py looks at them. */
measure_task idle_pool, idle_waiters;

#endif
