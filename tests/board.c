#include "board.h"

#include <mproc/process.h>

#include "check.h"
#include "object/resource_owner.h"

fixture_board *fixture_board_create(void)
{
    _Atomic uint64_t *owned = NULL;
    fixture_board *made;

    CHECK(mproc_current_process() != NULL); /* the process is a member of its family from here on */
    CHECK_OK(resource_take(sizeof *made, sizeof *made, &owned));
    made = (fixture_board *)arena_at(atomic_load(owned));
    made->owned = owned;
    return made;
}

void fixture_board_free(fixture_board *board)
{
    resource_release(board->owned);
}

uint64_t fixture_board_offset(const fixture_board *board)
{
    return board ? arena_offset(board) : 0;
}

fixture_board *fixture_board_at(uint64_t offset)
{
    return offset ? (fixture_board *)arena_at(offset) : NULL;
}
