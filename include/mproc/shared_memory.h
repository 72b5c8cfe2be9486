/*
 * Shared memory without a type or a lock (Python: shared_memory.SharedMemory): bytes that several processes use at
 * once. Without a name it travels as an argument; with one, any program of the user can find it.
 *
 *     mproc_shared_memory *frame;
 *     mproc_check(mproc_shared_memory_create(1920 * 1080 * 4, NULL, &frame));
 *     memset(mproc_shared_memory_data(frame), 0, mproc_shared_memory_size(frame));
 *
 * One rule on all systems says how long it lives: as long as anybody has it, however processes end. A name goes with
 * the memory, or earlier, by unlink; it never outlives its last user, and no helper process watches over it. When all
 * users are killed at once, the memory is freed when another process of the user first creates or attaches named
 * memory, or when a family that uses such memory loses a process (Linux), or at once (Windows). docs/named-memory.md
 * says where it lies.
 *
 * What <mproc/lock.h> says once for all objects is said for these, too. A reference to named memory costs a process
 * one open file (Windows: two handles). A fork() copy of a process is not one that has it: the name may go before it.
 */
#ifndef MPROC_SHARED_MEMORY_H
#define MPROC_SHARED_MEMORY_H

#include <stddef.h>

#include <mproc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Names have at most so many bytes. */
#define MPROC_SHARED_NAME_MAX 64

typedef struct mproc_shared_memory mproc_shared_memory;

/* Zero in a field is its default. */
typedef struct mproc_shared_memory_options {
    /*
     * A name, by which others attach to the memory; it is copied. UTF-8, 1 to MPROC_SHARED_NAME_MAX bytes, of any
     * characters; upper and lower case differ. Names are those of one user, in one session on Windows, and are shared
     * with shareable lists. Default: none.
     */
    const char *name;
} mproc_shared_memory_options;

/*
 * Creates shared memory of `size` bytes, all zero (Python: SharedMemory(create=True)).
 *
 * Does not block, but for moments (see <mproc/lock.h>); with a name, a second at most, see MPROC_TIMEOUT. All memory
 * that it has is there when it returns: using it never fails for want of memory. Returns MPROC_OK, or, with `*out`
 * unchanged:
 *   MPROC_INVALID     `out` is NULL, `size` is 0, or the name cannot be one
 *   MPROC_EXISTS      somebody has memory of that name
 *   MPROC_MISMATCH    POSIX: where the name is kept lies something that is no memory, such as a directory
 *   MPROC_NO_MEMORY   the family's shared memory, the system or this process has no room
 *   MPROC_LIMIT       too many open files
 *   MPROC_PERMISSION  the place of this user's names is somebody else's, or open to others, or no directory: the text
 *                     says what is there and what to do
 *   MPROC_TIMEOUT     a process that was about to take this very name away has not gone on for a second (stopped)
 */
static inline mproc_status mproc_shared_memory_create(size_t size, const mproc_shared_memory_options *options,
                                                      mproc_shared_memory **out);

/*
 * Attaches to the memory of that name, of this family or any other (Python: SharedMemory(name)). Blocks as
 * create does. Returns MPROC_OK, or, with `*out` unchanged:
 *   MPROC_INVALID     `out` or `name` is NULL, or the name cannot be one
 *   MPROC_NOT_FOUND   there is none: not created, unlinked, or all its users have ended
 *   MPROC_MISMATCH    the name is a shareable list's, or of another version of the library; or somebody has made the
 *                     memory smaller, or put something else there
 *   MPROC_NO_MEMORY, MPROC_LIMIT, MPROC_PERMISSION, MPROC_TIMEOUT  as create
 */
MPROC_API mproc_status mproc_shared_memory_attach(const char *name, mproc_shared_memory **out);

/*
 * Drops the reference (Python: close()): its address is no longer valid. NULL is fine. Others keep the memory and its
 * name. Does not block.
 */
MPROC_API void mproc_shared_memory_free(mproc_shared_memory *memory);

/* Returns the first byte, at the start of a cache line (Python: buf); it is there until free. Never blocks. */
MPROC_API void *mproc_shared_memory_data(const mproc_shared_memory *memory);

/* Returns the number of bytes: what create was given, to the byte, wherever it is asked. Never blocks. */
MPROC_API size_t mproc_shared_memory_size(const mproc_shared_memory *memory);

/* Returns the name, or NULL if it has none; the text is there until free. Never blocks. */
MPROC_API const char *mproc_shared_memory_name(const mproc_shared_memory *memory);

/*
 * Takes the name away: from now on nobody finds this memory by it, and it may be another's (Python: unlink()). Those
 * who have the memory keep it. As an argument it can no longer be passed on: mproc_process_create(), or the task that
 * asks for it, gets MPROC_NOT_FOUND.
 *
 * Blocks as create does. Returns MPROC_OK, or:
 *   MPROC_NOT_FOUND      the name was taken away before; also if it stands for other memory by now
 *   MPROC_NOT_SUPPORTED  it has no name
 *   MPROC_TIMEOUT        another user of the memory does the same and has not gone on for a second (stopped)
 */
MPROC_API mproc_status mproc_shared_memory_unlink(mproc_shared_memory *memory);

/* ---- what the inline functions above call; not for direct use ------------------------------ */

MPROC_API mproc_status mproc_shared_memory_create_sized(size_t size, const mproc_shared_memory_options *options,
                                                        size_t options_size, mproc_shared_memory **out);

static inline mproc_status mproc_shared_memory_create(size_t size, const mproc_shared_memory_options *options,
                                                      mproc_shared_memory **out)
{
    return mproc_shared_memory_create_sized(size, options, sizeof(mproc_shared_memory_options), out);
}

#ifdef __cplusplus
}

static inline mproc_status mproc_shared_memory_create(size_t size, const mproc_shared_memory_options &options,
                                                      mproc_shared_memory **out)
{
    return mproc_shared_memory_create_sized(size, &options, sizeof options, out);
}
#endif

#endif
