/*
 * The sockets of Windows. Their library is loaded with the first use of a socket, so that a process without one
 * starts no later, and a program links nothing for them.
 */
#ifndef MPROC_WIN32_WINSOCK_H
#define MPROC_WIN32_WINSOCK_H

#define INCL_WINSOCK_API_TYPEDEFS 1

#include "windows_api.h"

#include <winsock2.h>
#include <ws2tcpip.h>

#include <stdbool.h>

#include <mproc/status.h>

/* Name in the library, and type. */
#define WINSOCK_FUNCTIONS(X)                           \
    X(accept, LPFN_ACCEPT)                             \
    X(bind, LPFN_BIND)                                 \
    X(closesocket, LPFN_CLOSESOCKET)                   \
    X(connect, LPFN_CONNECT)                           \
    X(getpeername, LPFN_GETPEERNAME)                   \
    X(getsockname, LPFN_GETSOCKNAME)                   \
    X(getsockopt, LPFN_GETSOCKOPT)                     \
    X(ioctlsocket, LPFN_IOCTLSOCKET)                   \
    X(listen, LPFN_LISTEN)                             \
    X(setsockopt, LPFN_SETSOCKOPT)                     \
    X(GetAddrInfoW, LPFN_GETADDRINFOW)                 \
    X(FreeAddrInfoW, LPFN_FREEADDRINFOW)               \
    X(GetNameInfoW, LPFN_GETNAMEINFOW)                 \
    X(WSADuplicateSocketW, LPFN_WSADUPLICATESOCKETW)   \
    X(WSAEnumNetworkEvents, LPFN_WSAENUMNETWORKEVENTS) \
    X(WSAEventSelect, LPFN_WSAEVENTSELECT)             \
    X(WSAGetLastError, LPFN_WSAGETLASTERROR)           \
    X(WSARecv, LPFN_WSARECV)                           \
    X(WSASend, LPFN_WSASEND)                           \
    X(WSASocketW, LPFN_WSASOCKETW)                     \
    X(WSAStartup, LPFN_WSASTARTUP)

struct winsock {
#define WINSOCK_FIELD(name, type) type name;
    WINSOCK_FUNCTIONS(WINSOCK_FIELD)
#undef WINSOCK_FIELD
};

/* Filled in by winsock_load(). */
extern struct winsock winsock;

/*
 * Before any use of the functions. MPROC_NOT_SUPPORTED: there is no such library; MPROC_LIMIT, MPROC_SYSTEM. The
 * codes of WSAGetLastError() are for win32_error(), as those of GetLastError() are.
 */
mproc_status winsock_load(void);

/* Whether the other end of a socket is gone, as this code says. */
bool winsock_is_gone(int code);

#endif
