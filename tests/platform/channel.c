/* platform_channel.h, channel.c: streams, and what ends a wait for one. */
#include "platform_channel.h"

#include <string.h>

#include "platform_fixture.h"

typedef struct two_ends {
    plat_channel first, second;
} two_ends;

static two_ends make(bool one_way)
{
    two_ends made;

    CHECK_OK(plat_channel_pair(one_way, &made.first, &made.second));
    return made;
}

static void drop(two_ends *pair)
{
    plat_channel_close(&pair->first);
    plat_channel_close(&pair->second);
}

/* Into the one text and then into the other; returns how many bytes were moved. */
static size_t move(plat_channel_move *way, const plat_channel *channel, const char *one, size_t one_size,
                   const char *other, size_t other_size)
{
    const plat_bytes parts[2] = {{(void *)(uintptr_t)one, one_size}, {(void *)(uintptr_t)other, other_size}};
    size_t moved = 0;

    CHECK_OK(way(channel, parts, PLAT_NO_HANDLE, PLAT_FOREVER, &moved));
    return moved;
}

static mproc_status try_to(plat_channel_move *way, const plat_channel *channel, plat_handle wake, int64_t deadline_ns)
{
    char bytes[8] = "";
    const plat_bytes parts[2] = {{bytes, 4}, {bytes + 4, 4}};
    size_t moved = 77;
    mproc_status status = way(channel, parts, wake, deadline_ns, &moved);

    if (status != MPROC_OK) CHECK(moved == 77 || moved == 0);
    return status;
}

static void case_what_is_written_is_read_in_order(void)
{
    two_ends pair = make(false);
    char one[4] = "", other[8] = "";

    CHECK_EQ(move(plat_channel_write, &pair.first, "abcd", 4, "efg", 3), 7);
    CHECK_EQ(move(plat_channel_peek, &pair.second, one, 3, other, 0), 3);
    CHECK_STRING(one, "abc");
    CHECK_EQ(move(plat_channel_read, &pair.second, one, 3, other, 4), 7);
    CHECK_STRING(one, "abc");
    CHECK_STRING(other, "defg");
    CHECK_EQ(move(plat_channel_write, &pair.second, "back", 4, NULL, 0), 4);
    CHECK_EQ(move(plat_channel_read, &pair.first, NULL, 0, other, 2), 2);
    CHECK_EQ(move(plat_channel_read, &pair.first, other + 2, 5, NULL, 0), 2);
    CHECK_STRING(other, "back");
    drop(&pair);
}

static void case_nothing_comes_by_the_deadline(void)
{
    two_ends pair = make(false);
    plat_handle wake;

    CHECK_OK(plat_event_create(&wake));
    CHECK_EQ(try_to(plat_channel_peek, &pair.first, PLAT_NO_HANDLE, 0), MPROC_TIMEOUT);
    CHECK_EQ(try_to(plat_channel_read, &pair.first, PLAT_NO_HANDLE, 0), MPROC_TIMEOUT);
    CHECK_EQ(try_to(plat_channel_read, &pair.first, wake, plat_clock_now_ns() + 1000000), MPROC_TIMEOUT);
    CHECK_EQ(try_to(plat_channel_peek, &pair.first, wake, plat_clock_now_ns() + 1000000), MPROC_TIMEOUT);
    plat_handle_close(wake);
    drop(&pair);
}

static void case_event_ends_each_wait_and_what_waited_for_stays(void)
{
    two_ends pair = make(true);
    plat_handle wake;
    int count = 0;

    CHECK_OK(plat_event_create(&wake));
    plat_event_set(wake);
    CHECK_EQ(try_to(plat_channel_peek, &pair.first, wake, PLAT_FOREVER), MPROC_INTERRUPTED);
    CHECK_EQ(try_to(plat_channel_read, &pair.first, wake, PLAT_FOREVER), MPROC_INTERRUPTED);
    while (try_to(plat_channel_write, &pair.second, PLAT_NO_HANDLE, 0) == MPROC_OK) count++;
    CHECK_EQ(try_to(plat_channel_write, &pair.second, PLAT_NO_HANDLE, 0), MPROC_TIMEOUT);
    CHECK_EQ(try_to(plat_channel_write, &pair.second, wake, PLAT_FOREVER), MPROC_INTERRUPTED);
    for (int i = 0; i < count; i++) CHECK_EQ(try_to(plat_channel_read, &pair.first, PLAT_NO_HANDLE, 0), MPROC_OK);
    CHECK_EQ(try_to(plat_channel_read, &pair.first, PLAT_NO_HANDLE, 0), MPROC_TIMEOUT);
    plat_handle_close(wake);
    drop(&pair);
}

static void case_end_comes_behind_what_was_written(void)
{
    for (int second = 0; second < 2; second++) {
        two_ends pair = make(false);
        plat_channel *gone = second ? &pair.second : &pair.first, *left = second ? &pair.first : &pair.second;
        char text[8] = "";
        CHECK_EQ(move(plat_channel_write, gone, "last", 4, NULL, 0), 4);
        plat_channel_close(gone);
        CHECK_EQ(move(plat_channel_read, left, text, 8, NULL, 0), 4);
        CHECK_STRING(text, "last");
        CHECK_EQ(try_to(plat_channel_peek, left, PLAT_NO_HANDLE, PLAT_FOREVER), MPROC_END);
        CHECK_EQ(try_to(plat_channel_read, left, PLAT_NO_HANDLE, 0), MPROC_END);
        CHECK_EQ(try_to(plat_channel_write, left, PLAT_NO_HANDLE, PLAT_FOREVER), MPROC_PEER_DIED);
        plat_channel_close(left);
    }
}

static void case_handle_of_another_kind_is_no_channel(void)
{
    plat_channel channel;
    plat_handle event;

    CHECK_OK(plat_event_create(&event));
    CHECK_STATUS(plat_channel_open(event, &channel), MPROC_INVALID);
    plat_handle_close(event);
}

CHECK_SUITE(channel,
    CASE(what_is_written_is_read_in_order),
    CASE(nothing_comes_by_the_deadline),
    CASE(event_ends_each_wait_and_what_waited_for_stays),
    CASE(end_comes_behind_what_was_written),
    CASE(handle_of_another_kind_is_no_channel),
);
