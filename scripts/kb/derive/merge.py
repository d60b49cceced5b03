"""Brings the rows of all packages and versions together with the curated entries.

Of several versions the worst counts. What is derived as a sink or as dual-use replaces a curated entry of that
kind; what is safe, only the lists say.
"""

from collections import defaultdict

from .known import HARD, Entry
from .roles import Row
from .table import Global

# Modules that are reached under a second name, which no source shows.
SAME = {"importlib._bootstrap": "_frozen_importlib", "importlib._bootstrap_external": "_frozen_importlib_external", "posixpath": "os.path"}
MAX_INHERITORS = 8
BADNESS = {"safe": 0, "unknown": 1, "dual": 2, "sink": 3}


def merged(packages: list[tuple[str, str, list[Row]]], entries: dict[tuple[str, str], Entry], primitives: set[tuple[str, str]]) -> dict[tuple[str, str], Global]:
    found: dict[tuple[str, str], list[tuple[str, str, Row]]] = defaultdict(list)
    for name, version, rows in packages:
        for row in rows:
            for module in (row.module, SAME.get(row.module)):
                if module:
                    found[module, row.name].append((name, version, row))
    table = {}
    for key, rows in found.items():
        if (entry := worst(rows)) is not None:
            table[key] = entry
    for key in inherited_widely(table):
        del table[key]
    derived_modules = {module for module, _ in found}
    for key, entry in entries.items():
        if key[1] == "*" and entry.trust == "dual" and key[0] in derived_modules:
            # Said of all that a module holds for want of its sources, which are there now.
            continue
        derived = table.get(key)
        if derived is None or key in primitives or not replaces(derived, entry):
            table[key] = curated(key, entry)
    for key in [key for key, entry in table.items() if entry.hop.startswith("=")]:
        resolved = followed(key, table)
        if resolved is None:
            del table[key]
        else:
            table[key] = resolved
    return table


def inherited_widely(table: dict[tuple[str, str], Global]) -> list[tuple[str, str]]:
    """Methods of libraries that do no certain harm, or that so many classes inherit that they are part of a base."""
    groups: dict[tuple, list[tuple[str, str]]] = defaultdict(list)
    for key, entry in table.items():
        if entry.kind == "method" and not entry.provenance.startswith("stdlib"):
            method = key[1].rpartition(".")[2]
            groups[entry.trust == "sink", entry.provenance.split()[0], method, entry.hop].append(key)
    return [key for (sink, *_), keys in groups.items() if not sink or len(keys) > MAX_INHERITORS for key in keys]


def followed(key: tuple[str, str], table: dict[tuple[str, str], Global]) -> Global | None:
    """What a second name of a global comes to: the verdict on the global itself."""
    entry, seen = table[key], {key}
    target = key
    while entry is not None and entry.hop.startswith("="):
        target = tuple(entry.hop[1:].split(":", 1))
        entry = table.get(target) if target not in seen else None
        seen.add(target)
    own = table[key]
    module, home = key[0], target[0]
    if module.split(".")[0] == home.split(".")[0] and not home.startswith(module + "."):
        # Imported for a module's own use, not to be found there.
        return None
    if entry is None or entry.trust != own.trust or entry.trust == "dual" and not HARD.intersection(entry.capabilities):
        return None
    return Global(entry.kind, entry.trust, entry.roles, entry.guard, entry.capabilities, own.provenance, ":".join(target))


def worst(rows: list[tuple[str, str, Row]]) -> Global | None:
    """What is said of a global in all versions together; nothing, if the worst is that nothing is known."""
    level = max(BADNESS[row.trust] for _, _, row in rows)
    deciding = [(name, version, row) for name, version, row in rows if BADNESS[row.trust] == level]
    row = deciding[0][2]
    if row.trust == "unknown":
        return None
    provenance = ", ".join(f"{name} {' '.join(version for n, version, _ in deciding if n == name)}" for name in dict.fromkeys(n for n, _, _ in deciding))
    if row.trust == "safe":
        # Harm is seen on any one path, safety only on all of them: until the derivation of safety has been
        # reviewed, only the lists call something safe.
        return None
    if row.trust == "dual" and not any(HARD.intersection(r.capabilities) for _, _, r in deciding) and "stdlib" not in {n for n, _, _ in rows}:
        # A library's functions that call, look up or read what they are told: unknown is warning enough.
        return None
    capabilities = tuple(dict.fromkeys(c for _, _, r in deciding for c in r.capabilities))
    return Global(row.kind, row.trust, "", "-", capabilities, provenance, row.hop)


def replaces(derived: Global, entry: Entry) -> bool:
    """Whether a derived verdict stands in place of a curated one."""
    return derived.trust == entry.trust


def curated(key: tuple[str, str], entry: Entry) -> Global:
    roles = entry.roles.replace("p", "")
    if entry.kind == "class":
        roles += "w" if "c" in roles and "w" not in roles else ""
        roles += "d" if "b" in roles and "d" not in roles else ""
    steps = entry.witness.split(" -> ")
    # A call path begins with the global itself.
    hop = "!" + " -> ".join(steps[1:] if len(steps) > 1 else steps)
    return Global(entry.kind, entry.trust, roles, entry.guard, entry.capabilities, f"{entry.package} curated", hop)
