/* Addresses as the system takes them. */
#ifndef MPROC_POSIX_SOCKET_ADDRESS_H
#define MPROC_POSIX_SOCKET_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "platform_socket.h"

/* More addresses of one host are not tried. */
#define SOCKET_ADDRESSES_MAX 8

typedef struct socket_address {
    union {
        struct sockaddr any;
        struct sockaddr_in ip4;
        struct sockaddr_in6 ip6;
        struct sockaddr_un local;
    } as;
    socklen_t size;
} socket_address;

/* `local`: those that begin with a 0 are of Linux alone, and longer ones do not fit. */
#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

/*
 * What the address stands for: one, or all addresses of a host, those of IPv4 first; then it waits as long as the
 * system asks for them. MPROC_NOT_FOUND, MPROC_INVALID, MPROC_NOT_SUPPORTED, MPROC_NO_MEMORY.
 */
mproc_status socket_address_find(const plat_address *address, socket_address found[SOCKET_ADDRESSES_MAX], int *count);

/* The numbers of an address of TCP; the name of any other is empty. */
void socket_address_write(const socket_address *from, plat_address *address);

#endif
