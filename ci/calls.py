"""Who calls whom in src and include, from the text: by name, so calls through pointers are not seen."""
import re

import sources

SKIPPED = {"if", "for", "while", "switch", "return", "sizeof", "defined", "alignof", "offsetof"}


def functions(paths):
    """Yields (path, name, is_static, body). A body lies between a `{` and a `}` that stand alone on a line."""
    for path in paths:
        code, _ = sources.split_comments(sources.read(path))
        code = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', code)
        for match in re.finditer(r"^([A-Za-z_][^;{}#]*?)\n\{\n(.*?)^\}", code, re.M | re.S):
            name = re.search(r"(\w+)\s*\(", re.sub(r"\bMPROC_\w+(\([^()]*\))?", "", match.group(1)))
            if name:
                yield path, name.group(1), match.group(1).startswith("static"), match.group(2)


def graph(paths):
    """Returns {(path, name): set of the functions that it calls}."""
    bodies = {}
    places = {}
    for path, name, static, body in functions(paths):
        bodies[path, name] = body
        places.setdefault(name, []).append((path, static))
    calls = {}
    for (path, name), body in bodies.items():
        called = set()
        for word in set(re.findall(r"\b([A-Za-z_]\w*)\s*\(", body)) - SKIPPED - {name}:
            at = [place for place, _ in places.get(word, []) if place == path]
            at = at or [place for place, static in places.get(word, []) if not static or place.endswith(".h")]
            called.update((place, word) for place in at[:1])
        calls[path, name] = called
    return calls


def knots(calls):
    """Returns the sets of functions that call each other in a circle, callees before callers; most have one function."""
    order, low, stack, found = {}, {}, [], []
    for root in calls:
        if root in order:
            continue
        work = [(root, iter(sorted(calls[root])))]
        order[root] = low[root] = len(order)
        stack.append(root)
        while work:
            node, rest = work[-1]
            callee = next(rest, None)
            if callee is not None:
                if callee not in order:
                    order[callee] = low[callee] = len(order)
                    stack.append(callee)
                    work.append((callee, iter(sorted(calls[callee]))))
                elif callee in low and callee in stack:
                    low[node] = min(low[node], order[callee])
                continue
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[node])
            if low[node] == order[node]:
                at = stack.index(node)
                found.append(set(stack[at:]))
                del stack[at:]
    return found


def depths(calls):
    """Returns {function: how many calls lie below it on the longest way}; a knot counts as one."""
    parts = knots(calls)
    part_of = {node: number for number, part in enumerate(parts) for node in part}
    depth = []
    for number, part in enumerate(parts):
        below = {part_of[callee] for node in part for callee in calls[node]} - {number}
        depth.append(max((depth[other] + 1 for other in below), default=0))
    return {node: depth[number] for node, number in part_of.items()}
