#error "Visual C++ has no <sys/time.h>"
