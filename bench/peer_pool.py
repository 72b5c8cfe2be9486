"""peer_pool.py cold|warm|work|skewed REPEATS ITEMS CHUNK

The original: multiprocessing's Pool.map with the start method "spawn".
warm: prints the median time for one item, in nanoseconds.
cold: prints, in nanoseconds, the time of a new pool's first map, and of creating the pool and its first map.
CHUNK 0 is the default.
work: prints the median time for all items that take CHUNK nanoseconds each, with the default; skewed: the last of them
takes a hundred times as long.
"""

import multiprocessing
import statistics
import sys
import time


WORKERS = 2


def square(number):
    return number * number


def use_cpu(duration):
    """For less than a microsecond, which is too short to ask how much was used, by the other clock."""
    clock = time.thread_time_ns if duration >= 1000 else time.perf_counter_ns
    end = clock() + duration
    while clock() < end:
        pass


def check(results, items):
    if results[-1] != items[-1] ** 2 or len(results) != len(items):
        sys.exit("wrong results")


def cold(workers, items, chunk, repeats):
    first, both = [], []
    for _ in range(repeats):
        begin = time.perf_counter_ns()
        pool = multiprocessing.Pool(workers)
        created = time.perf_counter_ns()
        results = pool.map(square, items, chunk)
        end = time.perf_counter_ns()
        first.append(end - created)
        both.append(end - begin)
        check(results, items)
        pool.terminate()
        pool.join()
    print(statistics.median(first), statistics.median(both))


def warm(workers, items, chunk, repeats):
    times = []
    with multiprocessing.Pool(workers) as pool:
        pool.map(square, items, chunk)
        for _ in range(repeats):
            begin = time.perf_counter_ns()
            results = pool.map(square, items, chunk)
            times.append((time.perf_counter_ns() - begin) / len(items))
            check(results, items)
    print(statistics.median(times))


def work(workers, count, duration, repeats, last=1):
    durations = [duration] * (count - 1) + [last * duration]
    times = []
    with multiprocessing.Pool(workers) as pool:
        for _ in range(repeats + 1):
            begin = time.perf_counter_ns()
            pool.map(use_cpu, durations)
            times.append(time.perf_counter_ns() - begin)
    print(statistics.median(times[1:]))


def main():
    mode = sys.argv[1]
    repeats, count, chunk = (int(word) for word in sys.argv[2:5])
    multiprocessing.set_start_method("spawn")
    if mode in ("work", "skewed"):
        work(WORKERS, count, chunk, repeats, 100 if mode == "skewed" else 1)
    else:
        {"cold": cold, "warm": warm}[mode](WORKERS, list(range(count)), chunk or None, repeats)


if __name__ == "__main__":
    main()
