/*
 * The birth of a process. Promised: whoever is killed at whatever instruction of it, nothing stays behind: no slot,
 * no spawn_data, no daemon; and the parent learns how its child ended.
 */
#include "born.h"
#include "steps.h"

#include <mproc/mproc.h>

#include <stdlib.h>
#include <unistd.h>

#define LIMIT_MS 20000

struct birth {
    struct born_census before;
    mproc_process *process;
    int pipe_end;
};

/* ---- the child is killed, from the first line of its main() to the first of its task ------------------ */

static mproc_status first_line(mproc_call *call)
{
    (void)call;
    step_victim_end();
    return MPROC_OK;
}

/* The first start makes the reaper and what the process itself needs once. */
static void warm_up(void)
{
    static bool warm;
    mproc_process *process;

    if (warm) return;
    warm = true;
    if (mproc_process_create(first_line, mproc_bytes("some bytes", 10), NULL, &process) != MPROC_OK) abort();
    if (mproc_process_start(process) != MPROC_OK) abort();
    if (mproc_process_join(process, LIMIT_MS) != MPROC_OK) abort();
    mproc_process_free(process);
    born_settle();
}

static void begin(void *state)
{
    warm_up();
    ((struct birth *)state)->before = born_baseline();
}

static int64_t start_task(struct birth *birth, mproc_function *task, bool victim)
{
    mproc_args args = mproc_bytes("some bytes", 10);

    if (mproc_process_create(task, args, NULL, &birth->process) != MPROC_OK) return 0;
    born_victims(victim);
    if (mproc_process_start(birth->process) != MPROC_OK) return 0;
    born_victims(false);
    return mproc_process_pid(birth->process);
}

static int64_t start_child(void *state)
{
    return start_task(state, first_line, true);
}

static const char *check_joined(struct birth *birth)
{
    mproc_status status = mproc_process_join(birth->process, LIMIT_MS);
    mproc_exit_status exit = mproc_process_exit_status(birth->process);

    mproc_process_free(birth->process);
    if (status != MPROC_OK && status != MPROC_NO_GUARD) return step_says("join: %s", mproc_status_name(status));
    if (exit.kind != MPROC_EXIT_SIGNALLED || exit.signal != 9)
        return step_says("its exit status is kind %d, code %d, signal %d", (int)exit.kind, exit.code, exit.signal);
    return NULL;
}

static const char *check_child(void *state, bool completed)
{
    struct birth *birth = state;
    const char *wrong = check_joined(birth);

    (void)completed;
    return wrong != NULL ? wrong : born_compare(&birth->before);
}

/* ---- the parent is killed, itself a child of this process ---------------------------------------------- */

static mproc_status stay(mproc_call *call)
{
    (void)call;
    return mproc_sleep_ms(3600 * 1000);
}

static mproc_status leave(mproc_call *call)
{
    (void)call;
    return MPROC_OK;
}

/* A child whose parent is gone before it has read its spawn_data says so; here that is no news. */
static mproc_status start_a(mproc_function *task, mproc_choice daemon)
{
    mproc_process_options options = {.daemon = daemon, .standard_error = {.kind = MPROC_STDIO_NULL}};
    mproc_process *process;

    if (mproc_process_create(task, mproc_no_args(), &options, &process) != MPROC_OK) return MPROC_SYSTEM;
    step_victim_begin();
    (void)mproc_process_start(process);
    step_victim_end();
    return MPROC_OK;
}

/* Killed, it leaves a daemon, which the system ends; its slot and the daemon's come back to the root. */
static mproc_status start_a_daemon(mproc_call *call)
{
    (void)call;
    return start_a(stay, MPROC_YES);
}

static int64_t start_parent(void *state)
{
    return start_task(state, start_a_daemon, false);
}

/* The same where no process has a descriptor: what tells the parent's end and the child's are pipes. */
static mproc_status start_a_daemon_by_pipe(mproc_call *call)
{
    (void)call;
    if (!born_without_descriptors()) return MPROC_NOT_SUPPORTED;
    return start_a(stay, MPROC_YES);
}

static int64_t start_parent_by_pipe(void *state)
{
    return start_task(state, start_a_daemon_by_pipe, false);
}

/* ---- the root is killed: nobody is left to recover anything ---------------------------------------------- */

int born_parent(void)
{
    return start_a(stay, MPROC_YES) == MPROC_OK ? 0 : 1;
}

/* Its child is no daemon: it must find out by itself, or come to its end. */
int born_parent_of_other(void)
{
    return start_a(leave, MPROC_NO) == MPROC_OK ? 0 : 1;
}

static int64_t start_root(void *state)
{
    return born_start(BORN_PARENT, &((struct birth *)state)->pipe_end);
}

static int64_t start_root_of_other(void *state)
{
    return born_start(BORN_PARENT_OF_OTHER, &((struct birth *)state)->pipe_end);
}

static const char *check_all_ended(void *state, bool completed)
{
    (void)completed;
    return born_all_ended(((struct birth *)state)->pipe_end);
}

static const step_scenario scenarios[] = {
    {.name = "start.child", .setup = begin, .start = start_child, .check = check_child, .keep_status = true},
    /* A start takes milliseconds: each instruction of it is for the soak. Those of start.root are the same. */
    {.name = "start.parent",
     .setup = begin,
     .start = start_parent,
     .check = check_child,
     .keep_status = true,
     .slow = true},
    {.name = "start.parent_by_pipe",
     .setup = begin,
     .start = start_parent_by_pipe,
     .check = check_child,
     .keep_status = true,
     .slow = true},
    {.name = "start.root", .setup = begin, .start = start_root, .check = check_all_ended, .slow = true},
    {.name = "start.root_of_other",
     .setup = begin,
     .start = start_root_of_other,
     .check = check_all_ended,
     .slow = true},
};

const steps_table steps_start = STEPS_TABLE(scenarios);
