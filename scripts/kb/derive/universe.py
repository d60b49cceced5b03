"""Links names across modules: what a path means where it is written.

A reference is one of

    ("function", MODULE, NAME)    ("class", MODULE, NAME)    ("module", NAME)
    ("known", MODULE, NAME)       a global of the curated lists, or of the interpreter itself
    ("instance", REFERENCE)       what calling a class gave
    ("value",)                    plain data, or an object that nothing is known of
    ("unknown", PATH)             something that is in no source
"""

import builtins
import types

Reference = tuple
MAX_DEPTH = 12
BUILTINS = set(dir(builtins))
BUILTIN_TYPES = {name for name in BUILTINS if isinstance(getattr(builtins, name), type)}
BUILTIN_EXCEPTIONS = {name for name in BUILTIN_TYPES if issubclass(getattr(builtins, name), BaseException)}
NAMEDTUPLES = {"collections.namedtuple", "typing.NamedTuple", "namedtuple", "NamedTuple"}
PLAIN_MAKERS = {"TypeVar", "NewType", "ParamSpec", "compile", "frozenset", "set", "dict", "list", "tuple", "object", "count", "local", "Lock", "RLock", "Event"}


class Universe:
    def __init__(self, known):
        self.known = known
        self.modules: dict[str, dict] = {}
        self.prefixes: set[str] = set()
        self.compiled: set[str] = set()
        self.owners: dict[str, str] = {}
        self.members_seen: dict[tuple[str, str], list[Reference]] = {}
        self.mros: dict[tuple[str, str], list[Reference]] = {}

    def add(self, package: str, summaries: dict[str, dict], compiled: set[str]) -> None:
        """Adds a package's modules; those that are there already stay."""
        for name, summary in summaries.items():
            if name not in self.modules:
                self.modules[name] = summary
                self.owners[name] = package
                self.prefixes.update(prefixes(name))
        self.compiled |= compiled

    def is_module(self, name: str) -> bool:
        return name in self.modules or name in self.prefixes

    def is_compiled(self, path: str) -> bool:
        """Whether a path leads into a compiled module of the packages."""
        return any(prefix in self.compiled for prefix in prefixes(path))

    # ------------------------------------------------------------------ names

    def resolve(self, module: str, path: str, depth: int = 0) -> list[Reference]:
        """What a path means in a module; `=a.b` is a path from the top."""
        if depth > MAX_DEPTH:
            return []
        if path.startswith("="):
            parts = path[1:].split(".")
            references: list[Reference] = [("module", parts[0])]
        else:
            parts = path.split(".")
            references = self.member(module, parts[0], depth + 1)
            if not references:
                # A name that a star brought in from a compiled module, a builtin, or nothing that is known.
                references = [("unknown", path)]
                if self.known.exact(module, parts[0]):
                    references = [("known", module, parts[0])]
                elif parts[0] in BUILTINS:
                    references = [("known", "builtins", parts[0])]
        for part in parts[1:]:
            references = [found for r in references for found in self.attribute(r, part, depth + 1)]
        return references

    def member(self, module: str, name: str, depth: int = 0) -> list[Reference]:
        """What a module's namespace holds under a name."""
        key = (module, name)
        if key in self.members_seen:
            return self.members_seen[key]
        if depth > MAX_DEPTH:
            return []
        self.members_seen[key] = []
        summary = self.modules.get(module)
        found: list[Reference] = []
        if summary is None:
            return found
        for binding in summary["bindings"].get(name, []):
            found += self.bound(module, name, binding, depth + 1)
        if not found:
            for star in summary["stars"]:
                found += self.member(star, name, depth + 1)
        if not found and self.is_module(f"{module}.{name}"):
            found = [("module", f"{module}.{name}")]
        found = list(dict.fromkeys(found))
        self.members_seen[key] = found
        return found

    def bound(self, module: str, name: str, binding: list, depth: int) -> list[Reference]:
        kind = binding[0]
        if self.known.is_primitive(module, name):
            return [("known", module, name)]
        if kind in ("function", "class"):
            return [(kind, module, binding[1])]
        if kind == "module":
            return [("module", binding[1])]
        if kind == "from":
            if binding[1] == module and binding[2] == name:
                return [("module", f"{module}.{name}")] if self.is_module(f"{module}.{name}") else []
            return self.attribute(("module", binding[1]), binding[2], depth + 1)
        if kind == "alias":
            return [] if binding[1] == name else self.resolve(module, binding[1], depth + 1)
        if kind == "made":
            return self.made(module, binding, depth)
        return [("value",)] if kind == "value" else [("unknown", f"{module}.{name}")]

    def made(self, module: str, binding: list, depth: int) -> list[Reference]:
        path, arguments = binding[1], binding[2]
        last = path.rpartition(".")[2]
        if last in ("namedtuple", "NamedTuple"):
            return [("known", "builtins", "tuple")]
        if last in PLAIN_MAKERS:
            return [("value",)]
        found: list[Reference] = []
        for reference in self.resolve(module, path, depth + 1):
            if reference[0] == "class" or reference[0] == "known" and reference[2][:1].isupper():
                found.append(("instance", reference))
            elif reference[0] == "function":
                # A decorator or a factory: what it was given, or what nothing is known of.
                for argument in arguments:
                    found += [r for r in self.resolve(module, argument, depth + 1) if r[0] in ("function", "class")]
        return found or [("unknown", f"{module}.{path}()")]

    def attribute(self, reference: Reference, name: str, depth: int = 0) -> list[Reference]:
        if depth > MAX_DEPTH:
            return []
        kind = reference[0]
        if kind == "module":
            module = reference[1]
            if self.known.is_primitive(module, name):
                return [("known", module, name)]
            found = self.member(module, name, depth + 1)
            if found:
                return found
            if self.is_module(f"{module}.{name}"):
                return [("module", f"{module}.{name}")]
            if self.known.find(module, name):
                return [("known", module, name)]
            return [("unknown", f"{module}.{name}")]
        if kind in ("class", "instance"):
            klass = reference if kind == "class" else reference[1]
            return self.method(klass, name)
        if kind == "known":
            path = f"{reference[2]}.{name}"
            if self.known.find(reference[1], path) or reference[1] == "builtins":
                return [("known", reference[1], path)]
        return [("unknown", ".".join([*map(str, reference[1:]), name]))]

    # ---------------------------------------------------------------- classes

    def class_of(self, reference: Reference) -> dict:
        return self.modules[reference[1]]["classes"][reference[2]]

    def bases(self, klass: Reference) -> list[Reference]:
        found = []
        scope = klass[2].rpartition(".")[0]
        for path in self.class_of(klass)["bases"]:
            if path.endswith("()"):
                maker = path[:-2].rpartition(".")[2]
                found.append(("known", "builtins", "tuple") if maker in ("namedtuple", "NamedTuple") else ("unknown", path))
                continue
            references = self.resolve(klass[1], path)
            if scope and "." not in path and references and references[0][0] == "unknown":
                references = [("class", klass[1], f"{scope}.{path}")] if f"{scope}.{path}" in self.modules[klass[1]]["classes"] else references
            found += [r for r in references if r != klass] or [("unknown", path)]
        return list(dict.fromkeys(found))

    def mro(self, klass: Reference) -> list[Reference]:
        """All classes that a class inherits from, itself first; in depth-first order, each once, last."""
        key = klass[1:]
        if key in self.mros:
            return self.mros[key]
        self.mros[key] = [klass]
        order = [klass]
        for base in self.bases(klass):
            order += self.mro(base) if base[0] == "class" else [base]
        unique = list(dict.fromkeys(reversed(order)))
        self.mros[key] = [klass] + [r for r in reversed(unique) if r != klass]
        return self.mros[key]

    def own(self, klass: Reference, name: str) -> list[Reference]:
        """What a class itself defines under a name."""
        if klass[0] != "class":
            return []
        found = self.class_of(klass)
        references: list[Reference] = [("function", klass[1], m[1]) for m in found["methods"].get(name, [])]
        for binding in found["attributes"].get(name, []):
            if binding[0] == "class":
                references.append(("class", klass[1], binding[1]))
            elif binding[0] in ("alias", "made"):
                path = binding[1]
                inner = [("function", klass[1], m[1]) for m in found["methods"].get(path, [])]
                references += inner or self.bound(klass[1], f"{klass[2]}.{name}", binding, 1)
            elif binding[0] in ("from", "module"):
                references += self.bound(klass[1], f"{klass[2]}.{name}", binding, 1)
            else:
                references.append(("value",) if binding[0] == "value" else ("unknown", f"{klass[1]}.{klass[2]}.{name}"))
        return references

    def method(self, klass: Reference, name: str, skip_first: bool = False) -> list[Reference]:
        """What an attribute of a class is."""
        if klass[0] != "class":
            return self.attribute(klass, name) if klass[0] == "known" else [("unknown", f"{klass[-1]}.{name}")]
        unknown: list[Reference] = []
        for base in self.mro(klass)[1 if skip_first else 0 :]:
            if base[0] == "known":
                if base[1] == "builtins" and hasattr(getattr(builtins, base[2], object), name):
                    return [("known", base[1], f"{base[2]}.{name}")]
                if self.known.find(base[1], f"{base[2]}.{name}"):
                    return [("known", base[1], f"{base[2]}.{name}")]
                if base[1] != "builtins":
                    unknown.append(("unknown", f"{base[1]}.{base[2]}.{name}"))
            elif base[0] == "unknown":
                unknown.append(("unknown", f"{base[1]}.{name}"))
            elif found := self.own(base, name):
                return found
        if unknown:
            return unknown
        return [("known", "builtins", f"object.{name}")] if hasattr(object, name) else []


def prefixes(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def is_builtin_function(name: str) -> bool:
    return isinstance(getattr(builtins, name, None), types.BuiltinFunctionType)
