/* What modules.c needs of the system: modules_posix.c, modules_win32.c. */
#ifndef MODULES_H
#define MODULES_H

#include <stdint.h>

void modules_close(intptr_t handle);

void modules_copy(const char *from, const char *to);

/* Opens a library for good and finds a function in it. */
uintptr_t modules_open(const char *path, const char *symbol);

/* The same in another working directory, by `./` and its name. */
uintptr_t modules_open_in(const char *directory, const char *name, const char *symbol);

/* In a new thread: opens a library, calls `use` with a function of it, closes it. Returns when it has ended. */
void modules_use_and_close(const char *path, const char *symbol, void (*use)(uintptr_t address));

/* Takes the library's file away from its path, though it is open; removes what is left of it, and the directory. */
void modules_move_away(const char *path);
void modules_remove(const char *path, const char *directory);

#endif
