/* The list of all types of objects. It is above all layers: a new kind adds its row here, and nothing below. */
#include "connection/stream.h"
#include "connection/connection.h"
#include "container/dict.h"
#include "container/namespace.h"
#include "container/set.h"
#include "container/list.h"
#include "manager/client.h"
#include "object/object.h"
#include "object/parcel.h"
#include "pool/stream.h"
#include "process/os_handle.h"
#include "process/spawn_data.h"
#include "queue/queue.h"
#include "service/layout.h"
#include "shared/types.h"
#include "sync/types.h"

const struct object_type *const object_types[OBJECT_KINDS] = {
    [OBJECT_LOCK] = &lock_type,
    [OBJECT_RLOCK] = &rlock_type,
    [OBJECT_SEMAPHORE] = &semaphore_type,
    [OBJECT_CONDITION] = &condition_type,
    [OBJECT_EVENT] = &event_type,
    [OBJECT_BARRIER] = &barrier_type,
    [OBJECT_VALUE] = &value_type,
    [OBJECT_ARRAY] = &array_type,
    [OBJECT_MEMORY] = &memory_type,
    [OBJECT_SHAREABLE_LIST] = &shareable_list_type,
    [OBJECT_DICT] = &dict_type,
    [OBJECT_SET] = &set_type,
    [OBJECT_NAMESPACE] = &namespace_type,
    [OBJECT_LIST] = &list_type,
    [OBJECT_ITEMS] = &items_type,
    [OBJECT_TABLE] = &table_type,
    [OBJECT_OBJECT] = &service_object_type,
    [OBJECT_SERVICE] = &service_type,
    [OBJECT_HOME] = &service_home_type,
    [OBJECT_REMOTE] = &remote_type,
    [OBJECT_QUEUE] = &queue_type,
    [OBJECT_SPAWN_DATA] = &spawn_data_type,
    [OBJECT_PARCEL] = &parcel_type,
    [OBJECT_PERMITS] = &permits_type,
    [OBJECT_LEASES] = &leases_type,
    [OBJECT_TASKS] = &task_segment_type,
    [OBJECT_CONNECTION] = &connection_type,
    [OBJECT_STREAM] = &stream_type,
    [OBJECT_OS_HANDLE] = &os_handle_type,
};
