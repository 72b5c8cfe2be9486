/*
 * Storms: processes that work are killed at random, and started again, for a while. What the kill tool proves
 * instruction by instruction, for one victim at a time, is tried here with many at once, and on every system.
 */
#ifndef KILL_STORM_H
#define KILL_STORM_H

#include <stdint.h>

/* Locks, parking and blocks of the arena; every 0.1 to 0.5 ms one of the processes is killed, whatever it is at. */
void storm_arena(int seconds);

/*
 * All objects that processes share, used by two threads of each process; every 0.2 to 2.5 ms one of these is killed.
 */
void storm_sync(int seconds);

/* Processes that start daemons of their own are killed. */
void storm_births(int seconds);

/* The workers of a pool are killed while it maps. */
void storm_pool(int seconds);

/* Numbers that look random, from a seed that each storm prints. */
uint32_t storm_random(uint32_t *seed);
uint32_t storm_seed(const char *name);

/* Sleeps between `least` and `most` microseconds. */
void storm_pause(uint32_t *seed, uint32_t least, uint32_t most);

/*
 * Remembers what is in use in the arena, after making what a process makes once; and waits, with a limit, until
 * no more is in use.
 */
void storm_remember(void);
void storm_check_as_before(void);

#endif
