"""What the scripts in ci/check share: the project's files, C text without comments, and how a check ends."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = ("include", "src", "tests", "bench", "examples", "ci", "cmake", "docs", ".github", ".ci")


def files(*folders, endings=(".c", ".h")):
    """Yields the paths, from the checkout, of the files in the folders that have one of the endings."""
    for folder in folders:
        for place, below, names in os.walk(os.path.join(ROOT, folder)):
            below[:] = sorted(name for name in below if name != "__pycache__")
            for name in sorted(names):
                if name.endswith(tuple(endings)):
                    yield os.path.relpath(os.path.join(place, name), ROOT)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def split_comments(text):
    """Returns C code with its comments blanked, and the list of (line, comment)."""
    comments = []

    def blank(match):
        token = match.group()
        if not token.startswith(("/*", "//")):
            return token
        comments.append((text.count("\n", 0, match.start()) + 1, token))
        return re.sub(r"[^\n]", " ", token)

    return TOKEN.sub(blank, text), comments


def public_names():
    """Returns the names of all functions that the public headers mark with MPROC_API."""
    names = set()
    for path in files("include"):
        code, _ = split_comments(read(path))
        code = re.sub(r"^\s*#.*(?:\\\n.*)*", "", code, flags=re.M)
        for declaration in re.findall(r"\bMPROC_API\b([^;{]*)", code):
            name = re.search(r"(\w+)\s*\(", declaration) or re.search(r"(\w+)\s*(?:\[|$)", declaration)
            names.add(name.group(1))
    return names


def end(problems, done):
    """Prints the problems, or what was found in order, and ends the check."""
    for problem in problems:
        print(problem)
    if not problems:
        print(done)
    sys.exit(1 if problems else 0)
