/*
 * The log from inside. Whoever has a lock, or works in the arena, says nothing: he owes a line, which goes into a
 * ring of this process' own memory, and whoever comes first to where nothing is locked speaks. So no function of the
 * program runs under a lock, nothing is written there, and a death in between costs no more than the line.
 */
#ifndef MPROC_BASE_LOG_H
#define MPROC_BASE_LOG_H

#include <stdatomic.h>
#include <stdint.h>

#include <mproc/log.h>

/* Lines of this level and above are said; MPROC_LOG_OFF also where there is nobody to say them to. */
extern _Atomic int log_threshold;

/* How many lines are owed. */
extern _Atomic uint32_t log_owed;

static inline bool log_on(int level)
{
    return level >= atomic_load_explicit(&log_threshold, memory_order_relaxed);
}

/*
 * Keeps a line, to be said by log_speak(); a text above 511 bytes is cut. Allocates nothing, and takes no lock but
 * one that is taken last of all. Where the ring is full the line is lost, and that is said. Ask log_on() before.
 */
void log_owe(int level, const char *format, ...) MPROC_PRINTF_(2, 3);

void log_speak_slow(void);

/*
 * Says what is owed, unless another thread is at it. Calls the program's handler: nothing may be locked, in this
 * process or in the arena, nor may the thread be one that ends.
 */
static inline void log_speak(void)
{
    if (atomic_load_explicit(&log_owed, memory_order_relaxed)) log_speak_slow();
}

/* What a child gets from its parent. */
struct log_settings {
    int32_t level;
    uint32_t to_stderr;
};

struct log_settings log_settings(void);

/* In a child: where the program has not set them itself. */
void log_inherit(const struct log_settings *settings);

/* The name in lines of this process; and in those of the calling thread, which keeps it, or NULL. */
void log_set_name(const char *name);
void log_set_thread_name(const char *name);

/* Around fork(): what is owed is the original's to say. */
void log_fork_begins(void);
void log_fork_ends(void);
void log_forked(void);

#endif
