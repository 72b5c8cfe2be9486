/*
 * A library with a task. It is built three times: LIBRARY_ANSWER is the exit code of its task, and tells builds
 * apart.
 */
#include <mproc/process.h>

/* For the exported names alone. */
#if defined(_WIN32)
#define LIBRARY_EXPORT __declspec(dllexport)
#else
#define LIBRARY_EXPORT __attribute__((visibility("default")))
#endif

LIBRARY_EXPORT mproc_status LIBRARY_TASK(mproc_call *call);

LIBRARY_EXPORT mproc_status LIBRARY_TASK(mproc_call *call)
{
    (void)call;
    exit(LIBRARY_ANSWER);
}
