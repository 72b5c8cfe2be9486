/*
 * Ten processes look for the remainders of squares, and each says which it has found first: of all who add an element
 * to a set one is told that it is new. (Python 3.14: Manager().set(), where one looks and adds under a lock.)
 */
#include <mproc/mproc.h>

static mproc_status look(mproc_call *call)
{
    int64_t number, firsts = 0;
    mproc_namespace *totals;
    mproc_set *found;

    MPROC_TRY(mproc_unpack(call, &number, &found, &totals));
    for (int64_t i = number; i < 1000; i += 10) {
        bool is_new = false;
        MPROC_TRY(mproc_set_add(found, MPROC_VALUE(i * i % 16), &is_new));
        firsts += is_new;
    }
    return mproc_namespace_increment(totals, "firsts", firsts, NULL);
}

int main(void)
{
    mproc_process *processes[10];
    mproc_namespace *totals;
    mproc_set *found;
    mproc_value text;
    bool same = false;

    mproc_main_guard();

    mproc_check(mproc_set_create(mproc_nil(), &found));
    mproc_check(mproc_namespace_create(mproc_nil(), &totals));
    for (int i = 0; i < 10; i++) {
        mproc_check(mproc_process_create(look, MPROC_ARGS(i, found, totals), NULL, &processes[i]));
        mproc_check(mproc_process_start(processes[i]));
    }
    for (int i = 0; i < 10; i++) {
        mproc_check(mproc_process_join(processes[i], MPROC_FOREVER));
        mproc_process_free(processes[i]);
    }
    mproc_check(mproc_set_equal(found, MPROC_LIST(0, 1, 4, 9), &same));
    mproc_check(mproc_namespace_set(totals, "same", mproc_bool(same)));
    mproc_check(mproc_namespace_text(totals, &text));
    printf("%s\n", mproc_value_string(text));
    mproc_value_clear(&text);
    mproc_namespace_free(totals);
    mproc_set_free(found);
    return 0;
}
