"""A client of a manager that knows docs/manager-protocol.md and docs/value-format.md, and nothing else, and its
conversation with tests/manager/interop.c. Any Python from 3.6 on.

usage: PYTHON interop.py PROGRAM"""
import os
import subprocess
import sys
import tempfile
from multiprocessing.connection import Client

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "base"))
from value_format import encode, read

DICT, OBJECT = 14, 18
OK, INVALID, NOT_FOUND, NOT_SUPPORTED, END = 0, 3, 7, 9, 24
GET, GIVE_BACK = 1, 2
CALL = 1
SET_ITEM, GET_ITEM, INCREMENT, HAS, COPY, UPDATE, COUNT = 1, 2, 5, 7, 33, 38, 39


# ---- calls --------------------------------------------------------------------------------------------

class Refused(Exception):
    def __init__(self, status, text):
        Exception.__init__(self, text)
        self.status = status


class Manager:
    def __init__(self, address, key):
        self.connection = Client(address, authkey=key)
        self.number = 0
        self.greeting = self.receive(0)
        assert self.greeting["version"] == 1, self.greeting

    def receive(self, number):
        answer_number, status, text, result = read(self.connection.recv_bytes())
        assert answer_number == number, (answer_number, number)
        if status != OK:
            raise Refused(status, text)
        return result

    def call(self, target, method, *values):
        """Calls the manager itself (None) or one of its objects."""
        self.number += 1
        number = target.number if target else 0
        self.connection.send_bytes(encode([self.number, number, method] + list(values)))
        return self.receive(self.number)

    def give_back(self, target, count):
        self.connection.send_bytes(encode([0, 0, GIVE_BACK, target.number, count]))


# ---- the conversation ---------------------------------------------------------------------------------

def converse(address, key):
    manager = Manager(address, key)
    values = manager.call(None, GET, "values")
    assert values == ["hello", None, True, 2.25, "ä is longer than a word", b"\0\xff", {"key": [-1]}], values
    stock = manager.call(None, GET, "stock")
    assert stock.kind == DICT
    assert manager.call(stock, INCREMENT, "apples", -3) == 7
    assert manager.call(stock, COUNT) == 2
    inner = manager.call(stock, GET_ITEM, "inner")
    assert manager.call(inner, INCREMENT, "n", 41) == 42
    again = manager.call(None, GET, "stock")
    assert again.number == stock.number
    try:
        manager.call(stock, GET_ITEM, "pears")
        assert False
    except Refused as refused:
        assert refused.status == NOT_FOUND and "pears" in str(refused), refused
    assert manager.call(stock, SET_ITEM, "more than a word", [1, {"a": None}, "x" * 1000, -2.5, 2 ** 64 - 1]) is None
    assert manager.call(stock, GET_ITEM, "more than a word")[2] == "x" * 1000
    manager.call(stock, SET_ITEM, "more than a word", ["inner is", inner])
    copied = manager.call(stock, COPY)
    assert copied["more than a word"][1].number == inner.number == copied["inner"].number
    assert manager.call(stock, UPDATE, {"apples": 7, "more than a word": None}) is None
    assert manager.call(stock, COUNT) == 3
    counter = manager.call(None, GET, "counter")
    assert counter.kind == OBJECT
    assert manager.call(counter, CALL, "increase", [2]) == 2
    assert manager.call(counter, CALL, "next", None, 10000) == 1
    assert manager.call(counter, CALL, "next", [], None) == 0
    for method, arguments, status, text in (("next", None, END, "Counter.next in process"),
                                            ("reset", None, NOT_SUPPORTED, "increase, next"),
                                            ("increase", ["two"], INVALID, "Counter.increase"),
                                            (7, None, INVALID, "by its name")):
        try:
            manager.call(counter, CALL, method, arguments)
            assert False
        except Refused as refused:
            assert refused.status == status and text in str(refused), refused
    manager.give_back(counter, 1)
    manager.give_back(inner, 3)
    manager.give_back(stock, 2)
    try:
        manager.call(inner, COUNT)
        assert False
    except Refused as refused:
        assert "has not the object" in str(refused), refused


def main():
    program = sys.argv[1]
    key = b"a key for managers"
    md5 = ["md5"] if sys.version_info < (3, 12) else []
    with tempfile.TemporaryDirectory() as folder:
        for address in "tcp:127.0.0.1:0", "unix:" + os.path.join(folder, "manager"):
            server = subprocess.Popen([program, address, key.decode()] + md5, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE)
            kind, _, place = server.stdout.readline().decode().strip().partition(":")
            if kind == "tcp":
                host, port = place.rsplit(":", 1)
                place = host, int(port)
            converse(place, key)
            printed = server.communicate(timeout=50)[0].decode().split("\n")
            assert server.returncode == 0, server.returncode
            assert printed[0].startswith("{'apples': 7, 'inner': <a dict"), printed
            assert printed[1] == "0 objects are lent", printed
    print("Python", sys.version.split()[0], "is a client of a manager")


main()
