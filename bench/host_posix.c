/* Linux: affinity, memory files and /proc are its own. */
#define _GNU_SOURCE
#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

int64_t host_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void host_sleep_ns(int64_t duration_ns)
{
    struct timespec duration = {.tv_sec = duration_ns / 1000000000, .tv_nsec = duration_ns % 1000000000};

    while (nanosleep(&duration, &duration) != 0 && errno == EINTR) continue;
}

/* Copies what follows ": " in the first line of /proc/cpuinfo that begins with "model name". */
static void read_cpu_name(char *name, size_t size)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[256];

    snprintf(name, size, "unknown CPU");
    if (file == NULL) return;
    while (fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');

        if (strncmp(line, "model name", 10) != 0 || colon == NULL) continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(name, size, "%s", colon + 2);
        break;
    }
    fclose(file);
}

void host_describe(host_machine *machine)
{
    struct utsname names;
    time_t now = time(NULL);
    struct tm day;

    read_cpu_name(machine->cpu, sizeof machine->cpu);
    machine->cpu_count = (int)sysconf(_SC_NPROCESSORS_ONLN);
    uname(&names);
    /* Without what its builder has appended to the version. */
    snprintf(machine->kernel, sizeof machine->kernel, "%.20s %.*s %.20s", names.sysname,
             (int)strspn(names.release, "0123456789."), names.release, names.machine);
#ifdef __clang__
    snprintf(machine->compiler, sizeof machine->compiler, "%.50s", __VERSION__);
#else
    snprintf(machine->compiler, sizeof machine->compiler, "gcc %.50s", __VERSION__);
#endif
    gmtime_r(&now, &day);
    strftime(machine->date, sizeof machine->date, "%Y-%m-%d %H:%M UTC", &day);
}

/* Not its path: a new build may replace the file while the old one still measures. */
const char *host_program(void)
{
    return "/proc/self/exe";
}

const char *host_beside_program(const char *name)
{
    static char path[4096];
    ssize_t length = readlink(host_program(), path, sizeof path - 1);
    char *slash;

    path[length > 0 ? length : 0] = '\0';
    slash = strrchr(path, '/');
    if (slash == NULL) slash = path;
    snprintf(slash, sizeof path - (size_t)(slash - path), "/%s", name);
    return path;
}

/* The number of the `number`th CPU of the set. */
static int find_cpu(const cpu_set_t *set, int number)
{
    number %= CPU_COUNT(set);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, set) && number-- == 0) return cpu;
    }
    return 0;
}

static bool set_cpus(const cpu_set_t *set)
{
    if (sched_setaffinity(0, sizeof *set, set) == 0) return true;
    perror("bench: sched_setaffinity");
    return false;
}

bool host_use_cpus(int count)
{
    cpu_set_t allowed;
    cpu_set_t chosen;

    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return false;
    if (CPU_COUNT(&allowed) < count) {
        fprintf(stderr, "bench: %d CPUs are needed, %d are there\n", count, CPU_COUNT(&allowed));
        return false;
    }
    CPU_ZERO(&chosen);
    for (int i = 0; i < count; i++) CPU_SET(find_cpu(&allowed, i), &chosen);
    return set_cpus(&chosen);
}

bool host_bind(int number)
{
    cpu_set_t allowed;
    cpu_set_t chosen;

    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return false;
    CPU_ZERO(&chosen);
    CPU_SET(find_cpu(&allowed, number), &chosen);
    return set_cpus(&chosen);
}

bool host_make_resident(size_t size)
{
    char *memory = malloc(size);

    if (memory == NULL) {
        fprintf(stderr, "bench: there are no %zu bytes of memory\n", size);
        return false;
    }
    for (size_t i = 0; i < size; i += 4096) ((volatile char *)memory)[i] = 1;
    return true;
}

void *host_shared(size_t size)
{
    int memory = memfd_create("bench", MFD_CLOEXEC);
    void *base = MAP_FAILED;

    if (memory >= 0 && ftruncate(memory, (off_t)size) == 0) {
        base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    }
    if (base == MAP_FAILED) perror("bench: shared memory");
    if (memory >= 0) close(memory);
    return base == MAP_FAILED ? NULL : base;
}

/* The environment with `variables` in front; the first of a name counts. The caller frees the list. */
static char **extend_environment(const char *const *variables)
{
    size_t count = 0;
    size_t added = 0;
    char **list;

    while (environ[count] != NULL) count++;
    while (variables != NULL && variables[added] != NULL) added++;
    list = calloc(count + added + 1, sizeof list[0]);
    if (list == NULL) return NULL;
    for (size_t i = 0; i < added; i++) list[i] = (char *)(uintptr_t)variables[i];
    memcpy(list + added, environ, count * sizeof list[0]);
    return list;
}

static void read_all(int from, char *output, size_t size)
{
    size_t filled = 0;
    char rest[256];

    for (;;) {
        bool full = filled + 1 >= size;
        ssize_t count = full ? read(from, rest, sizeof rest) : read(from, output + filled, size - 1 - filled);

        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        if (!full) filled += (size_t)count;
    }
    output[filled] = '\0';
}

bool host_run(const char *const *arguments, const char *const *variables, char *output, size_t size)
{
    int ends[2] = {-1, -1};
    int status = -1;
    pid_t child = -1;
    char **environment = extend_environment(variables);
    posix_spawn_file_actions_t actions;

    if (environment == NULL || pipe2(ends, O_CLOEXEC) != 0) goto done;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    if (posix_spawnp(&child, arguments[0], &actions, NULL, (char **)(uintptr_t)arguments, environment) != 0) {
        child = -1;
    }
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    ends[1] = -1;
    if (child < 0) goto done;
    read_all(ends[0], output, size);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
done:
    if (ends[0] >= 0) close(ends[0]);
    if (ends[1] >= 0) close(ends[1]);
    free(environment);
    return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool host_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

void host_kill(int64_t pid)
{
    kill((pid_t)pid, SIGKILL);
}

/* The number after the first line that begins with `name`; 0 if there is none. */
static int64_t read_field(const char *path, const char *name)
{
    FILE *file = fopen(path, "r");
    char line[256];
    int64_t number = 0;

    if (file == NULL) return 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, strlen(name)) != 0) continue;
        number = strtoll(line + strlen(name), NULL, 10);
        break;
    }
    fclose(file);
    return number;
}

bool host_usage_of(int64_t pid, host_usage *usage)
{
    char path[400];
    DIR *threads;
    struct dirent *each;

    *usage = (host_usage){0};
    snprintf(path, sizeof path, "/proc/%lld/task", (long long)pid);
    if ((threads = opendir(path)) == NULL) return false;
    while ((each = readdir(threads)) != NULL) {
        if (each->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/proc/%lld/task/%s/schedstat", (long long)pid, each->d_name);
        usage->cpu_ns += read_field(path, "");
        snprintf(path, sizeof path, "/proc/%lld/task/%s/status", (long long)pid, each->d_name);
        usage->switches += read_field(path, "voluntary_ctxt_switches:");
        usage->switches += read_field(path, "nonvoluntary_ctxt_switches:");
        usage->threads++;
    }
    closedir(threads);
    return true;
}

/* The first line of /proc/stat: ticks as user, nice, system, idle, waiting for a disk, and in interrupts. */
int64_t host_busy_ns(void)
{
    FILE *file = fopen("/proc/stat", "r");
    long long user = 0, nice = 0, system = 0, idle = 0, waiting = 0, hard = 0, soft = 0;
    int count;

    if (file == NULL) return 0;
    count =
        fscanf(file, "cpu %lld %lld %lld %lld %lld %lld %lld", &user, &nice, &system, &idle, &waiting, &hard, &soft);
    fclose(file);
    return count == 7 ? (user + nice + system + hard + soft) * (1000000000 / sysconf(_SC_CLK_TCK)) : 0;
}

static int64_t usage_ns(int who)
{
    struct rusage usage;

    if (getrusage(who, &usage) != 0) return 0;
    return ((int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000 +
           ((int64_t)usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

int64_t host_own_ns(void)
{
    return usage_ns(RUSAGE_SELF) + usage_ns(RUSAGE_CHILDREN);
}
