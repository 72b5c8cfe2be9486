/*
 * A producer puts ten parcels into a queue and waits until all of them are delivered; the courier says of each when
 * it is. He is a daemon, which ends with the program. (Python: JoinableQueue, Process.)
 */
#include <mproc/mproc.h>

static mproc_status produce(mproc_call *call)
{
    mproc_queue *queue;

    MPROC_TRY(mproc_unpack(call, &queue));
    for (int i = 0; i < 10; i++) {
        MPROC_TRY(mproc_queue_put(queue, MPROC_VALUE(i), MPROC_FOREVER));
        printf("parcel %d is packed\n", i);
    }
    MPROC_TRY(mproc_queue_join(queue, MPROC_FOREVER));
    printf("the producer knows that nothing is left to do\n");
    return MPROC_OK;
}

/*
 * A daemon is ended without writing out what it has printed, so it does that before it calls the parcel done. While
 * the program ends it may see that all others have freed the queue, and ends by itself.
 */
static mproc_status deliver(mproc_call *call)
{
    mproc_queue *queue;
    mproc_value item;
    mproc_status status;

    MPROC_TRY(mproc_unpack(call, &queue));
    while ((status = mproc_queue_get(queue, &item, MPROC_FOREVER)) == MPROC_OK) {
        MPROC_TRY(mproc_sleep_ms(5));
        printf("parcel %lld is delivered\n", (long long)mproc_value_int(item));
        fflush(stdout);
        mproc_value_clear(&item);
        MPROC_TRY(mproc_queue_task_done(queue));
    }
    return status == MPROC_PEER_DIED ? MPROC_OK : status;
}

int main(void)
{
    const mproc_process_options daemon = {.daemon = MPROC_YES};
    mproc_process *producer, *courier;
    mproc_queue *queue;

    mproc_main_guard();

    mproc_check(mproc_queue_create(&(mproc_queue_options){.maxsize = 5, .joinable = true}, &queue));
    mproc_check(mproc_process_create(produce, MPROC_ARGS(queue), NULL, &producer));
    mproc_check(mproc_process_create(deliver, MPROC_ARGS(queue), &daemon, &courier));
    mproc_check(mproc_process_start(producer));
    mproc_check(mproc_process_start(courier));
    mproc_check(mproc_process_join(producer, MPROC_FOREVER));
    printf("this is the main process\n");

    mproc_process_free(producer);
    mproc_process_free(courier);
    mproc_queue_free(queue);
    return 0;
}
