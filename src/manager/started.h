/*
 * A manager that is a process of its own, as its starter has it. What is served is in a dict of the family, and the
 * counts in memory of the family: so the starter calls the process only for what lies in its memory, objects of
 * classes and what clients have, by an object that it has. A pipe says whether it has begun to
 * serve; when the starter closes that, the process ends.
 */
#ifndef MPROC_MANAGER_STARTED_H
#define MPROC_MANAGER_STARTED_H

#include <mproc/connection.h>
#include <mproc/dict.h>
#include <mproc/listener.h>
#include <mproc/manager.h>
#include <mproc/object.h>
#include <mproc/process.h>
#include <mproc/shared.h>

#include "platform.h"

/* `mutex` is for those who shut down. */
struct started {
    uint32_t arena;
    mproc_process *process;
    mproc_connection *control;
    mproc_dict *names;
    mproc_dict *classes;
    mproc_object *maker;        /* in the process: makes objects of them, and tells what clients have */
    mproc_shared_value *counts; /* a struct server_counts */
    int64_t shutdown_timeout_ms;
    _Atomic bool down;
    plat_mutex mutex;
    char address[MPROC_ADDRESS_BYTES];
};

/* `options` have all defaults. Blocks until it serves, or does not. */
mproc_status started_create(const mproc_manager_options *options, int64_t timeout_ms, struct started **out);

/* What the process runs. */
mproc_status started_main(mproc_call *call);

/* What it is given, in this order, and what it says by the pipe when it serves, or cannot. */
enum started_argument {
    STARTED_CONTROL,
    STARTED_NAMES,
    STARTED_CLASSES,
    STARTED_COUNTS,
    STARTED_OPTIONS, /* bytes: a struct mproc_manager_options without what it points to, which follows */
    STARTED_ADDRESS,
    STARTED_AUTHKEY,
    STARTED_INITIALIZER,
    STARTED_INITIALIZER_ARGS,
    STARTED_ARGUMENTS
};
enum started_report { STARTED_STATUS, STARTED_TEXT /* the address, or why not */, STARTED_MAKER };

#endif
