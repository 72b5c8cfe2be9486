/* Listeners and clients by named pipes. */
#ifndef MPROC_WIN32_NAMED_PIPE_H
#define MPROC_WIN32_NAMED_PIPE_H

#include "platform_socket.h"
#include "windows_api.h"

/* So many clients at most are connected that nobody has accepted yet; others wait. */
#define PIPE_INSTANCES 16

/* One end of the pipe that a client may have the other of. Begun: the system tells by the operation when one has. */
typedef struct pipe_instance {
    HANDLE pipe;
    OVERLAPPED operation;
    bool begun;
    bool connected;
} pipe_instance;

typedef struct pipe_listener {
    wchar_t *name;
    HANDLE event; /* the owner's: set when an instance may be connected */
    int count;
    pipe_instance instances[PIPE_INSTANCES];
} pipe_listener;

/* `listener` is zero, but for its event. */
mproc_status pipe_listener_open(pipe_listener *listener, const char *name, int backlog);
void pipe_listener_close(pipe_listener *listener);
mproc_status pipe_listener_accept(pipe_listener *listener, HANDLE *pipe);

/*
 * As plat_listener_watch(): sets the event when there is something to read, or the end. Each operation that is begun
 * takes the event back, so it is set then for another look.
 */
mproc_status pipe_watch(HANDLE event, HANDLE pipe, void **watch);
void pipe_unwatch(HANDLE pipe, void *watch);

/* As plat_channel_connect(). */
mproc_status pipe_connect(const char *name, plat_handle wake, int64_t deadline_ns, HANDLE *pipe);

#endif
