/* The types of the objects of this layer; each is defined beside the functions of its kind. */
#ifndef MPROC_SHARED_TYPES_H
#define MPROC_SHARED_TYPES_H

#include "object/type.h"

extern const struct object_type value_type;
extern const struct object_type array_type;
extern const struct object_type memory_type;
extern const struct object_type shareable_list_type;

#endif
