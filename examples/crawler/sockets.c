/* Sockets. What differs between the systems comes first: the headers, the type, the end, and Windows' beginning. */
#include "sockets.h"

#include <string.h>

#if defined(_WIN32)
#include <winsock2.h>
#include <ws2tcpip.h>

typedef SOCKET handle;

void sockets_begin(void)
{
    WSADATA data;

    WSAStartup(MAKEWORD(2, 2), &data);
}

void socket_close(intptr_t connection)
{
    closesocket((SOCKET)connection);
}

#else
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

typedef int handle;

void sockets_begin(void)
{
}

void socket_close(intptr_t connection)
{
    close((int)connection);
}
#endif

static struct sockaddr_in address_of(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* Gives the socket up if the last call on it has failed. */
static intptr_t or_none(handle opened, int result)
{
    if (result == 0) return (intptr_t)opened;
    socket_close((intptr_t)opened);
    return -1;
}

intptr_t socket_listen(int *port)
{
    struct sockaddr_in address = address_of(0);
    socklen_t size = sizeof address;
    handle listener = socket(AF_INET, SOCK_STREAM, 0);
    int result = bind(listener, (struct sockaddr *)&address, size);

    if (result == 0) result = listen(listener, 16);
    if (result == 0) result = getsockname(listener, (struct sockaddr *)&address, &size);
    *port = ntohs(address.sin_port);
    return or_none(listener, result);
}

intptr_t socket_accept(intptr_t listener)
{
    return (intptr_t)accept((handle)listener, NULL, NULL);
}

intptr_t socket_connect(int port)
{
    struct sockaddr_in address = address_of(port);
    handle opened = socket(AF_INET, SOCK_STREAM, 0);

    return or_none(opened, connect(opened, (struct sockaddr *)&address, sizeof address));
}

void socket_send(intptr_t connection, const char *text)
{
    size_t size = strlen(text), sent = 0;

    while (sent < size) {
        long long count = send((handle)connection, text + sent, (int)(size - sent), 0);
        if (count <= 0) return;
        sent += (size_t)count;
    }
}

void socket_receive(intptr_t connection, char *text, size_t capacity, const char *end)
{
    size_t size = 0;

    text[0] = '\0';
    while (size + 1 < capacity && !(end && strstr(text, end))) {
        long long count = recv((handle)connection, text + size, (int)(capacity - 1 - size), 0);
        if (count <= 0) return;
        size += (size_t)count;
        text[size] = '\0';
    }
}
