/*
 * A stress over queues: each process puts by one thread and gets by another, and is killed at random. Every item that
 * was put comes once, those of one thread in order, but for the few that somebody was killed with; and nobody sleeps
 * over one.
 */
#include "stress.h"

#include "check.h"
#include "object/reference.h"
#include "object/resource_owner.h"

#include <mproc/mproc.h>

#include <stdio.h>
#include <string.h>

#define PROCESSES 4
#define BATCH 4
#define ITEM_BYTES_MAX 9000 /* goes by a block */
#define UNLIMITED_MOST 300
/* An item that comes twice does so before so many others. */
#define SEEN ((uint64_t)1 << 18)
/* Whose items are nothing: they send away those who wait at the end. */
#define NOBODY UINT32_MAX

#define SLEPT_NS ((int64_t)1000000000)
#define BEAT_MS 10
/* A machine that is late by so much keeps items waiting by itself. */
#define BEAT_LATE_NS ((int64_t)200000000)

struct item {
    uint64_t id; /* from 1 */
    int64_t put_ns;
    uint32_t life;
    uint32_t sequence; /* from 1 */
};

enum { PUT, GET, THREADS };

struct board {
    _Atomic uint64_t object;
    _Atomic uint64_t id;
    _Atomic uint32_t stop;
    _Atomic uint32_t left;
    struct stress_wrong wrong;
    _Atomic int64_t oldest_ns;
    _Atomic uint32_t put[STRESS_LIVES_MAX];
    _Atomic uint32_t got[STRESS_LIVES_MAX];
    _Atomic uint32_t rounds[STRESS_LIVES_MAX][THREADS];
    _Atomic uint64_t seen[SEEN];
};

static struct board *board;
static mproc_queue *queue;
static uint32_t life_number;

static bool stopped(void)
{
    return atomic_load(&board->stop) != 0;
}

/* ---- who puts ----------------------------------------------------------------------------------- */

static struct item next_item(uint32_t *sequence)
{
    return (struct item){atomic_fetch_add(&board->id, 1) + 1, plat_clock_now_ns(), life_number, ++*sequence};
}

static void put_one(uint32_t size, uint32_t *sequence)
{
    static unsigned char bytes[ITEM_BYTES_MAX];
    struct item item = next_item(sequence);

    memcpy(bytes, &item, sizeof item);
    memset(bytes + sizeof item, (int)(item.id & 0xFF), size - sizeof item);
    EXPECT(mproc_queue_put_bytes(queue, bytes, size, MPROC_FOREVER) == MPROC_OK);
    atomic_fetch_add(&board->put[life_number], 1);
}

static void put_several(uint32_t *sequence)
{
    struct item items[BATCH];
    size_t put = 0;

    for (int i = 0; i < BATCH; i++) items[i] = next_item(sequence);
    EXPECT(mproc_queue_put_many(queue, items, sizeof items[0], BATCH, &put, MPROC_FOREVER) == MPROC_OK);
    atomic_fetch_add(&board->put[life_number], (uint32_t)put);
}

static void put_items(void)
{
    uint32_t seed = life_number * THREADS + PUT, sequence = 0;

    while (!stopped()) {
        uint32_t random = stress_random(&seed);
        if (random % 16 == 0) stress_pause(&seed, 1, 100);
        if (mproc_queue_size(queue) > UNLIMITED_MOST) plat_thread_yield();
        else if (random / 16 % 16 == 0) put_one(ITEM_BYTES_MAX, &sequence);
        else if (random / 16 % 2) put_several(&sequence);
        else put_one((uint32_t)sizeof(struct item) + random / 512 % 300, &sequence);
        atomic_fetch_add(&board->rounds[life_number][PUT], 1);
    }
}

/* ---- who gets ----------------------------------------------------------------------------------- */

static uint32_t last[STRESS_LIVES_MAX];

static void remember_age(int64_t put_ns)
{
    int64_t age_ns = plat_clock_now_ns() - put_ns, oldest_ns = atomic_load(&board->oldest_ns);

    while (age_ns > oldest_ns && !atomic_compare_exchange_weak(&board->oldest_ns, &oldest_ns, age_ns)) {
    }
}

static void note(const struct item *item, const unsigned char *rest, size_t size)
{
    if (item->life == NOBODY) return;
    remember_age(item->put_ns);
    EXPECT(item->life < STRESS_LIVES_MAX && item->sequence > last[item->life]);
    last[item->life] = item->sequence;
    EXPECT(atomic_exchange(&board->seen[item->id % SEEN], item->id) != item->id);
    for (size_t i = 0; i < size; i++)
        if (rest[i] != (unsigned char)item->id) EXPECT(false);
    atomic_fetch_add(&board->got[life_number], 1);
}

static void get_one(void)
{
    static unsigned char bytes[ITEM_BYTES_MAX];
    struct item item;
    size_t size = 0;

    EXPECT(mproc_queue_get_bytes(queue, bytes, sizeof bytes, &size, MPROC_FOREVER) == MPROC_OK);
    memcpy(&item, bytes, sizeof item);
    note(&item, bytes + sizeof item, size - sizeof item);
}

/* If the first has another size it stays, for others as well. */
static void get_several(void)
{
    struct item items[BATCH];
    size_t got = 0;
    mproc_status status = mproc_queue_get_many(queue, items, sizeof items[0], BATCH, &got, MPROC_FOREVER);

    EXPECT(status == MPROC_OK || status == MPROC_INVALID);
    for (size_t i = 0; i < got; i++) note(&items[i], NULL, 0);
    if (status == MPROC_INVALID) get_one();
}

static void get_items(void *unused)
{
    uint32_t seed = life_number * THREADS + GET;

    (void)unused;
    while (!stopped()) {
        if (stress_random(&seed) % 2) get_one();
        else get_several();
        atomic_fetch_add(&board->rounds[life_number][GET], 1);
    }
}

static mproc_status live(mproc_call *call)
{
    struct stress_life life;
    plat_thread *getter;

    CHECK_OK(mproc_unpack_bytes(call, &life, sizeof life));
    board = arena_at(life.board);
    life_number = life.number;
    queue = stress_open(&board->object);
    CHECK_OK(plat_thread_start(get_items, NULL, &getter));
    put_items();
    plat_thread_join(getter);
    mproc_queue_free(queue);
    atomic_fetch_add(&board->left, 1);
    return MPROC_OK;
}

/* ---- the stress --------------------------------------------------------------------------------- */

/* How late this machine is by itself. */
struct beat {
    _Atomic uint32_t stop;
    int64_t late_ns;
};

static void beat(void *context)
{
    struct beat *beat = context;
    int64_t now_ns = plat_clock_now_ns(), due_ns;

    while (!atomic_load(&beat->stop)) {
        due_ns = now_ns + BEAT_MS * (int64_t)1000000;
        plat_clock_sleep_until(due_ns);
        now_ns = plat_clock_now_ns();
        if (now_ns - due_ns > beat->late_ns) beat->late_ns = now_ns - due_ns;
    }
}

static void put_back(void)
{
}

static uint32_t rounds(uint32_t life, uint32_t thread)
{
    return atomic_load(&board->rounds[life][thread]);
}

static void take(void)
{
    static unsigned char bytes[ITEM_BYTES_MAX];
    struct item item;
    size_t size;

    while (mproc_queue_get_bytes(queue, bytes, sizeof bytes, &size, 0) == MPROC_OK) {
        memcpy(&item, bytes, sizeof item);
        note(&item, bytes + sizeof item, size - sizeof item);
    }
}

static uint64_t nothings; /* the root's items, which are nothing */

/* Who waits for room gets some, and the next time who waits for an item gets one of the root's. */
static bool all_left(void *unused)
{
    static uint32_t times;
    struct item nothing = {0, 0, NOBODY, 0};

    (void)unused;
    take();
    for (int i = 0; i < PROCESSES && times % 2; i++)
        nothings += mproc_queue_put_bytes(queue, &nothing, sizeof nothing, 0) == MPROC_OK;
    times++;
    return atomic_load(&board->left) == PROCESSES;
}

static uint64_t sum(const _Atomic uint32_t *counts)
{
    uint64_t all = 0;

    for (uint32_t i = 0; i < STRESS_LIVES_MAX; i++) all += atomic_load(&counts[i]);
    return all;
}

/* What was put was got, but for what the dead took along. */
static void judge(const struct stress *stress, int64_t late_ns)
{
    uint64_t put = sum(board->put), got = sum(board->got), most = (uint64_t)stress->kills * BATCH;
    mproc_queue_counts counts;

    CHECK_OK(mproc_queue_counters(queue, &counts));
    printf(
        "queue: %lu kills, %llu put, %llu got, %llu lost, %llu counted; the oldest of %lld us, the machine late by "
        "%lld us\n",
        (unsigned long)stress->kills, (unsigned long long)put, (unsigned long long)got,
        (unsigned long long)counts.lost, (unsigned long long)counts.put,
        (long long)atomic_load(&board->oldest_ns) / 1000, (long long)late_ns / 1000);
    stress_check_nothing_wrong(&board->wrong);
    CHECK_EQ(mproc_queue_size(queue), 0);
    CHECK_EQ(counts.put, counts.got);
    CHECK_EQ(counts.put_bytes, counts.got_bytes);
    put += nothings;
    got += nothings;
    CHECK((uint64_t)counts.put >= put && (uint64_t)counts.put <= put + most);
    /* Neither got nor lost is what was on its way from the call to the dead one's note of it. */
    got += (uint64_t)counts.lost;
    CHECK((uint64_t)counts.got >= got && (uint64_t)counts.got <= got + most - (uint64_t)counts.lost);
    CHECK(late_ns > BEAT_LATE_NS || atomic_load(&board->oldest_ns) < SLEPT_NS);
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
    struct beat beating = {0, 0};
    plat_thread *beater;

    board = stress_begin(&stress, name, sizeof *board);
    CHECK_OK(mproc_queue_create(options, &queue));
    stress_tell(&board->object, queue);
    life_number = STRESS_LIVES_MAX - 1; /* no other life is so late */
    nothings = 0;
    memset(last, 0, sizeof last);
    CHECK_OK(plat_thread_start(beat, &beating, &beater));
    stress_blow(&stress, seconds);
    stress_await_rounds(&stress);
    atomic_store(&board->stop, 1);
    CHECK_WAIT_UNTIL(all_left, NULL);
    stress_join(&stress);
    take();
    atomic_store(&beating.stop, 1);
    plat_thread_join(beater);
    judge(&stress, beating.late_ns);
    mproc_queue_free(queue);
    stress_end(&stress);
}

/* Where nobody spins, all sleep: then it shows if somebody is not woken. */
void stress_queue(int seconds)
{
    uint32_t cpus;

    CHECK(mproc_current_process() != NULL);
    cpus = arena_header->cpus;
    seconds = seconds < 3 ? 1 : seconds / 3;
    stress_one("a queue", &(mproc_queue_options){0}, seconds);
    arena_header->cpus = 1;
    stress_one("a queue of few items", &(mproc_queue_options){.maxsize = BATCH}, seconds);
    stress_one("a queue of few bytes", &(mproc_queue_options){.max_bytes = 2 * ITEM_BYTES_MAX}, seconds);
    arena_header->cpus = cpus;
}
