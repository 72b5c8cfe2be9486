/*
 * Steps through the operations of the arena. The command line is that of steps.h.
 */
#include "test_family.h"
#include "steps.h"

static const steps_table *const tables[] = {&steps_intent, &steps_lock, &steps_park, &steps_block,
                                            &steps_extent, &steps_slot, NULL};

int main(int count, char **arguments)
{
    return steps_main(arguments + (count > 0), tables, test_family_found);
}
