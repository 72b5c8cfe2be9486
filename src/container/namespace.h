/* Namespaces: dicts whose keys are names. */
#ifndef MPROC_CONTAINER_NAMESPACE_H
#define MPROC_CONTAINER_NAMESPACE_H

#include <mproc/namespace.h>

#include "container/dict.h"

extern const struct object_type namespace_type;

struct mproc_namespace {
    mproc_dict dict;
};

#endif
