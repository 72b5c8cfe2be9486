/*
 * Stands before the header of the same name that all mingw-w64 headers begin with. They know two
 * compilers: gcc, and Visual C++ without any attributes. The second is played here, but by clang,
 * whose own headers do have attributes.
 */
#ifndef MPROC_CI_MSVC_MINGW_H
#define MPROC_CI_MSVC_MINGW_H

#include_next <_mingw.h>

#undef __attribute__
#undef __MINGW_ATTRIB_NORETURN
#define __MINGW_ATTRIB_NORETURN
#undef __MINGW_ATTRIB_DEPRECATED
#define __MINGW_ATTRIB_DEPRECATED
#undef __MINGW_NOTHROW
#define __MINGW_NOTHROW

#endif
