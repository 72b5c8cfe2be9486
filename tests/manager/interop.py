"""A client of a manager that knows docs/manager-protocol.md and docs/value-format.md, and nothing else, and its
conversation with tests/manager/interop.c. Any Python from 3.6 on.

usage: PYTHON interop.py PROGRAM"""
import os
import struct
import subprocess
import sys
import tempfile
from multiprocessing.connection import Client

NIL, BOOL, INT64, UINT64, DOUBLE, STRING, BYTES, LIST, MAP, OBJECT = range(10)
DICT = 14
OK, NOT_FOUND = 0, 7
GET, GIVE_BACK = 1, 2
SET_ITEM, GET_ITEM, INCREMENT, HAS, COPY, UPDATE, COUNT = 1, 2, 5, 7, 33, 38, 39


class Object:
    """An object of the manager: its kind, and its number for this client."""

    def __init__(self, kind, number):
        self.kind, self.number = kind, number


# ---- values -------------------------------------------------------------------------------------------

def decode(data, at=16):
    """The value in the cell at byte `at`."""
    kind, count, word = struct.unpack_from("<IIQ", data, at)
    if kind in (NIL, BOOL, UINT64):
        return {NIL: None, BOOL: word == 1, UINT64: word}[kind]
    if kind in (INT64, DOUBLE):
        return struct.unpack_from("<q" if kind == INT64 else "<d", data, at + 8)[0]
    if kind in (STRING, BYTES):
        begin = at + 8 if count <= 7 else at + word
        text = data[begin:begin + count]
        return text.decode() if kind == STRING else text
    if kind == OBJECT:
        kind, _, number = struct.unpack_from("<IIQ", data, at + word)
        return Object(kind, number)
    cells = [at + word + 16 * i for i in range(count if kind == LIST else 2 * count)]
    elements = [decode(data, cell) for cell in cells]
    return elements if kind == LIST else dict(zip(elements[::2], elements[1::2]))


def encode(value):
    """Maps of up to 8 pairs, which have no index."""
    data = bytearray(32)
    put(data, 16, value)
    struct.pack_into("<4sIQ", data, 0, b"MPV\x01", 0, len(data))
    return bytes(data)


def put(data, at, value):
    """The cell at byte `at`, and behind all that is there its payload, then those of its elements."""
    if value is None or isinstance(value, (bool, float)):
        struct.pack_into("<IId" if isinstance(value, float) else "<IIQ", data, at,
                         NIL if value is None else DOUBLE if isinstance(value, float) else BOOL, 0, value or 0)
    elif isinstance(value, int):
        struct.pack_into("<IIq" if value < 2 ** 63 else "<IIQ", data, at, INT64 if value < 2 ** 63 else UINT64, 0,
                         value)
    elif isinstance(value, (str, bytes)):
        text = value.encode() if isinstance(value, str) else value
        kind = STRING if isinstance(value, str) else BYTES
        if len(text) <= 7:
            struct.pack_into("<II8s", data, at, kind, len(text), text)
        else:
            struct.pack_into("<IIQ", data, at, kind, len(text), len(data) - at)
            data += text + bytes(8 - len(text) % 8)
    elif isinstance(value, Object):
        struct.pack_into("<IIQ", data, at, OBJECT, 16, len(data) - at)
        data += struct.pack("<IIQ", value.kind, 0, value.number)
    else:
        elements = [x for pair in value.items() for x in pair] if isinstance(value, dict) else list(value)
        begin = len(data)
        struct.pack_into("<IIQ", data, at, MAP if isinstance(value, dict) else LIST, len(value),
                         begin - at if elements else 0)
        data += bytes(16 * len(elements))
        for i, element in enumerate(elements):
            put(data, begin + 16 * i, element)


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
        answer_number, status, text, result = decode(self.connection.recv_bytes())
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
