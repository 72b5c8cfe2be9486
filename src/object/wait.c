/* Waiting for others. */
#include "object/wait.h"

#include "object/recovery.h"

mproc_status wait_on(_Atomic uint32_t *word, uint32_t expected, int64_t deadline_ns)
{
    int64_t look_ns = plat_clock_now_ns() + WAIT_SLEEP_MAX_NS;
    bool last = deadline_ns <= look_ns;

    if (park_wait(word, expected, last ? deadline_ns : look_ns) != MPROC_TIMEOUT) return MPROC_OK;
    recovery_look();
    return last ? MPROC_TIMEOUT : MPROC_OK;
}
