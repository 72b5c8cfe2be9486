#include "place.h"

#include <unistd.h>

int place_change_directory(const char *path)
{
    return chdir(path);
}
