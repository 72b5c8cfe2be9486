#error "Visual C++ has no <getopt.h>"
