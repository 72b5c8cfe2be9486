/*
 * A producer puts ten numbers into a queue that holds five at most, and a consumer, who is slower, gets them: the
 * producer waits while the queue is full. A nil tells the consumer that no more will come. (Python: Queue, Process.)
 */
#include <mproc/mproc.h>

static mproc_status put_all(mproc_call *call)
{
    mproc_queue *queue;

    MPROC_TRY(mproc_unpack(call, &queue));
    for (int i = 0; i < 10; i++) {
        MPROC_TRY(mproc_queue_put(queue, MPROC_VALUE(i), MPROC_FOREVER));
        MPROC_TRY(mproc_sleep_ms(5));
        printf("%lld put %d into the queue\n", (long long)mproc_getpid(), i);
    }
    return mproc_queue_put(queue, mproc_nil(), MPROC_FOREVER);
}

static mproc_status get_all(mproc_call *call)
{
    mproc_queue *queue;
    mproc_value item;

    MPROC_TRY(mproc_unpack(call, &queue));
    for (;;) {
        MPROC_TRY(mproc_queue_get(queue, &item, MPROC_FOREVER));
        if (mproc_value_is_nil(item)) return MPROC_OK;
        MPROC_TRY(mproc_sleep_ms(10));
        printf("%lld got %lld from the queue\n", (long long)mproc_getpid(), (long long)mproc_value_int(item));
        mproc_value_clear(&item);
    }
}

int main(void)
{
    mproc_process *producer, *consumer;
    mproc_queue *queue;

    mproc_main_guard();

    mproc_check(mproc_queue_create(&(mproc_queue_options){.maxsize = 5}, &queue));
    mproc_check(mproc_process_create(put_all, MPROC_ARGS(queue), NULL, &producer));
    mproc_check(mproc_process_create(get_all, MPROC_ARGS(queue), NULL, &consumer));
    mproc_check(mproc_process_start(producer));
    mproc_check(mproc_process_start(consumer));
    printf("this is the main process\n");

    mproc_check(mproc_process_join(producer, MPROC_FOREVER));
    mproc_check(mproc_process_join(consumer, MPROC_FOREVER));
    printf("%lld items are left\n", (long long)mproc_queue_size(queue));
    mproc_process_free(producer);
    mproc_process_free(consumer);
    mproc_queue_free(queue);
    return 0;
}
