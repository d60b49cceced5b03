"""What the analysis starts from: the curated lists, and what the running interpreter says of its builtins."""

import hashlib
from dataclasses import dataclass

from .universe import BUILTIN_EXCEPTIONS, BUILTIN_TYPES

# Builtins that compute on data, read attributes by fixed names or make values.
PURE_BUILTINS = set(
    "abs all any ascii bin callable chr divmod enumerate format hasattr hash hex id isinstance issubclass len next oct ord pow print repr"
    " reversed round sum super zip".split()
)
# Methods that only builtin types, arrays and the like have, or that do the same everywhere: classes whose own
# do harm are not safe to make, so that no object in a stream has another.
PLAIN_METHODS = {
    name
    for kind in (str, bytes, bytearray, list, dict, set, frozenset, int, float, complex, tuple, range, memoryview)
    for name in dir(kind)
    if not name.startswith("__")
} | set(
    "all any argmax argmin argsort astype byteswap clip conj cumsum diagonal dot fill flatten item itemset max mean min nonzero prod ptp"
    " ravel repeat reshape resize round searchsorted setflags std sum swapaxes take tolist tobytes trace transpose var view nnz"
    " newbyteorder group groups groupdict span match search fullmatch finditer findall sub isoformat strftime total_seconds timetuple"
    " __iter__ __next__ __len__ __contains__ __eq__ __hash__ __getitem__ __array__ numpy ndimension size dim numel contiguous detach"
    " appendleft popleft extendleft most_common elements is_alive warning debug info".split()
)


HARD = frozenset(("exec", "process", "native", "deserialize", "import", "net", "fs-write", "exit"))


@dataclass(frozen=True)
class Entry:
    kind: str
    trust: str
    roles: str
    guard: str
    capabilities: tuple[str, ...]
    package: str
    witness: str


class Known:
    """The curated entries by (module, name); primitives stop the linking of names.

    What an analysis asked for is noted: with other answers its result would be another.
    """

    def __init__(self, entries: dict[tuple[str, str], Entry], primitives: set[tuple[str, str]]):
        self.entries = entries
        self.primitives = primitives
        self.asked: set[tuple[str, str]] = set()
        # Last parts of names that do harm: a method of one of these names may be any of them.
        self.harmful_names = {
            name.rpartition(".")[2] for (_, name), entry in entries.items() if HARD.intersection(entry.capabilities)
        }

    def find(self, module: str, name: str) -> Entry | None:
        return self.exact(module, name) or self.exact(module, "*")

    def exact(self, module: str, name: str) -> Entry | None:
        self.asked.add((module, name))
        return self.entries.get((module, name))

    def is_primitive(self, module: str, name: str) -> bool:
        return (module, name) in self.primitives

    def is_harmful_name(self, name: str) -> bool:
        self.asked.add(("", name))
        return name in self.harmful_names

    def answers(self, asked: set[tuple[str, str]]) -> str:
        """A digest of what these questions are answered now."""
        total = hashlib.sha256()
        for module, name in sorted(asked):
            answer = self.entries.get((module, name)) if module else name in self.harmful_names
            if isinstance(answer, Entry):
                answer = (answer.kind, answer.trust, answer.roles, answer.guard, answer.capabilities)
            total.update(f"{module} {name} {answer}\n".encode())
        return total.hexdigest()


def builtin_class_roles(name: str) -> str:
    """The roles in which a builtin type is safe as a base class."""
    if name in BUILTIN_EXCEPTIONS:
        return "ncwdb"
    if name == "type" or name not in BUILTIN_TYPES:
        return ""
    return "ncwdbi" if name in ("dict", "list", "set", "bytearray") else "ncwdb"
