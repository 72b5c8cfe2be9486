/* What the bench needs from the system. Nothing here is the library's, so that rivals do not lean on it. */
#ifndef BENCH_HOST_H
#define BENCH_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct host_machine {
    char cpu[128];
    int cpu_count;
    char kernel[128];
    char compiler[64];
    char date[32];
} host_machine;

void host_describe(host_machine *machine);

/* Monotonic time. */
int64_t host_now_ns(void);

/* Sleeps about that long. */
void host_sleep_ns(int64_t duration_ns);

/* A path by which this process can start its own executable. */
const char *host_program(void);

/* Path of a file beside this executable; static, until the next call. */
const char *host_beside_program(const char *name);

/* Restricts the calling thread, and what it starts from now on, to the first `count` CPUs that it may use. */
bool host_use_cpus(int count);

/* Binds the calling thread to the CPU with that number, counted among those that it may use; wraps around. */
bool host_bind(int number);

/* Touches that many bytes of private memory, so that they are resident until the process ends. */
bool host_make_resident(size_t size);

/* Zeroed memory from a memory file, as the library's own is, shared with fork() children. NULL: there is none. */
void *host_shared(size_t size);

/*
 * Runs a program (looked up in PATH if its name has no slash) to its end, with "NAME=VALUE" variables added to
 * the environment, and keeps what it prints. False if it cannot be run or exits with another code than 0.
 */
bool host_run(const char *const *arguments, const char *const *variables, char *output, size_t size);

/* Whether the file exists. */
bool host_exists(const char *path);

/* Kills a process at once, without asking. */
void host_kill(int64_t pid);

/* CPU time and context switches of all threads of a process, dead ones excepted. False: it is gone. */
typedef struct host_usage {
    int64_t cpu_ns;
    int64_t switches;
    int threads;
} host_usage;

bool host_usage_of(int64_t pid, host_usage *usage);

/* CPU time that everything on the machine has used, and that this process and its ended descendants have. */
int64_t host_busy_ns(void);
int64_t host_own_ns(void);

#endif
