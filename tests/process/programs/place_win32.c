#include "place.h"

#include <direct.h>

int place_change_directory(const char *path)
{
    return _chdir(path);
}
