/*
 * libcrypto, opened at the first use: most programs never need it, and it is large. Nothing of its headers is used,
 * so that one build works with each of its versions.
 */
#include "platform_crypto.h"

#include "cancel.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Nothing of it is taken away at the end of the process, when another thread may still use it. */
#define CRYPTO_NO_ATEXIT UINT64_C(0x00080000)

/* What is used of it; the digests first. POSIX lets what dlsym() returns be a function, C does not. */
enum { CRYPTO_SET_MARK = PLAT_DIGESTS, CRYPTO_POP_MARK, CRYPTO_INIT, CRYPTO_HMAC, CRYPTO_FUNCTIONS };
union crypto_function {
    void *found;
    const void *(*digest)(void);
    int (*mark)(void);
    int (*init)(uint64_t options, const void *settings);
    unsigned char *(*hmac)(const void *digest, const void *key, int key_size, const unsigned char *data, size_t size,
                           unsigned char *mac, unsigned *mac_size);
};

static const char *const crypto_libraries[] = {"libcrypto.so.3", "libcrypto.so.1.1"};
static const char *const crypto_names[CRYPTO_FUNCTIONS] = {
    "EVP_md5", "EVP_sha256", "EVP_sha384", "ERR_set_mark", "ERR_pop_to_mark", "OPENSSL_init_crypto", "HMAC"};

/* Two threads that look at once find the same. The last one is set last. */
static _Atomic(void *) crypto_found[CRYPTO_FUNCTIONS];

static union crypto_function crypto_function(int which)
{
    return (union crypto_function){.found = atomic_load(&crypto_found[which])};
}

static mproc_status crypto_open(void)
{
    void *found[CRYPTO_FUNCTIONS], *library = NULL;
    char words[200] = "";
    int state = cancel_hold(), all = 0;

    for (size_t i = 0; i < sizeof crypto_libraries / sizeof crypto_libraries[0] && !library; i++) {
        library = dlopen(crypto_libraries[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        if (!library && !*words) snprintf(words, sizeof words, "%s", dlerror()); /* the next call frees it */
    }
    while (library && all < CRYPTO_FUNCTIONS && (found[all] = dlsym(library, crypto_names[all]))) all++;
    if (all == CRYPTO_FUNCTIONS &&
        (union crypto_function){.found = found[CRYPTO_INIT]}.init(CRYPTO_NO_ATEXIT, NULL) == 1) {
        for (int i = 0; i < CRYPTO_FUNCTIONS; i++) atomic_store(&crypto_found[i], found[i]);
    }
    cancel_resume(state);
    if (atomic_load(&crypto_found[CRYPTO_HMAC])) return MPROC_OK;
    return mproc_error(MPROC_NOT_SUPPORTED,
                       "cannot load libcrypto.so.3 or libcrypto.so.1.1 (OpenSSL), which connections with an authkey "
                       "need: %s. Install it; a program that is linked statically may be unable to load any",
                       library ? "it lacks functions" : words);
}

/* What the library says of a failure is taken back: the program may use it for itself, and ask it for errors. */
mproc_status plat_hmac(enum plat_digest digest, const void *key, size_t key_size, const void *data, size_t size,
                       unsigned char mac[PLAT_DIGEST_MAX], size_t *mac_size)
{
    unsigned made = 0;
    mproc_status status;

    if (!atomic_load(&crypto_found[CRYPTO_HMAC]) && (status = crypto_open()) != MPROC_OK) return status;
    if (key_size > INT_MAX)
        return mproc_error(MPROC_INVALID, "a key of %zu bytes: at most %d fit", key_size, INT_MAX);
    int state = cancel_hold();
    crypto_function(CRYPTO_SET_MARK).mark();
    bool done = crypto_function(CRYPTO_HMAC)
                    .hmac(crypto_function((int)digest).digest(), key_size > 0 ? key : "", (int)key_size, data, size,
                          mac, &made);
    crypto_function(CRYPTO_POP_MARK).mark();
    cancel_resume(state);
    if (!done)
        return mproc_error(MPROC_NOT_SUPPORTED, "libcrypto makes no HMACs with %s here: is it limited to others?",
                           crypto_names[digest] + strlen("EVP_"));
    *mac_size = made;
    return MPROC_OK;
}
