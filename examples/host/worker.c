/* The program of the plugin's children: a guard, and nothing else. */
#include <mproc/mproc.h>
#include <stdio.h>

int main(void)
{
    mproc_main_guard();
    fprintf(stderr, "This program is started by a plugin.\n");
    return 1;
}
