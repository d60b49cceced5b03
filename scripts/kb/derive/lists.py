"""Reads the curated lists beside the builder.

A list holds, line by line:

    @PACKAGE                                     the package that the following lines belong to
    MODULE S CAPS: NAME ... # WITNESS            sinks: calling them does the harm
    MODULE D CAPS: NAME ... # WITNESS            dual use: harmful only with chosen arguments
    MODULE C ROLES [GUARD]: NAME ... # WHY       safe classes
    MODULE F ROLES [GUARD]: NAME ... # WHY       safe functions
    MODULE O ROLES: NAME ... # WHY               safe objects that are neither

`> PATH > PATH` in place of `# WITNESS` is the call path to the harm. MODULE may be several modules
joined by `|` under which the same globals are found. CAPS and ROLES are those of
analyzers/kb/README.md; the role `p` is of use to the analysis alone: plain computation, that no stream calls. A line that begins with `#` is a comment. The later of two lines for one
global wins only if it is a sink or dual-use one where the earlier was safe: nothing becomes safer by
being listed twice.
"""

import pathlib
from collections.abc import Iterator

from .known import Entry

CAPABILITIES = set(
    "exec process import native fs-write fs-read net deserialize reflect env exit callback resource".split()
)
GUARDS = {"data", "types", "makes"}
TRUST = {"S": "sink", "D": "dual", "C": "safe", "F": "safe", "O": "safe"}
BADNESS = {"safe": 0, "dual": 1, "sink": 2}
ROLES = "ncwdbimp"


def parse(path: pathlib.Path) -> Iterator[tuple[str, str, Entry]]:
    """Yields (module, name, entry) for every global of a list."""
    package = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("@"):
            package = line[1:].strip()
            continue

        def fail(why: str):
            raise SystemExit(f"{path.name}:{number}: {why}: {line}")

        head, colon, rest = line.partition(": ")
        fields = head.split()
        if not colon or len(fields) not in (3, 4) or fields[1] not in TRUST:
            fail("not MODULE KIND WHAT: NAMES")
        modules, kind, what = fields[0].split("|"), fields[1], fields[2]
        names, _, witness = rest.partition(" # ")
        names, _, path_text = names.partition(" > ")
        if path_text:
            witness = " -> ".join(step.strip() for step in path_text.split(" > "))
        witness = " ".join(witness.split()) or "-"
        if package is None or not names.split():
            fail("no package or no names")
        trust = TRUST[kind]
        guard, roles, capabilities = "-", "", ()
        if trust == "safe":
            if set(what) - set(ROLES):
                fail("unknown role")
            roles = what
            if len(fields) == 4:
                guard = fields[3]
                if guard not in GUARDS:
                    fail("unknown guard")
        else:
            capabilities = tuple(what.split(","))
            if set(capabilities) - CAPABILITIES or len(fields) == 4:
                fail("unknown capability")
            if witness == "-":
                fail("no witness")
        for module in modules:
            for name in names.split():
                last = name.rpartition(".")[2]
                classes = kind == "C" or (trust != "safe" and last[:1].isupper())
                kind_word = {"F": "function", "O": "object"}.get(kind, "class" if classes else "function")
                if name == "*":
                    kind_word = "module"
                full = f"{module}.{name} -> {witness}" if path_text else witness
                yield module, name, Entry(kind_word, trust, roles, guard, capabilities, package, full)


def read(paths: list[pathlib.Path]) -> dict[tuple[str, str], Entry]:
    """All entries; of two for one global, the worse."""
    table: dict[tuple[str, str], Entry] = {}
    for path in sorted(paths):
        for module, name, entry in parse(path):
            old = table.get((module, name))
            if old is None or BADNESS[entry.trust] > BADNESS[old.trust]:
                table[module, name] = entry
    return table
