#include "platform_fixture.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool os_handle_is_open(plat_handle handle)
{
    return fcntl((int)handle, F_GETFD) >= 0;
}

bool os_handle_is_inheritable(plat_handle handle)
{
    int flags = fcntl((int)handle, F_GETFD);

    return flags >= 0 && (flags & FD_CLOEXEC) == 0;
}

plat_handle os_open_inheritable(void)
{
    return open("/dev/null", O_RDWR);
}

/* ---- files ------------------------------------------------------------------------------------ */

void os_make_directory(char *path, size_t size)
{
    char name[] = "/tmp/platform-XXXXXX";
    char *real;

    CHECK(mkdtemp(name) != NULL);
    /* Where /tmp is a link, the current directory has the other name. */
    real = realpath(name, NULL);
    CHECK(real != NULL);
    CHECK(strlen(real) < size);
    memcpy(path, real, strlen(real) + 1);
    free(real);
}

void os_remove_directory(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    char name[4096];

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.') unlink(name);
    }
    if (directory != NULL) closedir(directory);
    CHECK_EQ(rmdir(path), 0);
}

void os_write_program(const char *path, const char *text)
{
    FILE *file = fopen(path, "wbe");

    CHECK(file != NULL);
    CHECK(fputs(text, file) >= 0);
    CHECK_EQ(fclose(file), 0);
    CHECK_EQ(chmod(path, 0755), 0);
}

void os_copy_program(const char *path)
{
    static char buffer[65536];
    FILE *from = fopen("/proc/self/exe", "rbe");
    FILE *to = fopen(path, "wbe");
    size_t size;

    CHECK(from != NULL && to != NULL);
    while ((size = fread(buffer, 1, sizeof buffer, from)) > 0) CHECK_EQ(fwrite(buffer, 1, size, to), size);
    fclose(from);
    CHECK_EQ(fclose(to), 0);
    CHECK_EQ(chmod(path, 0755), 0);
}

plat_handle os_open_input(const char *path)
{
    plat_handle handle = open(path, O_RDONLY | O_CLOEXEC);

    CHECK(handle >= 0);
    return handle;
}

plat_handle os_open_output(const char *path)
{
    plat_handle handle = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    CHECK(handle >= 0);
    return handle;
}

void os_read_file(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "rbe");

    CHECK(file != NULL);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

void os_write(plat_handle file, const char *text)
{
    CHECK_EQ(write((int)file, text, strlen(text)), strlen(text));
}

void os_current_directory(char *path, size_t size)
{
    CHECK(getcwd(path, size) != NULL);
}

/* ---- the process ------------------------------------------------------------------------------ */

void os_set_variable(const char *name, const char *value)
{
    CHECK_EQ(setenv(name, value, 1), 0);
}

void os_fault_as_usual(void)
{
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    signal(SIGILL, SIG_DFL);
    signal(SIGFPE, SIG_DFL);
    signal(SIGABRT, SIG_DFL);
}

bool os_reserved_memory_faults(void)
{
    return true;
}

void os_abort(void)
{
    abort();
}

void os_arithmetic_fault(void)
{
    raise(SIGFPE);
}

void os_illegal_instruction(void)
{
    raise(SIGILL);
}

int os_bind_to_one_cpu(void)
{
    cpu_set_t set;
    cpu_set_t one;
    int cpu = 0;

    CHECK_EQ(sched_getaffinity(0, sizeof set, &set), 0);
    while (!CPU_ISSET(cpu, &set)) cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    CHECK_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    return CPU_COUNT(&set);
}

void os_program_directory(char *path, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", path, size - 1);

    CHECK(length > 0);
    path[length] = '\0';
    *strrchr(path, '/') = '\0';
}

/* ---- modules ---------------------------------------------------------------------------------- */

uintptr_t os_system_function(void)
{
    return (uintptr_t)dlsym(RTLD_DEFAULT, "getpagesize");
}

uintptr_t os_library_symbol(const char *library, const char *symbol)
{
    void *loaded = dlopen(library, RTLD_NOW | RTLD_NOLOAD);
    uintptr_t address;

    CHECK(loaded != NULL);
    address = (uintptr_t)dlsym(loaded, symbol);
    dlclose(loaded);
    return address;
}

void *os_generate_code(void)
{
    void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(code != MAP_FAILED);
    return code;
}

void os_free_code(void *code)
{
    munmap(code, 4096);
}
