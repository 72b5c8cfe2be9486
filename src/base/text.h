/* Checks of text that comes from outside, and the thread's error text. */
#ifndef MPROC_BASE_TEXT_H
#define MPROC_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <mproc/status.h>

#define ERROR_TEXT_BYTES_MAX 1000

/* Whether the text is well-formed UTF-8: shortest forms, no surrogates, nothing above U+10FFFF. */
bool text_is_utf8(const char *text);

/* How many of the bytes, from the first on, are well-formed UTF-8, NULs included: `size` if all are. */
size_t text_utf8_bytes(const char *text, size_t size);

/* Takes from the end of a text that was cut what is left of a character: else whoever prints it refuses all of it. */
void text_trim(char *text);

/* Empties mproc_last_error_text(). */
void error_text_clear(void);

/* Around a function of the program that is called in the middle of a call: the text of that stays. */
struct error_text {
    bool set;
    mproc_status status;
    char text[ERROR_TEXT_BYTES_MAX + 1];
};

void error_text_keep(struct error_text *kept);
void error_text_restore(const struct error_text *kept);

#endif
