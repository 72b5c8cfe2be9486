/* Prints and reads the marker. */
#include "process/marker.h"

#include <stdio.h>
#include <stdlib.h>

#define MARKER_FIELDS 7

void marker_print(const struct marker *marker, char text[MARKER_BYTES])
{
    snprintf(text, MARKER_BYTES, "%lld %lld %llu %llu %lu %lu %lld", (long long)marker->memory,
             (long long)marker->watched, (unsigned long long)marker->reserve, (unsigned long long)marker->pid_offset,
             (unsigned long)marker->process, (unsigned long)marker->generation, (long long)marker->parent);
}

/* Reads one number of digits alone: strtoull() would also take signs and blanks. */
static bool parse_number(const char **text, uint64_t *value)
{
    const char *at = *text;

    for (*value = 0; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (*value > (UINT64_MAX - digit) / 10) return false;
        *value = *value * 10 + digit;
    }
    if (at == *text) return false;
    *text = at;
    return true;
}

bool marker_parse(const char *text, struct marker *marker)
{
    uint64_t fields[MARKER_FIELDS];

    for (int i = 0; i < MARKER_FIELDS; i++) {
        if (i > 0 && *text++ != ' ') return false;
        if (!parse_number(&text, &fields[i])) return false;
    }
    if (*text || fields[0] > INT32_MAX || fields[1] > INT32_MAX || fields[4] > UINT32_MAX || fields[5] > UINT32_MAX)
        return false;
    if (fields[2] < 65536 || fields[3] % 8 || fields[3] >= fields[2] || fields[6] > INT64_MAX) return false;
    *marker = (struct marker){(plat_handle)fields[0], (plat_handle)fields[1], fields[2],         fields[3],
                              (uint32_t)fields[4],    (uint32_t)fields[5],    (int64_t)fields[6]};
    return true;
}
