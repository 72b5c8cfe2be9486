/* platform.h, memory.c: one object that processes share, usable as far as it is committed. */
#include "platform_fixture.h"

#include <stdio.h>

typedef struct test_block {
    plat_handle memory;
    unsigned char *base;
    size_t page;
    size_t reserve;
} test_block;

static test_block block_create(size_t pages)
{
    test_block made;
    void *base = NULL;

    made.page = plat_memory_page();
    made.reserve = pages * made.page;
    CHECK_OK(plat_memory_create(made.reserve, &made.memory));
    CHECK(made.memory != PLAT_NO_HANDLE);
    CHECK_OK(plat_memory_map(made.memory, made.reserve, &base));
    made.base = base;
    return made;
}

static void block_commit(test_block *block, size_t first_page, size_t pages)
{
    CHECK_OK(plat_memory_commit(block->memory, block->base, first_page * block->page, pages * block->page));
}

static void block_drop(test_block *block)
{
    plat_memory_unmap(block->base, block->reserve);
    plat_handle_close(block->memory);
}

/* In a helper: what follows the handles in the text is "PAGES ...", and is returned in `*rest` (may be NULL). */
static test_block block_open(const char *text, const char **rest)
{
    test_block opened;
    plat_handle handles[4];
    void *base = NULL;

    text = platform_handles(text, handles);
    opened.page = plat_memory_page();
    opened.reserve = (size_t)atoi(text) * opened.page;
    opened.memory = handles[0];
    CHECK_OK(plat_handle_adopt(opened.memory));
    CHECK_OK(plat_memory_map(opened.memory, opened.reserve, &base));
    opened.base = base;
    if (rest != NULL) *rest = text;
    return opened;
}

static bool all_bytes_are(const unsigned char *bytes, size_t size, unsigned char value)
{
    size_t i;

    for (i = 0; i < size; i++) {
        if (bytes[i] != value) return false;
    }
    return true;
}

static void case_page_is_a_power_of_two(void)
{
    size_t page = plat_memory_page();

    CHECK(page > 0);
    CHECK_EQ(page & (page - 1), 0);
    CHECK_EQ(plat_memory_page(), page);
}

static void case_largest_reservation_can_be_made(void)
{
    size_t page = plat_memory_page();
    size_t reserve = plat_memory_reserve_max() / page * page;
    plat_handle memory;
    void *base = NULL;

    CHECK(reserve >= page);
    CHECK_OK(plat_memory_create(reserve, &memory));
    CHECK_OK(plat_memory_map(memory, reserve, &base));
    CHECK_OK(plat_memory_commit(memory, base, reserve - page, page));
    ((unsigned char *)base)[reserve - 1] = 7;
    plat_memory_unmap(base, reserve);
    plat_handle_close(memory);
}

static void case_new_bytes_are_zero_and_can_be_written(void)
{
    test_block block = block_create(16);

    block_commit(&block, 0, 4);
    CHECK(all_bytes_are(block.base, 4 * block.page, 0));
    memset(block.base, 0xA5, 4 * block.page);
    CHECK(all_bytes_are(block.base, 4 * block.page, 0xA5));
    block_drop(&block);
}

static void case_commit_keeps_contents(void)
{
    test_block block = block_create(16);

    block_commit(&block, 0, 2);
    memset(block.base, 1, 2 * block.page);
    block_commit(&block, 0, 2);
    CHECK(all_bytes_are(block.base, 2 * block.page, 1));
    block_commit(&block, 1, 3);
    CHECK(all_bytes_are(block.base, 2 * block.page, 1));
    CHECK(all_bytes_are(block.base + 2 * block.page, 2 * block.page, 0));
    block_commit(&block, 0, 16);
    CHECK(all_bytes_are(block.base, 2 * block.page, 1));
    CHECK(all_bytes_are(block.base + 2 * block.page, 14 * block.page, 0));
    block_drop(&block);
}

static void case_commit_leaves_gaps(void)
{
    test_block block = block_create(16);

    block_commit(&block, 10, 1);
    block.base[10 * block.page] = 1;
    block_commit(&block, 2, 1);
    block.base[2 * block.page] = 2;
    block_commit(&block, 0, 16);
    CHECK_EQ(block.base[10 * block.page], 1);
    CHECK_EQ(block.base[2 * block.page], 2);
    CHECK(all_bytes_are(block.base + 3 * block.page, 7 * block.page, 0));
    block_drop(&block);
}

static void case_commit_of_nothing_is_fine(void)
{
    test_block block = block_create(4);

    block_commit(&block, 0, 0);
    block_commit(&block, 4, 0);
    block_drop(&block);
}

/* More than one step of the system's, with something in the middle. */
static void case_large_commit_keeps_contents(void)
{
    size_t pages = ((size_t)7 << 20) / plat_memory_page();
    test_block block = block_create(pages);

    block_commit(&block, pages / 2, 1);
    memset(block.base + pages / 2 * block.page, 3, block.page);
    block_commit(&block, 0, pages);
    CHECK(all_bytes_are(block.base, pages / 2 * block.page, 0));
    CHECK(all_bytes_are(block.base + pages / 2 * block.page, block.page, 3));
    CHECK(all_bytes_are(block.base + (pages / 2 + 1) * block.page, (pages - pages / 2 - 1) * block.page, 0));
    block_drop(&block);
}

static void block_release(test_block *block, size_t first_page, size_t pages)
{
    plat_memory_release(block->memory, block->base, first_page * block->page, pages * block->page);
}

static void case_released_bytes_are_zero_when_committed_again(void)
{
    test_block block = block_create(16);
    int round;

    for (round = 1; round <= 3; round++) {
        block_commit(&block, 0, 8);
        CHECK(all_bytes_are(block.base + 2 * block.page, 4 * block.page, 0));
        memset(block.base, round, 8 * block.page);
        block_release(&block, 2, 4);
        block_release(&block, 2, 4);
    }
    block_commit(&block, 0, 16);
    CHECK(all_bytes_are(block.base, 2 * block.page, 3));
    CHECK(all_bytes_are(block.base + 2 * block.page, 4 * block.page, 0));
    CHECK(all_bytes_are(block.base + 6 * block.page, 2 * block.page, 3));
    block_drop(&block);
}

static void case_release_of_the_uncommitted_is_fine(void)
{
    test_block block = block_create(4096);

    block_release(&block, 0, 4096);
    block_release(&block, 5, 0);
    block_commit(&block, 100, 1);
    block.base[100 * block.page] = 1;
    block_release(&block, 0, 4096);
    block_commit(&block, 100, 1);
    CHECK_EQ(block.base[100 * block.page], 0);
    block_drop(&block);
}

static void case_two_mappings_show_the_same(void)
{
    test_block block = block_create(4);
    void *second = NULL;

    block_commit(&block, 0, 1);
    CHECK_OK(plat_memory_map(block.memory, block.reserve, &second));
    CHECK(second != block.base);
    block.base[5] = 55;
    CHECK_EQ(((unsigned char *)second)[5], 55);
    plat_memory_unmap(second, block.reserve);
    CHECK_EQ(block.base[5], 55);
    block_drop(&block);
}

static void case_mapping_outlives_the_handle(void)
{
    test_block block = block_create(4);

    block_commit(&block, 0, 1);
    plat_handle_close(block.memory);
    block.base[0] = 1;
    CHECK_EQ(block.base[0], 1);
    plat_memory_unmap(block.base, block.reserve);
}

/* ---- with a child ----------------------------------------------------------------------------- */

static int helper_answers(const char *text)
{
    test_block block = block_open(text, NULL);

    CHECK_EQ(block.base[0], 17);
    block.base[1] = 18;
    return 0;
}

static void case_a_child_sees_and_is_seen(void)
{
    test_block block = block_create(4);
    plat_process process;

    block_commit(&block, 0, 1);
    block.base[0] = 17;
    platform_start("memory.answers", "4", block.memory, &process);
    CHECK_EXITS(&process, 0);
    CHECK_EQ(block.base[1], 18);
    block_drop(&block);
}

/* Maps before the parent commits page 1, and commits page 2 after the parent has mapped. */
static int helper_maps_early(const char *text)
{
    test_block block = block_open(text, NULL);
    platform_board *board = (platform_board *)(void *)block.base;

    atomic_store(&board->step, 1);
    platform_await_step(board, 2);
    CHECK_EQ(block.base[block.page], 21);
    CHECK_OK(plat_memory_commit(block.memory, block.base, 2 * block.page, block.page));
    block.base[2 * block.page] = 22;
    return 0;
}

static void case_commit_counts_for_those_who_have_mapped_before(void)
{
    test_block block = block_create(8);
    platform_board *board = (platform_board *)(void *)block.base;
    plat_process process;

    block_commit(&block, 0, 1);
    platform_start("memory.maps_early", "8", block.memory, &process);
    platform_await_step(board, 1);
    block_commit(&block, 1, 1);
    block.base[block.page] = 21;
    atomic_store(&board->step, 2);
    CHECK_EXITS(&process, 0);
    CHECK_EQ(block.base[2 * block.page], 22);
    block_drop(&block);
}

/* The text is "PAGES PAGE": reads one byte of that page. */
static int helper_touches(const char *text)
{
    const char *rest;
    test_block block = block_open(text, &rest);
    volatile unsigned char *byte = block.base + (size_t)atoi(strchr(rest, ' ')) * block.page;

    os_fault_as_usual();
    return *byte == 0 ? 0 : 1;
}

static plat_end touch(test_block *block, const char *text)
{
    plat_process process;

    platform_start("memory.touches", text, block->memory, &process);
    return platform_end(&process);
}

static void case_touching_the_uncommitted_is_a_fault(void)
{
    test_block block;
    plat_end nothing;
    plat_end inside;
    plat_end behind;

    if (!os_reserved_memory_faults()) CHECK_SKIP("this system commits reserved memory when it is touched");
    block = block_create(64);
    nothing = touch(&block, "64 0");
    CHECK_EQ(nothing.kind, PLAT_END_SIGNALLED);
    block_commit(&block, 0, 1);
    inside = touch(&block, "64 0");
    behind = touch(&block, "64 32");
    CHECK_EQ(inside.kind, PLAT_END_EXITED);
    CHECK_EQ(inside.code, 0);
    CHECK_EQ(behind.kind, PLAT_END_SIGNALLED);
    block_drop(&block);
}

enum { RACE_PAGES = 200, RACERS = 4 };

/* Commits page after page and adds one to a counter in each. */
static int helper_races(const char *text)
{
    test_block block = block_open(text, NULL);
    size_t i;

    atomic_fetch_add(&((platform_board *)(void *)block.base)->step, 1);
    platform_await_step((platform_board *)(void *)block.base, RACERS);
    for (i = 1; i < RACE_PAGES; i++) {
        CHECK_OK(plat_memory_commit(block.memory, block.base, i * block.page, block.page));
        atomic_fetch_add((_Atomic uint32_t *)(void *)(block.base + i * block.page), 1);
    }
    return 0;
}

static void case_many_processes_commit_the_same_at_once(void)
{
    test_block block = block_create(RACE_PAGES);
    plat_process processes[RACERS];
    char text[16];
    size_t i;

    block_commit(&block, 0, 1);
    snprintf(text, sizeof text, "%d", RACE_PAGES);
    for (i = 0; i < RACERS; i++) platform_start("memory.races", text, block.memory, &processes[i]);
    for (i = 0; i < RACERS; i++) CHECK_EXITS(&processes[i], 0);
    for (i = 1; i < RACE_PAGES; i++) CHECK_EQ(*(uint32_t *)(void *)(block.base + i * block.page), RACERS);
    block_drop(&block);
}

/* ---- what cannot be --------------------------------------------------------------------------- */

static void case_absurd_reservation_is_refused(void)
{
    size_t reserve = (size_t)1 << 62;
    plat_handle memory = PLAT_NO_HANDLE;
    void *base = NULL;
    mproc_status status = plat_memory_create(reserve, &memory);

    /* A system may notice only when addresses are asked for. */
    if (status == MPROC_OK) {
        CHECK_REFUSED(plat_memory_map(memory, reserve, &base), MPROC_NO_MEMORY);
        plat_handle_close(memory);
    } else {
        CHECK(memory == PLAT_NO_HANDLE);
        CHECK(mproc_last_error_text()[0] != '\0');
    }
    CHECK(base == NULL);
}

static void case_memory_is_not_inherited_by_accident(void)
{
    test_block block = block_create(1);

    CHECK(!os_handle_is_inheritable(block.memory));
    block_drop(&block);
}

CHECK_SUITE(memory,
    CASE(page_is_a_power_of_two),
    CASE(largest_reservation_can_be_made),
    CASE(new_bytes_are_zero_and_can_be_written),
    CASE(commit_keeps_contents),
    CASE(commit_leaves_gaps),
    CASE(commit_of_nothing_is_fine),
    CASE(large_commit_keeps_contents),
    CASE(released_bytes_are_zero_when_committed_again),
    CASE(release_of_the_uncommitted_is_fine),
    CASE(two_mappings_show_the_same),
    CASE(mapping_outlives_the_handle),
    CASE(a_child_sees_and_is_seen),
    CASE(commit_counts_for_those_who_have_mapped_before),
    CASE(touching_the_uncommitted_is_a_fault),
    CASE(many_processes_commit_the_same_at_once),
    CASE(absurd_reservation_is_refused),
    CASE(memory_is_not_inherited_by_accident),
    HELPER(answers),
    HELPER(maps_early),
    HELPER(touches),
    HELPER(races),
);
