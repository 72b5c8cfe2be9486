/* Everything: include this. */
#ifndef MPROC_MPROC_H
#define MPROC_MPROC_H

#include <mproc/call.h>
#include <mproc/pool.h>
#include <mproc/process.h>
#include <mproc/status.h>
#include <mproc/value.h>
#include <mproc/version.h>

#endif
