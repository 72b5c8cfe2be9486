/*
 * A manager's server: one thread accepts and receives, by a kept set, and does what takes moments; other calls, and
 * answers that do not go out at once, are for workers, of which there are as many as are at it, and one more.
 *
 * A client - a session - has one connection or more: its lines. The server's thread alone receives, also while a
 * worker has a line's call: so it learns at once that the client has ended or has given the call up, and asks the
 * worker to stop. Calls of one line come one after the other.
 *
 * What a call acquires is its thread's. A worker whose thread holds something after a call stays with the line, and
 * carries out all that comes by it, until it holds nothing, or the line ends: then it abandons what it holds.
 */
#ifndef MPROC_MANAGER_SERVER_H
#define MPROC_MANAGER_SERVER_H

#include <mproc/dict.h>
#include <mproc/listener.h>
#include <mproc/manager.h>
#include <mproc/semaphore.h>
#include <mproc/wait.h>

#include "manager/lent.h"
#include "manager/message.h"
#include "object/interrupt.h"
#include "object/reference.h"
#include "pool/thread.h"

#define SESSION_TOKEN_BYTES 16

/* A client. `lines` - how many it has -, `previous` and `next` are guarded by the server's mutex. */
struct session {
    struct server *server;
    struct lent lent;
    uint32_t counted; /* of its objects, in the server's number of them; guarded as those */
    uint32_t lines;
    unsigned char token[SESSION_TOKEN_BYTES];
    struct session *previous, *next;
};

/*
 * A connection. It belongs to the server's thread, or, while it is `busy`, to a worker: `call`, a view of `request`,
 * is to be done, or, `answering`, was done, and the answer is to be sent. `holds`: the thread that does it holds
 * something.
 *
 * `mutex` guards the second part. `watched`: it is in the server's set; if not, its worker frees it at its end.
 * `waiting` is a message that came while it was busy. `worker` is at its call `number`, or, while it is not busy,
 * holds something for it; `given_up` is the number of a call that is to stop. `previous` and `next` are guarded by
 * the server's mutex, `next_job` by that of its workers. Order of mutexes: the server's, the line's, the workers'.
 */
struct line {
    struct server *server;
    struct session *session;
    mproc_connection *connection;
    mproc_value request;
    mproc_value call;
    struct message answer;
    bool answering;
    bool holds;
    uint64_t taken_from; /* the object out of which the last call has taken what has not been received yet, or 0 */

    plat_mutex mutex;
    bool busy, ends, watched;
    mproc_value waiting;
    struct worker *worker;
    int64_t number, given_up;

    struct line *previous, *next;
    struct line *next_job;
};

/*
 * A permit of `call` is a call of the line for which it holds something, or the end of that. `deserted`: the line
 * that it is at has ended.
 */
struct worker {
    struct pool_thread thread;
    struct server *server;
    mproc_semaphore *call;
    struct stop_request request;
    _Atomic bool deserted;
    uint64_t requests;
    bool rests, goes; /* its own */
    _Atomic bool over;
};

/*
 * Guarded by `mutex`, but for `all`, which is the server's thread's. `idle` are the workers that wait, less the jobs
 * that were given and that nobody has taken yet. A permit of `jobs` is one job, or, at the end, one worker that is to
 * go.
 */
struct workers {
    plat_mutex mutex;
    mproc_semaphore *jobs;
    struct line *first, **last;
    int64_t idle;
    struct worker **all;
    size_t room;
};

/* What whoever has started the manager sees, too: changed by its server alone. */
struct server_counts {
    _Atomic uint32_t clients;
    _Atomic uint64_t objects;
};

struct server {
    uint32_t arena;
    struct mproc_manager_options options; /* with all defaults; neither address nor key */
    mproc_listener *listener;
    mproc_wait_set *set;
    mproc_dict *names;   /* what is served */
    mproc_dict *classes; /* of which it makes objects */
    struct pool_thread thread;
    struct workers workers;
    plat_mutex mutex;
    struct session *sessions;
    struct server_counts *counts;
    struct server_counts own_counts;
    struct line *lines;
    _Atomic uint32_t connections;
    uint32_t asks; /* so often is whoever is to stop woken once more, by the server's thread */
    _Atomic bool down;
    plat_mutex shutdown;
};

/*
 * Serves what is in `names`, and makes objects of `classes`, both of which are the server's if this is MPROC_OK.
 * `counts` stay the caller's; NULL: the server has its own.
 */
mproc_status server_create(const mproc_manager_options *options, mproc_dict *names, mproc_dict *classes,
                           struct server_counts *counts, struct server **out);

/* Of a type, or of a class; `served`: another program is to have it. As types_make() and classes_make(). */
mproc_status server_make(const struct server *server, const char *type, const mproc_value *args, bool served,
                         mproc_value *value);

/* A text that says what each client has. `*info` is the caller's. */
mproc_status server_debug_info(struct server *server, mproc_value *info);

/* ---- sessions --------------------------------------------------------------------------------------- */

/* With one line. MPROC_LIMIT: there are as many connections as there can be; MPROC_NO_MEMORY, MPROC_SYSTEM. */
mproc_status session_create(struct server *server, struct session **out);

/* A line of it ends; with the last one the client has nothing any more. */
void session_release(struct session *session);

/* The line is one of the client's who has the token, from now on. MPROC_INVALID, MPROC_LIMIT. */
mproc_status session_join(struct line *line, const mproc_value *token);

/* ---- lines ------------------------------------------------------------------------------------------ */

/* Takes the connection over, and greets. NULL: it is not accepted, and was told, as far as that goes at once. */
struct line *line_begin(struct server *server, mproc_connection *connection);

/* Closes and frees it, and all that it has. */
void line_end(struct line *line);

enum line_step {
    LINE_WAITS, /* for its next call */
    LINE_WORKS, /* there is something for a worker */
    LINE_HELD,  /* it waits for its next call, and the worker holds something for it */
    LINE_ENDS
};

/* By the server's thread: something has come. Does what takes moments. */
enum line_step line_receive(struct line *line);

/* By the server's thread, which has no worker for what there is to do: why, is the answer. */
enum line_step line_fail(struct line *line, mproc_status status);

/* In a worker: all that there is to do. */
enum line_step line_work(struct line *line, struct worker *worker);

/*
 * In its worker, after LINE_WAITS: what comes next, of which LINE_WORKS is for the same worker. `rest` is called when
 * the worker is free.
 */
enum line_step line_next(struct line *line, struct worker *worker, void (*rest)(struct worker *worker));

/* In its worker, after LINE_ENDS. */
void line_give_up(struct line *line);

/* The manager ends: so do its lines, and calls that wait. */
void lines_close(struct server *server);

mproc_waitable line_waitable(struct line *line);

/* ---- workers ---------------------------------------------------------------------------------------- */

mproc_status workers_init(struct workers *workers);

/* By the server's thread. MPROC_LIMIT: there is no thread for it. */
mproc_status workers_give(struct server *server, struct line *line);

/* Nothing is given any more. Waits until all are done. */
void workers_end(struct workers *workers);

#endif
