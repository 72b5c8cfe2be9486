"""peer_tasks.py TASK REPEATS ITEMS [DURATION]

The original's pools, with the start method "spawn", and other libraries': ITEMS squares, each a task of its own.
Prints, in nanoseconds, the median time for one: with all results kept (async), the same by a new pool (cold), or
by an iterator (imap), or of ITEMS tasks that work for DURATION nanoseconds (sized). trip: submits and waits, each
time after a rest of ITEMS nanoseconds, and prints the median and the 99th percentile. sleep: the median time for
ITEMS tasks that sleep for DURATION nanoseconds.
"""

import concurrent.futures
import multiprocessing
import os
import statistics
import sys
import time

WORKERS = 2


def square(number):
    return number * number


def work(duration):
    """Uses the CPU for so long."""
    end = time.thread_time_ns() + duration
    while duration and time.thread_time_ns() < end:
        pass


def bind(number):
    """Binds this process to the CPU with that number, counted among those that it may use; wraps around."""
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpus[number % len(cpus)]})


def timed(run, repeats, rest=0):
    times = []
    for _ in range(repeats):
        time.sleep(rest / 1e9)
        begin = time.perf_counter_ns()
        run()
        times.append(time.perf_counter_ns() - begin)
    return sorted(times)


def run_pool(pool, function, items):
    return [result.get() for result in [pool.apply_async(function, (item,)) for item in items]]


def run_executor(executor, function, items):
    return [future.result() for future in [executor.submit(function, item) for item in items]]


def run_joblib(parallel, function, items):
    import joblib
    return parallel(joblib.delayed(function)(item) for item in items)


def run_imap(pool, function, items):
    return list(pool.imap(function, items))


def create_joblib():
    import joblib
    return joblib.Parallel(n_jobs=WORKERS)


def create_executor():
    return concurrent.futures.ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn"))


def create_pool():
    return multiprocessing.Pool(WORKERS)


WAYS = {"": (create_pool, run_pool), "executor": (create_executor, run_executor),
        "joblib": (create_joblib, run_joblib)}


def check(results, count):
    if results != [number * number for number in range(count)]:
        sys.exit("wrong results")


def warm(create, run, repeats, count):
    with create() as pool:
        check(run(pool, square, range(count)), count)
        return statistics.median(timed(lambda: run(pool, square, range(count)), repeats)) / count


def cold(create, run, repeats, count):
    def run_new():
        with create() as pool:
            check(run(pool, square, range(count)), count)
    return statistics.median(timed(run_new, repeats)) / count


def sleep(create, run, repeats, count, duration):
    with create() as pool:
        durations = [duration / 1e9] * count
        run(pool, time.sleep, durations)
        return statistics.median(timed(lambda: run(pool, time.sleep, durations), repeats))


def sized(create, run, repeats, count, duration):
    with create() as pool:
        durations = [duration] * count
        run(pool, work, durations)
        return statistics.median(timed(lambda: run(pool, work, durations), repeats)) / count


def trip(repeats, rest):
    with multiprocessing.Pool(WORKERS, bind, (1,)) as pool:
        timed(lambda: pool.apply(square, (7,)), repeats // 10 + 1)
        bind(0)
        times = timed(lambda: pool.apply(square, (7,)), repeats, rest)
        return f"{statistics.median(times)} {times[repeats * 99 // 100]}"


def main():
    task, _, way = sys.argv[1].partition("-")
    numbers = [int(word) for word in sys.argv[2:]]
    multiprocessing.set_start_method("spawn")
    if task == "trip":
        print(trip(*numbers))
    elif task == "imap":
        print(warm(create_pool, run_imap, *numbers))
    else:
        print({"async": warm, "cold": cold, "sleep": sleep, "sized": sized}[task](*WAYS[way], *numbers))


if __name__ == "__main__":
    main()
