/*
 * Names for addresses of this program, static functions included.
 */
#ifndef KILL_SYMBOL_H
#define KILL_SYMBOL_H

#include <stddef.h>
#include <stdint.h>

/* Writes "function+0x12", or only the number where the program holds no such symbol. */
void symbol_write(uintptr_t address, char *text, size_t size);

#endif
