/* base/text.h: what is UTF-8, tested at both sides of each boundary. */
#include "base/text.h"

#include "check.h"

static void case_text_in_all_lengths_is_utf8(void)
{
    CHECK(text_is_utf8(""));
    CHECK(text_is_utf8("plain \x01 text \x7F"));
    CHECK(text_is_utf8("\xC2\x80 \xDF\xBF"));
    CHECK(text_is_utf8("\xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 \xEF\xBF\xBF"));
    CHECK(text_is_utf8("\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF"));
}

static void case_stray_and_missing_bytes_are_refused(void)
{
    CHECK(!text_is_utf8("\x80"));
    CHECK(!text_is_utf8("a\xBF"));
    CHECK(!text_is_utf8("\xC3"));
    CHECK(!text_is_utf8("\xC3 "));
    CHECK(!text_is_utf8("\xE2\x82"));
    CHECK(!text_is_utf8("\xE2\x82 "));
    CHECK(!text_is_utf8("\xF0\x90\x80"));
    CHECK(!text_is_utf8("\xF0\x90\x80\xC0"));
    CHECK(!text_is_utf8("caf\xE9"));
    CHECK(!text_is_utf8("\xFE"));
    CHECK(!text_is_utf8("\xFF"));
}

static void case_longer_forms_than_needed_are_refused(void)
{
    CHECK(!text_is_utf8("\xC0\x80"));
    CHECK(!text_is_utf8("\xC1\xBF"));
    CHECK(!text_is_utf8("\xE0\x9F\xBF"));
    CHECK(!text_is_utf8("\xF0\x8F\xBF\xBF"));
}

static void case_surrogates_and_what_is_above_unicode_are_refused(void)
{
    CHECK(!text_is_utf8("\xED\xA0\x80"));
    CHECK(!text_is_utf8("\xED\xBF\xBF"));
    CHECK(!text_is_utf8("\xF4\x90\x80\x80"));
    CHECK(!text_is_utf8("\xF5\x80\x80\x80"));
}

CHECK_SUITE(base_text,
    CASE(text_in_all_lengths_is_utf8),
    CASE(stray_and_missing_bytes_are_refused),
    CASE(longer_forms_than_needed_are_refused),
    CASE(surrogates_and_what_is_above_unicode_are_refused),
);
