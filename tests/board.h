/*
 * The board: memory in the arena that a case, its children, workers and peers write on, and by which they wait for
 * each other (CHECK_AWAIT).
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdatomic.h>
#include <stdint.h>

enum { BOARD_PLACES = 64, BOARD_MARKS = 8192, BOARD_MANY = 512, BOARD_TEXT_BYTES = 1024 };

/* All zero at first. Anybody may change anything; a case says who does. `plain` is what an object guards. */
typedef struct fixture_board {
    _Atomic uint32_t step;
    _Atomic uint32_t started;
    _Atomic uint32_t ready;
    _Atomic uint32_t go;
    _Atomic uint32_t done;
    _Atomic uint32_t count;
    _Atomic uint32_t inside;
    _Atomic uint32_t most;
    int64_t plain;
    _Atomic int64_t pid;
    _Atomic int64_t other_pid;
    _Atomic int64_t values[BOARD_PLACES];
    _Atomic int32_t statuses[BOARD_PLACES];
    _Atomic uint32_t marks[BOARD_MARKS];
    uint64_t many[BOARD_MANY]; /* offsets, or what threads have: pointers */
    char text[BOARD_TEXT_BYTES];
    _Atomic uint64_t *owned; /* its maker's alone */
} fixture_board;

/* A board of this process' family; it is gone when the process that made it is. */
fixture_board *fixture_board_create(void);
void fixture_board_free(fixture_board *board);

/* What travels to others, 0 for none, and the board there. */
uint64_t fixture_board_offset(const fixture_board *board);
fixture_board *fixture_board_at(uint64_t offset);

#endif
