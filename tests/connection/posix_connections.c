/* Connections as descriptors: of fork() copies, in the program's own poll(), close-on-exec, numbers. */
#include "connection/connections.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int descriptor_of(mproc_connection *connection)
{
    intptr_t handle = -1;

    CHECK_OK(mproc_connection_handle(connection, &handle));
    return (int)handle;
}

static bool is_ready(int descriptor)
{
    struct pollfd polled = {.fd = descriptor, .events = POLLIN};

    return poll(&polled, 1, 0) == 1;
}

static void case_programs_own_poll_sees_messages_and_the_end(void)
{
    ends pipe = connections_create(false);
    int descriptor = descriptor_of(pipe.second);
    mproc_value value = mproc_nil();

    CHECK(!is_ready(descriptor));
    CHECK_OK(mproc_connection_send_bytes(pipe.first, "", 0, 0));
    CHECK(is_ready(descriptor));
    CHECK_OK(mproc_connection_poll(pipe.second, 0));
    CHECK(is_ready(descriptor));
    connections_check_text(pipe.second, "");
    CHECK(!is_ready(descriptor));
    CHECK_OK(mproc_connection_send_bytes(pipe.first, "long", 4, 0));
    CHECK_STATUS(mproc_connection_recv_bytes(pipe.second, 3, &value, 0), MPROC_TOO_LONG);
    CHECK(is_ready(descriptor)); /* it is still there */
    connections_check_text(pipe.second, "long");
    mproc_connection_close(pipe.first);
    CHECK(is_ready(descriptor));
    connections_free(&pipe);
}

static void case_descriptors_are_closed_on_exec_and_above_the_streams(void)
{
    ends pipe = connections_create(true);

    CHECK(descriptor_of(pipe.first) > 2 && descriptor_of(pipe.second) > 2);
    CHECK_EQ(fcntl(descriptor_of(pipe.first), F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(descriptor_of(pipe.second), F_GETFD), FD_CLOEXEC);
    connections_free(&pipe);
}

static mproc_status looks_at_its_descriptors(mproc_call *call)
{
    mproc_connection *connection = NULL;

    CHECK_EQ(fcntl(7, F_GETFD), FD_CLOEXEC); /* before it was asked for */
    MPROC_TRY(mproc_unpack(call, &connection));
    CHECK_EQ(descriptor_of(connection), 7);
    CHECK_EQ(fcntl(7, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(8, F_GETFD), -1);
    CHECK_EQ(fcntl(1000, F_GETFD), -1);
    mproc_connection_free(connection);
    CHECK_EQ(fcntl(7, F_GETFD), -1);
    return MPROC_OK;
}

static void case_descriptor_of_any_number_goes_to_a_child(void)
{
    struct rlimit limit;
    ends pipe = connections_create(false);
    int low[8], high = fcntl(0, F_DUPFD, 1000);

    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > 1000);
    CHECK(high >= 1000); /* the program's own, without close-on-exec */
    for (int i = 0; i < 8; i++) low[i] = fcntl(0, F_DUPFD, 3);
    CHECK_EXITED(connections_start(looks_at_its_descriptors, MPROC_ARGS(pipe.second)), 0);
    for (int i = 0; i < 8; i++) {
        CHECK(fcntl(low[i], F_GETFD) >= 0);
        close(low[i]);
    }
    close(high);
    connections_free(&pipe);
}

/* A signal for each write would end the process. */
static void case_broken_pipe_sends_no_signal(void)
{
    ends pipe = connections_create(true);

    signal(SIGPIPE, SIG_DFL);
    mproc_connection_close(pipe.first);
    CHECK_STATUS(mproc_connection_send(pipe.second, mproc_int(1), MPROC_FOREVER), MPROC_PEER_DIED);
    connections_free(&pipe);
}

static volatile sig_atomic_t signals;

static void count(int signal)
{
    (void)signal;
    signals++;
}

static mproc_status sends_signals(mproc_call *call)
{
    mproc_connection *connection = NULL;
    int64_t pid;

    MPROC_TRY(mproc_unpack(call, &connection, &pid));
    for (int i = 0; i < 50; i++) {
        kill((pid_t)pid, SIGUSR1);
        check_pause_ms(1);
    }
    connections_send_int(connection, 1);
    return MPROC_OK;
}

static void case_signals_do_not_end_a_wait(void)
{
    struct sigaction action = {.sa_handler = count};
    ends pipe = connections_create(false);
    mproc_process *child;

    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    child = connections_start(sends_signals, MPROC_ARGS(pipe.second, (int64_t)getpid()));
    CHECK_EQ(connections_recv_int(pipe.first), 1);
    CHECK(signals > 0);
    CHECK_EXITED(child, 0);
    connections_free(&pipe);
}

static mproc_status sends_signals_and_receives(mproc_call *call)
{
    mproc_connection *connection = NULL;
    mproc_value value = mproc_nil();
    int64_t pid;

    MPROC_TRY(mproc_unpack(call, &connection, &pid));
    for (int i = 0; i < 50; i++) {
        kill((pid_t)pid, SIGUSR1);
        check_pause_ms(1);
    }
    MPROC_TRY(mproc_connection_recv_bytes(connection, SIZE_MAX, &value, check_limit_ms()));
    connections_send_int(connection, (int64_t)mproc_value_size(value));
    mproc_value_clear(&value);
    return MPROC_OK;
}

/* More than the system takes at once. */
static void case_signals_do_not_end_a_send(void)
{
    enum { LARGE = 1 << 24 };
    struct sigaction action = {.sa_handler = count};
    ends pipe = connections_create(false);
    unsigned char *bytes = calloc(1, LARGE);
    mproc_process *child;

    CHECK(bytes != NULL && sigaction(SIGUSR1, &action, NULL) == 0);
    child = connections_start(sends_signals_and_receives, MPROC_ARGS(pipe.second, (int64_t)getpid()));
    CHECK_OK(mproc_connection_send_bytes(pipe.first, bytes, LARGE, check_limit_ms()));
    CHECK(signals > 0);
    CHECK_EQ(connections_recv_int(pipe.first), LARGE);
    CHECK_EXITED(child, 0);
    free(bytes);
    connections_free(&pipe);
}

/* ---- another process receives by the same end ---------------------------------------------------- */

static _Atomic int turn; /* of the thief, if it is not 0: how long he waits before */

/* As another process would: takes a message of 8 bytes that may have been seen already. */
static void steals(one_call *call)
{
    char message[12];
    int descriptor = descriptor_of(call->connection), pauses;

    while ((pauses = atomic_load(&turn)) >= 0) {
        if (pauses == 0) plat_thread_yield();
        if (pauses == 0) continue;
        while (--pauses > 0) plat_thread_pause();
        (void)!recv(descriptor, message, sizeof message, MSG_DONTWAIT);
        atomic_store(&turn, 0);
    }
}

static void case_message_that_another_takes_meanwhile_leaves_the_next_one_whole(void)
{
    static unsigned char large[4000];
    ends pipe = connections_create(false);
    one_call thief = {.connection = pipe.second};

    connections_fill(large, sizeof large, 1);
    connections_begin(&thief, steals);
    for (int i = 0; i < check_many(4000, 500); i++) {
        mproc_value value = mproc_nil();
        mproc_status status;
        CHECK_OK(mproc_connection_send_bytes(pipe.first, "8 bytes.", 8, 0));
        atomic_store(&turn, 1 + i % 100);
        status = mproc_connection_recv_bytes(pipe.second, SIZE_MAX, &value, 0);
        if (status != MPROC_OK) CHECK_EQ(status, MPROC_TIMEOUT);
        mproc_value_clear(&value);
        while (atomic_load(&turn) > 0) plat_thread_yield();
        CHECK_OK(mproc_connection_send_bytes(pipe.first, large, sizeof large, 0));
        CHECK_OK(mproc_connection_recv_bytes(pipe.second, SIZE_MAX, &value, 0));
        CHECK_EQ(mproc_value_size(value), sizeof large);
        CHECK(connections_is_filled(mproc_value_bytes(value), sizeof large, 1));
        mproc_value_clear(&value);
    }
    atomic_store(&turn, -1);
    connections_end(&thief);
    connections_free(&pipe);
}

/* ---- the end of the program's threads ------------------------------------------------------------- */

static fixture_board *exits;

static void count_exit(void)
{
    atomic_fetch_add(&exits->count, 1);
}

/* It has waited, so there is a thread of the library; and, if `daemon` says so, a second one. */
static mproc_status ends_its_main_thread(mproc_call *call)
{
    mproc_connection *connection = NULL;
    uint64_t offset;
    bool daemon;

    MPROC_TRY(mproc_unpack(call, &connection, &offset, &daemon));
    exits = fixture_board_at(offset);
    CHECK_EQ(atexit(count_exit), 0);
    CHECK_STATUS(mproc_connection_poll(connection, 1), MPROC_TIMEOUT);
    if (daemon) fixture_start(fixture_waits, exits, 0, &(mproc_process_options){.daemon = MPROC_YES});
    if (daemon) fixture_await_step(exits, 1);
    pthread_exit(NULL);
}

static void case_process_that_has_waited_ends_with_its_last_thread(void)
{
    fixture_board *shared = fixture_board_create();
    ends pipe = connections_create(false);

    if (FIXTURE_SANITIZED) CHECK_SKIP("sanitizers have threads of their own, or look at what a thread has that ends");
    for (int daemon = 0; daemon < 2; daemon++) {
        mproc_args args = MPROC_ARGS(pipe.second, fixture_board_offset(shared), daemon > 0);
        CHECK_EXITED(connections_start(ends_its_main_thread, args), 0);
        CHECK_EQ(atomic_load(&shared->count), daemon + 1);
    }
    connections_free(&pipe);
    fixture_board_free(shared);
}

/* ---- fork() ------------------------------------------------------------------------------------- */

/* Returns the copy's id; in the copy it does not return. */
static pid_t copy(const ends *pipe, int first, int second)
{
    mproc_value value = mproc_nil();
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid > 0) return pid;
    CHECK_EQ(fcntl(first, F_GETFD), -1);
    CHECK_EQ(fcntl(second, F_GETFD), -1);
    CHECK_SAYS(mproc_connection_send(pipe->first, mproc_int(1), 0), MPROC_FORKED, "fork() copy");
    CHECK_STATUS(mproc_connection_recv(pipe->first, &value, MPROC_FOREVER), MPROC_FORKED);
    CHECK_STATUS(mproc_connection_poll(pipe->first, MPROC_FOREVER), MPROC_FORKED);
    mproc_connection_close(pipe->first);
    mproc_connection_free(pipe->second);
    for (;;) pause();
}

static void case_copy_has_no_connections(void)
{
    ends pipe = connections_create(false);
    pid_t pid = copy(&pipe, descriptor_of(pipe.first), descriptor_of(pipe.second));
    mproc_value value = mproc_nil();
    int status = 0;

    connections_send_int(pipe.first, 1);
    CHECK_EQ(connections_recv_int(pipe.second), 1);
    mproc_connection_free(pipe.first);
    CHECK_STATUS(mproc_connection_recv(pipe.second, &value, MPROC_FOREVER), MPROC_END); /* the copy lives */
    CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    mproc_connection_free(pipe.second);
}

static int forks_and_makes_its_own(void)
{
    ends pipe = connections_create(false);
    one_call poller = {.connection = pipe.first, .timeout_ms = MPROC_FOREVER};

    connections_begin(&poller, connections_polls);
    connections_await_sleepers(1);
    connections_send_int(pipe.second, 3);
    connections_end(&poller);
    CHECK_OK(poller.status);
    CHECK_EQ(connections_recv_int(pipe.first), 3);
    connections_begin(&poller, connections_polls);
    connections_await_sleepers(1);
    mproc_interrupt();
    connections_end(&poller);
    CHECK_EQ(poller.status, MPROC_INTERRUPTED);
    connections_free(&pipe);
    return 0;
}

/* While a thread of its origin waits: that is not in the copy, nor is the one that hears interrupts. */
static void case_copy_makes_connections_of_its_own(void)
{
    ends pipe = connections_create(false);
    one_call poller = {.connection = pipe.first, .timeout_ms = MPROC_FOREVER};
    pid_t pid;
    int status = 0;

    connections_begin(&poller, connections_polls);
    connections_await_sleepers(1);
    CHECK((pid = fork()) >= 0);
    if (pid == 0) _exit(forks_and_makes_its_own());
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    connections_send_int(pipe.second, 3);
    connections_end(&poller);
    CHECK_OK(poller.status);
    connections_free(&pipe);
}

/* ---- a program that closes what it has not opened --------------------------------------------------- */

static void case_descriptor_that_the_program_has_closed_is_left_alone(void)
{
    ends pipe = connections_create(false);
    mproc_process *child = NULL;
    int number = descriptor_of(pipe.second), file;
    char byte;

    close(number);
    file = open("/dev/zero", O_RDONLY);
    CHECK(file >= 0 && dup2(file, number) == number);
    CHECK_OK(mproc_process_create(looks_at_its_descriptors, MPROC_ARGS(pipe.second), NULL, &child));
    CHECK_SAYS(mproc_process_start(child), MPROC_INVALID, "has closed file descriptor");
    mproc_process_free(child);
    mproc_connection_free(pipe.second);
    CHECK(read(number, &byte, 1) == 1); /* it is the program's */
    close(number);
    close(file);
    mproc_connection_free(pipe.first);
}

CHECK_SUITE_SETUP(posix_connections, connections_setup,
    CASE(programs_own_poll_sees_messages_and_the_end),
    CASE(descriptors_are_closed_on_exec_and_above_the_streams),
    CASE(descriptor_of_any_number_goes_to_a_child),
    CASE(broken_pipe_sends_no_signal),
    CASE(signals_do_not_end_a_wait),
    CASE(signals_do_not_end_a_send),
    CASE(process_that_has_waited_ends_with_its_last_thread),
    CASE(message_that_another_takes_meanwhile_leaves_the_next_one_whole),
    CASE(copy_has_no_connections),
    CASE(copy_makes_connections_of_its_own),
    CASE(descriptor_that_the_program_has_closed_is_left_alone),
);
