#ifndef PLACE_H
#define PLACE_H

/* Not 0: failed. */
int place_change_directory(const char *path);

#endif
