#error "Visual C++ has no <strings.h>"
