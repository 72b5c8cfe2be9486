/*
 * What the tests of src/platform.h share: children that run helpers, a board in shared memory that parent and
 * child both see, and what has to be asked from the system directly, because the platform is what is judged.
 */
#ifndef PLATFORM_H
#define PLATFORM_H

#include "check.h"
#include "platform.h"

/* ---- platform_fixture.c: time ----------------------------------------------------------------------------- */

/* A deadline that nothing should need. */
int64_t platform_limit_ns(void);

/* A deadline `ms` from now. */
int64_t platform_in_ms(int ms);

/* ---- children --------------------------------------------------------------------------------- */

/*
 * A start of this program as a helper. Use: platform_call_init(), change `start` as the case wants it, then
 * plat_process_start(&call.start, ...). The defaults: no input, this process' output, no handles.
 */
typedef struct platform_call {
    plat_start start;
    const char *helper;     /* "suite.helper" */
    const char *text;       /* for the helper, at most 40 bytes */
    int written;            /* how often the token was asked for */
    plat_handle numbers[4]; /* the numbers that the helper was told */
} platform_call;

void platform_call_init(platform_call *call, const char *helper, const char *text);

/* Starts the helper with one handle, or PLAT_NO_HANDLE, and defaults otherwise. */
void platform_start(const char *helper, const char *text, plat_handle handle, plat_process *process);

/* In the helper: takes the numbers of its handles, not yet adopted, from the text given to it; returns the rest. */
const char *platform_handles(const char *text, plat_handle *handles);

/* Waits for the end of the process, collects it, closes the handle. */
plat_end platform_end(plat_process *process);

/* The same, and checks how it ended. */
#define CHECK_EXITS(process, code) platform_check_end((process), PLAT_END_EXITED, (code), __FILE__, __LINE__)
#define CHECK_SIGNALLED(process, signal) \
    platform_check_end((process), PLAT_END_SIGNALLED, (signal), __FILE__, __LINE__)
void platform_check_end(plat_process *process, plat_end_kind kind, int number, const char *file, int line);

/* A call that must fail: with this status, and with a text that says more than nothing. */
#define CHECK_REFUSED(call, status)                \
    do {                                           \
        CHECK_STATUS(call, status);                \
        CHECK(mproc_last_error_text()[0] != '\0'); \
    } while (0)

/* ---- the board -------------------------------------------------------------------------------- */

enum { PLATFORM_RESERVE = 1 << 20 };

/* All zero at first. Anybody may change anything; a case says who does. */
typedef struct platform_board {
    _Atomic uint32_t step;
    _Atomic uint32_t word;
    _Atomic int64_t values[16];
    plat_semaphore semaphores[4];
    unsigned char bytes[256];
} platform_board;

platform_board *platform_board_create(plat_handle *memory);

/* In a helper: adopts the memory and maps it. */
platform_board *platform_board_open(plat_handle memory);

void platform_board_drop(platform_board *board, plat_handle memory);

/* Waits until `step` is at least this. */
void platform_await_step(platform_board *board, uint32_t step);

/*
 * ---- platform_fixture_posix.c, platform_fixture_win32.c
 * ---------------------------------------------------------------
 */

/* Whether the number is an open handle of this process; whether children would get it by the system's own rules. */
bool os_handle_is_open(plat_handle handle);
bool os_handle_is_inheritable(plat_handle handle);

/* Opens something that children would inherit. */
plat_handle os_open_inheritable(void);

/* Makes an empty directory; writes its path, UTF-8. os_remove_directory() takes it away with the files in it. */
void os_make_directory(char *path, size_t size);
void os_remove_directory(const char *path);

/* Copies this program to `path`; writes a file with that text, executable as far as its rights go. */
void os_copy_program(const char *path);
void os_write_program(const char *path, const char *text);

/* Open a file for reading, or a new one for writing; read what a file contains. */
plat_handle os_open_input(const char *path);
plat_handle os_open_output(const char *path);
void os_read_file(const char *path, char *text, size_t size);

/* Writes a text to a file that is open. */
void os_write(plat_handle file, const char *text);

/* The current directory, in the form in which os_make_directory() gives paths. */
void os_current_directory(char *path, size_t size);

void os_set_variable(const char *name, const char *value);

/* From now on a fault ends this process in the system's way, whatever a sanitizer has installed. */
void os_fault_as_usual(void);

/* Whether touching what is reserved and not committed is a fault here. Under Wine it is not. */
bool os_reserved_memory_faults(void);

/* Ends of this process by its own fault, as the system tells of them. */
void os_abort(void);
void os_arithmetic_fault(void);
void os_illegal_instruction(void);

/* The directory of this program's file, UTF-8. */
void os_program_directory(char *path, size_t size);

/* Address of a function of the system's own library, and of a symbol of a library that is loaded. */
uintptr_t os_system_function(void);
uintptr_t os_library_symbol(const char *library, const char *symbol);

/* A page of code that lies in no module; freed by os_free_code(). */
void *os_generate_code(void);
void os_free_code(void *code);

/* Binds this process to the first CPU that it may use. Returns how many it had. */
int os_bind_to_one_cpu(void);

#endif
