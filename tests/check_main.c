/* main() of the test programs that use the whole library: a child of a case runs its task in the guard. */
#include "check.h"

#include <mproc/process.h>

int main(int argc, char **argv)
{
    mproc_main_guard();
    return check_main(argc, argv);
}
