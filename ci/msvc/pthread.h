#error "Visual C++ has no <pthread.h>"
