# The client of authkey.c in Python: authkey serve | python3 authkey.py
import sys
from multiprocessing.connection import Client

KEY = b"what only those know who may come in"

kind, host, port = sys.stdin.readline().strip().split(":")  # tcp:127.0.0.1:PORT
with Client((host, int(port)), authkey=KEY) as server:
    for question in "is anybody there?", "and who?":
        server.send_bytes(question.encode())
        print("%r: %r" % (question, server.recv_bytes().decode()))
