"""The Python modules of a wheel, of a standard library and of a folder, as text."""

import hashlib
import pathlib
import zipfile
from collections.abc import Iterator

# Never on a loader's path, or copies of other packages' tests.
SKIPPED_FOLDERS = {"test", "tests", "testing", "idlelib", "lib2to3", "turtledemo", "site-packages", "__pycache__", "examples", "benchmarks"}
# Test helpers that are part of a public interface all the same.
KEPT = ("numpy/testing/", "pandas/testing", "torch/testing/", "unittest/")
COMPILED = (".so", ".pyd")


def module_name(path: str) -> tuple[str, bool] | None:
    """The dotted name of a module's file, and whether it is a package."""
    parts = path.split("/")
    stem, dot, _ = parts[-1].partition(".")
    if not dot or not stem.isidentifier() or not all(part.isidentifier() for part in parts[:-1]):
        return None
    if stem == "__init__":
        return (".".join(parts[:-1]), True) if parts[:-1] else None
    return ".".join([*parts[:-1], stem]), False


def wanted(path: str) -> bool:
    folders = path.split("/")[:-1]
    kept = path.startswith(KEPT) or not SKIPPED_FOLDERS.intersection(folders)
    # Names that no import statement could have are not modules: the settings of one build, templates.
    return kept and module_name(path) is not None


class Source:
    """A pinned set of modules: their texts, and the names of those that are compiled."""

    def __init__(self, name: str, version: str, files: dict[str, bytes], compiled: set[str]):
        self.name = name
        self.version = version
        self.files = files
        self.compiled = compiled

    def digest(self) -> str:
        """SHA-256 over the paths and texts, in order."""
        total = hashlib.sha256()
        for path, text in sorted(self.files.items()):
            total.update(f"{path}\n{hashlib.sha256(text).hexdigest()}\n".encode())
        return total.hexdigest()

    def modules(self) -> Iterator[tuple[str, bool, bytes]]:
        """Name, whether it is a package, and text of each module, in order."""
        for path, text in sorted(self.files.items()):
            found = module_name(path)
            if found:
                yield *found, text


def from_wheel(path: pathlib.Path, name: str, version: str) -> Source:
    files, compiled = {}, set()
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            member = entry.filename
            # Some wheels put part of their modules into a data folder that is merged on installation.
            parts = member.split("/")
            if parts[0].endswith(".data") and len(parts) > 2:
                member = "/".join(parts[2:])
            if member.endswith(".py") and wanted(member):
                files[member] = archive.read(entry)
            elif member.endswith(COMPILED) and (found := module_name(member)):
                compiled.add(found[0])
    return Source(name, version, files, compiled)


def from_folder(root: pathlib.Path, name: str, version: str) -> Source:
    files, compiled = {}, set()
    for path in root.rglob("*"):
        member = path.relative_to(root).as_posix()
        if member.endswith(".py") and wanted(member) and path.is_file():
            files[member] = path.read_bytes()
        elif member.endswith(COMPILED) and (found := module_name(path.name)):
            # Extension modules of the standard library lie in a folder of their own.
            compiled.add(found[0])
    return Source(name, version, files, compiled)
