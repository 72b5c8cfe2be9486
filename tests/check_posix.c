/*
 * The test runner's needs on Linux. Another POSIX system needs another file: it has no subreaper, and no /proc.
 */
#include "check_os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct check_process {
    pid_t pid;
    bool collected;
};

int64_t check_os_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void check_os_pause_ms(int ms)
{
    struct timespec pause = {ms / 1000, (long)(ms % 1000) * 1000000};

    while (nanosleep(&pause, &pause) != 0 && errno == EINTR) continue;
}

void check_os_quiet(void)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

bool check_os_take_variable(const char *name, char *value, size_t size)
{
    const char *found = getenv(name);

    if (found == NULL || strlen(found) >= size) return false;
    snprintf(value, size, "%s", found);
    unsetenv(name);
    return true;
}

FILE *check_os_output(void)
{
    return tmpfile();
}

/* ---- starting and ending ---------------------------------------------------------------------- */

/* SIGCHLD is kept blocked in the runner and taken with sigtimedwait(), so that no end is overlooked. */
static void block_child_signal(sigset_t *old)
{
    sigset_t set;

    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, old);
}

/* Returns after a child has ended, or after the time, or before: the caller looks. */
static void wait_for_child_signal(int64_t ms)
{
    struct timespec limit = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    sigset_t set;

    if (ms <= 0) return;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigtimedwait(&set, NULL, &limit);
}

/* In the child, after fork(). Does not return. */
static void become(char *const *arguments, const char *executable, const char *variable, const char *value,
                   FILE *output, const sigset_t *mask)
{
    int null = open("/dev/null", O_RDONLY);

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setenv(variable, value, 1);
    dup2(null, 0);
    close(null);
    if (output != NULL) {
        dup2(fileno(output), 1);
        dup2(fileno(output), 2);
        close(fileno(output));
    }
    sigprocmask(SIG_SETMASK, mask, NULL);
    execv(executable, arguments);
    perror(executable);
    _exit(CHECK_FAILED);
}

check_process *check_os_start(const char *const *arguments, const char *variable, const char *value, FILE *output)
{
    static char executable[4096];
    char *all[8] = {executable};
    check_process *process = calloc(1, sizeof *process);
    sigset_t mask;
    int i;

    if (process == NULL || readlink("/proc/self/exe", executable, sizeof executable - 1) < 0) goto failed;
    for (i = 0; i < 6 && arguments[i] != NULL; i++) all[i + 1] = (char *)arguments[i];
    /* Whatever loses its parent in there becomes our child, so that we see it. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    block_child_signal(&mask);
    fflush(NULL);
    process->pid = fork();
    if (process->pid == 0) {
        become(all, executable, variable, value, output, &mask);
    }
    if (process->pid > 0) return process;
failed:
    perror("starting a test process");
    free(process);
    return NULL;
}

static void describe_end(int status, check_outcome *outcome)
{
    outcome->exited = WIFEXITED(status);
    outcome->code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    outcome->text[0] = '\0';
    if (!WIFSIGNALED(status)) return;
    snprintf(outcome->text, sizeof outcome->text, "%s: signal %d (%s)",
             WTERMSIG(status) == SIGABRT ? "aborted" : "crashed", WTERMSIG(status), strsignal(WTERMSIG(status)));
}

bool check_os_wait(check_process *process, int64_t limit_ms, check_outcome *outcome)
{
    int64_t deadline_ms = check_os_now_ms() + limit_ms;
    int status;

    for (;;) {
        if (waitpid(process->pid, &status, WNOHANG) == process->pid) {
            describe_end(status, outcome);
            process->collected = true;
            return true;
        }
        if (check_os_now_ms() >= deadline_ms) return false;
        wait_for_child_signal(deadline_ms - check_os_now_ms());
    }
}

/* ---- what /proc tells ------------------------------------------------------------------------- */

typedef void visit_child(void *context, pid_t pid, char state, const char *name);

/*
 * Visits the children of this process. /proc is read and not wait(): it gives names, and takes
 * nothing away from a library that waits for its own.
 */
static void each_child(visit_child *visit, void *context)
{
    DIR *directory = opendir("/proc");
    struct dirent *entry;
    char path[64];
    char line[512];

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        FILE *file;
        char *end;
        char *name;
        char state;
        int parent;

        if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
        snprintf(path, sizeof path, "/proc/%.20s/stat", entry->d_name);
        file = fopen(path, "re");
        if (file == NULL) continue;
        line[fread(line, 1, sizeof line - 1, file)] = '\0';
        fclose(file);
        /* "pid (name) state parent ...", where the name may contain anything. */
        name = strchr(line, '(');
        end = strrchr(line, ')');
        if (name == NULL || end == NULL || sscanf(end + 1, " %c %d", &state, &parent) != 2) continue;
        *end = '\0';
        if (parent == getpid()) visit(context, (pid_t)atol(entry->d_name), state, name + 1);
    }
    if (directory != NULL) closedir(directory);
}

static void list_child(void *context, pid_t pid, char state, const char *name)
{
    check_list_add(context, "%ld (%.60s)%s", (long)pid, name, state == 'Z' ? ", ended but not collected" : "");
}

static bool is_listed(const check_list *list, pid_t pid)
{
    for (int i = 0; i < list->count && i < CHECK_LIST_MAX; i++)
        if (atol(list->names[i]) == (long)pid) return true;
    return false;
}

/* On a busy machine it takes a while to end, and is visited again. */
static void kill_child(void *context, pid_t pid, char state, const char *name)
{
    if (state == 'Z') return;
    if (context != NULL && !is_listed(context, pid)) list_child(context, pid, state, name);
    kill(pid, SIGKILL);
}

/* Collects every child that has ended. Returns whether there are others. */
static bool collect_ended(void)
{
    pid_t pid;

    while ((pid = waitpid(-1, NULL, WNOHANG | __WALL)) > 0) continue;
    return pid == 0;
}

void check_os_finish(check_process *process, int64_t limit_ms, check_list *left)
{
    int64_t deadline_ms = check_os_now_ms() + limit_ms;

    while (collect_ended() && check_os_now_ms() < deadline_ms) {
        wait_for_child_signal(deadline_ms - check_os_now_ms());
    }
    /* The children of whom we kill become ours: so it goes on until there are none. */
    while (collect_ended()) {
        each_child(kill_child, left);
        wait_for_child_signal(10);
    }
    free(process);
}

static void *do_nothing(void *argument)
{
    return argument;
}

/* A sanitizer adds a thread of its own to a process' first. */
void check_os_warm_up(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, do_nothing, NULL) == 0) pthread_join(thread, NULL);
}

/*
 * Names are those of all processes of the user, of which some end. A process that the setup had started is closed by
 * its reaper, which may come after the setup.
 */
bool check_os_may_vanish(check_kind kind, const char *name)
{
    if (kind == CHECK_HANDLES) return strstr(name, "[pidfd]") != NULL;
    return kind == CHECK_SHARED && strncmp(name, "/dev/shm/", 9) == 0;
}

/* ---- counting --------------------------------------------------------------------------------- */

static void list_children(check_list *list)
{
    siginfo_t info;

    /* Mostly there are none, and the kernel says so at once. */
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) != 0 && errno == ECHILD) return;
    each_child(list_child, list);
}

static void list_handles(check_list *list)
{
    DIR *directory = opendir("/proc/self/fd");
    struct dirent *entry;
    char path[64];
    char target[64];

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        ssize_t length;

        if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(directory)) continue;
        snprintf(path, sizeof path, "/proc/self/fd/%.20s", entry->d_name);
        length = readlink(path, target, sizeof target - 1);
        if (length < 0) continue;
        target[length] = '\0';
        check_list_add(list, "%.10s -> %s", entry->d_name, target);
    }
    if (directory != NULL) closedir(directory);
}

static void list_threads(check_list *list)
{
    DIR *directory = opendir("/proc/self/task");
    struct dirent *entry;
    char path[64];
    char name[32];

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        FILE *file;

        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/proc/self/task/%.20s/comm", entry->d_name);
        file = fopen(path, "re");
        if (file == NULL) continue;
        name[fread(name, 1, sizeof name - 1, file)] = '\0';
        fclose(file);
        name[strcspn(name, "\n")] = '\0';
        check_list_add(list, "%.20s (%s)", entry->d_name, name);
    }
    if (directory != NULL) closedir(directory);
}

/*
 * Writable shared mappings, one for each object that is mapped: the kernel splits and joins the lines of one
 * mapping as it likes.
 */
static void list_mappings(check_list *list)
{
    FILE *file = fopen("/proc/self/maps", "re");
    char line[4400];

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *path;
        char access[8];
        char object[64];
        char name[CHECK_NAME_BYTES];
        int start = 0;
        int i;

        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "%*s %7s %*s %23s %n", access, object, &start) != 2) continue;
        if (access[3] != 's') continue;
        path = strchr(line + start, '/');
        snprintf(name, sizeof name, "mapping of %.20s %.50s", object, path ? path : "");
        for (i = 0; i < list->count && i < CHECK_LIST_MAX && strcmp(list->names[i], name) != 0; i++) continue;
        if (i == list->count) check_list_add(list, "%s", name);
    }
    if (file != NULL) fclose(file);
}

/* Whether a process holds a lock on the file with this inode: so do those that use named memory. */
static bool is_locked(unsigned long inode)
{
    FILE *file = fopen("/proc/locks", "re");
    unsigned long locked;
    char line[256];
    bool found = false;

    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
        found = sscanf(line, "%*s %*s %*s %*s %*s %*x:%*x:%lu", &locked) == 1 && locked == inode;
    if (file != NULL) fclose(file);
    return found;
}

/* Whether the name ends with the number of another process that lives: its case, or the kill tool, has it. */
static bool is_of_another(const char *name)
{
    const char *end = name + strlen(name);
    const char *digits = end;
    long number;

    while (digits > name && digits[-1] >= '0' && digits[-1] <= '9') digits--;
    number = strtol(digits, NULL, 10);
    return number > 1 && number != (long)getpid() && kill((pid_t)number, 0) == 0;
}

/* Named memory that nobody has any more. That of other test processes is theirs. */
static void list_left_over(check_list *list, const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    struct stat is;

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        if (fstatat(dirfd(directory), entry->d_name, &is, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(is.st_mode)) continue;
        if (is_of_another(entry->d_name)) continue;
        if (!is_locked((unsigned long)is.st_ino)) check_list_add(list, "%s/%.60s", path, entry->d_name);
    }
    if (directory != NULL) closedir(directory);
}

static bool is_of_this_user(int directory, const char *name)
{
    struct stat is;

    return fstatat(directory, name, &is, AT_SYMLINK_NOFOLLOW) == 0 && is.st_uid == geteuid();
}

/*
 * Names that look like ours. Those of other test processes come and go; they are waited for. What other users have
 * is for the cases to check that made it for them.
 */
static void list_names(check_list *list)
{
    DIR *directory = opendir("/dev/shm");
    struct dirent *entry;
    char place[64];

    snprintf(place, sizeof place, "mproc-%lu", (unsigned long)geteuid());
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        if (strstr(entry->d_name, "mproc") == NULL) continue;
        if (strcmp(entry->d_name, place) != 0 && is_of_this_user(dirfd(directory), entry->d_name))
            check_list_add(list, "/dev/shm/%.60s", entry->d_name);
    }
    if (directory != NULL) closedir(directory);
    snprintf(place, sizeof place, "/dev/shm/mproc-%lu", (unsigned long)geteuid());
    list_left_over(list, place);
}

void check_os_list(check_kind kind, check_list *list)
{
    list->count = 0;
    switch (kind) {
    case CHECK_HANDLES:
        list_handles(list);
        break;
    case CHECK_CHILDREN:
        list_children(list);
        break;
    case CHECK_THREADS:
        list_threads(list);
        break;
    case CHECK_SHARED:
        list_mappings(list);
        list_names(list);
        break;
    }
}
