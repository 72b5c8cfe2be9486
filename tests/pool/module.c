/* A library that the tests open at run time. module_posix.c and module_win32.c have what runs at that moment. */
#include <mproc/call.h>

#if defined(_WIN32)
__declspec(dllexport)
#elif defined(__GNUC__)
__attribute__((visibility("default")))
#endif
    mproc_status pool_module_function(const void *item, void *result, mproc_call *call);

#if defined(_WIN32)
__declspec(dllexport)
#elif defined(__GNUC__)
__attribute__((visibility("default")))
#endif
    mproc_status pool_module_task(mproc_call *call);

mproc_status pool_module_function(const void *item, void *result, mproc_call *call)
{
    (void)call;
    *(long long *)result = 2 * *(const long long *)item;
    return MPROC_OK;
}

/* Calls nothing of the library: that is in the program that opens this one. */
mproc_status pool_module_task(mproc_call *call)
{
    (void)call;
    return MPROC_OK;
}
