#include "steps_dict.h"

#include "table_sound.h"

void test_dict_set_keys(void *dict, int64_t first, int64_t end)
{
    for (int64_t i = first; i < end; i++) test_must(mproc_dict_set(dict, mproc_int(i), mproc_int(10 * i)));
}

void test_dict_delete_keys(void *dict, int64_t first, int64_t end)
{
    for (int64_t i = first; i < end; i++) test_must(mproc_dict_delete(dict, mproc_int(i)));
}

mproc_status test_dict_copy(const void *dict, mproc_value *copy)
{
    return mproc_dict_copy(dict, copy);
}

const char *test_dict_sound(const void *dict)
{
    return table_sound(dict);
}

mproc_status test_dict_use(void *dict)
{
    for (int64_t i = 1000; i < 1040; i++)
        MPROC_TRY(mproc_dict_set(dict, mproc_int(i), i % 2 ? TEXT(test_text) : mproc_int(i)));
    return MPROC_OK;
}

mproc_status test_dict_use_less(void *dict)
{
    test_dict_delete_keys(dict, 1000, 1040);
    return MPROC_OK;
}
