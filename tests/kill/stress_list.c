/*
 * A stress over one list: each process puts values of its own in it, anywhere, takes them out, and counts with all
 * others; it is killed at random. What it has written down before and after each change is the model: after its death
 * its values are there once, or not, as the model says, but for the one that it was changing. Others see whole
 * values.
 */
#include "stress.h"

#include "check.h"
#include "kill/items_sound.h"

#include <mproc/mproc.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROCESSES 4
#define VALUES 24
#define TEXT_BYTES 80

enum { CHANGE, LOOK, THREADS };

/* Of one life: which of its values are in the list. `next` is what becomes of `at`. */
struct model {
    _Atomic uint32_t there[VALUES];
    _Atomic uint32_t at;
    _Atomic uint32_t next;
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

static struct board *board;
static mproc_list *list;
static uint32_t life_number;
static struct stress stress;

static bool stopped(void)
{
    return atomic_load(&board->stop) != 0;
}

/* ---- values --------------------------------------------------------------------------------------------- */

/* Numbers, and texts of many sizes, by turns. No two are the same. */
static mproc_value value_of(uint32_t life, uint32_t number, char *text)
{
    if (number % 2) return mproc_int(-(int64_t)(life * VALUES + number));
    memset(text, (int)('a' + number), TEXT_BYTES - 1);
    snprintf(text, TEXT_BYTES, "life %lu, value %lu", (unsigned long)life, (unsigned long)number);
    text[strlen(text)] = ' ';
    text[30 + number] = 0;
    return MPROC_VALUE((const char *)text);
}

static bool is_whole(mproc_value value)
{
    const char *text = mproc_value_string(value), *number = text ? strstr(text, ", value ") : NULL;
    char whole[TEXT_BYTES];

    if (!text) return mproc_value_type(value) == MPROC_TYPE_INT64;
    if (strncmp(text, "life ", 5) != 0 || !number) return false;
    return mproc_value_equal(
        value, value_of((uint32_t)strtoul(text + 5, NULL, 10), (uint32_t)strtoul(number + 8, NULL, 10), whole));
}

/* ---- what a life does ----------------------------------------------------------------------------------- */

/* The first element counts, and stays the first. */
static mproc_status put(mproc_value value, uint32_t how)
{
    int64_t index = 1 + how / 4 % 20;

    if (how % 4 == 0) return mproc_list_append(list, value);
    if (how % 4 == 1) return mproc_list_insert(list, index, value);
    if (how % 4 == 2) return mproc_list_extend(list, mproc_list_from(&value, 1));
    return mproc_list_set_slice(list, index, index, 1, mproc_list_from(&value, 1));
}

static void change(struct model *model, uint32_t number, uint32_t how)
{
    uint32_t to = !atomic_load(&model->there[number]);
    char text[TEXT_BYTES];
    mproc_value value = value_of(life_number, number, text);

    atomic_store(&model->at, number);
    atomic_store(&model->next, to);
    atomic_store(&model->busy, 1);
    EXPECT((to ? put(value, how) : mproc_list_remove(list, value)) == MPROC_OK);
    atomic_store(&model->there[number], to);
    atomic_store(&model->busy, 0);
}

static mproc_status adds(mproc_call *call)
{
    int64_t number, more;

    MPROC_TRY(mproc_unpack(call, &number, &more));
    return mproc_call_return(call, mproc_int(number + more));
}

static void count_up(uint32_t how)
{
    if (how % 2) EXPECT(mproc_list_increment(list, 0, 1, NULL) == MPROC_OK);
    else EXPECT(mproc_list_update_with(list, 0, adds, MPROC_ARGS(1)) == MPROC_OK);
    atomic_fetch_add(&board->counted[life_number], 1);
}

/* All stay where they are, in another body. */
static int are_same(mproc_value left, mproc_value right)
{
    (void)left;
    (void)right;
    return 0;
}

static void change_all(void)
{
    struct model *model = &board->models[life_number];
    uint32_t seed = life_number * THREADS + CHANGE;

    while (!stopped()) {
        uint32_t random = stress_random(&seed), number = random % VALUES, how = random / VALUES;
        char text[TEXT_BYTES];
        if (how % 64 == 0) stress_pause(&seed, 1, 100);
        if (how % 64 == 1) EXPECT(mproc_list_sort(list, are_same, how % 128 == 1) == MPROC_OK);
        if (how % 4 == 0) count_up(how / 4);
        else change(model, number, how / 4);
        EXPECT(mproc_list_contains(list, value_of(life_number, number, text)) ==
               (atomic_load(&model->there[number]) != 0));
        atomic_fetch_add(&board->rounds[life_number][CHANGE], 1);
    }
}

/* Whatever is there is whole, and so is the whole. */
static void look_at_all(void)
{
    uint32_t seed = life_number * THREADS + LOOK;

    while (!stopped()) {
        mproc_value copy = mproc_nil(), value = mproc_nil();
        EXPECT(mproc_list_copy(list, &copy) == MPROC_OK);
        for (size_t i = 0; i < mproc_value_count(copy); i++) EXPECT(is_whole(mproc_value_at(copy, i)));
        mproc_value_clear(&copy);
        for (int64_t i = 0; mproc_list_get(list, i, &value) == MPROC_OK; i++) {
            EXPECT(is_whole(value));
            mproc_value_clear(&value);
        }
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
    list = (mproc_list *)(void *)reference;
    MPROC_TRY(plat_thread_start(look_thread, NULL, &thread));
    change_all();
    plat_thread_join(thread);
    mproc_list_free(list);
    atomic_fetch_add(&board->left, 1);
    return MPROC_OK;
}

/* ---- judging -------------------------------------------------------------------------------------------- */

/* Of a life that has ended: takes its values out, so that there are never many. */
static void check_life(uint32_t life)
{
    struct model *model = &board->models[life];
    bool busy = atomic_load(&model->busy);
    char text[TEXT_BYTES];

    for (uint32_t i = 0; i < VALUES; i++) {
        mproc_value value = value_of(life, i, text);
        int64_t count = 0;
        CHECK_OK(mproc_list_count_of(list, value, &count));
        if (busy && atomic_load(&model->at) == i && count == atomic_load(&model->next))
            atomic_store(&model->there[i], atomic_load(&model->next));
        CHECK_EQ(count, atomic_load(&model->there[i]));
        if (count > 0) CHECK_OK(mproc_list_remove(list, value));
    }
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

static uint64_t count(void)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_list_get(list, 0, &value));
    return (uint64_t)mproc_value_int(value);
}

void stress_list(int seconds)
{
    const char *wrong;

    stress = (struct stress){.live = live,
                             .processes = PROCESSES,
                             .threads = THREADS,
                             .least = 200,
                             .most = 4000,
                             .put_back = put_back,
                             .rounds = rounds};
    board = stress_begin(&stress, "a list", sizeof *board);
    CHECK_OK(mproc_list_create(MPROC_LIST(0), &list));
    atomic_store(&board->object, ((const struct reference *)(const void *)list)->ref.offset);
    stress_blow(&stress, seconds);
    stress_await_rounds(&stress);
    atomic_store(&board->stop, 1);
    CHECK_WAIT_UNTIL(all_left, NULL);
    stress_join(&stress);
    stress_check_nothing_wrong(&board->wrong);
    for (uint32_t i = 0; i < stress.lives; i++)
        if (!atomic_load(&board->models[i].checked)) check_life(i);
    CHECK_EQ(mproc_list_count(list), 1);
    wrong = items_sound(list);
    CHECK_STRING(wrong ? wrong : "", "");
    stress_judge_count(&stress, "a list", count(), board->counted);
    mproc_list_free(list);
    stress_end(&stress);
}
