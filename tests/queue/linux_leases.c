/* Processes that the system has stopped, with leases, buffers, or while they wait for what others do. */
#include "queue/holders.h"

#include "sync/linux_stopping.h"

static int64_t pid_of(const peer_crowd *crowd, int member)
{
    return mproc_process_pid(crowd->all[member].process);
}

/* The stopped one's item is its own; whether it goes on or is killed, join comes to its end. */
static void check_stopped_holder(bool killed)
{
    mproc_queue *queue = queues_create_joinable(2, 0);
    peer_crowd stopped, others;
    int64_t pid;

    crowd_init(&stopped);
    crowd_init(&others);
    queues_put_int(queue, 0);
    hold(&stopped, queue, killed ? PEER_IS_KILLED : PEER_RETURNS, 1, 0);
    pid = pid_of(&stopped, 0);
    stop(pid);
    queues_put_int(queue, 1);
    queues_put_int(queue, 2);
    others.extra = orders(PEER_RETURNS, 2, 2);
    crowd_add(&others, 1, holds_some, queue);
    board_await(&others.board->ready, 1);
    CHECK_STATUS(mproc_queue_join(queue, 0), MPROC_TIMEOUT);
    CHECK(queues_counts(queue).done == 2 && mproc_queue_empty(queue));
    for (int i = 3; i < 100; i++) {
        queues_put_int(queue, i);
        check_next(queue, i, 0);
    }
    if (!killed) {
        CHECK_STATUS(mproc_queue_join(queue, 20), MPROC_TIMEOUT);
        go_on(pid);
    }
    let_end(&stopped, killed ? PEER_IS_KILLED : PEER_RETURNS);
    check_next(queue, 0, 1);
    CHECK_OK(mproc_queue_join(queue, 0));
    atomic_store(&others.board->go, 1);
    crowd_fini(&others);
    crowd_fini(&stopped);
    mproc_queue_free(queue);
}

static void case_holder_of_a_lease_that_is_stopped_holds_up_nobody_else(void)
{
    check_stopped_holder(false);
    check_stopped_holder(true);
}

static void gets_until_negative(peer *self)
{
    for (int64_t number = 0; number >= 0;) {
        number = queues_get_int(self->object);
        atomic_fetch_add(&self->board->marks[self->number], 1);
        CHECK_OK(mproc_queue_task_done(self->object));
    }
}

/* What comes back passes it by, too. */
static void case_getter_that_is_stopped_while_it_waits_is_passed_by(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    peer_crowd getters, holder;

    crowd_init(&getters);
    crowd_init(&holder);
    queues_put_int(queue, 1);
    hold(&holder, queue, PEER_IS_KILLED, 1, 0);
    crowd_add(&getters, 2, gets_until_negative, queue);
    peers_await_sleepers(queue, 2);
    stop(pid_of(&getters, 0));
    let_end(&holder, PEER_IS_KILLED);
    CHECK_OK(mproc_queue_join(queue, MPROC_FOREVER));
    for (int i = 0; i < 300; i++) {
        queues_put_int(queue, i);
        if (i % 3 == 0) CHECK_OK(mproc_queue_join(queue, MPROC_FOREVER));
    }
    CHECK_OK(mproc_queue_join(queue, MPROC_FOREVER));
    CHECK_EQ(atomic_load(&getters.board->marks[0]), 0);
    go_on(pid_of(&getters, 0));
    for (int i = 0; i < 2; i++) queues_put_int(queue, -1);
    CHECK_OK(mproc_queue_join(queue, MPROC_FOREVER));
    crowd_fini(&getters);
    crowd_fini(&holder);
    mproc_queue_free(queue);
}

static void joins(peer *self)
{
    CHECK_OK(mproc_queue_join(self->object, MPROC_FOREVER));
    atomic_fetch_add(&self->board->done, 1);
}

static void case_joiner_that_is_stopped_learns_later_that_all_was_done(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    peer_crowd crowd;

    crowd_init(&crowd);
    queues_put_int(queue, 1);
    crowd_add(&crowd, 2, joins, queue);
    peers_await_sleepers(queue, 2);
    stop(pid_of(&crowd, 0));
    check_next(queue, 1, 0);
    board_await(&crowd.board->done, 1);
    CHECK_OK(mproc_queue_join(queue, MPROC_FOREVER));
    CHECK_EQ(atomic_load(&crowd.board->done), 1);
    go_on(pid_of(&crowd, 0));
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

static void has_buffers(peer *self)
{
    mproc_queue_buffer reserved = {0}, peeked = {0};

    CHECK_OK(mproc_queue_reserve(self->object, 100, &reserved));
    CHECK_OK(mproc_queue_peek(self->object, &peeked, check_limit_ms()));
    atomic_fetch_add(&self->board->ready, 1);
    board_await(&self->board->go, 1);
    queues_check_bytes(peeked.data, 50000, 2);
    mproc_queue_release(&peeked);
    queues_fill(reserved.data, 100, 3);
    CHECK_OK(mproc_queue_commit(self->object, &reserved, 0));
}

static void case_buffers_of_a_stopped_process_hold_up_nobody(void)
{
    static unsigned char bytes[50000], taken[50000];
    mproc_queue *queue = queues_create(2, 0);
    peer_crowd crowd;
    size_t size;

    crowd_init(&crowd);
    queues_fill(bytes, sizeof bytes, 2);
    CHECK_OK(mproc_queue_put_bytes(queue, bytes, sizeof bytes, 0));
    crowd_add(&crowd, 1, has_buffers, queue);
    board_await(&crowd.board->ready, 1);
    stop(pid_of(&crowd, 0));
    for (int i = 0; i < 200; i++) {
        CHECK_OK(mproc_queue_put_bytes(queue, bytes, (size_t)i * 200, 0));
        CHECK_OK(mproc_queue_get_bytes(queue, taken, sizeof taken, &size, 0));
        queues_check_bytes(taken, size, 2);
    }
    go_on(pid_of(&crowd, 0));
    atomic_store(&crowd.board->go, 1);
    crowd_join(&crowd);
    CHECK_OK(mproc_queue_get_bytes(queue, taken, sizeof taken, &size, 0));
    CHECK_EQ(size, 100);
    queues_check_bytes(taken, size, 3);
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

CHECK_SUITE_SETUP(linux_leases, peers_of_processes,
    CASE(holder_of_a_lease_that_is_stopped_holds_up_nobody_else),
    CASE(getter_that_is_stopped_while_it_waits_is_passed_by),
    CASE(joiner_that_is_stopped_learns_later_that_all_was_done),
    CASE(buffers_of_a_stopped_process_hold_up_nobody),
);
