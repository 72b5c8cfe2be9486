/* Prints and reads the spawn token. */
#include "process/token.h"

#include <stdio.h>

enum token_field {
    TOKEN_MEMORY,
    TOKEN_CHILD_END,
    TOKEN_DOOR,
    TOKEN_RESERVE,
    TOKEN_PID_OFFSET,
    TOKEN_PROCESS,
    TOKEN_GENERATION,
    TOKEN_PARENT,
    TOKEN_PARENT_BORN,
    TOKEN_DEPTH,
    TOKEN_SEEN, /* the last one: see plat_birth_token() */
    TOKEN_FIELDS
};

static const uint64_t field_max[TOKEN_FIELDS] = {INT32_MAX,  INT32_MAX, INT32_MAX, UINT64_MAX, UINT64_MAX, UINT32_MAX,
                                                 UINT32_MAX, INT64_MAX, INT64_MAX, UINT32_MAX, 1};

void token_print(const struct spawn_token *token, char text[PLAT_TOKEN_BYTES])
{
    snprintf(text, PLAT_TOKEN_BYTES, "%lld %lld %lld %llu %llu %lu %lu %lld %lld %lu %d", (long long)token->memory,
             (long long)token->child_end, (long long)(token->door == PLAT_NO_HANDLE ? 0 : token->door),
             (unsigned long long)token->reserve, (unsigned long long)token->pid_offset, (unsigned long)token->process,
             (unsigned long)token->generation, (long long)token->parent, (long long)token->parent_born_before_ns,
             (unsigned long)token->depth, (int)token->seen);
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

bool token_parse(const char *text, struct spawn_token *token)
{
    uint64_t fields[TOKEN_FIELDS];

    for (int i = 0; i < TOKEN_FIELDS; i++) {
        if (i > 0 && *text++ != ' ') return false;
        if (!parse_number(&text, &fields[i]) || fields[i] > field_max[i]) return false;
    }
    if (*text || fields[TOKEN_RESERVE] < 65536 || fields[TOKEN_PID_OFFSET] % 8 ||
        fields[TOKEN_PID_OFFSET] >= fields[TOKEN_RESERVE])
        return false;
    *token = (struct spawn_token){.memory = (plat_handle)fields[TOKEN_MEMORY],
                                  .child_end = (plat_handle)fields[TOKEN_CHILD_END],
                                  .door = fields[TOKEN_DOOR] ? (plat_handle)fields[TOKEN_DOOR] : PLAT_NO_HANDLE,
                                  .reserve = fields[TOKEN_RESERVE],
                                  .pid_offset = fields[TOKEN_PID_OFFSET],
                                  .process = (uint32_t)fields[TOKEN_PROCESS],
                                  .generation = (uint32_t)fields[TOKEN_GENERATION],
                                  .parent = (int64_t)fields[TOKEN_PARENT],
                                  .parent_born_before_ns = (int64_t)fields[TOKEN_PARENT_BORN],
                                  .depth = (uint32_t)fields[TOKEN_DEPTH],
                                  .seen = fields[TOKEN_SEEN] != 0};
    return true;
}
