/*
 * A hundred processes take one each from a number in a dict, without a lock. To get and to set are two steps: what
 * another has set in between is lost, so now and then more than 0 is left. manager_dict_lock.c shows what helps.
 * (Python: Manager().dict(); here no manager's process stands in between.)
 */
#include <mproc/mproc.h>

static mproc_status take_one(mproc_call *call)
{
    mproc_value count;
    mproc_dict *dict;

    MPROC_TRY(mproc_unpack(call, &dict));
    MPROC_TRY(mproc_dict_get(dict, MPROC_VALUE("count"), &count));
    return mproc_dict_set(dict, MPROC_VALUE("count"), mproc_int(mproc_value_int(count) - 1));
}

int main(void)
{
    mproc_process *processes[100];
    mproc_value copy;
    mproc_dict *dict;
    char text[64];

    mproc_main_guard();

    mproc_check(mproc_dict_create(MPROC_MAP("count", 100), &dict));
    for (int i = 0; i < 100; i++) {
        mproc_check(mproc_process_create(take_one, MPROC_ARGS(dict), NULL, &processes[i]));
        mproc_check(mproc_process_start(processes[i]));
    }
    for (int i = 0; i < 100; i++) {
        mproc_check(mproc_process_join(processes[i], MPROC_FOREVER));
        mproc_process_free(processes[i]);
    }
    mproc_check(mproc_dict_copy(dict, &copy));
    mproc_value_print(copy, text, sizeof text);
    printf("%s\n", text);
    mproc_value_clear(&copy);
    mproc_dict_free(dict);
    return 0;
}
