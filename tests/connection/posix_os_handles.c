/* Descriptors of the program's own in values: sockets, high numbers, and what a child does not have by itself. */
#include "connection/connections.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HIGH = 700 };

/* Answers by a socket that is in an item, and has no descriptor but that. */
static mproc_status answers_by_a_socket(mproc_call *call)
{
    mproc_queue *queue = NULL;
    mproc_os_handle *object = NULL;
    mproc_value item = mproc_nil();
    intptr_t taken = -1;
    char text[8] = "";

    MPROC_TRY(mproc_unpack(call, &queue));
    MPROC_TRY(mproc_queue_get(queue, &item, MPROC_FOREVER));
    MPROC_TRY(mproc_value_to(item, &object));
    mproc_value_clear(&item);
    errno = 0;
    CHECK_EQ(fcntl(HIGH, F_GETFD), -1);
    CHECK_EQ(errno, EBADF);
    MPROC_TRY(mproc_os_handle_duplicate(object, &taken));
    mproc_os_handle_free(object);
    CHECK_EQ(fcntl((int)taken, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(read((int)taken, text, 4), 4);
    CHECK_STRING(text, "ping");
    CHECK_EQ(write((int)taken, "pong", 4), 4);
    close((int)taken);
    return MPROC_OK;
}

/* The other end of a connection by TCP. */
static int connect_both(int *accepted)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), client;

    CHECK_EQ(bind(listener, (struct sockaddr *)&address, size), 0);
    CHECK_EQ(listen(listener, 1), 0);
    CHECK_EQ(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(connect(client, (struct sockaddr *)&address, size), 0);
    *accepted = accept(listener, NULL, NULL);
    CHECK(*accepted >= 0);
    close(listener);
    return client;
}

/* It has no close-on-exec: a child has it all the same only if it was given. */
static void case_socket_with_a_high_number_goes_to_a_process_that_runs(void)
{
    struct rlimit limit;
    mproc_queue *queue = NULL;
    mproc_process *child;
    mproc_os_handle *object = NULL;
    int accepted, client = connect_both(&accepted);
    char text[8] = "";

    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur <= HIGH) CHECK_SKIP("the limit on open files is too low");
    CHECK_EQ(dup2(accepted, HIGH), HIGH);
    close(accepted);
    CHECK_OK(mproc_queue_create(NULL, &queue));
    child = connections_start(answers_by_a_socket, MPROC_ARGS(queue));
    CHECK_OK(mproc_os_handle_create(HIGH, &object));
    close(HIGH);
    CHECK_OK(mproc_queue_put(queue, MPROC_VALUE(object), 0));
    mproc_os_handle_free(object);
    CHECK_EQ(write(client, "ping", 4), 4);
    CHECK_EQ(read(client, text, 4), 4);
    CHECK_STRING(text, "pong");
    CHECK_EQ(read(client, text, 4), 0); /* nobody has the socket any more */
    close(client);
    CHECK_EXITED(child, 0);
    mproc_queue_free(queue);
}

static void case_fork_copy_has_none(void)
{
    mproc_os_handle *object = NULL;
    int sides[2];
    char byte;
    int status = -1;
    pid_t copy;

    CHECK_EQ(pipe(sides), 0);
    CHECK_OK(mproc_os_handle_create(sides[1], &object));
    close(sides[1]);
    if ((copy = fork()) == 0) {
        intptr_t taken;
        _exit(mproc_os_handle_duplicate(object, &taken) == MPROC_FORKED && read(sides[0], &byte, 1) == 0 ? 0 : 1);
    }
    CHECK(copy > 0);
    mproc_os_handle_free(object);
    CHECK_EQ(read(sides[0], &byte, 1), 0);
    CHECK_EQ(waitpid(copy, &status, 0), copy);
    CHECK_EQ(status, 0);
    close(sides[0]);
}

CHECK_SUITE_SETUP(posix_os_handles, connections_setup_deposits,
    CASE(socket_with_a_high_number_goes_to_a_process_that_runs),
    CASE(fork_copy_has_none),
);
