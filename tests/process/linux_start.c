/*
 * What happens in the middle of a start: another thread ends the process, or a signal handler does; or its stack
 * ends. The library's calls of the system are replaced here, so that the moment is always the same.
 */
#include "process_fixture.h"

#include <mproc/map.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arena/lock.h"

/* Called once, in the next call of that name. */
static void (*_Atomic during_epoll_create)(void);
static void (*_Atomic during_epoll_ctl)(void);
static void (*_Atomic during_pipe)(void);

static void run_once(void (*_Atomic *hook)(void))
{
    void (*function)(void) = atomic_exchange(hook, NULL);

    if (function != NULL) function();
}

int epoll_create1(int flags)
{
    run_once(&during_epoll_create);
    return (int)syscall(SYS_epoll_create1, flags);
}

int epoll_ctl(int epoll, int act, int descriptor, struct epoll_event *event)
{
    run_once(&during_epoll_ctl);
    return (int)syscall(SYS_epoll_ctl, epoll, act, descriptor, event);
}

int pipe2(int ends[2], int flags)
{
    run_once(&during_pipe);
    return (int)syscall(SYS_pipe2, ends, flags);
}

static int run(const char *helper, const char *text)
{
    static fixture_run it;

    it = (fixture_run){.helper = helper, .text = text};
    fixture_run_to_end(&it);
    printf("%s", it.output);
    return it.code;
}

/* ---- another thread ends the process ---------------------------------------------------------------- */

static _Atomic uint32_t in_start;
static _Atomic uint32_t shut_down;

static void let_the_other_shut_down(void)
{
    atomic_store(&in_start, 1);
    CHECK_AWAIT(&shut_down, 1);
}

static void *start_it(void *process)
{
    CHECK_SAYS(mproc_process_start(process), MPROC_BAD_STATE, "mproc_shutdown() was called");
    return NULL;
}

static int helper_shuts_down_meanwhile(const char *text)
{
    mproc_process *process = fixture_create(fixture_does_nothing, NULL, 0, NULL);
    pthread_t thread;

    (void)text;
    atomic_store(&during_epoll_create, let_the_other_shut_down);
    CHECK_EQ(pthread_create(&thread, NULL, start_it, process), 0);
    CHECK_AWAIT(&in_start, 1);
    CHECK_OK(mproc_shutdown(0));
    atomic_store(&shut_down, 1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    mproc_process_free(process);
    return 0;
}

static void case_what_starts_while_the_process_shuts_down_is_refused(void)
{
    CHECK_EQ(run("linux_start.shuts_down_meanwhile", ""), 0);
}

/* ---- a signal handler ends the process ---------------------------------------------------------------- */

enum { HANDLER_CODE = 3 };

static void exit_at_once(int number)
{
    (void)number;
    exit(HANDLER_CODE);
}

static void interrupt_myself(void)
{
    raise(SIGUSR1);
}

/* Its daemon, which is there already, ends with it in any case. */
static void start_one_more(void)
{
    fixture_start(fixture_waits, fixture_board_create(), 0, &(mproc_process_options){.daemon = MPROC_YES});
    signal(SIGUSR1, exit_at_once);
}

static int helper_exits_in_a_handler(const char *text)
{
    void (*_Atomic *hook)(void) = strcmp(text, "pipe") == 0 ? &during_pipe : &during_epoll_ctl;

    start_one_more();
    atomic_store(hook, interrupt_myself);
    fixture_start(fixture_does_nothing, NULL, 0, &(mproc_process_options){.standard_error = {MPROC_STDIO_NULL, 0}});
    return 0;
}

/* What a thread looks like that is interrupted while it takes or gives a block; here it has all banks. */
static int helper_exits_under_a_lock(const char *text)
{
    struct heap_bank *banks = arena_header->heap.banks;

    (void)text;
    start_one_more();
    lock_acquire(work_intent(), &banks[0].lock);
    for (int i = 1; i < HEAP_BANKS; i++) atomic_store(&banks[i].lock.word, thread_self.owner_id);
    interrupt_myself();
    return 0;
}

static void case_handler_that_exits_in_the_middle_of_a_start_ends_the_process(void)
{
    CHECK_EQ(run("linux_start.exits_in_a_handler", "pipe"), HANDLER_CODE);
    CHECK_EQ(run("linux_start.exits_in_a_handler", "watch"), HANDLER_CODE);
}

static void case_handler_that_exits_in_the_middle_of_an_operation_ends_the_process(void)
{
    CHECK_EQ(run("linux_start.exits_under_a_lock", ""), HANDLER_CODE);
}

/* ---- threads with little stack ------------------------------------------------------------------ */

/* A library does not know how small the threads of its host are: paths lie elsewhere. */
static void *starts_a_child(void *options)
{
    mproc_pool *pool = NULL;

    CHECK_EXITED(fixture_start(fixture_exits, NULL, 5, options), 5);
    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 1}, &pool));
    mproc_pool_free(pool);
    return NULL;
}

static int helper_begins_in_a_small_thread(const char *text)
{
    static mproc_process_options elsewhere = {.working_directory = "/"};
    size_t least = (size_t)sysconf(_SC_THREAD_STACK_MIN);
    pthread_attr_t attributes;
    pthread_t thread;

    (void)text;
    CHECK_EQ(pthread_attr_init(&attributes), 0);
    CHECK_EQ(pthread_attr_setstacksize(&attributes, least), 0);
    CHECK_EQ(pthread_create(&thread, &attributes, starts_a_child, &elsewhere), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    return 0;
}

/* What is done once for a process is done in it, too. */
static void case_smallest_thread_can_make_the_first_calls(void)
{
    if (FIXTURE_SANITIZED) CHECK_SKIP("a sanitizer needs more stack");
    CHECK_EQ(run("linux_start.begins_in_a_small_thread", ""), 0);
}

CHECK_SUITE(linux_start,
    CASE(what_starts_while_the_process_shuts_down_is_refused),
    CASE(handler_that_exits_in_the_middle_of_a_start_ends_the_process),
    CASE(handler_that_exits_in_the_middle_of_an_operation_ends_the_process),
    CASE(smallest_thread_can_make_the_first_calls),
    HELPER(begins_in_a_small_thread),
    HELPER(shuts_down_meanwhile),
    HELPER(exits_in_a_handler),
    HELPER(exits_under_a_lock),
);
