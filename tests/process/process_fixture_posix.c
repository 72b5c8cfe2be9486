#include "process_fixture_os.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void fixture_command_line(char *text, size_t size)
{
    int descriptor = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t count = read(descriptor, text, size - 1);
    ssize_t i;

    close(descriptor);
    CHECK(count > 0);
    for (i = 0; i < count; i++) {
        if (text[i] == '\0') text[i] = ' ';
    }
    text[count] = '\0';
}

void fixture_kill(int64_t pid)
{
    CHECK_EQ(kill((pid_t)pid, SIGKILL), 0);
}

int fixture_in_a_copy(void (*function)(void *), void *context, void (*end)(int))
{
    int status = 0;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        function(context);
        end(5);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

void os_copy_file(const char *from, const char *to)
{
    static char buffer[65536];
    FILE *source = fopen(from, "rbe");
    FILE *target = fopen(to, "wbe");
    size_t size;

    CHECK(source != NULL && target != NULL);
    while ((size = fread(buffer, 1, sizeof buffer, source)) > 0) CHECK_EQ(fwrite(buffer, 1, size, target), size);
    fclose(source);
    CHECK_EQ(fclose(target), 0);
    CHECK_EQ(chmod(to, 0755), 0);
}

/* In the new process; does not return. */
static void become(const fixture_exec *exec, int output)
{
    char *all[16] = {(char *)exec->file};
    int i;

    for (i = 0; exec->arguments != NULL && exec->arguments[i] != NULL && i < 14; i++)
        all[i + 1] = (char *)exec->arguments[i];
    dup2(output, 1);
    dup2(output, 2);
    if (exec->directory != NULL && chdir(exec->directory) != 0) _exit(CHECK_FAILED);
    if (exec->search != NULL) {
        setenv("PATH", exec->search, 1);
        execvp(exec->file, all);
    } else {
        execv(exec->file, all);
    }
    perror(exec->file);
    _exit(CHECK_FAILED);
}

void os_exec(const fixture_exec *exec, plat_handle output, plat_process *process)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) become(exec, (int)output);
    process->pid = pid;
    process->handle = (plat_handle)syscall(SYS_pidfd_open, pid, 0);
    CHECK(process->handle >= 0);
}
