/* Channels that are sockets and no named pipes. */
#ifndef MPROC_WIN32_SOCKET_CHANNEL_H
#define MPROC_WIN32_SOCKET_CHANNEL_H

#include "platform_channel.h"

/* Makes a socket one that does not block; it may have another handle then. MPROC_INVALID: it is none. */
mproc_status socket_channel_open(plat_handle *handle);

void socket_channel_close(plat_handle handle);

/* As those of plat_channel. */
plat_channel_move socket_channel_peek;
plat_channel_move socket_channel_read;
plat_channel_move socket_channel_write;

#endif
