/*
 * A queue with one place: each put waits until the item before it was got, so a fast producer goes at the pace of the
 * slow consumer. The consumer goes on until nobody is left who could put. (Python: Queue(1), Process.)
 *
 *     queue_one [PLACES]        0: as many as there is memory for; then the producer is done long before the consumer
 */
#include <mproc/mproc.h>

static mproc_status put_all(mproc_call *call)
{
    mproc_queue *queue;

    MPROC_TRY(mproc_unpack(call, &queue));
    for (int i = 0; i < 10; i++) {
        MPROC_TRY(mproc_queue_put(queue, MPROC_VALUE(i), MPROC_FOREVER));
        printf("put %d\n", i);
    }
    return MPROC_OK;
}

static mproc_status get_all(mproc_call *call)
{
    mproc_queue *queue;
    mproc_value item;
    mproc_status status;

    MPROC_TRY(mproc_unpack(call, &queue));
    while ((status = mproc_queue_get(queue, &item, MPROC_FOREVER)) == MPROC_OK) {
        MPROC_TRY(mproc_sleep_ms(5));
        printf("got %lld\n", (long long)mproc_value_int(item));
        mproc_value_clear(&item);
    }
    return status == MPROC_PEER_DIED ? MPROC_OK : status;
}

int main(int argc, char **argv)
{
    mproc_process *producer, *consumer;
    mproc_queue *queue;
    int places = argc > 1 ? atoi(argv[1]) : 1;

    mproc_main_guard();

    mproc_check(mproc_queue_create(&(mproc_queue_options){.maxsize = places}, &queue));
    mproc_check(mproc_process_create(put_all, MPROC_ARGS(queue), NULL, &producer));
    mproc_check(mproc_process_create(get_all, MPROC_ARGS(queue), NULL, &consumer));
    mproc_queue_free(queue); /* now only the two have it */
    mproc_check(mproc_process_start(producer));
    mproc_check(mproc_process_start(consumer));
    printf("this is the main process\n");

    mproc_check(mproc_process_join(producer, MPROC_FOREVER));
    mproc_check(mproc_process_join(consumer, MPROC_FOREVER));
    mproc_process_free(producer);
    mproc_process_free(consumer);
    return 0;
}
