#include "host.h"
#include "message.h"
#include "subjects.h"

#include <stdio.h>
#include <string.h>

#include <mproc/mproc.h>

#include "base/encoding.h"

/* The message as a program writes it. Volatile, so that the compiler does not know what is in it. */
static const char *volatile name = MESSAGE_NAME;
static volatile int count = MESSAGE_COUNT;
static volatile double ratio = MESSAGE_RATIO;
static volatile bool ok = MESSAGE_OK;

static bool build(uint64_t *buffer, size_t capacity, size_t *size)
{
    return mproc_value_encode(MPROC_MAP("name", name, "count", count, "ratio", ratio, "ok", ok, "tags",
                                        MPROC_LIST(MESSAGE_TAG, MESSAGE_OTHER_TAG)),
                              buffer, capacity, size) == MPROC_OK;
}

static bool is_text(mproc_value value, const char *text)
{
    size_t size = strlen(text);

    return mproc_value_type(value) == MPROC_TYPE_STRING && mproc_value_size(value) == size &&
           memcmp(mproc_value_string(value), text, size) == 0;
}

static bool read(mproc_value message)
{
    mproc_value tags = mproc_value_get(message, "tags");
    bool same = is_text(mproc_value_get(message, "name"), MESSAGE_NAME) &&
                mproc_value_int(mproc_value_get(message, "count")) == MESSAGE_COUNT &&
                mproc_value_double(mproc_value_get(message, "ratio")) == MESSAGE_RATIO &&
                mproc_value_bool(mproc_value_get(message, "ok")) == MESSAGE_OK;

    return same && mproc_value_count(tags) == 2 && is_text(mproc_value_at(tags, 0), MESSAGE_TAG) &&
           is_text(mproc_value_at(tags, 1), MESSAGE_OTHER_TAG);
}

/* As an argument travels: what the family has written is read without a check. */
static bool pass_inside(void)
{
    uint64_t buffer[MESSAGE_WORDS];
    size_t size;

    return build(buffer, sizeof buffer, &size) && read(encoding_view(buffer));
}

/* As it comes from outside: checked before it is read. */
static bool pass_checked(void)
{
    uint64_t buffer[MESSAGE_WORDS];
    mproc_value message;
    size_t size;

    return build(buffer, sizeof buffer, &size) && mproc_value_decode(buffer, size, &message) == MPROC_OK &&
           read(message);
}

static bool measure_passes(bool (*pass)(void), size_t repeats, double *values)
{
    int64_t begin;

    for (size_t i = 0; i < repeats / 10; i++)
        if (!pass()) return false;
    begin = host_now_ns();
    for (size_t i = 0; i < repeats; i++)
        if (!pass()) return false;
    values[0] = (double)(host_now_ns() - begin) / (double)repeats;
    return true;
}

static bool measure_inside(const bench_setting *setting, double *values)
{
    return measure_passes(pass_inside, setting->repeats, values);
}

static bool measure_checked(const bench_setting *setting, double *values)
{
    return measure_passes(pass_checked, setting->repeats, values);
}

static bool measure_msgpack(const bench_setting *setting, double *values)
{
    char program[1024], repeats[32], output[64];
    const char *arguments[] = {program, repeats, NULL};

    snprintf(program, sizeof program, "%s", host_beside_program("bench_msgpack"));
    snprintf(repeats, sizeof repeats, "%zu", setting->repeats);
    return host_run(arguments, NULL, output, sizeof output) && sscanf(output, "%lf", &values[0]) == 1;
}

static const char *missing_msgpack(void)
{
    return host_exists(host_beside_program("bench_msgpack")) ? NULL : "bench_msgpack: msgpack-c (libmsgpack-dev)";
}

const bench_subject value_mproc = {"mproc, inside the family", false, measure_inside, NULL};
const bench_subject value_mproc_checked = {"mproc, checked as from outside", false, measure_checked, NULL};
const bench_subject value_msgpack = {"msgpack-c", true, measure_msgpack, missing_msgpack};
