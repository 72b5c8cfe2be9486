/* A new process before its program is loaded, as a debugger sees it. */
#include "platform_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static int helper_returns_12(const char *text)
{
    (void)text;
    return 12;
}

/* Traced from here on: each process that it starts is stopped before its first instruction. */
static void start_traced(void)
{
    plat_process process;

    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(CHECK_SKIPPED);
    raise(SIGSTOP);
    platform_start("linux_birth.returns_12", "", PLAT_NO_HANDLE, &process);
    CHECK_EXITS(&process, 12);
    _exit(0);
}

static unsigned long long blocked_signals(pid_t pid)
{
    char path[64];
    char line[256];
    unsigned long long blocked = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    file = fopen(path, "r");
    CHECK(file != NULL);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "SigBlk:", 7) == 0) blocked = strtoull(line + 7, NULL, 16);
    }
    fclose(file);
    return blocked;
}

/* Lets the starter run until it has made a process; returns that one, which is stopped. */
static pid_t await_birth(pid_t starter)
{
    unsigned long born = 0;
    int status = 0;

    CHECK_EQ(waitpid(starter, &status, 0), starter);
    if (WIFEXITED(status)) CHECK_SKIP("no process can be traced here");
    CHECK(WIFSTOPPED(status));
    CHECK_EQ(ptrace(PTRACE_SETOPTIONS, starter, NULL,
                    (void *)(PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL)),
             0);
    CHECK_EQ(ptrace(PTRACE_CONT, starter, NULL, NULL), 0);
    CHECK_EQ(waitpid(starter, &status, 0), starter);
    CHECK(WIFSTOPPED(status) && status >> 16 != 0);
    CHECK_EQ(ptrace(PTRACE_GETEVENTMSG, starter, NULL, &born), 0);
    CHECK_EQ(waitpid((pid_t)born, &status, __WALL), (pid_t)born);
    CHECK(WIFSTOPPED(status));
    return (pid_t)born;
}

/* Handlers are gone in it, so what it does not block could end it before its own mask is set. */
static void case_no_signal_reaches_a_child_before_its_mask_is_set(void)
{
    pid_t starter, born;
    int status = 0;

    fflush(NULL);
    starter = fork();
    if (starter == 0) start_traced();
    born = await_birth(starter);
    for (int number = 1; number < 32; number++) {
        if (number == SIGKILL || number == SIGSTOP) continue;
        if (!(blocked_signals(born) >> (number - 1) & 1)) CHECK_EQ(number, 0);
    }
    CHECK_EQ(ptrace(PTRACE_DETACH, born, NULL, NULL), 0);
    CHECK_EQ(ptrace(PTRACE_DETACH, starter, NULL, NULL), 0);
    CHECK_EQ(waitpid(starter, &status, 0), starter);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 0);
}

CHECK_SUITE(linux_birth,
    CASE(no_signal_reaches_a_child_before_its_mask_is_set),
    HELPER(returns_12),
);
