/* The system's cryptography (CNG), loaded at the first use: every linked library makes each start slower. */
#include "platform_crypto.h"

#include <limits.h>

#include "error.h"
#include "library.h"
#include "windows_api.h"

#define OPEN_FOR_HMAC 8

typedef LONG WINAPI crypto_open_function(void **algorithm, const wchar_t *name, const wchar_t *provider, ULONG flags);
typedef LONG WINAPI crypto_close_function(void *algorithm, ULONG flags);
typedef LONG WINAPI crypto_hash_function(void *algorithm, UCHAR *key, ULONG key_size, UCHAR *data, ULONG size,
                                         UCHAR *mac, ULONG mac_size);

static const struct {
    const wchar_t *name;
    const char *text;
    ULONG bytes;
} digests[PLAT_DIGESTS] = {{L"MD5", "MD5", 16}, {L"SHA256", "SHA256", 32}, {L"SHA384", "SHA384", 48}};

/* Each is opened once, and stays. */
static _Atomic(void *) algorithms[PLAT_DIGESTS];
static _Atomic(crypto_hash_function *) hash;

static mproc_status crypto_refused(enum plat_digest digest, LONG answer)
{
    return mproc_error(MPROC_NOT_SUPPORTED, "the system makes no HMACs with %s (status 0x%08lx)",
                       digests[digest].text, (unsigned long)answer);
}

/* Of two threads that open it at once, one closes its own again. */
static mproc_status crypto_open(enum plat_digest digest)
{
    crypto_open_function *open = (crypto_open_function *)win32_function(L"bcrypt.dll", "BCryptOpenAlgorithmProvider");
    crypto_close_function *close =
        (crypto_close_function *)win32_function(L"bcrypt.dll", "BCryptCloseAlgorithmProvider");
    crypto_hash_function *found = (crypto_hash_function *)win32_function(L"bcrypt.dll", "BCryptHash");
    void *opened = NULL, *none = NULL;
    LONG answer;

    if (!open || !close || !found)
        return win32_error_as(MPROC_NOT_SUPPORTED, GetLastError(),
                              "bcrypt.dll of Windows 10, which connections with an authkey need, is missing");
    if ((answer = open(&opened, digests[digest].name, NULL, OPEN_FOR_HMAC)) < 0)
        return crypto_refused(digest, answer);
    atomic_store(&hash, found);
    if (!atomic_compare_exchange_strong(&algorithms[digest], &none, opened)) close(opened, 0);
    return MPROC_OK;
}

mproc_status plat_hmac(enum plat_digest digest, const void *key, size_t key_size, const void *data, size_t size,
                       unsigned char mac[PLAT_DIGEST_MAX], size_t *mac_size)
{
    LONG answer;
    mproc_status status;

    if (!atomic_load(&algorithms[digest]) && (status = crypto_open(digest)) != MPROC_OK) return status;
    if (key_size > INT_MAX || size > INT_MAX)
        return mproc_error(MPROC_INVALID, "a key of %zu bytes: at most %d fit", key_size, INT_MAX);
    answer = atomic_load(&hash)(atomic_load(&algorithms[digest]), (UCHAR *)(uintptr_t)key, (ULONG)key_size,
                                (UCHAR *)(uintptr_t)data, (ULONG)size, mac, digests[digest].bytes);
    if (answer < 0) return crypto_refused(digest, answer);
    *mac_size = digests[digest].bytes;
    return MPROC_OK;
}
