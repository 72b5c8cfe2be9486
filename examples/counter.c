/*
 * Four processes count to 10,000 together (Python: Value). ++ reads and writes, so each does it under the value's
 * lock.
 */
#include <mproc/mproc.h>

static mproc_status count(mproc_call *call)
{
    mproc_shared_value *counter;
    int rounds;

    MPROC_TRY(mproc_unpack(call, &counter, &rounds));
    for (int i = 0; i < rounds; i++) {
        MPROC_TRY(mproc_shared_value_acquire(counter, MPROC_FOREVER));
        ++*(int64_t *)mproc_shared_value_data(counter);
        MPROC_TRY(mproc_shared_value_release(counter));
    }
    return MPROC_OK;
}

int main(void)
{
    mproc_shared_value *counter;
    mproc_process *processes[4];
    int64_t sum;

    mproc_main_guard();

    mproc_check(mproc_shared_value_create(sizeof(int64_t), NULL, NULL, &counter));
    for (int i = 0; i < 4; i++) {
        mproc_check(mproc_process_create(count, MPROC_ARGS(counter, 2500), NULL, &processes[i]));
        mproc_check(mproc_process_start(processes[i]));
    }
    for (int i = 0; i < 4; i++) {
        mproc_check(mproc_process_join(processes[i], MPROC_FOREVER));
        mproc_process_free(processes[i]);
    }
    mproc_check(mproc_shared_value_get(counter, &sum, sizeof sum));
    mproc_shared_value_free(counter);

    printf("%lld\n", (long long)sum);
    return 0;
}
