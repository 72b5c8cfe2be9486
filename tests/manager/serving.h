/* What the tests of managers share, besides listening.h. */
#ifndef SERVING_H
#define SERVING_H

#include "connection/listening.h"

/* For CHECK_SUITE_SETUP: as listening_setup(), and a manager with a client was there. */
void serving_setup(void);

/* A manager, and a client of it in this process. */
typedef struct serving {
    mproc_manager *manager, *client;
} serving;

/* With the key "a key". `options` may be NULL, and has no key. */
serving serving_create(int kind, const mproc_manager_options *options);
void serving_free(serving *both);
mproc_manager *serving_connect(const mproc_manager *manager);

/* The dict that is served under the name. */
mproc_dict *serving_dict(mproc_manager *client, const char *name);

/* Serves a new dict of these items under the name, and nobody else has it. */
void serving_put(mproc_manager *manager, const char *name, mproc_value items);

/* A connection that has proved the key and has got the greeting. */
mproc_connection *serving_raw(const mproc_manager *manager);

/* By it: gets an object that has a name, as the first one that this client has: its number is 1. */
void serving_raw_get(mproc_connection *raw, const char *name);

/* By it: sends a call. Checks the answer: its number, its status, and a part of its text, unless that is NULL. */
void serving_raw_call(mproc_connection *raw, mproc_value call, mproc_status status, const char *text);

/* Waits until the manager has so many clients, or so many objects are lent. */
void serving_await_clients(const mproc_manager *manager, size_t count);
void serving_await_objects(const mproc_manager *manager, size_t count);

/* A manager that is a process of its own, with the key "a key" unless there is one. */
mproc_status serving_start(const mproc_manager_options *options, mproc_manager **manager, int64_t timeout_ms);
mproc_manager *serving_started(const mproc_manager_options *options);

/* Waits until it has ended, in this way: `number` is the exit code, or the signal. */
void serving_check_ended(mproc_manager *manager, mproc_exit_kind kind, int number);

#endif
