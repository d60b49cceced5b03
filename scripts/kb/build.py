#!/usr/bin/env python3
"""Builds the knowledge base, analyzers/kb/base.kb, from pinned sources and the curated lists.

    scripts/kb/build.py                     derives what packages.lock names, and compiles all
    scripts/kb/build.py --check [stdlib]    fails if the committed base, or its standard library, is another
    scripts/kb/build.py --fetch             first fetches the wheels of packages.lock into target/kb/wheels
    scripts/kb/build.py --lock FILE...      prints the lines of packages.lock for wheels
    scripts/kb/build.py DIR -o FILE         derives the packages in a folder into an overlay for `--kb`

Sources are parsed, never imported or run. What is derived of a package is kept in target/kb and made again when
its sources, the lists or the builder change. The same inputs give the same bytes.
"""

import argparse
import functools
import hashlib
import marshal
import pathlib
import re
import subprocess
import sys
import warnings
import zipfile

from derive import extract, known, lists, merge, reach, roles, sources, table, universe

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BASE = ROOT / "analyzers" / "kb" / "base.kb"
LOCK = HERE / "packages.lock"
CACHE = ROOT / "target" / "kb"
PRIMITIVES = HERE / "primitives.txt"
EXCEPTIONS = HERE / "exceptions.txt"
STDLIB = "stdlib"
BUILDER = ("extract", "known", "lists", "reach", "roles", "sources", "universe")
# What the standard library's functions call, while one process analyses many packages.
SHARED: dict = {}


def builder_digest() -> str:
    """SHA-256 over what decides what is derived, but for the answers of the curated lists."""
    total = hashlib.sha256()
    for path in [*(HERE / "derive" / f"{name}.py" for name in BUILDER), PRIMITIVES]:
        total.update(path.read_bytes())
    return total.hexdigest()


def curated() -> tuple[known.Known, dict, set]:
    """What the lists say, for the analysis and for the base."""
    primitives = lists.read([PRIMITIVES])
    others = lists.read([path for path in HERE.glob("*.txt") if path != PRIMITIVES])
    return known.Known({**others, **primitives}, set(primitives)), {**primitives, **others}, set(primitives) | set(lists.read([EXCEPTIONS]))


class Pinned:
    """A line of packages.lock: name, version, file, SHA-256 of the file or of the sources."""

    def __init__(self, line: str):
        self.name, self.version, self.file, self.digest = line.split()

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    def wheel(self) -> pathlib.Path:
        return CACHE / "wheels" / self.file

    def available(self) -> bool:
        return bool(stdlib_folder(self.version)) if self.name == STDLIB else self.wheel().exists()

    def source(self) -> sources.Source:
        """The sources, after a look whether they are the pinned ones."""
        if self.name == STDLIB:
            folder = stdlib_folder(self.version)
            if folder is None:
                raise SystemExit(f"no sources of {self}: install that version of CPython")
            source = sources.from_folder(folder, self.name, self.version)
            found = source.digest()
        else:
            if not self.wheel().exists():
                raise SystemExit(f"{self.wheel()} is missing: run {sys.argv[0]} --fetch")
            found = hashlib.sha256(self.wheel().read_bytes()).hexdigest()
            source = sources.from_wheel(self.wheel(), self.name, self.version)
        if found != self.digest:
            raise SystemExit(f"the sources of {self} are not the pinned ones: {found} instead of {self.digest}")
        return source

    def needs(self) -> list[str]:
        """Names of the packages that this one requires, without its extras."""
        if self.name == STDLIB:
            return []
        with zipfile.ZipFile(self.wheel()) as archive:
            path = next(n for n in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", n))
            text = archive.read(path).decode(errors="replace")
        found = re.findall(r"^Requires-Dist: *([A-Za-z0-9._-]+)(?![^\n]*extra *==)", text, re.MULTILINE)
        return [name.lower().replace("_", "-").replace(".", "-") for name in found]


def stdlib_folder(version: str) -> pathlib.Path | None:
    """Where the standard library of a CPython release lies on this machine, if it does."""
    minor = ".".join(version.split(".")[:2])
    candidates = [pathlib.Path(sys.base_prefix) / "lib" / f"python{minor}"] if sys.version.startswith(version + " ") else []
    for prefix in (pathlib.Path.home() / ".pyenv" / "versions" / version, pathlib.Path("/usr/local"), pathlib.Path("/usr")):
        candidates.append(prefix / "lib" / f"python{minor}")
    return next((folder for folder in candidates if (folder / "os.py").exists()), None)


@functools.lru_cache(maxsize=8)
def summaries(pinned: Pinned) -> tuple[dict[str, dict], set[str]]:
    """The summaries of a package's modules and the names of its compiled ones."""
    code = (HERE / "derive" / "extract.py").read_bytes() + (HERE / "derive" / "sources.py").read_bytes()
    key = hashlib.sha256(code + pinned.digest.encode() + sys.version.encode()).hexdigest()[:16]
    path = CACHE / "summaries" / f"{pinned.name}-{pinned.version}-{key}"
    if path.exists():
        return marshal.loads(path.read_bytes())
    found, failed = {}, []
    source = pinned.source()
    for name, is_package, text in source.modules():
        try:
            found[name] = extract.summarise(text, name, is_package)
        except (SyntaxError, ValueError, RecursionError) as error:
            failed.append(f"{name} ({error.__class__.__name__})")
    if failed:
        print(f"{pinned}: {len(failed)} modules can't be parsed: {' '.join(failed[:5])}", file=sys.stderr)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(marshal.dumps((found, source.compiled)))
    return found, source.compiled


def required(pinned: Pinned, latest: dict[str, Pinned]) -> list[Pinned]:
    """The locked packages that a package is analysed with: what it requires, numpy and the standard library."""
    found, todo = [], pinned.needs()
    while todo:
        name = todo.pop(0)
        if name in latest and name != pinned.name and latest[name] not in found:
            found.append(latest[name])
    if pinned.name not in (STDLIB, "numpy") and "numpy" in latest and latest["numpy"] not in found:
        found.append(latest["numpy"])
    return sorted(found, key=lambda p: p.name) + [latest[STDLIB]] * (pinned.name != STDLIB)


def derive(pinned: Pinned, latest: dict[str, Pinned], knowledge: known.Known) -> list[roles.Row]:
    """The rows of a package's globals."""
    linked = universe.Universe(knowledge)
    own, compiled = summaries(pinned)
    linked.add(pinned.name, own, compiled)
    for other in required(pinned, latest):
        linked.add(other.name, *summaries(other))
    solved = reach.Reach(linked, SHARED if pinned.name != STDLIB else {})
    solved.run(sorted(own))
    return roles.Judge(linked, solved).rows(sorted(own), linked.owners.get)


def cached_rows(pinned: Pinned, latest: dict[str, Pinned], knowledge: known.Known, digest: str) -> list[roles.Row]:
    others = " ".join(f"{p} {p.digest}" for p in required(pinned, latest))
    key = hashlib.sha256(f"{digest} {pinned.digest} {others}".encode()).hexdigest()[:16]
    path = CACHE / "rows" / f"{pinned.name}-{pinned.version}-{key}"
    if path.exists():
        asked, answers, lines = marshal.loads(path.read_bytes())
        if knowledge.answers(asked) == answers:
            return [roles.Row.parse(line) for line in lines]
    knowledge.asked = set()
    rows = derive(pinned, latest, knowledge)
    print(f"{pinned}: {len(rows)} globals", file=sys.stderr)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(marshal.dumps((knowledge.asked, knowledge.answers(knowledge.asked), [row.line() for row in rows])))
    return rows


def read_lock() -> tuple[list[Pinned], dict[str, Pinned]]:
    """The pinned packages, and the version of each that others are analysed with: the first named."""
    pinned = [Pinned(line) for line in LOCK.read_text().splitlines() if line and not line.startswith("#")]
    latest: dict[str, Pinned] = {}
    for package in pinned:
        latest.setdefault(package.name, package)
    return pinned, latest


def build(only: str | None) -> dict[tuple[str, str], table.Global]:
    """All globals of the base, or those that one package alone accounts for."""
    knowledge, entries, primitives = curated()
    pinned, latest = read_lock()
    digest = builder_digest()
    found = []
    for package in pinned:
        if only in (None, package.name):
            found.append((package.name, package.version, cached_rows(package, latest, knowledge, digest)))
    return merge.merged(found, entries, primitives)


def check_stdlib() -> str:
    """Rebuilds what the standard library alone accounts for, and compares it with the committed base."""
    missing = [str(p) for p in read_lock()[0] if p.name == STDLIB and not p.available()]
    if missing:
        raise SystemExit(f"not checked, for the sources of {', '.join(missing)} are not on this machine")
    alone = re.compile(rf"{STDLIB} [\d. ]+$")
    everything = table.decoded(BASE.read_bytes())
    committed = {key: entry for key, entry in everything.items() if alone.match(entry.provenance)}
    packages = [(p.name, p.version, p.digest) for p in read_lock()[0]]
    rebuilt = table.decoded(table.compiled(build(STDLIB), packages))
    wrong = [key for key, entry in committed.items() if rebuilt.get(key) != entry and not same_but_for_the_way(entry, rebuilt.get(key))]
    wrong += [key for key, entry in rebuilt.items() if alone.match(entry.provenance) and key not in everything]
    if wrong:
        raise SystemExit(f"{len(wrong)} of {len(committed)} globals differ, the first is {'.'.join(wrong[0])}: run {sys.argv[0]}")
    return f"{len(committed)} globals of the standard library are what its sources give"


def same_but_for_the_way(left: table.Global, right: table.Global | None) -> bool:
    """Whether two verdicts differ only in whether the next step has an entry of its own."""
    flat = lambda entry: (*[getattr(entry, field) for field in ("kind", "trust", "roles", "guard", "capabilities", "provenance")], entry.hop.strip("!").replace(":", "."))
    return right is not None and flat(left) == flat(right)


def overlay(folder: pathlib.Path, output: pathlib.Path) -> str:
    """Derives the packages in a folder, with the locked ones beside them."""
    knowledge, _, _ = curated()
    source = sources.from_folder(folder, folder.resolve().name, "local")
    linked = universe.Universe(knowledge)
    own = {name: extract.summarise(text, name, is_package) for name, is_package, text in source.modules()}
    linked.add(source.name, own, source.compiled)
    for package in read_lock()[0]:
        if package.name in (STDLIB, "numpy") and package.available() and package.name not in linked.owners.values():
            linked.add(package.name, *summaries(package))
    solved = reach.Reach(linked, {})
    solved.run(sorted(own))
    rows = roles.Judge(linked, solved).rows(sorted(own), linked.owners.get)
    found = merge.merged([(source.name, source.version, rows)], {}, set())
    output.write_bytes(table.compiled(found, [(source.name, source.version, source.digest())]))
    return f"{len(found)} globals in {output}"


def fetch() -> None:
    """Fetches the pinned wheels that are not there yet, by name, version and digest."""
    for package in read_lock()[0]:
        if package.name != STDLIB and not package.available():
            tags = package.file[: -len(".whl")].split("-")[-3:]
            python = re.sub(r"\D", "", tags[0].split(".")[0])
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
            command += ["--dest", str(CACHE / "wheels"), f"{package.name}=={package.version}"]
            if len(python) > 1:
                command += ["--python-version", f"{python[0]}.{python[1:]}", "--implementation", "cp", "--abi", tags[1]]
            for platform in tags[2].split("."):
                command += ["--platform", platform] if platform != "any" else []
            subprocess.run(command, check=True)


def lock_line(path: pathlib.Path) -> str:
    name, version, *_ = path.name.split("-")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"{name.lower().replace('_', '-').replace('.', '-')} {version} {path.name} {digest}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    parser.add_argument("-o", "--output", type=pathlib.Path)
    parser.add_argument("--check", nargs="?", const="all", choices=["all", STDLIB])
    parser.add_argument("--fetch", action="store_true")
    parser.add_argument("--lock", nargs="+", type=pathlib.Path)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(10_000)
    if args.lock:
        print("\n".join(lock_line(path) for path in args.lock))
        return
    if args.folder:
        if not args.output:
            parser.error("DIR needs -o FILE")
        print(overlay(args.folder, args.output))
        return
    if args.check == STDLIB:
        print(check_stdlib())
        return
    if args.fetch:
        fetch()
    found = build(None)
    packages = [(p.name, p.version, p.digest) for p in read_lock()[0]]
    data = table.compiled(found, packages)
    if args.check:
        if BASE.read_bytes() != data:
            raise SystemExit(f"{BASE} is not what the sources give: run {sys.argv[0]}")
    else:
        BASE.write_bytes(data)
    counts = {trust: sum(entry.trust == trust for entry in found.values()) for trust in table.TRUSTS}
    print(f"{len(found)} globals, {len(data)} bytes: {counts}")


if __name__ == "__main__":
    main()
