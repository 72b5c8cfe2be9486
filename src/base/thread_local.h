/* How the compiler spells C11's _Thread_local: the build sets MPROC_THREAD_LOCAL where it differs. */
#ifndef MPROC_BASE_THREAD_LOCAL_H
#define MPROC_BASE_THREAD_LOCAL_H

#ifdef MPROC_THREAD_LOCAL
#define THREAD_LOCAL MPROC_THREAD_LOCAL
#else
#define THREAD_LOCAL _Thread_local
#endif

#endif
