/*
 * A manager's server: one thread accepts and receives, by a kept set, and does what takes moments; other calls, and
 * answers that do not go out at once, are for workers, of which there are as many as are at it, and one more.
 *
 * A session - one client - belongs to one thread at a time: to the server's while it is in the set, and otherwise to
 * the worker that has its call. So calls of one client come one after the other, and nothing of it needs a lock.
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
#include "object/reference.h"
#include "pool/thread.h"

/*
 * A client. `call` is a view of `request`: what is to be done. `answering`: it was done, and the answer is to be
 * sent. `previous` and `next` are guarded by the server's mutex, `next_job` by that of its workers.
 */
struct session {
    struct server *server;
    mproc_connection *connection;
    struct lent lent;
    mproc_value request;
    mproc_value call;
    struct message answer;
    bool answering;
    uint32_t counted; /* of its objects, in the server's number of them */
    struct session *previous, *next;
    struct session *next_job;
};

struct worker {
    struct pool_thread thread;
    struct server *server;
    _Atomic bool over;
};

/*
 * Guarded by `mutex`, but for `all`, which is the server's thread's. `idle` are the workers that wait, less the jobs
 * that were given and that nobody has taken yet; `count` are all that have not gone. A permit of `jobs` is one job,
 * or, at the end, one worker that is to go.
 */
struct workers {
    plat_mutex mutex;
    mproc_semaphore *jobs;
    struct session *first, **last;
    int64_t idle, count;
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
    mproc_dict *names; /* what is served */
    struct pool_thread thread;
    struct workers workers;
    plat_mutex mutex;
    struct session *sessions;
    struct server_counts *counts;
    struct server_counts own_counts;
    _Atomic bool down;
    plat_mutex shutdown;
};

/*
 * Serves what is in `names`, which is the server's if this is MPROC_OK. `counts` stay the caller's; NULL: the server
 * has its own.
 */
mproc_status server_create(const mproc_manager_options *options, mproc_dict *names, struct server_counts *counts,
                           struct server **out);

/* ---- sessions --------------------------------------------------------------------------------------- */

/* Takes the connection over, and greets. NULL: it is not accepted, and was told, as far as that goes at once. */
struct session *session_begin(struct server *server, mproc_connection *connection);

/* Closes and frees it, and all that it has. */
void session_end(struct session *session);

enum session_step {
    SESSION_WAITS, /* for its next call */
    SESSION_WORKS, /* there is something for a worker */
    SESSION_ENDS
};

/* A part of a call has come, or all of it. Does what takes moments. */
enum session_step session_receive(struct session *session);

/* In a worker: all that there is to do. */
enum session_step session_work(struct session *session);

/* ---- workers ---------------------------------------------------------------------------------------- */

mproc_status workers_init(struct workers *workers);

/* By the server's thread. The session is out of the set, and goes back into it. */
void workers_give(struct server *server, struct session *session);

/* Nothing is given any more. Waits until all are done. */
void workers_end(struct workers *workers);

/* The session waits for its next call, in the set; or ends, if it cannot be there. */
void server_await(struct session *session);

#endif
