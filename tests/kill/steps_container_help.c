#include "steps_container.h"

#include "container/container.h"
#include "object/resource_owner.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES 4096

const char test_text[] = "a text that is longer than what a value itself has room for";
const char test_other[] = "another text that is longer than what a value has room for, and longer than that one";

mproc_lock *test_lock;
void *test_container_mine;
int64_t test_number;

static const struct container_change *change;
static struct reference *container; /* the root's */

/* What there is when the victim begins, and when it is done. */
static struct content {
    char text[TEXT_BYTES];
    uint32_t handles; /* of the lock */
} before, after;

void test_must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

mproc_status test_cleared(mproc_status status, mproc_value *value)
{
    if (status == MPROC_OK) mproc_value_clear(value);
    return status;
}

mproc_status test_doubles(mproc_call *call)
{
    mproc_value args = mproc_call_value(call), value = mproc_value_at(args, 0);

    return mproc_call_return(call, MPROC_LIST(value, value, test_text));
}

/* ---- before ----------------------------------------------------------------------------------------------- */

static uint32_t lock_handles(void)
{
    return test_lock ? object_handles(((const struct reference *)(const void *)test_lock)->at) : 0;
}

static void look(const struct reference *from, struct content *content)
{
    mproc_value copy;

    content->handles = lock_handles();
    test_must(change->kind->copy(from, &copy));
    if (mproc_value_print(copy, content->text, TEXT_BYTES) >= TEXT_BYTES) abort();
    mproc_value_clear(&copy);
}

static struct reference *make(void)
{
    struct reference *it;

    test_must(change->kind->make(change->kind->object, &it));
    change->fill(it);
    return it;
}

/*
 * The change is tried with another container that has the same, to know what comes of it. That goes only when the
 * victim's is made, or its memory would have the number that is to come in it already.
 */
void test_container_begin(void *state)
{
    struct reference *other;

    test_container_begin_alone(state);
    change = step_about();
    test_number = 1000 + step_turn();
    if (change->objects) test_must(mproc_lock_create(NULL, &test_lock));
    other = make();
    test_must(change->change(other));
    look(other, &after);
    container = make();
    reference_free(other);
    look(container, &before);
}

void test_container_begin_alone(void *state)
{
    test_family_pass_objects();
    test_family_begin(state);
    container = NULL;
    test_lock = NULL;
}

/* ---- the victim ------------------------------------------------------------------------------------------- */

void test_container_enter(void *state)
{
    struct reference *mine;

    test_family_enter_victim(state);
    test_must(reference_open(&container->ref, &mine));
    test_container_mine = mine;
}

/* It has a table of owned slots. */
void test_container_enter_alone(void *state)
{
    _Atomic uint64_t *owned;

    test_family_enter_victim(state);
    test_must(resource_take(1, 0, &owned));
    resource_release(owned);
}

void test_container_operation(void *state)
{
    test_must(change->change(test_container_mine));
    atomic_store(&((struct test_family *)state)->victim_said, 1);
}

void test_container_free_mine(void *state)
{
    (void)state;
    reference_free(test_container_mine);
}

/* ---- afterwards ------------------------------------------------------------------------------------------- */

/* What the dead has begun and not finished is finished by whoever takes the lock. */
void test_container_recover(void *state)
{
    test_family_recover(state);
    if (container) container_unlock(container_lock(container_of(container)), container_of(container));
}

static const char *check_sound(void)
{
    const char *wrong = change->kind->sound(container);

    return wrong ? step_says("%s", wrong) : NULL;
}

static bool is_as(const struct content *now, const struct content *then)
{
    return strcmp(now->text, then->text) == 0 && now->handles == then->handles;
}

static const char *check_use(const struct content *now)
{
    static struct content again;
    const char *wrong;

    test_must(change->kind->use(container));
    if ((wrong = check_sound()) != NULL) return wrong;
    look(container, &again);
    test_must(change->kind->use_less(container));
    if ((wrong = check_sound()) != NULL) return wrong;
    look(container, &again);
    return is_as(&again, now) ? NULL : step_says("after others have used it there is %s", again.text);
}

static const char *check_end(void)
{
    reference_free(container);
    if (!test_lock) return NULL;
    if (lock_handles() != 1) return step_says("the lock counts %u handles at the end", lock_handles());
    mproc_lock_free(test_lock);
    return NULL;
}

const char *test_container_check(void *state, bool completed)
{
    bool done = completed || atomic_load(&((struct test_family *)state)->victim_said);
    static struct content now;
    const char *wrong = check_sound();

    if (wrong) return wrong;
    look(container, &now);
    if (!is_as(&now, &after) && (done || !is_as(&now, &before)))
        return step_says("there is %s; the lock counts %u handles", now.text, now.handles);
    if ((wrong = check_use(&now)) != NULL) return wrong;
    test_family_disband(state);
    if ((wrong = check_end()) != NULL) return wrong;
    return test_family_check(state, completed);
}
