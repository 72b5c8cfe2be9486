/* Managers in fork() copies, which are not of the family. */
#include <stdlib.h>

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

/* And what it does with them is nothing to the manager. */
static void case_copy_has_no_managers(void)
{
    all_of_it all = {.both = serving_create(LISTENING_PRIVATE, NULL)};

    serving_put(all.both.manager, "dict", MPROC_MAP("n", 1));
    all.proxy = serving_dict(all.both.client, "dict");
    CHECK_EQ(fixture_in_a_copy(in_the_copy, &all, exit), 5);
    CHECK_OK(mproc_dict_increment(all.proxy, KEY("n"), 1, NULL));
    CHECK_EQ(mproc_manager_clients(all.both.manager), 1);
    CHECK_EQ(mproc_manager_objects(all.both.manager), 1);
    mproc_dict_free(all.proxy);
    serving_free(&all.both);
}

CHECK_SUITE_SETUP(posix_managers, serving_setup,
    CASE(copy_has_no_managers)
);
