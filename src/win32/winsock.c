#include "winsock.h"

#include "error.h"
#include "library.h"
#include "platform.h"

#define VERSION_2_2 0x0202

struct winsock winsock;

/* Nothing is called that one of them has not been found for. It stays loaded, as its threads may be at work. */
static mproc_status load(void)
{
    bool complete = true;
    WSADATA data;
    int code;

#define WINSOCK_FIND(name, type)                               \
    winsock.name = (type)win32_function(L"ws2_32.dll", #name); \
    complete = complete && winsock.name;
    WINSOCK_FUNCTIONS(WINSOCK_FIND)
#undef WINSOCK_FIND
    if (!complete) return mproc_error(MPROC_NOT_SUPPORTED, "this system has no sockets: ws2_32.dll cannot be used");
    if ((code = winsock.WSAStartup(VERSION_2_2, &data)) == 0) return MPROC_OK;
    return win32_error((DWORD)code, "cannot use the sockets of this system");
}

mproc_status winsock_load(void)
{
    static plat_mutex mutex;
    static bool loaded;
    mproc_status status = MPROC_OK;

    plat_mutex_lock(&mutex);
    if (!loaded) status = load();
    if (status == MPROC_OK) loaded = true;
    plat_mutex_unlock(&mutex);
    return status;
}

bool winsock_is_gone(int code)
{
    return code == WSAECONNRESET || code == WSAECONNABORTED || code == WSAENETRESET || code == WSAETIMEDOUT ||
           code == WSAESHUTDOWN || code == WSAEDISCON || code == WSAENETDOWN || code == WSAEHOSTUNREACH ||
           code == WSAENETUNREACH;
}
