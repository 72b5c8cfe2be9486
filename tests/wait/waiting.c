#include "wait/waiting.h"

#include "arena/slot.h"
#include "process/alarm.h"
#include "process/process.h"

static mproc_status ends_when_told(mproc_call *call)
{
    mproc_connection *connection = NULL;

    MPROC_TRY(mproc_unpack(call, &connection));
    return mproc_connection_poll(connection, MPROC_FOREVER);
}

static mproc_status waits_for_the_gate(mproc_call *call)
{
    mproc_event *gate = NULL;

    MPROC_TRY(mproc_unpack(call, &gate));
    return mproc_event_wait(gate, MPROC_FOREVER);
}

void waiting_setup(void)
{
    connections_setup();
}

void each_create(one_of_each *each)
{
    memset(each, 0, sizeof *each);
    each->pipe = connections_create(false);
    each->child_pipe = connections_create(false);
    each->child = connections_start(ends_when_told, MPROC_ARGS(each->child_pipe.second));
    CHECK_OK(mproc_queue_create(NULL, &each->queue));
    CHECK_OK(mproc_event_create(&each->gate));
    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 1, .kind = MPROC_THREADS}, &each->pool));
    CHECK_OK(mproc_pool_apply_async(each->pool, waits_for_the_gate, MPROC_ARGS(each->gate), NULL, &each->result));
    CHECK_OK(mproc_event_create(&each->event));
    CHECK_OK(mproc_semaphore_create(0, NULL, &each->semaphore));
    CHECK_OK(plat_event_create(&each->handle));
    each->things[0] = MPROC_WAITABLE(each->pipe.first);
    each->things[1] = MPROC_WAITABLE(each->child);
    each->things[2] = MPROC_WAITABLE(each->queue);
    each->things[3] = MPROC_WAITABLE(each->result);
    each->things[4] = MPROC_WAITABLE(each->event);
    each->things[5] = MPROC_WAITABLE(each->semaphore);
    each->things[6] = mproc_waitable_handle(each->handle);
}

void each_make_ready(const one_of_each *each, int index)
{
    switch (index) {
    case 0:
        connections_send_int(each->pipe.second, 1);
        break;
    case 1:
        connections_send_int(each->child_pipe.first, 1);
        break;
    case 2:
        CHECK_OK(mproc_queue_put(each->queue, mproc_int(1), 0));
        break;
    case 3:
        CHECK_OK(mproc_event_set(each->gate));
        break;
    case 4:
        CHECK_OK(mproc_event_set(each->event));
        break;
    case 5:
        CHECK_OK(mproc_semaphore_release(each->semaphore));
        break;
    default:
        plat_event_set(each->handle);
        break;
    }
}

void each_free(one_of_each *each)
{
    CHECK_OK(mproc_event_set(each->gate));
    mproc_connection_free(each->child_pipe.first);
    mproc_connection_free(each->child_pipe.second);
    if (each->freed) fixture_await_gone(each->freed);
    else CHECK_EXITED(each->child, 0);
    connections_free(&each->pipe);
    mproc_queue_free(each->queue);
    mproc_result_free(each->result);
    mproc_pool_free(each->pool);
    mproc_event_free(each->gate);
    mproc_event_free(each->event);
    mproc_semaphore_free(each->semaphore);
    plat_handle_close(each->handle);
}

/* ---- threads ------------------------------------------------------------------------------------ */

static void wait_in_thread(void *argument)
{
    waiting_thread *waiting = argument;

    if (waiting->set)
        waiting->status =
            mproc_wait_set_wait(waiting->set, waiting->things, waiting->count, waiting->timeout_ms, &waiting->ready);
    else waiting->status = mproc_wait(waiting->things, waiting->count, waiting->timeout_ms, &waiting->ready);
    atomic_store(&waiting->ended, 1);
}

void waiting_begin(waiting_thread *waiting)
{
    atomic_store(&waiting->ended, 0);
    CHECK_OK(plat_thread_start(wait_in_thread, waiting, &waiting->thread));
}

void waiting_end(waiting_thread *waiting)
{
    CHECK_AWAIT(&waiting->ended, 1);
    plat_thread_join(waiting->thread);
}

static int parked_on_alarms(uint32_t process)
{
    uint64_t word = arena_offset(&process_slot_at(process)->alarms);
    uint32_t high = atomic_load(&arena_header->threads_high);
    int count = 0;

    for (uint32_t i = 1; i < high; i++) count += atomic_load(&thread_slot_at(i)->parked) == word;
    return count;
}

/* One that sleeps on the word is the thread that hears alarms. */
static bool sleep_so_many(void *count)
{
    return parked_on_alarms(thread_self.process) - alarm_threads() + alarm_waiting() >= *(const int *)count;
}

void waiting_await_asleep(int count)
{
    CHECK_WAIT_UNTIL(sleep_so_many, &count);
}

struct watchers {
    uint32_t process;
    int count;
};

static bool watch_so_many(void *context)
{
    const struct watchers *watchers = context;

    return parked_on_alarms(watchers->process) >= watchers->count;
}

void waiting_await_watchers(mproc_process *process, int count)
{
    struct watchers watchers = {process->slot, count};

    CHECK_WAIT_UNTIL(watch_so_many, &watchers);
}
