/* A program that starts another one, FIXTURE_COMMAND, and waits for it, instead of becoming it. */
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    int result = system(getenv("FIXTURE_COMMAND"));

    printf("the launcher's program ended with %d\n", result > 255 ? result / 256 : result);
    return 3;
}
