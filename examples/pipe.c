/*
 * Two processes that talk by a pipe: values there and back, bytes, a look whether something came, and the end, which
 * each side learns of when the other has closed its own. (Python: Pipe(), Process.)
 */
#include <mproc/mproc.h>
#include <string.h>

static void print(const char *who, mproc_value value)
{
    char text[100];

    mproc_value_print(value, text, sizeof text);
    printf("%s %s\n", who, text);
}

/* Answers each list with its sum, until nil comes. */
static mproc_status add_up(mproc_call *call)
{
    mproc_connection *connection;
    mproc_value numbers;

    MPROC_TRY(mproc_unpack(call, &connection));
    for (;;) {
        int64_t sum = 0;
        MPROC_TRY(mproc_connection_recv(connection, &numbers, MPROC_FOREVER));
        if (mproc_value_is_nil(numbers)) break;
        for (uint32_t i = 0; i < mproc_value_count(numbers); i++) sum += mproc_value_int(mproc_value_at(numbers, i));
        MPROC_TRY(mproc_connection_send(connection, MPROC_MAP("numbers", numbers, "sum", sum), MPROC_FOREVER));
        mproc_value_clear(&numbers);
    }
    return mproc_connection_send(connection, MPROC_VALUE("goodbye"), MPROC_FOREVER);
}

/* The one way: what is too long for the buffer stays until there is room. */
static void receive_bytes(void)
{
    mproc_connection *reader, *writer;
    char text[32] = "";
    size_t size;

    mproc_check(mproc_pipe(&(mproc_pipe_options){.one_way = true}, &reader, &writer));
    printf("nothing yet: %s\n", mproc_status_name(mproc_connection_poll(reader, 0)));
    mproc_check(mproc_connection_send_bytes(writer, "a message", 9, MPROC_FOREVER));
    if (mproc_connection_recv_bytes_into(reader, text, 5, &size, MPROC_FOREVER) == MPROC_TOO_LONG)
        printf("too long for 5: it has %zu\n", size);
    mproc_check(mproc_connection_recv_bytes_into(reader, text, sizeof text, &size, MPROC_FOREVER));
    printf("'%s'\n", text);
    mproc_connection_free(reader);
    if (mproc_connection_send_bytes(writer, "x", 1, MPROC_FOREVER) == MPROC_PEER_DIED)
        printf("nobody reads any more\n");
    mproc_connection_free(writer);
}

int main(void)
{
    mproc_connection *here, *there;
    mproc_process *child;
    mproc_value answer;
    mproc_status status;

    mproc_main_guard();

    receive_bytes();

    mproc_check(mproc_pipe(NULL, &here, &there));
    mproc_check(mproc_process_create(add_up, MPROC_ARGS(there), NULL, &child));
    mproc_check(mproc_process_start(child));
    mproc_connection_free(there); /* only the child has it now: its end is the end of what it sends */

    mproc_check(mproc_connection_send(here, MPROC_LIST(1, 2, 3), MPROC_FOREVER));
    mproc_check(mproc_connection_send(here, MPROC_LIST(40, 2), MPROC_FOREVER));
    mproc_check(mproc_connection_send(here, mproc_nil(), MPROC_FOREVER));
    while ((status = mproc_connection_recv(here, &answer, MPROC_FOREVER)) == MPROC_OK) {
        print("the child answers", answer);
        mproc_value_clear(&answer);
    }
    printf("and then: %s\n", mproc_status_name(status));

    mproc_check(mproc_process_join(child, MPROC_FOREVER));
    mproc_connection_free(here);
    mproc_process_free(child);
    return 0;
}
