#include "command.h"

#include "birth.h"
#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define COMMAND_PATH "/proc/self/exe"

static pthread_mutex_t command_mutex = PTHREAD_MUTEX_INITIALIZER;
static char **command_line; /* under command_mutex until it is set, then constant */
static pthread_once_t command_once = PTHREAD_ONCE_INIT;
static char command_path[PATH_MAX * 2]; /* set by command_once */

static mproc_status command_load(char ***arguments);
static ssize_t command_read(char **text);
static char **command_split(char *text, size_t size);
static void command_find(void);

/* Where nobody has told at load: read once, for programs may write over it (setproctitle); again after a failure. */
mproc_status command_arguments(char *const **arguments)
{
    mproc_status status = MPROC_OK;

    *arguments = birth_arguments();
    if (*arguments) return MPROC_OK;
    pthread_mutex_lock(&command_mutex);
    if (!command_line) status = command_load(&command_line);
    *arguments = command_line;
    pthread_mutex_unlock(&command_mutex);
    return status;
}

const char *command_executable(void)
{
    pthread_once(&command_once, command_find);
    return command_path;
}

static mproc_status command_load(char ***arguments)
{
    char *text = NULL;
    ssize_t size = command_read(&text);
    char **list = NULL;

    if (size <= 0) {
        free(text);
        text = strdup(program_invocation_name);
        size = text ? (ssize_t)strlen(text) + 1 : 0;
    }
    if (text) list = command_split(text, (size_t)size);
    if (!list) {
        free(text);
        return error_system(ENOMEM, "cannot keep the command line");
    }
    *arguments = list;
    return MPROC_OK;
}

/* Reads /proc/self/cmdline, which does not tell its size, into new memory. Returns its size, or -1. */
static ssize_t command_read(char **text)
{
    int descriptor = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    size_t capacity = 4096;
    size_t size = 0;
    ssize_t count = -1;

    if (descriptor < 0) return -1;
    for (;;) {
        char *larger = realloc(*text, capacity + 1);
        if (!larger) break;
        *text = larger;
        do count = read(descriptor, larger + size, capacity - size);
        while (count < 0 && errno == EINTR);
        if (count <= 0) break;
        size += (size_t)count;
        if (size == capacity) capacity *= 2;
        count = -1;
    }
    close(descriptor);
    if (count != 0) return -1;
    (*text)[size] = '\0';
    return (ssize_t)size;
}

/* Arguments end with a zero byte each; a last one without is ended by the byte behind `size`, or is empty. */
static char **command_split(char *text, size_t size)
{
    size_t count = 0;

    for (size_t at = 0; at < size; at += strlen(text + at) + 1) count++;
    char **list = malloc((count + 1) * sizeof *list);
    if (!list) return NULL;
    count = 0;
    for (size_t at = 0; at < size; at += strlen(text + at) + 1) list[count++] = text + at;
    list[count] = NULL;
    return list;
}

/* Without /proc, the path that the kernel was given; it may be relative to where the program was started. */
static void command_find(void)
{
    const char *path = (const char *)getauxval(AT_EXECFN);

    ssize_t length = readlink(COMMAND_PATH, command_path, sizeof command_path - 1);
    if (length > 0) {
        command_path[length] = '\0';
        if (!birth_emulated()) strcpy(command_path, COMMAND_PATH); /* which under an emulator is the emulator */
        return;
    }
    if (!path) path = program_invocation_name;
    bool relative = path[0] != '/' && getcwd(command_path, PATH_MAX);
    size_t size = relative ? strlen(command_path) : 0;
    snprintf(command_path + size, sizeof command_path - size, "%s%s", relative ? "/" : "", path);
}
