"""Which primitives a function reaches, and which of its parameters steer them.

A fact of a function is (capability, parameter): the capability is reached, and the parameter may flow into
what does it; the empty parameter means that nothing does. Its strength is

    3  along calls that are certain, steered by the parameter
    2  the same, but a call on the way is dispatched at run time, or nested functions' parameters steer it
    1  reached with nothing but the library's own values
    0  the same, along a call that is dispatched at run time

`opaque`, `blind`, `global` and `stores` are no capabilities: they mark calls of which it is not known what they call,
those among them that may call something harmful, changes to what outlives the call, and attributes set on an argument.
"""

import heapq
from collections import defaultdict

from .known import HARD, PLAIN_METHODS, PURE_BUILTINS
from .universe import BUILTIN_EXCEPTIONS, BUILTIN_TYPES, Reference, Universe

Node = tuple[str, str]
HARD_ORDER = ("exec", "process", "native", "deserialize", "import", "net", "fs-write", "exit")
SOFT = ("fs-read", "reflect", "env", "callback", "resource")
MARKS = ("opaque", "blind", "global", "stores")
MAX_CANDIDATES = 4
# From further away than this, a soft capability counts as something that is not accounted for.
FAR = 4
# Decorators that keep what they decorate, or wrap it in caches and checks of their own.
KEEPING = set(
    "staticmethod classmethod property setter deleter getter wraps abstractmethod cached_property lru_cache cache contextmanager"
    " asynccontextmanager overload final dataclass total_ordering runtime_checkable singledispatch register singledispatchmethod"
    " deprecated no_type_check coroutine set_module array_function_dispatch njit jit vectorize unique attrs define frozen s"
    " python_2_unicode_compatible add_metaclass no_grad enable_grad ignore export unused compile cached cython".split()
)


class Reach:
    """The call graph of all functions that are reachable from a package, and their facts."""

    def __init__(self, universe: Universe, shared: dict[tuple, tuple[list, list, set]]):
        """`shared` keeps what the functions of other packages call from one package to the next."""
        self.universe = universe
        self.shared = shared
        self.own: set[str] = set()
        self.edges: dict[Node, list[tuple[Node, str, list, bool]]] = {}
        self.facts: dict[Node, dict[tuple[str, str], tuple[int, int, str]]] = defaultdict(dict)
        self.seeds: list[tuple[Node, str, str, int, str]] = []
        self.by_method: dict[str, list[Node]] = defaultdict(list)

    def run(self, modules: list[str]) -> None:
        """Builds the graph from the functions of these modules on, and solves it."""
        self.own = set(modules)
        for module in modules:
            summary = self.universe.modules[module]
            for klass in summary["classes"].values():
                for method, definitions in klass["methods"].items():
                    self.by_method[method] += [(module, definition[1]) for definition in definitions]
        todo = [(module, name) for module in modules for name in self.universe.modules[module]["functions"]]
        while todo:
            node = todo.pop()
            if node in self.edges:
                continue
            key = (self.universe.owners[node[0]], *node)
            if node[0] not in self.own and key in self.shared:
                self.edges[node], seeds, asked = self.shared[key]
                self.seeds += seeds
                self.universe.known.asked |= asked
            else:
                self.edges[node] = []
                before, asked = len(self.seeds), self.universe.known.asked
                self.universe.known.asked = set()
                self.build(node)
                if node[0] not in self.own and key[0] == "stdlib":
                    self.shared[key] = (self.edges[node], self.seeds[before:], self.universe.known.asked)
                self.universe.known.asked |= asked
            todo += [target for target, *_ in self.edges[node] if target not in self.edges]
        self.solve()

    def function(self, node: Node) -> dict:
        return self.universe.modules[node[0]]["functions"][node[1]]

    # ------------------------------------------------------------------ graph

    def build(self, node: Node) -> None:
        function = self.function(node)
        for flag, _name, _line in function["flags"]:
            if node[1] != "<module>":
                self.seed(node, {"class": "reflect", "global": "global", "param": "stores"}[flag], "", 1, f"!sets {_name}")
        for call in function["calls"]:
            self.call(node, call)
        for decorator in function["decorators"]:
            if decorator.rpartition(".")[2] in KEEPING:
                continue
            targets = self.universe.resolve(node[0], decorator) if decorator != "?" else []
            functions = [t for t in targets if t[0] == "function"]
            for target in functions:
                self.edges[node].append((target[1:], "decorator", [], True))
            if not functions and not any(t[0] == "class" for t in targets):
                self.unknown(node, f"!decorated by {decorator}")

    def unknown(self, node: Node, why: str, blind: bool = True) -> None:
        """Marks a call of which it is not known what it calls; blind, if that may be harmful."""
        self.seed(node, "opaque", "", 1, why)
        if blind:
            self.seed(node, "blind", "", 1, why)

    def seed(self, node: Node, capability: str, parameter: str, strength: int, hop: str) -> None:
        self.seeds.append((node, capability, parameter, strength, hop))

    def owner(self, node: Node) -> Reference:
        return ("class", node[0], node[1].split(":")[0].rpartition(".")[0].rstrip("'"))

    def call(self, node: Node, call: list) -> None:
        callee = call[0]
        kind = callee[0]
        if kind == "ref":
            # A callable that is handed on: whoever gets it may call it.
            for target in self.targets(node, callee[1]):
                if target[0] == "function":
                    self.edges[node].append((target[1:], "reference", call, True))
            return
        if kind == "param":
            self.steered(node, "callback", callee[1], "!calls its argument")
        elif kind == "dyn":
            self.unknown(node, "!calls what an expression gives")
            self.steered(node, "callback", callee[1], "!calls what its argument gives", certain=False)
        elif kind == "attr":
            self.unknown_method(node, callee[1], call)
        else:
            targets = self.targets(node, callee)
            if not targets and kind == "kept":
                return self.unknown_method(node, callee[2], call)
            if not targets:
                self.unknown(node, f"!calls {callee[-1]}")
            for target in targets:
                self.edge(node, target, callee, call)

    def targets(self, node: Node, callee: list) -> list[Reference]:
        universe = self.universe
        if callee[0] == "name":
            return universe.resolve(node[0], callee[1])
        if callee[0] == "inst":
            found = []
            for reference in universe.resolve(node[0], callee[1]):
                if reference[0] == "class" or reference[0] == "known":
                    found += universe.attribute(("instance", reference), callee[2]) if reference[0] == "class" else universe.attribute(reference, callee[2])
                elif callee[2] not in PLAIN_METHODS:
                    found.append(("unknown", f"{callee[1]}().{callee[2]}"))
                else:
                    found.append(("value",))
            return found
        owner = self.owner(node)
        if owner[2] not in universe.modules[owner[1]]["classes"]:
            return []
        if callee[0] == "kept":
            return self.kept(owner, callee[1], callee[2])
        # What a subclass overrides is looked at with that class.
        found = universe.method(owner, callee[1], skip_first=callee[0] == "super")
        return found or self.kept(owner, callee[1], None)

    def kept(self, owner: Reference, attribute: str, name: str | None) -> list[Reference]:
        """What an attribute of an instance is, or a method of it, where a method of its class says so."""
        found: list[Reference] = []
        for base in self.universe.mro(owner):
            for kept, how, path in self.universe.class_of(base)["kept"] if base[0] == "class" else ():
                if kept == attribute and (how == "path" or name):
                    references = self.universe.resolve(base[1], path)
                    if how == "made":
                        references = [("instance", r) if r[0] == "class" else r for r in references if r[0] in ("class", "known")]
                    if name:
                        references = [m for r in references for m in self.universe.attribute(r, name)]
                    found += references
        return list(dict.fromkeys(found))

    def unknown_method(self, node: Node, name: str, call: list) -> None:
        if name in PLAIN_METHODS:
            return
        self.unknown(node, f"!calls a method {name} of an unknown object", self.universe.known.is_harmful_name(name))
        candidates = self.by_method.get(name, []) if node[0] in self.own else []
        if 0 < len(candidates) <= MAX_CANDIDATES and not name.startswith("__"):
            for candidate in candidates:
                self.edges[node].append((candidate, "attr", call, True))

    def steered(self, node: Node, capability: str, taint: list[str], hop: str, certain: bool = True) -> None:
        for parameter in taint:
            self.seed(node, capability, parameter, 3 if certain and parameter != "?" else 2, hop)
        if not taint:
            self.seed(node, capability, "", 1 if certain else 0, hop)

    def edge(self, node: Node, target: Reference, callee: list, call: list) -> None:
        kind = target[0]
        if kind == "function":
            definition = self.universe.modules[target[1]]["functions"][target[2]]
            if callee[0] == "name":
                bound = bool(definition["self"]) and "classmethod" in definition["decorators"]
            else:
                bound = bool(definition["self"])
            how = {"self": "self", "super": "self", "inst": "inst", "kept": "inst"}.get(callee[0], "bound" if bound else "plain")
            if how != "plain" and not bound:
                how = "plain"
            self.edges[node].append((target[1:], how, call, False))
        elif kind == "class":
            self.construct(node, target, call)
        elif kind == "known":
            self.primitive(node, target[1], target[2], call)
        elif kind == "unknown":
            # Compiled code of the packages that are looked at computes; what it does else is in the curated lists.
            self.unknown(node, f"!calls {target[1]}", blind=not self.universe.is_compiled(target[1]))
        elif kind == "instance":
            for method in self.universe.method(target[1], "__call__") if target[1][0] == "class" else [("unknown", str(target[1][-1]))]:
                if method[0] == "function":
                    self.edges[node].append((method[1:], "inst", call, False))
                else:
                    self.unknown(node, f"!calls an instance of {target[1][-1]}")
        elif kind in ("module", "value"):
            self.unknown(node, "!calls a value")

    def construct(self, node: Node, klass: Reference, call: list) -> None:
        for name in ("__new__", "__init__", "__post_init__"):
            for method in self.universe.method(klass, name):
                if method[0] == "function":
                    self.edges[node].append((method[1:], "construct", call, False))
                elif method[0] == "unknown":
                    self.unknown(node, f"!constructs {klass[2]}")
                elif method[0] == "known" and method[1] != "builtins":
                    self.primitive(node, method[1], method[2].rpartition(".")[0], call)

    # ------------------------------------------------------------- primitives

    def primitive(self, node: Node, module: str, name: str, call: list) -> None:
        _, positional, keywords, star, constants, _line = call
        label = f"{module}.{name}" if module != "builtins" else name
        everything = sorted({t for a in [*positional, *keywords.values(), star or []] for t in a})
        if module == "builtins" and self.builtin(node, name, call, everything):
            return
        entry = self.universe.known.find(module, name)
        if entry is None:
            self.unknown(node, f"!calls {label}")
            return
        if entry.trust == "safe":
            if not {"c", "p"} & set(entry.roles):
                self.unknown(node, f"!calls {label}")
            elif entry.guard == "types" and entry.kind != "class":
                self.steered(node, "callback", everything, label, certain=False) if everything else None
            return
        capabilities = entry.capabilities
        if (module, name) in (("io", "open"), ("_io", "open"), ("codecs", "open"), ("io", "FileIO"), ("_io", "FileIO")):
            capabilities = opened(positional, keywords, constants)
        for capability in capabilities:
            # What is harmful with some arguments only is no certain way to harm.
            certain = entry.trust == "sink" or capability in SOFT or capabilities is not entry.capabilities
            self.steered(node, capability, everything, label, certain)

    def builtin(self, node: Node, name: str, call: list, everything: list[str]) -> bool:
        """The builtins whose effect depends on how they are called; whether it was one."""
        _, positional, keywords, star, constants, _line = call
        owner, _, method = name.partition(".")
        argument = lambda index: positional[index] if index < len(positional) else star or []
        if name in ("getattr", "setattr", "delattr") or method in ("__setattr__", "__delattr__", "__getattribute__"):
            index = 1
            if method and len(positional) < 2 + (method == "__setattr__"):
                index = 0
            if str(index) not in constants and argument(index):
                on_self = index == 0 or argument(0) == [self.function(node)["self"]]
                if name != "getattr" and method != "__getattribute__" and on_self:
                    self.seed(node, "stores", "", 1, "!sets attributes of itself")
                else:
                    self.steered(node, "reflect", sorted({*argument(0), *argument(1)}), name)
            elif name in ("setattr", "delattr") and argument(0) and argument(0) != [self.function(node)["self"]]:
                self.seed(node, "stores", "", 1, "!sets an attribute of its argument")
        elif name in ("map", "filter"):
            self.steered(node, "callback", argument(0), name) if argument(0) else None
        elif name in ("sorted", "min", "max", "list.sort"):
            self.steered(node, "callback", keywords.get("key", []), name) if keywords.get("key") else None
        elif name == "iter":
            self.steered(node, "callback", argument(0), name) if len(positional) > 1 and argument(0) else None
        elif name == "type":
            self.steered(node, "reflect", everything, name) if len(positional) + len(keywords) > 1 else None
        elif name in ("vars", "dir", "globals", "locals"):
            pass
        elif name == "open":
            for capability in opened(positional, keywords, constants):
                self.steered(node, capability, everything, name)
        elif name in PURE_BUILTINS or name in BUILTIN_EXCEPTIONS or owner in BUILTIN_TYPES:
            pass
        else:
            return False
        return True

    # ------------------------------------------------------------------ solve

    def solve(self) -> None:
        """Carries facts from callees to callers, the strongest and shortest first."""
        callers: dict[Node, list[tuple[Node, str, list, bool]]] = defaultdict(list)
        for node, edges in self.edges.items():
            for target, how, call, dispatched in edges:
                callers[target].append((node, how, call, dispatched))
        heap = [(-strength, 1, node, capability, parameter, hop) for node, capability, parameter, strength, hop in self.seeds]
        heap = sorted(set(heap))
        heapq.heapify(heap)
        while heap:
            weakness, distance, node, capability, parameter, hop = heapq.heappop(heap)
            facts = self.facts[node]
            if (capability, parameter) in facts:
                continue
            facts[capability, parameter] = (-weakness, distance, hop)
            here = f"{node[0]}:{node[1]}"
            for caller, how, call, dispatched in callers[node]:
                if caller == node or how == "decorator" and capability in ("callback", "reflect"):
                    continue
                known = self.facts.get(caller, {})
                if capability in SOFT and distance > FAR:
                    if ("opaque", "") not in known:
                        heapq.heappush(heap, (-1, distance + 1, caller, "opaque", "", here))
                    continue
                for found, strength in self.carried(node, caller, parameter, -weakness, how, call, dispatched):
                    if (capability, found) not in known:
                        heapq.heappush(heap, (-strength, distance + 1, caller, capability, found, here))

    def carried(self, node: Node, caller: Node, parameter: str, strength: int, how: str, call: list, dispatched: bool) -> list[tuple[str, int]]:
        """The caller's parameters that flow into the callee's, with the strength that is left."""
        if parameter == "":
            return [("", 0 if dispatched else strength)]
        if how in ("reference", "decorator"):
            return [("?", 2)]
        if parameter == "?":
            return [("?", 2)]
        function = self.function(node)
        if how == "self" and parameter == function["self"]:
            taint = [self.function(caller)["self"] or "?"]
        else:
            taint = self.argument(function, parameter, how, call)
        if taint is None:
            return [("", 0 if dispatched else 1)]
        left = 2 if dispatched else strength
        return [(t, 2 if t == "?" else left) for t in taint] or [("", 0 if dispatched else 1)]

    def argument(self, function: dict, parameter: str, how: str, call: list) -> list[str] | None:
        callee, positional, keywords, star, _constants, _line = call
        params = function["params"]
        offset = 0
        if how != "plain":
            offset = 1
            if parameter == function["self"]:
                if how == "construct":
                    return sorted({t for a in [*positional, *keywords.values(), star or []] for t in a})
                return callee[2] if how == "attr" else ["?"] if how == "inst" else []
        if parameter in keywords:
            return keywords[parameter]
        if parameter in params:
            index = params.index(parameter) - offset
            if 0 <= index < len(positional):
                return positional[index]
            return star or []
        if parameter == function["vararg"]:
            rest = positional[max(len(params) - offset, 0) :]
            return sorted({t for a in [*rest, star or []] for t in a})
        if parameter == function["kwarg"]:
            rest = [a for k, a in keywords.items() if k not in params]
            return sorted({t for a in [*rest, star or []] for t in a})
        return star or None


def opened(positional: list, keywords: dict, constants: dict) -> tuple[str, ...]:
    """What `open` can do in its mode."""
    mode = constants.get("1", constants.get("mode"))
    if isinstance(mode, str):
        return ("fs-write",) if set(mode) & set("wax+") else ("fs-read",)
    if len(positional) < 2 and "mode" not in keywords:
        return ("fs-read",)
    return ("fs-write", "fs-read")
