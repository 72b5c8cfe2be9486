/* Semaphores and barriers of a manager, as its clients have them. */
#include "manager/serving.h"

#include <mproc/barrier.h>
#include <mproc/semaphore.h>
#include <mproc/wait.h>

static mproc_value get(mproc_manager *client, const char *name)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_manager_get(client, name, &value));
    return value;
}

/* ---- semaphores ----------------------------------------------------------------------------------------- */

static mproc_semaphore *semaphore_of(mproc_manager *client)
{
    mproc_value value = get(client, "semaphore");
    mproc_semaphore *semaphore = NULL;

    CHECK_OK(mproc_value_to(value, &semaphore));
    mproc_value_clear(&value);
    return semaphore;
}

static mproc_semaphore *serve_semaphore(const serving *both, int64_t permits, const mproc_semaphore_options *options)
{
    mproc_semaphore *semaphore = NULL;

    CHECK_OK(mproc_semaphore_create(permits, options, &semaphore));
    CHECK_OK(mproc_manager_serve(both->manager, "semaphore", MPROC_VALUE(semaphore)));
    return semaphore;
}

static void case_permits_are_those_of_the_manager(void)
{
    serving both = serving_create(LISTENING_TCP, NULL);
    mproc_semaphore *semaphore = serve_semaphore(&both, 2, &(mproc_semaphore_options){.bounded = true}),
                    *proxy = semaphore_of(both.client);
    mproc_waitable thing = mproc_waitable_semaphore(proxy);

    CHECK_EQ(mproc_semaphore_value(proxy), 2);
    CHECK_OK(mproc_semaphore_acquire(proxy, 0));
    CHECK_OK(mproc_semaphore_acquire(proxy, MPROC_FOREVER));
    CHECK_EQ(mproc_semaphore_value(semaphore), 0);
    CHECK_SAYS(mproc_semaphore_acquire(proxy, 0), MPROC_TIMEOUT, "has no permit");
    CHECK_SAYS(mproc_semaphore_acquire(proxy, 20), MPROC_TIMEOUT, "had no permit within 20 ms");
    CHECK_STATUS(mproc_semaphore_acquire(proxy, -1), MPROC_INVALID);
    CHECK_OK(mproc_semaphore_release(proxy));
    CHECK_OK(mproc_semaphore_release(semaphore));
    CHECK_SAYS(mproc_semaphore_release(proxy), MPROC_BAD_STATE, "one release too many");
    CHECK_SAYS(mproc_wait(&thing, 1, 0, NULL), MPROC_NOT_SUPPORTED, "waited for together");
    CHECK_EQ(mproc_semaphore_value(proxy), 2);
    mproc_semaphore_free(proxy);
    mproc_semaphore_free(semaphore);
    serving_free(&both);
}

/* Nobody knows that he has it. Of one that nobody owns it would be gone. */
static void case_a_permit_that_does_not_arrive_comes_back(void)
{
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_semaphore *semaphore = serve_semaphore(&both, 1, NULL);
    mproc_connection *raw = serving_raw(both.manager);

    serving_raw_get(raw, "semaphore");
    serving_raw_call(raw, MPROC_LIST(2, 1, 32, 0), MPROC_OK, NULL);
    CHECK_EQ(mproc_semaphore_value(semaphore), 0);
    mproc_connection_free(raw);
    CHECK_OK(mproc_semaphore_acquire(semaphore, check_limit_ms()));
    mproc_semaphore_free(semaphore);
    serving_free(&both);
}

/* So does what was given up and had been done. */
static void case_a_permit_that_has_arrived_stays(void)
{
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_semaphore *semaphore = serve_semaphore(&both, 2, NULL);
    mproc_connection *raw = serving_raw(both.manager);

    serving_raw_get(raw, "semaphore");
    serving_raw_call(raw, MPROC_LIST(2, 1, 32, 0), MPROC_OK, NULL);
    CHECK_OK(mproc_connection_send(raw, MPROC_LIST(0, 0, 5, 2), check_limit_ms())); /* which comes too late */
    CHECK_OK(mproc_connection_send(raw, MPROC_LIST(0, 0, 6), check_limit_ms()));
    serving_raw_call(raw, MPROC_LIST(3, 1, 32, 0), MPROC_OK, NULL);
    serving_raw_call(raw, MPROC_LIST(4, 1, 2), MPROC_OK, NULL);
    CHECK_EQ(mproc_semaphore_value(semaphore), 1);
    CHECK_OK(mproc_connection_send(raw, MPROC_LIST(0, 0, 6), check_limit_ms()));
    mproc_connection_free(raw);
    serving_await_objects(both.manager, 0);
    CHECK_EQ(mproc_semaphore_value(semaphore), 1);
    mproc_semaphore_free(semaphore);
    serving_free(&both);
}

static void case_owned_permits_come_back_with_their_client(void)
{
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_semaphore *semaphore = serve_semaphore(&both, 2, &(mproc_semaphore_options){.owned = true}),
                    *proxy = semaphore_of(both.client), *other;
    mproc_manager *client = serving_connect(both.manager);

    other = semaphore_of(client);
    CHECK_OK(mproc_semaphore_acquire(proxy, 0));
    CHECK_OK(mproc_semaphore_acquire(other, 0));
    CHECK_STATUS(mproc_semaphore_release(semaphore), MPROC_NOT_OWNER);
    mproc_semaphore_free(other);
    mproc_manager_free(client);
    CHECK_OK(mproc_semaphore_acquire(semaphore, check_limit_ms()));
    CHECK_STATUS(mproc_semaphore_acquire(semaphore, 0), MPROC_TIMEOUT);
    CHECK_OK(mproc_semaphore_release(proxy));
    CHECK_STATUS(mproc_semaphore_release(proxy), MPROC_NOT_OWNER);
    mproc_semaphore_free(proxy);
    mproc_semaphore_free(semaphore);
    serving_free(&both);
}

/* ---- barriers ------------------------------------------------------------------------------------------- */

static mproc_barrier *barrier_of(mproc_manager *client)
{
    mproc_value value = get(client, "barrier");
    mproc_barrier *barrier = NULL;

    CHECK_OK(mproc_value_to(value, &barrier));
    mproc_value_clear(&value);
    return barrier;
}

typedef struct party {
    mproc_barrier *barrier;
    mproc_status status;
    int index;
} party;

static void waits(void *argument)
{
    party *self = argument;

    self->status = mproc_barrier_wait(self->barrier, check_limit_ms(), &self->index);
}

static void case_parties_of_several_clients_meet(void)
{
    enum { CLIENTS = 2 };
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_manager *clients[CLIENTS];
    party parties[CLIENTS + 1] = {{0}};
    plat_thread *threads[CLIENTS];
    int sum = 0;

    CHECK_OK(mproc_barrier_create(CLIENTS + 1, NULL, &parties[CLIENTS].barrier));
    CHECK_OK(mproc_manager_serve(both.manager, "barrier", MPROC_VALUE(parties[CLIENTS].barrier)));
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = serving_connect(both.manager);
        parties[i].barrier = barrier_of(clients[i]);
        CHECK_OK(plat_thread_start(waits, &parties[i], &threads[i]));
    }
    waits(&parties[CLIENTS]);
    for (int i = 0; i < CLIENTS; i++) plat_thread_join(threads[i]);
    for (int i = 0; i <= CLIENTS; i++) {
        CHECK_EQ(parties[i].status, MPROC_OK);
        sum += parties[i].index;
        mproc_barrier_free(parties[i].barrier);
    }
    CHECK_EQ(sum, CLIENTS * (CLIENTS + 1) / 2);
    for (int i = 0; i < CLIENTS; i++) mproc_manager_free(clients[i]);
    serving_free(&both);
}

static void case_a_barrier_is_broken_and_mended_from_afar(void)
{
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_barrier *barrier = NULL, *proxy;
    int index = 7;

    CHECK_OK(mproc_barrier_create(5, NULL, &barrier));
    CHECK_OK(mproc_manager_serve(both.manager, "barrier", MPROC_VALUE(barrier)));
    proxy = barrier_of(both.client);
    CHECK_EQ(mproc_barrier_parties(proxy), 5);
    CHECK_EQ(mproc_barrier_waiting(proxy), 0);
    CHECK_SAYS(mproc_barrier_wait(proxy, 20, &index), MPROC_BROKEN, "not all of its 5 parties came within 20 ms");
    CHECK_EQ(index, 7);
    CHECK(mproc_barrier_broken(proxy) && mproc_barrier_broken(barrier));
    CHECK_OK(mproc_barrier_reset(proxy));
    CHECK(!mproc_barrier_broken(barrier));
    CHECK_OK(mproc_barrier_abort(proxy));
    CHECK(mproc_barrier_broken(barrier));
    CHECK_STATUS(mproc_barrier_wait(proxy, MPROC_FOREVER, NULL), MPROC_BROKEN);
    mproc_barrier_free(proxy);
    mproc_barrier_free(barrier);
    serving_free(&both);
}

/* ---- clients and managers that end ------------------------------------------------------------------------ */

/* Tells by a permit of "there" that it is about to wait for `what`. */
static mproc_status waits_for(mproc_call *call)
{
    const mproc_manager_connect_options options = {.authkey = MPROC_VALUE("a key")};
    mproc_manager *manager = NULL;
    mproc_value there, value;
    mproc_semaphore *semaphore;
    mproc_barrier *barrier;
    const char *address, *what;

    MPROC_TRY(mproc_unpack(call, &address, &what));
    MPROC_TRY(mproc_manager_connect(address, &options, &manager, check_limit_ms()));
    there = get(manager, "there");
    MPROC_TRY(mproc_value_to(there, &semaphore));
    value = get(manager, what);
    MPROC_TRY(mproc_semaphore_release(semaphore));
    if (mproc_value_to(value, &barrier) == MPROC_OK) return mproc_barrier_wait(barrier, MPROC_FOREVER, NULL);
    MPROC_TRY(mproc_value_to(value, &semaphore));
    return mproc_semaphore_acquire(semaphore, MPROC_FOREVER);
}

static mproc_process *start(const serving *both, const char *what)
{
    mproc_semaphore *there = NULL;
    mproc_process *process;

    CHECK_OK(mproc_semaphore_create(0, NULL, &there));
    CHECK_OK(mproc_manager_serve(both->manager, "there", MPROC_VALUE(there)));
    process = connections_start(waits_for, MPROC_ARGS(mproc_manager_address(both->manager), what));
    CHECK_OK(mproc_semaphore_acquire(there, check_limit_ms()));
    mproc_semaphore_free(there);
    return process;
}

static void kill_it(mproc_process *process)
{
    CHECK_OK(mproc_process_kill(process));
    CHECK_OK(mproc_process_join(process, MPROC_FOREVER));
    mproc_process_free(process);
}

static void case_a_killed_client_takes_no_permit(void)
{
    serving both = serving_create(LISTENING_TCP, NULL);
    mproc_semaphore *semaphore = serve_semaphore(&both, 0, NULL);

    kill_it(start(&both, "semaphore"));
    serving_await_clients(both.manager, 1);
    serving_await_objects(both.manager, 0);
    CHECK_OK(mproc_semaphore_release(semaphore));
    CHECK_OK(mproc_semaphore_acquire(semaphore, 0));
    mproc_semaphore_free(semaphore);
    serving_free(&both);
}

static bool somebody_waits(void *context)
{
    return mproc_barrier_waiting(context) > 0;
}

static void case_a_killed_client_breaks_the_barrier(void)
{
    serving both = serving_create(LISTENING_TCP, NULL);
    mproc_barrier *barrier = NULL;
    mproc_process *process;
    party own;

    CHECK_OK(mproc_barrier_create(3, NULL, &barrier));
    CHECK_OK(mproc_manager_serve(both.manager, "barrier", MPROC_VALUE(barrier)));
    process = start(&both, "barrier");
    CHECK_WAIT_UNTIL(somebody_waits, barrier);
    kill_it(process);
    own = (party){.barrier = barrier};
    waits(&own);
    CHECK_EQ(own.status, MPROC_BROKEN);
    serving_await_objects(both.manager, 0);
    mproc_barrier_free(barrier);
    serving_free(&both);
}

static void case_a_manager_that_ends_keeps_nobody_waiting(void)
{
    serving both = serving_create(LISTENING_TCP, NULL);
    plat_thread *thread = NULL;
    mproc_barrier *barrier = NULL;
    party other = {0};

    CHECK_OK(mproc_barrier_create(2, NULL, &barrier));
    CHECK_OK(mproc_manager_serve(both.manager, "barrier", MPROC_VALUE(barrier)));
    other.barrier = barrier_of(both.client);
    CHECK_OK(plat_thread_start(waits, &other, &thread));
    CHECK_WAIT_UNTIL(somebody_waits, barrier);
    mproc_manager_shutdown(both.manager);
    plat_thread_join(thread);
    CHECK_EQ(other.status, MPROC_PEER_DIED);
    mproc_barrier_free(other.barrier);
    mproc_barrier_free(barrier);
    serving_free(&both);
}

static void case_wrong_calls_are_answered(void)
{
    serving both = serving_create(LISTENING_TCP, NULL);
    mproc_semaphore *semaphore = serve_semaphore(&both, 1, NULL);
    mproc_connection *raw = serving_raw(both.manager);

    serving_raw_get(raw, "semaphore");
    serving_raw_call(raw, MPROC_LIST(2, 1, 3), MPROC_NOT_SUPPORTED, "no method 3");
    serving_raw_call(raw, MPROC_LIST(3, 1, 32), MPROC_INVALID, "was given 0 values, and takes 1");
    serving_raw_call(raw, MPROC_LIST(4, 1, 32, "1"), MPROC_INVALID, "only an int64 can be");
    serving_raw_call(raw, MPROC_LIST(5, 1, 32, -1), MPROC_INVALID, "a time limit of -1 ms");
    serving_raw_call(raw, MPROC_LIST(6, 0, 6, 1), MPROC_INVALID, "has no method 6 for 1 values");
    serving_raw_call(raw, MPROC_LIST(7, 0, 6), MPROC_OK, NULL); /* there is nothing to receive */
    CHECK_EQ(mproc_semaphore_value(semaphore), 1);
    mproc_connection_free(raw);
    serving_await_objects(both.manager, 0);
    mproc_semaphore_free(semaphore);
    serving_free(&both);
}

CHECK_SUITE_SETUP(manager_synchronizers, serving_setup,
    CASE(permits_are_those_of_the_manager),
    CASE(a_permit_that_does_not_arrive_comes_back),
    CASE(a_permit_that_has_arrived_stays),
    CASE(owned_permits_come_back_with_their_client),
    CASE(parties_of_several_clients_meet),
    CASE(a_barrier_is_broken_and_mended_from_afar),
    CASE(a_killed_client_takes_no_permit),
    CASE(a_killed_client_breaks_the_barrier),
    CASE(a_manager_that_ends_keeps_nobody_waiting),
    CASE(wrong_calls_are_answered)
);
