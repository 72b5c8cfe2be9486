/* The control groups that limit this process. */
#ifndef MPROC_POSIX_CGROUP_H
#define MPROC_POSIX_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum cgroup_controller { CGROUP_MEMORY, CGROUP_CPU } cgroup_controller;

/* `version` is 1 or 2, as which the files in the group's directory are named and written. */
typedef void cgroup_visitor(void *context, int version, const char *directory);

/*
 * Shows the visitor each group that limits this process in what the controller governs: its own and those above
 * it, as far as they can be seen here. Without /proc, or without control groups, there are none.
 */
void cgroup_visit(cgroup_controller controller, cgroup_visitor *visit, void *context);

/* Reads a small file of a group into `text`, ended with NUL. False: it is not there. */
bool cgroup_read(const char *directory, const char *file, char *text, size_t size);

/* Reads a file that is one number. False: it is not there, or says "max", or -1: there is no limit. */
bool cgroup_read_number(const char *directory, const char *file, int64_t *number);

#endif
