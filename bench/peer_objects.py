"""peer_objects.py TASK REPEATS

The original's locks, semaphores, conditions, events, arrays, queues and dicts, with the start method "spawn": prints the
time of one use in nanoseconds, or of two uses, for TASK as bench_mproc has it.
"""

import itertools
import multiprocessing
import os
import statistics
import sys
import time


def bind(number):
    """Binds this process to the CPU with that number, counted among those that it may use; wraps around."""
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpus[number % len(cpus)]})


class Permits:
    def __init__(self):
        self.semaphores = [multiprocessing.Semaphore(0) for _ in range(2)]

    def give(self, to):
        self.semaphores[to].release()

    def wait(self, mine):
        self.semaphores[mine].acquire()


class Events:
    def __init__(self):
        self.events = [multiprocessing.Event() for _ in range(2)]

    def give(self, to):
        self.events[to].set()

    def wait(self, mine):
        self.events[mine].wait()
        self.events[mine].clear()


class Notices:
    def __init__(self):
        self.condition = multiprocessing.Condition()
        self.turn = multiprocessing.RawValue("q", 0)

    def give(self, to):
        with self.condition:
            self.turn.value = to
            self.condition.notify()

    def wait(self, mine):
        with self.condition:
            while self.turn.value != mine:
                self.condition.wait()


ITEM = bytes(64)


class Queues:
    def __init__(self):
        self.queues = [multiprocessing.Queue() for _ in range(2)]

    def give(self, to):
        self.queues[to].put(ITEM)

    def wait(self, mine):
        self.queues[mine].get()


class Pipes:
    def __init__(self):
        self.ends = multiprocessing.Pipe()

    def give(self, to):
        self.ends[1 - to].send_bytes(b"x")

    def wait(self, mine):
        self.ends[mine].recv_bytes()


def answer(way, repeats):
    bind(1)
    for _ in range(repeats):
        way.wait(1)
        way.give(0)


def trip(way, repeats):
    """Measures the way from this process to another and back: the median."""
    other = multiprocessing.Process(target=answer, args=(way, repeats))
    other.start()
    bind(0)
    times = []
    for _ in range(repeats):
        begin = time.perf_counter_ns()
        way.give(1)
        way.wait(0)
        times.append(time.perf_counter_ns() - begin)
    other.join()
    if other.exitcode != 0:
        sys.exit("the other process failed")
    return statistics.median(times)


def put(items, begun, repeats):
    bind(1)
    for _ in range(repeats // 10 + 1):
        items.put(ITEM)
    begun.wait()
    for _ in range(repeats):
        items.put(ITEM)


def queue(repeats):
    """Measures what another process puts: the mean time of one item."""
    items, begun = multiprocessing.Queue(), multiprocessing.Event()
    other = multiprocessing.Process(target=put, args=(items, begun, repeats))
    other.start()
    bind(0)
    for _ in range(repeats // 10 + 1):
        items.get()
    begun.set()
    begin = time.perf_counter_ns()
    for _ in range(repeats):
        items.get()
    end = time.perf_counter_ns()
    other.join()
    return (end - begin) / repeats


MESSAGE = 64 << 20


def receive(connection, repeats):
    bind(1)
    message = bytearray(MESSAGE)
    connection.send_bytes(b"x")
    for _ in range(repeats):
        connection.recv_bytes_into(message)
    connection.send_bytes(b"x")


def stream(repeats):
    """Measures large messages to another process: the mean time of one."""
    here, there = multiprocessing.Pipe()
    other = multiprocessing.Process(target=receive, args=(there, repeats))
    other.start()
    bind(0)
    message = bytes(1) * MESSAGE
    here.recv_bytes()
    begin = time.perf_counter_ns()
    for _ in range(repeats):
        here.send_bytes(message)
    here.recv_bytes()
    end = time.perf_counter_ns()
    other.join()
    return (end - begin) / repeats


def loop(use, repeats):
    """Measures a call that has nobody to wait for: the mean."""
    for _ in range(repeats // 10):
        use()
    begin = time.perf_counter_ns()
    for _ in range(repeats):
        use()
    return (time.perf_counter_ns() - begin) / repeats


def pair(first, second, repeats):
    """As loop(), of two calls one after the other."""
    for _ in range(repeats // 10):
        first()
        second()
    begin = time.perf_counter_ns()
    for _ in range(repeats):
        first()
        second()
    return (time.perf_counter_ns() - begin) / repeats


def semaphore(repeats):
    one = multiprocessing.Semaphore(1)
    return pair(one.acquire, one.release, repeats)


def event_set(repeats):
    event = multiprocessing.Event()
    return pair(event.set, event.clear, repeats)


def event_is_set(repeats):
    event = multiprocessing.Event()
    event.set()
    return loop(event.is_set, repeats)


def event_wait(repeats):
    event = multiprocessing.Event()
    event.set()
    return loop(event.wait, repeats)


KEYS = [f"key{number}" for number in range(100)]


def shared_dict():
    manager = multiprocessing.Manager()
    shared = manager.dict()
    for key in KEYS:
        shared[key] = 0
    return manager, shared


def each_key(use, repeats):
    keys = itertools.cycle(KEYS)
    return loop(lambda: use(next(keys)), repeats)


def dict_look(repeats):
    manager, shared = shared_dict()
    with manager:
        return each_key(lambda key: shared.__setitem__(key, 1), repeats), each_key(shared.__getitem__, repeats)


def dict_change(repeats):
    """The original has nothing that increments in one step."""
    def increment(key):
        shared[key] += 1

    def replace(key):
        del shared[key]
        shared[key] = 1
    manager, shared = shared_dict()
    with manager:
        return each_key(increment, repeats), each_key(replace, repeats)


TASKS = {
    "semaphore-trip": lambda repeats: trip(Permits(), repeats),
    "event-trip": lambda repeats: trip(Events(), repeats),
    "condition-trip": lambda repeats: trip(Notices(), repeats),
    "queue-trip": lambda repeats: trip(Queues(), repeats),
    "connection-trip": lambda repeats: trip(Pipes(), repeats),
    "connection-stream": stream,
    "queue": queue,
    "dict-look": dict_look,
    "dict-change": dict_change,
    "semaphore": semaphore,
    "event-set": event_set,
    "event-is-set": event_is_set,
    "event-wait": event_wait,
    # The counting of references frees each at once.
    "create-lock": lambda repeats: loop(multiprocessing.Lock, repeats),
    "create-event": lambda repeats: loop(multiprocessing.Event, repeats),
    "create-array": lambda repeats: loop(lambda: multiprocessing.Array("q", 16), repeats),
}


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    measured = TASKS[sys.argv[1]](int(sys.argv[2]))
    print(*(measured if isinstance(measured, tuple) else (measured,)))
