#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "library.h"
#include "platform.h"
#include "windows_api.h"

struct plat_thread {
    HANDLE handle;
    void (*function)(void *argument);
    void *argument;
};

static DWORD WINAPI thread_main(void *context)
{
    plat_thread *thread = context;

    thread->function(thread->argument);
    return 0;
}

/*
 * Not by _beginthreadex(), which asks for the module of the function: a thread that ends may start another, see
 * thread_ends(). What the C runtime keeps for a thread it makes and frees for any.
 */
mproc_status plat_thread_start(void (*function)(void *argument), void *argument, plat_thread **thread)
{
    plat_thread *created = malloc(sizeof *created);

    if (!created) return mproc_error(MPROC_NO_MEMORY, "there is no memory to start a thread");
    created->function = function;
    created->argument = argument;
    created->handle = CreateThread(NULL, 0, thread_main, created, 0, NULL);
    if (!created->handle) {
        DWORD code = GetLastError();
        free(created);
        return win32_error_as(code == ERROR_MAX_THRDS_REACHED ? MPROC_LIMIT : MPROC_NO_MEMORY, code,
                              "cannot start a thread");
    }
    *thread = created;
    return MPROC_OK;
}

void plat_thread_join(plat_thread *thread)
{
    WaitForSingleObject(thread->handle, INFINITE);
    CloseHandle(thread->handle);
    free(thread);
}

void plat_thread_take_signals(void)
{
}

/* It would go on until its last thread has ended, but TerminateProcess() ends it at any time. */
bool plat_thread_program_ended(int others)
{
    (void)others;
    return false;
}

static INIT_ONCE block_once = INIT_ONCE_STATIC_INIT;
static DWORD block_slot = FLS_OUT_OF_INDEXES;

static void WINAPI block_ends(void *block)
{
    free(block);
}

static BOOL WINAPI make_block_slot(INIT_ONCE *once, void *parameter, void **context)
{
    HMODULE ours;

    (void)once;
    (void)parameter;
    (void)context;
    /* Threads that end call it, so the module that holds it must not be unloaded. */
    if (GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                           (const wchar_t *)&block_once, &ours))
        block_slot = FlsAlloc(block_ends);
    return TRUE;
}

typedef BOOLEAN WINAPI shutdown_function(void);

/* Set once, by plat_thread_exit_hook(), before any value is. */
static struct {
    DWORD slot;
    void (*function)(void *value);
    shutdown_function *process_ends;
} exit_hook;

/*
 * The system calls it for the last thread too, when the process ends and other threads were cut off anywhere.
 *
 * Here the system may hold its lock on the values of threads. A thread that begins takes that, and has the lock of
 * loaded modules meanwhile. So whoever asks for a module here, or waits for a thread to begin, waits for ever; and so
 * does he who wants a lock whose holder does either.
 */
static void WINAPI thread_ends(void *value)
{
    if (!value) return;
    if (exit_hook.process_ends && exit_hook.process_ends()) return;
    exit_hook.function(value);
}

mproc_status plat_thread_exit_hook(void (*function)(void *value))
{
    HMODULE ours;

    /* It can never be taken back, so the module that holds it must not be unloaded. */
    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                            (const wchar_t *)&exit_hook, &ours)) {
        return win32_error(GetLastError(), "cannot keep the library loaded");
    }
    exit_hook.function = function;
    exit_hook.process_ends = (shutdown_function *)win32_function(L"ntdll.dll", "RtlDllShutdownInProgress");
    exit_hook.slot = FlsAlloc(thread_ends);
    if (exit_hook.slot == FLS_OUT_OF_INDEXES) {
        return win32_error_as(MPROC_LIMIT, GetLastError(), "there is no free slot for a value of each thread");
    }
    InitOnceExecuteOnce(&block_once, make_block_slot, NULL, NULL); /* a thread that ends could not make it any more */
    return MPROC_OK;
}

void plat_thread_exit_set(void *value)
{
    FlsSetValue(exit_hook.slot, value);
}

void *plat_thread_block(size_t size)
{
    DWORD code = GetLastError();
    void *block;

    InitOnceExecuteOnce(&block_once, make_block_slot, NULL, NULL);
    if (block_slot == FLS_OUT_OF_INDEXES) return NULL;
    if (!(block = FlsGetValue(block_slot)) && (block = calloc(1, size)) && !FlsSetValue(block_slot, block)) {
        free(block);
        block = NULL;
    }
    SetLastError(code);
    return block;
}

static_assert(sizeof(SRWLOCK) <= sizeof(plat_mutex), "a plat_mutex has room for the system's lock");

void plat_mutex_lock(plat_mutex *mutex)
{
    AcquireSRWLockExclusive((SRWLOCK *)mutex->place);
}

void plat_mutex_unlock(plat_mutex *mutex)
{
    ReleaseSRWLockExclusive((SRWLOCK *)mutex->place);
}

/* Ctrl-C has a thread of its own. */
bool plat_mutex_held(void)
{
    return false;
}

void plat_thread_yield(void)
{
    SwitchToThread();
}

void plat_thread_pause(void)
{
    YieldProcessor();
}

/* Processors are numbered through the groups of 64 in which the system keeps them. */
int plat_thread_cpu(void)
{
    PROCESSOR_NUMBER number;

    GetCurrentProcessorNumberEx(&number);
    return number.Group * 64 + number.Number;
}

void plat_thread_schedule(plat_schedule *schedule)
{
    memset(schedule, 0, sizeof *schedule);
}

void plat_thread_schedule_as(const plat_schedule *schedule)
{
    (void)schedule;
}

/*
 * A mask speaks of one group. Where there are several, a thread that was given one is bound to its group
 * ever after, and nothing takes that back: it stays where it is.
 */
void plat_thread_move(int cpu)
{
    DWORD_PTR before;

    if (cpu < 0 || cpu >= 64 || GetActiveProcessorGroupCount() > 1) return;
    before = SetThreadAffinityMask(GetCurrentThread(), (DWORD_PTR)1 << cpu);
    if (before != 0) SetThreadAffinityMask(GetCurrentThread(), before);
}

/* The bit of the number-th of the processors in the mask. */
static DWORD_PTR nth_bit(DWORD_PTR mask, uint32_t number)
{
    for (; number > 0; number--) mask &= mask - 1;
    return mask & (~mask + 1);
}

static uint32_t count_bits(DWORD_PTR mask)
{
    uint32_t count = 0;

    for (; mask != 0; mask &= mask - 1) count++;
    return count;
}

/* Where there are several groups of processors, they are counted through, and a mask of the process is of no help. */
void plat_thread_pin(const plat_schedule *schedule, uint32_t number)
{
    DWORD_PTR allowed = 0, present = 0;
    WORD groups = GetActiveProcessorGroupCount();

    (void)schedule;
    if (groups <= 1) {
        if (!GetProcessAffinityMask(GetCurrentProcess(), &allowed, &present) || allowed == 0) return;
        SetThreadAffinityMask(GetCurrentThread(), nth_bit(allowed, number % count_bits(allowed)));
        return;
    }
    number %= GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
    for (WORD group = 0; group < groups; group++) {
        DWORD count = GetActiveProcessorCount(group);
        GROUP_AFFINITY target = {.Mask = (KAFFINITY)1 << number % 64, .Group = group};
        if (number < count) {
            SetThreadGroupAffinity(GetCurrentThread(), &target, NULL);
            return;
        }
        number -= count;
    }
}
