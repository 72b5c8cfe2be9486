/* What the end of the process, and a fork() copy, have to do with listeners. */
#ifndef MPROC_CONNECTION_LISTENER_H
#define MPROC_CONNECTION_LISTENER_H

#include <mproc/listener.h>

#include "object/waitable.h"

extern const struct waitable listener_waitable;

/* This process is a fork() copy: none of the listeners is its own. */
void listeners_forked(void);

#endif
