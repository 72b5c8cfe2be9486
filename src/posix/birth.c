/*
 * Programs clear their environment, and write over their arguments to hide a password. Therefore both are taken when
 * the library is loaded, which is before main().
 */
#include "birth.h"

#include "handle.h"
#include "thread.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    bool taken;
    bool emulated;
    plat_handle end; /* what tells the parent that this process has ended, or PLAT_NO_HANDLE */
    bool has_token;
    char token[PLAT_TOKEN_BYTES];
    char **arguments;
} birth = {.end = PLAT_NO_HANDLE};

static void birth_take(int count, char *const *arguments);
static void birth_take_token(void);
static char **birth_copy(int count, char *const *arguments);

/*
 * glibc passes main()'s arguments to constructors; other C libraries do not, and there command.c reads them later.
 * Before constructors without a priority, so that those of the program find it done.
 */
#ifdef __GLIBC__
__attribute__((constructor(101))) static void birth_load(int count, char **arguments)
{
    birth_take(count, arguments);
}
#else
__attribute__((constructor(101))) static void birth_load(void)
{
    birth_take(0, NULL);
}
#endif

const char *plat_birth_token(void)
{
    if (!birth.taken) birth_take(0, NULL); /* called by another constructor, which came first */
    return birth.has_token ? birth.token : NULL;
}

bool plat_birth_handles(plat_handle *memory, plat_handle *child_end, plat_handle *door)
{
    int flags = fcntl(BIRTH_FIRST_HANDLE, F_GETFD);

    *memory = BIRTH_FIRST_HANDLE;
    *child_end = BIRTH_FIRST_HANDLE + 1;
    *door = BIRTH_FIRST_HANDLE + 2;
    return flags >= 0 && (flags & FD_CLOEXEC) == 0; /* what came through an exec has no such flag */
}

/* Only what came through an exec can be inherited further, and a pipe can be nothing else under this number. */
void plat_birth_adopt_end(void)
{
    struct stat file;
    int flags = fcntl(BIRTH_END_HANDLE, F_GETFD);

    if (flags < 0 || (flags & FD_CLOEXEC) != 0 || fstat(BIRTH_END_HANDLE, &file) != 0 || !S_ISFIFO(file.st_mode)) {
        return;
    }
    fcntl(BIRTH_END_HANDLE, F_SETFD, FD_CLOEXEC);
    handle_remember(BIRTH_END_HANDLE);
    birth.end = BIRTH_END_HANDLE;
}

void plat_birth_forked(void)
{
    plat_handle_close(birth.end);
    birth.end = PLAT_NO_HANDLE;
}

bool birth_emulated(void)
{
    if (!birth.taken) birth_take(0, NULL);
    return birth.emulated;
}

char **birth_arguments(void)
{
    return birth.arguments;
}

/* Threads that exist already (the library is opened at run time) do not know of it before this has returned. */
static void birth_take(int count, char *const *arguments)
{
    const char *preloaded = getenv("LD_PRELOAD");

    if (!birth.taken) birth_take_token();
    if (preloaded && strstr(preloaded, "vgpreload_")) birth.emulated = true;
    if (!birth.arguments && count > 0) birth.arguments = birth_copy(count, arguments);
    birth.taken = true;
}

static void birth_take_token(void)
{
    char *value = getenv(PLAT_TOKEN_NAME);
    size_t length = value ? strlen(value) : 0;

    if (length == 0 || length >= sizeof birth.token) return;
    memcpy(birth.token, value, length + 1);
    birth.has_token = true;
    if (value[length - 1] == '0') value[length - 1] = '1';
}

/* One block: the list, and the texts behind it. */
static char **birth_copy(int count, char *const *arguments)
{
    size_t bytes = ((size_t)count + 1) * sizeof(char *);

    for (int i = 0; i < count; i++) bytes += strlen(arguments[i]) + 1;
    char **list = malloc(bytes);
    if (!list) return NULL;
    char *text = (char *)(list + count + 1);
    for (int i = 0; i < count; i++) {
        size_t size = strlen(arguments[i]) + 1;
        list[i] = memcpy(text, arguments[i], size);
        text += size;
    }
    list[count] = NULL;
    return list;
}
