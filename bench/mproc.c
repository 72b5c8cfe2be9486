#include "mproc.h"

#include <mproc/mproc.h>
#include <string.h>

static const struct task tasks[] = {
    {"start", start},
    {"start-names", start_names},
    {"lock", lock},
    {"lock-contended", lock_contended},
    {"semaphore-trip", trip_semaphore},
    {"event-trip", trip_event},
    {"condition-trip", trip_condition},
    {"semaphore", semaphore_alone},
    {"event-set", event_set},
    {"event-is-set", event_is_set},
    {"event-wait", event_wait},
    {"create-lock", create_lock},
    {"create-event", create_event},
    {"create-array", create_array},
    {"create-100-bytes", create_100_bytes},
    {"create-beside", create_beside},
    {"map-item", map_item},
    {"map-range", map_range},
    {"map-shared-item", map_shared_item},
    {"map-shared-range", map_shared_range},
    {"map-cold-item", map_cold_item},
    {"map-cold-range", map_cold_range},
    {"map-work", map_work},
    {"map-work-one", map_work_one},
    {"map-skewed", map_skewed},
    {"map-skewed-one", map_skewed_one},
    {"value-copied", value_copied},
    {"value-checked", value_checked},
    {"queue", queue_bytes},
    {"queue-2x2", queue_2x2},
    {"queue-4x4", queue_4x4},
    {"queue-many", queue_many},
    {"queue-int", queue_int},
    {"queue-string", queue_string},
    {"queue-map", queue_map},
    {"queue-trip", queue_trip},
    {"connection-trip", connection_trip},
    {"connection-stream", connection_stream},
    {"wait-once", wait_once},
    {"wait-kept", wait_kept},
    {"connection-accept", connection_accept},
    {"connection-authenticate", connection_authenticate},
    {"dict-look", dict_look},
    {"dict-change", dict_change},
    {"dict-readers", dict_readers},
    {"dict-grow", dict_grow},
    {"dict-bytes", dict_bytes},
    {"tasks-async", tasks_async},
    {"tasks-cold", tasks_cold},
    {"tasks-trip", tasks_trip},
    {"tasks-imap", tasks_imap},
    {"tasks-sleep", tasks_sleep},
    {"tasks-sized", tasks_sized},
    {"tasks-sized-threads", tasks_sized_threads},
    {"tasks-cancel", tasks_cancel},
    {"tasks-beside", tasks_beside},
    {"worker-death", worker_death},
    {"task-death", task_death},
    {"recovery", recovery},
    {"recovery-owner", recovery_owner},
    {"idle-pool", idle_pool},
    {"idle-waiters", idle_waiters},
    {NULL, NULL},
};

int main(int count, char **arguments)
{
    /* The program that does nothing: what a start costs without the library. */
    if (count == 2 && strcmp(arguments[1], "--nothing") == 0) return 0;
    mproc_main_guard();
    return measure_main(count, arguments, tasks);
}
