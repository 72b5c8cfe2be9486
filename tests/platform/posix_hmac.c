/* platform_crypto.h on POSIX: the library that is loaded may not be there. */
#include "platform_crypto.h"

#include <sys/resource.h>

#include "platform_fixture.h"

/* Without a descriptor no library is opened: as good as none. */
static void case_library_that_cannot_be_loaded_is_named(void)
{
    unsigned char mac[PLAT_DIGEST_MAX];
    struct rlimit limit;
    size_t size;

    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, limit.rlim_max}), 0);
    CHECK_STATUS(plat_hmac(PLAT_SHA256, "key", 3, "data", 4, mac, &size), MPROC_NOT_SUPPORTED);
    CHECK_CONTAINS(mproc_last_error_text(), "libcrypto.so.3");
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    CHECK_OK(plat_hmac(PLAT_SHA256, "key", 3, "data", 4, mac, &size));
    CHECK_EQ(size, 32);
}

CHECK_SUITE(posix_hmac,
    CASE(library_that_cannot_be_loaded_is_named),
);
