/*
 * A manager for the client in interop.py:
 *
 *     interop ADDRESS KEY [md5]    serves, prints its address, and, when its input ends, what became of the dict
 */
#include <stdio.h>
#include <string.h>

#include <mproc/mproc.h>

int main(int argc, char **argv)
{
    mproc_manager_options options = {0};
    mproc_manager *manager = NULL;
    mproc_dict *stock = NULL, *inner = NULL;
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
    mproc_check(mproc_manager_serve(manager, "values",
                                    MPROC_LIST("hello", mproc_nil(), true, 2.25, "\xc3\xa4 is longer than a word",
                                               mproc_bytes("\0\xff", 2), MPROC_MAP("key", MPROC_LIST(-1)))));
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
