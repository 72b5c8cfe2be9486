/* A plugin: a shared library that a host program of somebody else opens. */
#ifndef PRIMES_H
#define PRIMES_H

#if defined(_WIN32)
#define PRIMES_API __declspec(dllexport)
#else
#define PRIMES_API __attribute__((visibility("default")))
#endif

/* Counts the primes below `limit` with processes that run the program `worker`. -1: it failed, and said why. */
PRIMES_API int primes_count(const char *worker, int limit);

#endif
