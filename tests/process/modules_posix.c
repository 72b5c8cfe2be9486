#include "modules.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "platform/platform_fixture.h"

void modules_close(intptr_t handle)
{
    close((int)handle);
}

void modules_copy(const char *from, const char *to)
{
    static char buffer[65536];
    FILE *source = fopen(from, "rbe");
    FILE *target = fopen(to, "wbe");
    size_t size;

    CHECK(source != NULL && target != NULL);
    while ((size = fread(buffer, 1, sizeof buffer, source)) > 0) CHECK_EQ(fwrite(buffer, 1, size, target), size);
    fclose(source);
    CHECK_EQ(fclose(target), 0);
}

uintptr_t modules_open(const char *path, const char *symbol)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    uintptr_t address;

    if (library == NULL) check_fail(__FILE__, __LINE__, "%s", dlerror());
    address = (uintptr_t)dlsym(library, symbol);
    CHECK(address != 0);
    return address;
}

uintptr_t modules_open_in(const char *directory, const char *name, const char *symbol)
{
    char path[300];
    char *before = getcwd(NULL, 0);
    uintptr_t address;

    CHECK(before != NULL && chdir(directory) == 0);
    snprintf(path, sizeof path, "./%s", name);
    address = modules_open(path, symbol);
    CHECK_EQ(chdir(before), 0);
    free(before);
    return address;
}

typedef struct closed_use {
    const char *path;
    const char *symbol;
    void (*use)(uintptr_t address);
} closed_use;

static void *use_and_close(void *context)
{
    const closed_use *it = context;
    void *library = dlopen(it->path, RTLD_NOW | RTLD_LOCAL);

    CHECK(library != NULL);
    it->use((uintptr_t)dlsym(library, it->symbol));
    CHECK_EQ(dlclose(library), 0);
    return NULL;
}

void modules_use_and_close(const char *path, const char *symbol, void (*use)(uintptr_t address))
{
    closed_use it = {path, symbol, use};
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, use_and_close, &it), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

void modules_move_away(const char *path)
{
    CHECK_EQ(unlink(path), 0);
}

void modules_remove(const char *path, const char *directory)
{
    (void)path;
    os_remove_directory(directory);
}
