/* How the functions that take options read them. */
#ifndef MPROC_BASE_OPTIONS_H
#define MPROC_BASE_OPTIONS_H

#include <string.h>

/*
 * Copies the options that a program gives, or none if `given` is NULL. Those that an older program does not know are
 * zero, which is their default; those of a newer one are left out.
 *
 * Behind the last field of a struct of options there is no padding: a program leaves that undefined, and a later
 * field that came to lie there would have a value by chance. So a flag is not the last field, unless all are flags.
 */
static inline void options_read(void *all, size_t all_size, const void *given, size_t given_size)
{
    memset(all, 0, all_size);
    if (given) memcpy(all, given, given_size < all_size ? given_size : all_size);
}

#endif
