/* Values as text, as Python's repr() has them. */
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "base/text.h"

/* `size` counts all that was put; what is beyond the capacity is not written. */
struct printer {
    char *text;
    size_t capacity;
    size_t size;
};

static void put(struct printer *printer, const char *bytes, size_t count)
{
    if (printer->size < printer->capacity) {
        size_t room = printer->capacity - printer->size;
        memcpy(printer->text + printer->size, bytes, count < room ? count : room);
    }
    printer->size += count;
}

static void put_text(struct printer *printer, const char *text)
{
    put(printer, text, strlen(text));
}

/* The program's locale may have another point. */
static void put_number(struct printer *printer, char *text)
{
    char *point = strpbrk(text, ".,");

    if (point) *point = '.';
    put_text(printer, text);
}

/* The shortest digits that lead back to the number; very large and very small ones have an exponent. */
static void put_double(struct printer *printer, double number)
{
    char text[40], exponent_text[8];
    int decimals = 0, exponent;

    if (!(number >= -DBL_MAX && number <= DBL_MAX)) {
        put_text(printer, number != number ? "nan" : number > 0 ? "inf" : "-inf");
        return;
    }
    do snprintf(text, sizeof text, "%.*e", decimals, number);
    while (strtod(text, NULL) != number && ++decimals < 17);
    exponent = atoi(strchr(text, 'e') + 1);
    if (exponent >= -4 && exponent < 16) {
        snprintf(text, sizeof text, "%.*f", decimals > exponent ? decimals - exponent : 1, number);
        put_number(printer, text);
        return;
    }
    *strchr(text, 'e') = 0;
    put_number(printer, text);
    snprintf(exponent_text, sizeof exponent_text, "e%+03d", exponent);
    put_text(printer, exponent_text);
}

/* Bytes above ASCII are characters in a string, and hexadecimal in bytes. */
static void put_quoted(struct printer *printer, const mproc_value *value)
{
    const unsigned char *bytes = value->as.data;
    bool binary = value->type == MPROC_TYPE_BYTES;
    bool single = value->count > 0 && memchr(bytes, '\'', value->count) && !memchr(bytes, '"', value->count);
    char quote = single ? '"' : '\'', text[8];

    put(printer, "b", binary ? 1 : 0);
    put(printer, &quote, 1);
    for (uint32_t i = 0; i < value->count; i++) {
        char byte = (char)bytes[i];
        if (byte == '\n') snprintf(text, sizeof text, "\\n");
        else if (byte == '\r') snprintf(text, sizeof text, "\\r");
        else if (byte == '\t') snprintf(text, sizeof text, "\\t");
        else if (byte == '\\' || byte == quote) snprintf(text, sizeof text, "\\%c", byte);
        else if (bytes[i] < 0x20 || bytes[i] == 0x7F || (binary && bytes[i] >= 0x80))
            snprintf(text, sizeof text, "\\x%02x", (unsigned)bytes[i]);
        else snprintf(text, sizeof text, "%c", byte);
        put_text(printer, text);
    }
    put(printer, &quote, 1);
}

static void print_value(struct printer *printer, const mproc_value *value, int depth);

static void put_container(struct printer *printer, const mproc_value *value, int depth)
{
    bool map = value->type == MPROC_TYPE_MAP;

    if (depth > MPROC_VALUE_DEPTH_MAX) {
        put_text(printer, "...");
        return;
    }
    put_text(printer, map ? "{" : "[");
    for (uint32_t i = 0; i < value->count; i++) {
        mproc_value key = mproc_value_key(*value, i), element = mproc_value_at(*value, i);
        if (i > 0) put_text(printer, ", ");
        if (map) print_value(printer, &key, depth);
        if (map) put_text(printer, ": ");
        print_value(printer, &element, depth);
    }
    put_text(printer, map ? "}" : "]");
}

static void put_reference(struct printer *printer, const mproc_value *value)
{
    const struct handle_ref *ref = value->as.data;
    char text[64];

    if (value->type == MPROC_TYPE_FUNCTION) snprintf(text, sizeof text, "<function>");
    else snprintf(text, sizeof text, "<%.32s at %llu>", handle_name(ref->kind), (unsigned long long)ref->offset);
    put_text(printer, text);
}

static void print_value(struct printer *printer, const mproc_value *value, int depth)
{
    char text[32];

    switch (value->type) {
    case MPROC_TYPE_NIL:
        put_text(printer, "None");
        break;
    case MPROC_TYPE_BOOL:
        put_text(printer, value->as.int64 ? "True" : "False");
        break;
    case MPROC_TYPE_INT64:
        snprintf(text, sizeof text, "%lld", (long long)value->as.int64);
        put_text(printer, text);
        break;
    case MPROC_TYPE_UINT64:
        snprintf(text, sizeof text, "%llu", (unsigned long long)value->as.uint64);
        put_text(printer, text);
        break;
    case MPROC_TYPE_DOUBLE:
        put_double(printer, value->as.number);
        break;
    case MPROC_TYPE_STRING:
    case MPROC_TYPE_BYTES:
        put_quoted(printer, value);
        break;
    case MPROC_TYPE_LIST:
    case MPROC_TYPE_MAP:
        put_container(printer, value, depth + 1);
        break;
    case MPROC_TYPE_HANDLE:
    case MPROC_TYPE_FUNCTION:
        put_reference(printer, value);
        break;
    default:
        put_text(printer, "<no value>");
    }
}

size_t mproc_value_print(mproc_value value, char *text, size_t capacity)
{
    struct printer printer = {text, capacity, 0};

    print_value(&printer, &value, 0);
    if (capacity > 0) text[printer.size < capacity ? printer.size : capacity - 1] = 0;
    if (capacity > 0 && printer.size >= capacity) text_trim(text);
    return printer.size;
}
