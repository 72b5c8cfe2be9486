/*
 * The part of src/platform.h for keyed digests; what is said there of all functions holds here.
 */
#ifndef MPROC_PLATFORM_CRYPTO_H
#define MPROC_PLATFORM_CRYPTO_H

#include "platform.h"

/* ---- hmac.c ----------------------------------------------------------------------------------- */

enum plat_digest { PLAT_MD5, PLAT_SHA256, PLAT_SHA384, PLAT_DIGESTS };

#define PLAT_DIGEST_MAX 48

/*
 * Writes the HMAC (RFC 2104) of the data with the key, of either of which there may be none, and how many bytes it
 * has. The system's library for it is loaded by the first call, for good. MPROC_NOT_SUPPORTED: there is none, or it
 * refuses the digest, as some do with MD5.
 */
mproc_status plat_hmac(enum plat_digest digest, const void *key, size_t key_size, const void *data, size_t size,
                       unsigned char mac[PLAT_DIGEST_MAX], size_t *mac_size);

#endif
