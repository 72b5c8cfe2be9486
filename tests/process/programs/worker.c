/* The smallest program that runs the tasks of another: the modules of their functions are opened as they come. */
#include <mproc/process.h>

int main(void)
{
    mproc_main_guard();
    return 99;
}
