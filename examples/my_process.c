/*
 * A process with state of its own and a run function of its own, and one with named arguments.
 *
 * In Python the first is a subclass of Process:
 *     class Greeter(Process):
 *         def __init__(self, name, times): ...
 *         def run(self): ...
 * In C it is a struct that starts with the process and that keeps what the run function needs. The second,
 * Process(target=power, kwargs={'exponent': 10}), names its arguments by the fields of a struct.
 */
#include <stdio.h>

#include <mproc/mproc.h>

/* What travels to the child: plain bytes, so it holds text, not pointers to text. */
struct greeter_state {
    char whom[32];
    int times;
};

struct greeter {
    mproc_process *process;
    struct greeter_state state;
};

/* Runs in the child, with its own copy of the state. */
static mproc_status greeter_run(mproc_call *call)
{
    struct greeter_state self;

    MPROC_TRY(mproc_unpack_bytes(call, &self, sizeof self));
    for (; self.times > 0; self.times--) {
        printf("%s: hello, %s\n", mproc_process_name(mproc_current_process()), self.whom);
    }
    return MPROC_OK;
}

static mproc_status greeter_create(struct greeter *greeter, const char *whom, int times)
{
    snprintf(greeter->state.whom, sizeof greeter->state.whom, "%s", whom);
    greeter->state.times = times;
    return mproc_process_create(greeter_run, mproc_bytes(&greeter->state, sizeof greeter->state),
                                &(mproc_process_options){.name = "Greeter"}, &greeter->process);
}

/* Named arguments, any of which may be left out: zero is the default. */
struct power_arguments {
    int base;     /* default: 2 */
    int exponent; /* default: 1 */
};

static mproc_status power_run(mproc_call *call)
{
    struct power_arguments arguments;
    long long result = 1;

    MPROC_TRY(mproc_unpack_bytes(call, &arguments, sizeof arguments));
    if (arguments.base == 0) arguments.base = 2;
    if (arguments.exponent == 0) arguments.exponent = 1;
    if (arguments.exponent < 0) return mproc_error(MPROC_USER, "the exponent %d is negative", arguments.exponent);
    for (int i = 0; i < arguments.exponent; i++) result *= arguments.base;
    printf("%d to the power of %d is %lld\n", arguments.base, arguments.exponent, result);
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
    struct power_arguments arguments = {.exponent = 10};
    mproc_process *power;

    mproc_main_guard(); /* in a child: runs its function and never returns */

    mproc_check(greeter_create(&greeter, "world", 2));
    run_to_end(greeter.process);

    mproc_check(mproc_process_create(power_run, mproc_bytes(&arguments, sizeof arguments),
                                     &(mproc_process_options){.name = "Power"}, &power));
    run_to_end(power);
    return 0;
}
