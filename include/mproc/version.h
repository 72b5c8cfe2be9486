/* The library's version: semantic versioning; the shared library's SOVERSION is the major number. */
#ifndef MPROC_VERSION_H
#define MPROC_VERSION_H

#include <mproc/export.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MPROC_VERSION_MAJOR 0
#define MPROC_VERSION_MINOR 1
#define MPROC_VERSION_PATCH 0
#define MPROC_VERSION "0.1.0"

/* Returns the version of the library that runs, as MPROC_VERSION is that of the headers. Never fails. */
MPROC_API const char *mproc_version(void);

#ifdef __cplusplus
}
#endif

#endif
