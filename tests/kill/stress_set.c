/*
 * A stress over one set: each process has elements of its own in it, which come and go one by one and by other sets;
 * it is killed at random. What it has written down before and after each change is the model: after its death its
 * elements are those that the model says, before the change that it was in the middle of or after it. The elements of
 * a pair come and go by one step, as all can see.
 */
#include "stress.h"

#include "check.h"
#include "container/set.h"
#include "kill/table_sound.h"

#include <mproc/mproc.h>

#include <stdio.h>

#define PROCESSES 4
#define ELEMENTS 24
#define PAIRED 16 /* the first so many, which are numbers; the others are text */
#define TEXT_BYTES 80

enum { CHANGE, LOOK, THREADS };

/* Of one life: which of its elements are there, one bit for each, and which will be when it is not busy any more. */
struct model {
    _Atomic uint32_t now;
    _Atomic uint32_t next;
    _Atomic uint32_t busy;
    _Atomic uint32_t checked;
};

struct board {
    _Atomic uint64_t object;
    _Atomic uint32_t stop;
    _Atomic uint32_t left;
    struct stress_wrong wrong;
    _Atomic uint32_t rounds[STRESS_LIVES_MAX][THREADS];
    struct model models[STRESS_LIVES_MAX];
};

static struct board *board;
static mproc_set *set;
static uint32_t life_number;
static struct stress stress;

static bool stopped(void)
{
    return atomic_load(&board->stop) != 0;
}

/* ---- elements ------------------------------------------------------------------------------------------- */

static mproc_value element_of(uint32_t life, uint32_t number, char *text)
{
    if (number < PAIRED) return mproc_int((int64_t)life * PAIRED + number);
    snprintf(text, TEXT_BYTES, "life %lu, element %lu", (unsigned long)life, (unsigned long)number);
    return MPROC_VALUE((const char *)text);
}

static uint32_t those_there(uint32_t life)
{
    char text[TEXT_BYTES];
    uint32_t there = 0;

    for (uint32_t i = 0; i < ELEMENTS; i++)
        if (mproc_set_has(set, element_of(life, i, text))) there |= 1u << i;
    return there;
}

/* ---- what a life does ----------------------------------------------------------------------------------- */

static uint32_t elements_of(uint32_t life, uint32_t some, mproc_value *items, char (*texts)[TEXT_BYTES])
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < ELEMENTS; i++)
        if (some >> i & 1) items[count++] = element_of(life, i, texts[i]);
    return count;
}

/* Of a pair both or none. */
static uint32_t any_of_all(uint32_t random)
{
    uint32_t first = random & 0x5555u;

    return first | first << 1 | (random & 0xFF0000u);
}

static mproc_status change_by_set(uint32_t how, mproc_value other)
{
    if (how == 0) return mproc_set_update(set, other);
    if (how == 1) return mproc_set_difference_update(set, other);
    return mproc_set_symmetric_difference_update(set, other);
}

static void change_some(struct model *model, uint32_t how, uint32_t some)
{
    char texts[ELEMENTS][TEXT_BYTES];
    mproc_value items[ELEMENTS];
    uint32_t now = atomic_load(&model->now), count = elements_of(life_number, some, items, texts);

    atomic_store(&model->next, how == 0 ? now | some : how == 1 ? now & ~some : now ^ some);
    atomic_store(&model->busy, 1);
    EXPECT(change_by_set(how, mproc_list_from(items, count)) == MPROC_OK);
    atomic_store(&model->now, atomic_load(&model->next));
    atomic_store(&model->busy, 0);
}

static void change_one(struct model *model, uint32_t number, bool gently)
{
    char text[TEXT_BYTES];
    mproc_value element = element_of(life_number, number, text);
    uint32_t now = atomic_load(&model->now), bit = 1u << number;
    bool is_new = false;

    atomic_store(&model->next, now ^ bit);
    atomic_store(&model->busy, 1);
    if (!(now & bit)) EXPECT(mproc_set_add(set, element, &is_new) == MPROC_OK && is_new);
    else if (gently) EXPECT(mproc_set_discard(set, element) == MPROC_OK);
    else EXPECT(mproc_set_remove(set, element) == MPROC_OK);
    atomic_store(&model->now, now ^ bit);
    atomic_store(&model->busy, 0);
}

static void change_all(void)
{
    struct model *model = &board->models[life_number];
    uint32_t seed = life_number * THREADS + CHANGE;

    while (!stopped()) {
        uint32_t how = stress_random(&seed), some = stress_random(&seed);
        if (how % 64 == 0) stress_pause(&seed, 1, 100);
        if (how % 4 == 0) change_some(model, how / 4 % 3, any_of_all(some));
        else change_one(model, PAIRED + some % (ELEMENTS - PAIRED), how % 2 == 0);
        EXPECT(those_there(life_number) == atomic_load(&model->now));
        atomic_fetch_add(&board->rounds[life_number][CHANGE], 1);
    }
}

/* The two of a pair came one behind the other. */
static void look_at_all(void)
{
    uint32_t seed = life_number * THREADS + LOOK;

    while (!stopped()) {
        mproc_value copy = mproc_nil();
        int64_t first = -1;
        EXPECT(mproc_set_copy(set, &copy) == MPROC_OK);
        for (size_t i = 0; i < mproc_value_count(copy); i++) {
            mproc_value element = mproc_value_at(copy, i);
            if (mproc_value_type(element) != MPROC_TYPE_INT64) continue;
            EXPECT(first < 0 ? mproc_value_int(element) % 2 == 0 : mproc_value_int(element) == first + 1);
            first = first < 0 ? mproc_value_int(element) : -1;
        }
        EXPECT(first < 0);
        mproc_value_clear(&copy);
        stress_pause(&seed, 1, 100);
        atomic_fetch_add(&board->rounds[life_number][LOOK], 1);
    }
}

static void look_thread(void *unused)
{
    (void)unused;
    look_at_all();
    atomic_fetch_add(&board->left, 1);
}

static uint32_t rounds(uint32_t life, uint32_t thread)
{
    return atomic_load(&board->rounds[life][thread]);
}

static mproc_status live(mproc_call *call)
{
    struct stress_life life;
    struct reference *reference;
    plat_thread *thread;
    struct handle_ref ref;

    MPROC_TRY(mproc_unpack_bytes(call, &life, sizeof life));
    board = arena_at(life.board);
    life_number = life.number;
    ref = object_ref(atomic_load(&board->object));
    MPROC_TRY(reference_open(&ref, &reference));
    set = (mproc_set *)(void *)reference;
    MPROC_TRY(plat_thread_start(look_thread, NULL, &thread));
    change_all();
    plat_thread_join(thread);
    mproc_set_free(set);
    atomic_fetch_add(&board->left, 1);
    return MPROC_OK;
}

/* ---- judging -------------------------------------------------------------------------------------------- */

/* Of a life that has ended: takes its elements out, so that there are never many. */
static void check_life(uint32_t life)
{
    struct model *model = &board->models[life];
    uint32_t there = those_there(life), now = atomic_load(&model->now), next = atomic_load(&model->next), count;
    bool busy = atomic_load(&model->busy);
    char texts[ELEMENTS][TEXT_BYTES];
    mproc_value items[ELEMENTS];

    if (there != now && !(busy && there == next))
        printf("life %lu has %lx, and should have %lx or, %d, %lx\n", (unsigned long)life, (unsigned long)there,
               (unsigned long)now, busy, (unsigned long)next);
    CHECK(there == now || (busy && there == next));
    count = elements_of(life, there, items, texts);
    CHECK_OK(mproc_set_difference_update(set, mproc_list_from(items, count)));
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

void stress_set(int seconds)
{
    const char *wrong;

    stress = (struct stress){.live = live,
                             .processes = PROCESSES,
                             .threads = THREADS,
                             .least = 200,
                             .most = 4000,
                             .put_back = put_back,
                             .rounds = rounds};
    board = stress_begin(&stress, "a set", sizeof *board);
    CHECK_OK(mproc_set_create(mproc_nil(), &set));
    atomic_store(&board->object, set->dict.reference.ref.offset);
    stress_blow(&stress, seconds);
    stress_await_rounds(&stress);
    atomic_store(&board->stop, 1);
    CHECK_WAIT_UNTIL(all_left, NULL);
    stress_join(&stress);
    stress_check_nothing_wrong(&board->wrong);
    for (uint32_t i = 0; i < stress.lives; i++)
        if (!atomic_load(&board->models[i].checked)) check_life(i);
    CHECK_EQ(mproc_set_count(set), 0);
    wrong = table_sound(&set->dict);
    CHECK_STRING(wrong ? wrong : "", "");
    mproc_set_free(set);
    stress_end(&stress);
}
