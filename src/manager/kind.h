/*
 * The kinds of managers that a program has: one that serves in this process, one that serves in a process of its own,
 * and a connection to one. Each is a row of functions; <mproc/manager.h> says what they do.
 */
#ifndef MPROC_MANAGER_KIND_H
#define MPROC_MANAGER_KIND_H

#include <mproc/dict.h>
#include <mproc/manager.h>
#include <mproc/object.h>
#include <mproc/process.h>

struct manager_kind {
    mproc_status (*serve)(void *self, const char *name, const mproc_value *value);
    mproc_status (*withdraw)(void *self, const char *name);
    mproc_status (*get)(void *self, const char *name, mproc_value *value);
    mproc_status (*make)(void *self, const char *type, const mproc_value *args, mproc_value *value);
    mproc_status (*add_class)(void *self, const mproc_class *class_); /* NULL: it does not serve */
    mproc_status (*debug_info)(void *self, mproc_value *info);
    const char *(*address)(const void *self);
    size_t (*clients)(const void *self);
    size_t (*objects)(void *self);
    mproc_process *(*process)(void *self); /* NULL: it is none of its own */
    void (*shutdown)(void *self);
    void (*free)(void *self);
};

struct mproc_manager {
    const struct manager_kind *kind;
    void *self;
};

extern const struct manager_kind server_kind;
extern const struct manager_kind started_kind;
extern const struct manager_kind client_kind;

/* Those that serve keep what they serve in a dict of the family. */
mproc_status names_serve(mproc_dict *names, const char *name, const mproc_value *value);
mproc_status names_withdraw(mproc_dict *names, const char *name);
mproc_status names_get(const mproc_dict *names, const char *name, mproc_value *value);

#endif
