/* main() of the test programs that start processes only through the platform, or not through the library at all. */
#include "check.h"

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
