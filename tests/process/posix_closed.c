/*
 * A program that has closed all its descriptors, and goes on with the library: the system then gives the old numbers
 * to what the library opens next, and who had them must not take that for its own.
 */
#include "process_fixture_os.h"

#include <mproc/lock.h>
#include <mproc/shared_memory.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { CHILDREN = 8, NAMES = 8 };

static void close_all(void)
{
    int last = (int)sysconf(_SC_OPEN_MAX);

    if (last > 65536) last = 65536;
    for (int i = 3; i < last; i++) close(i);
}

static mproc_shared_memory *create_named(int number)
{
    char name[64];
    mproc_shared_memory_options options = {.name = name};
    mproc_shared_memory *memory = NULL;

    snprintf(name, sizeof name, "closed-%d-%d", (int)getpid(), number);
    CHECK_OK(mproc_shared_memory_create(4096, &options, &memory));
    return memory;
}

static void run(const char *helper)
{
    fixture_run run = {.helper = helper};

    if (FIXTURE_SANITIZED == 2)
        CHECK_SKIP("of races of descriptors the thread sanitizer tells through one of its own");
    fixture_run_to_end(&run);
    printf("%s", run.output);
    CHECK_EQ(run.code, 0);
}

static int helper_has_a_child_and_files(const char *text)
{
    fixture_board *board = fixture_board_create();
    mproc_process *child = fixture_start(fixture_waits, board, 0, &(mproc_process_options){.daemon = MPROC_NO});
    mproc_shared_memory *memories[NAMES];

    (void)text;
    fixture_await_step(board, 1);
    close_all();
    for (int i = 0; i < NAMES; i++) memories[i] = create_named(i);
    CHECK_STATUS(mproc_process_join(child, 1), MPROC_TIMEOUT);
    CHECK(mproc_process_is_alive(child));
    CHECK_OK(mproc_process_kill(child));
    CHECK_ENDED_BY(child, SIGKILL);
    for (int i = 0; i < NAMES; i++) mproc_shared_memory_free(memories[i]);
    fixture_board_free(board);
    return 0;
}

static void case_file_with_the_number_of_a_child_is_no_sign_of_its_end(void)
{
    run("posix_closed.has_a_child_and_files");
}

static int helper_grows(const char *text)
{
    mproc_shared_memory *memory, *large = NULL;
    mproc_lock *lock;

    (void)text;
    CHECK_OK(mproc_lock_create(NULL, &lock));
    close_all();
    memory = create_named(0);
    CHECK_SAYS(mproc_shared_memory_create((size_t)65 << 20, NULL, &large), MPROC_INVALID,
               "has closed file descriptor");
    mproc_shared_memory_free(memory);
    mproc_lock_free(lock);
    return 0;
}

static void case_file_with_the_number_of_shared_memory_does_not_grow(void)
{
    run("posix_closed.grows");
}

static mproc_status sleeps(mproc_call *call)
{
    (void)call;
    return mproc_sleep_ms(MPROC_FOREVER);
}

/* Objects of its origin are freed while it has children of its own. */
static void has_a_child_and_frees(void *context)
{
    mproc_process **ended = context, *own;

    close_all();
    own = fixture_start(sleeps, NULL, 0, &(mproc_process_options){.daemon = MPROC_YES});
    for (int i = 0; i < CHILDREN; i++) mproc_process_free(ended[i]);
    CHECK(mproc_process_is_alive(own));
    CHECK_EXITED(fixture_start(fixture_exits, NULL, 3, NULL), 3);
    CHECK_OK(mproc_process_kill(own));
    CHECK_ENDED_BY(own, SIGKILL);
}

static int helper_has_a_copy(const char *text)
{
    mproc_process *ended[CHILDREN];

    (void)text;
    for (int i = 0; i < CHILDREN; i++) {
        ended[i] = fixture_start(fixture_does_nothing, NULL, 0, NULL);
        CHECK_OK(mproc_process_join(ended[i], MPROC_FOREVER));
    }
    CHECK_EQ(fixture_in_a_copy(has_a_child_and_frees, ended, _exit), 5);
    for (int i = 0; i < CHILDREN; i++) mproc_process_free(ended[i]);
    return 0;
}

static void case_copy_that_frees_what_it_has_copied_keeps_what_is_its_own(void)
{
    run("posix_closed.has_a_copy");
}

CHECK_SUITE_SETUP(posix_closed, fixture_setup,
    CASE(file_with_the_number_of_a_child_is_no_sign_of_its_end),
    CASE(file_with_the_number_of_shared_memory_does_not_grow),
    CASE(copy_that_frees_what_it_has_copied_keeps_what_is_its_own),
    HELPER(has_a_child_and_files),
    HELPER(grows),
    HELPER(has_a_copy),
);
