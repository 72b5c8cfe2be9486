/*
 * A hundred processes take one each from two numbers in a dict: from the first one under a lock, as getting and
 * setting are two steps, from the second in one step, which needs none. Both are 0 then. (Python: Manager().dict(),
 * and d['count'] -= 1 in a `with lock`.)
 */
#include <mproc/mproc.h>

static mproc_status take_one_of_two_steps(mproc_dict *dict)
{
    mproc_value count;

    MPROC_TRY(mproc_dict_get(dict, MPROC_VALUE("count"), &count));
    return mproc_dict_set(dict, MPROC_VALUE("count"), mproc_int(mproc_value_int(count) - 1));
}

static mproc_status take(mproc_call *call)
{
    mproc_dict *dict;
    mproc_lock *lock;
    mproc_status status;

    MPROC_TRY(mproc_unpack(call, &dict, &lock));
    MPROC_TRY(mproc_lock_acquire(lock, MPROC_FOREVER));
    status = take_one_of_two_steps(dict);
    MPROC_TRY(mproc_lock_release(lock));
    MPROC_TRY(status);
    return mproc_dict_increment(dict, MPROC_VALUE("one step"), -1, NULL);
}

int main(void)
{
    mproc_process *processes[100];
    mproc_value copy;
    mproc_dict *dict;
    mproc_lock *lock;
    char text[64];

    mproc_main_guard();

    mproc_check(mproc_lock_create(NULL, &lock));
    mproc_check(mproc_dict_create(MPROC_MAP("count", 100, "one step", 100), &dict));
    for (int i = 0; i < 100; i++) {
        mproc_check(mproc_process_create(take, MPROC_ARGS(dict, lock), NULL, &processes[i]));
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
    mproc_lock_free(lock);
    return 0;
}
