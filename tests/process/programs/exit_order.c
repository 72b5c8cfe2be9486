/* When exit handlers run: before or after the library's own, which the guard registers. The test reads the lines. */
#include <mproc/process.h>
#include <stdio.h>

static mproc_process *daemon_child;
static mproc_process *other_child;

static void print(const char *when)
{
    printf("%s: daemon %s, other %s\n", when, mproc_process_is_alive(daemon_child) ? "runs" : "has ended",
           mproc_process_is_alive(other_child) ? "runs" : "has ended");
    fflush(stdout);
}

static void before_the_librarys(void)
{
    print("first");
}

static void after_the_librarys(void)
{
    /* In a child, whose handlers these are as well, there is nothing to tell. */
    if (daemon_child != NULL) print("last");
}

static mproc_status waits_for_its_parents_end(mproc_call *call)
{
    (void)call;
    (void)mproc_process_join(mproc_parent_process(), MPROC_FOREVER);
    return MPROC_OK;
}

static mproc_status takes_a_while(mproc_call *call)
{
    (void)call;
    return mproc_sleep_ms(300);
}

int main(void)
{
    atexit(after_the_librarys);
    mproc_main_guard();
    atexit(before_the_librarys);
    mproc_check(mproc_process_create(waits_for_its_parents_end, mproc_no_args(),
                                     &(mproc_process_options){.daemon = MPROC_YES}, &daemon_child));
    mproc_check(mproc_process_create(takes_a_while, mproc_no_args(), NULL, &other_child));
    mproc_check(mproc_process_start(daemon_child));
    mproc_check(mproc_process_start(other_child));
    return 0;
}
