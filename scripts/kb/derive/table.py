"""Writes the compiled knowledge base; the form is described in analyzers/kb/README.md."""

import hashlib
import struct
from dataclasses import dataclass

MAGIC = b"pickleproof-kb/2"
KINDS = ("function", "class", "method", "module", "object")
TRUSTS = ("safe", "dual", "sink")
GUARDS = ("-", "data", "types", "makes")
ROLES = "ncwdbim"
CAPABILITIES = "exec process import native fs-write fs-read net deserialize reflect env exit callback resource".split()
NO_HOP = 0xFFFFFFFF
IS_TEXT = 0x80000000


@dataclass(frozen=True)
class Global:
    """One global of the compiled base. `hop` is `module:name` of the next step, or `!` and a text."""

    kind: str
    trust: str
    roles: str
    guard: str
    capabilities: tuple[str, ...]
    provenance: str
    hop: str

    def meta(self, provenance: int) -> bytes:
        roles = sum(1 << ROLES.index(role) for role in self.roles)
        capabilities = sum(1 << CAPABILITIES.index(c) for c in self.capabilities)
        kind, trust, guard = KINDS.index(self.kind), TRUSTS.index(self.trust), GUARDS.index(self.guard)
        return struct.pack("<BBBBHH", kind, trust, guard, roles, capabilities, provenance)


class Strings:
    """A blob of texts, each once; one that lies inside another is shared."""

    def __init__(self, texts: set[str]):
        self.blob = bytearray()
        self.places: dict[str, int] = {}
        last = b""
        # Longest first among those that begin alike, so that a prefix is found in what is there.
        for text in sorted(texts, key=lambda t: (t.encode() + b"\xff", t)):
            raw = text.encode()
            if last.startswith(raw) and raw:
                self.places[text] = len(self.blob) - len(last)
                continue
            self.places[text] = len(self.blob)
            self.blob += raw
            last = raw

    def reference(self, text: str) -> bytes:
        return struct.pack("<IH", self.places[text], len(text.encode()))


def compiled(table: dict[tuple[str, str], Global], packages: list[tuple[str, str, str]]) -> bytes:
    """The bytes of the base: `packages` are name, version and digest of each source."""
    keys = sorted(table, key=lambda key: (key[0].encode(), key[1].encode()))
    index = {key: number for number, key in enumerate(keys)}
    notes = set()
    for entry in table.values():
        if entry.hop.startswith("!"):
            notes.add(entry.hop[1:])
        elif entry.hop != "-" and tuple(entry.hop.split(":", 1)) not in index:
            notes.add(entry.hop.replace(":", "."))
    notes = sorted(notes)
    note_index = {note: number for number, note in enumerate(notes)}
    provenances = sorted({entry.provenance for entry in table.values()})
    metas = sorted({entry.meta(provenances.index(entry.provenance)) for entry in table.values()})
    meta_index = {meta: number for number, meta in enumerate(metas)}
    provenance_index = {text: number for number, text in enumerate(provenances)}
    modules = sorted({module for module, _ in keys}, key=str.encode)
    sources = [" ".join(package) for package in packages]
    texts = {*modules, *(name for _, name in keys), *notes, *provenances, *sources}
    strings = Strings(texts)

    first = {}
    for number, (module, _) in enumerate(keys):
        first.setdefault(module, number)
    parts = [
        b"".join(strings.reference(module) + struct.pack("<I", first[module]) for module in modules),
        b"".join(strings.reference(name) + struct.pack("<HI", meta_index[entry.meta(provenance_index[entry.provenance])], hop(entry, index, note_index)) for (_, name), entry in ((key, table[key]) for key in keys)),
        b"".join(metas),
        b"".join(strings.reference(text) for text in notes),
        b"".join(strings.reference(text) for text in provenances),
        b"".join(strings.reference(text) for text in sources),
        bytes(strings.blob),
    ]
    counts = [len(modules), len(keys), len(metas), len(notes), len(provenances), len(sources), len(strings.blob)]
    body = struct.pack("<7I", *counts) + b"".join(parts)
    return MAGIC + hashlib.sha256(body).digest() + body


def hop(entry: Global, index: dict, notes: dict) -> int:
    if entry.hop == "-":
        return NO_HOP
    if entry.hop.startswith("!"):
        return IS_TEXT | notes[entry.hop[1:]]
    number = index.get(tuple(entry.hop.split(":", 1)))
    return number if number is not None else IS_TEXT | notes[entry.hop.replace(":", ".")]


def decoded(data: bytes) -> dict[tuple[str, str], Global]:
    """The globals of a compiled base; fails if its digest is not that of what follows."""
    head, body = data[: len(MAGIC) + 32], data[len(MAGIC) + 32 :]
    if head != MAGIC + hashlib.sha256(body).digest():
        raise SystemExit("this is no knowledge base, or one that was changed")
    counts = struct.unpack_from("<7I", body)
    starts = [28]
    for count, size in zip(counts, (10, 12, 8, 6, 6, 6, 1)):
        starts.append(starts[-1] + count * size)

    def text(at: int) -> str:
        place, length = struct.unpack_from("<IH", body, at)
        return body[starts[6] + place : starts[6] + place + length].decode()

    modules = [(text(at), struct.unpack_from("<I", body, at + 6)[0]) for at in range(starts[0], starts[1], 10)]
    ends = [first for _, first in modules[1:]] + [counts[1]]
    keys = [(module, text(starts[1] + 12 * n)) for (module, first), end in zip(modules, ends) for n in range(first, end)]
    table = {}
    for number, key in enumerate(keys):
        meta, step = struct.unpack_from("<HI", body, starts[1] + 12 * number + 6)
        kind, trust, guard, roles, capabilities, provenance = struct.unpack_from("<BBBBHH", body, starts[2] + 8 * meta)
        hop = "-"
        if step != NO_HOP:
            hop = "!" + text(starts[3] + 6 * (step & ~IS_TEXT)) if step & IS_TEXT else ":".join(keys[step])
        table[key] = Global(
            KINDS[kind],
            TRUSTS[trust],
            "".join(role for bit, role in enumerate(ROLES) if roles >> bit & 1),
            GUARDS[guard],
            tuple(c for bit, c in enumerate(CAPABILITIES) if capabilities >> bit & 1),
            text(starts[4] + 6 * provenance),
            hop,
        )
    return table
