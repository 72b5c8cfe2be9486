#include "message.h"
#include "mproc.h"

#include <mproc/mproc.h>
#include <string.h>

/* The message as a program writes it. Volatile, so that the compiler does not know what is in it. */
static const char *volatile name = MESSAGE_NAME;
static volatile int count = MESSAGE_COUNT;
static volatile double ratio = MESSAGE_RATIO;
static volatile bool ok = MESSAGE_OK;

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

#define MESSAGE                                                               \
    MPROC_MAP("name", name, "count", count, "ratio", ratio, "ok", ok, "tags", \
              MPROC_LIST(MESSAGE_TAG, MESSAGE_OTHER_TAG))

/* As values are kept, and travel in the family: a copy of one's own, which is read without a check. */
static void pass_copied(void *unused, size_t repeats)
{
    (void)unused;
    for (size_t i = 0; i < repeats; i++) {
        mproc_value message;
        mproc_check(mproc_value_copy(MESSAGE, &message));
        measure_require(read(message), "the message is as it was");
        mproc_value_clear(&message);
    }
}

/* As it comes from outside: checked before it is read. */
static void pass_checked(void *unused, size_t repeats)
{
    (void)unused;
    for (size_t i = 0; i < repeats; i++) {
        uint64_t buffer[MESSAGE_WORDS];
        mproc_value message;
        size_t size;
        mproc_check(mproc_value_encode(MESSAGE, buffer, sizeof buffer, &size));
        mproc_check(mproc_value_decode(buffer, size, &message));
        measure_require(read(message), "the message is as it was");
    }
}

void value_copied(const struct order *order, double values[2])
{
    values[0] = measure_mean(pass_copied, NULL, order->repeats);
}

void value_checked(const struct order *order, double values[2])
{
    values[0] = measure_mean(pass_checked, NULL, order->repeats);
}

void value_put_message(mproc_queue *queue)
{
    mproc_check(mproc_queue_put(queue, MESSAGE, MPROC_FOREVER));
}

void value_get_message(mproc_queue *queue)
{
    mproc_value message;

    mproc_check(mproc_queue_get(queue, &message, MPROC_FOREVER));
    measure_require(read(message), "the message is as it was");
    mproc_value_clear(&message);
}
