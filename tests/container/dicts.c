/* Dicts in a manager. */
#include "container/dicts.h"

#include "manager/serving.h"

static serving served;

bool dicts_are_served(void)
{
    return served.manager;
}

mproc_dict *dicts_served(mproc_dict *dict)
{
    mproc_dict *proxy;

    if (!served.manager) return dict;
    CHECK_OK(mproc_manager_serve(served.manager, "dict", MPROC_VALUE(dict)));
    mproc_dict_free(dict);
    proxy = serving_dict(served.client, "dict");
    CHECK_OK(mproc_manager_withdraw(served.manager, "dict"));
    return proxy;
}

/* One long call, so that the thread for it is there. */
void dicts_of_a_manager(void)
{
    mproc_dict *dict;
    mproc_value copy = mproc_nil();

    serving_setup();
    served = serving_create(LISTENING_PRIVATE, NULL);
    dict = dicts_create(mproc_nil());
    CHECK_OK(mproc_dict_copy(dict, &copy));
    mproc_value_clear(&copy);
    mproc_dict_free(dict);
}
