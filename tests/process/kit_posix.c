#include "kit.h"

#include <fcntl.h>
#include <unistd.h>

void kit_command_line(char *text, size_t size)
{
    int descriptor = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t count = read(descriptor, text, size - 1);
    ssize_t i;

    close(descriptor);
    CHECK(count > 0);
    for (i = 0; i < count; i++) {
        if (text[i] == '\0') text[i] = ' ';
    }
    text[count] = '\0';
}
