/* platform.h, thread.c. */
#include "platform_fixture.h"

static void store_thread_argument(void *argument)
{
    atomic_store((_Atomic int *)argument, 7);
}

static void case_runs_the_function_with_its_argument(void)
{
    _Atomic int value = 0;
    plat_thread *thread;

    CHECK_OK(plat_thread_start(store_thread_argument, (void *)&value, &thread));
    plat_thread_join(thread);
    CHECK_EQ(atomic_load(&value), 7);
}

static void set_late(void *argument)
{
    check_pause_ms(30);
    atomic_store((_Atomic int *)argument, 8);
}

static void case_join_waits_for_the_end(void)
{
    _Atomic int value = 0;
    plat_thread *thread;

    CHECK_OK(plat_thread_start(set_late, (void *)&value, &thread));
    plat_thread_join(thread);
    CHECK_EQ(atomic_load(&value), 8);
}

enum { MANY = 200 };

static void add_one(void *argument)
{
    atomic_fetch_add((_Atomic int *)argument, 1);
}

static void case_many_come_and_go(void)
{
    _Atomic int value = 0;
    plat_thread *thread;
    int i;

    for (i = 0; i < MANY; i++) {
        CHECK_OK(plat_thread_start(add_one, (void *)&value, &thread));
        plat_thread_join(thread);
    }
    CHECK_EQ(atomic_load(&value), MANY);
}

/* ---- the exit hook ---------------------------------------------------------------------------- */

static _Atomic int hook_calls;
static _Atomic(void *) hook_value;
static char first_value;
static char second_value;

static void note_exit(void *value)
{
    atomic_fetch_add(&hook_calls, 1);
    atomic_store(&hook_value, value);
}

static void run_thread(void (*function)(void *), void *argument)
{
    plat_thread *thread;

    CHECK_OK(plat_thread_start(function, argument, &thread));
    plat_thread_join(thread);
}

static void set_value(void *value)
{
    plat_thread_exit_set(value);
    CHECK_EQ(atomic_load(&hook_calls), 0);
}

static void set_no_value(void *unused)
{
    (void)unused;
}

static void set_two_values(void *unused)
{
    (void)unused;
    plat_thread_exit_set(&first_value);
    plat_thread_exit_set(&second_value);
}

static void case_hook_is_called_at_the_end_of_a_thread(void)
{
    CHECK_OK(plat_thread_exit_hook(note_exit));
    CHECK_BASELINE();
    run_thread(set_value, &first_value);
    CHECK_EQ(atomic_load(&hook_calls), 1);
    CHECK(atomic_load(&hook_value) == &first_value);
}

static void case_hook_is_not_called_without_a_value(void)
{
    CHECK_OK(plat_thread_exit_hook(note_exit));
    CHECK_BASELINE();
    run_thread(set_no_value, NULL);
    CHECK_EQ(atomic_load(&hook_calls), 0);
}

static void case_hook_gets_the_last_value_once(void)
{
    CHECK_OK(plat_thread_exit_hook(note_exit));
    CHECK_BASELINE();
    run_thread(set_two_values, NULL);
    CHECK_EQ(atomic_load(&hook_calls), 1);
    CHECK(atomic_load(&hook_value) == &second_value);
}

static plat_thread *heir;

static void start_another(void *value)
{
    CHECK_OK(plat_thread_start(store_thread_argument, value, &heir));
    check_pause_ms(20); /* it comes as far as it can meanwhile */
    mproc_error(MPROC_USER, "the first error of process %d", 1);
    CHECK_CONTAINS(mproc_last_error_text(), "the first error of process 1");
}

static void case_hook_starts_a_thread_and_makes_the_first_error_text(void)
{
    _Atomic int value = 0;

    CHECK_OK(plat_thread_exit_hook(start_another));
    run_thread(plat_thread_exit_set, (void *)&value);
    plat_thread_join(heir);
    CHECK_EQ(atomic_load(&value), 7);
}

static void end_process(void *value)
{
    (void)value;
    _Exit(99);
}

static int helper_ends_with_a_hook(const char *text)
{
    (void)text;
    CHECK_OK(plat_thread_exit_hook(end_process));
    plat_thread_exit_set(&first_value);
    return 6;
}

static void case_hook_is_not_called_at_the_end_of_the_process(void)
{
    plat_process process;

    platform_start("thread.ends_with_a_hook", "", PLAT_NO_HANDLE, &process);
    CHECK_EXITS(&process, 6);
}

/* ---- the mutex -------------------------------------------------------------------------------- */

enum { THREADS = 4, TURNS = 20000, MUTEXES = 50 };

static plat_mutex mutex;
static volatile int guarded;

static void count_guarded(void *unused)
{
    int i;

    (void)unused;
    for (i = 0; i < TURNS; i++) {
        plat_mutex_lock(&mutex);
        guarded = guarded + 1;
        plat_mutex_unlock(&mutex);
    }
}

static void case_mutex_lets_one_in(void)
{
    plat_thread *threads[THREADS];
    int i;

    for (i = 0; i < THREADS; i++) CHECK_OK(plat_thread_start(count_guarded, NULL, &threads[i]));
    for (i = 0; i < THREADS; i++) plat_thread_join(threads[i]);
    CHECK_EQ(guarded, THREADS * TURNS);
}

static _Atomic int entered;

static void enter(void *unused)
{
    (void)unused;
    plat_mutex_lock(&mutex);
    atomic_store(&entered, 1);
    plat_mutex_unlock(&mutex);
}

static void case_mutex_keeps_others_out_while_it_is_held(void)
{
    plat_thread *thread;

    plat_mutex_lock(&mutex);
    CHECK_OK(plat_thread_start(enter, NULL, &thread));
    check_pause_ms(20);
    CHECK_EQ(atomic_load(&entered), 0);
    plat_mutex_unlock(&mutex);
    plat_thread_join(thread);
    CHECK_EQ(atomic_load(&entered), 1);
}

static void case_mutexes_in_zeroed_memory_are_independent(void)
{
    plat_mutex mutexes[MUTEXES];
    int turn;
    int i;

    memset(mutexes, 0, sizeof mutexes);
    for (turn = 0; turn < 2; turn++) {
        for (i = 0; i < MUTEXES; i++) plat_mutex_lock(&mutexes[i]);
        for (i = 0; i < MUTEXES; i++) plat_mutex_unlock(&mutexes[i]);
    }
}

/* ---- the CPU ---------------------------------------------------------------------------------- */

static void case_yield_and_pause_return(void)
{
    int i;

    for (i = 0; i < 1000; i++) plat_thread_yield();
    for (i = 0; i < 1000; i++) plat_thread_pause();
}

static void case_cpu_has_a_number(void)
{
    int cpu = plat_thread_cpu();

    CHECK(cpu >= -1);
    CHECK(cpu < 8192);
}

static void case_move_to_anywhere_is_harmless(void)
{
    int count = plat_system_cpu_count();
    int cpu;

    for (cpu = -1; cpu < 70; cpu++) plat_thread_move(cpu);
    plat_thread_move(INT32_MAX);
    plat_thread_move(INT32_MIN);
    CHECK_EQ(plat_system_cpu_count(), count);
}

CHECK_SUITE(thread,
    CASE(runs_the_function_with_its_argument),
    CASE(join_waits_for_the_end),
    CASE(many_come_and_go),
    CASE(hook_is_called_at_the_end_of_a_thread),
    CASE(hook_is_not_called_without_a_value),
    CASE(hook_gets_the_last_value_once),
    CASE(hook_starts_a_thread_and_makes_the_first_error_text),
    CASE(hook_is_not_called_at_the_end_of_the_process),
    CASE(mutex_lets_one_in),
    CASE(mutex_keeps_others_out_while_it_is_held),
    CASE(mutexes_in_zeroed_memory_are_independent),
    CASE(yield_and_pause_return),
    CASE(cpu_has_a_number),
    CASE(move_to_anywhere_is_harmless),
    HELPER(ends_with_a_hook),
);
