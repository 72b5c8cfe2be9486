/* Named memory where it is files: who may make them, and what is left of them. */
#include "memory_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform.h"

/* Another user for each process of the suite: they run side by side. */
static uid_t stranger;

static const char *place_of(unsigned long user, char path[64])
{
    snprintf(path, 64, "/dev/shm/mproc-%lu", user);
    return path;
}

/* Runs it in a process of another user, who has no names yet. The platform alone is used: the family is not his. */
static void run_as_stranger(void (*function)(const char *place))
{
    char place[64];
    int result = 0;
    pid_t child;

    if (geteuid() != 0) CHECK_SKIP("only root can be another user");
    if (access("/dev/shm", W_OK) != 0) CHECK_SKIP("there is no /dev/shm");
    stranger = 100000 + (uid_t)getpid();
    place_of(stranger, place);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(setegid(stranger) == 0 && seteuid(stranger) == 0);
        function(place);
        _exit(0);
    }
    CHECK(waitpid(child, &result, 0) == child);
    CHECK_EQ(result, 0);
    CHECK(rmdir(place) != 0 && errno == ENOENT);
}

static void finds_a_place_that_others_can_write_to(const char *place)
{
    plat_named named;

    CHECK(mkdir(place, 0777) == 0 && chmod(place, 0777) == 0);
    CHECK_SAYS(plat_named_create("x", 1, "", 1, &named), MPROC_PERMISSION, place);
    CHECK_CONTAINS(mproc_last_error_text(), "(mode 0777, errno 13): chmod 700 /");
    CHECK(rmdir(place) == 0);
    CHECK(symlink("/dev/shm", place) == 0);
    CHECK_SAYS(plat_named_create("x", 1, "", 1, &named), MPROC_PERMISSION, "is a symbolic link and no directory");
    CHECK(unlink(place) == 0);
    fclose(fopen(place, "w"));
    CHECK_SAYS(plat_named_attach("x", &named), MPROC_PERMISSION, "is a file and no directory");
    CHECK(unlink(place) == 0);
    CHECK_EQ(seteuid(0), 0);
    CHECK(mkdir(place, 0700) == 0);
    CHECK_EQ(seteuid(stranger), 0);
    CHECK_SAYS(plat_named_create("x", 1, "", 1, &named), MPROC_PERMISSION, "is user 0's");
    CHECK_EQ(seteuid(0), 0);
    CHECK(rmdir(place) == 0);
}

static void check_says_what_is_there(const char *what)
{
    plat_named named;

    CHECK_SAYS(plat_named_create("x", 1, "", 1, &named), MPROC_MISMATCH, what);
    CHECK_CONTAINS(mproc_last_error_text(), "remove it");
    CHECK_SAYS(plat_named_attach("x", &named), MPROC_MISMATCH, what);
}

static void finds_other_things_under_a_name(const char *place)
{
    char path[128], keeper[128];

    snprintf(path, sizeof path, "%s/x", place);
    snprintf(keeper, sizeof keeper, "%s/keeper", place); /* it is no memory either, and keeps the place */
    CHECK(mkdir(place, 0700) == 0 && mkdir(keeper, 0700) == 0);
    CHECK(symlink("nowhere", path) == 0);
    check_says_what_is_there("is a symbolic link and no memory (errno ");
    CHECK(unlink(path) == 0);
    CHECK(mkdir(path, 0700) == 0);
    check_says_what_is_there("is a directory and no memory (errno ");
    CHECK(rmdir(path) == 0);
    CHECK(mknod(path, S_IFSOCK | 0600, 0) == 0);
    check_says_what_is_there("is a socket and no memory (errno ");
    CHECK(unlink(path) == 0);
    CHECK(rmdir(keeper) == 0);
    CHECK(rmdir(place) == 0);
}

static void case_other_thing_under_a_name_is_refused(void)
{
    run_as_stranger(finds_other_things_under_a_name);
}

static void case_place_that_is_not_the_users_own_is_not_used(void)
{
    run_as_stranger(finds_a_place_that_others_can_write_to);
}

static void makes_and_drops(const char *place)
{
    plat_named named, other;
    struct stat is;
    char file[128];

    CHECK_OK(plat_named_create("abc", 5000, "head", 4, &named));
    snprintf(file, sizeof file, "%s/abc", place);
    CHECK(stat(place, &is) == 0);
    CHECK_EQ(is.st_mode & 07777, 0700);
    CHECK(stat(file, &is) == 0);
    CHECK_EQ(is.st_mode & 07777, 0600);
    CHECK(is.st_blocks * 512 >= 5000);
    CHECK_OK(plat_named_attach("abc", &other));
    CHECK(memcmp(other.base, "head", 5) == 0);
    plat_named_close("abc", &named);
    CHECK(stat(file, &is) == 0);
    plat_named_close("abc", &other);
    CHECK(stat(place, &is) != 0 && errno == ENOENT);
}

static void case_nothing_is_left_of_the_place(void)
{
    run_as_stranger(makes_and_drops);
}

/* What a killed process leaves: a file that nobody has open. */
static void finds_what_is_left_over(const char *place)
{
    char file[128];
    plat_named named;

    CHECK(mkdir(place, 0700) == 0);
    snprintf(file, sizeof file, "%s/abc", place);
    fclose(fopen(file, "w"));
    CHECK_STATUS(plat_named_attach("abc", &named), MPROC_NOT_FOUND);
    CHECK(access(file, F_OK) != 0);
    CHECK(mkdir(place, 0700) == 0);
    fclose(fopen(file, "w"));
    CHECK_OK(plat_named_create("abc", 1, "h", 1, &named));
    CHECK(mkdir(place, 0700) != 0);
    snprintf(file, sizeof file, "%s/def", place);
    fclose(fopen(file, "w"));
    plat_named_sweep();
    CHECK(access(file, F_OK) != 0);
    CHECK_EQ(*(const char *)named.base, 'h');
    CHECK_STATUS(plat_named_create("abc", 1, "h", 1, &named), MPROC_EXISTS);
    plat_named_close("abc", &named);
}

static void case_what_is_left_over_is_removed(void)
{
    run_as_stranger(finds_what_is_left_over);
}

/* By the first use of a name in a process, whatever the name. */
static void case_first_use_of_names_removes_what_is_left_over(void)
{
    mproc_shared_memory *memory;
    char place[64], file[128];
    FILE *left_over;

    if (access("/dev/shm", W_OK) != 0) CHECK_SKIP("there is no /dev/shm");
    snprintf(file, sizeof file, "%s/left-over-%ld", place_of((unsigned long)geteuid(), place), (long)getpid());
    do mkdir(place, 0700); /* other tests remove it as soon as it is empty */
    while ((left_over = fopen(file, "w")) == NULL && errno == ENOENT);
    CHECK(left_over != NULL);
    fclose(left_over);
    memory = memory_create(8, memory_name("another"));
    CHECK(access(file, F_OK) != 0);
    mproc_shared_memory_free(memory);
}

/* A process that locks what is at the path and then stands still, as if it were stopped. End it by its pid. */
static pid_t start_who_locks(const char *path)
{
    int ready[2];
    char byte = 0;
    pid_t child;

    CHECK(pipe(ready) == 0);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        int file = open(path, O_RDONLY);
        if (file < 0 || flock(file, LOCK_EX) != 0 || write(ready[1], &byte, 1) != 1) _exit(1);
        for (;;) pause();
    }
    close(ready[1]);
    CHECK(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    return child;
}

static void end_who_locks(pid_t child)
{
    CHECK(kill(child, SIGKILL) == 0);
    CHECK(waitpid(child, NULL, 0) == child);
}

static void uses_names_beside_stopped_processes(const char *place)
{
    char file[128];
    plat_named named, other;
    pid_t locks_place, locks_file;

    CHECK(mkdir(place, 0700) == 0);
    snprintf(file, sizeof file, "%s/abc", place);
    fclose(fopen(file, "w"));
    locks_place = start_who_locks(place);
    locks_file = start_who_locks(file);
    CHECK_STATUS(plat_named_create("abc", 1, "", 1, &named), MPROC_TIMEOUT);
    CHECK_CONTAINS(mproc_last_error_text(), "is it stopped?");
    CHECK_STATUS(plat_named_attach("abc", &named), MPROC_TIMEOUT);
    CHECK_OK(plat_named_create("def", 1, "", 1, &named));
    CHECK_OK(plat_named_attach("def", &other));
    CHECK_OK(plat_named_unlink("def", &other));
    plat_named_close("def", &named);
    plat_named_close("def", &other);
    plat_named_sweep();
    end_who_locks(locks_file);
    end_who_locks(locks_place);
    CHECK_OK(plat_named_create("abc", 1, "", 1, &named));
    plat_named_close("abc", &named);
}

static void case_stopped_process_holds_up_one_name_at_most(void)
{
    run_as_stranger(uses_names_beside_stopped_processes);
}

static void makes_names_under_a_umask(const char *place)
{
    plat_named named;
    struct stat is;
    mode_t before = umask(0777);
    char file[128];

    CHECK_OK(plat_named_create("abc", 1, "", 1, &named));
    umask(before);
    snprintf(file, sizeof file, "%s/abc", place);
    CHECK(stat(file, &is) == 0);
    CHECK_EQ(is.st_mode & 07777, 0600);
    plat_named_close("abc", &named);
    /* Killed before it could set the mode. */
    CHECK(mkdir(place, 0000) == 0);
    CHECK_OK(plat_named_create("abc", 1, "", 1, &named));
    CHECK(stat(place, &is) == 0);
    CHECK_EQ(is.st_mode & 07777, 0700);
    plat_named_close("abc", &named);
}

static void case_umask_takes_no_rights_from_the_user(void)
{
    run_as_stranger(makes_names_under_a_umask);
}

/* Where a program that may not write to the usual place has its names. */
static void finds_what_is_left_over_elsewhere(const char *place)
{
    char elsewhere[64], file[128];

    (void)place;
    snprintf(elsewhere, sizeof elsewhere, "/tmp/mproc-%lu", (unsigned long)stranger);
    CHECK(mkdir(elsewhere, 0700) == 0);
    snprintf(file, sizeof file, "%s/abc", elsewhere);
    fclose(fopen(file, "w"));
    plat_named_sweep();
    CHECK(access(elsewhere, F_OK) != 0);
}

static void case_what_is_left_over_elsewhere_is_removed(void)
{
    run_as_stranger(finds_what_is_left_over_elsewhere);
}

static void tidies_one_name(const char *place)
{
    char left[128], kept[128];
    plat_named named;

    CHECK_OK(plat_named_create("abc", 1, "", 1, &named));
    snprintf(left, sizeof left, "%s/left", place);
    snprintf(kept, sizeof kept, "%s/kept", place);
    fclose(fopen(left, "w"));
    fclose(fopen(kept, "w"));
    plat_named_tidy("left");
    plat_named_tidy("abc");
    plat_named_tidy("absent");
    CHECK(access(left, F_OK) != 0);
    CHECK(access(kept, F_OK) == 0);
    CHECK(unlink(kept) == 0);
    CHECK_STATUS(plat_named_create("abc", 1, "", 1, &named), MPROC_EXISTS);
    plat_named_close("abc", &named);
}

static void case_tidying_a_name_touches_no_other(void)
{
    run_as_stranger(tidies_one_name);
}

/* ---- programs that write where they should not ------------------------------------------------- */

/* The size is the second word behind the numbers that say whose the file is. */
static void case_memory_that_another_program_has_made_smaller_is_refused(void)
{
    mproc_shared_memory *memory;
    mproc_process *process = NULL;
    uint64_t size = 1;
    char name[64], place[64], file[192];
    int descriptor;

    snprintf(name, sizeof name, "smaller-%d", (int)getpid()); /* such a name is its file's */
    memory = memory_create((size_t)3 * 4096, name);
    snprintf(file, sizeof file, "%s/%s", place_of(geteuid(), place), name);
    if ((descriptor = open(file, O_RDWR | O_CLOEXEC)) < 0) CHECK_SKIP("the names are elsewhere");
    CHECK_EQ(pwrite(descriptor, &size, sizeof size, 16), sizeof size);
    CHECK_EQ(ftruncate(descriptor, 4096 + 1), 0);
    close(descriptor);
    CHECK_SAYS(mproc_process_create(fixture_does_nothing, MPROC_ARGS(memory), NULL, &process), MPROC_MISMATCH,
               "was cut short");
    mproc_shared_memory_free(memory);
}

static void case_what_is_no_memory_in_the_place_of_a_name_is_told(void)
{
    mproc_shared_memory *memory = NULL;
    char name[64], place[64], path[192];

    snprintf(name, sizeof name, "folder-%d", (int)getpid());
    snprintf(path, sizeof path, "%s/%s", place_of(geteuid(), place), name);
    memory = memory_create(1, "beside"); /* so that the place is there */
    if (access(place, W_OK) != 0) CHECK_SKIP("the names are elsewhere");
    CHECK_EQ(mkdir(path, 0700), 0);
    CHECK_SAYS(mproc_shared_memory_attach(name, &memory), MPROC_MISMATCH, "is a directory and no memory");
    CHECK_SAYS(mproc_shared_memory_create(1, &(mproc_shared_memory_options){.name = name}, &memory), MPROC_MISMATCH,
               "is a directory and no memory");
    CHECK_CONTAINS(mproc_last_error_text(), name);
    CHECK_EQ(rmdir(path), 0);
    mproc_shared_memory_free(memory);
}

static void case_memory_that_was_cut_off_is_told_so(void)
{
    mproc_shared_memory *memory, *other;
    char name[64], place[64], path[192];

    snprintf(name, sizeof name, "cut-%d", (int)getpid());
    snprintf(path, sizeof path, "%s/%s", place_of(geteuid(), place), name);
    memory = memory_create(1, name);
    if (truncate(path, 100) != 0) CHECK_SKIP("the names are elsewhere");
    CHECK_SAYS(mproc_shared_memory_attach(name, &other), MPROC_MISMATCH, "has made it smaller");
    mproc_shared_memory_free(memory);
}

CHECK_SUITE_SETUP(shared_memory_files, fixture_setup,
    CASE(stopped_process_holds_up_one_name_at_most),
    CASE(umask_takes_no_rights_from_the_user),
    CASE(what_is_left_over_elsewhere_is_removed),
    CASE(tidying_a_name_touches_no_other),
    CASE(memory_that_another_program_has_made_smaller_is_refused),
    CASE(what_is_no_memory_in_the_place_of_a_name_is_told),
    CASE(memory_that_was_cut_off_is_told_so),
    CASE(first_use_of_names_removes_what_is_left_over),
    CASE(place_that_is_not_the_users_own_is_not_used),
    CASE(other_thing_under_a_name_is_refused),
    CASE(nothing_is_left_of_the_place),
    CASE(what_is_left_over_is_removed),
);
