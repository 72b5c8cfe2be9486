/* UTF-8 by the table of well-formed byte sequences in the Unicode standard (table 3-7). */
#include "base/text.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct lead {
    unsigned char first, last; /* lead bytes of this row */
    unsigned char low, high;   /* bounds of the second byte */
    int more;                  /* bytes that follow the lead */
};

static const struct lead leads[] = {
    {0x00, 0x7F, 0, 0, 0},       {0xC2, 0xDF, 0x80, 0xBF, 1}, {0xE0, 0xE0, 0xA0, 0xBF, 2},
    {0xE1, 0xEC, 0x80, 0xBF, 2}, {0xED, 0xED, 0x80, 0x9F, 2}, {0xEE, 0xEF, 0x80, 0xBF, 2},
    {0xF0, 0xF0, 0x90, 0xBF, 3}, {0xF1, 0xF3, 0x80, 0xBF, 3}, {0xF4, 0xF4, 0x80, 0x8F, 3},
};

static const struct lead *lead_find(unsigned char byte)
{
    for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++)
        if (byte >= leads[i].first && byte <= leads[i].last) return &leads[i];
    return NULL;
}

/* The number of bytes of the character that begins there, 0 if none does. */
static size_t character_bytes(const unsigned char *at, size_t left)
{
    const struct lead *lead = lead_find(*at);

    if (!lead || (size_t)lead->more >= left) return 0;
    for (int i = 0; i < lead->more; i++) {
        unsigned char low = i == 0 ? lead->low : 0x80, high = i == 0 ? lead->high : 0xBF;
        if (at[1 + i] < low || at[1 + i] > high) return 0;
    }
    return 1 + (size_t)lead->more;
}

size_t text_utf8_bytes(const char *text, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t at = 0, character = 1;

    while (at < size && character > 0) {
        uint64_t eight;
        /* Most text is ASCII: eight bytes at a time. */
        for (; size - at >= sizeof eight; at += sizeof eight) {
            memcpy(&eight, bytes + at, sizeof eight);
            if (eight & 0x8080808080808080u) break;
        }
        while (at < size && bytes[at] < 0x80) at++;
        if (at < size) at += character = character_bytes(bytes + at, size - at);
    }
    return at;
}

bool text_is_utf8(const char *text)
{
    size_t size = strlen(text);

    return text_utf8_bytes(text, size) == size;
}

void text_trim(char *text)
{
    size_t end = strlen(text), size;
    unsigned char lead;

    if (end == 0) return;
    for (size = 1; size < 4 && size < end && ((unsigned char)text[end - size] & 0xC0) == 0x80; size++) {
    }
    lead = (unsigned char)text[end - size];
    if (size < (lead >= 0xF0 ? 4u : lead >= 0xE0 ? 3u : lead >= 0xC0 ? 2u : 1u)) text[end - size] = 0;
}
