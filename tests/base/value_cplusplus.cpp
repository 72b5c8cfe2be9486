// Values in C++: lists keep their elements as long as they live, however they are made and copied. Each case is named
// on the command line and ends the program with 0 if it holds.
#include <mproc/mproc.h>

#include <cstdio>
#include <cstring>

static bool prints(mproc_value value, const char *expected)
{
    char text[200];

    mproc_value_print(value, text, sizeof text);
    if (strcmp(text, expected) != 0) fprintf(stderr, "is %s, expected %s\n", text, expected);
    return strcmp(text, expected) == 0;
}

// Where temporary objects were.
static void use_the_stack()
{
    volatile char stack[4096];

    for (size_t i = 0; i < sizeof stack; i++) stack[i] = 0x55;
}

static bool lists_keep_lists_that_are_made_in_them()
{
    auto list = mproc_list_of(1, mproc_list_of(2, mproc_map_of("key", mproc_list_of(3, 4))));

    use_the_stack();
    return prints(list, "[1, [2, {'key': [3, 4]}]]");
}

static bool copies_borrow_from_themselves()
{
    auto *first = new auto(mproc_args_of("a", mproc_list_of(1, 2)));
    auto copy = *first, assigned = mproc_args_of("b", mproc_list_of(3, 4));

    assigned = *first;
    delete first;
    use_the_stack();
    return prints(copy, "['a', [1, 2]]") && prints(assigned, "['a', [1, 2]]");
}

static bool options_take_a_list_that_has_a_name()
{
    mproc_map_options options{};
    auto args = mproc_args_of(7, mproc_list_of(8));

    options.args = args;
    use_the_stack();
    return prints(options.args, "[7, [8]]");
}

static bool functions_take_a_list_where_it_is_made()
{
    mproc_value copy;
    size_t size;

    mproc_check(mproc_value_copy(MPROC_LIST(1, MPROC_MAP("key", MPROC_LIST(2))), &copy));
    bool right =
        prints(copy, "[1, {'key': [2]}]") && mproc_value_equal(copy, MPROC_LIST(1, MPROC_MAP("key", MPROC_LIST(2))));
    mproc_check(mproc_value_encoded_size(MPROC_LIST(1, 2), &size));
    mproc_value_clear(&copy);
    return right && size > 0 && prints(mproc_args_of().borrow(), "[]");
}

static mproc_status quiet(mproc_call *) noexcept
{
    return MPROC_OK;
}

static bool lists_unpack_into_variables()
{
    mproc_function *function = nullptr;
    const char *text = "unchanged";
    int number = 5;
    mproc_value list;
    bool all, none;

    mproc_check(mproc_value_copy(mproc_list_of("text", 6, quiet), &list));
    none = mproc_value_unpack(list, &text, &text, &function) == MPROC_INVALID && strcmp(text, "unchanged") == 0;
    all = mproc_value_unpack(list, &text, &number, &function) == MPROC_OK && strcmp(text, "text") == 0;
    mproc_value_clear(&list);
    return none && all && number == 6 && function == quiet;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        bool (*run)();
    } cases[] = {
        {"lists_keep_lists_that_are_made_in_them", lists_keep_lists_that_are_made_in_them},
        {"copies_borrow_from_themselves", copies_borrow_from_themselves},
        {"options_take_a_list_that_has_a_name", options_take_a_list_that_has_a_name},
        {"functions_take_a_list_where_it_is_made", functions_take_a_list_where_it_is_made},
        {"lists_unpack_into_variables", lists_unpack_into_variables},
    };

    for (const auto &each : cases)
        if (argc > 1 && strcmp(argv[1], each.name) == 0) return each.run() ? 0 : 1;
    fprintf(stderr, "there is no such case\n");
    return 2;
}
