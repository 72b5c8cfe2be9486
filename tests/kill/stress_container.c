#include "stress_container.h"

#include "check.h"
#include "process/family.h"

#include <mproc/mproc.h>

#include <stdio.h>

#define PROCESSES 4

enum { CHANGE, LOOK, THREADS };

/* Of one life. While it is `busy` its things are `now` or `next`. */
struct model {
    _Atomic uint32_t now[STRESS_THINGS];
    _Atomic uint32_t next[STRESS_THINGS];
    _Atomic uint32_t busy;
    _Atomic uint32_t checked;
};

struct board {
    _Atomic uint64_t object;
    _Atomic uint32_t stop;
    _Atomic uint32_t left;
    struct stress_wrong wrong;
    _Atomic uint32_t counted[STRESS_LIVES_MAX];
    _Atomic uint32_t rounds[STRESS_LIVES_MAX][THREADS];
    struct model models[STRESS_LIVES_MAX];
};

static const struct stress_container *container;
static struct board *board;
static void *it;
static uint32_t life_number;
static struct stress stress;

static bool stopped(void)
{
    return atomic_load(&board->stop) != 0;
}

/* ---- what a life does ----------------------------------------------------------------------------------- */

static void write_down(_Atomic uint32_t *model, const uint32_t *things)
{
    for (uint32_t i = 0; i < STRESS_THINGS; i++) atomic_store(&model[i], things[i]);
}

static void change(struct model *model, uint32_t random)
{
    uint32_t now[STRESS_THINGS], next[STRESS_THINGS];

    for (uint32_t i = 0; i < STRESS_THINGS; i++) now[i] = next[i] = atomic_load(&model->now[i]);
    container->plan(random, next);
    write_down(model->next, next);
    atomic_store(&model->busy, 1);
    EXPECT(container->change(it, life_number, random, now, next) == MPROC_OK);
    write_down(model->now, next);
    atomic_store(&model->busy, 0);
    for (uint32_t i = 0; i < STRESS_THINGS; i++)
        if (now[i] != next[i] || i == random % STRESS_THINGS) EXPECT(container->is(it, life_number, i, next[i]));
}

static void count_up(uint32_t random)
{
    EXPECT(container->count_up(it, random) == MPROC_OK);
    atomic_fetch_add(&board->counted[life_number], 1);
}

static void change_all(void)
{
    uint32_t seed = life_number * THREADS + CHANGE;

    while (!stopped()) {
        uint32_t how = stress_random(&seed), random = stress_random(&seed);
        if (how % 64 == 0) stress_pause(&seed, 1, 100);
        if (container->count_up && how % 4 == 1) count_up(random);
        else change(&board->models[life_number], random);
        atomic_fetch_add(&board->rounds[life_number][CHANGE], 1);
    }
}

static void look_at_all(void *unused)
{
    uint32_t seed = life_number * THREADS + LOOK;

    (void)unused;
    while (!stopped()) {
        EXPECT(container->look(it));
        stress_pause(&seed, 1, 100);
        atomic_fetch_add(&board->rounds[life_number][LOOK], 1);
    }
    atomic_fetch_add(&board->left, 1);
}

static uint32_t rounds(uint32_t life, uint32_t thread)
{
    return atomic_load(&board->rounds[life][thread]);
}

mproc_status stress_container_live(const struct stress_container *is, mproc_call *call)
{
    struct stress_life life;
    plat_thread *thread;

    MPROC_TRY(mproc_unpack_bytes(call, &life, sizeof life));
    container = is;
    board = arena_at(life.board);
    life_number = life.number;
    it = stress_open(&board->object);
    MPROC_TRY(plat_thread_start(look_at_all, NULL, &thread));
    change_all();
    plat_thread_join(thread);
    reference_free(it);
    atomic_fetch_add(&board->left, 1);
    return MPROC_OK;
}

/* ---- judging -------------------------------------------------------------------------------------------- */

static uint32_t count_others(uint32_t life, const _Atomic uint32_t *things)
{
    uint32_t others = 0;

    for (uint32_t i = 0; i < STRESS_THINGS; i++) others += !container->is(it, life, i, atomic_load(&things[i]));
    return others;
}

/* Of a life that has ended: takes its things out, so that there are never many. */
static void check_life(uint32_t life)
{
    struct model *model = &board->models[life];
    bool busy = atomic_load(&model->busy);
    uint32_t others = count_others(life, model->now), others_next = count_others(life, model->next);

    if (others > 0 && !(busy && others_next == 0))
        printf("life %lu: %lu things are not what they should be; %d: or become, %lu\n", (unsigned long)life,
               (unsigned long)others, busy, (unsigned long)others_next);
    CHECK(others == 0 || (busy && others_next == 0));
    container->take_out(it, life);
    atomic_store(&model->checked, 1);
}

static void put_back(void)
{
    check_life(stress.dead);
}

static bool all_left(void *unused)
{
    (void)unused;
    return atomic_load(&board->left) == PROCESSES * THREADS;
}

static void judge(void)
{
    const char *wrong;

    stress_check_nothing_wrong(&board->wrong);
    for (uint32_t i = 0; i < stress.lives; i++)
        if (!atomic_load(&board->models[i].checked)) check_life(i);
    CHECK_EQ(container->count(it), container->count_up ? 1 : 0);
    wrong = container->sound(it);
    CHECK_STRING(wrong ? wrong : "", "");
    stress_judge_count(&stress, container->name, container->counted ? container->counted(it) : 0, board->counted);
}

void stress_container(const struct stress_container *is, mproc_function *live, int seconds)
{
    stress = (struct stress){.live = live,
                             .processes = PROCESSES,
                             .threads = THREADS,
                             .least = 200,
                             .most = 4000,
                             .put_back = put_back,
                             .rounds = rounds};
    container = is;
    board = stress_begin(&stress, container->name, sizeof *board);
    it = container->create();
    stress_tell(&board->object, it);
    stress_blow(&stress, seconds);
    stress_await_rounds(&stress);
    atomic_store(&board->stop, 1);
    CHECK_WAIT_UNTIL(all_left, NULL);
    stress_join(&stress);
    judge();
    reference_free(it);
    stress_end(&stress);
}
