#!/usr/bin/env python3
"""Compiles the hand-made lists beside this script into analyzers/kb/base.tsv.

A list holds, line by line:

    @PACKAGE                                     the package that the following lines belong to
    MODULE S CAPS: NAME ... # WITNESS            sinks: calling them does the harm
    MODULE D CAPS: NAME ... # WITNESS            dual use: harmful only with chosen arguments
    MODULE C ROLES [GUARD]: NAME ... # WHY       safe classes
    MODULE F ROLES [GUARD]: NAME ... # WHY       safe functions
    MODULE O ROLES: NAME ... # WHY               safe objects that are neither

`> PATH > PATH` in place of `# WITNESS` is the call path to the harm. MODULE may be several modules
joined by `|` under which the same globals are found. CAPS and ROLES are those of
analyzers/kb/README.md. A line that begins with `#` is a comment. The later of two lines for one
global wins only if it is a sink or dual-use one where the earlier was safe: nothing becomes safer by
being listed twice.

    scripts/kb/compile.py            writes the table
    scripts/kb/compile.py --check    fails if the committed table is not what the lists give
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE.parents[1] / "analyzers" / "kb" / "base.tsv"
CAPABILITIES = set(
    "exec process import native fs-write fs-read net deserialize reflect env exit callback resource".split()
)
GUARDS = {"data", "types"}
TRUST = {"S": "sink", "D": "dual", "C": "safe", "F": "safe", "O": "safe"}
BADNESS = {"safe": 0, "dual": 1, "sink": 2}


def parse(path):
    """Yields (module, name, columns) for every global of a list."""
    package = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("@"):
            package = line[1:].strip()
            continue

        def fail(why):
            raise SystemExit(f"{path.name}:{number}: {why}: {line}")

        head, colon, rest = line.partition(": ")
        fields = head.split()
        if not colon or len(fields) not in (3, 4) or fields[1] not in TRUST:
            fail("not MODULE KIND WHAT: NAMES")
        modules, kind, what = fields[0].split("|"), fields[1], fields[2]
        names, hash_mark, witness = rest.partition(" # ")
        names, _, path_text = names.partition(" > ")
        if path_text:
            witness = " -> ".join(step.strip() for step in path_text.split(" > "))
        witness = " ".join(witness.split()) or "-"
        if package is None or not names.split():
            fail("no package or no names")
        trust = TRUST[kind]
        guard, roles, capabilities = "-", "-", "-"
        if trust == "safe":
            roles = what
            if set(roles) - set("ncbi"):
                fail("unknown role")
            if len(fields) == 4:
                guard = fields[3]
                if guard not in GUARDS:
                    fail("unknown guard")
        else:
            capabilities = what
            if set(what.split(",")) - CAPABILITIES or len(fields) == 4:
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
                full = witness
                if path_text:
                    full = f"{module}.{name} -> {witness}"
                yield module, name, (kind_word, trust, roles, guard, capabilities, package, full)


def compile_table():
    table = {}
    for path in sorted(HERE.glob("*.txt")):
        for module, name, columns in parse(path):
            old = table.get((module, name))
            if old is None or BADNESS[columns[1]] > BADNESS[old[1]]:
                table[module, name] = columns
    lines = ["\t".join((*key, *columns)) for key, columns in table.items()]
    lines.sort(key=lambda line: line.encode())
    lines.sort(key=lambda line: "\t".join(line.split("\t")[:2]).encode())
    return "".join(line + "\n" for line in lines)


def main():
    text = compile_table()
    if "--check" in sys.argv[1:]:
        if not TABLE.exists() or TABLE.read_text() != text:
            raise SystemExit(f"{TABLE} is not what the lists give: run {sys.argv[0]}")
    else:
        TABLE.write_text(text)
    trusts = [line.split("\t")[3] for line in text.splitlines()]
    counts = ", ".join(f"{trusts.count(trust)} {trust}" for trust in BADNESS)
    print(f"{len(trusts)} globals: {counts}")


if __name__ == "__main__":
    main()
