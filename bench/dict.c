#include "keys.h"
#include "meeting.h"
#include "mproc.h"

#include <mproc/mproc.h>
#include <string.h>

enum { PROCESSES_MAX = 4 };

/* A process' part: some of the keys, which no other has. */
struct part {
    mproc_dict *dict;
    const struct key *keys;
    size_t count;
    uint32_t state;
};

static mproc_value any(struct part *part)
{
    const struct key *key = keys_any(part->keys, part->count, &part->state);

    return mproc_string_from(key->text, key->size);
}

static void set(void *context, size_t repeats)
{
    struct part *part = context;

    for (size_t i = 0; i < repeats; i++) mproc_check(mproc_dict_set(part->dict, any(part), mproc_int((int64_t)i)));
}

static void get(void *context, size_t repeats)
{
    struct part *part = context;
    mproc_value value;

    for (size_t i = 0; i < repeats; i++) {
        mproc_check(mproc_dict_get(part->dict, any(part), &value));
        if (mproc_value_type(value) != MPROC_TYPE_INT64) abort();
    }
}

static void increment(void *context, size_t repeats)
{
    struct part *part = context;

    for (size_t i = 0; i < repeats; i++) mproc_check(mproc_dict_increment(part->dict, any(part), 1, NULL));
}

static void replace(void *context, size_t repeats)
{
    struct part *part = context;

    for (size_t i = 0; i < repeats; i++) {
        mproc_value key = any(part);
        mproc_check(mproc_dict_delete(part->dict, key));
        mproc_check(mproc_dict_set(part->dict, key, mproc_int((int64_t)i)));
    }
}

/* By number, as a process is started with numbers. */
static measure_pass *const passes[] = {set, get, increment, replace};
enum { SET, GET, INCREMENT, REPLACE };

static mproc_dict *create(const struct key *keys, size_t count)
{
    mproc_dict *dict;

    mproc_check(mproc_dict_create(mproc_nil(), &dict));
    for (size_t i = 0; i < count; i++)
        mproc_check(mproc_dict_set(dict, mproc_string_from(keys[i].text, keys[i].size), mproc_int((int64_t)i)));
    return dict;
}

/* ---- one process, or several at once ---------------------------------------------------------------- */

static mproc_status take_part(mproc_call *call)
{
    struct part part;
    mproc_shared_value *value;
    size_t which, number, count, keys, repeats;

    MPROC_TRY(mproc_unpack(call, &part.dict, &value, &which, &number, &count, &keys, &repeats));
    part.count = keys / count;
    part.keys = keys_create(keys) + number * part.count;
    part.state = (uint32_t)number;
    meeting_pass(mproc_shared_value_data(value), count, number, passes[which], &part, repeats);
    return MPROC_OK;
}

/* The time for all of them by their number: `count` processes, all repeats each. */
static double measure_processes(mproc_dict *dict, size_t which, size_t count, const struct order *order)
{
    mproc_process *processes[PROCESSES_MAX];
    mproc_shared_value *value;
    double time;

    mproc_check(
        mproc_shared_value_create(sizeof(struct meeting), NULL, &(mproc_shared_options){.raw = true}, &value));
    for (size_t i = 0; i < count; i++) {
        mproc_check(mproc_process_create(
            take_part, MPROC_ARGS(dict, value, which, i, count, order->items, order->repeats), NULL, &processes[i]));
        mproc_check(mproc_process_start(processes[i]));
    }
    time = meeting_time(mproc_shared_value_data(value), count);
    for (size_t i = 0; i < count; i++) {
        mproc_check(mproc_process_join(processes[i], MPROC_FOREVER));
        measure_require(mproc_process_exit_status(processes[i]).code == 0, "each process ends with 0");
    }
    mproc_shared_value_free(value);
    return time / (double)(count * order->repeats);
}

static void measure(const struct order *order, size_t first, double values[2])
{
    struct part part = {.keys = keys_create(order->items), .count = order->items};

    part.dict = create(part.keys, part.count);
    for (size_t i = 0; i < 2; i++)
        values[i] = order->chunk > 1 ? measure_processes(part.dict, first + i, order->chunk, order)
                                     : measure_mean(passes[first + i], &part, order->repeats);
}

void dict_look(const struct order *order, double values[2])
{
    measure(order, SET, values);
}

void dict_change(const struct order *order, double values[2])
{
    measure(order, INCREMENT, values);
}

void dict_readers(const struct order *order, double values[2])
{
    const struct key *keys = keys_create(order->items);

    values[0] = measure_processes(create(keys, order->items), GET, order->chunk, order);
}

/* ---- one that grows --------------------------------------------------------------------------------- */

/* The longest is one during which the thread was not preempted, as in create.c. */
void dict_grow(const struct order *order, double values[2])
{
    struct key *keys = keys_create(order->repeats);
    mproc_dict *dict = create(keys, 0);
    int64_t begin = measure_now_ns(), before = begin, preemptions = measure_preemptions();

    for (size_t i = 0; i < order->repeats; i++) {
        int64_t now;
        mproc_check(mproc_dict_set(dict, mproc_string_from(keys[i].text, keys[i].size), mproc_int((int64_t)i)));
        now = measure_now_ns();
        if ((double)(now - before) > values[1]) {
            int64_t preempted = measure_preemptions();
            if (preempted == preemptions) values[1] = (double)(now - before);
            preemptions = preempted;
            now = measure_now_ns();
        }
        before = now;
    }
    values[0] = (double)(measure_now_ns() - begin) / (double)order->repeats;
}

/* Shared memory that this process has touched. */
static double resident(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    unsigned long long kib = 0;
    char line[256];

    measure_require(file != NULL, "the system says how much memory is in use");
    while (kib == 0 && fgets(line, sizeof line, file)) (void)!sscanf(line, "RssShmem: %llu", &kib);
    fclose(file);
    return (double)kib * 1024;
}

void dict_bytes(const struct order *order, double values[2])
{
    struct key *keys = keys_create(order->repeats);
    double before;

    (void)create(keys, 1);
    before = resident();
    (void)create(keys, order->repeats);
    values[0] = (resident() - before) / (double)order->repeats;
}
