/* Managers in fork() copies, which are not of the family; those that are processes, with signals; many clients. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "manager/crowd.h"
#include "manager/serving.h"
#include "process/process_fixture_os.h"

#define KEY(x) MPROC_VALUE(x)

typedef struct all_of_it {
    serving both;
    mproc_dict *proxy;
} all_of_it;

static void in_the_copy(void *context)
{
    all_of_it *all = context;
    mproc_value value = mproc_int(7);

    CHECK_SAYS(mproc_manager_serve(all->both.manager, "n", mproc_int(1)), MPROC_FORKED, "fork() copy");
    CHECK_STATUS(mproc_manager_withdraw(all->both.manager, "dict"), MPROC_FORKED);
    CHECK_STATUS(mproc_manager_get(all->both.manager, "dict", &value), MPROC_FORKED);
    CHECK_STATUS(mproc_manager_get(all->both.client, "dict", &value), MPROC_FORKED);
    CHECK_STATUS(mproc_dict_get(all->proxy, KEY("n"), &value), MPROC_FORKED);
    CHECK_EQ(mproc_value_int(value), 7);
    mproc_dict_free(all->proxy);
    serving_free(&all->both);
}

/* And what it does with them is nothing to the manager. What the manager's threads have is in the copy to its end. */
static void case_copy_has_no_managers(void)
{
    all_of_it all;

    if (FIXTURE_SANITIZED) CHECK_SKIP("a sanitizer's own malloc() is locked for ever in a copy of one who was in it");
    all.both = serving_create(LISTENING_PRIVATE, NULL);
    serving_put(all.both.manager, "dict", MPROC_MAP("n", 1));
    all.proxy = serving_dict(all.both.client, "dict");
    CHECK_EQ(fixture_in_a_copy(in_the_copy, &all, _exit), 5);
    CHECK_OK(mproc_dict_increment(all.proxy, KEY("n"), 1, NULL));
    CHECK_EQ(mproc_manager_clients(all.both.manager), 1);
    CHECK_EQ(mproc_manager_objects(all.both.manager), 1);
    mproc_dict_free(all.proxy);
    serving_free(&all.both);
}

/* ---- a thousand clients --------------------------------------------------------------------------------- */

/* Each is a file of the manager's process. Under Wine, where starting takes long: a hundred, or twenty. */
static void case_a_thousand_clients_leave_nothing(void)
{
    const int count = check_many(1000, 200);
    struct rlimit limit;

    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max < (rlim_t)count + 200) CHECK_SKIP("this process may not have a thousand files");
    limit.rlim_cur = limit.rlim_max;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    crowd_uses_a_manager(count);
}

/* ---- processes of their own ------------------------------------------------------------------------------ */

static mproc_manager *start(const mproc_manager_options *options)
{
    mproc_manager *manager = NULL;

    CHECK_OK(mproc_manager_start(options, &manager, check_limit_ms()));
    return manager;
}

static pid_t pid_of(mproc_manager *manager)
{
    return (pid_t)mproc_process_pid(mproc_manager_process(manager));
}

static void started_in_the_copy(void *context)
{
    mproc_manager *manager = context;
    mproc_value value = mproc_int(7);

    CHECK_SAYS(mproc_manager_serve(manager, "n", mproc_int(1)), MPROC_FORKED, "fork() copy");
    CHECK_STATUS(mproc_manager_withdraw(manager, "n"), MPROC_FORKED);
    CHECK_STATUS(mproc_manager_get(manager, "n", &value), MPROC_FORKED);
    CHECK_STATUS(mproc_manager_join(manager, 0), MPROC_FORKED);
    CHECK_EQ(mproc_manager_clients(manager), 0);
    mproc_manager_shutdown(manager);
    mproc_manager_free(manager);
}

static void case_copy_has_no_managers_that_were_started(void)
{
    mproc_manager *manager = start(NULL);
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_manager_serve(manager, "n", mproc_int(1)));
    CHECK_EQ(fixture_in_a_copy(started_in_the_copy, manager, _exit), 5);
    CHECK_OK(mproc_manager_get(manager, "n", &value));
    mproc_manager_free(manager);
}

static void case_manager_ignores_ctrl_c(void)
{
    mproc_manager *manager = start(NULL), *client = NULL;
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_manager_serve(manager, "n", mproc_int(1)));
    CHECK_EQ(kill(pid_of(manager), SIGINT), 0);
    CHECK_OK(mproc_manager_connect(mproc_manager_address(manager), NULL, &client, check_limit_ms()));
    CHECK_OK(mproc_manager_get(client, "n", &value));
    mproc_manager_free(client);
    mproc_manager_shutdown(manager);
    CHECK_EQ(mproc_process_exit_status(mproc_manager_process(manager)).code, 0);
    mproc_manager_free(manager);
}

static void sleeps_for_ever(void)
{
    for (;;) check_pause_ms(1000);
}

static mproc_status never_exits(mproc_call *call)
{
    (void)call;
    signal(SIGTERM, SIG_IGN);
    atexit(sleeps_for_ever);
    return MPROC_OK;
}

static void case_manager_that_cannot_be_terminated_is_killed(void)
{
    mproc_manager *manager = start(&(mproc_manager_options){.initializer = never_exits, .shutdown_timeout_ms = 1});

    mproc_manager_shutdown(manager);
    CHECK_EQ(mproc_process_exit_status(mproc_manager_process(manager)).signal, SIGKILL);
    mproc_manager_free(manager);
}

/* The file of its socket is no obstacle. */
static void case_another_starts_where_one_was_killed(void)
{
    char folder[] = "/tmp/mproc-test-XXXXXX", address[64];
    mproc_manager_options options = {.address = address};
    mproc_manager *first, *second;

    CHECK(mkdtemp(folder) != NULL);
    snprintf(address, sizeof address, "unix:%s/manager", folder);
    first = start(&options);
    CHECK_EQ(kill(pid_of(first), SIGKILL), 0);
    CHECK_OK(mproc_manager_join(first, check_limit_ms()));
    second = start(&options);
    CHECK_OK(mproc_manager_serve(second, "n", mproc_int(1)));
    mproc_manager_free(first);
    mproc_manager_free(second);
    CHECK_EQ(rmdir(folder), 0);
}

CHECK_SUITE_SETUP(posix_managers, serving_setup,
    CASE_LIMIT(a_thousand_clients_leave_nothing, 60),
    CASE(copy_has_no_managers),
    CASE(copy_has_no_managers_that_were_started),
    CASE(manager_ignores_ctrl_c),
    CASE(manager_that_cannot_be_terminated_is_killed),
    CASE(another_starts_where_one_was_killed)
);
