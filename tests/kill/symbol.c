#include "symbol.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* This program's own file, mapped once and for good. */
static const unsigned char *image(void)
{
    static const unsigned char *bytes;
    struct stat information;
    void *place;
    int file;

    if (bytes != NULL || (file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)) < 0) return bytes;
    if (fstat(file, &information) == 0) {
        place = mmap(NULL, (size_t)information.st_size, PROT_READ, MAP_PRIVATE, file, 0);
        if (place != MAP_FAILED) bytes = place;
    }
    close(file);
    return bytes;
}

static bool covers(const ElfW(Sym) * symbol, uintptr_t address)
{
    return ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_value <= address &&
           address < symbol->st_value + symbol->st_size;
}

void symbol_write(uintptr_t address, char *text, size_t size)
{
    const unsigned char *bytes = image();
    const ElfW(Shdr) * sections;
    const ElfW(Ehdr) * header;
    size_t i, j;

    snprintf(text, size, "0x%zx", (size_t)address);
    if (bytes == NULL) return;
    header = (const ElfW(Ehdr) *)bytes;
    sections = (const ElfW(Shdr) *)(bytes + header->e_shoff);
    for (i = 0; i < header->e_shnum; i++) {
        const ElfW(Sym) *symbols = (const ElfW(Sym) *)(bytes + sections[i].sh_offset);
        if (sections[i].sh_type != SHT_SYMTAB) continue;
        for (j = 0; j < sections[i].sh_size / sizeof *symbols; j++) {
            const char *names = (const char *)(bytes + sections[sections[i].sh_link].sh_offset);
            if (!covers(&symbols[j], address)) continue;
            snprintf(text, size, "0x%zx %s+0x%zx", (size_t)address, names + symbols[j].st_name,
                     (size_t)(address - symbols[j].st_value));
            return;
        }
    }
}
