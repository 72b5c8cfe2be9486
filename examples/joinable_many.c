/*
 * Three bakers put what they bake into one queue, and two customers buy it. Each baker goes home when the queue says
 * that all is sold, whoever baked it. (Python: JoinableQueue, Process.)
 */
#include <mproc/mproc.h>

static mproc_status bake(mproc_call *call)
{
    mproc_queue *shop;
    const char *what;
    char name[32];

    MPROC_TRY(mproc_unpack(call, &shop, &what));
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s %d", what, i);
        MPROC_TRY(mproc_queue_put(shop, mproc_string(name), MPROC_FOREVER));
        printf("%s is baked\n", name);
        MPROC_TRY(mproc_sleep_ms(5));
    }
    MPROC_TRY(mproc_queue_join(shop, MPROC_FOREVER));
    printf("the baker of %s goes home\n", what);
    return MPROC_OK;
}

/*
 * A daemon: what it prints is written out before the item is done, as it may be ended with the program any time
 * after. Or it ends by itself, when all others have gone or freed the queue.
 */
static mproc_status buy(mproc_call *call)
{
    mproc_queue *shop;
    mproc_value item;
    mproc_status status;

    MPROC_TRY(mproc_unpack(call, &shop));
    while ((status = mproc_queue_get(shop, &item, MPROC_FOREVER)) == MPROC_OK) {
        MPROC_TRY(mproc_sleep_ms(5));
        printf("%s is sold\n", mproc_value_string(item));
        fflush(stdout);
        mproc_value_clear(&item);
        MPROC_TRY(mproc_queue_task_done(shop));
    }
    return status == MPROC_PEER_DIED ? MPROC_OK : status;
}

int main(void)
{
    const mproc_process_options daemon = {.daemon = MPROC_YES};
    const char *goods[] = {"bread", "cake", "pretzel"};
    mproc_process *bakers[3], *customers[2];
    mproc_queue *shop;

    mproc_main_guard();

    mproc_check(mproc_queue_create(&(mproc_queue_options){.maxsize = 5, .joinable = true}, &shop));
    for (int i = 0; i < 2; i++) {
        mproc_check(mproc_process_create(buy, MPROC_ARGS(shop), &daemon, &customers[i]));
        mproc_check(mproc_process_start(customers[i]));
    }
    for (int i = 0; i < 3; i++) {
        mproc_check(mproc_process_create(bake, MPROC_ARGS(shop, goods[i]), NULL, &bakers[i]));
        mproc_check(mproc_process_start(bakers[i]));
    }
    for (int i = 0; i < 3; i++) {
        mproc_check(mproc_process_join(bakers[i], MPROC_FOREVER));
        mproc_process_free(bakers[i]);
    }
    printf("this is the main process\n");

    for (int i = 0; i < 2; i++) mproc_process_free(customers[i]);
    mproc_queue_free(shop);
    return 0;
}
