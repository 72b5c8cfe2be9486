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

LOCK, DICT, LIST, SET, NAMESPACE, OBJECT = 1, 14, 15, 16, 17, 18
OK, TIMEOUT, INVALID, NOT_FOUND, NOT_SUPPORTED, INTERRUPTED, END = 0, 1, 3, 7, 9, 13, 24
GET, GIVE_BACK, MAKE, JOIN, GIVE_UP = 1, 2, 3, 4, 5
CALL = 1
SET_ITEM, GET_ITEM, INCREMENT, HAS, COPY, UPDATE, COUNT = 1, 2, 5, 7, 33, 38, 39


class Of:
    """Methods of a kind, by their names."""

    def __init__(self, **numbers):
        self.__dict__ = numbers


LISTS = Of(append=1, get=2, set=3, increment=4, insert=5, delete=6, pop=7, index_of=9, count_of=10, remove=11, extend=12,
           get_slice=13, set_slice=14, delete_slice=15, clear=16, copy=17, repeat=18, reverse=19, sort=20, count=21)
SETS = Of(add=1, discard=2, remove=3, has=4, clear=32, copy=33, pop=34, text=35, count=36, union=64, intersection=65,
          difference=66, symmetric_difference=67, update=80, intersection_update=81, difference_update=82,
          symmetric_difference_update=83, is_disjoint=96, is_subset=97, is_superset=98, equal=99)
LOCKS = Of(release=1, locked=2, acquire=32, recover=33)
NAMESPACES = Of(set=1, get=2, delete=3, increment=5, has=7, copy=33, names=34, text=64, count=65)


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
        answer = read(self.connection.recv_bytes())
        answer_number, status, text, result = answer[:4]
        self.holds = answer[4:] == [True]
        assert answer_number == number, (answer_number, number)
        if status != OK:
            raise Refused(status, text)
        return result

    def send(self, target, method, *values):
        """Calls the manager itself (None) or one of its objects, and does not wait for the answer."""
        self.number += 1
        number = target.number if target else 0
        self.connection.send_bytes(encode([self.number, number, method] + list(values)))

    def call(self, target, method, *values):
        self.send(target, method, *values)
        return self.receive(self.number)

    def refuses(self, status, target, method, *values):
        try:
            self.call(target, method, *values)
        except Refused as refused:
            assert refused.status == status, (refused.status, str(refused))
            return True
        return False

    def give_back(self, target, count):
        self.connection.send_bytes(encode([0, 0, GIVE_BACK, target.number, count]))

    def give_up(self):
        """What was sent last; its answer comes all the same."""
        self.connection.send_bytes(encode([0, 0, GIVE_UP, self.number]))


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
    use_list(manager)
    use_set(manager)
    use_namespace(manager)
    use_lock(manager, Manager(address, key))
    try:
        manager.call(inner, COUNT)
        assert False
    except Refused as refused:
        assert "has not the object" in str(refused), refused


def use_lock(manager, other):
    """Each of two connections of the client is a thread for the lock."""
    forever, lock = 2 ** 63 - 1, manager.call(None, MAKE, "Lock", None)
    assert lock.kind == LOCK
    assert other.refuses(INVALID, None, JOIN, b"0" * 16)
    other.call(None, JOIN, manager.greeting["token"])
    other.call(lock, LOCKS.acquire, forever)
    assert other.holds and manager.call(lock, LOCKS.locked) is True and not manager.holds
    assert manager.refuses(TIMEOUT, lock, LOCKS.acquire, 0)
    manager.send(lock, LOCKS.acquire, forever)
    manager.give_up()
    try:
        manager.receive(manager.number)
        assert False
    except Refused as refused:
        assert refused.status == INTERRUPTED, (refused.status, str(refused))
    other.call(lock, LOCKS.release)
    assert not other.holds and not manager.call(lock, LOCKS.locked)
    other.connection.close()
    manager.give_back(lock, 1)


def use_list(manager):
    """What Python's own list does with the same is what comes of it."""
    number, own = manager.call(None, GET, "list"), [3, "x", None]
    assert number.kind == LIST

    def both(method, result, *values):
        got = manager.call(number, method, *values)
        assert got == result, (method, got, result)
        assert manager.call(number, LISTS.copy) == own and manager.call(number, LISTS.count) == len(own), own

    both(LISTS.append, own.append([1, {"a": 2.5}]), [1, {"a": 2.5}])
    both(LISTS.insert, own.insert(-1, "y" * 100), -1, "y" * 100)
    both(LISTS.get, own[-1], -1)
    own[2] = 7
    both(LISTS.set, None, 2, 7)
    own[2] += 4
    both(LISTS.increment, 11, 2, 4)
    both(LISTS.pop, own.pop(-1), -1)
    del own[0]
    both(LISTS.delete, None, 0)
    both(LISTS.index_of, own.index(11), 11, None, None)
    both(LISTS.extend, own.extend([11, 5, "x"]), [11, 5, "x"])
    both(LISTS.index_of, own.index("x", 1), "x", 1, None)
    both(LISTS.count_of, own.count(11), 11)
    both(LISTS.remove, own.remove("x"), "x")
    both(LISTS.get_slice, own[::-2], None, None, -2)
    both(LISTS.get_slice, own[-2:], -2, None, 1)
    own[1:3] = [True, -1]
    both(LISTS.set_slice, None, 1, 3, 1, [True, -1])
    del own[0:1]
    both(LISTS.delete_slice, None, 0, 1, 1)
    own *= 2
    both(LISTS.repeat, None, 2)
    both(LISTS.reverse, own.reverse())
    own[:] = [n for n in own if n != "x"]
    while "x" in manager.call(number, LISTS.copy):
        manager.call(number, LISTS.remove, "x")
    both(LISTS.sort, own.sort(reverse=True), True)
    assert manager.refuses(NOT_FOUND, number, LISTS.get, 1000)
    assert manager.refuses(INVALID, number, LISTS.get, "1")
    assert manager.refuses(INVALID, number, LISTS.get_slice, 0, 1, 0)
    assert manager.refuses(NOT_SUPPORTED, number, 8, 0)
    both(LISTS.clear, own.clear())
    manager.give_back(number, 1)


def use_set(manager):
    """The same, of sets: with values, and with a set and a dict that are there."""
    number, other, stock = (manager.call(None, GET, name) for name in ("set", "other", "stock"))
    assert number.kind == other.kind == SET
    words = manager.call(stock, COPY)
    manager.give_back(words["inner"], 1)
    for theirs, given in ({2, "c"}, [2, "c", 2]), ({2, "c"}, {2: 1, "c": 1}), ({2, "c"}, other), \
            (set(words), stock), (set(), None):
        for method, result in (SETS.union, set.union), (SETS.intersection, set.intersection), \
                (SETS.difference, set.difference), (SETS.symmetric_difference, set.symmetric_difference):
            assert set(manager.call(number, method, given)) == result({1, 2, "a"}, theirs)
        for method, result in (SETS.is_disjoint, set.isdisjoint), (SETS.is_subset, set.issubset), \
                (SETS.is_superset, set.issuperset), (SETS.equal, set.__eq__):
            assert manager.call(number, method, given) is result({1, 2, "a"}, theirs)
    assert manager.call(number, SETS.add, "new") is True and manager.call(number, SETS.add, "new") is False
    assert manager.call(number, SETS.has, "new") is None
    assert manager.call(number, SETS.pop) == "new"
    assert manager.refuses(NOT_FOUND, number, SETS.has, "new")
    assert manager.refuses(INVALID, number, SETS.add, 0.5)
    assert manager.refuses(INVALID, number, SETS.update, "text")
    for method, left in (SETS.update, {1, 2, "a", "c"}), (SETS.difference_update, {1, "a"}), \
            (SETS.symmetric_difference_update, {1, 2, "a", "c"}), (SETS.intersection_update, {2, "c"}):
        manager.call(number, method, other)
        assert set(manager.call(number, SETS.copy)) == left and manager.call(number, SETS.count) == len(left)
    assert manager.call(number, SETS.text) == "{2, 'c'}"
    manager.call(number, SETS.discard, "c")
    manager.call(number, SETS.remove, 2)
    manager.call(number, SETS.clear)
    assert manager.call(number, SETS.text) == "set()"
    for target in number, other, stock:
        manager.give_back(target, 1)


def use_namespace(manager):
    space = manager.call(None, GET, "space")
    assert space.kind == NAMESPACE
    manager.call(space, NAMESPACES.set, "y", ["a"])
    assert manager.call(space, NAMESPACES.increment, "x", 5) == 15
    assert manager.call(space, NAMESPACES.get, "y") == ["a"]
    assert manager.call(space, NAMESPACES.text) == "Namespace(x=15, y=['a'])"
    assert manager.call(space, NAMESPACES.copy) == {"x": 15, "y": ["a"]}
    manager.call(space, NAMESPACES.delete, "x")
    assert manager.call(space, NAMESPACES.names) == ["y"] and manager.call(space, NAMESPACES.count) == 1
    assert manager.call(space, NAMESPACES.has, "y") is None and manager.refuses(NOT_FOUND, space, NAMESPACES.has, "x")
    assert manager.refuses(INVALID, space, NAMESPACES.set, "_x", 1)
    manager.give_back(space, 1)


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
