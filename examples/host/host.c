/* A host that knows nothing of processes. */
#include "primes.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    printf("%d primes below 1000\n", primes_count(argv[1], 1000));
    return 0;
}
