/*
 * Calls that do not wait: with a time limit of 0 a put into a full queue says so at once, and so does a get from an
 * empty one. A process that has closed the queue puts no more. (Python: put_nowait(), get_nowait(), close().)
 */
#include <mproc/mproc.h>

int main(void)
{
    mproc_queue *queue;
    mproc_value item;
    mproc_status status = MPROC_OK;

    mproc_main_guard();

    mproc_check(mproc_queue_create(&(mproc_queue_options){.maxsize = 5}, &queue));
    for (int i = 0; i < 10; i++) {
        status = mproc_queue_put(queue, MPROC_VALUE(i), 0);
        if (status != MPROC_OK) break;
        printf("put %d\n", i);
    }
    printf("%s: %s\n", mproc_status_name(status), mproc_error_text(status));

    while ((status = mproc_queue_get(queue, &item, 0)) == MPROC_OK) {
        printf("got %lld\n", (long long)mproc_value_int(item));
        mproc_value_clear(&item);
    }
    printf("%s: %s\n", mproc_status_name(status), mproc_error_text(status));

    mproc_queue_close(queue);
    status = mproc_queue_put(queue, MPROC_VALUE(5), MPROC_FOREVER);
    printf("%s: %s\n", mproc_status_name(status), mproc_error_text(status));
    mproc_queue_free(queue);
    return 0;
}
