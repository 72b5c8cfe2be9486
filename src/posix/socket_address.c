#include "socket_address.h"

#include "cancel.h"
#include "error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static mproc_status address_find_local(const plat_address *address, socket_address *found);
static bool address_find_number(const plat_address *address, socket_address *found);
static mproc_status address_find_host(const plat_address *address, socket_address *found, int *count);
static int address_take_family(const struct addrinfo *list, int family, socket_address *found, int count);

mproc_status socket_address_find(const plat_address *address, socket_address found[SOCKET_ADDRESSES_MAX], int *count)
{
    memset(found, 0, SOCKET_ADDRESSES_MAX * sizeof *found);
    *count = 1;
    if (address->kind == PLAT_ADDRESS_PIPE)
        return mproc_error(MPROC_NOT_SUPPORTED, "%s is a named pipe, which only Windows has: use unix:PATH",
                           address->name);
    if (address->kind == PLAT_ADDRESS_UNIX) return address_find_local(address, &found[0]);
    if (address_find_number(address, &found[0])) return MPROC_OK;
    int state = cancel_hold();
    mproc_status status = address_find_host(address, found, count);
    cancel_resume(state);
    return status;
}

/* An abstract name has its length, and no 0 at its end. */
static mproc_status address_find_local(const plat_address *address, socket_address *found)
{
    size_t length = strlen(address->name);

    if (length > SOCKET_PATH_MAX)
        return mproc_error(MPROC_INVALID, "the path of a socket has at most %zu bytes, and this one has %zu: %s",
                           SOCKET_PATH_MAX, length, address->name);
    found->as.local.sun_family = AF_UNIX;
    memcpy(found->as.local.sun_path, address->name, length + 1);
    found->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    if (address->name[0] != '@') return MPROC_OK;
    found->as.local.sun_path[0] = '\0';
    found->size--;
    return MPROC_OK;
}

/* What stands for this machine needs nobody to be asked, as RFC 6761 has it. */
static bool address_find_number(const plat_address *address, socket_address *found)
{
    const char *name = strcmp(address->name, "localhost") == 0 ? "127.0.0.1" : address->name;

    if (inet_pton(AF_INET, name, &found->as.ip4.sin_addr) == 1) {
        found->as.ip4.sin_family = AF_INET;
        found->as.ip4.sin_port = htons(address->port);
        found->size = sizeof found->as.ip4;
    } else if (inet_pton(AF_INET6, name, &found->as.ip6.sin6_addr) == 1) {
        found->as.ip6.sin6_family = AF_INET6;
        found->as.ip6.sin6_port = htons(address->port);
        found->size = sizeof found->as.ip6;
    }
    return found->size > 0;
}

static mproc_status address_find_host(const plat_address *address, socket_address *found, int *count)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    char port[8];

    snprintf(port, sizeof port, "%u", (unsigned)address->port);
    int error = getaddrinfo(address->name, port, &hints, &list);
    if (error == EAI_SYSTEM) return error_system(errno, "cannot find the host %s", address->name);
    if (error != 0) {
        mproc_status status = error == EAI_MEMORY ? MPROC_NO_MEMORY : MPROC_NOT_FOUND;
        return mproc_error(status, "cannot find the host %s: %s (error %d of getaddrinfo)", address->name,
                           gai_strerror(error), error);
    }
    *count = address_take_family(list, AF_INET, found, 0);
    *count = address_take_family(list, AF_INET6, found, *count);
    freeaddrinfo(list);
    if (*count > 0) return MPROC_OK;
    return mproc_error(MPROC_NOT_FOUND, "the host %s has no address of IPv4 or IPv6", address->name);
}

static int address_take_family(const struct addrinfo *list, int family, socket_address *found, int count)
{
    for (const struct addrinfo *at = list; at && count < SOCKET_ADDRESSES_MAX; at = at->ai_next) {
        if (at->ai_family != family || at->ai_addrlen > sizeof found->as) continue;
        memcpy(&found[count].as, at->ai_addr, at->ai_addrlen);
        found[count++].size = at->ai_addrlen;
    }
    return count;
}

/* An address of one link says which. */
void socket_address_write(const socket_address *from, plat_address *address)
{
    char link[IF_NAMESIZE];

    *address = (plat_address){.kind = PLAT_ADDRESS_TCP};
    if (from->as.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &from->as.ip4.sin_addr, address->name, sizeof address->name);
        address->port = ntohs(from->as.ip4.sin_port);
    } else if (from->as.any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &from->as.ip6.sin6_addr, address->name, sizeof address->name);
        address->port = ntohs(from->as.ip6.sin6_port);
        size_t length = strlen(address->name);
        if (from->as.ip6.sin6_scope_id != 0 && if_indextoname(from->as.ip6.sin6_scope_id, link))
            snprintf(address->name + length, sizeof address->name - length, "%%%s", link);
    } else {
        address->kind = PLAT_ADDRESS_UNIX;
    }
}
