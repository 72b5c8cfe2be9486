# The same host in Python: host.py LIBRARY WORKER
import ctypes
import sys

primes = ctypes.CDLL(sys.argv[1])
print(primes.primes_count(sys.argv[2].encode(), 1000), "primes below 1000")
