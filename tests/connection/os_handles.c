/* Handles of the program's own in values: files that other processes write to. */
#include "connection/connections.h"

#include "platform/platform_fixture.h"

#include <stdio.h>

#include "process/deposit.h"

/* A file of the case's, and what stands for it. */
typedef struct open_file {
    char directory[1024];
    char path[1100];
    mproc_os_handle *object;
} open_file;

/* The handle that it was made of is closed at once. */
static open_file open_one(void)
{
    open_file file;
    plat_handle handle;

    os_make_directory(file.directory, sizeof file.directory);
    snprintf(file.path, sizeof file.path, "%s/file", file.directory);
    handle = os_open_output(file.path);
    file.object = NULL;
    CHECK_OK(mproc_os_handle_create(handle, &file.object));
    plat_handle_close(handle);
    return file;
}

static void check_and_remove(open_file *file, const char *text)
{
    char found[256];

    mproc_os_handle_free(file->object);
    os_read_file(file->path, found, sizeof found);
    CHECK_STRING(found, text);
    os_remove_directory(file->directory);
}

/* By a duplicate, which it closes. */
static void write_to(const mproc_os_handle *object, const char *text)
{
    intptr_t handle = -1;

    CHECK_OK(mproc_os_handle_duplicate(object, &handle));
    os_write(handle, text);
    plat_handle_close(handle);
}

/* Writes to what comes by the queue, and to what it has made itself, which it passes on. */
static mproc_status writes_to_what_comes(mproc_call *call)
{
    mproc_queue *queue = NULL;
    mproc_value item = mproc_nil();
    mproc_os_handle *object = NULL;

    MPROC_TRY(mproc_unpack(call, &queue));
    MPROC_TRY(mproc_queue_get(queue, &item, MPROC_FOREVER));
    MPROC_TRY(mproc_value_to(item, &object));
    mproc_value_clear(&item);
    write_to(object, "by a child");
    mproc_os_handle_free(object);
    return MPROC_OK;
}

static void case_file_goes_to_a_process_that_runs(void)
{
    mproc_queue *queue = connections_queue();
    mproc_process *child = connections_start(writes_to_what_comes, MPROC_ARGS(queue));
    open_file file = open_one();

    CHECK_OK(mproc_queue_put(queue, MPROC_VALUE(file.object), 0));
    CHECK_EXITED(child, 0);
    check_and_remove(&file, "by a child");
    mproc_queue_free(queue);
    CHECK_WAIT_UNTIL(connections_none_is_kept, NULL);
}

static mproc_status writes_to_its_argument(mproc_call *call)
{
    mproc_os_handle *object = NULL;

    MPROC_TRY(mproc_unpack(call, &object));
    write_to(object, "given, ");
    return MPROC_OK;
}

static void case_file_is_an_argument_of_a_process(void)
{
    open_file file = open_one();

    for (int i = 0; i < 2; i++) CHECK_EXITED(connections_start(writes_to_its_argument, MPROC_ARGS(file.object)), 0);
    write_to(file.object, "here");
    check_and_remove(&file, "given, given, here");
}

/* What the task has opened is returned, and its own handle closed. */
static mproc_status returns_a_file(mproc_call *call)
{
    const char *path;
    plat_handle handle;
    mproc_os_handle *object = NULL;
    mproc_status status;

    MPROC_TRY(mproc_unpack(call, &path));
    handle = os_open_output(path);
    MPROC_TRY(mproc_os_handle_create(handle, &object));
    write_to(object, "by a task, ");
    plat_handle_close(handle);
    status = mproc_call_return(call, MPROC_VALUE(object));
    mproc_os_handle_free(object);
    return status;
}

static void case_task_returns_a_file(void)
{
    open_file file = open_one(), other = open_one();
    char path[1100];
    mproc_pool *pool = NULL;
    mproc_value value = mproc_nil();
    mproc_os_handle *object = NULL;

    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 1}, &pool));
    snprintf(path, sizeof path, "%s/by_a_task", other.directory);
    CHECK_OK(mproc_pool_apply(pool, returns_a_file, MPROC_ARGS(path), &value));
    CHECK_OK(mproc_value_to(value, &object));
    mproc_value_clear(&value);
    write_to(object, "and here");
    mproc_os_handle_free(object);
    CHECK_OK(mproc_pool_apply(pool, writes_to_its_argument, MPROC_ARGS(file.object), &value));
    mproc_pool_free(pool);
    snprintf(other.path, sizeof other.path, "%s", path);
    check_and_remove(&other, "by a task, and here");
    check_and_remove(&file, "given, ");
    CHECK_WAIT_UNTIL(connections_none_is_kept, NULL);
}

static void case_duplicate_is_its_owners(void)
{
    open_file file = open_one();
    intptr_t handle = -1;

    CHECK_OK(mproc_os_handle_duplicate(file.object, &handle));
    CHECK(!os_handle_is_inheritable(handle));
    mproc_os_handle_free(file.object);
    file.object = NULL;
    os_write(handle, "later");
    plat_handle_close(handle);
    check_and_remove(&file, "later");
}

static void case_message_keeps_a_file_open(void)
{
    mproc_queue *queue = connections_queue();
    open_file file = open_one();
    mproc_value item = mproc_nil();

    CHECK_OK(mproc_queue_put(queue, MPROC_VALUE(file.object), 0));
    mproc_os_handle_free(file.object);
    CHECK_EQ(deposit_count(), deposit_store() == PLAT_NO_HANDLE ? 0 : 1);
    CHECK_OK(mproc_queue_get(queue, &item, 0));
    CHECK_OK(mproc_value_to(item, &file.object));
    mproc_value_clear(&item);
    CHECK_EQ(deposit_count(), 0);
    write_to(file.object, "kept");
    check_and_remove(&file, "kept");
    mproc_queue_free(queue);
}

static void case_what_is_no_handle_is_refused(void)
{
    open_file file = open_one(), other = open_one();
    plat_handle closed = -1;
    mproc_os_handle *object = NULL;
    intptr_t handle = -1;

    CHECK_OK(mproc_os_handle_duplicate(other.object, &closed));
    plat_handle_close(closed);
    CHECK_SAYS(mproc_os_handle_create(-1, &object), MPROC_INVALID, "-1");
    CHECK_STATUS(mproc_os_handle_create(closed, &object), MPROC_INVALID);
    CHECK_STATUS(mproc_os_handle_create(closed, NULL), MPROC_INVALID);
    CHECK_STATUS(mproc_os_handle_duplicate(file.object, NULL), MPROC_INVALID);
    CHECK(object == NULL);
    CHECK_OK(mproc_os_handle_duplicate(file.object, &handle));
    plat_handle_close(handle);
    mproc_os_handle_free(NULL);
    check_and_remove(&other, "");
    check_and_remove(&file, "");
}

CHECK_SUITE_SETUP(os_handles, connections_setup_deposits,
    CASE(file_goes_to_a_process_that_runs),
    CASE(file_is_an_argument_of_a_process),
    CASE_WITH(task_returns_a_file, .leaves = CHECK_HANDLES | CHECK_THREADS), /* a pool's own */
    CASE(duplicate_is_its_owners),
    CASE(message_keeps_a_file_open),
    CASE(what_is_no_handle_is_refused),
);
