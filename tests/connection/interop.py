"""Conversations between this Python's multiprocessing.connection and tests/connection/interop.c: each is the listener
and the client once, over Unix sockets and TCP, without a key, with the same, and with another. Any Python from 3.6 on.

usage: PYTHON interop.py PROGRAM"""
import os
import subprocess
import sys
import tempfile
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener

PROGRAM = sys.argv[1]
OLD = sys.version_info < (3, 12)  # it knows HMAC-MD5 alone
LIMIT_S = 50
REFUSED = 3
SIZES = (1, 5, 1000, 300000, 0)


def start(role, address, key, md5, **options):
    words = [PROGRAM, role, address, "-" if key is None else ":" + key.decode()] + ["md5"] * md5
    return subprocess.Popen(words, universal_newlines=True, **options)


def text_of(address):
    return "unix:" + address if isinstance(address, str) else "tcp:%s:%d" % address


def address_of(text):
    if text.startswith("unix:"):
        return text[len("unix:"):]
    host, port = text[len("tcp:"):].rsplit(":", 1)
    return host, int(port)


def must(holds, what):
    if not holds:
        sys.exit("interop: %s: %s" % (case, what))


def end(program, code):
    program.wait(LIMIT_S)
    must(program.returncode == code, "the program ended with %d instead of %d" % (program.returncode, code))


def python_connects(family, folder, key, other_key, md5):
    """The program listens."""
    place = "unix:" + os.path.join(folder, "socket") if family == "AF_UNIX" else "tcp:127.0.0.1:0"
    agree = key == other_key and (md5 or not OLD or key is None)
    with start("listen", place, other_key, md5, stdout=subprocess.PIPE,
               stderr=None if agree else subprocess.DEVNULL) as program:
        address = address_of(program.stdout.readline().strip())
        try:
            with Client(address, authkey=key) as connection:
                must(agree, "Python was accepted")
                for number, size in enumerate(SIZES):
                    message = bytes([number]) * size
                    connection.send_bytes(message)
                    must(connection.recv_bytes() == message, "%d bytes came back as others" % size)
        except (AuthenticationError, EOFError, ConnectionError) as why:
            must(not agree, "Python was refused: %r" % why)
        end(program, 0 if agree else REFUSED)


def python_listens(family, folder, key, other_key, md5):
    """The program connects."""
    place = os.path.join(folder, "socket") if family == "AF_UNIX" else ("127.0.0.1", 0)
    agree = key == other_key and (md5 or not OLD or key is None)
    with Listener(place, authkey=key) as listener:
        with start("connect", text_of(listener.address), other_key, md5,
                   stderr=None if agree else subprocess.DEVNULL) as program:
            try:
                with listener.accept() as connection:
                    must(agree, "the program was accepted")
                    message = b"-"
                    while message:
                        message = connection.recv_bytes()
                        connection.send_bytes(message)
            except (AuthenticationError, EOFError, ConnectionError) as why:
                must(not agree, "the program was refused: %r" % why)
            end(program, 0 if agree else REFUSED)


count = 0
for family in ("AF_UNIX", "AF_INET") if hasattr(__import__("socket"), "AF_UNIX") else ("AF_INET",):
    for talk in (python_connects, python_listens):
        for key, other_key, md5 in ((None, None, False), (b"a key", b"a key", True), (b"a key", b"a key", False),
                                    (b"a key", b"another", True), (b"", b"", True)):
            if key == b"" and talk is python_listens:
                continue  # Python's listener takes an empty key for none, in most versions
            case = "%s over %s with the keys %r and %r%s" % (
                talk.__name__, family, key, other_key, ", MD5 allowed" if md5 else "")
            with tempfile.TemporaryDirectory() as folder:
                talk(family, folder, key, other_key, md5)
            count += 1
print("%d conversations with Python %d.%d" % ((count,) + sys.version_info[:2]))
