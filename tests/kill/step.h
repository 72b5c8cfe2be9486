/*
 * The kill tool: proves that an operation survives a SIGKILL at each of its instructions.
 *
 * A victim, a forked child, runs the operation under ptrace. It is killed after 0, 1, 2, ... stepped
 * instructions, until it completes un-killed; each time the dead is recovered and the promises are checked.
 * Stepped is the text of this program: the library, which is linked in statically, and the scenario's own
 * few lines. Calls into shared libraries (libc, the loader) and system calls are run over: they are one step.
 *
 * A second level kills the recoverer, too: the victim dies at point k, a child that recovers it is killed after
 * each of its instructions, and a second recoverer has to finish. By default k and the recoverer's points are those
 * at which the shared memory had changed or a call had returned: in between nothing differs for who comes later. On
 * request pairs of any instructions are tried, for minutes.
 *
 * Where all that an operation changes is shared memory, deaths need not happen: the victim walks through its
 * operation once, is recovered at each change as if it had died there, and the memory is put back (walk.h). A sample
 * of real kills stays.
 *
 * Linux on x86-64 and arm64. Everything runs in one process and its forked children, on one CPU.
 */
#ifndef KILL_STEP_H
#define KILL_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a scenario's state. */
#define STEP_STATE_BYTES 16384

/*
 * One operation and its promises. `state` is STEP_STATE_BYTES of memory that the parent, the victim and
 * the recoverer share, zero at the begin of each trial. Functions that are NULL are left out.
 */
typedef struct step_scenario {
    const char *name;

    /* For its functions, of which many scenarios may have the same: see step_about(). */
    const void *about;

    /* In the parent, before each trial: makes what the operation works on, starts peers. */
    void (*setup)(void *state);

    /* In the victim, not stepped: makes the forked child a member. */
    void (*enter)(void *state);

    /* In the victim, stepped. */
    void (*operation)(void *state);

    /*
     * In the parent, when the victim sleeps in a call that it made: lets it go on. Without this function
     * the victim may not sleep.
     */
    void (*release)(void *state);

    /* In the recoverer of the second level, not stepped. Without it the scenario has no second level. */
    void (*recover_enter)(void *state);

    /*
     * After the victim's death: in the parent; on the second level in the recoverer, stepped, and after its
     * death in the parent, which then recovers both.
     */
    void (*recover)(void *state);

    /*
     * In the parent: returns NULL, or what was violated (step_says). `completed`: the operation ran to its end and
     * the victim was killed after it.
     */
    const char *(*check)(void *state, bool completed);

    /* In the parent, after each trial. */
    void (*teardown)(void *state);

    /*
     * Starts a victim that is not a fork and returns its process id: a child of the calling thread
     * that calls step_victim_begin() and step_victim_end() around the operation. `enter` and
     * `operation` are not called.
     */
    int64_t (*start)(void *state);

    /* The victim's exit status is left for others to collect. */
    bool keep_status;

    /* The operation's path differs from run to run: no short cuts to the point of death. */
    bool unsteady;

    /* It changes more than memory: files, names. So it cannot be walked, see step_world. */
    bool outside;

    /* A trial takes long: beside the changes no instruction is tried, unless more are asked for (STEP_MORE_PAIRS). */
    bool slow;

    /* One of many of its kind: only a few pairs are tried, unless more are asked for (STEP_MORE_PAIRS). */
    bool sparse;
} step_scenario;

/* How much is tried. */
typedef enum step_depth {
    STEP_ALONE,      /* the victim at each instruction, in scenarios that are slow at each change */
    STEP_SAMPLE,     /* the victim at each change and at a sample of its instructions, its recoverer at a sample */
    STEP_PAIRS,      /* the victim at each instruction, the recoverer at each change */
    STEP_MORE_PAIRS, /* also in scenarios that are slow or sparse */
    STEP_ALL_PAIRS   /* and the recoverer at any instruction, for any instruction of the victim, up to a number */
} step_depth;

/* What a run found. */
typedef struct step_report {
    long points;       /* instructions at which the victim was killed */
    long asleep;       /* of these: killed while it slept */
    long pairs;        /* of the second level */
    long walked;       /* deaths that were tried and did not happen: of the victim */
    long walked_pairs; /* and of both */
    long diverged;     /* trials that took another path than the first run */
    long failures;
    double seconds;
} step_report;

/*
 * Runs the scenario and prints one line of report, or the failure, after which it stops: the point, the
 * instruction's address and symbol, and what was violated. Returns whether all promises were kept.
 */
bool step_run(const step_scenario *scenario, step_depth depth, step_report *report);

/*
 * Memory in which changes make points of the second level; without any, the state and calls alone do.
 * Places are numbered from 0 to STEP_WATCHED - 1.
 */
#define STEP_WATCHED 12
void step_watch(int place, const void *base, size_t size);

/*
 * What the walk has to know of the world in which scenarios play. Without it nobody walks.
 *
 * `alone`, after setup: whether nobody but the victim and the recoverer changes anything from now on. `gone` makes
 * the one of them who lives, and is stopped, look ended to whoever recovers; what it writes is put back. `keep`, at
 * each point, calls step_keep() anew for what may have grown; NULL: nothing grows.
 */
typedef struct step_world {
    bool (*alone)(void *state);
    void (*gone)(void *state, bool recoverer);
    void (*keep)(void);
} step_world;

void step_world_is(const step_world *world);

/* All memory that scenarios change, beside the state: it is what the walk puts back. Places as for step_watch(). */
void step_keep(int place, void *base, size_t size);

/* What the scenario that runs is about. */
const void *step_about(void);

/* A number that is another in each trial: for what is done in this or that order in turn. */
long step_turn(void);
void step_turn_next(void);

/* Formats a violation for check(). The text stays until the next call. */
const char *step_says(const char *format, ...);

/* Waits until `*word` has the value, at most 20 seconds. Returns whether it came. */
bool step_wait_for(const _Atomic uint32_t *word, uint32_t value);

/* Whether the process sleeps in a system call, or waits at most 20 seconds for that. */
bool step_wait_asleep(int64_t pid);

/* Forks a child that runs `body` and then exits; it dies with this process. */
int64_t step_fork(void (*body)(void *state), void *state);

/* Kills a child of step_fork() and collects it. */
void step_kill(int64_t pid);

/* Waits, at most 20 seconds, until the child of step_fork() has ended. Returns whether it exited with 0. */
bool step_join(int64_t pid);

/* Around the operation in a victim that is not a fork. Begin stops it until the tool steps it. */
void step_victim_begin(void);
void step_victim_end(void);

#endif
