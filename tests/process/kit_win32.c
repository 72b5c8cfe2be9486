#include "kit.h"

#include <windows.h>

void kit_command_line(char *text, size_t size)
{
    CHECK(WideCharToMultiByte(CP_UTF8, 0, GetCommandLineW(), -1, text, (int)size, NULL, NULL) > 0);
}
