/*
 * Connections between programs that need not have started each other (Python: multiprocessing.connection, Listener
 * and Client): one side listens at an address, the other connects to it, and each gets a connection like any other.
 *
 *     mproc_listener *listener;                 mproc_connection *server;
 *     mproc_check(mproc_listener_create("tcp:127.0.0.1:6000", NULL, &listener));
 *     mproc_check(mproc_listener_accept(listener, &client, MPROC_FOREVER));
 *                                               mproc_check(mproc_client("tcp:127.0.0.1:6000", NULL, &server, 5000));
 *
 * Addresses are text:
 *   tcp:HOST:PORT     TCP. HOST is an address, one of IPv6 in brackets ("tcp:[::1]:6000"), or a name, of which the
 *                     addresses of IPv4 come first. A listener at port 0 gets a free one, and one at 0.0.0.0 or [::]
 *                     hears by all networks of the machine: of IPv4, or of IPv6, not both. A client takes these two
 *                     for its own machine
 *   unix:PATH         a Unix socket, which is a file at PATH, of at most 107 bytes, with the permissions that the
 *                     umask leaves. unix:@NAME: an abstract one, which is no file, goes with its listener, and is
 *                     open to all users of the machine. MPROC_NOT_SUPPORTED on Windows; abstract ones are of Linux
 *                     alone
 *   \\.\pipe\NAME     a named pipe, to which processes of this user on this machine alone can connect.
 *                     MPROC_NOT_SUPPORTED elsewhere than on Windows
 * An address has less than MPROC_ADDRESS_BYTES bytes.
 *
 * Whoever can reach an address can connect to it, and send anything: so give both sides a key, `authkey`, which each
 * proves to the other that it has, as in Python and compatible with it. Then nobody else is accepted, and nothing of
 * what he sends is decoded. What is sent later is neither hidden nor signed. Without a key what comes is checked
 * before it is used, as with each connection: it can waste the time and the memory of whoever receives it, and is no
 * more to be believed than what any stranger says.
 *
 * Clients of a listener with a key prove it beside each other, while somebody accepts: one that is silent delays
 * nobody, and is dropped by an accept after 10 seconds (`authkey_timeout_ms`), or earlier if as many others as the
 * backlog and 64 have come meanwhile and not proved it either. One that does not prove it ends no call:
 * mproc_listener_refused() counts them, and mproc_listener_last_refused() says why.
 *
 * Over TCP the other machine may fall silent without a word: then nothing ends but by a time limit. What was sent
 * arrives also if the sender ends, unless it has not received all that was sent to it: then the rest may be lost. And
 * there any message that is ended by a limit may be sent in part (MPROC_BROKEN), also a small one.
 */
#ifndef MPROC_LISTENER_H
#define MPROC_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mproc/connection.h>
#include <mproc/status.h>
#include <mproc/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_listener mproc_listener;

/* Room for any address, with the 0 at its end. */
#define MPROC_ADDRESS_BYTES 272

/* Zero in a field is its default. */
typedef struct mproc_listener_options {
    /* Also of clients in Python up to 3.11, which know MD5 alone. Default: those are refused. */
    bool allow_md5;
    /* About so many clients are connected before they are accepted; others wait. Default: 128 (Python: 1). */
    int backlog;
    /*
     * How long a client may take to prove that it has the key. What it has said when nobody accepted is heard by the
     * next accept, and then it has as long for the rest. Default: 10000.
     */
    int64_t authkey_timeout_ms;
    /* Bytes, or text, of which a copy is made: what clients must have. Empty is a key, too. Default, nil: none. */
    mproc_value authkey;
} mproc_listener_options;

/* The same for a client. The key is read during the call. */
typedef struct mproc_client_options {
    bool allow_md5;
    mproc_value authkey;
} mproc_client_options;

/*
 * Begins to listen at an address (Python: Listener()). NULL is a new one that nobody guesses, for this user alone: a
 * Unix socket in a folder of its own with the mode 0700 (in TMPDIR, or /tmp), on Windows a named pipe. Does not
 * block, unless the system has to ask others for a host's name. `*listener` is the caller's: mproc_listener_free().
 *
 * A Unix socket's file, and the folder, go when the listener is closed, and at the end of the process, but not if
 * that is killed: then the file stays until somebody listens there again, who takes it away. The port of TCP can be
 * used again at once. Children do not have the listener.
 *
 * Returns MPROC_OK, or, with nothing done:
 *   MPROC_EXISTS         somebody listens at this address, or a file is in its place
 *   MPROC_INVALID        it is no address, as the text says; `backlog` or the time limit is negative; the key is
 *                        neither bytes nor text; or `listener` is NULL
 *   MPROC_NOT_FOUND      there is no such host, or it is not this machine; or no such folder
 *   MPROC_NOT_SUPPORTED  this system has no such addresses; or, with a key, no library to prove it by (see
 *                        mproc_connection_deliver_challenge())
 *   MPROC_PERMISSION     the system does not let this user listen there
 *   MPROC_LIMIT          there are too many open files
 *   MPROC_NO_MEMORY      this process, or the system, has no room
 */
static inline mproc_status mproc_listener_create(const char *address, const mproc_listener_options *options,
                                                 mproc_listener **listener);

/*
 * Accepts a client: `*connection` is the other end of what the client has got (Python: accept()), and the caller's:
 * mproc_connection_free(). Blocks until a client is there, at most `timeout_ms` (MPROC_FOREVER: no limit; 0: only
 * tries). Several threads may accept at once: each gets another client.
 *
 * A client that has gone already is accepted like any other: what it has sent is received, then MPROC_END. With a
 * key, those are accepted that have proved it.
 *
 * Returns MPROC_OK, or, with nobody accepted:
 *   MPROC_TIMEOUT      nobody came
 *   MPROC_INTERRUPTED  mproc_interrupt() was called
 *   MPROC_CLOSED       this process has closed the listener, perhaps meanwhile
 *   MPROC_LIMIT        there are too many open files: the client waits for a call after some were closed
 *   MPROC_NO_MEMORY    this process, or the family's shared memory, has no room; a client may have been turned away
 *   MPROC_FORKED       this process is a fork() copy of the one that listens
 *   MPROC_INVALID      `timeout_ms` is negative, or `connection` is NULL
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_listener_accept(mproc_listener *listener, mproc_connection **connection,
                                                             int64_t timeout_ms);

/*
 * Returns the address to which clients connect, with the port that it was given and a host in numbers (Python:
 * address). It is the listener's, and stays until that is freed. Does not block.
 */
MPROC_API const char *mproc_listener_address(const mproc_listener *listener);

/*
 * Writes the address of the client that was accepted last (Python: last_accepted): where that is connected from, of
 * TCP alone; "" of others, and if there was none. With several threads that accept, it may be another one's client.
 * Does not block.
 */
MPROC_API void mproc_listener_last_accepted(mproc_listener *listener, char address[MPROC_ADDRESS_BYTES]);

/*
 * Writes the system's handle into `*handle`, for the program's own wait: a file descriptor, which poll() and the like
 * say is readable, on Windows an event that is set, when a client may be there to be accepted. Perhaps there is none:
 * so accept with a limit of 0. The library has it: the program does nothing else with it. Does not block.
 *
 * Returns MPROC_OK; MPROC_CLOSED: this process has closed the listener; MPROC_FORKED; MPROC_INVALID: `handle` is
 * NULL.
 */
MPROC_API mproc_status mproc_listener_handle(mproc_listener *listener, intptr_t *handle);

/*
 * Ends listening (Python: close()): calls that accept return MPROC_CLOSED, clients that were not accepted are turned
 * away, and others can listen at the address. Connections stay. Blocks until those who wait have left, for moments.
 * To close again does nothing. mproc_listener_free() is still to be called.
 */
MPROC_API void mproc_listener_close(mproc_listener *listener);

/*
 * Returns how many clients have not proved that they have the listener's key: have a wrong one, or none, were silent,
 * or have gone. Does not block.
 */
MPROC_API uint64_t mproc_listener_refused(mproc_listener *listener);

/* Room for any such reason, with the 0 at its end. */
#define MPROC_REFUSED_BYTES 768

/*
 * Writes why the last one of them was refused, for people: behind the address, if that is one of TCP, that it has
 * another key, what it sent instead, or that its time was over; "" if there was none. Does not block.
 */
MPROC_API void mproc_listener_last_refused(mproc_listener *listener, char why[MPROC_REFUSED_BYTES]);

/* Returns whether it was closed. Does not block. */
MPROC_API bool mproc_listener_closed(const mproc_listener *listener);

/* Closes it, and frees it; nobody uses it from then on. NULL is fine. */
MPROC_API void mproc_listener_free(mproc_listener *listener);

/*
 * Connects to the listener at an address (Python: Client()). `*connection` is the caller's: mproc_connection_free().
 * Blocks until the connection is made, at most `timeout_ms`: the listener's process need not accept it for that,
 * unless as many as it allows wait already; but with a key, until both sides have proved that they have it. With 0
 * only those succeed that need not wait: not those of TCP. The limit does not hold while the system asks others for a
 * host's name.
 *
 * Returns MPROC_OK, or, with nothing done:
 *   MPROC_NOT_FOUND      nobody listens there (Python: ConnectionRefusedError, FileNotFoundError), or the host cannot
 *                        be found, or reached
 *   MPROC_TIMEOUT        no answer came, or the listener had no room; or it has no key, and says nothing
 *   MPROC_AUTHENTICATION  it has another key, or does something else than it must, as the text says
 *   MPROC_END            it has closed the connection in the middle of that
 *   MPROC_INTERRUPTED    mproc_interrupt() was called
 *   MPROC_PERMISSION     this user may not connect there
 *   MPROC_NOT_SUPPORTED  this system has no such addresses
 *   MPROC_LIMIT          there are too many open files, or all ports are in use
 *   MPROC_NO_MEMORY      this process, or the family's shared memory, has no room
 *   MPROC_INVALID        it is no address, as the text says; `timeout_ms` is negative; or `connection` is NULL
 */
MPROC_NODISCARD static inline mproc_status mproc_client(const char *address, const mproc_client_options *options,
                                                        mproc_connection **connection, int64_t timeout_ms);

/* ---- what the inline functions above call; not for direct use --------------------------------- */

MPROC_API mproc_status mproc_listener_create_sized(const char *address, const mproc_listener_options *options,
                                                   size_t options_size, mproc_listener **listener);

MPROC_NODISCARD MPROC_API mproc_status mproc_client_sized(const char *address, const mproc_client_options *options,
                                                          size_t options_size, mproc_connection **connection,
                                                          int64_t timeout_ms);

static inline mproc_status mproc_listener_create(const char *address, const mproc_listener_options *options,
                                                 mproc_listener **listener)
{
    return mproc_listener_create_sized(address, options, sizeof(mproc_listener_options), listener);
}

static inline mproc_status mproc_client(const char *address, const mproc_client_options *options,
                                        mproc_connection **connection, int64_t timeout_ms)
{
    return mproc_client_sized(address, options, sizeof(mproc_client_options), connection, timeout_ms);
}

#ifdef __cplusplus
}

static inline mproc_status mproc_listener_create(const char *address, const mproc_listener_options &options,
                                                 mproc_listener **listener)
{
    return mproc_listener_create_sized(address, &options, sizeof options, listener);
}

static inline mproc_status mproc_client(const char *address, const mproc_client_options &options,
                                        mproc_connection **connection, int64_t timeout_ms)
{
    return mproc_client_sized(address, &options, sizeof options, connection, timeout_ms);
}
#endif

#endif
