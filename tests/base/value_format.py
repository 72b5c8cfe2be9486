"""Reads and writes encodings with what docs/value-format.md says, and nothing else. Any Python from 3.6 on.

usage: value_format.py PROGRAM [ARGUMENT...], which reads what tests/base/value_dump.c writes"""
import struct
import subprocess
import sys
from collections import namedtuple

NIL, BOOL, INT64, UINT64, DOUBLE, STRING, BYTES, LIST, MAP, OBJECT = range(10)

# An object of a manager: its kind, and its number for the client.
Object = namedtuple("Object", "kind number")


def read(data, at=16):
    """Returns the value in the cell at byte `at`."""
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
        return Object(*struct.unpack_from("<I4xQ", data, at + word))
    cells = [at + word + 16 * i for i in range(count if kind == LIST else 2 * count)]
    elements = [read(data, cell) for cell in cells]
    return elements if kind == LIST else dict(zip(elements[::2], elements[1::2]))


def encode(value):
    """Maps of up to 8 pairs, which have no index."""
    data = bytearray(32)
    write(data, 16, value)
    struct.pack_into("<4sIQ", data, 0, b"MPV\x01", 0, len(data))
    return bytes(data)


def write(data, at, value):
    """Writes the cell at byte `at`, and behind all that is there its payload, then those of its elements."""
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
        data += struct.pack("<I4xQ", value.kind, value.number)
    else:
        elements = [x for pair in value.items() for x in pair] if isinstance(value, dict) else list(value)
        begin = len(data)
        struct.pack_into("<IIQ", data, at, MAP if isinstance(value, dict) else LIST, len(value),
                         begin - at if elements else 0)
        data += bytes(16 * len(elements))
        for i, element in enumerate(elements):
            write(data, begin + 16 * i, element)


def main():
    data = subprocess.run(sys.argv[1:], check=True, stdout=subprocess.PIPE).stdout
    magic, unused, size = struct.unpack_from("<4sIQ", data)
    assert (magic, unused, size) == (b"MPV\x01", 0, len(data)), (magic, unused, size)
    expected = {"name": "f1", "a longer key": "and longer text, é", "count": -2, "most": 2**64 - 1, "ratio": 0.5,
                "ok": True, "none": None, "bytes": b"\0\xff", "tags": ["a", [], {1: "one"}], 7: "seven"}
    assert read(data) == expected, read(data)
    assert list(read(data)) == list(expected), "the order of the keys"
    print("Python reads", expected)


if __name__ == "__main__":
    main()
