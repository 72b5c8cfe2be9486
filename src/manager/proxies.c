/* The objects of a manager that a client has. */
#include "manager/proxies.h"

#include <stdlib.h>

#define ROOM_FIRST 16
/* Of a generation of a handle_ref. */
#define LIFE_MASK 0xFFFFFFu

/* Counts those that were received anew, of all managers. */
static _Atomic uint32_t lives;

/* ---- under the mutex ------------------------------------------------------------------------------------ */

static mproc_status make_room(struct proxies *proxies, uint32_t number)
{
    uint32_t room = proxies->room ? proxies->room : ROOM_FIRST;
    struct proxy *all;

    if (number >= MESSAGE_OBJECTS_MAX)
        return mproc_error(MPROC_BROKEN, "the manager has given an object the number %lu, which none has",
                           (unsigned long)number);
    while (room <= number) room *= 2;
    if (room == proxies->room) return MPROC_OK;
    if (!(all = realloc(proxies->all, room * sizeof *all)))
        return mproc_error(MPROC_NO_MEMORY, "no memory for %lu objects of a manager", (unsigned long)room);
    memset(all + proxies->room, 0, (room - proxies->room) * sizeof *all);
    proxies->all = all;
    proxies->room = room;
    return MPROC_OK;
}

static void owe(struct proxies *proxies, uint32_t number, uint32_t count)
{
    struct proxy *proxy = &proxies->all[number];

    if (proxy->owed == 0 && count > 0) {
        proxy->next_owed = proxies->owed_first;
        proxies->owed_first = number + 1;
    }
    proxy->owed += count;
}

/* Nobody here has it. */
static void give_back(struct proxies *proxies, uint32_t number)
{
    struct proxy *proxy = &proxies->all[number];

    if (proxy->here > 0 || proxy->received == 0) return;
    owe(proxies, number, proxy->received);
    proxy->received = 0;
    proxies->count--;
}

static bool is_there(const struct proxies *proxies, uint32_t number, uint32_t life)
{
    return number < proxies->room && proxies->all[number].life == life && proxies->all[number].received > 0;
}

/* ---- the calls ------------------------------------------------------------------------------------------ */

mproc_status proxies_receive(struct proxies *proxies, uint32_t kind, uint32_t number, uint32_t *life)
{
    mproc_status status;

    plat_mutex_lock(&proxies->mutex);
    if ((status = make_room(proxies, number)) == MPROC_OK) {
        struct proxy *proxy = &proxies->all[number];
        if (proxy->received == 0) {
            proxy->kind = kind;
            proxy->life = (atomic_fetch_add(&lives, 1) + 1) & LIFE_MASK;
            proxies->count++;
        }
        if (proxy->kind != kind) {
            status = mproc_error(MPROC_BROKEN, "the manager says that its object %lu is %s, which was %s",
                                 (unsigned long)number, handle_name(kind), handle_name(proxy->kind));
        } else {
            proxy->received++;
            *life = proxy->life;
        }
    }
    plat_mutex_unlock(&proxies->mutex);
    return status;
}

mproc_status proxies_hold(struct proxies *proxies, uint32_t number, uint32_t life)
{
    bool there;

    plat_mutex_lock(&proxies->mutex);
    if ((there = is_there(proxies, number, life))) proxies->all[number].here++;
    plat_mutex_unlock(&proxies->mutex);
    if (there) return MPROC_OK;
    return mproc_error(MPROC_CLOSED,
                       "an object of a manager that a value refers to was given back: a copy of a value "
                       "does not keep it");
}

void proxies_drop(struct proxies *proxies, uint32_t number)
{
    plat_mutex_lock(&proxies->mutex);
    proxies->all[number].here--;
    give_back(proxies, number);
    plat_mutex_unlock(&proxies->mutex);
}

void proxies_forget(struct proxies *proxies, uint32_t number)
{
    plat_mutex_lock(&proxies->mutex);
    if (number < proxies->room) give_back(proxies, number);
    plat_mutex_unlock(&proxies->mutex);
}

bool proxies_there(struct proxies *proxies, uint32_t number, uint32_t life)
{
    bool there;

    plat_mutex_lock(&proxies->mutex);
    there = is_there(proxies, number, life);
    plat_mutex_unlock(&proxies->mutex);
    return there;
}

size_t proxies_take_owed(struct proxies *proxies, mproc_value *values, size_t room)
{
    size_t count = 0;

    plat_mutex_lock(&proxies->mutex);
    while (proxies->owed_first && count + 2 <= room) {
        uint32_t number = proxies->owed_first - 1;
        struct proxy *proxy = &proxies->all[number];
        values[count++] = mproc_int(number);
        values[count++] = mproc_int(proxy->owed);
        proxies->owed_first = proxy->next_owed;
        proxy->owed = 0;
    }
    plat_mutex_unlock(&proxies->mutex);
    return count;
}

void proxies_owe(struct proxies *proxies, const mproc_value *values, size_t count)
{
    plat_mutex_lock(&proxies->mutex);
    for (size_t i = 0; i + 1 < count; i += 2)
        owe(proxies, (uint32_t)mproc_value_int(values[i]), (uint32_t)mproc_value_int(values[i + 1]));
    plat_mutex_unlock(&proxies->mutex);
}
