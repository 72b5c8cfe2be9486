#include "born.h"

#include "arena/block.h"
#include "arena/slot.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define VARIABLE "KILL_STEP"
#define LIMIT_MS 20000

void born_offer(void)
{
    if (getenv(VARIABLE) == NULL) return;
    unsetenv(VARIABLE);
    step_victim_begin();
}

void born_victims(bool wanted)
{
    if (wanted) setenv(VARIABLE, "1", 1);
    else unsetenv(VARIABLE);
}

struct born_census born_count(void)
{
    const struct arena_header *header = arena_header;
    struct block_census blocks = block_count();
    struct born_census census = {0, 0, blocks.cut - blocks.free};
    uint32_t i;

    for (i = 0; i < atomic_load(&header->processes_high); i++)
        census.processes += process_slot_state(process_slot_at(i)) != PROCESS_FREE;
    for (i = 1; i < atomic_load(&header->threads_high); i++)
        census.threads += atomic_load(&thread_slot_at(i)->owner) != 0;
    if (!blocks.sound) census.blocks = UINT64_MAX;
    return census;
}

void born_settle(void)
{
    const struct timespec pause = {0, 100 * 1000};

    while (born_count().threads < 2) nanosleep(&pause, NULL);
}

static bool same(const struct born_census *left, const struct born_census *right)
{
    return left->processes == right->processes && left->threads == right->threads && left->blocks == right->blocks;
}

static struct born_census settled(void)
{
    const struct timespec pause = {0, 10 * 1000 * 1000};
    struct born_census last = born_count(), now;
    int quiet = 0;

    while (quiet < 20) {
        nanosleep(&pause, NULL);
        now = born_count();
        quiet = same(&now, &last) ? quiet + 1 : 0;
        last = now;
    }
    return last;
}

struct born_census born_baseline(void)
{
    static struct born_census least;
    static bool known;
    struct born_census now = born_count();

    if (!known) least = settled();
    known = true;
    if (now.processes < least.processes) least.processes = now.processes;
    if (now.threads < least.threads) least.threads = now.threads;
    if (now.blocks < least.blocks) least.blocks = now.blocks;
    return least;
}

/* The reaper may still be at work, so what differs may yet come right. */
const char *born_compare(const struct born_census *before)
{
    const struct timespec pause = {0, 100 * 1000};
    struct born_census now = born_count();
    int i;

    for (i = 0; i < LIMIT_MS * 10; i++) {
        now = born_count();
        if (same(&now, before)) return NULL;
        nanosleep(&pause, NULL);
    }
    if (now.blocks == UINT64_MAX) return step_says("the heap is not sound");
    return step_says("in use are %u process slots, %u thread slots and %llu blocks; before, %u, %u and %llu",
                     now.processes, now.threads, (unsigned long long)now.blocks, before->processes, before->threads,
                     (unsigned long long)before->blocks);
}

int64_t born_start(const char *role, int *pipe_end)
{
    char path[] = "/proc/self/exe";
    int ends[2];
    pid_t pid;

    fflush(stdout);
    if (pipe(ends) != 0 || (pid = fork()) < 0) {
        perror("kill tool: starting a program");
        exit(2);
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl(path, "kill_processes", role, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    *pipe_end = ends[0];
    return pid;
}

const char *born_all_ended(int pipe_end)
{
    struct pollfd entry = {pipe_end, POLLIN, 0};
    char text[512];
    ssize_t size;

    for (;;) {
        if (poll(&entry, 1, LIMIT_MS) != 1) {
            close(pipe_end);
            return step_says("after %d ms a process that it started still runs", LIMIT_MS);
        }
        if ((size = read(pipe_end, text, sizeof text)) <= 0) break;
        fwrite(text, 1, (size_t)size, stdout);
    }
    close(pipe_end);
    return NULL;
}

bool born_without_descriptors(void)
{
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof instructions / sizeof instructions[0], instructions};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
