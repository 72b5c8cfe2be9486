/* Addresses of listeners as text. */
#ifndef MPROC_CONNECTION_ADDRESS_H
#define MPROC_CONNECTION_ADDRESS_H

#include <mproc/listener.h>

#include "platform_socket.h"

/* MPROC_INVALID: it is none. `listens`: for a listener, which alone may have port 0. */
mproc_status address_read(const char *text, bool listens, plat_address *address);

/* "" for one without a name. */
void address_write(const plat_address *address, char text[MPROC_ADDRESS_BYTES]);

#endif
