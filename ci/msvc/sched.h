#error "Visual C++ has no <sched.h>"
