/*
 * libcrypto, opened at the first use: most programs never need it, and it is large. Nothing of its headers is used,
 * so that one build works with each of its versions.
 */
#include "platform_crypto.h"

#include "cancel.h"

#include <assert.h>
#include <dlfcn.h>
#include <limits.h>
#include <string.h>

/* Nothing of it is taken away at the end of the process, when another thread may still use it. */
#define CRYPTO_NO_ATEXIT UINT64_C(0x00080000)

typedef const void *crypto_digest_function(void);
typedef unsigned char *crypto_hmac_function(const void *digest, const void *key, int key_size,
                                            const unsigned char *data, size_t size, unsigned char *mac,
                                            unsigned *mac_size);
typedef int crypto_mark_function(void);
typedef int crypto_init_function(uint64_t options, const void *settings);

static const char *const crypto_names[] = {"libcrypto.so.3", "libcrypto.so.1.1"};
static const char *const digest_names[PLAT_DIGESTS] = {"EVP_md5", "EVP_sha256", "EVP_sha384"};

/* Two threads that look at once find the same. `hmac` is set last. */
static _Atomic(crypto_digest_function *) digests[PLAT_DIGESTS];
static _Atomic(crypto_mark_function *) mark, unmark;
static _Atomic(crypto_hmac_function *) hmac;

/* POSIX lets what dlsym() returns be a function, C does not. */
static void crypto_find(void *library, const char *name, void *function, size_t size, bool *all)
{
    void *found = dlsym(library, name);

    assert(size == sizeof found);
    memcpy(function, &found, size);
    if (!found) *all = false;
}

static bool crypto_load(void *library)
{
    crypto_digest_function *made[PLAT_DIGESTS];
    crypto_mark_function *marks[2];
    crypto_hmac_function *found;
    crypto_init_function *init;
    bool all = true;

    for (int i = 0; i < PLAT_DIGESTS; i++) crypto_find(library, digest_names[i], &made[i], sizeof made[i], &all);
    crypto_find(library, "ERR_set_mark", &marks[0], sizeof marks[0], &all);
    crypto_find(library, "ERR_pop_to_mark", &marks[1], sizeof marks[1], &all);
    crypto_find(library, "OPENSSL_init_crypto", &init, sizeof init, &all);
    crypto_find(library, "HMAC", &found, sizeof found, &all);
    if (!all || init(CRYPTO_NO_ATEXIT, NULL) != 1) return false;
    for (int i = 0; i < PLAT_DIGESTS; i++) atomic_store(&digests[i], made[i]);
    atomic_store(&mark, marks[0]);
    atomic_store(&unmark, marks[1]);
    atomic_store(&hmac, found);
    return true;
}

static mproc_status crypto_open(void)
{
    const char *words = NULL;
    int state = cancel_hold();
    bool loaded = false;

    for (size_t i = 0; i < sizeof crypto_names / sizeof crypto_names[0] && !loaded; i++) {
        void *library = dlopen(crypto_names[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        if (library) loaded = crypto_load(library);
        else if (!words) words = dlerror();
    }
    cancel_resume(state);
    if (loaded) return MPROC_OK;
    return mproc_error(MPROC_NOT_SUPPORTED,
                       "cannot load libcrypto.so.3 or libcrypto.so.1.1 (OpenSSL), which connections with an authkey "
                       "need: %s. Install it; a program that is linked statically may be unable to load any",
                       words ? words : "it lacks functions");
}

/* What the library says of a failure is taken back: the program may use it for itself, and ask it for errors. */
mproc_status plat_hmac(enum plat_digest digest, const void *key, size_t key_size, const void *data, size_t size,
                       unsigned char mac[PLAT_DIGEST_MAX], size_t *mac_size)
{
    unsigned made = 0;
    mproc_status status;

    if (!atomic_load(&hmac) && (status = crypto_open()) != MPROC_OK) return status;
    if (key_size > INT_MAX)
        return mproc_error(MPROC_INVALID, "a key of %zu bytes: at most %d fit", key_size, INT_MAX);
    int state = cancel_hold();
    atomic_load (&mark)();
    bool done = atomic_load(&hmac)(atomic_load(&digests[digest])(), key_size > 0 ? key : "", (int)key_size, data,
                                   size, mac, &made);
    atomic_load (&unmark)();
    cancel_resume(state);
    if (!done)
        return mproc_error(MPROC_NOT_SUPPORTED,
                           "libcrypto does not make HMACs with %s here: is it limited to others?",
                           digest_names[digest] + strlen("EVP_"));
    *mac_size = made;
    return MPROC_OK;
}
