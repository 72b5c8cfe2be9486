#include "memory.h"

#include "cgroup.h"
#include "platform.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

/*
 * The kernel's own bookkeeping is charged as well - the tables of pages when they are first used, by each process -,
 * and counters lag behind by some pages per CPU.
 */
#define MEMORY_MARGIN (1024 * 1024)
#define MEMORY_MARGIN_SHARE 64

/*
 * A look at the groups opens some files, which costs as much as a dozen pages. So one that finds much more than is
 * needed serves for a while: for a share of what is left, as other processes look and take at the same time.
 */
#define MEMORY_TRUST_NS 10000000
#define MEMORY_TRUST_SHARE 256
#define MEMORY_TRUST_MAX ((int64_t)64 << 20)

static _Atomic int64_t memory_trust_until_ns;
static _Atomic int64_t memory_trusted;

/* So much of a group's file cache may be what its programs run from, which does not give way. */
#define MEMORY_CACHE_KEPT ((int64_t)4 << 20)

/* What version 1 says where there is no limit is near the largest number. */
#define MEMORY_UNLIMITED ((int64_t)1 << 60)

/* More than any of the files that are read has before the last number that is looked for. */
#define MEMORY_TEXT_BYTES ((size_t)8192)

/* The tightest of the groups seen so far. */
typedef struct memory_room {
    int64_t needed;
    int64_t left;
    int64_t limit;
    char directory[256];
} memory_room;

static int64_t memory_left_of_system(int64_t needed);
static void memory_visit_group(void *context, int version, const char *directory);
static int64_t memory_reclaimable(int version, const char *directory);
static int64_t memory_find_number(const char *text, const char *name);

mproc_status memory_check_room(size_t size)
{
    int64_t needed = (int64_t)size + (int64_t)(size / MEMORY_MARGIN_SHARE) + MEMORY_MARGIN;
    int64_t left = memory_left_of_system(needed), now_ns = plat_clock_now_ns(), trusted;
    memory_room room = {.needed = needed, .left = INT64_MAX};

    if (left < needed) {
        return mproc_error(MPROC_NO_MEMORY,
                           "no room for %zu bytes of shared memory: the system has %" PRId64
                           " bytes left: end other programs or share less",
                           size, left);
    }
    if (now_ns < atomic_load(&memory_trust_until_ns) && atomic_fetch_sub(&memory_trusted, needed) >= needed) {
        return MPROC_OK;
    }
    cgroup_visit(CGROUP_MEMORY, memory_visit_group, &room);
    if (room.left < needed) {
        return mproc_error(MPROC_NO_MEMORY,
                           "no room for %zu bytes of shared memory: the memory cgroup %s has a limit of %" PRId64
                           " bytes, of which %" PRId64 " are left: raise the limit or share less",
                           size, room.directory, room.limit, room.left > 0 ? room.left : 0);
    }
    trusted = (room.left - needed) / MEMORY_TRUST_SHARE;
    atomic_store(&memory_trusted, trusted < MEMORY_TRUST_MAX ? trusted : MEMORY_TRUST_MAX);
    atomic_store(&memory_trust_until_ns, now_ns + MEMORY_TRUST_NS);
    return MPROC_OK;
}

/* Free memory answers for nearly every call; what could be freed besides is looked up only when it matters. */
static int64_t memory_left_of_system(int64_t needed)
{
    struct sysinfo info;

    if (sysinfo(&info) != 0) return INT64_MAX;
    int64_t left = (int64_t)info.freeram * (int64_t)info.mem_unit;
    if (left >= needed) return left;
    char *text = calloc(1, MEMORY_TEXT_BYTES); /* too large for the stacks of small threads */
    int64_t kibibytes = -1;
    if (text && cgroup_read("/proc", "meminfo", text, MEMORY_TEXT_BYTES))
        kibibytes = memory_find_number(text, "MemAvailable:");
    free(text);
    left = kibibytes >= 0 ? kibibytes * 1024 : left + (int64_t)info.bufferram * (int64_t)info.mem_unit;
    return left + (int64_t)info.freeswap * (int64_t)info.mem_unit;
}

static void memory_visit_group(void *context, int version, const char *directory)
{
    memory_room *room = context;
    int64_t limit = 0;
    int64_t used = 0;

    if (!cgroup_read_number(directory, version == 2 ? "memory.max" : "memory.limit_in_bytes", &limit)) return;
    if (limit >= MEMORY_UNLIMITED) return;
    if (!cgroup_read_number(directory, version == 2 ? "memory.current" : "memory.usage_in_bytes", &used)) return;
    int64_t left = limit - used;
    if (left < room->needed) left += memory_reclaimable(version, directory);
    if (left >= room->left) return;
    room->left = left;
    room->limit = limit;
    size_t length = strlen(directory);
    if (length >= sizeof room->directory) length = sizeof room->directory - 1;
    memcpy(room->directory, directory, length);
    room->directory[length] = '\0';
}

/* A group's use counts its file cache, most of which gives way. (Shared memory is in neither list.) */
static int64_t memory_reclaimable(int version, const char *directory)
{
    char *text = calloc(1, MEMORY_TEXT_BYTES);
    int64_t active = 0;
    int64_t inactive = 0;

    if (text && cgroup_read(directory, "memory.stat", text, MEMORY_TEXT_BYTES)) {
        active = memory_find_number(text, version == 2 ? "active_file " : "total_active_file ");
        inactive = memory_find_number(text, version == 2 ? "inactive_file " : "total_inactive_file ");
    }
    free(text);
    int64_t cache = (active > 0 ? active : 0) + (inactive > 0 ? inactive : 0);
    return cache > MEMORY_CACHE_KEPT ? cache - MEMORY_CACHE_KEPT : 0;
}

/* The number behind a name that begins a line, or -1. */
static int64_t memory_find_number(const char *text, const char *name)
{
    size_t length = strlen(name);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, name, length) == 0) return strtoll(line + length, NULL, 10);
    }
    return -1;
}
