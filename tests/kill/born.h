/*
 * What scenarios with real processes share. The program is started in several roles: as the tool itself, as a
 * child by mproc_process_start(), and by the tool as a program that founds a family of its own.
 */
#ifndef KILL_BORN_H
#define KILL_BORN_H

#include "step.h"

/* At the top of main(): a process whose environment says so is a victim from here on. */
void born_offer(void);

/* Makes the next processes that are started such victims, or no longer. */
void born_victims(bool wanted);

/* What is in use in the arena. A scenario ends with what it began with. */
struct born_census {
    uint32_t processes;
    uint32_t threads;
    uint64_t blocks;
};

struct born_census born_count(void);

/* Waits until the reaper, which the first start makes, runs, too. */
void born_settle(void);

/*
 * What is in use between two trials. The reaper may still hold for a moment what the last one had, so it is the least
 * that was seen between any two; the first call waits until nothing changes any more.
 */
struct born_census born_baseline(void);

/* Waits, at most 20 seconds, until the arena is as it was. Returns NULL, or what is not. */
const char *born_compare(const struct born_census *before);

/*
 * Starts this program in a role, with a pipe as its standard output, which all its children inherit: it ends
 * when all of them have ended. Returns its process id.
 */
int64_t born_start(const char *role, int *pipe_end);

/* Waits, at most 20 seconds, until all have ended. Returns NULL or what is wrong. Closes the pipe. */
const char *born_all_ended(int pipe_end);

/* From now on the system refuses this process descriptors of processes. False: it cannot be made to. */
bool born_without_descriptors(void);

/* The roles, and what main() does in them. */
#define BORN_PARENT "parent"
#define BORN_PARENT_OF_OTHER "parent-of-other"
#define BORN_MAPPER "mapper"
int born_parent(void);
int born_parent_of_other(void);
int born_mapper(void);

#endif
