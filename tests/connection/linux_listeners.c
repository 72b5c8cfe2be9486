/* What the system says to listeners and clients that no program can bring about at will. */
#include "connection/listening.h"

#include "process/alarm.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* So many calls fail, with this number. */
static struct {
    _Atomic int calls;
    int number;
} faults;

/* In the place of the C library's, for the library under test. */
int accept4(int descriptor, void *address, void *size, int flags);

int accept4(int descriptor, void *address, void *size, int flags)
{
    if (atomic_load(&faults.calls) <= 0) return (int)syscall(SYS_accept4, descriptor, address, size, flags);
    atomic_fetch_sub(&faults.calls, 1);
    errno = faults.number;
    return -1;
}

static mproc_listener *create(int kind, bool keyed)
{
    const mproc_listener_options options = {.authkey = keyed ? mproc_string("a key") : mproc_nil()};

    return listening_create_with(kind, &options);
}

/* The system hands out with accept() what was wrong with a client that has gone already. */
static void case_clients_that_have_gone_do_not_end_an_accept(void)
{
    static const int numbers[] = {ECONNABORTED, EPROTO, ENETDOWN, EHOSTUNREACH, EINTR};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        mproc_listener *listener = create(LISTENING_PRIVATE, false);
        mproc_connection *client = listening_connect(listener), *accepted;
        faults.number = numbers[i];
        atomic_store(&faults.calls, 20);
        accepted = listening_accept(listener);
        CHECK_EQ(atomic_load(&faults.calls), 0);
        mproc_connection_free(accepted);
        mproc_connection_free(client);
        mproc_listener_free(listener);
    }
}

/* What stays so would be tried for ever: the call says what it is, and the client waits for another one. */
static void case_what_accept_says_ends_the_call_unless_a_client_has_gone(void)
{
    static const struct {
        int number;
        mproc_status status;
    } said[] = {{EPERM, MPROC_PERMISSION}, {ENOBUFS, MPROC_NO_MEMORY},    {ENOMEM, MPROC_NO_MEMORY},
                {ENFILE, MPROC_LIMIT},     {ENOSYS, MPROC_NOT_SUPPORTED}, {EIO, MPROC_SYSTEM}};

    for (int keyed = 0; keyed < 2; keyed++) {
        mproc_listener *listener = create(LISTENING_PRIVATE, keyed);
        mproc_connection *client = listening_connect(listener), *accepted = NULL;
        for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
            faults.number = said[i].number;
            atomic_store(&faults.calls, INT_MAX);
            CHECK_STATUS(mproc_listener_accept(listener, &accepted, MPROC_FOREVER), said[i].status);
            CHECK(accepted == NULL);
        }
        atomic_store(&faults.calls, 0);
        if (keyed) CHECK_STATUS(mproc_listener_accept(listener, &accepted, 0), MPROC_TIMEOUT);
        else mproc_connection_free(listening_accept(listener));
        mproc_connection_free(client);
        mproc_listener_free(listener);
    }
}

/* A name of which this library asks the system; how often it did. */
#define NAMED "a-name-of-the-case.test"
static _Atomic int asked;

/* In the place of the C library's, which knows other names. Its header would declare accept4() in another way. */
struct addrinfo;
int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **found);

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **found)
{
    typedef int function(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    union {
        void *found;
        function *call;
    } next = {.found = dlsym(RTLD_NEXT, "getaddrinfo")};
    bool named = strcmp(host, NAMED) == 0;

    if (named) atomic_fetch_add(&asked, 1);
    return next.call(named ? "127.0.0.1" : host, port, hints, found);
}

static void connects(void *argument)
{
    one_call *call = argument;

    call->status = mproc_client(call->data, NULL, &call->connection, 200);
    atomic_store(&call->ended, 1);
}

/* Others are woken meanwhile, and so is a client that waits for a listener without room. */
static void case_host_is_looked_up_once(void)
{
    mproc_listener *listener = listening_create_with(LISTENING_TCP, &(mproc_listener_options){.backlog = 1});
    mproc_connection *clients[8] = {NULL};
    char address[MPROC_ADDRESS_BYTES];
    one_call call = {.data = address};
    int count = 0;

    snprintf(address, sizeof address, "tcp:" NAMED "%s", strrchr(mproc_listener_address(listener), ':'));
    while (count < 8 && mproc_client(mproc_listener_address(listener), NULL, &clients[count], 50) == MPROC_OK)
        count++;
    if (count == 8) CHECK_SKIP("the system makes room for all");
    CHECK_OK(plat_thread_start(connects, &call, &call.thread));
    while (!atomic_load(&call.ended)) {
        alarm_ring(NULL);
        plat_thread_yield();
    }
    plat_thread_join(call.thread);
    CHECK_EQ(call.status, MPROC_TIMEOUT);
    CHECK_EQ(atomic_load(&asked), 1);
    for (int i = 0; i < count; i++) mproc_connection_free(clients[i]);
    mproc_listener_free(listener);
}

/* In the place of the C library's: takes the port for this side to which it connects, as the system may by chance. */
static _Atomic bool takes_the_port;
int connect(int descriptor, const void *address, unsigned size);

int connect(int descriptor, const void *address, unsigned size)
{
    if (atomic_load(&takes_the_port)) CHECK_EQ(syscall(SYS_bind, descriptor, address, size), 0);
    return (int)syscall(SYS_connect, descriptor, address, size);
}

/* Who tries until a listener is there would keep that from its port. */
static void case_nobody_is_connected_to_himself(void)
{
    for (int kind = LISTENING_TCP; kind <= LISTENING_TCP6; kind++) {
        mproc_listener *listener = listening_create(kind);
        mproc_connection *client = NULL;
        char address[MPROC_ADDRESS_BYTES];
        if (!listener) continue;
        snprintf(address, sizeof address, "%s", mproc_listener_address(listener));
        mproc_listener_free(listener);
        atomic_store(&takes_the_port, true);
        CHECK_STATUS(mproc_client(address, NULL, &client, check_limit_ms()), MPROC_NOT_FOUND);
        atomic_store(&takes_the_port, false);
        CHECK_OK(mproc_listener_create(address, NULL, &listener));
        mproc_listener_free(listener);
    }
}

CHECK_SUITE_SETUP(linux_listeners, listening_setup,
    CASE(clients_that_have_gone_do_not_end_an_accept),
    CASE(what_accept_says_ends_the_call_unless_a_client_has_gone),
    CASE(host_is_looked_up_once),
    CASE(nobody_is_connected_to_himself),
);
