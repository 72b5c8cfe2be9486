#include "connection/address.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define TCP "tcp:"
#define UNIX "unix:"
#define PIPE "\\\\.\\pipe\\"
#define PORT_MAX 65535u

static_assert(MPROC_ADDRESS_BYTES >= PLAT_ADDRESS_NAME_BYTES + sizeof TCP + sizeof "[]:65535",
              "an address has room as text");

static mproc_status refuse(const char *text, const char *why)
{
    return mproc_error(
        MPROC_INVALID,
        "'%s' is no address: %s. Addresses are tcp:HOST:PORT, unix:PATH, unix:@NAME and \\\\.\\pipe\\NAME", text,
        why);
}

static bool take_name(const char *from, size_t size, plat_address *address)
{
    if (size == 0 || size >= sizeof address->name) return false;
    memcpy(address->name, from, size);
    address->name[size] = '\0';
    return true;
}

/* Digits alone, as many as a port has at most. */
static bool take_port(const char *text, plat_address *address)
{
    unsigned port = 0;

    if (*text == '\0' || strlen(text) > 5) return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        port = port * 10 + (unsigned)(*text - '0');
    }
    address->port = (uint16_t)port;
    return port <= PORT_MAX;
}

/* What a listener at all networks has for its address stands for this machine. Windows connects to none like it. */
static void take_this_machine(plat_address *address)
{
    if (strcmp(address->name, "0.0.0.0") == 0) memcpy(address->name, "127.0.0.1", sizeof "127.0.0.1");
    if (strcmp(address->name, "::") == 0) memcpy(address->name, "::1", sizeof "::1");
}

/* `host` ends at `end`, which is not a part of it, and at that the port begins. */
static mproc_status read_tcp(const char *text, bool listens, plat_address *address)
{
    const char *host = text + strlen(TCP), *end = strrchr(host, ':');
    bool brackets = *host == '[';

    if (!end) return refuse(text, "there is no port");
    if (!take_port(end + 1, address)) return refuse(text, "its port is no number from 0 to 65535");
    if (address->port == 0 && !listens)
        return refuse(text, "nobody listens at port 0, which stands for any free one");
    if (brackets && (end == host || end[-1] != ']')) return refuse(text, "a bracket is not closed");
    if (!brackets && memchr(host, ':', (size_t)(end - host)))
        return refuse(text, "an address of IPv6 stands in brackets");
    if (!take_name(host + brackets, (size_t)(end - host) - 2 * brackets, address))
        return refuse(text, "it has no host, or one that is too long");
    if (!listens) take_this_machine(address);
    return MPROC_OK;
}

mproc_status address_read(const char *text, bool listens, plat_address *address)
{
    bool local = strncmp(text, UNIX, strlen(UNIX)) == 0;
    const char *name = local ? text + strlen(UNIX) : text;

    *address = (plat_address){.kind = PLAT_ADDRESS_TCP};
    if (strncmp(text, TCP, strlen(TCP)) == 0) return read_tcp(text, listens, address);
    if (!local && strncmp(text, PIPE, strlen(PIPE)) != 0) return refuse(text, "it begins like none");
    address->kind = local ? PLAT_ADDRESS_UNIX : PLAT_ADDRESS_PIPE;
    if (!take_name(name, strlen(name), address)) return refuse(text, "its name is empty, or too long");
    if (strcmp(name, "@") == 0 || strcmp(name, PIPE) == 0) return refuse(text, "its name is empty");
    return MPROC_OK;
}

void address_write(const plat_address *address, char text[MPROC_ADDRESS_BYTES])
{
    bool brackets = strchr(address->name, ':') != NULL;

    text[0] = '\0';
    if (address->name[0] == '\0') return;
    if (address->kind == PLAT_ADDRESS_TCP)
        snprintf(text, MPROC_ADDRESS_BYTES, TCP "%s%s%s:%u", brackets ? "[" : "", address->name, brackets ? "]" : "",
                 (unsigned)address->port);
    else snprintf(text, MPROC_ADDRESS_BYTES, "%s%s", address->kind == PLAT_ADDRESS_UNIX ? UNIX : "", address->name);
}
