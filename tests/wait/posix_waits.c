/* Waits as calls of POSIX: signals, sockets and files of the program, fork() copies, 10,000 connections. */
#include "wait/waiting.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static _Atomic uint32_t signals;

static void count_signal(int number)
{
    (void)number;
    atomic_fetch_add(&signals, 1);
}

typedef struct signalled {
    mproc_waitable *things;
    size_t count;
    pthread_t thread;
    _Atomic uint32_t begun, ended;
    mproc_status status;
} signalled;

static void *waits_with_signals(void *argument)
{
    signalled *self = argument;

    atomic_store(&self->begun, 1);
    self->status = mproc_wait(self->things, self->count, MPROC_FOREVER, NULL);
    atomic_store(&self->ended, 1);
    return NULL;
}

static void check_signals(const one_of_each *each, mproc_waitable *things, size_t count, int index)
{
    struct sigaction action = {.sa_handler = count_signal};
    signalled waiter = {.things = things, .count = count};

    atomic_store(&signals, 0);
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQ(pthread_create(&waiter.thread, NULL, waits_with_signals, &waiter), 0);
    CHECK_AWAIT(&waiter.begun, 1);
    waiting_await_asleep(1);
    for (uint32_t i = 1; i <= 10; i++) {
        CHECK_EQ(pthread_kill(waiter.thread, SIGUSR1), 0);
        CHECK_AWAIT(&signals, i);
    }
    CHECK_EQ(atomic_load(&waiter.ended), 0);
    each_make_ready(each, index);
    CHECK_EQ(pthread_join(waiter.thread, NULL), 0);
    CHECK_OK(waiter.status);
}

static void case_signals_do_not_end_a_wait(void)
{
    one_of_each each;

    each_create(&each);
    check_signals(&each, each.things, KINDS, 0);
    each_free(&each);
    each_create(&each);
    check_signals(&each, each.things + 2, 4, 4);
    each_free(&each);
    each_create(&each);
    check_signals(&each, &each.things[1], 1, 1);
    each_free(&each);
}

static void case_signals_do_not_end_a_join(void)
{
    struct sigaction action = {.sa_handler = count_signal};
    one_of_each each;

    CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
    each_create(&each);
    CHECK_EQ(setitimer(ITIMER_REAL, &(struct itimerval){{0, 2000}, {0, 2000}}, NULL), 0);
    CHECK_STATUS(mproc_process_join(each.child, 50), MPROC_TIMEOUT);
    each_make_ready(&each, 1);
    CHECK_OK(mproc_process_join(each.child, check_limit_ms()));
    CHECK_EQ(setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL), 0);
    CHECK(atomic_load(&signals) > 0);
    each_free(&each);
}

/* ---- the program's own ------------------------------------------------------------------------------ */

static mproc_status writes_to_sockets(mproc_call *call)
{
    mproc_connection *connection = NULL;

    MPROC_TRY(mproc_unpack(call, &connection));
    for (int i = 0; i < 10; i++) connections_send_int(connection, i);
    return MPROC_OK;
}

/* Sockets and connections together; the end of each is ready as well. */
static void case_sockets_of_the_program_are_waited_for(void)
{
    enum { SOCKETS = 4, BYTES = 10 };
    int pairs[SOCKETS][2];
    ends pipe = connections_create(false);
    mproc_process *child = connections_start(writes_to_sockets, MPROC_ARGS(pipe.second));
    mproc_waitable things[SOCKETS + 1];
    size_t left = SOCKETS + 1;
    int got = 0, received = 0;

    mproc_connection_free(pipe.second);
    for (int i = 0; i < SOCKETS; i++) {
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]), 0);
        things[i] = mproc_waitable_handle(pairs[i][0]);
        CHECK_EQ(write(pairs[i][1], "0123456789", BYTES), BYTES);
        CHECK_EQ(close(pairs[i][1]), 0);
    }
    things[SOCKETS] = MPROC_WAITABLE(pipe.first);
    while (left > 0) {
        CHECK_OK(mproc_wait(things, left, check_limit_ms(), NULL));
        for (size_t i = left; i-- > 0;) {
            mproc_value value = mproc_nil();
            char byte;
            if (!things[i].ready) continue;
            if (things[i].kind == MPROC_WAITABLE_HANDLE && read((int)things[i].handle, &byte, 1) == 1) {
                got++;
                continue;
            }
            if (things[i].kind == MPROC_WAITABLE_CONNECTION &&
                mproc_connection_recv(things[i].object, &value, check_limit_ms()) == MPROC_OK) {
                received++;
                continue;
            }
            if (things[i].kind == MPROC_WAITABLE_HANDLE) CHECK_EQ(close((int)things[i].handle), 0);
            things[i] = things[--left];
        }
    }
    CHECK_EQ(got, SOCKETS * BYTES);
    CHECK_EQ(received, 10);
    CHECK_EXITED(child, 0);
    mproc_connection_free(pipe.first);
}

/* A file is always ready, also in a set, which the system would not let it into. */
static void case_files_are_always_ready(void)
{
    FILE *file = tmpfile();
    mproc_waitable thing, ready;
    mproc_wait_set *set = NULL;
    size_t count = 0;

    CHECK(file != NULL);
    thing = mproc_waitable_handle(fileno(file));
    CHECK_OK(mproc_wait(&thing, 1, MPROC_FOREVER, NULL));
    CHECK_OK(mproc_wait_set_create(&set));
    CHECK_OK(mproc_wait_set_add(set, thing));
    CHECK_OK(mproc_wait_set_wait(set, &ready, 1, MPROC_FOREVER, &count));
    CHECK_EQ(ready.handle, thing.handle);
    CHECK_OK(mproc_wait_set_remove(set, thing));
    CHECK_STATUS(mproc_wait_set_wait(set, &ready, 1, 0, &count), MPROC_TIMEOUT);
    mproc_wait_set_free(set);
    fclose(file);
}

/* Another reference of the same end, and the program's use of its descriptor, beside the connection itself. */
static void case_descriptor_is_in_a_set_several_times(void)
{
    ends pipe = connections_create(false);
    mproc_waitable things[2] = {MPROC_WAITABLE(pipe.first)}, ready[3];
    mproc_wait_set *set = NULL;
    intptr_t handle = -1;
    size_t count = 0;

    CHECK_OK(mproc_connection_handle(pipe.first, &handle));
    things[1] = mproc_waitable_handle(handle);
    CHECK_OK(mproc_wait_set_create(&set));
    CHECK_OK(mproc_wait_set_add(set, things[0]));
    CHECK_OK(mproc_wait_set_add(set, things[1]));
    CHECK_STATUS(mproc_wait_set_add(set, things[1]), MPROC_EXISTS);
    connections_send_int(pipe.second, 1);
    CHECK_OK(mproc_wait_set_wait(set, ready, 3, check_limit_ms(), &count));
    CHECK_EQ(count, 2);
    CHECK_OK(mproc_wait_set_remove(set, things[1]));
    CHECK_OK(mproc_wait_set_wait(set, ready, 3, check_limit_ms(), &count));
    CHECK_EQ(count, 1);
    mproc_wait_set_free(set);
    connections_free(&pipe);
}

/* ---- fork() copies ----------------------------------------------------------------------------------- */

/* In the copy nobody waits; it uses nothing of what its origin has, and ends it without harm. */
static void case_fork_copy_has_nothing_of_its_origins_waits(void)
{
    ends pipe = connections_create(false);
    mproc_event *event = NULL;
    mproc_waitable things[2], ready;
    waiting_thread waiting = {.things = things, .count = 2, .timeout_ms = MPROC_FOREVER};
    mproc_wait_set *set = NULL;
    size_t count;
    int end = 0;
    pid_t copy;

    CHECK_OK(mproc_event_create(&event));
    things[0] = MPROC_WAITABLE(pipe.first);
    things[1] = MPROC_WAITABLE(event);
    CHECK_OK(mproc_wait_set_create(&set));
    CHECK_OK(mproc_wait_set_add(set, things[0]));
    waiting_begin(&waiting);
    waiting_await_asleep(1);
    copy = fork();
    CHECK(copy >= 0);
    if (copy == 0) {
        mproc_waitable own = things[0];
        int good = mproc_wait(&own, 1, 0, NULL) == MPROC_FORKED;
        good += mproc_wait_set_add(set, things[1]) == MPROC_FORKED;
        good += mproc_wait_set_wait(set, &ready, 1, 0, &count) == MPROC_FORKED;
        mproc_wait_set_free(set);
        mproc_event_free(event);
        connections_free(&pipe);
        _exit(good);
    }
    CHECK_EQ(waitpid(copy, &end, 0), copy);
    CHECK(WIFEXITED(end));
    CHECK_EQ(WEXITSTATUS(end), 3);
    CHECK_STATUS(mproc_wait_set_wait(set, &ready, 1, 0, &count), MPROC_TIMEOUT);
    CHECK_OK(mproc_event_set(event));
    waiting_end(&waiting);
    CHECK_OK(waiting.status);
    mproc_wait_set_free(set);
    mproc_event_free(event);
    connections_free(&pipe);
}

enum { EVENTS = 60 };

typedef struct looker {
    mproc_wait_set *set;
    _Atomic uint32_t ends;
    plat_thread *thread;
} looker;

static void looks_all_the_time(void *argument)
{
    looker *self = argument;
    mproc_waitable ready[EVENTS];
    size_t count;

    while (!atomic_load(&self->ends)) CHECK_OK(mproc_wait_set_wait(self->set, ready, EVENTS, 0, &count));
}

/* What another thread of its origin was about to do is never done in it. */
static void case_fork_copy_counts_and_frees_a_set_that_was_in_use(void)
{
    enum { COPIES = 30 };
    mproc_event *events[EVENTS];
    looker other = {0};

    CHECK_OK(mproc_wait_set_create(&other.set));
    for (int i = 0; i < EVENTS; i++) {
        CHECK_OK(mproc_event_create(&events[i]));
        CHECK_OK(mproc_event_set(events[i]));
        CHECK_OK(mproc_wait_set_add(other.set, MPROC_WAITABLE(events[i])));
    }
    CHECK_OK(plat_thread_start(looks_all_the_time, &other, &other.thread));
    for (int i = 0; i < COPIES; i++) {
        int end = 0;
        pid_t copy = fork();
        CHECK(copy >= 0);
        if (copy == 0) {
            size_t count = mproc_wait_set_count(other.set);
            mproc_wait_set_free(other.set);
            _exit(count == EVENTS ? 0 : 1);
        }
        CHECK_EQ(waitpid(copy, &end, 0), copy);
        CHECK(WIFEXITED(end) && WEXITSTATUS(end) == 0);
    }
    atomic_store(&other.ends, 1);
    plat_thread_join(other.thread);
    mproc_wait_set_free(other.set);
    for (int i = 0; i < EVENTS; i++) mproc_event_free(events[i]);
}

/* ---- limits ------------------------------------------------------------------------------------------ */

/* The system refuses to wait for more than it would let be opened, whatever was opened before. */
static void case_limit_on_open_files_is_a_limit_on_waits(void)
{
    ends pipe = connections_create(false);
    mproc_waitable thing = MPROC_WAITABLE(pipe.first);
    mproc_wait_set *set = NULL;
    struct rlimit limit, low;

    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    low.rlim_cur = 0;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
    CHECK_SAYS(mproc_wait(&thing, 1, 0, NULL), MPROC_LIMIT, "ulimit -n");
    CHECK_STATUS(mproc_wait(&thing, 1, MPROC_FOREVER, NULL), MPROC_LIMIT);
    CHECK_STATUS(mproc_wait_set_create(&set), MPROC_LIMIT);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    CHECK(set == NULL);
    CHECK_STATUS(mproc_wait(&thing, 1, 0, NULL), MPROC_TIMEOUT);
    connections_free(&pipe);
}

/* A number that no descriptor can have is not that of another one. */
static void case_numbers_beyond_all_descriptors_are_refused(void)
{
    const intptr_t beyond[] = {(intptr_t)1 << 31, ((intptr_t)1 << 32) + STDIN_FILENO, INTPTR_MAX};
    mproc_wait_set *set = NULL;

    CHECK_OK(mproc_wait_set_create(&set));
    for (int i = 0; i < 3; i++) {
        mproc_waitable thing = mproc_waitable_handle(beyond[i]);
        CHECK_STATUS(mproc_wait(&thing, 1, 0, NULL), MPROC_INVALID);
        CHECK_STATUS(mproc_wait_set_add(set, thing), MPROC_INVALID);
    }
    mproc_wait_set_free(set);
}

/* A few of the system's own sets may be in each other. */
static void case_sets_of_the_system_that_lie_too_deep_are_refused(void)
{
    enum { DEEP = 8 };
    mproc_wait_set *set = NULL;
    int all[DEEP];

    CHECK_OK(mproc_wait_set_create(&set));
    for (int i = 0; i < DEEP; i++) {
        struct epoll_event event = {.events = EPOLLIN};
        CHECK((all[i] = epoll_create1(EPOLL_CLOEXEC)) >= 0);
        if (i > 0 && epoll_ctl(all[i], EPOLL_CTL_ADD, all[i - 1], &event) != 0) {
            CHECK_STATUS(mproc_wait_set_add(set, mproc_waitable_handle(all[i - 1])), MPROC_INVALID);
            for (int k = 0; k <= i; k++) close(all[k]);
            mproc_wait_set_free(set);
            return;
        }
    }
    CHECK_SKIP("they may lie as deep as one likes");
}

/* ---- 10,000 ------------------------------------------------------------------------------------------ */

enum { CONNECTIONS = 10000, SPARE = 200 };

/* Both ends of 5,000 pipes. */
static void case_ten_thousand_connections_in_one_wait(void)
{
    mproc_waitable *things = calloc(CONNECTIONS, sizeof *things), ready[4];
    struct rlimit limit;
    mproc_wait_set *set = NULL;
    size_t count = 0;

    CHECK(things != NULL);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < CONNECTIONS + SPARE)
        CHECK_SKIP("the hard limit on open files is below 10,200");
    limit.rlim_cur = CONNECTIONS + SPARE;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    CHECK_OK(mproc_wait_set_create(&set));
    for (int i = 0; i < CONNECTIONS; i++) {
        ends pipe;
        if (i % 2 == 0) {
            pipe = connections_create(false);
            things[i] = MPROC_WAITABLE(pipe.first);
            things[i + 1] = MPROC_WAITABLE(pipe.second);
        }
        things[i].context = &things[i];
        CHECK_OK(mproc_wait_set_add(set, things[i]));
    }
    CHECK_STATUS(mproc_wait(things, CONNECTIONS, 1, NULL), MPROC_TIMEOUT);
    for (int i = 0; i < CONNECTIONS; i += 2499) {
        int other = i ^ 1;
        connections_send_int(things[other].object, i);
        CHECK_OK(mproc_wait(things, CONNECTIONS, MPROC_FOREVER, &count));
        CHECK(count == 1 && things[i].ready);
        CHECK_OK(mproc_wait_set_wait(set, ready, 4, MPROC_FOREVER, &count));
        CHECK(count == 1 && ready[0].context == &things[i]);
        CHECK_EQ(connections_recv_int(things[i].object), i);
    }
    for (int i = 0; i < CONNECTIONS; i++) connections_send_int(things[i].object, i);
    CHECK_OK(mproc_wait(things, CONNECTIONS, MPROC_FOREVER, &count));
    CHECK_EQ(count, CONNECTIONS);
    for (int i = 0; i < CONNECTIONS; i++) mproc_connection_free(things[i].object);
    CHECK_EQ(mproc_wait_set_count(set), 0);
    mproc_wait_set_free(set);
    free(things);
}

#define OF_A_POOL (CHECK_HANDLES | CHECK_THREADS)

CHECK_SUITE_SETUP(posix_waits, waiting_setup,
    CASE_WITH(signals_do_not_end_a_wait, .leaves = OF_A_POOL), /* a pool's own */
    CASE_WITH(signals_do_not_end_a_join, .leaves = OF_A_POOL), /* likewise */
    CASE(sockets_of_the_program_are_waited_for),
    CASE(files_are_always_ready),
    CASE(descriptor_is_in_a_set_several_times),
    CASE(fork_copy_has_nothing_of_its_origins_waits),
    CASE(fork_copy_counts_and_frees_a_set_that_was_in_use),
    CASE(limit_on_open_files_is_a_limit_on_waits),
    CASE(numbers_beyond_all_descriptors_are_refused),
    CASE(sets_of_the_system_that_lie_too_deep_are_refused),
    CASE_LIMIT(ten_thousand_connections_in_one_wait, 60),
);
