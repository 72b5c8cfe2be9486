/*
 * A manager for the client in interop.py:
 *
 *     interop ADDRESS KEY [md5]    serves, prints its address, and, when its input ends, what became of the dict
 */
#include <stdio.h>
#include <string.h>

#include <mproc/mproc.h>

static int64_t counted;

static mproc_status increase(mproc_call *call)
{
    int64_t by;

    MPROC_TRY(mproc_unpack(call, &by));
    counted += by;
    return mproc_call_return(call, MPROC_VALUE(counted));
}

static mproc_status next(mproc_call *call)
{
    if (counted == 0) return mproc_error(MPROC_END, "it counts down to zero");
    return mproc_call_return(call, MPROC_VALUE(--counted));
}

static const mproc_method methods[] = {{"increase", increase}, {"next", next}};
static const mproc_class counter_class = {.name = "Counter", .methods = methods, .method_count = 2};

/* So each has to do with one that nobody else has. */
static void serve(mproc_manager *manager)
{
    mproc_list *list = NULL;
    mproc_set *set = NULL, *other = NULL;
    mproc_namespace *space = NULL;

    mproc_check(mproc_list_create(MPROC_LIST(3, "x", mproc_nil()), &list));
    mproc_check(mproc_set_create(MPROC_LIST(1, 2, "a"), &set));
    mproc_check(mproc_set_create(MPROC_LIST(2, "c"), &other));
    mproc_check(mproc_namespace_create(MPROC_MAP("x", 10), &space));
    mproc_check(mproc_manager_serve(manager, "list", MPROC_VALUE(list)));
    mproc_check(mproc_manager_serve(manager, "set", MPROC_VALUE(set)));
    mproc_check(mproc_manager_serve(manager, "other", MPROC_VALUE(other)));
    mproc_check(mproc_manager_serve(manager, "space", MPROC_VALUE(space)));
    mproc_list_free(list);
    mproc_set_free(set);
    mproc_set_free(other);
    mproc_namespace_free(space);
}

int main(int argc, char **argv)
{
    mproc_manager_options options = {0};
    mproc_manager *manager = NULL;
    mproc_dict *stock = NULL, *inner = NULL;
    mproc_object *counter = NULL;
    mproc_value copy = mproc_nil();
    char text[512];

    mproc_main_guard();
    if (argc < 3) return 2;
    options.address = argv[1];
    options.authkey = MPROC_VALUE((const char *)argv[2]);
    options.allow_md5 = argc > 3 && strcmp(argv[3], "md5") == 0;
    mproc_check(mproc_manager_create(&options, &manager));
    mproc_check(mproc_dict_create(MPROC_MAP("n", 1), &inner));
    mproc_check(mproc_dict_create(MPROC_MAP("apples", 10, "inner", inner), &stock));
    mproc_dict_free(inner);
    mproc_check(mproc_manager_serve(manager, "stock", MPROC_VALUE(stock)));
    mproc_check(mproc_object_create(&counter_class, mproc_no_args(), &counter));
    mproc_check(mproc_manager_serve(manager, "counter", MPROC_VALUE(counter)));
    mproc_object_free(counter);
    mproc_check(mproc_manager_serve(manager, "values",
                                    MPROC_LIST("hello", mproc_nil(), true, 2.25, "\xc3\xa4 is longer than a word",
                                               mproc_bytes("\0\xff", 2), MPROC_MAP("key", MPROC_LIST(-1)))));
    serve(manager);
    printf("%s\n", mproc_manager_address(manager));
    fflush(stdout);
    while (getchar() != EOF) {
    }
    mproc_check(mproc_dict_copy(stock, &copy));
    mproc_value_print(copy, text, sizeof text);
    printf("%s\n", text);
    printf("%zu objects are lent\n", mproc_manager_objects(manager));
    mproc_value_clear(&copy);
    mproc_dict_free(stock);
    mproc_manager_free(manager);
    return 0;
}
