/*
 * A stress over births: processes that do nothing but start others are killed, so that most births are cut off
 * at some point, on either side.
 */
#include "stress.h"

#include "check.h"

#include <mproc/mproc.h>

#include <stdio.h>

#define PARENTS 3

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

/*
 * A child whose parent is gone before it has read its spawn_data says so on stderr; here that is no news. All are
 * daemons: CreateProcess() starts a process suspended and then lets it run, so that one whose creator is killed in
 * between stays suspended for ever, unless its job ends it.
 */
static mproc_process *start(mproc_function *function)
{
    mproc_process_options options = {.daemon = MPROC_YES, .standard_error = {.kind = MPROC_STDIO_NULL}};
    mproc_process *process;

    if (mproc_process_create(function, mproc_no_args(), &options, &process) != MPROC_OK) return NULL;
    if (mproc_process_start(process) == MPROC_OK) return process;
    mproc_process_free(process);
    return NULL;
}

/* A child that stays, and one after the other that does not. */
static mproc_status bear(mproc_call *call)
{
    mproc_process *child;

    (void)call;
    if (start(stay) == NULL) return MPROC_SYSTEM;
    while ((child = start(leave)) != NULL) {
        (void)mproc_process_join(child, MPROC_FOREVER);
        mproc_process_free(child);
    }
    return MPROC_SYSTEM;
}

static mproc_process *start_parent(void)
{
    mproc_process *process;

    CHECK_OK(mproc_process_create(bear, mproc_no_args(), NULL, &process));
    CHECK_OK(mproc_process_start(process));
    return process;
}

/* One that was not killed must not have ended: bear() goes on for ever. */
static void end_parent(mproc_process *process)
{
    mproc_exit_status end;
    mproc_status status;

    CHECK_OK(mproc_process_kill(process));
    status = mproc_process_join(process, check_limit_ms());
    if (status != MPROC_NO_GUARD) CHECK_STATUS(status, MPROC_OK);
    end = mproc_process_exit_status(process);
    CHECK_EQ(end.kind, MPROC_EXIT_SIGNALLED);
    CHECK_EQ(end.signal, 9);
    mproc_process_free(process);
}

void stress_births(int seconds)
{
    uint32_t seed = stress_seed("births"), kills = 0, i;
    int64_t end_ms = check_now_ms() + seconds * 1000;
    mproc_process *parents[PARENTS];

    CHECK(mproc_current_process() != NULL);
    stress_remember();
    for (i = 0; i < PARENTS; i++) parents[i] = start_parent();
    while (check_now_ms() < end_ms) {
        i = stress_random(&seed) % PARENTS;
        stress_pause(&seed, 100, 3000);
        end_parent(parents[i]);
        parents[i] = start_parent();
        kills++;
    }
    for (i = 0; i < PARENTS; i++) end_parent(parents[i]);
    printf("%lu parents killed\n", (unsigned long)kills);
    stress_check_as_before();
}
