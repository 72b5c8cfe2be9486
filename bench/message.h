/* The small map that value.c and peer_msgpack.c build and read: {"name": "f1", "count": 2, ...}. */
#ifndef MESSAGE_H
#define MESSAGE_H

#define MESSAGE_NAME "f1"
#define MESSAGE_COUNT 2
#define MESSAGE_RATIO 0.5
#define MESSAGE_OK true
#define MESSAGE_TAG "a"
#define MESSAGE_OTHER_TAG "b"

enum { MESSAGE_WORDS = 128 };

#endif
