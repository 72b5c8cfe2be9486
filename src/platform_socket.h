/*
 * The part of src/platform.h for streams between processes that know no more of each other than an address; what is
 * said there of all functions holds here.
 */
#ifndef MPROC_PLATFORM_SOCKET_H
#define MPROC_PLATFORM_SOCKET_H

#include "platform_channel.h"

/* ---- socket.c --------------------------------------------------------------------------------- */

typedef enum plat_address_kind { PLAT_ADDRESS_TCP, PLAT_ADDRESS_UNIX, PLAT_ADDRESS_PIPE } plat_address_kind;

/* With the 0 at its end. */
#define PLAT_ADDRESS_NAME_BYTES 256

/*
 * Where a listener is. `name` is a host, as numbers or by its name; a path, or @ and an abstract name; or the full
 * name of a pipe. `port` is of TCP alone. `in_folder`: the path is in a folder that goes with the listener.
 */
typedef struct plat_address {
    plat_address_kind kind;
    bool in_folder;
    uint16_t port;
    char name[PLAT_ADDRESS_NAME_BYTES];
} plat_address;

/*
 * An address that nobody guesses, and to which processes of this user alone can connect. POSIX: makes the folder in
 * which it is. MPROC_NOT_FOUND, MPROC_PERMISSION, MPROC_NO_MEMORY: there is no place for one.
 */
mproc_status plat_address_private(plat_address *address);

typedef struct plat_listener plat_listener;

/*
 * Begins to listen. `backlog`: about so many clients are connected that nobody has accepted yet. Afterwards
 * `*address` is what others connect to: numbers, and the port that the system has chosen. If it fails, the folder of
 * a private address is gone.
 *
 * MPROC_EXISTS: somebody listens there, or a file is in its place. MPROC_NOT_SUPPORTED: this system has no such
 * addresses. MPROC_NOT_FOUND: no such host or folder. MPROC_INVALID: the name is none, or too long. MPROC_PERMISSION,
 * MPROC_LIMIT, MPROC_NO_MEMORY.
 */
mproc_status plat_listener_create(plat_address *address, int backlog, plat_listener **listener);

/* Ends listening; who was not accepted is turned away. Takes the file away, as plat_listener_leave(). */
void plat_listener_free(plat_listener *listener);

/* For the end of the process: takes the file of its address away, if it is still the one that this process made. */
void plat_listener_leave(const plat_listener *listener);

/* What is waited for: ready when plat_listener_accept() may find somebody. */
plat_handle plat_listener_handle(const plat_listener *listener);

/* The handles that a fork() copy of this process has to close; PLAT_NO_HANDLE where there are less. */
#define PLAT_LISTENER_HANDLES 2
void plat_listener_handles(const plat_listener *listener, plat_handle handles[PLAT_LISTENER_HANDLES]);

/*
 * Takes the next client, and does not wait for one: MPROC_TIMEOUT, without a text. `*peer`: where it is, of TCP
 * alone; otherwise its name is empty. One thread at a time. MPROC_LIMIT, MPROC_NO_MEMORY: the client stays, if it
 * can.
 */
mproc_status plat_listener_accept(plat_listener *listener, plat_channel *channel, plat_address *peer);

/*
 * From here on the listener's handle is ready also when something can be read from the channel, or it has ended. Call
 * it again after each read that has found nothing. `*watch` is NULL at first. As plat_listener_accept(), one thread
 * at a time. MPROC_LIMIT, MPROC_NO_MEMORY.
 */
mproc_status plat_listener_watch(plat_listener *listener, const plat_channel *channel, void **watch);

/* Not any longer. The channel is open still. */
void plat_listener_unwatch(plat_listener *listener, const plat_channel *channel, void *watch);

/* Something that is watched was not looked at: the handle is ready. */
void plat_listener_again(plat_listener *listener);

/* A connection that is being made: to the address with this index, of all that were found for the host. */
typedef struct plat_attempt {
    void *found; /* NULL at first */
    int count;
    int index;
    plat_handle handle; /* PLAT_NO_HANDLE at first */
    plat_handle event;  /* the same; Windows */
} plat_attempt;

#define PLAT_NO_ATTEMPT ((plat_attempt){NULL, 0, 0, PLAT_NO_HANDLE, PLAT_NO_HANDLE})

/*
 * Connects to a listener. The host is looked up once for an attempt.
 *
 *   MPROC_TIMEOUT        the deadline has passed; without a text
 *   MPROC_INTERRUPTED    the event `wake` is set; without a text
 *   MPROC_NOT_FOUND      nobody listens there
 *   MPROC_NOT_SUPPORTED  this system has no such addresses
 *   MPROC_PERMISSION, MPROC_INVALID, MPROC_LIMIT, MPROC_NO_MEMORY
 * After the first two the same call with the attempt goes on.
 */
mproc_status plat_channel_connect(const plat_address *address, plat_handle wake, int64_t deadline_ns,
                                  plat_attempt *attempt, plat_channel *channel);

/* Gives the attempt up; also after one that was made, or failed. */
void plat_attempt_end(plat_attempt *attempt);

#endif
