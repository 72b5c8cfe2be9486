/* What becomes of tasks, in the owner's own memory. */
#include "pool/outcome.h"

#include <stdlib.h>
#include <string.h>

#include "object/parcel.h"
#include "pool/async_map.h"
#include "pool/bell.h"
#include "pool/limits.h"
#include "process/family.h"

/* A copy of the text that is no longer needed where it is. */
static char *copy_of(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);

    return copy ? memcpy(copy, text, size) : NULL;
}

void outcome_take(mproc_result *result, const struct task_slot *slot, const _Atomic uint64_t *link,
                  enum task_state state)
{
    mproc_status status = MPROC_OK;

    result->begun++;
    if (result->unwanted) return;
    if (state == TASK_FAILED) {
        status = (mproc_status)slot->function;
        if (slot->form == TASK_PARCEL) result->text = copy_of(parcel_data(parcel_at(atomic_load(link))));
    } else if (slot->form == TASK_CELLS) {
        result->size = (uint8_t)slot->size;
        memcpy(result->cells, slot->data, sizeof result->cells); /* quicker than so many bytes as there are */
    } else if (slot->form == TASK_PARCEL) {
        status = resource_slot_take(&result->owned);
        if (status == MPROC_OK) object_refer(work_intent(), atomic_load(link), result->owned, OBJECT_GIVEN);
        else result->text = copy_of(mproc_last_error_text());
    }
    result->status = status;
}

/* Nobody holds it any more, and it has no parcel. */
static void discard(mproc_result *result)
{
    struct tasks *tasks = result->tasks;

    async_map_free(result->map);
    free(result->limits);
    free(result->text);
    result_memory_give(&tasks->results, result);
    tasks->holders--;
}

void outcome_publish(mproc_result *result)
{
    limits_done(result->tasks, result->limits);
    atomic_store_explicit(&result->state, result->status == MPROC_OK ? RESULT_DONE : RESULT_FAILED,
                          memory_order_release);
    if (result->callback || result->error_callback) callbacks_add(result);
    else if (--result->holders == 0) discard(result);
}

void outcome_set(mproc_result *result, mproc_status status, const char *text)
{
    result->status = status;
    if (status != MPROC_OK) result->text = copy_of(text);
}

mproc_result *outcome_create(struct tasks *tasks)
{
    mproc_result *result = result_memory_take(&tasks->results);

    if (!result) return NULL;
    result->tasks = tasks;
    tasks->holders++;
    return result;
}

void outcome_put(mproc_result *result)
{
    if (--result->holders > 0) return;
    resource_release(result->owned);
    discard(result);
}

void outcome_of_map(mproc_result *result, mproc_status status, const char *text)
{
    struct tasks *tasks = result->tasks;
    uint64_t word;

    plat_mutex_lock(&tasks->mutex);
    outcome_set(result, status, text);
    word = atomic_exchange(&result->slot->word, task_word(0, 0, TASK_ENDED));
    result->begun = task_state_of(word, 0) == TASK_TAKEN;
    outcome_publish(result);
    plat_mutex_unlock(&tasks->mutex);
    if (task_bell(word)) bell_tell(tasks->shared, task_bell(word));
}
