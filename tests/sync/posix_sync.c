/*
 * Objects and signals: an event that a handler sets, waits that handlers interrupt, waits that they do not. And
 * fork() copies that are made in what a wait calls.
 */
#include "sync/peers.h"

#include <pthread.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static mproc_event *event_of_handler;
static _Atomic uint32_t handled;

static void sets_event(int number)
{
    (void)number;
    mproc_event_set(event_of_handler);
    atomic_fetch_add(&handled, 1);
}

static void only_counts(int number)
{
    (void)number;
    atomic_fetch_add(&handled, 1);
}

static void interrupts(int number)
{
    (void)number;
    mproc_interrupt();
}

static void catch_signal(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
}

/* A thread that sends signals to another until it is told to stop; at first it waits until that one sleeps. */
typedef struct signaller {
    pthread_t target;
    void *asleep_over; /* NULL: it does not wait */
    _Atomic bool stops;
    bool once;
    plat_thread *thread;
} signaller;

static void sends(void *argument)
{
    signaller *self = argument;

    if (self->asleep_over != NULL) peers_await_sleepers(self->asleep_over, 1);
    do {
        CHECK_EQ(pthread_kill(self->target, SIGUSR1), 0);
        if (!self->once) check_pause_ms(0);
    } while (!self->once && !atomic_load(&self->stops));
}

static void sender_start(signaller *sender)
{
    sender->target = pthread_self();
    CHECK_OK(plat_thread_start(sends, sender, &sender->thread));
}

static void sender_stop(signaller *sender)
{
    atomic_store(&sender->stops, true);
    plat_thread_join(sender->thread);
}

static void case_handler_sets_the_event_that_its_thread_waits_for(void)
{
    signaller sender = {.once = true};

    CHECK_OK(mproc_event_create(&event_of_handler));
    sender.asleep_over = event_of_handler;
    catch_signal(sets_event);
    sender_start(&sender);
    CHECK_OK(mproc_event_wait(event_of_handler, check_limit_ms()));
    sender_stop(&sender);
    CHECK_EQ(atomic_load(&handled), 1);
    mproc_event_free(event_of_handler);
}

/* The handler comes in the middle of everything: nothing is lost of what it interrupts. */
static void work(mproc_lock *lock, mproc_semaphore *semaphore, mproc_condition *condition)
{
    mproc_event *made = NULL;

    CHECK_OK(mproc_lock_acquire(lock, MPROC_FOREVER));
    CHECK_OK(mproc_lock_release(lock));
    CHECK_OK(mproc_semaphore_release(semaphore));
    CHECK_OK(mproc_semaphore_acquire(semaphore, MPROC_FOREVER));
    CHECK_OK(mproc_condition_acquire(condition, MPROC_FOREVER));
    CHECK_OK(mproc_condition_notify(condition, 1));
    CHECK_OK(mproc_condition_release(condition));
    CHECK_OK(mproc_event_clear(event_of_handler));
    mproc_event_is_set(event_of_handler);
    CHECK_OK(mproc_event_create(&made));
    mproc_event_free(made);
}

static void case_handler_sets_an_event_in_the_middle_of_anything(void)
{
    mproc_semaphore *semaphore = NULL;
    mproc_condition *condition = NULL;
    mproc_lock *lock = NULL;
    signaller sender = {.once = false};

    CHECK_OK(mproc_event_create(&event_of_handler));
    CHECK_OK(mproc_lock_create(NULL, &lock));
    CHECK_OK(mproc_semaphore_create(0, NULL, &semaphore));
    CHECK_OK(mproc_condition_create(NULL, &condition));
    catch_signal(sets_event);
    sender_start(&sender);
    while (atomic_load(&handled) < 1000) work(lock, semaphore, condition);
    CHECK_OK(mproc_event_clear(event_of_handler));
    CHECK_OK(mproc_event_wait(event_of_handler, check_limit_ms()));
    sender_stop(&sender);
    CHECK_EQ(mproc_semaphore_value(semaphore), 0);
    CHECK(!mproc_lock_locked(lock));
    mproc_condition_free(condition);
    mproc_semaphore_free(semaphore);
    mproc_lock_free(lock);
    mproc_event_free(event_of_handler);
}

static void case_handler_that_interrupts_ends_a_wait(void)
{
    mproc_condition *condition = NULL;
    signaller sender = {.once = true};

    CHECK_OK(mproc_condition_create(NULL, &condition));
    sender.asleep_over = condition;
    catch_signal(interrupts);
    CHECK_OK(mproc_condition_acquire(condition, 0));
    sender_start(&sender);
    CHECK_STATUS(mproc_condition_wait(condition, MPROC_FOREVER), MPROC_INTERRUPTED);
    sender_stop(&sender);
    CHECK_OK(mproc_condition_release(condition));
    CHECK(!mproc_interrupted());
    mproc_condition_free(condition);
}

/* A signal alone is no reason: neither the limit nor the number of notifications changes. */
static void case_other_signals_do_not_end_a_wait(void)
{
    mproc_semaphore *semaphore = NULL;
    mproc_condition *condition = NULL;
    mproc_event *event = NULL;
    signaller sender = {.once = false};
    int64_t began_ms;

    CHECK_OK(mproc_semaphore_create(0, NULL, &semaphore));
    CHECK_OK(mproc_condition_create(NULL, &condition));
    CHECK_OK(mproc_event_create(&event));
    catch_signal(only_counts);
    sender_start(&sender);
    began_ms = check_now_ms();
    CHECK_STATUS(mproc_semaphore_acquire(semaphore, 40), MPROC_TIMEOUT);
    CHECK_STATUS(mproc_event_wait(event, 40), MPROC_TIMEOUT);
    CHECK_OK(mproc_condition_acquire(condition, 0));
    CHECK_STATUS(mproc_condition_wait(condition, 40), MPROC_TIMEOUT);
    CHECK_OK(mproc_condition_release(condition));
    CHECK(check_now_ms() - began_ms >= 118);
    CHECK(atomic_load(&handled) > 0);
    sender_stop(&sender);
    mproc_event_free(event);
    mproc_condition_free(condition);
    mproc_semaphore_free(semaphore);
}

/* ---- fork() copies ------------------------------------------------------------------------------ */

static pid_t copy = -1;
static bool copy_makes_something; /* and so has a family of its own */

static mproc_status forks_once(mproc_call *call)
{
    (void)call;
    if (copy < 0) copy = fork();
    if (copy == 0 && copy_makes_something) {
        CHECK_OK(mproc_event_create(&event_of_handler));
        mproc_event_free(event_of_handler);
    }
    return MPROC_OK;
}

/* True, but for the first time if there is a context. */
static bool forks_once_and_looks(void *context)
{
    bool first = copy < 0;

    forks_once(NULL);
    return !first || !context;
}

/* In the middle of a wait that returns with `status`: the copy says so by how it ends. */
static void check_copy_is_refused(mproc_status status)
{
    int ended = 0;

    if (copy == 0) _exit(status == MPROC_FORKED ? 7 : 1);
    CHECK_OK(status);
    CHECK(copy > 0);
    CHECK_EQ(waitpid(copy, &ended, 0), copy);
    CHECK(WIFEXITED(ended));
    CHECK_EQ(WEXITSTATUS(ended), 7);
}

static void case_fork_copy_that_returns_from_an_action_is_no_party(void)
{
    mproc_barrier *barrier = NULL;
    int index = -1;

    CHECK_OK(mproc_barrier_create(1, &(mproc_barrier_options){.action = forks_once}, &barrier));
    check_copy_is_refused(mproc_barrier_wait(barrier, MPROC_FOREVER, &index));
    CHECK_EQ(index, 0);
    CHECK_OK(mproc_barrier_wait(barrier, MPROC_FOREVER, &index));
    mproc_barrier_free(barrier);
}

static void check_copy_in_a_predicate(void *context)
{
    mproc_condition *condition = NULL;

    CHECK_OK(mproc_condition_create(NULL, &condition));
    CHECK_OK(mproc_condition_acquire(condition, 0));
    check_copy_is_refused(mproc_condition_wait_for(condition, forks_once_and_looks, context, 1));
    CHECK_OK(mproc_condition_release(condition));
    mproc_condition_free(condition);
}

static void case_fork_copy_that_returns_from_a_true_predicate_holds_nothing(void)
{
    check_copy_in_a_predicate(NULL);
}

static void case_fork_copy_that_returns_from_a_false_predicate_does_not_wait(void)
{
    check_copy_in_a_predicate(&copy);
}

static void case_fork_copy_with_a_family_that_returns_from_a_predicate_does_not_wait(void)
{
    copy_makes_something = true;
    check_copy_in_a_predicate(&copy);
}

static void case_fork_copy_with_a_family_that_returns_from_an_action_is_no_party(void)
{
    copy_makes_something = true;
    case_fork_copy_that_returns_from_an_action_is_no_party();
}

CHECK_SUITE_SETUP(posix_sync, peers_of_threads,
    CASE(handler_sets_the_event_that_its_thread_waits_for),
    CASE(handler_sets_an_event_in_the_middle_of_anything),
    CASE(handler_that_interrupts_ends_a_wait),
    CASE(other_signals_do_not_end_a_wait),
    CASE(fork_copy_that_returns_from_an_action_is_no_party),
    CASE(fork_copy_that_returns_from_a_true_predicate_holds_nothing),
    CASE(fork_copy_that_returns_from_a_false_predicate_does_not_wait),
    CASE(fork_copy_with_a_family_that_returns_from_a_predicate_does_not_wait),
    CASE(fork_copy_with_a_family_that_returns_from_an_action_is_no_party),
);
