"""What is compared with what, and which figures are wanted. Subjects, values and goals go by their names."""
from dataclasses import dataclass, field

GIB = 1 << 30
MILLION = 1000000


@dataclass
class Subject:
    """Something that is measured: a program's task, how often it is repeated, and further numbers for it."""
    name: str
    program: str
    task: str
    repeats: int
    numbers: tuple = ()
    rival: bool = False
    environment: dict = field(default_factory=dict)
    needs: str = ""  # what has to be installed for the program to be built, or Debian's package of a Python module
    watch: bool = False  # it rests for `repeats` seconds, and is looked at


@dataclass
class Goal:
    """`kind`: time (at most bound x the rival's), speed (at least bound x), most (of the median), worst (of all).

    `rival_value` is the rival's, if it is another one. `far` is the bound where a cache line takes FAR_NS there and
    back, as the subject LINE says.
    """
    kind: str
    bound: float
    subject: str
    rival: str = ""
    value: str = ""
    rival_value: str = ""
    far: float = 0


@dataclass
class Comparison:
    name: str
    title: str
    cpus: int
    values: list
    subjects: list
    goals: list = field(default_factory=list)

    def __post_init__(self):
        names = [subject.name for subject in self.subjects]
        for goal in self.goals:
            goal.value = goal.value or self.values[0]
            goal.rival_value = goal.rival_value or goal.value
            assert goal.value in self.values and goal.subject in names and goal.rival in [""] + names, (self.name, goal)


SPAWN, MUTEX, FUTEX, PYTHON = "posix_spawn, waitpid", "pthread mutex, robust, process-shared", "bare futexes", "CPython"
LINE, FAR_NS = "cache line, there and back", 100
POINTER, INLINE, ITEM, RANGE = "OpenMP, pointer", "OpenMP, inlined", "mproc, item function", "mproc, range function"


def mproc(task, repeats, *numbers, name="mproc", **more):
    return Subject(name, "bench_mproc", task, repeats, numbers, **more)


def system(name, task, repeats, *numbers):
    return Subject(name, "bench_system", task, repeats, numbers, rival=True)


def python(task, repeats):
    """A tenth of the repeats: it is slower, and its figures need no more."""
    return Subject(PYTHON, "peer_objects.py", task, repeats // 10 + 1, rival=True)


def line(rival=False):
    """How near the two CPUs are, which differs from hour to hour where they are virtual."""
    return Subject(LINE, "bench_ring", "line", 200000, rival=rival)


def openmp(name, task, repeats, items, chunk):
    """OpenMP's own default chunk is 1, which nobody would choose; so it gets what map() chooses: an eighth."""
    return Subject(name, "bench_openmp", task, repeats, (items, chunk or items // 8), rival=True, needs="OpenMP",
                   environment={"OMP_NUM_THREADS": "2", "OMP_PROC_BIND": "true", "OMP_DYNAMIC": "false"})


def twice(name, title, make):
    """The same on two CPUs and on one."""
    return [make(name, f"{title}, two CPUs", 2), make(name + "-one-cpu", f"{title}, one CPU", 1)]


# ---- processes ----------------------------------------------------------------------------------

def start(resident):
    def make(name, title, cpus):
        return Comparison(name, title, cpus, ["start to reaped"],
                          [mproc("start", 200, resident), system(SPAWN, "start", 200, resident)],
                          [Goal("time", 1.15, "mproc", SPAWN)])
    return make


STARTS = (twice("start", "a process that does nothing", start(0))
          + twice("start-1gib", "a process that does nothing, from a parent with 1 GiB resident", start(GIB))
          + [Comparison("start-names", "a process that does nothing, while the user has many names of shared memory", 2,
                        ["start to reaped"],
                        [mproc("start-names", 200, 4000, name="4,000 names"),
                         mproc("start-names", 200, 0, name="one name", rival=True)],
                        [Goal("time", 1.2, "4,000 names", "one name")])])

# ---- locks and round trips ----------------------------------------------------------------------


def contended(name, title, cpus):
    return Comparison(name, title, cpus, ["pair"],
                      [mproc("lock-contended", 2 * MILLION), system(MUTEX, "lock-contended", 2 * MILLION)],
                      [Goal("time", 1.0, "mproc", MUTEX)])


def trip(task, goals):
    def make(name, title, cpus):
        repeats = 4000 if cpus == 2 else 20000
        return Comparison(name, title, cpus, ["round trip"],
                          [mproc(task, repeats), system(FUTEX, "trip", repeats), python(task, repeats)],
                          [Goal("time", 1.25, "mproc", FUTEX)] + goals)
    return make


TWICE_PYTHON = [Goal("speed", 2, "mproc", PYTHON)]

SYNC = ([Comparison("lock", "acquire and release, nobody else there", 1, ["pair"],
                    [mproc("lock", 5 * MILLION), system(MUTEX, "lock", 5 * MILLION)],
                    [Goal("time", 1.0, "mproc", MUTEX)])]
        + twice("lock-contended", "acquire and release, two processes bound to their CPUs", contended)
        + twice("semaphore-trip", "round trip between two sleepers by two semaphores", trip("semaphore-trip", []))
        + twice("event-trip", "round trip between two sleepers by two events", trip("event-trip", TWICE_PYTHON))
        + twice("condition-trip", "round trip between two sleepers by a condition",
                trip("condition-trip", TWICE_PYTHON)))


def alone(name, title, value, repeats):
    return Comparison(name, title, 1, [value], [mproc(name, repeats), python(name, repeats)],
                      [Goal("speed", 3, "mproc", PYTHON)])


CALLS = [alone("semaphore", "acquire and release of a semaphore that has a permit", "pair", 2 * MILLION),
         alone("event-set", "set and clear of an event that nobody waits for", "pair", MILLION),
         alone("event-is-set", "whether an event is set", "call", 2 * MILLION),
         alone("event-wait", "waiting for an event that is set", "call", 2 * MILLION)]

# ---- memory -------------------------------------------------------------------------------------


def create(name, title, repeats):
    return Comparison(name, title, 1, ["pair"],
                      [mproc(name, repeats), python(name, repeats),
                       system("malloc and free, 128 bytes", "malloc", repeats)])


def at_once(task, what):
    return Comparison(task + "-at-once", f"creating and freeing {what}, by two processes at once", 2, ["pair"],
                      [mproc(task, 200000, 2, name="two processes"),
                       mproc(task, 200000, 1, name="one process", rival=True)],
                      [Goal("speed", 1.6, "two processes", "one process")])


CREATES = [create("create-lock", "creating and freeing a lock", 20000),
           create("create-event", "creating and freeing an event", 10000),
           create("create-array", "creating and freeing an array of 16 int64 with its lock", 20000),
           at_once("create-lock", "a lock"),
           at_once("create-100-bytes", "100 bytes of shared memory"),
           Comparison("create-beside", "creating 100 bytes while another process creates and frees 3 GiB", 2,
                      ["median", "longest"], [mproc("create-beside", 5, 3 * GIB)],
                      [Goal("most", 1e6, "mproc", value="longest")])]

# ---- queues -------------------------------------------------------------------------------------

BARE, BEST = "bare ring, one pause", "best ring"
BOOST, ZEROMQ, MPI = "Boost.Interprocess message_queue", "ZeroMQ, ipc, PUSH and PULL", "Open MPI, shared memory"
SINGLE, BOUNDED = "mproc, one at a time", "mproc, maxsize 1,024"


def ring(name, task, repeats, *numbers):
    return Subject(name, "bench_ring", task, repeats, numbers, rival=True)


def library(name, program, repeats, needs):
    return Subject(name, program, "queue", repeats, rival=True, needs=needs)


def items(size, repeats, name="mproc", **more):
    """One process puts, and another gets, items of so many bytes."""
    return mproc("queue", repeats, size, name=name, **more)


def queue_64(name, title, cpus):
    """On one CPU the goals are of a queue with a limit: without one, whoever puts runs ahead, and memory is measured."""
    near = [line()] if cpus == 2 else []
    ours = "mproc" if cpus == 2 else BOUNDED
    return Comparison(name, title, cpus, ["one item"],
                      [items(64, 10 * MILLION), mproc("queue", 10 * MILLION, 64, 1024, name=BOUNDED),
                       # On one CPU each waits until the other has used its time up.
                       ring(BARE, "bare", 5 * MILLION if cpus == 2 else 100000), ring(BEST, "best", 20 * MILLION),
                       library(BOOST, "bench_boost", 2 * MILLION, "libboost-dev"),
                       library(ZEROMQ, "bench_zeromq", MILLION, "libzmq3-dev"),
                       library(MPI, "bench_mpi", 2 * MILLION, "libopenmpi-dev and openmpi-bin"),
                       python("queue", 500000)] + near,
                      [Goal("speed", 1.5, ours, BARE), Goal("speed", 0.4, ours, BEST), Goal("speed", 3, ours, BOOST),
                       Goal("speed", 3, ours, ZEROMQ), Goal("speed", 2, ours, MPI), Goal("speed", 150, ours, PYTHON)])


def crowd(name, count):
    return Comparison(name, f"items of 64 bytes, {count} processes put and {count} get", 2, ["one item"],
                      [mproc(name, 10 * MILLION // count, 64, name=f"{count} x {count}"),
                       items(64, 10 * MILLION, "1 x 1", rival=True)],
                      [Goal("speed", 0.8, f"{count} x {count}", "1 x 1")])


def parked(name, title, cpus):
    return Comparison(name, title, cpus, ["round trip"],
                      [mproc("queue-trip", 1000, 300000), system(FUTEX, "trip", 1000, 300000)],
                      [Goal("time", 1.15, "mproc", FUTEX)])


def alone_as_bytes(name, title, size):
    return Comparison(name, title, 2, ["one item"],
                      [mproc(name, 5 * MILLION, name="value"), items(size, 5 * MILLION, f"{size} bytes", rival=True)],
                      [Goal("speed", 0.4, "value", f"{size} bytes")])


def large(name, size, repeats, bound):
    """Beside it, what this machine can do: the ring publishes several items at once, and neither locks nor counts."""
    return Comparison(name, f"items of {size:,} bytes, one process puts and one gets", 2, ["one item"],
                      [items(size, repeats), ring(BEST, "sized", repeats, size)], [Goal("most", bound, "mproc")])


QUEUES = (twice("queue-64", "items of 64 bytes, one process puts and one gets", queue_64)
          + [Comparison("queue-many", "items of 64 bytes, put and got 32 at once", 2, ["one item"],
                        [mproc("queue-many", 20 * MILLION, 64, name="mproc, 32 at once"),
                         items(64, 10 * MILLION, SINGLE, rival=True)],
                        [Goal("speed", 1.5, "mproc, 32 at once", SINGLE)]),
             crowd("queue-2x2", 2), crowd("queue-4x4", 4),
             Comparison("queue-trip", "round trip by two queues while both run, two CPUs", 2, ["round trip"],
                        [mproc("queue-trip", 200000), line(rival=True), python("queue-trip", 20000)],
                        [Goal("time", 8, "mproc", LINE)]),
             Comparison("queue-trip-one-cpu", "round trip by two queues, one CPU", 1, ["round trip"],
                        [mproc("queue-trip", 20000), system(FUTEX, "trip", 20000), python("queue-trip", 20000)],
                        [Goal("time", 1.15, "mproc", FUTEX)])]
          + twice("queue-parked", "round trip by two queues after 300 us of rest", parked)
          + [alone_as_bytes("queue-int", "an int as an item, as a value and as bytes", 8),
             alone_as_bytes("queue-string", "a string of 20 bytes as an item, as a value and as bytes", 20),
             Comparison("queue-map", "a small map of five pairs as an item", 2, ["one map"],
                        [mproc("queue-map", MILLION),
                         mproc("value-copied", MILLION, name="copied and read alone", rival=True)],
                        [Goal("time", 1.3, "mproc", "copied and read alone")]),
             large("queue-1k", 1024, MILLION, 100), large("queue-4k", 4096, 500000, 1000 / 3),
             Comparison("queue-1m", "items of 1 MiB, one process puts and one gets", 2, ["one item"],
                        [mproc("queue", 10000, 1 << 20, 4), ring("memcpy twice", "copy", 10000, 1 << 20)],
                        [Goal("speed", 0.8, "mproc", "memcpy twice")])])

# ---- connections --------------------------------------------------------------------------------

SOCKET = "bare sockets"


def sockets(task, repeats, *numbers):
    return Subject(SOCKET, "bench_socket", task, repeats, numbers, rival=True)


def pipe_trip(name, title, cpus):
    return Comparison(name, title, cpus, ["round trip"],
                      [mproc("connection-trip", 20000), sockets("socket-trip", 20000), python("connection-trip", 20000)],
                      [Goal("time", 1.25, "mproc", SOCKET), Goal("speed", 1.25, "mproc", PYTHON)])


def accept(name, kind, number):
    return Comparison(name, f"a client of {kind} connects, is accepted, and both sides are closed", 1, ["one client"],
                      [mproc("connection-accept", 3000, number), sockets("socket-accept", 3000, number)], [])


def authenticate(name, kind, number):
    return Comparison(name, f"a client of {kind} is accepted when both sides have proved a key", 2, ["one client"],
                      [mproc("connection-authenticate", 2000, number), sockets("socket-authenticate", 2000, number)],
                      [Goal("time", 1.15, "mproc", SOCKET)])


CONNECTIONS = (twice("connection-trip", "round trip of a byte by a pipe", pipe_trip)
               + [Comparison("connection-stream", "messages of 64 MiB, one process sends and one receives", 2, ["one message"],
                             [mproc("connection-stream", 20, 64 << 20), sockets("socket-stream", 20, 64 << 20),
                              python("connection-stream", 100)],
                             [Goal("speed", 0.9, "mproc", SOCKET)]),
                  accept("connection-accept", "a Unix socket", 0), accept("connection-accept-tcp", "TCP", 1),
                  authenticate("connection-authenticate", "a Unix socket", 0),
                  authenticate("connection-authenticate-tcp", "TCP", 1),
                  Comparison("wait", "one wait over 1000 connections, of which one has a message", 1, ["one wait"],
                             [mproc("wait-once", 3000, 1000), sockets("wait-poll", 3000, 1000)],
                             [Goal("time", 1.2, "mproc", SOCKET)]),
                  Comparison("wait-kept", "the same by a set that is kept", 1, ["one wait"],
                             [mproc("wait-kept", 100000, 1000), sockets("wait-epoll", 100000, 1000)],
                             [Goal("time", 2, "mproc", SOCKET)])])

# ---- dicts --------------------------------------------------------------------------------------

TABLE, ONE_READER, TWO_READERS = "plain table, pthread mutex", "one reader", "two readers"


def table(task, repeats, *numbers):
    return Subject(TABLE, "bench_table", task, repeats, numbers, rival=True)


def dict_100(task, values, bounds):
    """One process, two and four. Only one has a rival in CPython, whose manager's process serves one after the other.

    On one CPU processes do not wait for each other, so what is wanted there is the same as of one.
    """
    def several(count):
        def make(name, title, cpus):
            return Comparison(name, title, cpus, values,
                              [mproc(task, MILLION, 100, count), table(task, MILLION, 100, count)],
                              [Goal("time", 1.0 if cpus > 1 and bound < 2 else bound, "mproc", TABLE, value)
                               for value, bound in zip(values, bounds)])
        return make

    what = " and ".join(values) + " in a dict with 100 keys"
    return ([Comparison(f"{task}-100", what, 1, values,
                        [mproc(task, 2 * MILLION, 100), table(task, 2 * MILLION, 100), python(task, 20000)],
                        [Goal("time", bound, "mproc", TABLE, value) for value, bound in zip(values, bounds)]
                        + [Goal("speed", 300, "mproc", PYTHON, value) for value in values])]
            + twice(f"{task}-100-two", what + ", two processes with keys of their own", several(2))
            + [several(4)(f"{task}-100-four", what + ", four processes with keys of their own, two CPUs", 2)])


def readers(name, keys, repeats):
    return Comparison(name, f"get in a dict with {keys:,} keys, by two processes at once", 2, ["one get"],
                      [mproc("dict-readers", repeats, keys, 2, name=TWO_READERS),
                       mproc("dict-readers", repeats, keys, 1, name=ONE_READER, rival=True)],
                      [Goal("speed", 1.7, TWO_READERS, ONE_READER)])


DICTS = (dict_100("dict-look", ["set", "get"], [1.6, 1.6])
         + dict_100("dict-change", ["increment", "delete and set"], [1.6, 2.5])
         + [Comparison("dict-million", "set and get in a dict with 1,000,000 keys", 1, ["set", "get"],
                       [mproc("dict-look", MILLION, MILLION), table("dict-look", MILLION, MILLION)],
                       [Goal("time", 1.2, "mproc", TABLE, value) for value in ("set", "get")]),
            readers("dict-readers-100", 100, 2 * MILLION), readers("dict-readers-million", MILLION, MILLION),
            Comparison("dict-grow", "1,000,000 new keys in a dict, one after the other", 1, ["one set", "longest"],
                       [mproc("dict-grow", MILLION)], [Goal("worst", 2e6, "mproc", value="longest")]),
            Comparison("dict-bytes", "a string and an int in a dict with 1,000,000 keys", 1, ["bytes an entry"],
                       [mproc("dict-bytes", MILLION)], [Goal("most", 90, "mproc")])])

# ---- maps ---------------------------------------------------------------------------------------


def pool(task, items, chunk, repeats=5):
    """So few repeats, because each takes as long as a whole sample of the others."""
    return Subject("CPython Pool.map", "peer_pool.py", task, repeats, (items, chunk), rival=True)


def warm(name, chunk, python_items, goals):
    chunks = f"chunks of {chunk:,}" if chunk else "default chunks"
    less = "" if python_items == MILLION else f" (CPython: {python_items:,})"
    return Comparison(name, f"map of 1,000,000 squares{less}, {chunks}, warm, two workers", 2, ["one item"],
                      [mproc("map-item", 30, MILLION, chunk, name=ITEM),
                       mproc("map-range", 30, MILLION, chunk, name=RANGE),
                       openmp(POINTER, "private-pointer", 30, MILLION, chunk),
                       openmp(INLINE, "private-inline", 30, MILLION, chunk), pool("warm", python_items, chunk)],
                      goals + [Goal("speed", 40, ITEM, "CPython Pool.map")])


SHARE = [Goal("speed", 0.35, ITEM, POINTER)]

MAPS = [warm("map-default", 0, MILLION, SHARE),
        warm("map-10000", 10000, MILLION, SHARE),
        warm("map-1000", 1000, MILLION, SHARE),
        warm("map-100", 100, MILLION, SHARE),
        warm("map-10", 10, 100000, SHARE),
        warm("map-1", 1, 20000, [Goal("speed", 3, ITEM, POINTER), Goal("most", 20, ITEM)]),
        Comparison("map-cold", "map of 1,000,000 squares, default chunks, a new pool of two workers", 2,
                   ["first map", "create and first map"],
                   [mproc("map-cold-item", 10, MILLION, name=ITEM), mproc("map-cold-range", 10, MILLION, name=RANGE),
                    pool("cold", MILLION, 0)],
                   [Goal("speed", 30, ITEM, "CPython Pool.map"),
                    Goal("speed", 30, ITEM, "CPython Pool.map", "create and first map")]),
        Comparison("map-in-place", "map of 1,000,000 squares in shared arrays, default chunks, warm, two workers", 2,
                   ["one item"],
                   [mproc("map-shared-item", 200, MILLION, name=ITEM),
                    mproc("map-shared-range", 200, MILLION, name=RANGE),
                    openmp(POINTER, "shared-pointer", 200, MILLION, 0),
                    openmp(INLINE, "shared-inline", 200, MILLION, 0)],
                   [Goal("speed", 1, ITEM, POINTER), Goal("speed", 0.8, RANGE, INLINE)])]

# ---- items that take their time -----------------------------------------------------------------

HALF, DEFAULT, ONE, EIGHTH = "half of the work alone", "mproc, no chunk size", "mproc, chunks of 1", "OpenMP, an eighth"


def work(name, title, kind, count, duration, repeats):
    """Which chunks are taken when none are asked for. `duration` takes the place of a chunk size."""
    def parallel(label, task):
        return Subject(label, "bench_openmp", f"{kind}-{task}", repeats, (count, duration), rival=True, needs="OpenMP",
                       environment={"OMP_NUM_THREADS": "2", "OMP_PROC_BIND": "true", "OMP_DYNAMIC": "false"})
    return Comparison(name, f"map of {title}, two workers", 2, ["one map"],
                      [mproc(f"map-{kind}", repeats, count, duration, name=DEFAULT),
                       mproc(f"map-{kind}-one", repeats, count, duration, name=ONE),
                       parallel(EIGHTH, "eighth"), parallel("OpenMP, dynamic", "dynamic"),
                       parallel("OpenMP, guided", "guided"),
                       Subject("CPython Pool.map", "peer_pool.py", kind, 3, (count, duration), rival=True),
                       system(HALF, "work" if kind == "work" else "work-skewed", repeats, count, duration)],
                      [Goal("time", 1.05, DEFAULT, EIGHTH), Goal("time", 1, DEFAULT, "CPython Pool.map")])


WORKS = [work("map-work-100ns", "500,000 items of 100 ns", "work", 500000, 100, 5),
         work("map-work-10us", "5,000 items of 10 us", "work", 5000, 10000, 5),
         work("map-work-1ms", "100 items of 1 ms", "work", 100, MILLION, 3),
         work("map-work-9", "9 items of 1 ms", "work", 9, MILLION, 15),
         work("map-skewed-10us", "5,000 items of 10 us, the last one of 1 ms", "skewed", 5000, 10000, 5),
         work("map-skewed-1ms", "100 items of 1 ms, the last one of 100 ms", "skewed", 100, MILLION, 3)]

# ---- tasks --------------------------------------------------------------------------------------

THREADS, POOL, EXECUTOR, JOBLIB = "mproc, threads", "CPython Pool", "CPython ProcessPoolExecutor", "joblib"


def peer(name, task, repeats, *numbers, **more):
    return Subject(name, "peer_tasks.py", task, repeats, numbers, rival=True, **more)


def tasks(task, repeats, *numbers):
    """By worker processes, and by worker threads."""
    return [mproc(task, repeats, *numbers, 0), mproc(task, repeats, *numbers, 1, name=THREADS)]


OMP_TASKS, FUTURES, MASTER = "OpenMP, tasks", "C++, two threads and futures", "Open MPI, a master and two workers"


def omp_tasks(task, repeats, *numbers):
    return Subject(OMP_TASKS, "bench_openmp", task, repeats, numbers, rival=True, needs="OpenMP",
                   environment={"OMP_NUM_THREADS": "2", "OMP_PROC_BIND": "true", "OMP_DYNAMIC": "false"})


def futures(task, repeats, *numbers):
    return Subject(FUTURES, "bench_threads", task, repeats, numbers, rival=True, needs="a compiler for C++")


def sized(name, title, duration, count, repeats, python_count):
    """Tasks of one size, and what two CPUs would need for the work alone."""
    others = [peer(POOL, "sized", 3, python_count, duration),
              peer(EXECUTOR, "sized-executor", 3, python_count, duration),
              peer(JOBLIB, "sized-joblib", 3, python_count, duration, needs="python3-joblib"),
              Subject(MASTER, "bench_mpi", "tasks", repeats, (count, duration), rival=True,
                      needs="libopenmpi-dev and openmpi-bin")]
    half = [system(HALF, "work-each", repeats, count, duration)] if duration else []
    less = "" if python_count == count else f" (Python's: {python_count:,})"
    return Comparison(f"tasks-{name}", f"{count:,} tasks{less} {title}, two workers", 2, ["one task"],
                      [mproc("tasks-sized", repeats, count, duration),
                       mproc("tasks-sized-threads", repeats, count, duration, name=THREADS),
                       omp_tasks("tasks-sized", repeats, count, duration), futures("sized", repeats, count, duration)]
                      + others + half,
                      [Goal("time", 1, "mproc", rival.name) for rival in others])


def imap(in_flight, near):
    return Comparison(f"tasks-imap-{in_flight}", f"iterating over tasks, {in_flight} in flight, two workers", 2,
                      ["one task"], tasks("tasks-imap", MILLION, in_flight)
                      + [peer(POOL, "imap", 2, 20000), line()],
                      [Goal("most", near, "mproc", far=250)])


def idle_trip(name, title, cpus):
    return Comparison(name, title, cpus, ["median", "99 %"],
                      tasks("tasks-trip", 1000, 300000)
                      + [system(FUTEX, "trip", 1000, 300000), peer(POOL, "trip", 300, 300000)],
                      [Goal("time", 1.3, "mproc", FUTEX), Goal("time", 2, "mproc", FUTEX, "99 %")])


TASKS = ([Comparison("tasks-async", "1,000,000 tasks (Python's: 20,000), all results kept, warm, two workers", 2,
                     ["one task"], tasks("tasks-async", 5, MILLION)
                     + [peer(POOL, "async", 3, 20000), peer(EXECUTOR, "async-executor", 3, 20000),
                        peer(JOBLIB, "async-joblib", 3, 20000, needs="python3-joblib"),
                        omp_tasks("tasks-async", 3, MILLION), futures("async", 3, MILLION), line()],
                     [Goal("most", 1000 / 15, "mproc", far=200), Goal("speed", 100, "mproc", POOL)]),
          Comparison("tasks-cold", "1,000,000 tasks (CPython: 20,000), all results kept, a new pool, two workers", 2,
                     ["one task"], tasks("tasks-cold", 5, MILLION) + [peer(POOL, "cold", 3, 20000), line()],
                     [Goal("most", 1000 / 6, "mproc", far=250)]),
          Comparison("tasks-trip", "submitting a task and waiting for it, one after the other", 2, ["median", "99 %"],
                     tasks("tasks-trip", 200000, 0) + [line(rival=True), peer(POOL, "trip", 3000, 0)],
                     [Goal("time", 3, "mproc", LINE), Goal("time", 8, "mproc", LINE, "99 %", "median")])]
         + twice("tasks-trip-idle", "submitting a task and waiting for it, after 300 us of rest", idle_trip)
         + [imap(8, 1000 / 12), imap(64, 1000 / 14),
            Comparison("tasks-sleep", "16 tasks that sleep for 5 ms, two workers", 2, ["all tasks"],
                       [mproc("tasks-sleep", 10, 16, 5000000), peer(POOL, "sleep", 5, 16, 5000000),
                        peer(EXECUTOR, "sleep-executor", 5, 16, 5000000),
                        peer(JOBLIB, "sleep-joblib", 5, 16, 5000000, needs="python3-joblib")],
                       [Goal("most", 45e6, "mproc")]),
            sized("0", "that do nothing", 0, 100000, 5, 20000),
            sized("10us", "of 10 us", 10000, 5000, 5, 5000),
            sized("100us", "of 100 us", 100000, 500, 5, 500),
            sized("1ms", "of 1 ms", MILLION, 100, 3, 100),
            sized("10ms", "of 10 ms", 10 * MILLION, 10, 3, 10),
            Comparison("tasks-beside", "submitting a task and waiting for it while a map with chunks of 1 ms runs", 2,
                       ["median", "99 %"], [mproc("tasks-beside", 1000, MILLION)],
                       [Goal("most", 0.6e6, "mproc"), Goal("most", 1.1e6, "mproc", value="99 %")]),
            Comparison("tasks-cancel", "cancelling 1,000,000 tasks that wait", 2, ["all tasks"],
                       [mproc("tasks-cancel", 3, MILLION)], [Goal("most", 0.5e9, "mproc")])])

# ---- the rest -----------------------------------------------------------------------------------

FEW, MANY, OWN = "10 objects", "1,000,000 objects", "100,000 objects of the killed process"

NOTHING = "a process that does nothing"


def death(name, title, kept):
    """Against the start and the end of a process; the worst, too, against the median of that."""
    return Comparison(name, title, 2, ["median of 200", "worst of 200"],
                      [mproc("task-death", 200, kept), mproc("start", 200, 0, name=NOTHING, rival=True)],
                      [Goal("time", 1.6, "mproc", NOTHING),
                       Goal("time", 5, "mproc", NOTHING, "worst of 200", "median of 200")])


REST = [Comparison("value", "making and reading a small map of five pairs", 1, ["one map"],
                   [mproc("value-copied", MILLION, name="mproc, copied"),
                    mproc("value-checked", MILLION, name="mproc, encoded and checked"),
                    Subject("msgpack-c", "bench_msgpack", "value", MILLION, rival=True, needs="libmsgpack-dev")],
                   [Goal("speed", 2, "mproc, encoded and checked", "msgpack-c")]),
        Comparison("worker-death", "from the kill of an idle worker until its successor computes, pool of two", 2,
                   ["median of 200", "worst of 200"], [mproc("worker-death", 200)],
                   [Goal("most", 2e6, "mproc"), Goal("worst", 1e7, "mproc", value="worst of 200")]),
        death("task-death", "from the kill of a worker in a task until its successor runs the next one", 0),
        death("task-death-kept", "the same, while 1,000,000 results are kept", MILLION),
        Comparison("recovery", "from the kill of a process that has a lock, while so many objects live", 2,
                   ["told", "joined"],
                   [mproc("recovery", 20, 10, name=FEW, rival=True), mproc("recovery", 20, MILLION, name=MANY),
                    mproc("recovery-owner", 20, 100000, name=OWN)],
                   [Goal("time", 1.25, MANY, FEW)]),
        Comparison("idle", "an idle pool of two workers and its parent, per second, over ten seconds", 2,
                   ["CPU time", "context switches"], [mproc("idle-pool", 10, watch=True)],
                   # A look every two seconds by four threads is two switches in a second.
                   [Goal("most", 1e6, "mproc"), Goal("most", 4, "mproc", value="context switches")]),
        Comparison("idle-waiters", "1,000 threads that wait for one lock, per second, over ten seconds", 2,
                   ["CPU time", "context switches"], [mproc("idle-waiters", 10, 1000, watch=True)],
                   [Goal("most", 1e7, "mproc")])]

# ---- lists, objects, managers ------------------------------------------------------------------------------

ARRAY = "plain array, pthread mutex"


def list_use(name, items):
    values = ["append and pop", "get"]
    return Comparison(name, f"append and pop, and get of any, in a list with {items:,} elements", 1, values,
                      [mproc("list-use", 2 * MILLION, items),
                       Subject(ARRAY, "bench_table", "list-use", 2 * MILLION, (items,), rival=True)],
                      [Goal("time", 3, "mproc", ARRAY, value) for value in values])


def manager_call(name, kind, number):
    def make(name, title, cpus):
        return Comparison(name, title, cpus, ["one call"],
                          [mproc("manager-increment", 20000, 0, number), sockets("socket-call", 20000, 0, number)],
                          [Goal("time", 1.25, "mproc", SOCKET)])
    return twice(name, f"increment in a dict of another program's manager by {kind}", make)


def object_call(name, title, cpus):
    return Comparison(name, title, cpus, ["median", "99 %"],
                      [mproc("object-call", 100000), system(FUTEX, "trip", 20000)],
                      [Goal("most", 1200, "mproc")] if cpus == 2 else [Goal("time", 1.5, "mproc", FUTEX)])


def object_call_idle(name, title, cpus):
    return Comparison(name, title, cpus, ["median", "99 %"],
                      [mproc("object-call", 1000, 300000), system(FUTEX, "trip", 1000, 300000)],
                      [Goal("time", 1.5, "mproc", FUTEX)])


OBJECTS = (twice("object-call", "call of an object that another process has, one after the other", object_call)
           + twice("object-call-idle", "call of an object that another process has, after 300 us of rest",
                   object_call_idle))

LISTS = [list_use("list-use", 1000), list_use("list-use-million", MILLION)]
MANAGERS = manager_call("manager-call", "a Unix socket", 0) + manager_call("manager-call-tcp", "TCP", 1)

# ---- all ------------------------------------------------------------------------------------------

COMPARISONS = STARTS + SYNC + CALLS + CREATES + QUEUES + CONNECTIONS + DICTS + LISTS + OBJECTS + MANAGERS + MAPS + WORKS + TASKS + REST
