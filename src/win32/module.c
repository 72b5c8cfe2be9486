#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "platform.h"
#include "wide.h"
#include "windows_api.h"

#include <psapi.h>

enum { LANES = 3 };

/* Three hashes side by side, each with a start and a factor of its own: 20 bytes of id are cut from them. */
typedef struct identity {
    uint64_t lanes[LANES];
} identity;

static const uint64_t lane_factors[LANES] = {UINT64_C(0x00000100000001b3), UINT64_C(0x9e3779b97f4a7c15),
                                             UINT64_C(0xc2b2ae3d27d4eb4f)};

static void identity_init(identity *sum)
{
    for (int i = 0; i < LANES; i++) sum->lanes[i] = UINT64_C(0xcbf29ce484222325) + (uint64_t)i;
}

static void identity_add(identity *sum, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    for (size_t at = 0; at < size; at++) {
        for (int i = 0; i < LANES; i++) {
            sum->lanes[i] = (sum->lanes[i] ^ bytes[at]) * lane_factors[i];
            sum->lanes[i] ^= sum->lanes[i] >> 29;
        }
    }
}

static const IMAGE_NT_HEADERS64 *image_headers(const uint8_t *base)
{
    const IMAGE_DOS_HEADER *front = (const IMAGE_DOS_HEADER *)base;
    return (const IMAGE_NT_HEADERS64 *)(base + front->e_lfanew);
}

/* Whether the image has [offset, offset + size), and it is not the header's zero for "none". */
static bool image_holds(const IMAGE_NT_HEADERS64 *headers, DWORD offset, size_t size)
{
    return offset != 0 && size <= headers->OptionalHeader.SizeOfImage &&
           offset <= headers->OptionalHeader.SizeOfImage - size;
}

/* "RSDS", a GUID and an age: made by the linker for each build, with the name of its symbol file after it. */
enum { SYMBOL_ID_BYTES = 4 + 16 + 4 };

static const uint8_t *image_symbol_id(const uint8_t *base, const IMAGE_NT_HEADERS64 *headers)
{
    const IMAGE_DATA_DIRECTORY *place = &headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_DEBUG];
    const IMAGE_DEBUG_DIRECTORY *entries = (const IMAGE_DEBUG_DIRECTORY *)(base + place->VirtualAddress);
    size_t count = place->Size / sizeof *entries;

    if (headers->OptionalHeader.NumberOfRvaAndSizes <= IMAGE_DIRECTORY_ENTRY_DEBUG) return NULL;
    if (!image_holds(headers, place->VirtualAddress, place->Size)) return NULL;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *data = base + entries[i].AddressOfRawData;
        if (entries[i].Type != IMAGE_DEBUG_TYPE_CODEVIEW) continue;
        if (!image_holds(headers, entries[i].AddressOfRawData, SYMBOL_ID_BYTES)) continue;
        if (memcmp(data, "RSDS", 4) == 0) return data;
    }
    return NULL;
}

/* The file's name without its directory, in one case: the system's names have none. */
static void identity_add_name(identity *sum, HMODULE module)
{
    wchar_t *path = NULL;
    const wchar_t *name;

    if (win32_module_file(module, &path) != MPROC_OK) return;
    name = path;
    for (const wchar_t *at = path; *at != L'\0'; at++) {
        if (*at == L'\\' || *at == L'/') name = at + 1;
    }
    for (; *name != L'\0'; name++) {
        wchar_t letter = *name >= L'A' && *name <= L'Z' ? (wchar_t)(*name - L'A' + L'a') : *name;
        identity_add(sum, &letter, sizeof letter);
    }
    free(path);
}

/*
 * What the linker wrote and the loader leaves alone. Reproducible builds have no time stamp; then the check sum (if
 * the linker makes one), the sections' sizes, and the symbols' id or the file's name tell builds apart.
 */
static void module_identify(HMODULE module, uint8_t id[20])
{
    const uint8_t *base = (const uint8_t *)module;
    const IMAGE_NT_HEADERS64 *headers = image_headers(base);
    const IMAGE_FILE_HEADER *file = &headers->FileHeader;
    const uint8_t *symbol_id = image_symbol_id(base, headers);
    identity sum;

    identity_init(&sum);
    identity_add(&sum, &file->TimeDateStamp, sizeof file->TimeDateStamp);
    identity_add(&sum, &headers->OptionalHeader.SizeOfImage, sizeof headers->OptionalHeader.SizeOfImage);
    identity_add(&sum, &headers->OptionalHeader.CheckSum, sizeof headers->OptionalHeader.CheckSum);
    identity_add(&sum, IMAGE_FIRST_SECTION(headers), file->NumberOfSections * sizeof(IMAGE_SECTION_HEADER));
    if (symbol_id) {
        identity_add(&sum, symbol_id, SYMBOL_ID_BYTES);
    } else {
        identity_add_name(&sum, module);
    }
    memcpy(id, sum.lanes, 20);
}

/* A path that does not fit stays empty: the module is then known by its id, where it is loaded already. */
static void module_describe(HMODULE module, plat_module *described)
{
    wchar_t *path = NULL;

    described->base = (uintptr_t)module;
    described->main = module == GetModuleHandleW(NULL);
    described->path[0] = '\0';
    module_identify(module, described->id);
    if (win32_module_file(module, &path) == MPROC_OK) win32_narrow(path, described->path, sizeof described->path);
    free(path);
}

/* Trampolines and generated code lie in no image; data of an image must not be called. */
static bool address_is_code(uintptr_t address, HMODULE module)
{
    const DWORD executable = PAGE_EXECUTE | PAGE_EXECUTE_READ | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY;
    MEMORY_BASIC_INFORMATION page;

    if (VirtualQuery((const void *)address, &page, sizeof page) == 0) return false;
    return page.Type == MEM_IMAGE && page.State == MEM_COMMIT && (page.Protect & executable) != 0 &&
           page.AllocationBase == (void *)module;
}

mproc_status plat_module_find(uintptr_t address, plat_module *module)
{
    HMODULE found;

    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                            (const wchar_t *)address, &found)) {
        return mproc_error(MPROC_NOT_FOUND, "address %p lies in no module of this process", (void *)address);
    }
    if (!address_is_code(address, found)) {
        return mproc_error(MPROC_NOT_FOUND, "address %p is not code of the module that it lies in", (void *)address);
    }
    module_describe(found, module);
    return MPROC_OK;
}

/* The system tells how much room it wants; modules may be loaded between two questions. */
static mproc_status modules_list(HMODULE **modules, size_t *count)
{
    DWORD room = 128 * sizeof(HMODULE);

    for (;;) {
        HMODULE *list = malloc(room);
        DWORD used = 0;

        if (!list) return mproc_error(MPROC_NO_MEMORY, "there is no memory for a list of modules");
        if (!EnumProcessModules(GetCurrentProcess(), list, room, &used)) {
            mproc_status status = win32_error(GetLastError(), "cannot list the modules of this process");
            free(list);
            return status;
        }
        if (used <= room) {
            *modules = list;
            *count = used / sizeof *list;
            return MPROC_OK;
        }
        free(list);
        room = used + 16 * (DWORD)sizeof(HMODULE);
    }
}

/* Holds the module while it is looked at: another thread may unload it. */
static bool module_matches(HMODULE module, const uint8_t id[20], plat_module *matching)
{
    HMODULE held;
    uint8_t its_id[20];
    bool same;

    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (const wchar_t *)module, &held)) return false;
    module_identify(held, its_id);
    same = memcmp(its_id, id, sizeof its_id) == 0;
    if (same) module_describe(held, matching);
    FreeLibrary(held);
    return same;
}

mproc_status plat_module_lookup(const uint8_t id[20], plat_module *module)
{
    HMODULE *modules = NULL;
    size_t count = 0;
    bool found = false;
    mproc_status status;

    if ((status = modules_list(&modules, &count)) != MPROC_OK) return status;
    for (size_t i = 0; i < count && !found; i++) found = module_matches(modules[i], id, module);
    free(modules);
    if (found) return MPROC_OK;
    return mproc_error(MPROC_NOT_FOUND, "no module of this process has the id that was asked for");
}

mproc_status plat_module_open(const char *path)
{
    wchar_t *wide = NULL;
    HMODULE module;

    if (win32_wide(path, &wide) != MPROC_OK) return mproc_error(MPROC_NOT_FOUND, "'%.300s' is not UTF-8", path);
    module = LoadLibraryW(wide);
    free(wide);
    if (module) return MPROC_OK;
    return win32_error_as(MPROC_NOT_FOUND, GetLastError(), "cannot open the module '%.300s'", path);
}

void plat_module_pin(uintptr_t address)
{
    HMODULE module;

    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                       (const wchar_t *)address, &module);
}
