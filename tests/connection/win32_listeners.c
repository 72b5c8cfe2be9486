/* Named pipes of listeners: who may connect, and who has the name. */
#include "connection/listening.h"

#include <windows.h>

#include <aclapi.h>

static HANDLE handle_of(mproc_connection *connection)
{
    intptr_t handle = -1;

    CHECK_OK(mproc_connection_handle(connection, &handle));
    return (HANDLE)handle;
}

/* One entry, for the owner of this process. */
static void check_access(HANDLE pipe)
{
    union {
        TOKEN_USER user;
        unsigned char bytes[512];
    } who;
    ACCESS_ALLOWED_ACE *entry = NULL;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    ACL *list = NULL;
    HANDLE token;
    DWORD size;

    CHECK(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token));
    CHECK(GetTokenInformation(token, TokenUser, &who, sizeof who, &size));
    CloseHandle(token);
    CHECK_EQ(GetSecurityInfo(pipe, SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL, &list, NULL, &descriptor),
             ERROR_SUCCESS);
    CHECK(list != NULL && list->AceCount == 1);
    CHECK(GetAce(list, 0, (void **)&entry));
    CHECK_EQ(entry->Header.AceType, ACCESS_ALLOWED_ACE_TYPE);
    CHECK(EqualSid(&entry->SidStart, who.user.User.Sid));
    LocalFree(descriptor);
}

static void case_pipe_is_for_the_user_alone(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        ends pair;
        if (kind != LISTENING_PRIVATE && kind != LISTENING_PIPE) continue;
        pair = listening_pair_of(kind);
        check_access(handle_of(pair.second));
        connections_free(&pair);
    }
}

/* Also where others would get them: the flag is the handle's own. */
static void case_handles_are_not_inherited(void)
{
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        ends pair = listening_pair_of(kind);
        DWORD flags = 0;
        if (!pair.first) continue;
        CHECK(GetHandleInformation(handle_of(pair.first), &flags) && !(flags & HANDLE_FLAG_INHERIT));
        CHECK(GetHandleInformation(handle_of(pair.second), &flags) && !(flags & HANDLE_FLAG_INHERIT));
        connections_free(&pair);
    }
}

/* What has begun to wait for a client ends with the thread that made the listener, and begins again. */
static void make(void *into)
{
    *(mproc_listener **)into = listening_create(LISTENING_PIPE);
}

static void case_listener_outlives_the_thread_that_made_it(void)
{
    mproc_listener *listener = NULL;
    plat_thread *thread;
    one_accept accept = {.timeout_ms = MPROC_FOREVER};
    ends pair;

    CHECK_OK(plat_thread_start(make, &listener, &thread));
    plat_thread_join(thread);
    for (int i = 0; i < 40; i++) {
        pair = listening_pair(listener);
        connections_free(&pair);
    }
    accept.listener = listener;
    listening_begin(&accept);
    connections_await_sleepers(1);
    pair.first = listening_connect(listener);
    listening_end(&accept);
    CHECK_OK(accept.status);
    mproc_connection_free(pair.first);
    mproc_connection_free(accept.connection);
    mproc_listener_free(listener);
}

CHECK_SUITE_SETUP(win32_listeners, listening_setup,
    CASE(pipe_is_for_the_user_alone),
    CASE(handles_are_not_inherited),
    CASE(listener_outlives_the_thread_that_made_it),
);
