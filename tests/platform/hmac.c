/* platform_crypto.h, hmac.c: the digests of RFC 2202 and RFC 4231, and some that are made by other programs. */
#include "platform_crypto.h"

#include <stdio.h>

#include "platform_fixture.h"

static const unsigned char long_key[131] = {
#define AA 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa
    AA, AA, AA, AA, AA, AA, AA, AA, AA, AA, AA, AA, AA, 0xaa};

static void check_mac(enum plat_digest digest, const void *key, size_t key_size, const char *data, const char *hex)
{
    unsigned char mac[PLAT_DIGEST_MAX];
    char text[2 * PLAT_DIGEST_MAX + 1] = "";
    size_t size = 0;

    CHECK_OK(plat_hmac(digest, key, key_size, data, strlen(data), mac, &size));
    for (size_t i = 0; i < size; i++) snprintf(text + 2 * i, 3, "%02x", mac[i]);
    CHECK_STRING(text, hex);
}

static void case_digests_are_those_that_all_others_make(void)
{
    const char *what = "what do ya want for nothing?";

    check_mac(PLAT_MD5, "Jefe", 4, what, "750c783e6ab0b503eaa86e310a5db738");
    check_mac(PLAT_SHA256, "Jefe", 4, what, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    check_mac(PLAT_SHA384, "Jefe", 4, what,
              "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649");
}

static void case_key_may_be_longer_than_a_block(void)
{
    const char *data = "Test Using Larger Than Block-Size Key - Hash Key First";

    check_mac(PLAT_MD5, long_key, sizeof long_key, data, "bfecaf4efff90a3a668f3922fec3762d");
    check_mac(PLAT_SHA256, long_key, sizeof long_key, data,
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    check_mac(PLAT_SHA384, long_key, sizeof long_key, data,
              "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952");
}

static void case_no_key_and_no_data_have_a_digest(void)
{
    check_mac(PLAT_MD5, NULL, 0, "", "74e6f7298a9c2d168935f58c001bad88");
    check_mac(PLAT_SHA256, NULL, 0, "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    check_mac(PLAT_SHA384, "", 0, "",
              "6c1f2ee938fad2e24bd91298474382ca218c75db3d83e114b3d4367776d14d3551289e75e8209cd4b792302840234adc");
}

enum { THREADS = 8, ROUNDS = 200 };

static void make_many(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) case_digests_are_those_that_all_others_make();
}

/* Each case is a process of its own: here several threads load the library at once. */
static void case_several_threads_begin_at_once(void)
{
    plat_thread *threads[THREADS];

    for (int i = 0; i < THREADS; i++) CHECK_OK(plat_thread_start(make_many, NULL, &threads[i]));
    for (int i = 0; i < THREADS; i++) plat_thread_join(threads[i]);
}

CHECK_SUITE(hmac,
    CASE(digests_are_those_that_all_others_make),
    CASE(key_may_be_longer_than_a_block),
    CASE(no_key_and_no_data_have_a_digest),
    CASE(several_threads_begin_at_once),
);
