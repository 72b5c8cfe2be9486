#include "manager/crowd.h"

#include <stdlib.h>

#include "manager/serving.h"

enum { PROCESSES = 4 };

/* Connects them all, meets the others, and again when each has called once more. */
static mproc_status is_a_crowd(mproc_call *call)
{
    const mproc_manager_connect_options options = {.authkey = MPROC_VALUE("a key")};
    mproc_barrier *barrier = NULL;
    const char *address;
    int64_t count;
    bool stays;
    mproc_manager **clients;
    mproc_dict **dicts;

    MPROC_TRY(mproc_unpack(call, &address, &count, &barrier, &stays));
    clients = calloc((size_t)count, sizeof(mproc_manager *));
    dicts = calloc((size_t)count, sizeof(mproc_dict *));
    CHECK(clients && dicts);
    for (int64_t i = 0; i < count; i++) {
        CHECK_OK(mproc_manager_connect(address, &options, &clients[i], check_limit_ms()));
        dicts[i] = serving_dict(clients[i], "dict");
        CHECK_OK(mproc_dict_increment(dicts[i], MPROC_VALUE("n"), 1, NULL));
    }
    for (int i = 0; i < 2; i++) CHECK_OK(mproc_barrier_wait(barrier, check_limit_ms(), NULL));
    for (int64_t i = 0; i < count; i++) CHECK_OK(mproc_dict_increment(dicts[i], MPROC_VALUE("n"), 1, NULL));
    CHECK_OK(mproc_barrier_wait(barrier, check_limit_ms(), NULL));
    while (stays) MPROC_TRY(mproc_sleep_ms(1000));
    for (int64_t i = 0; i < count; i++) {
        mproc_dict_free(dicts[i]);
        mproc_manager_free(clients[i]);
    }
    free(dicts);
    free(clients);
    mproc_barrier_free(barrier);
    return MPROC_OK;
}

void crowd_uses_a_manager(int count)
{
    const mproc_manager_connect_options key = {.authkey = MPROC_VALUE("a key")};
    serving both = serving_create(LISTENING_PRIVATE, &(mproc_manager_options){.clients_max = (uint32_t)count + 1});
    mproc_process *processes[PROCESSES];
    mproc_manager *refused = NULL;
    mproc_barrier *barrier = NULL;
    mproc_value all = mproc_nil();
    mproc_dict *dict;

    serving_put(both.manager, "dict", MPROC_MAP("n", 0));
    CHECK_OK(mproc_barrier_create(PROCESSES + 1, NULL, &barrier));
    for (int i = 0; i < PROCESSES; i++)
        processes[i] = connections_start(
            is_a_crowd, MPROC_ARGS(mproc_manager_address(both.manager), count / PROCESSES, barrier, i == 0));
    CHECK_OK(mproc_barrier_wait(barrier, check_limit_ms(), NULL));
    CHECK_EQ(mproc_manager_clients(both.manager), count + 1);
    CHECK_SAYS(mproc_manager_connect(mproc_manager_address(both.manager), &key, &refused, check_limit_ms()),
               MPROC_LIMIT, "clients_max");
    for (int i = 0; i < 2; i++) CHECK_OK(mproc_barrier_wait(barrier, check_limit_ms(), NULL));
    CHECK_OK(mproc_process_kill(processes[0]));
    CHECK_OK(mproc_process_join(processes[0], MPROC_FOREVER));
    mproc_process_free(processes[0]);
    for (int i = 1; i < PROCESSES; i++) CHECK_EXITED(processes[i], 0);
    serving_await_clients(both.manager, 1);
    serving_await_objects(both.manager, 0);
    dict = serving_dict(both.client, "dict");
    CHECK_OK(mproc_dict_get(dict, MPROC_VALUE("n"), &all));
    CHECK_EQ(mproc_value_int(all), 2 * count);
    mproc_dict_free(dict);
    mproc_barrier_free(barrier);
    serving_free(&both);
}
