#error "Visual C++ has no <semaphore.h>"
