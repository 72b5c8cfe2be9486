/*
 * Ten processes put their squares into one list, which they share; the parent sorts it and prints it. (Python:
 * Manager().list(); here no manager's process stands in between.)
 */
#include <mproc/mproc.h>

static mproc_status put_square(mproc_call *call)
{
    mproc_list *list;
    int number;

    MPROC_TRY(mproc_unpack(call, &list, &number));
    return mproc_list_append(list, mproc_int(number * number));
}

int main(void)
{
    mproc_process *processes[10];
    mproc_list *list;
    mproc_value copy;
    char text[128];

    mproc_main_guard();

    mproc_check(mproc_list_create(mproc_nil(), &list));
    for (int i = 0; i < 10; i++) {
        mproc_check(mproc_process_create(put_square, MPROC_ARGS(list, i), NULL, &processes[i]));
        mproc_check(mproc_process_start(processes[i]));
    }
    for (int i = 0; i < 10; i++) {
        mproc_check(mproc_process_join(processes[i], MPROC_FOREVER));
        mproc_process_free(processes[i]);
    }
    mproc_check(mproc_list_sort(list, NULL, false));
    mproc_check(mproc_list_copy(list, &copy));
    mproc_value_print(copy, text, sizeof text);
    printf("%s\n", text);
    mproc_value_clear(&copy);
    mproc_list_free(list);
    return 0;
}
