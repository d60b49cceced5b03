"""Judges functions and classes by what they reach: the rows of the derived knowledge."""

import builtins
from dataclasses import dataclass, replace

from .known import HARD, PLAIN_METHODS, builtin_class_roles
from .reach import HARD_ORDER, SOFT, Node, Reach
from .universe import Reference, Universe

# Longer chains than this are rarely what they seem: values are merged without regard to order on the way.
MAX_SINK_DISTANCE = 6
MAX_DUAL_DISTANCE = 3
MAX_CARRIED_DISTANCE = 2
CARRIED = {"exec", "process", "native", "import", "deserialize"}
# What these do with the library's own values harms nobody: reading its own files, its own environment.
HARMLESS_WHEN_FIXED = {"fs-read", "env", "reflect", "import", "exec"}
PARTS = ("property", "setter", "deleter")
KEEPING_CLASSES = {"dataclass", "total_ordering", "final", "runtime_checkable", "unique", "add_metaclass", "python_2_unicode_compatible", "python_2_unicode_compatible", "set_module", "define", "frozen", "attrs", "s"}
METACLASSES = {"ABCMeta", "EnumMeta", "EnumType", "type", "GenericMeta", "_ProtocolMeta", "DocInheritMeta"}
CONSTRUCTING = ("__new__", "__init__", "__post_init__")
# Comparing and hashing work on the state of two objects, whose own methods are looked at with their classes.
COMPARING = frozenset({"opaque", "blind", "callback"})
NEVER_IMPLICIT = {"__call__", "__getstate__", "__class_getitem__", "__init_subclass__", "__set_name__", "__prepare__", "__instancecheck__", "__subclasscheck__", "start", "stop", "step", "debug", "info", "warning"}


@dataclass(frozen=True)
class Row:
    """What is derived of one global."""

    module: str
    name: str
    kind: str
    trust: str
    roles: str
    guard: str
    capabilities: tuple[str, ...]
    hop: str

    def line(self) -> str:
        return "\t".join((self.module, self.name, self.kind, self.trust, self.roles or "-", self.guard, ",".join(self.capabilities) or "-", self.hop))


    @classmethod
    def parse(cls, line: str) -> "Row":
        module, name, kind, trust, roles, guard, capabilities, hop = line.split("\t")
        listed = () if capabilities == "-" else tuple(capabilities.split(","))
        return cls(module, name, kind, trust, roles.strip("-"), guard, listed, hop)


class Judge:
    def __init__(self, universe: Universe, reach: Reach):
        self.universe = universe
        self.reach = reach
        self.classes: dict[Reference, tuple[str, str]] = {}
        self.judged: dict[Reference, Row | None] = {}

    # -------------------------------------------------------------- functions

    def strict(self, node: Node, allow: frozenset = frozenset()) -> bool:
        """Whether all that a function does is accounted for."""
        return all(
            capability in allow or parameter == "" and capability in HARMLESS_WHEN_FIXED
            for capability, parameter in self.reach.facts.get(node, {})
        )

    def harmless(self, node: Node) -> bool:
        """Whether no way is known in which a function does harm."""
        return not any(
            capability in HARD and not (parameter == "" and (capability in HARMLESS_WHEN_FIXED or fact[0] == 0))
            for (capability, parameter), fact in self.reach.facts.get(node, {}).items()
        )

    def danger(self, nodes: list[Node]) -> tuple[str, tuple[str, ...], str] | None:
        """Trust, capabilities and the next step of the worst that functions do, if they do any harm."""
        best: dict[str, tuple[int, int, str]] = {}
        for node in nodes:
            for (capability, parameter), (strength, distance, hop) in self.reach.facts.get(node, {}).items():
                if capability not in HARD and capability not in SOFT:
                    continue
                level = verdict(capability, parameter, strength, distance)
                if level and (capability not in best or (level, -distance) > (best[capability][0], -best[capability][1])):
                    best[capability] = (level, distance, hop)
        if not best:
            return None
        worst = max(level for level, _, _ in best.values())
        capabilities = tuple(c for c in (*HARD_ORDER, *SOFT) if c in best and (best[c][0] == worst or c in HARD))
        hop = min(((-level, distance, hop) for level, distance, hop in best.values()))[2]
        return ("sink" if worst == 2 else "dual"), capabilities, hop

    def function_row(self, module: str, name: str, nodes: list[Node], kind: str = "function") -> Row | None:
        if danger := self.danger(nodes):
            return Row(module, name, kind, danger[0], "", "-", danger[1], danger[2])
        if kind == "method" or name.startswith("__") or any(self.reach.function(node)["self"] for node in nodes):
            return None
        if all(self.strict(node) for node in nodes):
            return Row(module, name, kind, "safe", "nc", "-", (), "!reaches nothing but plain computation")
        if all(self.harmless(node) and ("blind", "") not in self.reach.facts.get(node, {}) for node in nodes):
            return Row(module, name, kind, "safe", "n", "-", (), "!reaches nothing that does harm; calls were not all resolved")
        return None

    # ---------------------------------------------------------------- classes

    def methods(self, klass: Reference, name: str) -> list[Reference]:
        """Every definition of a method along the bases."""
        return [m for base in self.universe.mro(klass) for m in self.universe.own(base, name) if m[0] != "value"]

    def all_strict(self, klass: Reference, *names: str, allow: frozenset = frozenset()) -> bool:
        return not self.unaccounted(klass, *names, allow=allow)

    def unaccounted(self, klass: Reference, *names: str, allow: frozenset = frozenset()) -> str:
        """The first of these methods that does something unaccounted for."""
        for name in names:
            for method in self.methods(klass, name):
                if why := self.unaccounted_in(klass, method, allow, set()):
                    return why
        return ""

    def unaccounted_in(self, klass: Reference, method: Reference, allow: frozenset, seen: set) -> str:
        """The same for one method, where its calls of the object's own methods are dispatched by this class."""
        if method in seen or method[0] == "known" and method[1] == "builtins":
            return ""
        seen.add(method)
        if method[0] != "function" or not self.strict(method[1:], allow):
            return f"{method[-1]} is not accounted for"
        for call in self.reach.function(method[1:])["calls"]:
            if call[0][0] == "self":
                for target in self.universe.method(klass, call[0][1]):
                    if target[0] == "function" and (why := self.unaccounted_in(klass, target, allow, seen)):
                        return why
        return ""

    def class_roles(self, klass: Reference) -> tuple[str, str]:
        """The roles in which a class is safe, and why it has no more."""
        if klass not in self.classes:
            self.classes[klass] = ("", "inherits from itself")
            self.classes[klass] = self.find_class_roles(klass)
        return self.classes[klass]

    def find_class_roles(self, klass: Reference) -> tuple[str, str]:
        universe = self.universe
        roles = set("ncwdbi")
        own_container = False
        enum = False
        for base in universe.mro(klass):
            if base[0] == "class":
                found = universe.class_of(base)
                enum = enum or base[1] == "enum"
                if metaclass := found["metaclass"]:
                    if metaclass.rpartition(".")[2] not in METACLASSES and not self.harmless_metaclass(base[1], metaclass):
                        return "", f"metaclass {metaclass}"
                for decorator in found["decorators"]:
                    if decorator.rpartition(".")[2] not in KEEPING_CLASSES:
                        if not any(r[0] in ("function", "class") for r in universe.resolve(base[1], decorator)):
                            return "", f"decorated by {decorator}"
            elif base[0] == "known":
                if base[1] == "builtins" and hasattr(builtins, base[2]):
                    allowed = builtin_class_roles(base[2])
                    own_container |= base[2] in ("dict", "list", "set", "bytearray")
                else:
                    entry = universe.known.find(base[1], base[2])
                    allowed = widened(entry.roles) if entry and entry.trust == "safe" and entry.guard == "-" else ""
                    own_container |= "i" in allowed
                if not allowed:
                    return "", f"base {base[1]}.{base[2]}"
                roles &= set(allowed) | {"i"}
            else:
                return "", f"base {base[-1]}"
        if why := self.harmful_method(klass) or self.carries(klass):
            return "", why
        hooks = ("__hash__", "__eq__", "__getattribute__")
        why = self.unaccounted(klass, "__new__", "__del__") or self.unaccounted(klass, *hooks, allow=COMPARING)
        if why:
            return "", why
        if not enum and not self.all_strict(klass, "__init__", "__post_init__", "__setattr__", allow=frozenset({"stores"}) if not self.methods(klass, "__setattr__") else frozenset()):
            roles.discard("c")
        setters = self.all_strict(klass, "__setattr__") and self.parts_strict(klass)
        if self.methods(klass, "__setstate__"):
            allow = frozenset({"stores"}) if setters else frozenset()
            if not self.all_strict(klass, "__setstate__", allow=allow):
                roles -= {"d", "b"}
        else:
            if not self.all_strict(klass, "__getattr__"):
                roles -= {"d", "b"}
            if not setters:
                roles.discard("b")
        if not self.all_strict(klass, "append", "extend", "add", "__setitem__", "update"):
            roles.discard("i")
        elif not own_container and not any(self.methods(klass, name) for name in ("append", "extend", "add", "__setitem__")):
            roles.discard("i")
        return "".join(role for role in "ncwdbi" if role in roles), ""

    def harmless_metaclass(self, module: str, path: str) -> bool:
        """Whether a metaclass leaves the making of instances alone, or does nothing unaccounted for."""
        for reference in self.universe.resolve(module, path):
            if reference[0] != "class":
                return False
            for base in self.universe.mro(reference):
                if base[0] == "unknown":
                    return False
            if not self.all_strict(reference, "__call__", "__getattribute__"):
                return False
        return True

    def parts_strict(self, klass: Reference) -> bool:
        """Whether setting any attribute runs nothing but what is accounted for."""
        return all(
            self.strict((base[1], name))
            for base in self.universe.mro(klass)
            if base[0] == "class"
            for definitions in self.universe.class_of(base)["methods"].values()
            for kind, name in definitions
            if kind == "setter"
        )

    def harmful_method(self, klass: Reference) -> str | None:
        """A method that is called without being named: by Python itself, or by code that expects plain data."""
        for base in self.universe.mro(klass):
            if base[0] != "class":
                continue
            for name, definitions in self.universe.class_of(base)["methods"].items():
                if name in CONSTRUCTING or name in NEVER_IMPLICIT or name.startswith("__reduce"):
                    continue
                for kind, qualified in definitions:
                    implicit = kind in PARTS or name in PLAIN_METHODS or name.startswith("__") and name.endswith("__")
                    if implicit and not self.harmless((base[1], qualified)):
                        return f"{qualified} reaches harm"
        return None

    def carries(self, klass: Reference) -> str | None:
        """A method that runs code or loads it, as the object's state or the method's arguments say: what the
        class is made for is to be called so."""
        for base in self.universe.mro(klass):
            for definitions in self.universe.class_of(base)["methods"].values() if base[0] == "class" else ():
                for _kind, name in definitions:
                    for (capability, parameter), fact in self.reach.facts.get((base[1], name), {}).items():
                        if capability in CARRIED and parameter and fact[0] == 3 and fact[1] <= MAX_CARRIED_DISTANCE:
                            return f"{name} reaches {capability}"
        return None

    def nameable(self, klass: Reference, constructors: list[Node]) -> bool:
        """Whether no method of a class that is not accounted for is known to do harm, or may do so unseen."""
        bases = self.universe.mro(klass)
        if any(base[0] not in ("class", "known") for base in bases) or self.carries(klass):
            return False
        blind = any(("blind", "") in self.reach.facts.get(node, {}) for node in constructors)
        return not blind and self.methods_nameable(klass)

    def methods_nameable(self, klass: Reference) -> bool:
        return all(
            self.harmless((base[1], qualified))
            for base in self.universe.mro(klass)
            if base[0] == "class"
            for definitions in self.universe.class_of(base)["methods"].values()
            for _kind, qualified in definitions
        )

    def class_row(self, module: str, name: str, klass: Reference) -> Row | None:
        """What is derived of a class, under one of its names."""
        if klass not in self.judged:
            self.judged[klass] = self.judge_class(module, name, klass)
        row = self.judged[klass]
        return row and replace(row, module=module, name=name)

    def judge_class(self, module: str, name: str, klass: Reference) -> Row | None:
        constructors = [m[1:] for n in CONSTRUCTING for m in self.universe.method(klass, n) if m[0] == "function"]
        danger = self.danger(constructors)
        if danger and (danger[0] == "sink" or set(danger[1]) & HARD):
            return Row(module, name, "class", danger[0], "", "-", danger[1], danger[2])
        roles, _why = self.class_roles(klass)
        if not roles and self.nameable(klass, constructors):
            return Row(module, name, "class", "safe", "nm", "-", (), "!its methods reach nothing that does harm; calls were not all resolved")
        if roles:
            if self.methods_nameable(klass):
                roles += "m"
            return Row(module, name, "class", "safe", roles, "-", (), "!accounted for: its constructor, state and hooks")
        return None

    # -------------------------------------------------------------------- all

    def rows(self, modules: list[str], package_of) -> list[Row]:
        rows = []
        for module in modules:
            for name in sorted(self.universe.modules[module]["bindings"]):
                rows += self.global_rows(module, name, package_of)
        return rows

    def global_rows(self, module: str, name: str, package_of) -> list[Row]:
        found: list[Row] = []
        references = self.universe.member(module, name)
        for reference in references:
            if reference[0] == "function":
                row = self.function_row(module, name, [reference[1:]])
            elif reference[0] == "class":
                row = self.class_row(module, name, reference)
            elif reference[0] == "known" and (entry := self.universe.known.find(*reference[1:])) and entry.trust != "safe":
                row = Row(module, name, entry.kind, entry.trust, "", "-", entry.capabilities, f"={reference[1]}:{reference[2]}")
            elif reference[0] not in ("unknown", "instance"):
                continue
            else:
                # One of the things that the name may stand for is not known, so that no other makes it safe.
                found.append(Row(module, name, "object", "unknown", "", "-", (), "-"))
                continue
            row = row or Row(module, name, reference[0], "unknown", "", "-", (), "-")
            own = reference[0] != "known" and reference[1:] == (module, name)
            if not own:
                if row.trust == "unknown" and len(references) > 1:
                    found.append(row)
                    continue
                if row.trust in ("safe", "unknown") and (package_of(reference[1]) != package_of(module) or name.startswith("_")):
                    continue
                if reference[0] != "known":
                    row = Row(module, name, row.kind, row.trust, row.roles, row.guard, row.capabilities, f"={reference[1]}:{reference[2]}")
            found.append(row)
            if own and reference[0] == "class":
                found += self.method_rows(reference)
        worst = sorted((r for r in found if r.name == name), key=lambda r: ("safe", "unknown", "dual", "sink").index(r.trust))[-1:]
        if worst and worst[0].trust == "safe" and len(references) > 1:
            same = [r for r in found if r.name == name]
            roles = "".join(role for role in worst[0].roles if all(role in r.roles for r in same))
            worst = [Row(module, name, worst[0].kind, "safe", roles, "-", (), worst[0].hop)] if roles else []
        return worst + [r for r in found if r.name != name]

    def method_rows(self, klass: Reference) -> list[Row]:
        """Methods that do harm; a class's other methods are not listed."""
        rows = []
        seen: set[str] = set(CONSTRUCTING)
        for base in self.universe.mro(klass):
            for name, definitions in sorted(self.universe.class_of(base)["methods"].items()) if base[0] == "class" else ():
                if name in seen:
                    continue
                seen.add(name)
                row = self.function_row(klass[1], f"{klass[2]}.{name}", [(base[1], d[1]) for d in definitions], "method")
                if row and set(row.capabilities) & HARD:
                    rows.append(row)
        for inner in sorted(n for n in self.universe.modules[klass[1]]["classes"] if n.rpartition(".")[0] == klass[2]):
            row = self.class_row(klass[1], inner, ("class", klass[1], inner))
            rows.append(row or Row(klass[1], inner, "class", "unknown", "", "-", (), "-"))
        return rows


def verdict(capability: str, parameter: str, strength: int, distance: int) -> int:
    """2 for a sink, 1 for dual use, 0 where a fact says too little."""
    if capability in HARD:
        if strength == 3:
            return 2 if distance <= MAX_SINK_DISTANCE else 1
        if strength == 2:
            return 1 if distance <= MAX_DUAL_DISTANCE else 0
        fixed = capability in ("process", "net", "fs-write", "exit", "native")
        return 1 if strength == 1 and fixed and distance <= MAX_DUAL_DISTANCE else 0
    return 1 if strength == 3 and distance <= MAX_DUAL_DISTANCE else 0


def widened(roles: str) -> str:
    """Curated roles in full: what is safe to call is safe to make, what is safe to build is so with any state."""
    return roles + ("w" if "c" in roles else "") + ("d" if "b" in roles else "")
