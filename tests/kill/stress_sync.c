/*
 * A stress over the objects that processes share. Each process has two threads, which use all of them at random; the
 * processes are killed at random, and what they leave behind has to be as the headers promise.
 */
#include "stress.h"

#include "object/resource_owner.h"
#include "check.h"
#include "object/reference.h"

#include <mproc/mproc.h>

#include <stdio.h>

#define PROCESSES 3
#define THREADS 2
#define PERMITS 3
/* Half of those who come to the barrier give up after that. */
#define BARRIER_MS 5
#define EVENT_MS 3

/* The objects that all use. */
static struct {
    mproc_lock *lock;
    mproc_rlock *rlock;
    mproc_semaphore *semaphore;
    mproc_condition *condition;
    mproc_event *event;
    mproc_barrier *barrier;
    mproc_shared_value *value;
} things;

enum { LOCK, RLOCK, SEMAPHORE, CONDITION, EVENT, BARRIER, VALUE, THINGS };

/*
 * `counter` is changed under the lock, `deep` under the rlock, `tokens` under the condition. Each life adds to
 * what it has published; `left` counts those that came to their end.
 */
struct board {
    _Atomic uint64_t objects[THINGS];
    _Atomic uint64_t counter;
    _Atomic uint64_t deep;
    _Atomic uint64_t tokens;
    _Atomic uint32_t inside;
    _Atomic uint32_t stop;
    struct stress_wrong wrong;
    _Atomic uint32_t passed;
    _Atomic uint32_t left;
    _Atomic uint32_t counted[STRESS_LIVES_MAX];
    _Atomic uint32_t counted_deep[STRESS_LIVES_MAX];
    _Atomic uint32_t rounds[STRESS_LIVES_MAX][THREADS];
};

static struct board *board;
static uint32_t life_number;

static bool stopped(void)
{
    return atomic_load(&board->stop) != 0;
}

/* ---- what the threads do ---------------------------------------------------------------------- */

/* One more than what is published if a process is killed in between, and never anything else. */
static void count_under_lock(void)
{
    mproc_status status = mproc_lock_acquire(things.lock, MPROC_FOREVER);
    uint64_t counter;

    if (status == MPROC_OWNER_DIED) status = mproc_lock_recover(things.lock, MPROC_FOREVER);
    EXPECT(status == MPROC_OK);
    atomic_store(&board->inside, life_number + 1);
    counter = atomic_load(&board->counter);
    atomic_store(&board->counter, counter + 1);
    EXPECT(atomic_load(&board->inside) == life_number + 1);
    atomic_fetch_add(&board->counted[life_number], 1);
    EXPECT(mproc_lock_release(things.lock) == MPROC_OK);
}

static void count_under_rlock(void)
{
    mproc_status status = mproc_rlock_acquire(things.rlock, MPROC_FOREVER);
    uint64_t deep;

    if (status == MPROC_OWNER_DIED) status = mproc_rlock_recover(things.rlock, MPROC_FOREVER);
    EXPECT(status == MPROC_OK);
    EXPECT(mproc_rlock_acquire(things.rlock, 0) == MPROC_OK);
    deep = atomic_load(&board->deep);
    atomic_store(&board->deep, deep + 1);
    EXPECT(mproc_rlock_release(things.rlock) == MPROC_OK);
    atomic_fetch_add(&board->counted_deep[life_number], 1);
    EXPECT(mproc_rlock_release(things.rlock) == MPROC_OK);
}

static void take_permit(void)
{
    EXPECT(mproc_semaphore_acquire(things.semaphore, MPROC_FOREVER) == MPROC_OK);
    EXPECT(mproc_semaphore_value(things.semaphore) < PERMITS);
    EXPECT(mproc_semaphore_release(things.semaphore) == MPROC_OK);
}

/* Whoever died with the lock may have put a token there and told nobody. */
static mproc_status recover_condition(void)
{
    mproc_status status = mproc_condition_recover(things.condition, MPROC_FOREVER);

    return status == MPROC_OK ? mproc_condition_notify_all(things.condition) : status;
}

static mproc_status own_condition(void)
{
    mproc_status status = mproc_condition_acquire(things.condition, MPROC_FOREVER);

    return status == MPROC_OWNER_DIED ? recover_condition() : status;
}

static void put_token(void)
{
    EXPECT(own_condition() == MPROC_OK);
    atomic_fetch_add(&board->tokens, 1);
    EXPECT(mproc_condition_notify(things.condition, 1) == MPROC_OK);
    EXPECT(mproc_condition_release(things.condition) == MPROC_OK);
}

/* Without a time limit: a notification that gets lost while there are tokens is a thread that does not go on. */
static void take_token(void)
{
    mproc_status status = own_condition();

    while (status == MPROC_OK && atomic_load(&board->tokens) == 0 && !stopped()) {
        status = mproc_condition_wait(things.condition, MPROC_FOREVER);
        if (status == MPROC_OWNER_DIED) status = recover_condition();
    }
    EXPECT(status == MPROC_OK);
    if (atomic_load(&board->tokens) > 0) atomic_fetch_sub(&board->tokens, 1);
    EXPECT(mproc_condition_release(things.condition) == MPROC_OK);
}

static void use_event(uint32_t random)
{
    mproc_status status;

    if (random % 3 == 0) EXPECT(mproc_event_set(things.event) == MPROC_OK);
    else if (random % 3 == 1) EXPECT(mproc_event_clear(things.event) == MPROC_OK);
    else {
        status = mproc_event_wait(things.event, EVENT_MS);
        EXPECT(status == MPROC_OK || status == MPROC_TIMEOUT);
    }
}

static void use_barrier(uint32_t random)
{
    mproc_status status = mproc_barrier_wait(things.barrier, random % 4 < 2 ? BARRIER_MS : MPROC_FOREVER, NULL);

    if (status == MPROC_OK) atomic_fetch_add(&board->passed, 1);
    else EXPECT(status == MPROC_BROKEN || status == MPROC_TIMEOUT); /* too late for the places that are taken */
    if (status != MPROC_OK && random % 2) EXPECT(mproc_barrier_reset(things.barrier) == MPROC_OK);
}

/* The value's two words are the same, unless somebody died between them: who takes it over, mends it. */
static void change_value(void)
{
    mproc_status status = mproc_shared_value_acquire(things.value, MPROC_FOREVER);
    uint64_t *words = mproc_shared_value_data(things.value);

    if (status == MPROC_OWNER_DIED) {
        status = mproc_shared_value_recover(things.value, MPROC_FOREVER);
        words[1] = words[0];
    }
    EXPECT(status == MPROC_OK);
    EXPECT(words[0] == words[1]);
    words[0]++;
    words[1]++;
    EXPECT(mproc_shared_value_release(things.value) == MPROC_OK);
}

static void make_own(void)
{
    mproc_condition *condition = NULL;
    mproc_shared_array *array = NULL;

    EXPECT(mproc_condition_create(NULL, &condition) == MPROC_OK);
    EXPECT(mproc_shared_array_create(sizeof(int), 3, NULL, NULL, &array) == MPROC_OK);
    mproc_condition_free(condition);
    mproc_shared_array_free(array);
}

static void use_one(uint32_t random)
{
    switch (random % 9) {
    case 0:
        count_under_lock();
        break;
    case 1:
        count_under_rlock();
        break;
    case 2:
        take_permit();
        break;
    case 3:
        take_token();
        put_token();
        break;
    case 4:
        use_event(random / 9);
        break;
    case 5:
        use_barrier(random / 9);
        break;
    case 6:
        change_value();
        break;
    case 7:
        make_own();
        break;
    default:
        put_token();
        take_token();
        break;
    }
}

static void work(uint32_t thread)
{
    uint32_t seed = life_number * THREADS + thread;

    while (!stopped()) {
        use_one(stress_random(&seed));
        atomic_fetch_add(&board->rounds[life_number][thread], 1);
    }
}

static void be_second(void *unused)
{
    (void)unused;
    work(1);
}

/* ---- a process -------------------------------------------------------------------------------- */

static void open_things(void)
{
    things.lock = stress_open(&board->objects[LOCK]);
    things.rlock = stress_open(&board->objects[RLOCK]);
    things.semaphore = stress_open(&board->objects[SEMAPHORE]);
    things.condition = stress_open(&board->objects[CONDITION]);
    things.event = stress_open(&board->objects[EVENT]);
    things.barrier = stress_open(&board->objects[BARRIER]);
    things.value = stress_open(&board->objects[VALUE]);
}

static void free_things(void)
{
    mproc_lock_free(things.lock);
    mproc_rlock_free(things.rlock);
    mproc_semaphore_free(things.semaphore);
    mproc_condition_free(things.condition);
    mproc_event_free(things.event);
    mproc_barrier_free(things.barrier);
    mproc_shared_value_free(things.value);
}

static mproc_status live(mproc_call *call)
{
    struct stress_life life;
    plat_thread *second;

    CHECK_OK(mproc_unpack_bytes(call, &life, sizeof life));
    board = arena_at(life.board);
    life_number = life.number;
    open_things();
    CHECK_OK(plat_thread_start(be_second, NULL, &second));
    work(0);
    plat_thread_join(second);
    free_things();
    atomic_fetch_add(&board->left, 1);
    return MPROC_OK;
}

/* ---- the stress -------------------------------------------------------------------------------- */

static void tell(int which, const void *thing)
{
    stress_tell(&board->objects[which], thing);
}

static void make_things(void)
{
    mproc_semaphore_options options = {.owned = true};

    CHECK_OK(mproc_lock_create(NULL, &things.lock));
    CHECK_OK(mproc_rlock_create(NULL, &things.rlock));
    CHECK_OK(mproc_semaphore_create(PERMITS, &options, &things.semaphore));
    CHECK_OK(mproc_condition_create(NULL, &things.condition));
    CHECK_OK(mproc_event_create(&things.event));
    CHECK_OK(mproc_barrier_create(2, NULL, &things.barrier));
    CHECK_OK(mproc_shared_value_create(2 * sizeof(uint64_t), NULL, NULL, &things.value));
    tell(LOCK, things.lock);
    tell(RLOCK, things.rlock);
    tell(SEMAPHORE, things.semaphore);
    tell(CONDITION, things.condition);
    tell(EVENT, things.event);
    tell(BARRIER, things.barrier);
    tell(VALUE, things.value);
}

/* A token with which somebody died. */
static void put_back(void)
{
    if (atomic_load(&board->tokens) == 0) put_token();
}

static uint32_t rounds(uint32_t life, uint32_t thread)
{
    return atomic_load(&board->rounds[life][thread]);
}

/* Who comes to the barrier or waits for a token when all others have left already is sent away. */
static bool all_left(void *unused)
{
    (void)unused;
    CHECK_OK(mproc_barrier_abort(things.barrier));
    CHECK_OK(own_condition());
    CHECK_OK(mproc_condition_notify_all(things.condition));
    CHECK_OK(mproc_condition_release(things.condition));
    return atomic_load(&board->left) == PROCESSES;
}

/* When it is calm again, everybody goes on, and everybody ends. */
static void calm_down(struct stress *stress)
{
    uint32_t i;

    for (i = 0; i < PROCESSES * THREADS; i++) put_token();
    stress_await_rounds(stress);
    atomic_store(&board->stop, 1);
    CHECK_WAIT_UNTIL(all_left, NULL);
    stress_join(stress);
}

static void judge(const struct stress *stress)
{
    const struct object *object;
    int i;

    printf("%lu passed the barrier\n", (unsigned long)atomic_load(&board->passed));
    stress_check_nothing_wrong(&board->wrong);
    stress_judge_count(stress, "lock", atomic_load(&board->counter), board->counted);
    stress_judge_count(stress, "rlock", atomic_load(&board->deep), board->counted_deep);
    CHECK_EQ(mproc_semaphore_value(things.semaphore), PERMITS);
    for (i = 0; i < THINGS; i++) {
        object = arena_at(atomic_load(&board->objects[i]));
        CHECK_EQ(object_handles(object), 1);
        CHECK_EQ(atomic_load(&object->lock.word), 0);
    }
}

void stress_sync(int seconds)
{
    struct stress stress = {.live = live,
                            .processes = PROCESSES,
                            .threads = THREADS,
                            .least = 200,
                            .most = 2500,
                            .put_back = put_back,
                            .rounds = rounds};

    board = stress_begin(&stress, "the objects", sizeof *board);
    make_things();
    stress_blow(&stress, seconds);
    calm_down(&stress);
    judge(&stress);
    free_things();
    stress_end(&stress);
}
