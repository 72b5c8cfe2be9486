/* Containers in a manager. */
#include "container/containers.h"

#include "base/encoding.h"
#include "manager/serving.h"
#include "object/reference.h"

static serving served;

bool containers_are_served(void)
{
    return served.manager;
}

static mproc_value value_of(const void *container)
{
    return mproc_object_from((mproc_object_kind)((const struct reference *)container)->ref.kind, container);
}

void *containers_served(void *container)
{
    mproc_value value = mproc_nil();
    void *proxy = NULL;

    if (!served.manager) return container;
    CHECK_OK(mproc_manager_serve(served.manager, "container", value_of(container)));
    reference_free(container);
    CHECK_OK(mproc_manager_get(served.client, "container", &value));
    CHECK_OK(handle_open(value_handle(&value), &proxy));
    mproc_value_clear(&value);
    CHECK_OK(mproc_manager_withdraw(served.manager, "container"));
    return proxy;
}

/* One long call, so that the thread for it is there. */
void containers_of_a_manager(void)
{
    mproc_dict *dict = NULL;
    mproc_value copy = mproc_nil();

    serving_setup();
    served = serving_create(LISTENING_PRIVATE, NULL);
    CHECK_OK(mproc_dict_create(mproc_nil(), &dict));
    dict = containers_served(dict);
    CHECK_OK(mproc_dict_copy(dict, &copy));
    mproc_value_clear(&copy);
    mproc_dict_free(dict);
}
