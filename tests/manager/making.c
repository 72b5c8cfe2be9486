/* Objects that managers make by the names of their types. */
#include "manager/serving.h"

#include <stdlib.h>
#include <string.h>

#include <mproc/object.h>

#include "object/type.h"

typedef struct made {
    const char *type;
    mproc_object_kind kind;
    mproc_value args, wrong;
} made;

#define TYPES_MAX 15

/* Each type, with what it is made of, and with what it cannot be made of. */
static size_t all_types(made types[TYPES_MAX], mproc_lock *lock)
{
    static mproc_value items[8];
    size_t count = 0;

    items[0] = mproc_int(2);
    items[1] = mproc_int(-1);
    items[2] = MPROC_VALUE("text");
    items[3] = MPROC_VALUE(lock);
    items[4] = mproc_bytes("01234567", 8);
    items[5] = mproc_int(8);
    items[6] = mproc_bytes("0123456789abcdef", 16);
    types[count++] = (made){"Lock", MPROC_KIND_LOCK, mproc_nil(), mproc_list_from(items, 1)};
    types[count++] = (made){"RLock", MPROC_KIND_RLOCK, mproc_nil(), mproc_list_from(items, 1)};
    types[count++] = (made){"Event", MPROC_KIND_EVENT, mproc_no_args(), mproc_list_from(items, 1)};
    types[count++] =
        (made){"Semaphore", MPROC_KIND_SEMAPHORE, mproc_list_from(items, 1), mproc_list_from(items + 1, 1)};
    types[count++] = (made){"BoundedSemaphore", MPROC_KIND_SEMAPHORE, mproc_nil(), mproc_list_from(items + 2, 1)};
    types[count++] = (made){"Condition", MPROC_KIND_CONDITION, lock ? mproc_list_from(items + 3, 1) : mproc_nil(),
                            mproc_list_from(items, 1)};
    types[count++] = (made){"Barrier", MPROC_KIND_BARRIER, mproc_list_from(items, 1), mproc_nil()};
    types[count++] = (made){"Queue", MPROC_KIND_QUEUE, mproc_list_from(items, 1), mproc_list_from(items + 1, 1)};
    types[count++] = (made){"JoinableQueue", MPROC_KIND_QUEUE, mproc_nil(), mproc_list_from(items, 2)};
    types[count++] = (made){"dict", MPROC_KIND_DICT, mproc_nil(), mproc_list_from(items, 1)};
    types[count++] = (made){"list", MPROC_KIND_LIST, mproc_nil(), mproc_list_from(items, 1)};
    types[count++] = (made){"set", MPROC_KIND_SET, mproc_nil(), mproc_list_from(items, 1)};
    types[count++] = (made){"Namespace", MPROC_KIND_NAMESPACE, mproc_nil(), mproc_list_from(items, 1)};
    types[count++] = (made){"Value", MPROC_KIND_SHARED_VALUE, mproc_list_from(items + 4, 1), mproc_nil()};
    types[count++] =
        (made){"Array", MPROC_KIND_SHARED_ARRAY, mproc_list_from(items + 5, 2), mproc_list_from(items, 1)};
    CHECK_EQ(count, TYPES_MAX);
    return count;
}

/* To another program those alone that are served. */
static void check_makes(mproc_manager *manager, mproc_lock *lock, bool served)
{
    made types[TYPES_MAX];
    size_t count = all_types(types, lock);
    mproc_value value = mproc_nil();

    for (size_t i = 0; i < count; i++) {
        if (served && !object_types[types[i].kind]->call) {
            CHECK_SAYS(mproc_manager_new(manager, types[i].type, types[i].args, &value), MPROC_NOT_SUPPORTED,
                       "cannot be served");
            continue;
        }
        CHECK_OK(mproc_manager_new(manager, types[i].type, types[i].args, &value));
        CHECK_EQ(mproc_value_type(value), MPROC_TYPE_HANDLE);
        mproc_value_clear(&value);
        CHECK_STATUS(mproc_manager_new(manager, types[i].type, types[i].wrong, &value), MPROC_INVALID);
    }
    CHECK_SAYS(mproc_manager_new(manager, "Pool", mproc_nil(), &value), MPROC_NOT_FOUND, "no type 'Pool'");
    CHECK_SAYS(mproc_manager_new(manager, "list", mproc_int(1), &value), MPROC_INVALID, "a list of arguments");
    CHECK_SAYS(mproc_manager_new(manager, NULL, mproc_nil(), &value), MPROC_INVALID, "NULL");
    CHECK_SAYS(mproc_manager_new(manager, "list", mproc_nil(), NULL), MPROC_INVALID, "NULL");
}

static void case_each_type_is_made_where_it_is_served(void)
{
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_lock *lock = NULL;

    CHECK_OK(mproc_lock_create(NULL, &lock));
    check_makes(both.manager, lock, false);
    check_makes(both.client, NULL, true);
    mproc_lock_free(lock);
    serving_free(&both);
}

static void case_each_type_is_made_by_one_that_was_started(void)
{
    mproc_manager *manager = NULL;
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_manager_start(NULL, &manager, check_limit_ms()));
    check_makes(manager, NULL, false);
    mproc_manager_shutdown(manager);
    CHECK_STATUS(mproc_manager_new(manager, "list", mproc_nil(), &value), MPROC_CLOSED);
    mproc_manager_free(manager);
}

/* They are what they are made of. */
static void case_objects_have_what_they_are_made_of(void)
{
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_value value = mproc_nil();
    mproc_semaphore *semaphore = NULL;
    mproc_shared_array *array = NULL;
    mproc_list *list = NULL;
    mproc_queue *queue = NULL;
    char item[4];

    CHECK_OK(mproc_manager_new(both.manager, "BoundedSemaphore", MPROC_LIST(2), &value));
    CHECK_OK(mproc_value_to(value, &semaphore));
    mproc_value_clear(&value);
    CHECK_OK(mproc_semaphore_acquire(semaphore, 0));
    CHECK_OK(mproc_semaphore_acquire(semaphore, 0));
    CHECK_STATUS(mproc_semaphore_acquire(semaphore, 0), MPROC_TIMEOUT);
    mproc_semaphore_free(semaphore);
    CHECK_OK(mproc_manager_new(both.manager, "Array", MPROC_LIST(4, mproc_bytes("onlytwo!", 8)), &value));
    CHECK_OK(mproc_value_to(value, &array));
    mproc_value_clear(&value);
    CHECK_OK(mproc_shared_array_get(array, 1, 1, item));
    CHECK(memcmp(item, "two!", 4) == 0);
    mproc_shared_array_free(array);
    CHECK_OK(mproc_manager_new(both.manager, "list", MPROC_LIST(MPROC_LIST(1, "two")), &value));
    CHECK_OK(mproc_value_to(value, &list));
    mproc_value_clear(&value);
    CHECK_EQ(mproc_list_count(list), 2);
    mproc_list_free(list);
    CHECK_OK(mproc_manager_new(both.manager, "JoinableQueue", MPROC_LIST(1), &value));
    CHECK_OK(mproc_value_to(value, &queue));
    mproc_value_clear(&value);
    CHECK_OK(mproc_queue_put(queue, mproc_int(1), 0));
    CHECK_STATUS(mproc_queue_put(queue, mproc_int(2), 0), MPROC_TIMEOUT);
    mproc_queue_free(queue);
    serving_free(&both);
}

/* What a client has made is the manager's own object as soon as it is in another one of it. */
static void case_clients_make_objects_there(void)
{
    serving both = serving_create(LISTENING_TCP, NULL);
    mproc_dict *outer, *own = NULL, *inner;
    mproc_value value = mproc_nil();
    int64_t number = 0;

    serving_put(both.manager, "outer", mproc_nil());
    outer = serving_dict(both.client, "outer");
    CHECK_OK(mproc_manager_new(both.client, "dict", MPROC_LIST(MPROC_MAP("n", 1)), &value));
    CHECK_OK(mproc_value_to(value, &own));
    mproc_value_clear(&value);
    CHECK_OK(mproc_dict_set(outer, MPROC_VALUE("inner"), MPROC_VALUE(own)));
    CHECK_OK(mproc_dict_increment(own, MPROC_VALUE("n"), 1, NULL));
    mproc_dict_free(own);
    mproc_dict_free(outer);
    serving_await_objects(both.manager, 0);
    outer = serving_dict(both.manager, "outer");
    CHECK_OK(mproc_dict_get(outer, MPROC_VALUE("inner"), &value));
    CHECK_OK(mproc_value_to(value, &inner));
    mproc_value_clear(&value);
    CHECK_OK(mproc_dict_increment(inner, MPROC_VALUE("n"), 1, &number));
    CHECK_EQ(number, 3);
    mproc_dict_free(inner);
    mproc_dict_free(outer);
    serving_free(&both);
}

/* ---- classes -------------------------------------------------------------------------------------------- */

/* An account: it has a balance, and tells in which process it lies. */
static mproc_status open_account(mproc_call *call)
{
    int64_t *balance = malloc(sizeof *balance);

    if (!balance) return MPROC_NO_MEMORY;
    *balance = mproc_value_int(mproc_value_at(mproc_call_value(call), 0));
    mproc_call_set_state(call, balance);
    return MPROC_OK;
}

static mproc_status close_account(mproc_call *call)
{
    free(mproc_call_state(call));
    return MPROC_OK;
}

static mproc_status pay_in(mproc_call *call)
{
    int64_t *balance = mproc_call_state(call), amount;

    MPROC_TRY(mproc_unpack(call, &amount));
    *balance += amount;
    return mproc_call_return(call, mproc_int(*balance));
}

static mproc_status tell_place(mproc_call *call)
{
    return mproc_call_return(call, mproc_int(plat_process_id()));
}

static const mproc_method account_methods[] = {{"pay_in", pay_in}, {"place", tell_place}};
static const mproc_class account = {"Account", open_account, close_account, account_methods, 2, false};

static int64_t call_for_int(mproc_object *object, const char *method, mproc_args args)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_object_call(object, method, args, &value, check_limit_ms()));
    CHECK_EQ(mproc_value_type(value), MPROC_TYPE_INT64);
    return mproc_value_int(value);
}

/* Makes one with 40, and uses it. */
static void check_account(mproc_manager *manager, int64_t place)
{
    mproc_object *object = NULL;
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_manager_new(manager, "Account", MPROC_LIST(40), &value));
    CHECK_OK(mproc_value_to(value, &object));
    mproc_value_clear(&value);
    CHECK_EQ(call_for_int(object, "pay_in", MPROC_ARGS(2)), 42);
    CHECK_EQ(call_for_int(object, "place", mproc_no_args()), place);
    mproc_object_free(object);
}

static void case_objects_of_registered_classes_lie_where_it_is_served(void)
{
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_value value = mproc_nil();

    CHECK_STATUS(mproc_manager_new(both.client, "Account", MPROC_LIST(40), &value), MPROC_NOT_FOUND);
    CHECK_OK(mproc_manager_register(both.manager, &account));
    check_account(both.manager, plat_process_id());
    check_account(both.client, plat_process_id());
    serving_free(&both);
}

static void case_objects_of_registered_classes_lie_in_the_process_that_was_started(void)
{
    const mproc_manager_options options = {.name = "maker"};
    mproc_manager *manager = serving_started(&options), *client = serving_connect(manager);
    int64_t place = mproc_process_pid(mproc_manager_process(manager));
    mproc_value value = mproc_nil();

    CHECK_STATUS(mproc_manager_new(manager, "Account", MPROC_LIST(40), &value), MPROC_NOT_FOUND);
    CHECK_OK(mproc_manager_register(manager, &account));
    check_account(manager, place);
    check_account(client, place);
    mproc_manager_free(client);
    mproc_process_kill(mproc_manager_process(manager));
    CHECK_STATUS(mproc_manager_new(manager, "Account", MPROC_LIST(40), &value), MPROC_PEER_DIED);
    CHECK_STATUS(mproc_manager_register(manager, &account), MPROC_PEER_DIED);
    mproc_manager_free(manager);
}

static mproc_status refuses(mproc_call *call)
{
    (void)call;
    return mproc_error(MPROC_USER + 3, "no accounts today");
}

static void case_what_is_no_class_is_not_registered(void)
{
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_class wrong = account;
    mproc_value value = mproc_nil();

    CHECK_SAYS(mproc_manager_register(both.client, &account), MPROC_BAD_STATE, "where it serves");
    CHECK_STATUS(mproc_manager_register(both.manager, NULL), MPROC_INVALID);
    wrong.name = "";
    CHECK_STATUS(mproc_manager_register(both.manager, &wrong), MPROC_INVALID);
    wrong.name = "list";
    CHECK_SAYS(mproc_manager_register(both.manager, &wrong), MPROC_INVALID, "'list'");
    wrong = account;
    wrong.create = refuses;
    CHECK_OK(mproc_manager_register(both.manager, &wrong));
    CHECK_SAYS(mproc_manager_new(both.client, "Account", mproc_nil(), &value), MPROC_USER + 3, "no accounts today");
    CHECK_OK(mproc_manager_register(both.manager, &account));
    check_account(both.client, plat_process_id());
    serving_free(&both);
}

/* ---- what clients have ---------------------------------------------------------------------------------- */

static void check_info(mproc_manager *manager, const char *has)
{
    mproc_value info = mproc_nil();

    CHECK_OK(mproc_manager_debug_info(manager, &info));
    CHECK_EQ(mproc_value_type(info), MPROC_TYPE_STRING);
    CHECK(strstr(mproc_value_string(info), has) != NULL);
    mproc_value_clear(&info);
}

static void check_all_info(mproc_manager *manager)
{
    mproc_manager *client = serving_connect(manager);
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_manager_new(client, "dict", mproc_nil(), &value));
    check_info(manager, "1 objects");
    check_info(client, "object 1: a dict, 1 references");
    mproc_value_clear(&value);
    CHECK_STATUS(mproc_manager_debug_info(manager, NULL), MPROC_INVALID);
    mproc_manager_free(client);
    serving_await_clients(manager, 0);
    check_info(manager, "");
}

static void case_what_clients_have_is_told(void)
{
    const mproc_manager_options options = {.authkey = mproc_bytes("a key", 5)};
    mproc_manager *manager = NULL;

    CHECK_OK(mproc_manager_create(&options, &manager));
    check_all_info(manager);
    mproc_manager_free(manager);
    manager = serving_started(&options);
    check_all_info(manager);
    mproc_manager_free(manager);
}

/* Threads of the library that serve objects of classes stay. */
static void making_setup(void)
{
    mproc_object *first = NULL;

    serving_setup();
    CHECK_OK(mproc_object_create(&account, MPROC_LIST(1), &first));
    mproc_object_free(first);
}

CHECK_SUITE_SETUP(manager_making, making_setup,
    CASE(each_type_is_made_where_it_is_served),
    CASE(each_type_is_made_by_one_that_was_started),
    CASE(objects_have_what_they_are_made_of),
    CASE(clients_make_objects_there),
    CASE(objects_of_registered_classes_lie_where_it_is_served),
    CASE(objects_of_registered_classes_lie_in_the_process_that_was_started),
    CASE(what_is_no_class_is_not_registered),
    CASE(what_clients_have_is_told)
);
