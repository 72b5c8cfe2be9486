/* The one way into the system's headers: Windows 10, and nothing of it that is not used here. */
#ifndef MPROC_WIN32_WINDOWS_API_H
#define MPROC_WIN32_WINDOWS_API_H

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#define NOMINMAX

#include <windows.h>

#endif
