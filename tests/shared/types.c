/* mproc/shared.h: items of many types, which another process or thread doubles; copies of them. */
#include "sync/peers.h"

enum { DOUBLES = 10, LETTERS = 20, OBJECTS = 6 };

typedef struct pair {
    int32_t x;
    double y;
} pair;

/* What Python's test has. */
typedef struct objects {
    mproc_shared_value *int32;
    mproc_shared_value *number;
    mproc_shared_value *int64;
    mproc_shared_value *pair;
    mproc_shared_array *array;
    mproc_shared_array *text;
} objects;

static void create_all(objects *all, const mproc_shared_options *options)
{
    const int32_t int32 = 7;
    const double number = 1.0 / 3;
    const int64_t int64 = (int64_t)1 << 33;
    const pair both = {3, 2};
    const char text[LETTERS] = "hello";
    double numbers[DOUBLES];
    int i;

    for (i = 0; i < DOUBLES; i++) numbers[i] = i;
    CHECK_OK(mproc_shared_value_create(sizeof int32, &int32, options, &all->int32));
    CHECK_OK(mproc_shared_value_create(sizeof number, &number, options, &all->number));
    CHECK_OK(mproc_shared_value_create(sizeof int64, &int64, options, &all->int64));
    CHECK_OK(mproc_shared_value_create(sizeof both, &both, options, &all->pair));
    CHECK_OK(mproc_shared_array_create(sizeof(double), DOUBLES, numbers, options, &all->array));
    CHECK_OK(mproc_shared_array_create(1, LETTERS, text, options, &all->text));
}

static void free_all(const objects *all)
{
    mproc_shared_value_free(all->int32);
    mproc_shared_value_free(all->number);
    mproc_shared_value_free(all->int64);
    mproc_shared_value_free(all->pair);
    mproc_shared_array_free(all->array);
    mproc_shared_array_free(all->text);
}

/* ---- doubled ------------------------------------------------------------------------------------ */

/* Some where they lie, some by a copy. */
static void double_values(const objects *all)
{
    double number;
    pair both;

    *(int32_t *)mproc_shared_value_data(all->int32) *= 2;
    CHECK_OK(mproc_shared_value_get(all->number, &number, sizeof number));
    number *= 2;
    CHECK_OK(mproc_shared_value_set(all->number, &number, sizeof number));
    *(int64_t *)mproc_shared_value_data(all->int64) *= 2;
    CHECK_OK(mproc_shared_value_get(all->pair, &both, sizeof both));
    both = (pair){both.x * 2, both.y * 2};
    CHECK_OK(mproc_shared_value_set(all->pair, &both, sizeof both));
}

static void double_arrays(const objects *all)
{
    char *text = mproc_shared_array_data(all->text);
    double number;
    size_t i;

    for (i = 0; i < mproc_shared_array_count(all->array); i++) {
        CHECK_OK(mproc_shared_array_get(all->array, i, 1, &number));
        number *= 2;
        CHECK_OK(mproc_shared_array_set(all->array, i, 1, &number));
    }
    CHECK_OK(mproc_shared_array_set(all->text, strlen(text), strlen(text), text));
}

static void doubles_all(peer *self)
{
    void *told[OBJECTS];
    objects all;

    peer_open_many(self, told);
    all = (objects){told[0], told[1], told[2], told[3], told[4], told[5]};
    double_values(&all);
    double_arrays(&all);
    peer_drop_many(self, told);
}

static void check_doubled(const objects *all)
{
    const double *numbers = mproc_shared_array_data(all->array);
    const pair *both = mproc_shared_value_data(all->pair);
    int i;

    CHECK_EQ(*(int32_t *)mproc_shared_value_data(all->int32), 14);
    CHECK(*(double *)mproc_shared_value_data(all->number) == 2.0 / 3);
    CHECK_EQ(*(int64_t *)mproc_shared_value_data(all->int64), (int64_t)1 << 34);
    CHECK(both->x == 6 && both->y == 4);
    for (i = 0; i < DOUBLES; i++) CHECK(numbers[i] == 2 * i);
    CHECK_STRING(mproc_shared_array_data(all->text), "hellohello");
}

static void check_doubling(const mproc_shared_options *options)
{
    peer_crowd crowd;
    objects all;

    crowd_init(&crowd);
    create_all(&all, options);
    crowd_tell_many(&crowd, (void *[]){all.int32, all.number, all.int64, all.pair, all.array, all.text}, OBJECTS);
    crowd_add(&crowd, 1, doubles_all, NULL);
    crowd_join(&crowd);
    check_doubled(&all);
    free_all(&all);
    crowd_fini(&crowd);
}

static void case_raw_items_are_doubled_by_another(void)
{
    check_doubling(&(mproc_shared_options){.raw = true});
}

static void case_items_with_a_lock_are_doubled_by_another(void)
{
    mproc_lock *lock = NULL;

    check_doubling(NULL);
    CHECK_OK(mproc_lock_create(NULL, &lock));
    check_doubling(&(mproc_shared_options){.lock = lock}); /* one for all of them */
    CHECK(!mproc_lock_locked(lock));
    mproc_lock_free(lock);
}

/* ---- copied ------------------------------------------------------------------------------------- */

static void sets_to_zero(peer *self)
{
    const pair zero = {0, 0};

    CHECK_OK(mproc_shared_value_set(self->object, &zero, sizeof zero));
}

/* Python's copy() is a new object with the same bytes at first. */
static void case_copy_is_independent_of_its_original(void)
{
    const pair both = {2, 5};
    mproc_shared_value *original = NULL, *copy = NULL;
    peer_crowd crowd;
    pair kept, found;

    crowd_init(&crowd);
    CHECK_OK(mproc_shared_value_create(sizeof both, &both, NULL, &original));
    CHECK_OK(mproc_shared_value_create(sizeof both, mproc_shared_value_data(original), NULL, &copy));
    CHECK_OK(mproc_shared_value_get(original, &kept, sizeof kept));
    crowd_add(&crowd, 1, sets_to_zero, original);
    crowd_join(&crowd);
    CHECK_OK(mproc_shared_value_get(original, &found, sizeof found));
    CHECK(found.x == 0 && found.y == 0);
    CHECK_OK(mproc_shared_value_get(copy, &found, sizeof found));
    CHECK(found.x == 2 && found.y == 5);
    CHECK(kept.x == 2 && kept.y == 5);
    mproc_shared_value_free(original);
    CHECK_EQ(((pair *)mproc_shared_value_data(copy))->x, 2);
    mproc_shared_value_free(copy);
    crowd_fini(&crowd);
}

static void case_array_does_not_refer_to_what_it_began_as(void)
{
    int32_t numbers[3] = {1, 2, 3};
    mproc_shared_array *array = NULL, *copy = NULL;
    const int32_t *copied;

    CHECK_OK(mproc_shared_array_create(sizeof numbers[0], 3, numbers, NULL, &array));
    numbers[0] = 7;
    CHECK_OK(mproc_shared_array_create(sizeof numbers[0], 3, mproc_shared_array_data(array), NULL, &copy));
    CHECK_OK(mproc_shared_array_set(array, 1, 1, &numbers[0]));
    copied = mproc_shared_array_data(copy);
    CHECK(copied[0] == 1 && copied[1] == 2 && copied[2] == 3);
    mproc_shared_array_free(array);
    CHECK(copied[0] == 1 && copied[1] == 2 && copied[2] == 3);
    mproc_shared_array_free(copy);
}

CHECK_TWINS(shared_types, peers_of_processes, shared_types_threads, peers_of_threads,
    CASE(raw_items_are_doubled_by_another),
    CASE(items_with_a_lock_are_doubled_by_another),
    CASE(copy_is_independent_of_its_original),
    CASE(array_does_not_refer_to_what_it_began_as),
);
