/* Listeners as files and descriptors: what is left over, what is closed, signals, fork() copies, limits. */
#include "connection/listening.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH = 200 };

/* A path of the case's own, in the working directory's place for such things; and its address. */
static void own_path(char path[PATH], char address[PATH + 8])
{
    snprintf(path, PATH, "/tmp/mproc-test-listener-%ld", (long)getpid());
    snprintf(address, PATH + 8, "unix:%s", path);
}

static bool is_there(const char *path)
{
    struct stat file;

    return lstat(path, &file) == 0;
}

static void case_file_goes_when_the_listener_is_closed(void)
{
    mproc_listener *listener = NULL;
    char path[PATH], address[PATH + 8];
    ends pair;

    own_path(path, address);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(mproc_listener_create(address, NULL, &listener));
        CHECK_STRING(mproc_listener_address(listener), address);
        CHECK(is_there(path));
        pair = listening_pair(listener);
        connections_free(&pair);
        mproc_listener_close(listener);
        CHECK(!is_there(path));
        mproc_listener_free(listener);
    }
}

static void case_private_address_is_in_a_folder_for_the_user_alone(void)
{
    mproc_listener *listener = NULL;
    char folder[MPROC_ADDRESS_BYTES];
    struct stat file;

    umask(0);
    CHECK_OK(mproc_listener_create(NULL, NULL, &listener));
    CHECK(strncmp(mproc_listener_address(listener), "unix:/", 6) == 0);
    snprintf(folder, sizeof folder, "%s", mproc_listener_address(listener) + 5);
    *strrchr(folder, '/') = '\0';
    CHECK(stat(folder, &file) == 0 && S_ISDIR(file.st_mode) && (file.st_mode & 07777) == 0700);
    mproc_listener_free(listener);
    CHECK(!is_there(folder));
}

/* A long TMPDIR leaves no room in an address. */
static void case_private_address_has_a_short_path(void)
{
    char longest[150] = "/tmp/";
    mproc_listener *listener = NULL;
    ends pair;

    memset(longest + 5, 'x', sizeof longest - 6);
    CHECK_EQ(setenv("TMPDIR", longest, 1), 0);
    CHECK_OK(mproc_listener_create(NULL, NULL, &listener));
    pair = listening_pair(listener);
    connections_free(&pair);
    mproc_listener_free(listener);
    CHECK_EQ(setenv("TMPDIR", "/is/not/there", 1), 0);
    CHECK_SAYS(mproc_listener_create(NULL, NULL, &listener), MPROC_NOT_FOUND, "/is/not/there");
}

static void case_file_of_another_is_left_alone(void)
{
    mproc_listener *listener = NULL;
    char path[PATH], address[PATH + 8];
    int file;

    own_path(path, address);
    CHECK_OK(mproc_listener_create(address, NULL, &listener));
    CHECK_EQ(unlink(path), 0);
    CHECK((file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600)) >= 0);
    mproc_listener_free(listener);
    CHECK(is_there(path));
    CHECK_SAYS(mproc_listener_create(address, NULL, &listener), MPROC_EXISTS, "remove the file");
    CHECK(is_there(path));
    close(file);
    CHECK_EQ(unlink(path), 0);
}

static void case_path_that_is_too_long_or_in_no_folder_is_refused(void)
{
    char longest[150] = "unix:/tmp/";
    mproc_listener *listener = NULL;
    mproc_connection *client = NULL;

    memset(longest + 10, 'x', sizeof longest - 11);
    CHECK_SAYS(mproc_listener_create(longest, NULL, &listener), MPROC_INVALID, "at most 107 bytes");
    CHECK_SAYS(mproc_client(longest, NULL, &client, 0), MPROC_INVALID, "at most 107 bytes");
    CHECK_STATUS(mproc_listener_create("unix:/is/not/there", NULL, &listener), MPROC_NOT_FOUND);
    CHECK_STATUS(mproc_client("unix:/is/not/there", NULL, &client, 0), MPROC_NOT_FOUND);
    CHECK_STATUS(mproc_listener_create("tcp:192.0.2.1:0", NULL, &listener), MPROC_NOT_FOUND);
}

/* A daemon goes to another folder before it is done. */
static void case_file_goes_also_if_the_program_has_gone_to_another_folder(void)
{
    mproc_listener *listener = NULL;
    char path[PATH], address[PATH + 8];

    own_path(path, address);
    CHECK_EQ(chdir("/tmp"), 0);
    snprintf(address, sizeof address, "unix:%s", path + strlen("/tmp/"));
    CHECK_OK(mproc_listener_create(address, NULL, &listener));
    CHECK_STRING(mproc_listener_address(listener), address);
    CHECK(is_there(path));
    CHECK_EQ(chdir("/"), 0);
    mproc_listener_free(listener);
    CHECK(!is_there(path));
}

/* Root may do all, and so becomes somebody else for it. */
static void case_address_of_another_user_is_not_permitted(void)
{
    mproc_listener *listener = NULL, *second = NULL;
    mproc_connection *client = NULL;
    char folder[MPROC_ADDRESS_BYTES], inside[MPROC_ADDRESS_BYTES + 8];
    uid_t self = geteuid();

    CHECK_OK(mproc_listener_create(NULL, NULL, &listener));
    snprintf(folder, sizeof folder, "%s", mproc_listener_address(listener) + strlen("unix:"));
    *strrchr(folder, '/') = '\0';
    snprintf(inside, sizeof inside, "unix:%s/x", folder);
    CHECK_EQ(self == 0 ? seteuid(65534) : chmod(folder, 0), 0);
    CHECK_STATUS(mproc_client(mproc_listener_address(listener), NULL, &client, check_limit_ms()), MPROC_PERMISSION);
    CHECK_STATUS(mproc_listener_create(inside, NULL, &second), MPROC_PERMISSION);
    CHECK_EQ(self == 0 ? seteuid(0) : chmod(folder, 0700), 0);
    mproc_listener_free(listener);
}

/* ---- the end of the process ------------------------------------------------------------------------- */

static _Atomic uint32_t closes_now;

static void close_all(void *argument)
{
    mproc_listener **listeners = argument;

    CHECK_AWAIT(&closes_now, 1);
    for (; *listeners; listeners++) mproc_listener_close(*listeners);
}

static mproc_status exits_while_a_thread_closes(mproc_call *call)
{
    enum { ALL = 200 };
    static mproc_listener *listeners[ALL + 1];
    plat_thread *thread;

    (void)call;
    for (int i = 0; i < ALL; i++) CHECK_OK(mproc_listener_create(NULL, NULL, &listeners[i]));
    CHECK_OK(plat_thread_start(close_all, listeners, &thread));
    atomic_store(&closes_now, 1);
    exit(0);
}

/* No file is left, and the exit is one. */
static void case_process_ends_while_a_thread_closes_its_listeners(void)
{
    char folder[] = "/tmp/mproc-test-XXXXXX";

    CHECK(mkdtemp(folder) != NULL);
    CHECK_EQ(setenv("TMPDIR", folder, 1), 0);
    for (int i = 0; i < 3; i++) CHECK_EXITED(connections_start(exits_while_a_thread_closes, mproc_no_args()), 0);
    CHECK_EQ(rmdir(folder), 0);
}

static mproc_status listens_and_ends(mproc_call *call)
{
    mproc_connection *tells = NULL;
    mproc_listener *listener = NULL;
    const char *address;
    bool exits;

    MPROC_TRY(mproc_unpack(call, &tells, &address, &exits));
    CHECK_OK(mproc_listener_create(*address ? address : NULL, NULL, &listener));
    CHECK_OK(mproc_connection_send_bytes(tells, mproc_listener_address(listener),
                                         strlen(mproc_listener_address(listener)), MPROC_FOREVER));
    if (exits) exit(0);
    return MPROC_OK;
}

static mproc_status listens_and_is_killed(mproc_call *call)
{
    mproc_listener *listener = NULL;
    const char *address;

    MPROC_TRY(mproc_unpack(call, &address));
    CHECK_OK(mproc_listener_create(address, NULL, &listener));
    fixture_kill(mproc_getpid());
    return MPROC_OK;
}

/* It is nobody's; that of somebody who listens stays. */
static void case_file_of_a_killed_process_is_no_obstacle(void)
{
    char path[PATH], address[PATH + 8];
    mproc_listener *listener = NULL, *second = NULL;
    ends pair;

    own_path(path, address);
    CHECK_ENDED_BY(connections_start(listens_and_is_killed, MPROC_ARGS(address)), 9);
    CHECK(is_there(path));
    CHECK_OK(mproc_listener_create(address, NULL, &listener));
    CHECK_STATUS(mproc_listener_create(address, NULL, &second), MPROC_EXISTS);
    pair = listening_pair(listener);
    connections_free(&pair);
    mproc_listener_free(listener);
    CHECK(!is_there(path));
}

static void case_file_goes_at_the_end_of_the_process(void)
{
    char path[PATH], address[PATH + 8], told[MPROC_ADDRESS_BYTES];

    own_path(path, address);
    for (int i = 0; i < 4; i++) {
        ends pipe = connections_create(true);
        mproc_process *child =
            connections_start(listens_and_ends, MPROC_ARGS(pipe.second, i & 2 ? address : "", (i & 1) > 0));
        memset(told, 0, sizeof told);
        CHECK_OK(mproc_connection_recv_bytes_into(pipe.first, told, sizeof told - 1, NULL, check_limit_ms()));
        CHECK_EXITED(child, 0);
        CHECK(!is_there(told + 5));
        *strrchr(told, '/') = '\0';
        CHECK(i & 2 || !is_there(told + 5));
        connections_free(&pipe);
    }
}

/* ---- descriptors ------------------------------------------------------------------------------------ */

static int descriptor_of(mproc_connection *connection)
{
    intptr_t handle = -1;

    CHECK_OK(mproc_connection_handle(connection, &handle));
    return (int)handle;
}

static void case_descriptors_are_closed_on_exec_and_block(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        bool others[1000];
        mproc_listener *listener;
        intptr_t handle = -1;
        ends pair;
        for (int i = 0; i < 1000; i++) others[i] = fcntl(i, F_GETFD) >= 0;
        if (!(listener = listening_create(kind))) continue;
        pair = listening_pair(listener);
        CHECK_OK(mproc_listener_handle(listener, &handle));
        CHECK_EQ(fcntl((int)handle, F_GETFD), FD_CLOEXEC);
        CHECK_EQ(fcntl(descriptor_of(pair.first), F_GETFD), FD_CLOEXEC);
        CHECK_EQ(fcntl(descriptor_of(pair.second), F_GETFD), FD_CLOEXEC);
        CHECK_EQ(fcntl(descriptor_of(pair.first), F_GETFL) & O_NONBLOCK, 0);
        CHECK_EQ(fcntl(descriptor_of(pair.second), F_GETFL) & O_NONBLOCK, 0);
        for (int i = 0; i < 1000; i++) CHECK(others[i] || fcntl(i, F_GETFD) < 0 || fcntl(i, F_GETFD) == FD_CLOEXEC);
        connections_free(&pair);
        mproc_listener_free(listener);
    }
}

static void case_too_many_open_files_leave_the_client_waiting(void)
{
    for (int kind = LISTENING_PRIVATE; kind <= LISTENING_TCP; kind++) {
        mproc_listener *listener = listening_create(kind);
        mproc_connection *client = listening_connect(listener), *accepted = NULL, *second = NULL;
        struct rlimit limit, low;
        CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
        low = limit;
        low.rlim_cur = 0;
        CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
        CHECK_SAYS(mproc_listener_accept(listener, &accepted, MPROC_FOREVER), MPROC_LIMIT, "ulimit -n");
        CHECK_STATUS(mproc_client(mproc_listener_address(listener), NULL, &second, MPROC_FOREVER), MPROC_LIMIT);
        CHECK_STATUS(mproc_listener_accept(listener, &accepted, 0), MPROC_LIMIT);
        CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        connections_send_int(client, 2);
        accepted = listening_accept(listener);
        CHECK_EQ(connections_recv_int(accepted), 2);
        mproc_connection_free(client);
        mproc_connection_free(accepted);
        mproc_listener_free(listener);
    }
}

/* A client of a full Unix socket is told so at once by the system, and waits all the same. */
static void case_client_waits_while_a_listener_is_full(void)
{
    mproc_listener *listener = NULL;
    mproc_connection *clients[4] = {NULL};
    int count = 0;
    mproc_status status = MPROC_OK;

    CHECK_OK(mproc_listener_create(NULL, &(mproc_listener_options){.backlog = 1}, &listener));
    while (count < 4 && status == MPROC_OK)
        if ((status = mproc_client(mproc_listener_address(listener), NULL, &clients[count], 20)) == MPROC_OK) count++;
    CHECK_EQ(status, MPROC_TIMEOUT);
    CHECK_STATUS(mproc_client(mproc_listener_address(listener), NULL, &clients[count], 0), MPROC_TIMEOUT);
    CHECK(count >= 1);
    mproc_connection_free(listening_accept(listener));
    clients[count] = listening_connect(listener);
    for (int i = 0; i <= count; i++) mproc_connection_free(clients[i]);
    mproc_listener_free(listener);
}

static void case_no_listener_is_made_without_descriptors(void)
{
    const mproc_listener_options keyed = {.authkey = mproc_string("a key")};
    mproc_listener *listener = NULL, *listening = NULL;
    mproc_connection *client, *accepted = NULL;
    struct rlimit limit, low;

    CHECK_OK(mproc_listener_create(NULL, &keyed, &listening));
    client = listening_connect(listening);
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    low = limit;
    low.rlim_cur = 0;
    CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
    CHECK_STATUS(mproc_listener_create(NULL, NULL, &listener), MPROC_LIMIT);
    CHECK_STATUS(mproc_listener_create("tcp:127.0.0.1:0", NULL, &listener), MPROC_LIMIT);
    CHECK_STATUS(mproc_listener_accept(listening, &accepted, MPROC_FOREVER), MPROC_LIMIT);
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK(listener == NULL && accepted == NULL);
    mproc_connection_free(client);
    mproc_listener_free(listening);
}

static void connects_with_patience(void *argument)
{
    one_call *call = argument;

    call->status = mproc_client(call->data, NULL, &call->connection, MPROC_FOREVER);
}

static void case_interrupt_ends_a_client_that_waits_for_room(void)
{
    mproc_listener *listener = NULL;
    mproc_connection *clients[4] = {NULL};
    one_call call = {.timeout_ms = MPROC_FOREVER};
    int count = 0;

    CHECK_OK(mproc_listener_create(NULL, &(mproc_listener_options){.backlog = 1}, &listener));
    while (mproc_client(mproc_listener_address(listener), NULL, &clients[count], 0) == MPROC_OK) CHECK(++count < 4);
    call.data = (void *)(uintptr_t)mproc_listener_address(listener);
    CHECK_OK(plat_thread_start(connects_with_patience, &call, &call.thread));
    connections_await_sleepers(1);
    mproc_interrupt();
    plat_thread_join(call.thread);
    CHECK_EQ(call.status, MPROC_INTERRUPTED);
    CHECK(mproc_interrupted());
    for (int i = 0; i < count; i++) mproc_connection_free(clients[i]);
    mproc_listener_free(listener);
}

/* ---- signals -------------------------------------------------------------------------------------- */

static volatile sig_atomic_t signals;

static void count(int signal)
{
    (void)signal;
    signals++;
}

static mproc_status sends_signals_and_connects(mproc_call *call)
{
    mproc_connection *server = NULL;
    const char *address;
    int64_t pid;

    MPROC_TRY(mproc_unpack(call, &address, &pid));
    for (int i = 0; i < 50; i++) {
        kill((pid_t)pid, SIGUSR1);
        check_pause_ms(1);
    }
    MPROC_TRY(mproc_client(address, NULL, &server, check_limit_ms()));
    connections_send_int(server, 6);
    mproc_connection_free(server);
    return MPROC_OK;
}

static void case_signals_do_not_end_an_accept(void)
{
    struct sigaction action = {.sa_handler = count};

    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    for (int kind = LISTENING_PRIVATE; kind <= LISTENING_TCP; kind++) {
        mproc_listener *listener = listening_create(kind);
        mproc_process *child = connections_start(sends_signals_and_connects,
                                                 MPROC_ARGS(mproc_listener_address(listener), (int64_t)getpid()));
        mproc_connection *accepted = listening_accept(listener);
        CHECK(signals > 0);
        signals = 0;
        CHECK_EQ(connections_recv_int(accepted), 6);
        CHECK_EXITED(child, 0);
        mproc_connection_free(accepted);
        mproc_listener_free(listener);
    }
}

/* ---- fork() ------------------------------------------------------------------------------------- */

static int try_in_copy(mproc_listener *listener, int descriptor)
{
    mproc_connection *accepted = NULL;
    mproc_listener *own = NULL;
    intptr_t handle;
    char last[MPROC_ADDRESS_BYTES];
    ends pair;

    CHECK_EQ(fcntl(descriptor, F_GETFD), -1);
    CHECK_STATUS(mproc_listener_accept(listener, &accepted, MPROC_FOREVER), MPROC_FORKED);
    CHECK_STATUS(mproc_listener_handle(listener, &handle), MPROC_FORKED);
    mproc_listener_last_accepted(listener, last);
    mproc_listener_close(listener);
    mproc_listener_free(listener);
    CHECK_OK(mproc_listener_create(NULL, NULL, &own));
    pair = listening_pair(own);
    connections_free(&pair);
    mproc_listener_free(own);
    return 0;
}

/* It leaves the file, also if it ends with exit(). */
static void case_copy_has_no_listeners(void)
{
    mproc_listener *listener = NULL;
    char path[PATH], address[PATH + 8];
    intptr_t handle;
    int status = 0;
    pid_t pid;
    ends pair;

    own_path(path, address);
    CHECK_OK(mproc_listener_create(address, NULL, &listener));
    CHECK_OK(mproc_listener_handle(listener, &handle));
    CHECK((pid = fork()) >= 0);
    if (pid == 0) {
        status = try_in_copy(listener, (int)handle);
        if (FIXTURE_SANITIZED) _exit(status); /* what the origin has of its listener looks like a leak */
        exit(status);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(is_there(path));
    pair = listening_pair(listener);
    connections_free(&pair);
    mproc_listener_free(listener);
    CHECK(!is_there(path));
}

CHECK_SUITE_SETUP(posix_listeners, listening_setup,
    CASE(file_goes_when_the_listener_is_closed),
    CASE(private_address_is_in_a_folder_for_the_user_alone),
    CASE(private_address_has_a_short_path),
    CASE(file_of_another_is_left_alone),
    CASE(file_of_a_killed_process_is_no_obstacle),
    CASE(path_that_is_too_long_or_in_no_folder_is_refused),
    CASE(file_goes_also_if_the_program_has_gone_to_another_folder),
    CASE(address_of_another_user_is_not_permitted),
    CASE(process_ends_while_a_thread_closes_its_listeners),
    CASE(file_goes_at_the_end_of_the_process),
    CASE(descriptors_are_closed_on_exec_and_block),
    CASE(too_many_open_files_leave_the_client_waiting),
    CASE(no_listener_is_made_without_descriptors),
    CASE(interrupt_ends_a_client_that_waits_for_room),
    CASE(client_waits_while_a_listener_is_full),
    CASE(signals_do_not_end_an_accept),
    CASE(copy_has_no_listeners),
);
