/*
 * Steps through the objects that processes share, and their handles, and through what a pool's workers do with tasks.
 * The command line is that of steps.h.
 */
#include "test_family.h"
#include "steps.h"

static const steps_table *const tables[] = {
    &steps_object,     &steps_locks,       &steps_semaphore,    &steps_condition, &steps_event,
    &steps_barrier,    &steps_shared,      &steps_named,        &steps_queue,     &steps_queue_asleep,
    &steps_queue_lost, &steps_queue_lease, &steps_queue_object, &steps_dict,      &steps_set,
    &steps_namespace,  &steps_list,        &steps_deposit,      &steps_tasks,     &steps_workers,
    &steps_limits,     &steps_retries,     &steps_wait,         &steps_service,   NULL,
};

int main(int count, char **arguments)
{
    return steps_main(arguments + (count > 0), tables, test_family_found);
}
