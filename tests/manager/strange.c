/* What a client makes of a manager that is none, or answers late, or not: one that the case plays. */
#include "manager/serving.h"

/* The manager's side of one connection; `greeting` is what it says first. */
typedef struct played {
    mproc_listener *listener;
    mproc_connection *raw;
    mproc_value greeting;
    plat_thread *thread;
    char address[MPROC_ADDRESS_BYTES];
} played;

static mproc_value key(void)
{
    return MPROC_VALUE("a key");
}

static void greets(void *argument)
{
    played *self = argument;

    self->raw = listening_accept(self->listener);
    if (!mproc_value_is_nil(self->greeting))
        CHECK_OK(mproc_connection_send(self->raw, self->greeting, check_limit_ms()));
    else mproc_connection_close(self->raw);
}

/* Connects to one that greets so. */
static mproc_status play(played *self, mproc_value greeting, int64_t call_timeout_ms, mproc_manager **client)
{
    const mproc_listener_options options = {.authkey = key()};
    const mproc_manager_connect_options client_options = {.authkey = key(), .call_timeout_ms = call_timeout_ms};
    mproc_status status = mproc_listener_create(NULL, &options, &self->listener);

    if (status == MPROC_NOT_SUPPORTED) CHECK_SKIP("this system has nothing to prove a key by");
    CHECK_OK(status);
    self->greeting = greeting;
    CHECK_OK(plat_thread_start(greets, self, &self->thread));
    status = mproc_manager_connect(mproc_listener_address(self->listener), &client_options, client, check_limit_ms());
    plat_thread_join(self->thread);
    return status;
}

static void played_free(const played *self)
{
    mproc_connection_free(self->raw);
    mproc_listener_free(self->listener);
}

static mproc_manager *play_well(played *self, int64_t call_timeout_ms)
{
    mproc_manager *client = NULL;

    CHECK_OK(play(self, MPROC_LIST(0, 0, mproc_nil(), MPROC_MAP("version", 1, "message_bytes_max", 4096)),
                  call_timeout_ms, &client));
    return client;
}

/* Numbers of calls begin with 1. */
static void answer(const played *self, int64_t number, mproc_value result)
{
    CHECK_OK(mproc_connection_send(self->raw, MPROC_LIST(number, 0, mproc_nil(), result), check_limit_ms()));
}

/* ---- who is no manager ----------------------------------------------------------------------------------- */

static void case_what_is_no_manager_is_a_mismatch(void)
{
    static const char long_text[8192] = {0};
    const mproc_value greetings[] = {
        MPROC_VALUE("hello"),
        mproc_int(0),
        mproc_bytes(long_text, sizeof long_text),
        MPROC_LIST(0, 0, mproc_nil()),
        MPROC_LIST(1, 0, mproc_nil(), MPROC_MAP("version", 1)),
        MPROC_LIST(0, 0, mproc_nil(), MPROC_MAP("version", 2, "message_bytes_max", 4096)),
        MPROC_LIST(0, 0, mproc_nil(), mproc_nil()),
    };

    for (size_t i = 0; i < sizeof greetings / sizeof greetings[0]; i++) {
        played other = {.raw = NULL};
        mproc_manager *client = NULL;
        CHECK_SAYS(play(&other, greetings[i], 0, &client), MPROC_MISMATCH, "is no manager, or of another version");
        CHECK(!client);
        played_free(&other);
    }
}

static void case_a_manager_that_ends_before_it_greets_is_told(void)
{
    played other = {.raw = NULL};
    mproc_manager *client = NULL;

    CHECK_SAYS(play(&other, mproc_nil(), 0, &client), MPROC_PEER_DIED, "has ended");
    CHECK(!client);
    played_free(&other);
}

static void case_a_manager_that_refuses_says_why(void)
{
    played other = {.raw = NULL};
    mproc_manager *client = NULL;

    CHECK_SAYS(play(&other, MPROC_LIST(0, MPROC_LIMIT, "it is full", mproc_nil()), 0, &client), MPROC_LIMIT,
               "it is full");
    CHECK(!client);
    played_free(&other);
}

/* ---- answers that are late, or never come ------------------------------------------------------------------ */

/* What comes after the limit is not taken for the answer to the next call. */
static void case_a_late_answer_is_that_of_no_other_call(void)
{
    played other = {.raw = NULL};
    mproc_manager *client = play_well(&other, 20);
    mproc_value value = mproc_int(7);

    CHECK_SAYS(mproc_manager_get(client, "x", &value), MPROC_TIMEOUT, "within 20 ms");
    CHECK_EQ(mproc_value_int(value), 7);
    answer(&other, 1, MPROC_VALUE("late"));
    answer(&other, 2, MPROC_VALUE("in time"));
    CHECK_OK(mproc_manager_get(client, "x", &value));
    CHECK_STRING(mproc_value_string(value), "in time");
    mproc_value_clear(&value);
    mproc_manager_free(client);
    played_free(&other);
}

typedef struct getter {
    mproc_manager *client;
    mproc_value value;
    mproc_status status;
} getter;

static void ask_for_x(void *argument)
{
    getter *self = argument;

    self->status = mproc_manager_get(self->client, "x", &self->value);
}

static void case_interrupt_ends_a_call_that_waits(void)
{
    played other = {.raw = NULL};
    getter self = {.client = play_well(&other, 0), .value = mproc_int(7)};
    plat_thread *thread;

    CHECK_OK(plat_thread_start(ask_for_x, &self, &thread));
    connections_await_sleepers(1);
    mproc_interrupt();
    plat_thread_join(thread);
    CHECK(mproc_interrupted()); /* this thread's own news */
    CHECK_EQ(self.status, MPROC_INTERRUPTED);
    CHECK_EQ(mproc_value_int(self.value), 7);
    answer(&other, 2, mproc_int(8));
    CHECK_OK(mproc_manager_get(self.client, "x", &self.value));
    CHECK_EQ(mproc_value_int(self.value), 8);
    mproc_manager_free(self.client);
    played_free(&other);
}

static void case_shutdown_ends_a_call_that_waits(void)
{
    played other = {.raw = NULL};
    getter self = {.client = play_well(&other, 0), .value = mproc_int(7)};
    plat_thread *thread;

    CHECK_OK(plat_thread_start(ask_for_x, &self, &thread));
    connections_await_sleepers(1);
    mproc_manager_shutdown(self.client);
    plat_thread_join(thread);
    CHECK_EQ(self.status, MPROC_CLOSED);
    CHECK_EQ(mproc_value_int(self.value), 7);
    mproc_manager_free(self.client);
    played_free(&other);
}

/* ---- answers that are none --------------------------------------------------------------------------------- */

static void case_what_is_no_answer_ends_the_connection(void)
{
    const mproc_value wrong[] = {
        MPROC_VALUE("text"),
        MPROC_LIST(1, 0, mproc_nil()),
        MPROC_LIST("1", 0, mproc_nil(), 8),
        MPROC_LIST(1, -1, mproc_nil(), 8),
        MPROC_LIST(1, 0, 3, 8),
        MPROC_LIST(0, MPROC_INVALID, "it has had enough", mproc_nil()),
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        played other = {.raw = NULL};
        mproc_manager *client = play_well(&other, 0);
        mproc_value value = mproc_int(7);
        CHECK_OK(mproc_connection_send(other.raw, wrong[i], check_limit_ms()));
        CHECK_STATUS(mproc_manager_get(client, "x", &value), MPROC_PEER_DIED);
        if (i == 5) CHECK_CONTAINS(mproc_last_error_text(), "it has had enough");
        CHECK_EQ(mproc_value_int(value), 7);
        mproc_manager_free(client);
        played_free(&other);
    }
}

CHECK_SUITE_SETUP(manager_strange, serving_setup,
    CASE(what_is_no_manager_is_a_mismatch),
    CASE(a_manager_that_ends_before_it_greets_is_told),
    CASE(a_manager_that_refuses_says_why),
    CASE(a_late_answer_is_that_of_no_other_call),
    CASE(interrupt_ends_a_call_that_waits),
    CASE(shutdown_ends_a_call_that_waits),
    CASE(what_is_no_answer_ends_the_connection)
);
