/*
 * A process with state of its own and a run function of its own, and one with named arguments.
 *
 * In Python the first is a subclass of Process:
 *     class Greeter(Process):
 *         def __init__(self, name, times): ...
 *         def run(self): ...
 * In C it is a struct that starts with the process and that keeps what the run function needs. The second,
 * Process(target=power, kwargs={'exponent': 10}), is given a map.
 */
#include <stdio.h>

#include <mproc/mproc.h>

struct greeter {
    mproc_process *process;
    const char *whom;
    int times;
};

/* Runs in the child, with its own copy of the state. */
static mproc_status greeter_run(mproc_call *call)
{
    const char *whom;
    int times;

    MPROC_TRY(mproc_unpack(call, &whom, &times));
    for (; times > 0; times--) printf("%s: hello, %s\n", mproc_process_name(mproc_current_process()), whom);
    return MPROC_OK;
}

static mproc_status greeter_create(struct greeter *greeter, const char *whom, int times)
{
    greeter->whom = whom;
    greeter->times = times;
    return mproc_process_create(greeter_run, MPROC_ARGS(greeter->whom, greeter->times),
                                &(mproc_process_options){.name = "Greeter"}, &greeter->process);
}

/* Puts a named argument into the variable, which keeps its default if there is none of that name. */
static mproc_status take(mproc_call *call, const char *name, int *variable)
{
    mproc_value value;

    if (!mproc_value_find(mproc_call_value(call), mproc_string(name), &value)) return MPROC_OK;
    return mproc_value_to(value, variable);
}

static mproc_status power_run(mproc_call *call)
{
    int base = 2, exponent = 1;
    long long result = 1;

    MPROC_TRY(take(call, "base", &base));
    MPROC_TRY(take(call, "exponent", &exponent));
    if (exponent < 0) return mproc_error(MPROC_USER, "the exponent %d is negative", exponent);
    for (int i = 0; i < exponent; i++) result *= base;
    printf("%d to the power of %d is %lld\n", base, exponent, result);
    return MPROC_OK;
}

/* Runs the process to its end and says how that was. */
static void run_to_end(mproc_process *process)
{
    mproc_exit_status status;

    mproc_check(mproc_process_start(process));
    mproc_check(mproc_process_join(process, MPROC_FOREVER));
    status = mproc_process_exit_status(process);
    printf("%s ended with exit code %d\n", mproc_process_name(process), status.code);
    fflush(stdout); /* before the next child writes */
    mproc_process_free(process);
}

int main(void)
{
    struct greeter greeter;
    mproc_process *power;

    mproc_main_guard(); /* in a child: runs its function and never returns */

    mproc_check(greeter_create(&greeter, "world", 2));
    run_to_end(greeter.process);

    mproc_check(mproc_process_create(power_run, MPROC_MAP("exponent", 10), &(mproc_process_options){.name = "Power"},
                                     &power));
    run_to_end(power);
    return 0;
}
