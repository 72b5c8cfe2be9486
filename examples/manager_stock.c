/*
 * A program that serves a dict, and another one, which buys from it over TCP. The two share nothing but an address
 * and a key: here they are one file, and could be on two machines. (Python: BaseManager, get_server() and connect().)
 */
#include <mproc/mproc.h>

#define KEY "what only the two programs know"

/* The second program. */
static mproc_status buy(const char *address)
{
    mproc_manager *manager;
    mproc_dict *stock;
    mproc_value value;
    int64_t left;

    MPROC_TRY(mproc_manager_connect(address, &(mproc_manager_connect_options){.authkey = MPROC_VALUE(KEY)}, &manager,
                                    10000));
    MPROC_TRY(mproc_manager_get(manager, "stock", &value));
    MPROC_TRY(mproc_value_to(value, &stock));
    mproc_value_clear(&value);

    MPROC_TRY(mproc_dict_increment(stock, MPROC_VALUE("apples"), -3, &left));
    printf("%lld apples are left\n", (long long)left);
    MPROC_TRY(mproc_dict_set(stock, MPROC_VALUE("sold"), MPROC_LIST("apples", 3)));
    if (mproc_dict_get(stock, MPROC_VALUE("pears"), &value) == MPROC_NOT_FOUND)
        printf("%s\n", mproc_last_error_text());

    mproc_dict_free(stock);
    mproc_manager_free(manager);
    return MPROC_OK;
}

static mproc_status run_buyer(mproc_call *call)
{
    const char *address;

    MPROC_TRY(mproc_unpack(call, &address));
    return buy(address);
}

int main(void)
{
    const mproc_manager_options options = {.address = "tcp:127.0.0.1:0", .authkey = MPROC_VALUE(KEY)};
    mproc_manager *manager;
    mproc_process *buyer;
    mproc_dict *stock;
    mproc_value copy;
    char text[64];

    mproc_main_guard();

    mproc_check(mproc_manager_create(&options, &manager));
    mproc_check(mproc_dict_create(MPROC_MAP("apples", 10), &stock));
    mproc_check(mproc_manager_serve(manager, "stock", MPROC_VALUE(stock)));

    mproc_check(mproc_process_create(run_buyer, MPROC_ARGS(mproc_manager_address(manager)), NULL, &buyer));
    mproc_check(mproc_process_start(buyer));
    mproc_check(mproc_process_join(buyer, MPROC_FOREVER));
    mproc_process_free(buyer);

    mproc_check(mproc_dict_copy(stock, &copy));
    mproc_value_print(copy, text, sizeof text);
    printf("%s\n", text);
    mproc_value_clear(&copy);
    mproc_dict_free(stock);
    mproc_manager_free(manager);
    return 0;
}
