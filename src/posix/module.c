#include "cancel.h"
#include "platform.h"

#include <assert.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define MODULE_ID_BYTES 20

/* Enough of each segment to tell builds apart; more would only touch more pages. */
#define MODULE_HASHED_BYTES ((size_t)256 << 10)

static_assert(sizeof(((plat_module *)0)->id) == MODULE_ID_BYTES, "the id of platform.h");

/* What dl_iterate_phdr() carries around: what is looked for, and what was found. */
typedef struct module_search {
    uintptr_t address; /* for plat_module_find() */
    const uint8_t *id; /* for plat_module_lookup() */
    plat_module *module;
    bool found;
    bool path_fits;
} module_search;

static int module_match_address(struct dl_phdr_info *info, size_t size, void *context);
static int module_match_id(struct dl_phdr_info *info, size_t size, void *context);
static uintptr_t module_base(const struct dl_phdr_info *info);
static bool module_is_kernels(const struct dl_phdr_info *info);
static bool module_has_code(const struct dl_phdr_info *info, uintptr_t address);
static void module_describe(const struct dl_phdr_info *info, const uint8_t id[MODULE_ID_BYTES],
                            module_search *search);
static bool module_path(const struct dl_phdr_info *info, plat_module *module);
static void module_path_of_main(char *path, size_t size);
static bool module_path_from_maps(uintptr_t address, char *path, size_t size);
static void module_id(const struct dl_phdr_info *info, uint8_t id[MODULE_ID_BYTES]);
static bool module_build_id(const struct dl_phdr_info *info, uint8_t id[MODULE_ID_BYTES]);
static bool module_note_id(const uint8_t *notes, size_t size, size_t align, uint8_t id[MODULE_ID_BYTES]);
static void module_hash_id(const struct dl_phdr_info *info, uint8_t id[MODULE_ID_BYTES]);
static uint64_t module_hash(uint64_t hash, const void *data, size_t size);

/* The executable is the module that is asked for most, and it stays: it is looked at once, under main_mutex. */
static pthread_mutex_t main_mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic bool main_known;
static struct dl_phdr_info main_info;
static plat_module main_module;

/* The loader lists the executable first. */
static int main_take(struct dl_phdr_info *info, size_t size, void *unused)
{
    module_search search = {.module = &main_module};
    uint8_t id[MODULE_ID_BYTES];

    (void)size;
    (void)unused;
    main_info = *info;
    module_id(info, id);
    module_describe(info, id, &search);
    return 1;
}

/*
 * Not pthread_once(), which makes a system call even when nobody waits: each new process comes along here. Without
 * the mutex afterwards: a fork() copy may have a copy of it that another thread had locked.
 */
static void main_learn(void)
{
    if (atomic_load(&main_known)) return;
    pthread_mutex_lock(&main_mutex);
    if (!main_known) dl_iterate_phdr(main_take, NULL);
    atomic_store(&main_known, true);
    pthread_mutex_unlock(&main_mutex);
}

mproc_status plat_module_find(uintptr_t address, plat_module *module)
{
    module_search search = {.address = address, .module = module};

    int state = cancel_hold();
    main_learn();
    bool own = module_has_code(&main_info, address);
    if (own) *module = main_module;
    else dl_iterate_phdr(module_match_address, &search);
    cancel_resume(state);
    if (own) return MPROC_OK;
    if (!search.found) {
        return mproc_error(MPROC_NOT_FOUND,
                           "the address %p lies in the code of no module of this process: use a function of the "
                           "program or of a shared library",
                           (void *)address);
    }
    if (!search.path_fits) {
        return mproc_error(MPROC_NOT_FOUND,
                           "the path of the module that holds the address %p is longer than %zu bytes",
                           (void *)address, sizeof module->path - 1);
    }
    return MPROC_OK;
}

mproc_status plat_module_lookup(const uint8_t id[MODULE_ID_BYTES], plat_module *module)
{
    module_search search = {.id = id, .module = module};

    int state = cancel_hold();
    main_learn();
    bool own = memcmp(id, main_module.id, sizeof main_module.id) == 0;
    if (own) *module = main_module;
    else dl_iterate_phdr(module_match_id, &search);
    cancel_resume(state);
    if (own || search.found) return MPROC_OK;
    return mproc_error(MPROC_NOT_FOUND, "no module of this process has the build id %02x%02x%02x%02x...", id[0],
                       id[1], id[2], id[3]);
}

/* The executable is never unloaded, and the loader does not open it by its name. */
void plat_module_pin(uintptr_t address)
{
    Dl_info info;

    main_learn();
    if (module_has_code(&main_info, address) || dladdr((void *)address, &info) == 0) return;
    void *module = dlopen(info.dli_fname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE | RTLD_NOLOAD);
    if (module) dlclose(module);
}

mproc_status plat_module_open(const char *path)
{
    int state = cancel_hold();
    bool opened = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) != NULL;

    cancel_resume(state);
    if (opened) return MPROC_OK;
    const char *words = dlerror();
    size_t length = strlen(path);
    if (words && strncmp(words, path, length) == 0 && strncmp(words + length, ": ", 2) == 0) words += length + 2;
    return mproc_error(MPROC_NOT_FOUND, "cannot open the module '%s': %s", path,
                       words ? words : "the loader does not say why");
}

static int module_match_address(struct dl_phdr_info *info, size_t size, void *context)
{
    module_search *search = context;
    uint8_t id[MODULE_ID_BYTES];

    (void)size;
    if (!module_has_code(info, search->address)) return 0;
    if (module_is_kernels(info)) return 1;
    module_id(info, id);
    module_describe(info, id, search);
    return 1;
}

static int module_match_id(struct dl_phdr_info *info, size_t size, void *context)
{
    module_search *search = context;
    uint8_t id[MODULE_ID_BYTES];

    (void)size;
    if (module_is_kernels(info)) return 0;
    module_id(info, id);
    if (memcmp(id, search->id, sizeof id) != 0) return 0;
    module_describe(info, id, search);
    return 1;
}

/* A program that is not position-independent is loaded where it was linked: dlpi_addr is then 0. */
static uintptr_t module_base(const struct dl_phdr_info *info)
{
    uintptr_t lowest = UINTPTR_MAX;

    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type == PT_LOAD && segment->p_vaddr < lowest) lowest = segment->p_vaddr;
    }
    return info->dlpi_addr + (lowest != UINTPTR_MAX ? lowest : 0);
}

/* The kernel maps code of its own into each process, the vdso: no file holds it. */
static bool module_is_kernels(const struct dl_phdr_info *info)
{
    return module_base(info) == (uintptr_t)getauxval(AT_SYSINFO_EHDR);
}

static bool module_has_code(const struct dl_phdr_info *info, uintptr_t address)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_X) == 0) continue;
        if (address - (info->dlpi_addr + segment->p_vaddr) < segment->p_memsz) return true;
    }
    return false;
}

/* Writes the result only when all of it is known. */
static void module_describe(const struct dl_phdr_info *info, const uint8_t id[MODULE_ID_BYTES], module_search *search)
{
    plat_module described = {.base = module_base(info)};

    memcpy(described.id, id, sizeof described.id);
    described.main =
        !info->dlpi_name || info->dlpi_name[0] == '\0' || (uintptr_t)info->dlpi_phdr == (uintptr_t)getauxval(AT_PHDR);
    search->found = true;
    search->path_fits = module_path(info, &described);
    *search->module = described;
}

/*
 * The name is as it was given to dlopen(), or as it was found through the library path: it may be relative to a
 * directory that is no longer the working directory.
 */
static bool module_path(const struct dl_phdr_info *info, plat_module *module)
{
    if (module->main) {
        module_path_of_main(module->path, sizeof module->path);
        return true;
    }
    bool relative = info->dlpi_name[0] != '/';
    if (relative && module_path_from_maps(module->base, module->path, sizeof module->path)) return true;
    size_t length = strlen(info->dlpi_name);
    if (length >= sizeof module->path) return false;
    memcpy(module->path, info->dlpi_name, length + 1);
    return true;
}

/* For messages alone, and at each start: not worth a system call, nor the pages that snprintf() lies in. */
static void module_path_of_main(char *path, size_t size)
{
    size_t length = strnlen(program_invocation_name, size - 1);

    memcpy(path, program_invocation_name, length);
    path[length] = '\0';
}

/* A line of /proc/self/maps is "BEGIN-END rights offset device inode   PATH". */
static bool module_path_from_maps(uintptr_t address, char *path, size_t size)
{
    FILE *file = fopen("/proc/self/maps", "re");
    char *line = NULL;
    size_t capacity = 0;
    bool found = false;

    while (file && !found && getline(&line, &capacity, file) > 0) {
        if (strtoull(line, NULL, 16) != address) continue;
        const char *begin = strchr(line, '/');
        if (!begin) break;
        size_t length = strcspn(begin, "\n");
        const size_t mark = strlen(" (deleted)"); /* it was replaced: the new one is another build, and says so */
        if (length > mark && strncmp(begin + length - mark, " (deleted)", mark) == 0) length -= mark;
        if (length >= size) break;
        memcpy(path, begin, length);
        path[length] = '\0';
        found = true;
    }
    free(line);
    if (file) fclose(file);
    return found;
}

static void module_id(const struct dl_phdr_info *info, uint8_t id[MODULE_ID_BYTES])
{
    memset(id, 0, MODULE_ID_BYTES);
    if (!module_build_id(info, id)) module_hash_id(info, id);
}

static bool module_build_id(const struct dl_phdr_info *info, uint8_t id[MODULE_ID_BYTES])
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_NOTE) continue;
        const uint8_t *notes = (const uint8_t *)(info->dlpi_addr + segment->p_vaddr);
        if (module_note_id(notes, segment->p_memsz, segment->p_align == 8 ? 8 : 4, id)) return true;
    }
    return false;
}

/* Ids may be shorter (8 or 16 bytes) and longer than ours. */
static bool module_note_id(const uint8_t *notes, size_t size, size_t align, uint8_t id[MODULE_ID_BYTES])
{
    for (size_t at = 0; at + sizeof(ElfW(Nhdr)) <= size;) {
        ElfW(Nhdr) note;
        memcpy(&note, notes + at, sizeof note);
        size_t name = at + sizeof note;
        size_t content = name + (note.n_namesz + align - 1) / align * align;
        if (content > size || note.n_descsz > size - content) return false;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(notes + name, "GNU", 4) == 0) {
            memcpy(id, notes + content, note.n_descsz < MODULE_ID_BYTES ? note.n_descsz : MODULE_ID_BYTES);
            return note.n_descsz > 0;
        }
        at = content + (note.n_descsz + align - 1) / align * align;
    }
    return false;
}

/*
 * Without a build id: the shape of the file, and the beginning of each segment that is never written to. Those
 * hold the code, constants, symbols and the library's own name, and are not relocated, so that they are
 * the same in every process.
 */
static void module_hash_id(const struct dl_phdr_info *info, uint8_t id[MODULE_ID_BYTES])
{
    uint64_t hash = module_hash(0, info->dlpi_phdr, info->dlpi_phnum * sizeof info->dlpi_phdr[0]);

    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0 || (segment->p_flags & PF_R) == 0) continue;
        size_t size = segment->p_filesz < MODULE_HASHED_BYTES ? segment->p_filesz : MODULE_HASHED_BYTES;
        hash = module_hash(hash, (const void *)(info->dlpi_addr + segment->p_vaddr), size);
    }
    for (size_t at = 0; at < MODULE_ID_BYTES; at += sizeof(uint32_t)) {
        hash = module_hash(hash, "id", 2);
        memcpy(id + at, &hash, sizeof(uint32_t));
    }
}

/* FNV-1a by words of 8 bytes, with the high half folded in, which a multiplication alone never moves down. */
static uint64_t module_hash(uint64_t hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    hash ^= UINT64_C(14695981039346656037) + size;
    for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, bytes + at, size - at < sizeof word ? size - at : sizeof word);
        hash = (hash ^ word) * UINT64_C(1099511628211);
        hash ^= hash >> 32;
    }
    return hash;
}
