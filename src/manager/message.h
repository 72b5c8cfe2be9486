/*
 * Messages between a manager and its clients: each is the encoding of a list (docs/manager-protocol.md).
 *
 *     a call     number, object, method, and what the method is given
 *     an answer  number, status, text or nil, what comes of it, and true if the thread that did it holds something
 *
 * Objects in them are numbers by which one client and its manager know them: whoever sends a message writes them in
 * the place of what the encoding refers to, and whoever receives one reads them there.
 */
#ifndef MPROC_MANAGER_MESSAGE_H
#define MPROC_MANAGER_MESSAGE_H

#include <mproc/connection.h>

#include "base/encoding.h"

#define MESSAGE_VERSION 1
/* Of both kinds of messages. */
#define MESSAGE_HEAD_CALL 3
#define MESSAGE_HEAD_ANSWER 4
/* No method has more. */
#define MESSAGE_VALUES_MAX 8
#define MESSAGE_SMALL_WORDS 64
#define MESSAGE_OBJECTS_MAX ((uint32_t)1 << 20)

/* The number of what is no call, and no answer to one. */
#define MESSAGE_NO_CALL 0

/* The manager itself is the object 0. */
enum manager_method {
    MANAGER_GET = 1,
    MANAGER_GIVE_BACK = 2,
    MANAGER_MAKE = 3,
    MANAGER_JOIN = 4,
    MANAGER_GIVE_UP = 5,
    MANAGER_RECEIVED = 6,
    MANAGER_DEBUG_INFO = 7
};

/* The encoding of a message that is sent. It is in `small`, or was allocated. */
struct message {
    unsigned char *bytes;
    size_t size;
    uint32_t objects;
    uint64_t small[MESSAGE_SMALL_WORDS];
};

/*
 * Encodes the list of these values. MPROC_NOT_SUPPORTED: there is a function among them; MPROC_TOO_LONG: it has more
 * bytes than `max`; or as mproc_value_copy().
 */
mproc_status message_write(struct message *message, const mproc_value *items, size_t count, size_t max);

/* Calls `visit` for the objects in it, which that may change. */
void message_visit(const struct message *message, value_visitor *visit, void *context);

void message_clear(struct message *message);

/*
 * Checks what was received, as bytes, and gives the list that it is. MPROC_INVALID: it is none, or has less than
 * `head` elements, or the first one is no number.
 */
mproc_status message_read(const mproc_value *bytes, size_t head, mproc_value *list);

/* Refuses a value with a function in it. It can be measured. */
mproc_status message_check(const mproc_value *value);

#endif
