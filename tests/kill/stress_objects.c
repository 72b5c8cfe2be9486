/*
 * Objects of classes under stress: each process has one, and calls those of all. Whoever is killed, a call returns
 * what comes of it, or that the process has died, and its method has run once, or, of those, at most once.
 */
#include "stress.h"

#include "check.h"
#include "object/reference.h"
#include "process/family.h"

#include <mproc/mproc.h>

#include <stdio.h>

#define PROCESSES 4

enum { FIRST, SECOND, THREADS };

/* Of one life: its calls that have returned, those that have died, and how often its object's method has run. */
struct count {
    _Atomic uint32_t returned;
    _Atomic uint32_t died;
    _Atomic uint32_t ran;
    _Atomic uint32_t rounds[THREADS];
};

struct board {
    _Atomic uint64_t dict; /* of the newest object by each place */
    _Atomic uint32_t stop;
    struct stress_wrong wrong;
    struct count counts[STRESS_LIVES_MAX];
};

static struct board *board;
static mproc_dict *dict;
static uint32_t life_number;
static struct stress stress;

/* ---- what a life has ------------------------------------------------------------------------------------ */

static mproc_status twice(mproc_call *call)
{
    int64_t number;

    MPROC_TRY(mproc_unpack(call, &number));
    atomic_fetch_add(&board->counts[life_number].ran, 1);
    return mproc_call_return(call, MPROC_LIST(2 * number, "twice"));
}

static const mproc_method methods[] = {{"twice", twice}};
static const mproc_class calculator = {.name = "Calculator", .methods = methods, .method_count = 1};

static void serve(void)
{
    mproc_object *object = NULL;

    CHECK_OK(mproc_object_create(&calculator, mproc_no_args(), &object));
    CHECK_OK(mproc_dict_set(dict, mproc_int(life_number % PROCESSES), MPROC_VALUE(object)));
    mproc_object_free(object);
}

/* ---- what it does --------------------------------------------------------------------------------------- */

static void call_once(mproc_object *object, uint32_t random)
{
    struct count *count = &board->counts[life_number];
    mproc_value value = mproc_nil();
    mproc_status status = mproc_object_call(object, "twice", MPROC_ARGS(random), &value, check_limit_ms());

    EXPECT(status == MPROC_OK || status == MPROC_PEER_DIED);
    if (status == MPROC_OK) {
        EXPECT(mproc_value_int(mproc_value_at(value, 0)) == 2 * (int64_t)random);
        atomic_fetch_add(&count->returned, 1);
    } else {
        atomic_fetch_add(&count->died, 1);
    }
    mproc_value_clear(&value);
}

static void call_any(uint32_t *seed)
{
    uint32_t place = stress_random(seed) % PROCESSES, times = 1 + stress_random(seed) % 8;
    mproc_value value = mproc_nil();
    mproc_object *object = NULL;

    if (mproc_dict_get(dict, mproc_int(place), &value) != MPROC_OK) return;
    EXPECT(mproc_value_to(value, &object) == MPROC_OK);
    mproc_value_clear(&value);
    while (times-- > 0) call_once(object, stress_random(seed));
    mproc_object_free(object);
}

static void call_all(uint32_t thread)
{
    uint32_t seed = life_number * THREADS + thread;

    while (!atomic_load(&board->stop)) {
        call_any(&seed);
        atomic_fetch_add(&board->counts[life_number].rounds[thread], 1);
    }
}

static void call_too(void *unused)
{
    (void)unused;
    call_all(SECOND);
}

static mproc_status live(mproc_call *call)
{
    struct stress_life life;
    plat_thread *thread;

    MPROC_TRY(mproc_unpack_bytes(call, &life, sizeof life));
    board = arena_at(life.board);
    life_number = life.number;
    dict = stress_open(&board->dict);
    serve();
    MPROC_TRY(plat_thread_start(call_too, NULL, &thread));
    call_all(FIRST);
    plat_thread_join(thread);
    mproc_dict_free(dict);
    return MPROC_OK;
}

/* ---- judging -------------------------------------------------------------------------------------------- */

static void put_back(void)
{
}

static uint32_t rounds(uint32_t life, uint32_t thread)
{
    return atomic_load(&board->counts[life].rounds[thread]);
}

/* Who is killed has at most one call in each thread of which nobody has written down what came of it. */
static void judge(void)
{
    uint64_t returned = 0, died = 0, ran = 0, killed = (uint64_t)stress.kills * THREADS;

    for (uint32_t i = 0; i < stress.lives; i++) {
        returned += atomic_load(&board->counts[i].returned);
        died += atomic_load(&board->counts[i].died);
        ran += atomic_load(&board->counts[i].ran);
    }
    printf("%llu calls returned, %llu died; methods ran %llu times\n", (unsigned long long)returned,
           (unsigned long long)died, (unsigned long long)ran);
    stress_check_nothing_wrong(&board->wrong);
    CHECK(returned > 0);
    CHECK(ran >= returned);
    CHECK(ran <= returned + died + killed);
}

void stress_objects(int seconds)
{
    stress = (struct stress){.live = live,
                             .processes = PROCESSES,
                             .threads = THREADS,
                             .least = 200,
                             .most = 20000,
                             .put_back = put_back,
                             .rounds = rounds};
    board = stress_begin(&stress, "objects of classes", sizeof *board);
    CHECK_OK(mproc_dict_create(mproc_nil(), &dict));
    stress_tell(&board->dict, dict);
    stress_blow(&stress, seconds);
    stress_await_rounds(&stress);
    atomic_store(&board->stop, 1);
    stress_join(&stress);
    judge();
    mproc_dict_free(dict);
    stress_end(&stress);
}
