/* A module with a copy of the library of its own, as a plugin that was linked statically has. */
#include <mproc/process.h>
#include <mproc/semaphore.h>
#include <stdio.h>

#if defined(_WIN32)
#define PLUGIN_EXPORT __declspec(dllexport)
#else
#define PLUGIN_EXPORT __attribute__((visibility("default")))
#endif

/* Starts a process by its own copy. Returns what join says; the text tells who it is and what was said. */
PLUGIN_EXPORT int plugin_run(char *text, size_t size);

/* Makes a call that is refused before its copy has a family. */
PLUGIN_EXPORT int plugin_fail(char *text, size_t size);

static mproc_status task(mproc_call *call)
{
    (void)call;
    return MPROC_OK;
}

PLUGIN_EXPORT int plugin_run(char *text, size_t size)
{
    mproc_process *process = NULL;
    mproc_status status = mproc_process_create(task, mproc_no_args(), NULL, &process);

    if (status == MPROC_OK) status = mproc_process_start(process);
    if (status == MPROC_OK) status = mproc_process_join(process, MPROC_FOREVER);
    snprintf(text, size, "%s, %s: %s", mproc_process_name(mproc_current_process()),
             mproc_parent_process() != NULL ? "a child" : "a first process", mproc_last_error_text());
    mproc_process_free(process);
    return (int)status;
}

PLUGIN_EXPORT int plugin_fail(char *text, size_t size)
{
    mproc_semaphore *semaphore = NULL;
    mproc_status status = mproc_semaphore_create(-1, NULL, &semaphore);

    snprintf(text, size, "%s", mproc_last_error_text());
    return (int)status;
}
