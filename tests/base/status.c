/* mproc/status.h: the table of statuses, and each thread's error text. */
#include "check.h"
#include "platform.h"

/* A compiler that makes thread-local variables by itself makes what it needs at the first use. */
static void touch_text(void)
{
    CHECK(mproc_last_error_text() != NULL);
}

static void case_ok_is_zero_and_numbers_stay(void)
{
    CHECK_EQ(MPROC_OK, 0);
    CHECK_EQ(MPROC_TIMEOUT, 1);
    CHECK_EQ(MPROC_CLOSED, 2);
    CHECK_EQ(MPROC_INVALID, 3);
    CHECK_EQ(MPROC_BAD_STATE, 4);
    CHECK_EQ(MPROC_NO_MEMORY, 5);
    CHECK_EQ(MPROC_LIMIT, 6);
    CHECK_EQ(MPROC_NOT_FOUND, 7);
    CHECK_EQ(MPROC_PERMISSION, 8);
    CHECK_EQ(MPROC_NOT_SUPPORTED, 9);
    CHECK_EQ(MPROC_NOT_OWNER, 10);
    CHECK_EQ(MPROC_NO_GUARD, 11);
    CHECK_EQ(MPROC_FORKED, 12);
    CHECK_EQ(MPROC_INTERRUPTED, 13);
    CHECK_EQ(MPROC_OWNER_DIED, 14);
    CHECK_EQ(MPROC_WORKER_LOST, 15);
    CHECK_EQ(MPROC_TERMINATED, 16);
    CHECK_EQ(MPROC_BAD_FUNCTION, 17);
    CHECK_EQ(MPROC_MISMATCH, 18);
    CHECK_EQ(MPROC_SYSTEM, 19);
    CHECK_EQ(MPROC_BROKEN, 20);
    CHECK_EQ(MPROC_USER, 1000);
}

static void case_every_status_has_a_name_and_a_text_of_its_own(void)
{
    int i;
    int k;

    for (i = 0; i <= MPROC_BROKEN; i++) {
        CHECK_CONTAINS(mproc_status_name((mproc_status)i), "MPROC_");
        CHECK(strlen(mproc_status_text((mproc_status)i)) > 3);
        for (k = 0; k < i; k++) {
            CHECK(strcmp(mproc_status_name((mproc_status)i), mproc_status_name((mproc_status)k)) != 0);
            CHECK(strcmp(mproc_status_text((mproc_status)i), mproc_status_text((mproc_status)k)) != 0);
        }
    }
    CHECK_STRING(mproc_status_name(MPROC_TIMEOUT), "MPROC_TIMEOUT");
    CHECK_STRING(mproc_status_text(MPROC_TIMEOUT), "the time limit passed");
}

static void case_numbers_of_the_program_and_unknown_ones_are_told_apart(void)
{
    CHECK_STRING(mproc_status_name(MPROC_USER), "MPROC_USER");
    CHECK_STRING(mproc_status_name((mproc_status)(MPROC_USER + 7)), "MPROC_USER");
    CHECK_STRING(mproc_status_name(MPROC_STATUS_MAX), "MPROC_USER");
    CHECK_STRING(mproc_status_name((mproc_status)(MPROC_AUTHENTICATION + 1)), "MPROC_UNKNOWN");
    CHECK_STRING(mproc_status_name((mproc_status)(MPROC_USER - 1)), "MPROC_UNKNOWN");
    CHECK_STRING(mproc_status_name((mproc_status)-1), "MPROC_UNKNOWN");
    CHECK(strlen(mproc_status_text((mproc_status)-1)) > 3);
}

/* ---- the thread's text ------------------------------------------------------------------------ */

static void case_text_is_empty_before_any_failure(void)
{
    CHECK_STRING(mproc_last_error_text(), "");
}

static void case_error_returns_its_status_and_keeps_the_text(void)
{
    CHECK_STATUS(mproc_error(MPROC_USER, "no stock of %s, %d left", "salt", 3), MPROC_USER);
    CHECK_STRING(mproc_last_error_text(), "no stock of salt, 3 left");
    CHECK_STATUS(mproc_error(MPROC_TIMEOUT, NULL), MPROC_TIMEOUT);
    CHECK_STRING(mproc_last_error_text(), mproc_status_text(MPROC_TIMEOUT));
}

static void case_text_may_be_made_of_the_text_before(void)
{
    mproc_error(MPROC_USER, "the cause");
    mproc_error(MPROC_USER, "it failed: %s", mproc_last_error_text());
    CHECK_STRING(mproc_last_error_text(), "it failed: the cause");
}

static void case_long_text_is_cut_at_a_character(void)
{
    char text[1201];
    size_t i;

    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    mproc_error(MPROC_USER, "%s", text);
    CHECK_EQ(strlen(mproc_last_error_text()), 1000);
    mproc_error(MPROC_USER, "%.1000s", text);
    CHECK_EQ(strlen(mproc_last_error_text()), 1000);
    /* Three bytes each: 1,000 is in the middle of one. */
    for (i = 0; i + 3 < sizeof text; i += 3) memcpy(text + i, "\xE2\x82\xAC", 3);
    mproc_error(MPROC_USER, "%s", text);
    CHECK_EQ(strlen(mproc_last_error_text()), 999);
    CHECK(memcmp(mproc_last_error_text() + 996, "\xE2\x82\xAC", 3) == 0);
}

/*
 * A text of exactly 1,000 bytes is whole, whatever its last character is.
 */
static void case_text_that_just_fits_is_not_cut(void)
{
    char text[1001];
    size_t i;

    text[0] = 'x';
    for (i = 1; i < 1000; i += 3) memcpy(text + i, "\xE2\x82\xAC", 3);
    text[1000] = '\0';
    mproc_error(MPROC_USER, "%s", text);
    CHECK_STRING(mproc_last_error_text(), text);
}

static void fail_here(void *unused)
{
    (void)unused;
    CHECK_STRING(mproc_last_error_text(), "");
    mproc_error(MPROC_USER, "of the thread");
    CHECK_STRING(mproc_last_error_text(), "of the thread");
}

static void case_each_thread_has_its_own_text(void)
{
    plat_thread *thread = NULL;

    mproc_error(MPROC_USER, "of the case");
    CHECK_OK(plat_thread_start(fail_here, NULL, &thread));
    plat_thread_join(thread);
    CHECK_STRING(mproc_last_error_text(), "of the case");
}

static void case_text_of_a_status_is_not_another_ones(void)
{
    mproc_error(MPROC_TIMEOUT, "not free within 10 ms");
    CHECK_STRING(mproc_error_text(MPROC_TIMEOUT), "not free within 10 ms");
    CHECK_STRING(mproc_error_text((mproc_status)(MPROC_USER + 5)), mproc_status_text(MPROC_USER));
    CHECK_STRING(mproc_last_error_text(), "not free within 10 ms");
}

static mproc_status leaves_early(mproc_status first, bool *went_on)
{
    MPROC_TRY(first);
    *went_on = true;
    return MPROC_OK;
}

static void case_try_leaves_at_the_first_failure(void)
{
    bool went_on = false;

    CHECK_STATUS(leaves_early(MPROC_CLOSED, &went_on), MPROC_CLOSED);
    CHECK(!went_on);
    CHECK_OK(leaves_early(MPROC_OK, &went_on));
    CHECK(went_on);
}

CHECK_SUITE_SETUP(base_status, touch_text,
    CASE(ok_is_zero_and_numbers_stay),
    CASE(every_status_has_a_name_and_a_text_of_its_own),
    CASE(numbers_of_the_program_and_unknown_ones_are_told_apart),
    CASE(text_is_empty_before_any_failure),
    CASE(error_returns_its_status_and_keeps_the_text),
    CASE(text_may_be_made_of_the_text_before),
    CASE(long_text_is_cut_at_a_character),
    CASE(text_that_just_fits_is_not_cut),
    CASE(each_thread_has_its_own_text),
    CASE(text_of_a_status_is_not_another_ones),
    CASE(try_leaves_at_the_first_failure),
);
