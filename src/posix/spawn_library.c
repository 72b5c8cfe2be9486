/* Where clone3() is missing: an order as posix_spawn() wants it. */
#include "spawn_close.h"
#include "spawn_order.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>

static int library_step(posix_spawn_file_actions_t *actions, const spawn_step *step);
static int library_attributes(posix_spawnattr_t *attributes, const spawn_order *order);

int spawn_by_library(const spawn_order *order, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;

    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) return error;
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        error = library_attributes(&attributes, order);
        for (int i = 0; i < order->step_count && error == 0; i++) error = library_step(&actions, &order->steps[i]);
        if (error == EBADF) error = EMFILE; /* it calls a number bad that is not below the limit */
        if (error == 0) {
            error = posix_spawn(pid, order->path, &actions, &attributes, order->arguments, order->environment);
        }
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static int library_step(posix_spawn_file_actions_t *actions, const spawn_step *step)
{
    switch (step->act) {
    case SPAWN_OPEN_NULL:
        return posix_spawn_file_actions_addopen(actions, step->number, "/dev/null", O_RDWR, 0);
    case SPAWN_COPY:
        return posix_spawn_file_actions_adddup2(actions, step->from, step->number);
    case SPAWN_CLOSE:
        return posix_spawn_file_actions_addclose(actions, step->number);
    case SPAWN_CLOSE_FROM:
        return spawn_close_from(actions, step->number);
    case SPAWN_ENTER:
        return posix_spawn_file_actions_addchdir_np(actions, step->directory);
    }
    return EINVAL;
}

static int library_attributes(posix_spawnattr_t *attributes, const spawn_order *order)
{
    int error = posix_spawnattr_setsigmask(attributes, &order->mask);

    if (error == 0) error = posix_spawnattr_setsigdefault(attributes, &order->defaults);
    if (error != 0) return error;
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}
