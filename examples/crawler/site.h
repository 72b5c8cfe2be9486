/* A small web site on this machine, for the crawler. */
#ifndef SITE_H
#define SITE_H

#include <mproc/mproc.h>

/* Starts the server: a daemon, which ends with the program. Writes its port, which the system has chosen. */
mproc_status site_start(mproc_process **out, int *port);

#endif
