#include "selftest.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

intptr_t selftest_start(const char *helper)
{
    pid_t child = fork();

    if (child != 0) return child > 0 ? child : 0;
    /* Out of the case's process group and session, as a daemon would do: the runner must find it all the same. */
    setsid();
    setenv(CHECK_HELPER_VARIABLE, helper, 1);
    execl("/proc/self/exe", "selftest", (char *)NULL);
    _exit(CHECK_FAILED);
}

int selftest_collect(intptr_t child)
{
    int status = 0;

    waitpid((pid_t)child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void *sleep_always(void *unused)
{
    for (;;) pause();
    return unused;
}

void selftest_leave_thread(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, sleep_always, NULL) == 0) pthread_detach(thread);
}

void selftest_leave_handle(void)
{
    CHECK(dup(1) >= 0);
}

void selftest_leave_mapping(void)
{
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}
