#error "Visual C++ has no <sys/param.h>"
