/*
 * A stress over joinable queues: each process puts by one thread and works by another, and is killed at random, with
 * items that it has got and not done, values with an event and buffers. Every item that was put is got at least once
 * and done exactly once; whoever gets one again is told so; and at the end nobody has the event any more.
 */
#include "stress.h"

#include "check.h"
#include "object/reference.h"
#include "process/family.h"

#include <mproc/mproc.h>

#include <stdio.h>
#include <string.h>

#define PROCESSES 4
#define ITEM_BYTES_MAX 9000
#define UNLIMITED_MOST 300
#define LIMITED_MOST 6
#define LEASES_MAX 5
/* Before there are as many they are put slowly. */
#define ITEMS ((uint64_t)1 << 23)

/* Of an item: how often it was got, and whether it is done. */
#define DONE 0x80u
#define TIMES 0x7Fu

enum { PUT, WORK, THREADS };

/* Items have numbers from 1; those of the root, which send away who waits at the end, are 0. */
struct board {
    _Atomic uint64_t queue;
    _Atomic uint64_t event;
    _Atomic uint64_t number;
    _Atomic uint32_t stop;
    _Atomic uint32_t left;
    struct stress_wrong wrong;
    _Atomic uint32_t put[STRESS_LIVES_MAX];
    _Atomic uint32_t done[STRESS_LIVES_MAX];
    _Atomic uint32_t rounds[STRESS_LIVES_MAX][THREADS];
    _Atomic uint8_t items[ITEMS];
};

static struct board *board;
static mproc_queue *queue;
static mproc_event *event;
static uint32_t life_number;

static bool stopped(void)
{
    return atomic_load(&board->stop) != 0;
}

/* ---- who puts ------------------------------------------------------------------------------------ */

static void put_bytes(uint64_t number, size_t size)
{
    static unsigned char bytes[ITEM_BYTES_MAX];

    memcpy(bytes, &number, sizeof number);
    EXPECT(mproc_queue_put_bytes(queue, bytes, size, MPROC_FOREVER) == MPROC_OK);
}

/* Now and then it reserves memory that it does not use. */
static void put_buffer(uint64_t number, size_t size)
{
    mproc_queue_buffer buffer;

    for (uint64_t i = 0; i < 1 + number % 2; i++) {
        EXPECT(mproc_queue_reserve(queue, size, &buffer) == MPROC_OK);
        if (i < number % 2) mproc_queue_release(&buffer);
    }
    memcpy(buffer.data, &number, sizeof number);
    buffer.size = sizeof number + (size - sizeof number) / 2;
    EXPECT(mproc_queue_commit(queue, &buffer, MPROC_FOREVER) == MPROC_OK);
}

static void put_one(uint32_t random)
{
    uint64_t number = atomic_fetch_add(&board->number, 1) + 1;
    size_t size = random % 64 == 0 ? ITEM_BYTES_MAX : sizeof number + random / 64 % 300;
    mproc_value value = mproc_int((int64_t)number);

    EXPECT(number < ITEMS);
    switch (random / 32768 % 4) {
    case 0:
        put_bytes(number, size);
        break;
    case 1:
        put_buffer(number, size);
        break;
    case 2:
        EXPECT(mproc_queue_put(queue, value, MPROC_FOREVER) == MPROC_OK);
        break;
    default:
        EXPECT(mproc_queue_put(queue, MPROC_LIST(value, event), MPROC_FOREVER) == MPROC_OK);
    }
    atomic_fetch_add(&board->put[life_number], 1);
}

static void join_shortly(void)
{
    mproc_status status = mproc_queue_join(queue, 1);

    EXPECT(status == MPROC_OK || status == MPROC_TIMEOUT);
}

static void put_items(void)
{
    uint32_t seed = life_number * THREADS + PUT;

    while (!stopped()) {
        uint32_t random = stress_random(&seed);
        if (atomic_load(&board->number) > ITEMS / 4 * 3) stress_pause(&seed, 1000, 2000);
        else if (random % 16 == 0) stress_pause(&seed, 1, 100);
        else if (random % 256 == 1) join_shortly();
        if (mproc_queue_size(queue) > UNLIMITED_MOST) plat_thread_yield();
        else put_one(stress_random(&seed));
        atomic_fetch_add(&board->rounds[life_number][PUT], 1);
    }
}

/* ---- who works ----------------------------------------------------------------------------------- */

/* What a thread has got by its reference: of what is not done, the numbers; the last value and the last buffer. */
struct worker {
    mproc_queue *queue;
    uint64_t leases[LEASES_MAX];
    int count;
    mproc_value value;
    mproc_queue_buffer buffer;
};

/* Whoever gets it first may be killed before it says so, but then it comes again. */
static void note(uint64_t number, int64_t redelivered)
{
    uint8_t before = number ? atomic_fetch_add(&board->items[number], 1) : 0;

    EXPECT(!(before & DONE));
    EXPECT((before & TIMES) <= redelivered);
}

static uint64_t number_in(const void *bytes)
{
    uint64_t number;

    memcpy(&number, bytes, sizeof number);
    return number;
}

/* With a reference of its own to the event, which is dropped while the value still has it. */
static uint64_t number_of(mproc_value value)
{
    mproc_event *its_event;

    if (mproc_value_type(value) == MPROC_TYPE_BYTES) return number_in(mproc_value_bytes(value));
    if (mproc_value_type(value) == MPROC_TYPE_INT64) return (uint64_t)mproc_value_int(value);
    EXPECT(mproc_value_to(mproc_value_at(value, 1), &its_event) == MPROC_OK);
    EXPECT(mproc_event_is_set(its_event));
    mproc_event_free(its_event);
    return (uint64_t)mproc_value_int(mproc_value_at(value, 0));
}

static uint64_t get_value(struct worker *worker)
{
    mproc_value_clear(&worker->value);
    EXPECT(mproc_queue_get(worker->queue, &worker->value, MPROC_FOREVER) == MPROC_OK);
    return number_of(worker->value);
}

/* What is no bytes is a value, or another has taken it meanwhile. */
static uint64_t get_bytes(struct worker *worker)
{
    static unsigned char bytes[ITEM_BYTES_MAX];
    mproc_status status = mproc_queue_get_bytes(worker->queue, bytes, sizeof bytes, NULL, MPROC_FOREVER);

    EXPECT(status == MPROC_OK || status == MPROC_INVALID);
    return status == MPROC_OK ? number_in(bytes) : get_value(worker);
}

static uint64_t peek(struct worker *worker)
{
    mproc_status status;

    mproc_queue_release(&worker->buffer);
    status = mproc_queue_peek(worker->queue, &worker->buffer, MPROC_FOREVER);
    EXPECT(status == MPROC_OK || status == MPROC_INVALID);
    return status == MPROC_OK ? number_in(worker->buffer.data) : get_value(worker);
}

static void get_one(struct worker *worker, uint32_t random)
{
    uint64_t number = random % 3 == 0 ? get_bytes(worker) : random % 3 == 1 ? peek(worker) : get_value(worker);

    note(number, mproc_queue_redelivered(worker->queue));
    worker->leases[worker->count++] = number;
}

/* The oldest. */
static void finish_one(struct worker *worker)
{
    uint64_t number = worker->leases[0];

    EXPECT(mproc_queue_task_done(worker->queue) == MPROC_OK);
    if (number) EXPECT(!(atomic_fetch_or(&board->items[number], DONE) & DONE));
    atomic_fetch_add(&board->done[life_number], 1);
    memmove(worker->leases, worker->leases + 1, (size_t)--worker->count * sizeof number);
}

/* What is not done comes back. */
static void leave(struct worker *worker)
{
    mproc_queue_free(worker->queue);
    worker->count = 0;
}

static void work(void *unused)
{
    struct worker worker = {.queue = stress_open(&board->queue)};
    uint32_t seed = life_number * THREADS + WORK;

    (void)unused;
    while (!stopped()) {
        uint32_t random = stress_random(&seed);
        if (worker.count == LEASES_MAX || (worker.count > 0 && random % 2)) {
            finish_one(&worker);
        } else if (random / 2 % 64 == 0) {
            leave(&worker);
            worker.queue = stress_open(&board->queue);
        } else {
            get_one(&worker, random / 128);
        }
        atomic_fetch_add(&board->rounds[life_number][WORK], 1);
    }
    leave(&worker);
    mproc_value_clear(&worker.value);
    mproc_queue_release(&worker.buffer);
}

static mproc_status live(mproc_call *call)
{
    struct stress_life life;
    plat_thread *worker;

    CHECK_OK(mproc_unpack_bytes(call, &life, sizeof life));
    board = arena_at(life.board);
    life_number = life.number;
    queue = stress_open(&board->queue);
    event = stress_open(&board->event);
    CHECK_OK(plat_thread_start(work, NULL, &worker));
    put_items();
    plat_thread_join(worker);
    mproc_queue_free(queue);
    mproc_event_free(event);
    atomic_fetch_add(&board->left, 1);
    return MPROC_OK;
}

/* ---- the stress ---------------------------------------------------------------------------------- */

static void put_back(void)
{
}

static uint32_t rounds(uint32_t life, uint32_t thread)
{
    return atomic_load(&board->rounds[life][thread]);
}

static void take(void)
{
    struct worker worker = {.queue = queue};

    while (mproc_queue_get(queue, &worker.value, 0) == MPROC_OK) {
        worker.leases[worker.count++] = number_of(worker.value);
        note(worker.leases[0], mproc_queue_redelivered(queue));
        finish_one(&worker);
        mproc_value_clear(&worker.value);
    }
}

static uint64_t nothings; /* the root's items */

/* Who waits for room gets some, and the next time who waits for an item gets one of the root's. */
static bool all_left(void *unused)
{
    static uint32_t times;

    (void)unused;
    take();
    for (int i = 0; i < PROCESSES && times % 2; i++) nothings += mproc_queue_put(queue, mproc_int(0), 0) == MPROC_OK;
    times++;
    return atomic_load(&board->left) == PROCESSES;
}

/* Of the items: how many there were, how many of them say that they are done, and how often one was got again. */
static uint64_t count_items(uint64_t *done, uint64_t *again)
{
    uint64_t last = atomic_load(&board->number), there = 0;

    for (uint64_t i = 1; i <= last && i < ITEMS; i++) {
        uint8_t item = atomic_load(&board->items[i]);
        there += item != 0;
        *done += (item & DONE) != 0;
        if (item & TIMES) *again += (item & TIMES) - 1u;
    }
    return there;
}

static uint64_t sum(const struct stress *stress, const _Atomic uint32_t *counts)
{
    uint64_t all = atomic_load(&counts[STRESS_LIVES_MAX - 1]);

    for (uint32_t i = 0; i < stress->lives; i++) all += atomic_load(&counts[i]);
    return all;
}

static void judge(const struct stress *stress)
{
    uint64_t done = 0, again = 0, there = count_items(&done, &again), put = sum(stress, board->put) + nothings;
    mproc_queue_counts counts;

    CHECK_OK(mproc_queue_counters(queue, &counts));
    printf("leases: %lu kills, %llu put, %llu got, %llu done, %llu came back, %llu were got again\n",
           (unsigned long)stress->kills, (unsigned long long)counts.put, (unsigned long long)there,
           (unsigned long long)counts.done, (unsigned long long)counts.redelivered, (unsigned long long)again);
    stress_check_nothing_wrong(&board->wrong);
    CHECK_EQ(mproc_queue_size(queue), 0);
    CHECK_EQ(counts.done, counts.put);
    CHECK_EQ(counts.got, counts.put);
    CHECK_EQ(counts.got_bytes, counts.put_bytes);
    CHECK_EQ(counts.lost, 0);
    CHECK_EQ((uint64_t)counts.put, there + nothings);
    CHECK((uint64_t)counts.put >= put && (uint64_t)counts.put <= put + stress->kills);
    CHECK(done <= there && there <= done + stress->kills);
    CHECK(again <= (uint64_t)counts.redelivered);
    CHECK(sum(stress, board->done) >= done && sum(stress, board->done) <= (uint64_t)counts.done);
    CHECK_EQ(object_handles(arena_at(atomic_load(&board->event))), 1);
}

static void stress_one(const char *name, const mproc_queue_options *options, int seconds)
{
    struct stress stress = {.live = live,
                            .processes = PROCESSES,
                            .threads = THREADS,
                            .least = 200,
                            .most = 4000,
                            .put_back = put_back,
                            .rounds = rounds};

    board = stress_begin(&stress, name, sizeof *board);
    CHECK_OK(mproc_queue_create(options, &queue));
    CHECK_OK(mproc_event_create(&event));
    CHECK_OK(mproc_event_set(event));
    stress_tell(&board->queue, queue);
    stress_tell(&board->event, event);
    life_number = STRESS_LIVES_MAX - 1; /* no other life is so late */
    nothings = 0;
    stress_blow(&stress, seconds);
    stress_await_rounds(&stress);
    atomic_store(&board->stop, 1);
    CHECK_WAIT_UNTIL(all_left, NULL);
    stress_join(&stress);
    take();
    CHECK_OK(mproc_queue_join(queue, check_limit_ms()));
    judge(&stress);
    mproc_queue_free(queue);
    mproc_event_free(event);
    stress_end(&stress);
}

/* Where nobody spins, all sleep: then it shows if somebody is not woken. */
void stress_leases(int seconds)
{
    uint32_t cpus;

    CHECK(mproc_current_process() != NULL);
    cpus = arena_header->cpus;
    seconds = seconds < 3 ? 1 : seconds / 3;
    stress_one("a joinable queue", &(mproc_queue_options){.joinable = true}, seconds);
    arena_header->cpus = 1;
    stress_one("a joinable queue of few items", &(mproc_queue_options){.joinable = true, .maxsize = LIMITED_MOST},
               seconds);
    stress_one("a joinable queue of few bytes",
               &(mproc_queue_options){.joinable = true, .max_bytes = 2 * ITEM_BYTES_MAX}, seconds);
    arena_header->cpus = cpus;
}
