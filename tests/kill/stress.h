/*
 * Stress tests: processes that work are killed at random, and started again, for a while. What the kill tool proves
 * instruction by instruction, for one victim at a time, is tried here with many at once, and on every system.
 */
#ifndef KILL_STRESS_H
#define KILL_STRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <mproc/map.h>

/* Locks, parking and blocks of the arena; every 0.1 to 0.5 ms one of the processes is killed, whatever it is at. */
void stress_arena(int seconds);

/*
 * All objects that processes share, used by two threads of each process; every 0.2 to 2.5 ms one of these is killed.
 */
void stress_sync(int seconds);

/* Memory of a few names; every 0.2 to 5 ms one of those who create, find, unlink and drop it is killed. */
void stress_names(int seconds);

/* Processes that start daemons of their own are killed. */
void stress_births(int seconds);

/* The workers of a pool are killed while it maps. */
void stress_pool(int seconds);

/*
 * The same while it runs tasks of all kinds, of several threads. Workers may be threads, which end by themselves.
 * With 0 seconds it ends when a million tasks were given.
 */
void stress_tasks(int seconds, bool threads);

/* Processes that own pools are killed while their workers run tasks. */
void stress_owners(int seconds);

/* Queues, from which and to which processes that are killed get and put. */
void stress_queue(int seconds);

/* Joinable queues, whose consumers are killed with what they have got and not done. */
void stress_leases(int seconds);

/* A dict, of which the processes that change it are killed; after each kill a model is compared. */
void stress_dict(int seconds);

/* The same of a set, which they also change by other sets. */
void stress_set(int seconds);

/* The same of a list. */
void stress_list(int seconds);

/* Objects of classes, whose processes call each other's and are killed. */
void stress_objects(int seconds);

/* Numbers that look random, from a seed that each stress prints. */
uint32_t stress_random(uint32_t *seed);
uint32_t stress_seed(const char *name);

/* Sleeps between `least` and `most` microseconds. */
void stress_pause(uint32_t *seed, uint32_t least, uint32_t most);

/* Kills any worker of the pool. False: that one was not there, or would make for too many that have never begun. */
bool stress_kill_worker(mproc_pool *pool, uint32_t *seed);

/*
 * Remembers what is in use in the arena, after making what a process makes once; and waits, with a limit, until
 * no more is in use.
 */
void stress_remember(void);
void stress_check_as_before(void);

/* ---- what is wrong -------------------------------------------------------------------------------------- */

/* A violation that a process sees is told by its line: it may be killed before it could say more. */
struct stress_wrong {
    _Atomic uint32_t count;
    _Atomic uint32_t line;
};

void stress_say_wrong(struct stress_wrong *wrong, uint32_t line);
void stress_check_nothing_wrong(const struct stress_wrong *wrong);

/* For whoever has a `board` with a `wrong`. */
#define EXPECT(condition)                                            \
    do {                                                             \
        if (!(condition)) stress_say_wrong(&board->wrong, __LINE__); \
    } while (0)

/* Tells the lives where an object is, and opens it in one of them. */
void stress_tell(_Atomic uint64_t *object, const void *handle);
void *stress_open(const _Atomic uint64_t *object);

/* ---- stress tests over a board ------------------------------------------------------------------------ */

#define STRESS_PROCESSES_MAX 4
#define STRESS_THREADS_MAX 2
#define STRESS_LIVES_MAX 65536

/* What a life is given: each is a process from its start to its end, and has a number of its own, from 0. */
struct stress_life {
    uint64_t board;
    uint32_t number;
};

/*
 * Processes that work over a board in the arena until they are told to stop; one after the other is killed, and
 * another life takes its place. `live` to `rounds` are filled in by who makes the stress.
 */
struct stress {
    mproc_function *live; /* its arguments are a struct stress_life */
    uint32_t processes;   /* at a time */
    uint32_t threads;     /* of each that have to go on */
    uint32_t least, most; /* microseconds between two kills */

    /* After a kill: puts back what the dead has taken along, or the others would wait, rightly, for ever. */
    void (*put_back)(void);

    /* How often the thread of that life has done its work. */
    uint32_t (*rounds)(uint32_t life, uint32_t thread);

    _Atomic uint64_t *owned; /* the board's */
    mproc_process *all[STRESS_PROCESSES_MAX];
    uint32_t numbers[STRESS_PROCESSES_MAX];
    uint32_t seen[STRESS_PROCESSES_MAX][STRESS_THREADS_MAX];
    uint32_t lives;
    uint32_t kills;
    uint32_t dead; /* the life that was killed last */
    uint32_t seed;
};

/* Makes the board, all zero, of a family that has nothing else in use. */
void *stress_begin(struct stress *stress, const char *name, size_t board_bytes);

/* Starts the lives, and kills for so long. */
void stress_blow(struct stress *stress, int seconds);

/* When it is calm again: waits until all threads of all lives have gone on. */
void stress_await_rounds(struct stress *stress);

/* Waits for the end of all lives, which have been told to stop. */
void stress_join(struct stress *stress);

/*
 * Fails unless all that was counted was published, too: `published` has a count for each life, which is one behind
 * if that was killed in between.
 */
void stress_judge_count(const struct stress *stress, const char *what, uint64_t counted,
                        const _Atomic uint32_t *published);

/* Gives the board back: then everything is as it was. */
void stress_end(struct stress *stress);

#endif
