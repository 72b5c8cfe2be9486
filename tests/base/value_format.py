"""Reads an encoding with what docs/value-format.md says, and nothing else: value_format.py PROGRAM [ARGUMENT...]"""
import struct
import subprocess
import sys

NIL, BOOL, INT64, UINT64, DOUBLE, STRING, BYTES, LIST, MAP = range(9)


def read(data, at):
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
    cells = [at + word + 16 * i for i in range(count if kind == LIST else 2 * count)]
    elements = [read(data, cell) for cell in cells]
    return elements if kind == LIST else dict(zip(elements[::2], elements[1::2]))


data = subprocess.run(sys.argv[1:], check=True, stdout=subprocess.PIPE).stdout
magic, unused, size = struct.unpack_from("<4sIQ", data)
assert (magic, unused, size) == (b"MPV\x01", 0, len(data)), (magic, unused, size)
expected = {"name": "f1", "a longer key": "and longer text, é", "count": -2, "most": 2**64 - 1, "ratio": 0.5, "ok": True,
            "none": None, "bytes": b"\0\xff", "tags": ["a", [], {1: "one"}], 7: "seven"}
assert read(data, 16) == expected, read(data, 16)
assert list(read(data, 16)) == list(expected), "the order of the keys"
print("Python reads", expected)
