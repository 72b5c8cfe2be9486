/* Objects that a manager makes by the names of their types, which are those of Python's SyncManager. */
#include "manager/types.h"

#include <limits.h>

#include <mproc/barrier.h>
#include <mproc/condition.h>
#include <mproc/event.h>
#include <mproc/list.h>
#include <mproc/namespace.h>
#include <mproc/queue.h>
#include <mproc/semaphore.h>
#include <mproc/set.h>
#include <mproc/shared.h>

#include "process/family.h"

/* What it is made of: `count` values. The functions below write the object, or nothing. */
struct making {
    const char *type;
    const mproc_value *args;
    size_t count;
    union {
        void *any;
        mproc_lock *lock;
        mproc_rlock *rlock;
        mproc_event *event;
        mproc_semaphore *semaphore;
        mproc_condition *condition;
        mproc_barrier *barrier;
        mproc_queue *queue;
        mproc_dict *dict;
        mproc_list *list;
        mproc_set *set;
        mproc_namespace *space;
        mproc_shared_value *shared_value;
        mproc_shared_array *shared_array;
    } object;
};

static mproc_status refuse(const struct making *making, const char *wants)
{
    return mproc_error(MPROC_INVALID, "a %s is made of %s", making->type, wants);
}

/* A number among the arguments, or what it is by default. False: it is none, or below `least`. */
static bool read_int(const struct making *making, size_t index, int64_t usual, int64_t least, int64_t *number)
{
    *number = usual;
    if (index >= making->count) return true;
    *number = mproc_value_int(making->args[index]);
    return making->args[index].type == MPROC_TYPE_INT64 && *number >= least;
}

static mproc_value first_or_nil(const struct making *making)
{
    return making->count > 0 ? making->args[0] : mproc_nil();
}

/* ---- by their types ------------------------------------------------------------------------------------- */

static mproc_status make_lock(struct making *making)
{
    return mproc_lock_create(NULL, &making->object.lock);
}

static mproc_status make_rlock(struct making *making)
{
    return mproc_rlock_create(NULL, &making->object.rlock);
}

static mproc_status make_event(struct making *making)
{
    return mproc_event_create(&making->object.event);
}

static mproc_status create_semaphore(struct making *making, bool bounded)
{
    const mproc_semaphore_options options = {.bounded = bounded};
    int64_t value;

    if (!read_int(making, 0, 1, 0, &value)) return refuse(making, "how many permits there are, by default 1");
    return mproc_semaphore_create(value, &options, &making->object.semaphore);
}

static mproc_status make_semaphore(struct making *making)
{
    return create_semaphore(making, false);
}

static mproc_status make_bounded_semaphore(struct making *making)
{
    return create_semaphore(making, true);
}

static mproc_status make_barrier(struct making *making)
{
    int64_t parties;

    if (!read_int(making, 0, 0, 1, &parties) || parties < 1 || parties > INT_MAX)
        return refuse(making, "how many it waits for");
    return mproc_barrier_create((int)parties, NULL, &making->object.barrier);
}

/* Of a lock, or with one of its own. */
static mproc_status make_condition(struct making *making)
{
    mproc_condition_options options = {.lock = NULL};
    mproc_value lock = first_or_nil(making);
    mproc_status status = MPROC_OK;

    if (!mproc_value_is_nil(lock) && mproc_value_to(lock, &options.lock) != MPROC_OK)
        status = mproc_value_to(lock, &options.rlock);
    if (status != MPROC_OK) return refuse(making, "a lock, or an rlock, or nothing");
    status = mproc_condition_create(&options, &making->object.condition);
    mproc_lock_free(options.lock);
    mproc_rlock_free(options.rlock);
    return status;
}

static mproc_status create_queue(struct making *making, bool joinable)
{
    mproc_queue_options options = {.joinable = joinable};

    if (!read_int(making, 0, 0, 0, &options.maxsize))
        return refuse(making, "how many items it has at most, by default any number");
    return mproc_queue_create(&options, &making->object.queue);
}

static mproc_status make_queue(struct making *making)
{
    return create_queue(making, false);
}

static mproc_status make_joinable_queue(struct making *making)
{
    return create_queue(making, true);
}

static mproc_status make_dict(struct making *making)
{
    return mproc_dict_create(first_or_nil(making), &making->object.dict);
}

static mproc_status make_list(struct making *making)
{
    return mproc_list_create(first_or_nil(making), &making->object.list);
}

static mproc_status make_set(struct making *making)
{
    return mproc_set_create(first_or_nil(making), &making->object.set);
}

static mproc_status make_namespace(struct making *making)
{
    return mproc_namespace_create(first_or_nil(making), &making->object.space);
}

/* One item: its bytes, or how many of them, which are 0. */
static mproc_status make_value(struct making *making)
{
    mproc_value first = first_or_nil(making);
    size_t size = mproc_value_size(first);
    int64_t zeros;

    if (first.type == MPROC_TYPE_BYTES && size > 0)
        return mproc_shared_value_create(size, mproc_value_bytes(first), NULL, &making->object.shared_value);
    if (!read_int(making, 0, 0, 1, &zeros) || zeros < 1) return refuse(making, "its bytes, or their number");
    return mproc_shared_value_create((size_t)zeros, NULL, NULL, &making->object.shared_value);
}

/* The size of an item; and all of their bytes, or how many items there are, whose bytes are 0. */
static mproc_status make_array(struct making *making)
{
    const char *wants = "the size of an item, and the bytes of all, or their number";
    mproc_value items = making->count > 1 ? making->args[1] : mproc_nil();
    int64_t item_size, count;

    if (making->count != 2 || !read_int(making, 0, 0, 1, &item_size)) return refuse(making, wants);
    count = (int64_t)mproc_value_size(items) / item_size;
    if (items.type == MPROC_TYPE_BYTES && count > 0 && (int64_t)mproc_value_size(items) % item_size == 0)
        return mproc_shared_array_create((size_t)item_size, (size_t)count, mproc_value_bytes(items), NULL,
                                         &making->object.shared_array);
    if (!read_int(making, 1, 0, 1, &count)) return refuse(making, wants);
    return mproc_shared_array_create((size_t)item_size, (size_t)count, NULL, NULL, &making->object.shared_array);
}

/* ---- all of them ---------------------------------------------------------------------------------------- */

struct made_type {
    const char *name;
    mproc_object_kind kind;
    size_t args_max;
    mproc_status (*make)(struct making *making);
};

static const struct made_type made_types[] = {
    {"Array", MPROC_KIND_SHARED_ARRAY, 2, make_array},
    {"Barrier", MPROC_KIND_BARRIER, 1, make_barrier},
    {"BoundedSemaphore", MPROC_KIND_SEMAPHORE, 1, make_bounded_semaphore},
    {"Condition", MPROC_KIND_CONDITION, 1, make_condition},
    {"Event", MPROC_KIND_EVENT, 0, make_event},
    {"JoinableQueue", MPROC_KIND_QUEUE, 1, make_joinable_queue},
    {"Lock", MPROC_KIND_LOCK, 0, make_lock},
    {"Namespace", MPROC_KIND_NAMESPACE, 1, make_namespace},
    {"Queue", MPROC_KIND_QUEUE, 1, make_queue},
    {"RLock", MPROC_KIND_RLOCK, 0, make_rlock},
    {"Semaphore", MPROC_KIND_SEMAPHORE, 1, make_semaphore},
    {"Value", MPROC_KIND_SHARED_VALUE, 1, make_value},
    {"dict", MPROC_KIND_DICT, 1, make_dict},
    {"list", MPROC_KIND_LIST, 1, make_list},
    {"set", MPROC_KIND_SET, 1, make_set},
};

static const struct made_type *find(const char *name)
{
    for (size_t i = 0; i < sizeof made_types / sizeof made_types[0]; i++)
        if (strcmp(made_types[i].name, name) == 0) return &made_types[i];
    return NULL;
}

/* What comes out of a container has all that is in it. */
mproc_status types_hand_over(mproc_object_kind kind, void *object, mproc_value *value)
{
    const mproc_value one = mproc_object_from(kind, object);
    mproc_list *list = NULL;
    mproc_status status = mproc_list_create(mproc_list_from(&one, 1), &list);

    if (status == MPROC_OK) status = mproc_list_get(list, 0, value);
    mproc_list_free(list);
    family_free(object);
    return status;
}

bool types_know(const char *name)
{
    return find(name) != NULL;
}

static mproc_status check_served(const struct made_type *type, bool served)
{
    if (!served || object_types[type->kind]->call) return MPROC_OK;
    return mproc_error(MPROC_NOT_SUPPORTED, "%s cannot be served to other programs", object_types[type->kind]->name);
}

mproc_status types_make(const char *name, const mproc_value *args, bool served, mproc_value *value)
{
    const struct made_type *type = find(name);
    mproc_value all[TYPES_ARGS_MAX];
    struct making making = {name, all, mproc_value_count(*args), {NULL}};
    mproc_status status;

    if (!type) return mproc_error(MPROC_NOT_FOUND, "a manager knows no type '%s'", name);
    if (args->type != MPROC_TYPE_LIST && args->type != MPROC_TYPE_NIL)
        return mproc_error(MPROC_INVALID, "a %s is made of a list of arguments, and not of %s", name,
                           mproc_type_name(mproc_value_type(*args)));
    if (making.count > type->args_max)
        return mproc_error(MPROC_INVALID, "a %s is made of %zu values at most, and not of %zu", name, type->args_max,
                           making.count);
    if ((status = check_served(type, served)) != MPROC_OK) return status;
    for (size_t i = 0; i < making.count; i++) all[i] = mproc_value_at(*args, i);
    if ((status = type->make(&making)) != MPROC_OK) return status;
    return types_hand_over(type->kind, making.object.any, value);
}
