/* Connections where the system has too little: descriptors, memory. */
#include "connection/connections.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static struct rlimit usual;

static void set_limit(int what, rlim_t soft)
{
    struct rlimit limit;

    CHECK_EQ(getrlimit(what, &limit), 0);
    usual = limit;
    limit.rlim_cur = soft;
    CHECK_EQ(setrlimit(what, &limit), 0);
}

static void end_limit(int what)
{
    CHECK_EQ(setrlimit(what, &usual), 0);
}

/* ---- descriptors ---------------------------------------------------------------------------------- */

/* With one more each time, until there are enough. What is refused leaves nothing open. */
static void check_made_with_enough(mproc_status (*make)(void **made), void (*drop)(void *made))
{
    int handles = plat_handle_count();
    mproc_status status = MPROC_LIMIT;
    void *made = NULL;

    for (rlim_t limit = 3; status != MPROC_OK; limit++) {
        CHECK(limit < 200);
        set_limit(RLIMIT_NOFILE, limit);
        status = make(&made);
        end_limit(RLIMIT_NOFILE);
        if (status == MPROC_OK) break;
        CHECK_STATUS(status, MPROC_LIMIT);
        CHECK(made == NULL);
        CHECK_CONTAINS(mproc_last_error_text(), "ulimit -n");
        CHECK_EQ(plat_handle_count(), handles);
    }
    drop(made);
    CHECK_EQ(plat_handle_count(), handles);
}

static ends pipe_made;

static mproc_status make_pipe(void **made)
{
    mproc_status status = mproc_pipe(NULL, &pipe_made.first, &pipe_made.second);

    if (status == MPROC_OK) *made = &pipe_made;
    return status;
}

static void drop_pipe(void *made)
{
    connections_free(made);
}

static mproc_status make_object(void **made)
{
    mproc_os_handle *object = NULL;
    mproc_status status = mproc_os_handle_create(STDIN_FILENO, &object);

    *made = object;
    return status;
}

static void drop_object(void *made)
{
    mproc_os_handle_free(made);
}

static mproc_os_handle *standing;

static mproc_status make_duplicate(void **made)
{
    static intptr_t duplicate;
    mproc_status status = mproc_os_handle_duplicate(standing, &duplicate);

    if (status == MPROC_OK) *made = &duplicate;
    return status;
}

static void drop_duplicate(void *made)
{
    close((int)*(intptr_t *)made);
}

static void case_too_many_open_files_is_a_limit(void)
{
    check_made_with_enough(make_pipe, drop_pipe);
    check_made_with_enough(make_object, drop_object);
    CHECK_OK(mproc_os_handle_create(STDIN_FILENO, &standing));
    check_made_with_enough(make_duplicate, drop_duplicate);
    mproc_os_handle_free(standing);
}

/* ---- memory --------------------------------------------------------------------------------------- */

enum { LARGE = 64 << 20 };

static rlim_t addresses(void)
{
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (!file || fscanf(file, "%llu", &pages) != 1) CHECK_SKIP("nothing tells how many addresses are in use");
    fclose(file);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static void case_message_without_memory_stays(void)
{
    ends pipe = connections_create(false);
    one_call sender = {.connection = pipe.first, .size = LARGE, .timeout_ms = MPROC_FOREVER};
    mproc_value value = mproc_nil();

    if (FIXTURE_SANITIZED) CHECK_SKIP("a sanitizer has memory of its own");
    CHECK((sender.data = calloc(1, LARGE)) != NULL);
    connections_begin(&sender, connections_sends);
    CHECK_OK(mproc_connection_poll(pipe.second, check_limit_ms()));
    set_limit(RLIMIT_AS, addresses() + LARGE / 4);
    CHECK_SAYS(mproc_connection_recv_bytes(pipe.second, SIZE_MAX, &value, 0), MPROC_NO_MEMORY, "67108864");
    CHECK_STATUS(mproc_connection_recv(pipe.second, &value, 0), MPROC_NO_MEMORY);
    end_limit(RLIMIT_AS);
    CHECK_OK(mproc_connection_recv_bytes(pipe.second, SIZE_MAX, &value, check_limit_ms()));
    CHECK_EQ(mproc_value_size(value), LARGE);
    mproc_value_clear(&value);
    connections_end(&sender);
    CHECK_OK(sender.status);
    free(sender.data);
    connections_free(&pipe);
}

CHECK_SUITE_SETUP(posix_connection_limits, connections_setup,
    CASE(too_many_open_files_is_a_limit),
    CASE(message_without_memory_stays),
);
