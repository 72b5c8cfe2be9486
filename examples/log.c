/*
 * What the library says of a family, and what the program says between: on stderr, a line each, with the process that
 * says it. Children say it in the same way, without being told to.
 */
#include <mproc/mproc.h>

static mproc_status sells(mproc_call *call)
{
    const char *fruit;
    int64_t stock;

    MPROC_TRY(mproc_unpack(call, &fruit, &stock));
    mproc_log(MPROC_LOG_DEBUG, "counting %s", fruit); /* below the level: nothing is said, or formatted */
    if (stock == 0) mproc_log(MPROC_LOG_WARNING, "no stock of %s", fruit);
    else mproc_log(MPROC_LOG_INFO, "%lld %s are left", (long long)stock, fruit);
    return MPROC_OK;
}

static mproc_status sleeps(mproc_call *call)
{
    (void)call;
    return mproc_sleep_ms(MPROC_FOREVER);
}

int main(void)
{
    mproc_process *seller, *sleeper;

    mproc_main_guard();
    mproc_log_to_stderr(MPROC_LOG_INFO);

    mproc_check(mproc_process_create(sells, MPROC_ARGS("apples", 0), NULL, &seller));
    mproc_check(mproc_process_start(seller));
    mproc_check(mproc_process_join(seller, MPROC_FOREVER));
    mproc_process_free(seller);

    mproc_check(mproc_process_create(sleeps, mproc_no_args(), &(mproc_process_options){.name = "sleeper"}, &sleeper));
    mproc_log_set_level(MPROC_LOG_WARNING); /* less from here on, and from children that are started now */
    mproc_check(mproc_process_start(sleeper));
    mproc_log_set_level(MPROC_LOG_INFO);
    mproc_check(mproc_process_kill(sleeper));
    mproc_check(mproc_process_join(sleeper, MPROC_FOREVER));
    mproc_process_free(sleeper);
    return 0;
}
