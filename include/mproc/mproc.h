/* Everything: include this. */
#ifndef MPROC_MPROC_H
#define MPROC_MPROC_H

#include <mproc/barrier.h>
#include <mproc/call.h>
#include <mproc/condition.h>
#include <mproc/connection.h>
#include <mproc/dict.h>
#include <mproc/event.h>
#include <mproc/iterator.h>
#include <mproc/list.h>
#include <mproc/listener.h>
#include <mproc/lock.h>
#include <mproc/log.h>
#include <mproc/manager.h>
#include <mproc/map.h>
#include <mproc/namespace.h>
#include <mproc/object.h>
#include <mproc/os_handle.h>
#include <mproc/pool.h>
#include <mproc/pool_statistics.h>
#include <mproc/process.h>
#include <mproc/progress.h>
#include <mproc/queue.h>
#include <mproc/result.h>
#include <mproc/semaphore.h>
#include <mproc/set.h>
#include <mproc/shareable_list.h>
#include <mproc/shared.h>
#include <mproc/shared_memory.h>
#include <mproc/simple_queue.h>
#include <mproc/status.h>
#include <mproc/value.h>
#include <mproc/version.h>
#include <mproc/wait.h>

#endif
