/* Signals: what a child is started with, and that none of them disturbs a call. */
#include "platform_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

/* ---- what a child is given -------------------------------------------------------------------- */

/* Bits of the exit code. */
enum {
    USR1_BLOCKED = 1,
    USR2_BLOCKED = 2,
    USR1_IGNORED = 4,
    INT_IGNORED = 8,
    TERM_BLOCKED = 16,
    INT_CAUGHT = 32,
    INT_BLOCKED = 64
};

static int helper_tells_its_signals(const char *text)
{
    struct sigaction action;
    sigset_t mask;
    int result = 0;

    (void)text;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    if (sigismember(&mask, SIGUSR1)) result |= USR1_BLOCKED;
    if (sigismember(&mask, SIGUSR2)) result |= USR2_BLOCKED;
    if (sigismember(&mask, SIGTERM)) result |= TERM_BLOCKED;
    if (sigismember(&mask, SIGINT)) result |= INT_BLOCKED;
    sigaction(SIGUSR1, NULL, &action);
    if (action.sa_handler == SIG_IGN) result |= USR1_IGNORED;
    sigaction(SIGINT, NULL, &action);
    if (action.sa_handler == SIG_IGN) result |= INT_IGNORED;
    else if (action.sa_handler != SIG_DFL) result |= INT_CAUGHT;
    return result;
}

static void check_child_signals(int expected)
{
    plat_process process;

    platform_start("posix_signals.tells_its_signals", "", PLAT_NO_HANDLE, &process);
    CHECK_EXITS(&process, expected);
}

static void block(int signal)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal);
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
}

static void case_child_has_the_mask_of_its_starter(void)
{
    check_child_signals(0);
    block(SIGUSR1);
    check_child_signals(USR1_BLOCKED);
    block(SIGUSR2);
    check_child_signals(USR1_BLOCKED | USR2_BLOCKED);
}

static void case_start_leaves_the_starters_mask_alone(void)
{
    sigset_t mask;

    block(SIGUSR1);
    check_child_signals(USR1_BLOCKED);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    CHECK(sigismember(&mask, SIGUSR1));
    CHECK(!sigismember(&mask, SIGUSR2));
    CHECK(!sigismember(&mask, SIGTERM));
}

/* A thread of the library blocks everything; what it starts must not. */
static void start_from_thread(void *unused)
{
    (void)unused;
    check_child_signals(0);
}

static void case_child_of_a_library_thread_has_the_hosts_mask(void)
{
    plat_thread *thread;

    CHECK_OK(plat_thread_start(start_from_thread, NULL, &thread));
    plat_thread_join(thread);
}

static void case_child_keeps_what_the_host_ignores(void)
{
    signal(SIGUSR1, SIG_IGN);
    check_child_signals(USR1_IGNORED);
    signal(SIGINT, SIG_IGN);
    check_child_signals(USR1_IGNORED | INT_IGNORED);
}

/* The mask too: that of a worker, which is born with interrupts blocked, is not its children's. */
static void case_child_does_not_ignore_what_the_library_ignores(void)
{
    block(SIGINT);
    plat_process_ignore_interrupts();
    check_child_signals(0);
}

static void nothing(void)
{
}

static void case_child_does_not_catch_what_the_library_catches(void)
{
    CHECK_OK(plat_process_catch_interrupts(nothing));
    check_child_signals(0);
}

/* ---- interrupts ------------------------------------------------------------------------------- */

static plat_handle interrupted;

static void set_interrupted(void)
{
    plat_event_set(interrupted);
}

static int helper_catches(const char *text)
{
    plat_handle handles[4];
    int ready = -1;

    platform_handles(text, handles);
    CHECK_OK(plat_handle_adopt(handles[0]));
    CHECK_OK(plat_event_create(&interrupted));
    CHECK_OK(plat_process_catch_interrupts(set_interrupted));
    plat_event_set(handles[0]);
    CHECK_OK(plat_handle_wait(&interrupted, 1, platform_limit_ns(), &ready));
    return 4;
}

static int helper_stays(const char *text)
{
    plat_handle handles[4];

    platform_handles(text, handles);
    CHECK_OK(plat_handle_adopt(handles[0]));
    plat_event_set(handles[0]);
    for (;;) pause();
    return 0;
}

static void interrupt_helper(const char *helper, plat_process *process)
{
    plat_handle there;
    int ready = -1;

    CHECK_OK(plat_event_create(&there));
    platform_start(helper, "", there, process);
    CHECK_OK(plat_handle_wait(&there, 1, platform_limit_ns(), &ready));
    CHECK_OK(plat_process_interrupt(process));
    plat_handle_close(there);
}

static void case_interrupt_ends_who_does_not_catch_it(void)
{
    plat_process process;

    interrupt_helper("posix_signals.stays", &process);
    CHECK_SIGNALLED(&process, SIGINT);
}

static void case_interrupt_is_caught(void)
{
    plat_process process;

    interrupt_helper("posix_signals.catches", &process);
    CHECK_EXITS(&process, 4);
}

/* ---- threads ---------------------------------------------------------------------------------- */

/* Two cannot be blocked; the others are a thread's own faults, which nobody can put off. */
static bool is_exempt(int number)
{
    static const int exempt[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
    size_t i;

    for (i = 0; i < sizeof exempt / sizeof exempt[0]; i++) {
        if (number == exempt[i]) return true;
    }
    return false;
}

static void check_all_blocked(void *unused)
{
    sigset_t mask;
    int number;

    (void)unused;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    for (number = 1; number < 32; number++) {
        if (!sigismember(&mask, number) && !is_exempt(number)) CHECK_EQ(number, 0);
    }
}

static void case_threads_block_all_signals_from_outside(void)
{
    plat_thread *thread;
    sigset_t mask;

    CHECK_OK(plat_thread_start(check_all_blocked, NULL, &thread));
    plat_thread_join(thread);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    CHECK(!sigismember(&mask, SIGTERM));
}

/* ---- a rain of signals ------------------------------------------------------------------------ */

static volatile sig_atomic_t drops;

static void count_drop(int number)
{
    (void)number;
    drops = drops + 1;
}

/* Without SA_RESTART: each call that sleeps is disturbed. */
static void start_rain(void)
{
    struct sigaction action = {.sa_handler = count_drop};
    struct itimerval every = {{0, 500}, {0, 500}};

    CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
    CHECK_EQ(setitimer(ITIMER_REAL, &every, NULL), 0);
}

static void stop_rain(void)
{
    struct itimerval never = {{0, 0}, {0, 0}};

    CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
    CHECK(drops > 0);
}

static void case_signals_do_not_shorten_a_sleep(void)
{
    int64_t deadline = platform_in_ms(50);

    start_rain();
    plat_clock_sleep_until(deadline);
    CHECK(plat_clock_now_ns() >= deadline);
    stop_rain();
}

static void case_signals_do_not_disturb_a_wait_for_handles(void)
{
    plat_handle event;
    int ready = -1;
    int64_t deadline = platform_in_ms(50);

    CHECK_OK(plat_event_create(&event));
    start_rain();
    CHECK_STATUS(plat_handle_wait(&event, 1, deadline, &ready), MPROC_TIMEOUT);
    CHECK(plat_clock_now_ns() >= deadline);
    stop_rain();
    plat_handle_close(event);
}

static void case_signals_do_not_disturb_a_watcher(void)
{
    plat_watcher *watcher;
    int64_t deadline = platform_in_ms(50);

    CHECK_OK(plat_watcher_create(&watcher));
    start_rain();
    CHECK_EQ(plat_watcher_wait(watcher, deadline), 0);
    CHECK(plat_clock_now_ns() >= deadline);
    stop_rain();
    plat_watcher_free(watcher);
}

/* A semaphore may wake for no reason, but a status is OK or TIMEOUT, and TIMEOUT is not early. */
static void case_signals_do_not_make_a_semaphore_fail(void)
{
    plat_semaphore semaphore = {0};
    int64_t deadline = platform_in_ms(50);
    mproc_status status;

    CHECK_OK(plat_semaphore_open(&semaphore));
    start_rain();
    while ((status = plat_semaphore_wait(&semaphore, deadline)) == MPROC_OK)
        CHECK(plat_clock_now_ns() < platform_limit_ns());
    CHECK_STATUS(status, MPROC_TIMEOUT);
    CHECK(plat_clock_now_ns() >= deadline);
    stop_rain();
    plat_semaphore_close(&semaphore);
}

static int helper_returns_11(const char *text)
{
    (void)text;
    return 11;
}

static void case_signals_do_not_disturb_a_start(void)
{
    plat_process process;
    int i;

    start_rain();
    for (i = 0; i < 20; i++) {
        platform_start("posix_signals.returns_11", "", PLAT_NO_HANDLE, &process);
        CHECK_EXITS(&process, 11);
    }
    stop_rain();
}

static void set_event_on_signal(int number)
{
    (void)number;
    plat_event_set(interrupted);
}

static void case_event_can_be_set_by_a_signal_handler(void)
{
    struct sigaction action = {.sa_handler = set_event_on_signal};
    int ready = -1;

    CHECK_OK(plat_event_create(&interrupted));
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    errno = 0;
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(errno, 0);
    CHECK_OK(plat_handle_wait(&interrupted, 1, 0, &ready));
    plat_handle_close(interrupted);
}

static plat_semaphore posted;

static void post_on_signal(int number)
{
    (void)number;
    plat_semaphore_post(&posted);
}

static void case_semaphore_can_be_posted_by_a_signal_handler(void)
{
    struct sigaction action = {.sa_handler = post_on_signal};

    CHECK_OK(plat_semaphore_open(&posted));
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    errno = 0;
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(errno, 0);
    CHECK_OK(plat_semaphore_wait(&posted, 0));
    plat_semaphore_close(&posted);
}

CHECK_SUITE(posix_signals,
    CASE(child_has_the_mask_of_its_starter),
    CASE(start_leaves_the_starters_mask_alone),
    CASE(child_of_a_library_thread_has_the_hosts_mask),
    CASE(child_keeps_what_the_host_ignores),
    CASE(child_does_not_ignore_what_the_library_ignores),
    CASE(child_does_not_catch_what_the_library_catches),
    CASE(interrupt_ends_who_does_not_catch_it),
    CASE(interrupt_is_caught),
    CASE(threads_block_all_signals_from_outside),
    CASE(signals_do_not_shorten_a_sleep),
    CASE(signals_do_not_disturb_a_wait_for_handles),
    CASE(signals_do_not_disturb_a_watcher),
    CASE(signals_do_not_make_a_semaphore_fail),
    CASE(signals_do_not_disturb_a_start),
    CASE(event_can_be_set_by_a_signal_handler),
    CASE(semaphore_can_be_posted_by_a_signal_handler),
    HELPER(tells_its_signals),
    HELPER(catches),
    HELPER(stays),
    HELPER(returns_11),
);
