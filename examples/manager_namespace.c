/*
 * A namespace that a process changes, and its parent prints. (Python: Manager().Namespace().)
 */
#include <mproc/mproc.h>

static mproc_status greet(mproc_call *call)
{
    mproc_namespace *global;

    MPROC_TRY(mproc_unpack(call, &global));
    MPROC_TRY(mproc_namespace_set(global, "x", MPROC_VALUE(10)));
    MPROC_TRY(mproc_namespace_set(global, "y", MPROC_VALUE("hello")));
    return mproc_namespace_increment(global, "calls", 1, NULL);
}

int main(void)
{
    mproc_namespace *global;
    mproc_process *process;
    mproc_value text;

    mproc_main_guard();

    mproc_check(mproc_namespace_create(mproc_nil(), &global));
    for (int i = 0; i < 2; i++) {
        mproc_check(mproc_process_create(greet, MPROC_ARGS(global), NULL, &process));
        mproc_check(mproc_process_start(process));
        mproc_check(mproc_process_join(process, MPROC_FOREVER));
        mproc_process_free(process);
    }
    mproc_check(mproc_namespace_text(global, &text));
    printf("%s\n", mproc_value_string(text));
    mproc_value_clear(&text);
    mproc_namespace_free(global);
    return 0;
}
