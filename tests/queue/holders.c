/* Who waits by a joinable queue while the holders of leases end. */
#include "queue/holders.h"

/* ---- who waits ------------------------------------------------------------------------------------ */

static void waits_for_one(peer *self)
{
    atomic_fetch_add(&self->board->values[0], queues_get_int(self->object));
    CHECK_EQ(mproc_queue_redelivered(self->object), 1);
    CHECK_OK(mproc_queue_task_done(self->object));
}

static void check_woken(int how)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    peer_crowd holders, waiters;

    crowd_init(&holders);
    crowd_init(&waiters);
    put_numbers(queue, 1, 2);
    hold(&holders, queue, how, 2, 0);
    crowd_add(&waiters, 2, waits_for_one, queue);
    peers_await_sleepers(queue, 2);
    let_end(&holders, how);
    CHECK_OK(mproc_queue_join(queue, MPROC_FOREVER));
    crowd_fini(&waiters);
    CHECK_EQ(queues_counts(queue).done, 2);
    crowd_fini(&holders);
    mproc_queue_free(queue);
}

static void case_who_waits_for_an_item_is_woken_by_those_that_come_back(void)
{
    check_woken(PEER_RETURNS);
    check_woken(PEER_IS_KILLED);
}

typedef struct joiner {
    mproc_queue *queue;
    mproc_status status;
    char text[200];
    plat_thread *thread;
} joiner;

static void joins(void *argument)
{
    joiner *self = argument;

    self->status = mproc_queue_join(self->queue, MPROC_FOREVER);
    snprintf(self->text, sizeof self->text, "%s", mproc_last_error_text());
}

/* The worker that is left does what the other had got. */
static void case_task_of_a_killed_worker_is_done_by_another(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    joiner self = {.queue = queue};
    peer_crowd killed, other;

    crowd_init(&killed);
    crowd_init(&other);
    put_numbers(queue, 1, 1);
    hold(&killed, queue, PEER_IS_KILLED, 1, 0);
    crowd_add(&other, 1, waits_for_one, queue);
    peers_await_sleepers(queue, 1);
    CHECK_OK(plat_thread_start(joins, &self, &self.thread));
    peers_await_sleepers(queue, 2);
    let_end(&killed, PEER_IS_KILLED);
    plat_thread_join(self.thread);
    CHECK_STATUS(self.status, MPROC_OK);
    crowd_fini(&other);
    crowd_fini(&killed);
    mproc_queue_free(queue);
}

#define ALONE "nobody is left who does them"

static void check_join_alone(int how)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    joiner all[2];
    peer_crowd crowd;

    crowd_init(&crowd);
    put_numbers(queue, 1, 3);
    hold(&crowd, queue, how, 2, 1);
    for (int i = 0; i < 2; i++) {
        all[i] = (joiner){.queue = queue};
        CHECK_OK(plat_thread_start(joins, &all[i], &all[i].thread));
    }
    peers_await_sleepers(queue, 2);
    let_end(&crowd, how);
    for (int i = 0; i < 2; i++) {
        plat_thread_join(all[i].thread);
        CHECK_STATUS(all[i].status, MPROC_PEER_DIED);
        CHECK_CONTAINS(all[i].text, "not all items are done (2 are not)");
        CHECK_CONTAINS(all[i].text, ALONE);
    }
    CHECK_SAYS(mproc_queue_join(queue, MPROC_FOREVER), MPROC_PEER_DIED, ALONE);
    CHECK_STATUS(mproc_queue_join(queue, 0), MPROC_TIMEOUT);
    CHECK_EQ(mproc_queue_size(queue), 2);
    check_next(queue, 2, 1);
    check_next(queue, 3, 0);
    CHECK_OK(mproc_queue_join(queue, MPROC_FOREVER));
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

static void case_join_says_that_nobody_is_left_who_does_the_tasks(void)
{
    check_join_alone(PEER_RETURNS);
    check_join_alone(PEER_EXITS);
    check_join_alone(PEER_IS_KILLED);
}

/* All is done: that they have ended then is nothing to tell. */
static void case_join_of_done_tasks_does_not_ask_who_is_left(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    peer_crowd crowd;

    crowd_init(&crowd);
    put_numbers(queue, 1, 3);
    hold(&crowd, queue, PEER_IS_KILLED, 3, 3);
    let_end(&crowd, PEER_IS_KILLED);
    CHECK_OK(mproc_queue_join(queue, MPROC_FOREVER));
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

static void case_join_waits_while_anybody_is_left_who_may_do_the_tasks(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0), *tried = queues_create_joinable(0, 0);
    mproc_value value;
    peer_crowd dead, alive;

    crowd_init(&dead);
    crowd_init(&alive);
    put_numbers(queue, 1, 2);
    CHECK_STATUS(mproc_queue_join(queue, 30), MPROC_TIMEOUT); /* nobody else ever had it */
    hold(&alive, queue, PEER_RETURNS, 1, 0);
    hold(&dead, queue, PEER_IS_KILLED, 1, 0);
    let_end(&dead, PEER_IS_KILLED);
    CHECK_STATUS(mproc_queue_join(queue, 30), MPROC_TIMEOUT); /* one is left */
    let_end(&alive, PEER_RETURNS);
    CHECK_STATUS(mproc_queue_join(queue, MPROC_FOREVER), MPROC_PEER_DIED);
    CHECK_STATUS(mproc_queue_get(tried, &value, 0), MPROC_TIMEOUT);
    put_numbers(tried, 1, 1);
    hold(&dead, tried, PEER_IS_KILLED, 1, 0);
    let_end(&dead, PEER_IS_KILLED);
    CHECK_STATUS(mproc_queue_join(tried, 30), MPROC_TIMEOUT); /* this process has tried to get */
    mproc_queue_free(queue);
    mproc_queue_free(tried);
    crowd_fini(&alive);
    crowd_fini(&dead);
}

static mproc_status puts_and_joins(mproc_call *call)
{
    mproc_queue *queue = NULL;

    MPROC_TRY(mproc_unpack(call, &queue));
    queues_put_int(queue, 1);
    CHECK_SAYS(mproc_queue_join(queue, MPROC_FOREVER), MPROC_PEER_DIED, ALONE);
    return MPROC_OK;
}

/* The child holds it by its arguments as well. */
static void case_child_that_joins_learns_that_its_parent_has_freed_the_queue(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    mproc_process *child = NULL;

    CHECK_OK(mproc_process_create(puts_and_joins, MPROC_ARGS(queue), NULL, &child));
    CHECK_OK(mproc_process_start(child));
    CHECK_EQ(queues_get_int(queue), 1);
    peers_await_sleepers(queue, 1);
    mproc_queue_free(queue);
    CHECK_EXITED(child, 0);
}

/* ---- who gets, and nobody is left ------------------------------------------------------------------ */

static void waits_for_a_number(void *argument)
{
    joiner *self = argument;
    mproc_value value;

    self->status = mproc_queue_get(self->queue, &value, MPROC_FOREVER);
}

/* Its account of leases is not another process. */
static void case_thread_waits_for_what_others_of_its_process_put_later(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    joiner self = {.queue = queue};
    mproc_value value;

    CHECK_STATUS(mproc_queue_get(queue, &value, 30), MPROC_TIMEOUT);
    CHECK_OK(plat_thread_start(waits_for_a_number, &self, &self.thread));
    peers_await_sleepers(queue, 1);
    queues_put_int(queue, 1);
    plat_thread_join(self.thread);
    CHECK_STATUS(self.status, MPROC_OK);
    mproc_queue_free(queue);
}

static void puts_one_and_ends(peer *self)
{
    queues_put_int(self->object, 1);
    peer_end(self);
}

/* Also with leases of its own. */
static void case_get_says_that_nobody_is_left_who_puts(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    mproc_value value;
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd_add(&crowd, 1, puts_one_and_ends, queue);
    CHECK_EQ(queues_get_int(queue), 1);
    crowd_let_end(&crowd);
    CHECK_SAYS(mproc_queue_get(queue, &value, MPROC_FOREVER), MPROC_PEER_DIED, "nobody is left who puts");
    CHECK_STATUS(mproc_queue_get(queue, &value, 0), MPROC_TIMEOUT);
    CHECK_OK(mproc_queue_task_done(queue));
    CHECK_STATUS(mproc_queue_get(queue, &value, MPROC_FOREVER), MPROC_PEER_DIED);
    mproc_queue_free(queue);
    crowd_fini(&crowd);
}

/* ---- at any moment ------------------------------------------------------------------------------- */

static void does_tasks(peer *self)
{
    atomic_fetch_add(&self->board->ready, 1);
    for (;;) {
        int64_t number = queues_get_int(self->object);
        atomic_fetch_add(&self->board->marks[number], 1);
        CHECK_OK(mproc_queue_task_done(self->object));
        atomic_fetch_add(&self->board->count, 1);
    }
}

/* Of each only the task that it was at may be done twice, and only it comes back. */
static void case_every_task_is_done_though_workers_are_killed(void)
{
    enum { EACH = 50 };
    mproc_queue *queue = queues_create_joinable(10, 0);
    int rounds = check_many(15, 6), tasks = 0;
    int64_t marks = 0;
    mproc_queue_counts counts;
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd_add(&crowd, 2, does_tasks, queue);
    for (int round = 0; round < rounds; round++) {
        crowd_add(&crowd, 1, does_tasks, queue);
        board_await(&crowd.board->ready, (uint32_t)crowd.members);
        for (int i = 0; i < EACH; i++) queues_put_int(queue, tasks++);
        crowd_kill(&crowd, round);
    }
    CHECK_OK(mproc_queue_join(queue, MPROC_FOREVER));
    counts = queues_counts(queue);
    CHECK(counts.put == tasks && counts.got == tasks && counts.done == tasks && counts.lost == 0);
    CHECK(counts.redelivered <= rounds);
    for (int i = 0; i < tasks; i++) {
        CHECK(atomic_load(&crowd.board->marks[i]) >= 1);
        marks += atomic_load(&crowd.board->marks[i]);
    }
    CHECK(marks <= tasks + counts.redelivered);
    for (int i = rounds; i < crowd.members; i++) crowd_kill(&crowd, i);
    crowd_join(&crowd);
    CHECK(mproc_queue_empty(queue));
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

CHECK_SUITE_SETUP(queue_holders, peers_of_processes,
    CASE(who_waits_for_an_item_is_woken_by_those_that_come_back),
    CASE(task_of_a_killed_worker_is_done_by_another),
    CASE(join_says_that_nobody_is_left_who_does_the_tasks),
    CASE(join_of_done_tasks_does_not_ask_who_is_left),
    CASE(join_waits_while_anybody_is_left_who_may_do_the_tasks),
    CASE(child_that_joins_learns_that_its_parent_has_freed_the_queue),
    CASE(thread_waits_for_what_others_of_its_process_put_later),
    CASE(get_says_that_nobody_is_left_who_puts),
    CASE_LIMIT(every_task_is_done_though_workers_are_killed, 40),
);
