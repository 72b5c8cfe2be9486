/* Consumers that the system has stopped; the memory that it has given; a thread with a small stack. */
#include "queue/queues.h"

#include <pthread.h>
#include <sys/stat.h>

#include "arena/arena.h"
#include "sync/linux_stopping.h"

/* Until a negative number comes; what each has got is added up on the board. */
static void gets_numbers(peer *self)
{
    for (int64_t number; (number = queues_get_int(self->object)) >= 0;) {
        atomic_fetch_add(&self->board->values[self->number], number);
        atomic_fetch_add(&self->board->marks[self->number], 1);
        atomic_fetch_add(&self->board->count, 1);
    }
}

static void end(peer_crowd *crowd, mproc_queue *queue, int64_t numbers)
{
    int64_t sum = 0, members = crowd->members;

    for (int i = 0; i < members; i++) queues_put_int(queue, -1);
    crowd_join(crowd);
    for (int i = 0; i < members; i++) sum += atomic_load(&crowd->board->values[i]);
    CHECK_EQ(sum, numbers * (numbers - 1) / 2);
    CHECK_EQ(atomic_load(&crowd->board->count), numbers);
    CHECK(mproc_queue_empty(queue));
    mproc_queue_free(queue);
    crowd_fini(crowd);
}

/* It sleeps, and stays asleep; as many items as others want pass it by. */
static void case_consumer_stopped_while_it_waits_does_not_hold_up_others(void)
{
    mproc_queue *queue = queues_create(2, 0);
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd_add(&crowd, 1, gets_numbers, queue);
    peers_await_sleepers(queue, 1);
    stop(mproc_process_pid(crowd.all[0].process));
    crowd_add(&crowd, 1, gets_numbers, queue);
    for (int i = 0; i < 3000; i++) queues_put_int(queue, i);
    board_await(&crowd.board->count, 3000);
    CHECK_EQ(atomic_load(&crowd.board->marks[0]), 0);
    go_on(mproc_process_pid(crowd.all[0].process));
    end(&crowd, queue, 3000);
}

/*
 * At any moment: it may be one in which it has the lock of those who get, so others may have to wait until it goes
 * on. Nothing is lost or got twice.
 */
static void case_consumer_stopped_in_the_middle_of_gets_loses_nothing(void)
{
    enum { ROUNDS = 20, EACH = 500 };
    mproc_queue *queue = queues_create(0, 0);
    peer_crowd crowd;
    int64_t number = 0;

    crowd_init(&crowd);
    crowd_add(&crowd, 2, gets_numbers, queue);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t pid = mproc_process_pid(crowd.all[round % 2].process);
        for (int i = 0; i < EACH / 2; i++) queues_put_int(queue, number++);
        stop(pid);
        for (int i = 0; i < EACH / 2; i++) queues_put_int(queue, number++);
        if (round % 4 < 2) check_pause_ms(2);
        go_on(pid);
    }
    end(&crowd, queue, number);
}

static void *frees(void *queue)
{
    mproc_queue_free(queue);
    return NULL;
}

static void case_chain_of_thousands_of_queues_ends_on_a_small_stack(void)
{
    pthread_attr_t attributes;
    pthread_t thread;

    CHECK_EQ(pthread_attr_init(&attributes), 0);
    CHECK_EQ(pthread_attr_setstacksize(&attributes, (size_t)256 * 1024), 0);
    CHECK_EQ(pthread_create(&thread, &attributes, frees, queues_create_chain(false, 5000)), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
}

/* What the system has given for the arena. */
static int64_t arena_bytes(void)
{
    struct stat file;

    CHECK_EQ(fstat((int)arena_memory(), &file), 0);
    return (int64_t)file.st_blocks * 512;
}

/* Without what stays warm for others, most of which could be of this queue. */
static void case_memory_of_items_that_were_got_goes_back_to_the_system(void)
{
    enum { MEBIBYTE = 1 << 20, PEAK = 24 * MEBIBYTE };
    static unsigned char item[100000];
    static const size_t sizes[] = {64, 1000, 4000, 20000, sizeof item};

    atomic_store(&arena_header->heap.warm_bytes_max, 0);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        mproc_queue *queue = queues_create(0, 0);
        int64_t before = arena_bytes(), count = PEAK / (int64_t)sizes[i];
        for (int64_t n = 0; n < count; n++) CHECK_OK(mproc_queue_put_bytes(queue, item, sizes[i], 0));
        CHECK(arena_bytes() > before + PEAK - MEBIBYTE);
        for (int64_t n = 0; n < count; n++) CHECK_OK(mproc_queue_get_bytes(queue, item, sizes[i], NULL, 0));
        CHECK_STATUS(mproc_queue_get_bytes(queue, item, sizes[i], NULL, 0), MPROC_TIMEOUT);
        CHECK(arena_bytes() < before + 2 * MEBIBYTE);
        mproc_queue_free(queue);
    }
}

CHECK_SUITE_SETUP(linux_queue, peers_of_processes,
    CASE(consumer_stopped_while_it_waits_does_not_hold_up_others),
    CASE(consumer_stopped_in_the_middle_of_gets_loses_nothing),
    CASE(memory_of_items_that_were_got_goes_back_to_the_system),
    CASE(chain_of_thousands_of_queues_ends_on_a_small_stack),
);
