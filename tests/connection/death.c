/* Processes that are killed with a connection: what the other side receives, and that nothing else suffers. */
#include "connection/connections.h"

#include <stdlib.h>

enum { LARGE = 8 << 20 };

/* Tells by the second that it has begun, and by the first does what the number says until it is killed. */
enum { SENDS_AND_WAITS, SENDS_HALF, SENDS_LARGE, RECEIVES, SENDS_MANY };

static void do_it(mproc_connection *connection, int64_t what)
{
    unsigned char *bytes = calloc(1, LARGE);
    mproc_value value;

    CHECK(bytes != NULL);
    if (what == SENDS_AND_WAITS) connections_send_int(connection, 5);
    if (what == SENDS_HALF) connections_write_raw(connection, "\0\0\1\0half", 8);
    while (what == SENDS_LARGE) CHECK_OK(mproc_connection_send_bytes(connection, bytes, LARGE, MPROC_FOREVER));
    while (what == SENDS_MANY) CHECK_OK(mproc_connection_send_bytes(connection, bytes, 1000, MPROC_FOREVER));
    while (what == RECEIVES) {
        CHECK_OK(mproc_connection_recv_bytes(connection, LARGE, &value, MPROC_FOREVER));
        mproc_value_clear(&value);
    }
    free(bytes);
}

static mproc_status does_it(mproc_call *call)
{
    mproc_connection *connection = NULL, *tells = NULL;
    int64_t what;

    MPROC_TRY(mproc_unpack(call, &connection, &tells, &what));
    if (what != SENDS_HALF && what != SENDS_AND_WAITS) connections_send_int(tells, 1);
    do_it(connection, what);
    connections_send_int(tells, 1);
    return mproc_sleep_ms(MPROC_FOREVER);
}

typedef struct doomed {
    ends pipe, other;
    mproc_process *process;
} doomed;

static doomed victim_start(int what)
{
    doomed victim = {connections_create(false), connections_create(false), NULL};

    victim.process = connections_start(does_it, MPROC_ARGS(victim.pipe.second, victim.other.second, what));
    mproc_connection_free(victim.pipe.second);
    mproc_connection_free(victim.other.second);
    CHECK_EQ(connections_recv_int(victim.other.first), 1);
    return victim;
}

static void victim_kill(const doomed *victim)
{
    CHECK_OK(mproc_process_kill(victim->process));
    CHECK_ENDED_BY(victim->process, 9);
}

/* Whatever it was about to do, the other connection has its end, and that of no other is touched. */
static void victim_free(const doomed *victim)
{
    mproc_value value = mproc_nil();

    CHECK_STATUS(mproc_connection_recv(victim->other.first, &value, check_limit_ms()), MPROC_END);
    mproc_connection_free(victim->other.first);
    mproc_connection_free(victim->pipe.first);
}

static void case_what_a_killed_process_has_sent_is_received(void)
{
    doomed victim = victim_start(SENDS_AND_WAITS);
    mproc_value value = mproc_nil();

    victim_kill(&victim);
    CHECK_EQ(connections_recv_int(victim.pipe.first), 5);
    CHECK_STATUS(mproc_connection_recv(victim.pipe.first, &value, MPROC_FOREVER), MPROC_END);
    victim_free(&victim);
}

static void case_message_of_a_process_killed_in_its_middle_is_broken(void)
{
    doomed victim = victim_start(SENDS_HALF);
    mproc_value value = mproc_nil();

    CHECK_STATUS(mproc_connection_recv_bytes(victim.pipe.first, LARGE, &value, 0), MPROC_TIMEOUT);
    victim_kill(&victim);
    CHECK_SAYS(mproc_connection_recv_bytes(victim.pipe.first, LARGE, &value, MPROC_FOREVER), MPROC_BROKEN,
               "4 of 256");
    victim_free(&victim);
}

static void case_large_message_of_a_killed_process_is_broken(void)
{
    doomed victim = victim_start(SENDS_LARGE);
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_connection_recv_bytes(victim.pipe.first, LARGE, &value, check_limit_ms()));
    mproc_value_clear(&value);
    CHECK_OK(mproc_connection_poll(victim.pipe.first, check_limit_ms()));
    victim_kill(&victim);
    CHECK_STATUS(mproc_connection_recv_bytes(victim.pipe.first, LARGE, &value, MPROC_FOREVER), MPROC_BROKEN);
    victim_free(&victim);
}

static void case_sender_to_a_killed_process_learns_of_it(void)
{
    doomed victim = victim_start(RECEIVES);
    unsigned char *bytes = calloc(1, LARGE);

    CHECK(bytes != NULL);
    CHECK_OK(mproc_connection_send_bytes(victim.pipe.first, bytes, LARGE, check_limit_ms()));
    victim_kill(&victim);
    CHECK_STATUS(mproc_connection_send_bytes(victim.pipe.first, bytes, LARGE, MPROC_FOREVER), MPROC_PEER_DIED);
    free(bytes);
    victim_free(&victim);
}

/* At any moment: whole messages, then the end or a broken one. */
static void case_process_killed_at_any_time_costs_its_connection_alone(void)
{
    ends bystander = connections_create(false);

    for (int i = 0; i < check_many(20, 5); i++) {
        doomed victim = victim_start(SENDS_MANY);
        unsigned char bytes[1000];
        size_t size = 0;
        mproc_status status;
        for (int messages = 0; messages < 50 * i; messages++) {
            CHECK_OK(mproc_connection_recv_bytes_into(victim.pipe.first, bytes, 1000, &size, check_limit_ms()));
            CHECK_EQ(size, 1000);
        }
        victim_kill(&victim);
        do {
            status = mproc_connection_recv_bytes_into(victim.pipe.first, bytes, 1000, &size, MPROC_FOREVER);
        } while (status == MPROC_OK);
        if (status != MPROC_BROKEN) CHECK_EQ(status, MPROC_END);
        victim_free(&victim);
        connections_send_int(bystander.first, i);
        CHECK_EQ(connections_recv_int(bystander.second), i);
    }
    connections_free(&bystander);
}

static void case_what_a_killed_process_had_comes_back(void)
{
    uint64_t used = 0;

    for (int i = 0; i < 4; i++) {
        doomed victim = victim_start(SENDS_AND_WAITS);
        victim_kill(&victim);
        CHECK_EQ(connections_recv_int(victim.pipe.first), 5);
        victim_free(&victim);
        if (i == 1) used = fixture_bytes_used();
    }
    CHECK_EQ(fixture_bytes_used(), used);
}

CHECK_SUITE_SETUP(connection_death, connections_setup,
    CASE(what_a_killed_process_has_sent_is_received),
    CASE(message_of_a_process_killed_in_its_middle_is_broken),
    CASE(large_message_of_a_killed_process_is_broken),
    CASE(sender_to_a_killed_process_learns_of_it),
    CASE(what_a_killed_process_had_comes_back),
    CASE_LIMIT(process_killed_at_any_time_costs_its_connection_alone, 60),
);
