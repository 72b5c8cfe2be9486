/* What the tests of all containers share, besides peers.h. */
#ifndef CONTAINERS_H
#define CONTAINERS_H

#include <string.h>

#include "sync/peers.h"

#define KEY(x) MPROC_VALUE(x)
#define TEXT(x) MPROC_VALUE(x)

/* ---- in a manager ----------------------------------------------------------------------------------------- */

/*
 * For CHECK_SUITE_SETUP: from then on containers are made in a manager, and cases have proxies of them: the same body
 * for another back end.
 */
void containers_of_a_manager(void);
bool containers_are_served(void);

/* What stands for the new container there, in its place; else itself. */
void *containers_served(void *container);

/*
 * A case of such a suite. The threads of the manager make what they sleep by when they first have to, which on
 * Windows is a handle.
 */
#define CASE_SERVED(name) CASE_WITH(name, .leaves = CHECK_HANDLES)

/* ---- what was got, which each of these clears ------------------------------------------------------------- */

static inline bool got_equals(mproc_value value, mproc_value expected)
{
    bool same = mproc_value_equal(value, expected);

    mproc_value_clear(&value);
    return same;
}

static inline int64_t got_int(mproc_value value)
{
    int64_t number = mproc_value_int(value);

    CHECK_EQ(mproc_value_type(value), MPROC_TYPE_INT64);
    mproc_value_clear(&value);
    return number;
}

/* What Python's print() would say of it. */
static inline void got_prints(mproc_value value, const char *expected)
{
    char text[512];

    mproc_value_print(value, text, sizeof text);
    CHECK_STRING(text, expected);
    mproc_value_clear(&value);
}

/* It is text. */
static inline void got_text(mproc_value value, const char *expected)
{
    CHECK_STRING(mproc_value_string(value), expected);
    mproc_value_clear(&value);
}

/* ---- what cases put -------------------------------------------------------------------------------------- */

/* The same ones each time. */
static inline uint32_t any_number(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* For updates: what is there, and what comes to it. */
static inline mproc_status adds(mproc_call *call)
{
    int64_t number, more;

    MPROC_TRY(mproc_unpack(call, &number, &more));
    return mproc_call_return(call, mproc_int(number + more));
}

/* Texts of which all characters are the same, so that one which is not whole shows. */
enum { SAME_BYTES = 40 };

static inline mproc_value same_text(int64_t number, int64_t size_max, char text[SAME_BYTES])
{
    memset(text, (int)('0' + number % 10), SAME_BYTES);
    return mproc_string_from(text, (size_t)(1 + number % size_max));
}

static inline void got_same_text(mproc_value value)
{
    const char *text = mproc_value_string(value);

    CHECK(text != NULL && strspn(text, (char[]){text[0], 0}) == mproc_value_size(value));
    mproc_value_clear(&value);
}

/* ---- peers that use one container ------------------------------------------------------------------------ */

/*
 * So many of them do this, each with `times` as its `extra`, and all come to their end. Returns what they have
 * counted as done on the board.
 */
static inline uint32_t peers_use(void *container, int members, int64_t times, peer_body *body)
{
    peer_crowd crowd;
    uint32_t done;

    crowd_init(&crowd);
    crowd.extra = times;
    crowd_add(&crowd, members, body, container);
    crowd_join(&crowd);
    done = atomic_load(&crowd.board->done);
    crowd_fini(&crowd);
    return done;
}

/* Two of them do the one thing while one does the other. */
static inline void peers_use_beside(void *container, int64_t times, peer_body *two_do, peer_body *one_does)
{
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd.extra = times;
    crowd_add(&crowd, 2, two_do, container);
    crowd_add(&crowd, 1, one_does, container);
    crowd_fini(&crowd);
}

#endif
