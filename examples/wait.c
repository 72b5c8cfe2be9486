/*
 * A server that waits for many things at once: requests of its clients by connections, the ends of their processes,
 * and a queue for news; they stay in a set from wait to wait. (Python: multiprocessing.connection.wait().)
 */
#include <mproc/mproc.h>

enum { CLIENTS = 3, REQUESTS = 2 };

/* Asks for squares, tells the news when it has them, and ends. */
static mproc_status ask(mproc_call *call)
{
    mproc_connection *server;
    mproc_queue *news;
    mproc_value answer;
    int number;

    MPROC_TRY(mproc_unpack(call, &server, &news, &number));
    for (int i = 0; i < REQUESTS; i++) {
        MPROC_TRY(mproc_connection_send(server, mproc_int(number + i), MPROC_FOREVER));
        MPROC_TRY(mproc_connection_recv(server, &answer, MPROC_FOREVER));
        if (mproc_value_int(answer) != (number + i) * (number + i)) return MPROC_INVALID;
    }
    return mproc_queue_put(news, mproc_int(number), MPROC_FOREVER);
}

/* False: the client has closed its end. */
static bool serve(mproc_connection *client)
{
    mproc_value number;

    if (mproc_connection_recv(client, &number, MPROC_FOREVER) != MPROC_OK) return false;
    mproc_check(
        mproc_connection_send(client, mproc_int(mproc_value_int(number) * mproc_value_int(number)), MPROC_FOREVER));
    return true;
}

int main(void)
{
    mproc_wait_set *set;
    mproc_waitable ready[8];
    mproc_process *processes[CLIENTS];
    mproc_queue *news;
    mproc_value who;
    size_t count;
    int served = 0, ended = 0, told = 0;

    mproc_main_guard();

    mproc_check(mproc_wait_set_create(&set));
    mproc_check(mproc_queue_create(NULL, &news));
    mproc_check(mproc_wait_set_add(set, MPROC_WAITABLE(news)));
    for (int i = 0; i < CLIENTS; i++) {
        mproc_connection *here, *there;
        mproc_check(mproc_pipe(NULL, &here, &there));
        mproc_check(mproc_process_create(ask, MPROC_ARGS(there, news, 10 * i), NULL, &processes[i]));
        mproc_check(mproc_process_start(processes[i]));
        mproc_connection_free(there);
        mproc_check(mproc_wait_set_add(set, MPROC_WAITABLE(here)));
        mproc_check(mproc_wait_set_add(set, MPROC_WAITABLE(processes[i])));
    }
    while (mproc_wait_set_count(set) > 1 || told < CLIENTS) {
        mproc_check(mproc_wait_set_wait(set, ready, 8, MPROC_FOREVER, &count));
        for (size_t i = 0; i < count; i++) {
            switch (ready[i].kind) {
            case MPROC_WAITABLE_CONNECTION:
                if (serve(ready[i].object)) served++;
                else mproc_connection_free(ready[i].object); /* and so it is out of the set */
                break;
            case MPROC_WAITABLE_PROCESS:
                mproc_check(mproc_process_join(ready[i].object, MPROC_FOREVER));
                mproc_process_free(ready[i].object);
                ended++;
                break;
            default:
                if (mproc_queue_get(news, &who, 0) != MPROC_OK) break;
                printf("client %d has all it wanted\n", (int)mproc_value_int(who) / 10);
                told++;
            }
        }
    }
    printf("%d requests were served, and %d clients have ended\n", served, ended);
    mproc_wait_set_free(set);
    mproc_queue_free(news);
    return 0;
}
