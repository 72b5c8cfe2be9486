/* This process and its parent, as objects; and what a program asks about itself. */
#include "process/self.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "process/family.h"

#define KEY_BYTES 32

/* Filled by the first call under `mutex`, then read by all; the name and key may be changed later by the program. */
static plat_mutex mutex;
static bool filled;
static mproc_process self = {.os = {PLAT_NO_HANDLE, 0}, .parent_end = PLAT_NO_HANDLE};
static mproc_process parent = {.os = {PLAT_NO_HANDLE, 0}, .parent_end = PLAT_NO_HANDLE};
static _Atomic uint32_t children_named;

static void fill_child(const struct spawn_data *spawn_data)
{
    memcpy(self.name, spawn_data->name, sizeof self.name);
    memcpy(self.identity, spawn_data->identity, sizeof self.identity);
    memcpy(self.authkey, spawn_data->authkey, sizeof self.authkey);
    self.authkey_size = spawn_data->authkey_size;
    self.daemon = atomic_load(&family_slot()->flags) & PROCESS_DAEMON;
    memcpy(parent.name, spawn_data->parent_name, sizeof parent.name);
    parent.role = PROCESS_PARENT;
    parent.phase = PROCESS_STARTED;
    parent.os.pid = spawn_data->parent_pid;
    parent.os.handle = family.child_end;
}

/* Without random bytes there is no key, and authenticated connections are refused: nothing else depends on it. */
mproc_process *process_self(void)
{
    plat_mutex_lock(&mutex);
    if (!filled) {
        self.role = PROCESS_SELF;
        self.arena = parent.arena = arena_generation;
        self.phase = PROCESS_STARTED;
        self.os.pid = plat_process_id();
        if (family.child) {
            fill_child(family.spawn_data);
        } else {
            snprintf(self.name, sizeof self.name, "MainProcess");
            if (plat_system_random(self.authkey, KEY_BYTES) == MPROC_OK) self.authkey_size = KEY_BYTES;
        }
        filled = true;
    }
    plat_mutex_unlock(&mutex);
    return &self;
}

/* What the program knows as its own process is that of the copy from now on. */
void self_forked(void)
{
    memset(&mutex, 0, sizeof mutex);
    memset(self.identity, 0, sizeof self.identity);
    self.daemon = false;
    filled = false;
    log_set_name("MainProcess");
    atomic_store(&children_named, 0);
}

void process_next_identity(char identity[SPAWN_IDENTITY_BYTES])
{
    uint32_t number = atomic_fetch_add(&children_named, 1) + 1;
    const char *own = process_self()->identity;

    snprintf(identity, SPAWN_IDENTITY_BYTES, "%.100s%s%lu", own, *own ? ":" : "", (unsigned long)number);
}

mproc_process *mproc_current_process(void)
{
    return family_enter() == MPROC_OK ? process_self() : NULL;
}

mproc_process *mproc_parent_process(void)
{
    if (family_enter() != MPROC_OK || !family.child) return NULL;
    process_self();
    return &parent;
}

int64_t mproc_getpid(void)
{
    return plat_process_id();
}

int64_t mproc_getppid(void)
{
    const mproc_process *object = mproc_parent_process();
    return object ? object->os.pid : plat_process_parent_id();
}

int mproc_cpu_count(void)
{
    return plat_system_cpu_count();
}
