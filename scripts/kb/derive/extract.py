"""Turns the source text of a module into a summary: bindings, functions with their calls, classes.

A summary is plain data. An expression that names something is a dotted path (`os.path.join`); where
it is called, the callee is one of

    ["name", PATH]            a path from a global, a builtin or a local import
    ["self", NAME]            a method of the object or class that the method belongs to
    ["super", NAME]           the next one
    ["kept", NAME, NAME]      a method of what an attribute of the object holds
    ["inst", PATH, NAME]      a method of what calling PATH gave
    ["attr", NAME, TAINT]     a method of an object that nothing is known of
    ["param", TAINT]          a parameter, or something taken out of one
    ["dyn", TAINT]            what another expression gives

A taint is the sorted list of the parameters that may flow into a value: `?` stands for the parameters
of nested functions, `@` for objects that outlive the call.
"""

import ast

BUILTIN_CONTAINERS = {ast.List: "list", ast.Dict: "dict", ast.Set: "set", ast.ListComp: "list", ast.DictComp: "dict", ast.SetComp: "set", ast.JoinedStr: "str"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Taint = list[str]


def dotted(node: ast.AST) -> str | None:
    """`a.b.c` for the expression of that form."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])


def constant(node: ast.AST):
    """A short constant, or a marker that it is none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, bool, int, type(None))):
        if not isinstance(node.value, str) or len(node.value) <= 80:
            return [node.value]
    return None


def absolute(module: str, is_package: bool, level: int, name: str | None) -> str:
    """The module that a relative import names."""
    if level == 0:
        return name or ""
    parts = module.split(".")
    drop = level - 1 if is_package else level
    parts = parts[: len(parts) - drop] if drop else parts
    return ".".join([*parts, name] if name else parts)


class Function:
    """Collects what one function does; nested functions and lambdas count as part of it."""

    def __init__(self, node, module: str, is_package: bool, is_method: bool, owner: set[str]):
        self.module, self.is_package = module, is_package
        self.params, self.calls, self.flags = [], [], []
        self.taints: dict[str, set[str]] = {}
        self.aliases: dict[str, list[str]] = {}
        self.instances: dict[str, list[str]] = {}
        self.local_functions: set[str] = set()
        # What `__new__` makes is not yet anybody's: the function is still building it.
        self.fresh: set[str] = set()
        # What the method puts into attributes of its object, where that has a path.
        self.kept: list[list] = []
        self.self_name = None
        self.module_names = owner
        body = node.body
        if isinstance(node, FUNCTIONS):
            arguments = node.args
            self.params = [a.arg for a in [*arguments.posonlyargs, *arguments.args]]
            kinds = [decorator for d in node.decorator_list if (decorator := dotted(d))]
            if is_method and "staticmethod" not in kinds and self.params:
                self.self_name = self.params[0]
            extra = [a.arg for a in arguments.kwonlyargs]
            star = [a.arg for a in (arguments.vararg, arguments.kwarg) if a]
            self.vararg = arguments.vararg.arg if arguments.vararg else None
            self.kwarg = arguments.kwarg.arg if arguments.kwarg else None
            for name in [*self.params, *extra, *star]:
                self.taints[name] = {name}
        else:
            self.vararg = self.kwarg = None
        self.nodes = [n for statement in body for n in walk_local(statement)]
        self.bind()
        self.flow()
        for n in self.nodes:
            self.visit(n)

    def bind(self) -> None:
        self.globals: set[str] = set()
        for n in self.nodes:
            if isinstance(n, ast.Global):
                self.globals.update(n.names)
            elif isinstance(n, FUNCTIONS):
                self.local_functions.add(n.name)
                self.nested(n.args)
            elif isinstance(n, ast.Lambda):
                self.nested(n.args)
            elif isinstance(n, ast.Import):
                for a in n.names:
                    name = a.asname or a.name.split(".")[0]
                    self.aliases.setdefault(name, []).append("=" + (a.name if a.asname else name))
            elif isinstance(n, ast.ImportFrom):
                base = absolute(self.module, self.is_package, n.level, n.module)
                for a in n.names:
                    self.aliases.setdefault(a.asname or a.name, []).append(f"={base}.{a.name}")

    def nested(self, arguments: ast.arguments) -> None:
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += [a for a in (arguments.vararg, arguments.kwarg) if a]
        for a in every:
            self.taints.setdefault(a.arg, set()).add("?")

    def flow(self) -> None:
        """Follows values through assignments, without regard to their order."""
        pairs, assigned = [], []
        for n in self.nodes:
            if isinstance(n, ast.Assign):
                assigned += [(t, n.value) for t in n.targets]
            elif isinstance(n, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)) and n.value:
                assigned.append((n.target, n.value))
            elif isinstance(n, (ast.For, ast.AsyncFor, ast.comprehension)):
                pairs.append((n.target, n.iter))
            elif isinstance(n, ast.withitem) and n.optional_vars:
                pairs.append((n.optional_vars, n.context_expr))
        bound = set(self.taints) | {n.id for n in self.nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        bound -= self.globals
        flows = []
        for target, value in assigned:
            if isinstance(target, ast.Name) and target.id in bound:
                path = dotted(value)
                if path and path.split(".")[0] not in bound:
                    self.aliases.setdefault(target.id, []).append(path)
                    continue
                if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "__new__":
                    self.fresh.add(target.id)
                made = self.made_by(value, bound)
                if made:
                    self.instances.setdefault(target.id, []).append(made)
            if isinstance(target, ast.Attribute) and dotted(target) == f"{self.self_name}.{target.attr}":
                path, made = dotted(value), self.made_by(value, bound)
                if path and path.split(".")[0] not in bound:
                    self.kept.append([target.attr, "path", path])
                elif made:
                    self.kept.append([target.attr, "made", made])
            pairs.append((target, value))
        for target, value in pairs:
            # What is stored into a local object is in it from then on.
            names = {n.id for n in ast.walk(target) if isinstance(n, ast.Name)} & bound
            # What a call gives depends on its arguments, not on the function's name.
            flows.append((names, {n.id for n in ast.walk(value) if isinstance(n, ast.Name)}))
        changed = True
        while changed:
            changed = False
            for names, sources in flows:
                taint = set().union(*(self.taints.get(s, set()) for s in sources))
                taint |= {"@"} if sources & self.module_names and not sources & set(self.taints) else set()
                for name in names:
                    old = self.taints.setdefault(name, set())
                    if not taint <= old:
                        old |= taint
                        changed = True
        for name in self.aliases:
            # A name that is both a path and a value is a value.
            if self.taints.get(name):
                self.instances.pop(name, None)

    def made_by(self, value: ast.AST, bound: set[str]) -> str | None:
        if isinstance(value, ast.Call):
            path = dotted(value.func)
            if path and path.split(".")[0] not in bound:
                return path
        return BUILTIN_CONTAINERS.get(type(value))

    def taint(self, *nodes: ast.AST | None) -> Taint:
        found: set[str] = set()
        for node in nodes:
            for n in ast.walk(node) if node is not None else ():
                if isinstance(n, ast.Name):
                    found |= self.taints.get(n.id, set())
        return sorted(found - {"@"})

    def callee(self, node: ast.AST) -> list[list]:
        if isinstance(node, ast.Name):
            name = node.id
            if name in self.local_functions:
                return []
            if name in self.aliases and not self.taints.get(name):
                return [["name", path] for path in self.aliases[name]]
            if self.taints.get(name):
                if name == self.self_name:
                    return [["self", "__new__"], ["self", "__init__"]]
                return [["param", sorted(self.taints[name])]]
            return [["dyn", []]] if name in self.taints else [["name", name]]
        if isinstance(node, ast.Attribute):
            return self.attribute(node)
        if isinstance(node, ast.Call) and dotted(node.func) == "type" and len(node.args) == 1:
            return [["self", "__init__"]] if dotted(node.args[0]) == self.self_name else [["dyn", self.taint(node)]]
        return [["dyn", self.taint(node)]]

    def attribute(self, node: ast.Attribute) -> list[list]:
        name, value = node.attr, node.value
        if isinstance(value, ast.Call):
            made = dotted(value.func)
            if made == "super":
                return [["super", name]]
            if made and made.split(".")[0] not in self.taints and made.split(".")[0] not in self.local_functions:
                return [["inst", path, name] for path in self.paths(made)]
            return [["attr", name, self.taint(value)]]
        if type(value) in BUILTIN_CONTAINERS:
            return [["inst", BUILTIN_CONTAINERS[type(value)], name]]
        if isinstance(value, ast.Constant):
            return [["inst", type(value.value).__name__, name]]
        path = dotted(node)
        if path is None:
            return [["attr", name, self.taint(value)]]
        root, *rest = path.split(".")
        if root == self.self_name or root in self.fresh:
            if len(rest) == 2 and root == self.self_name:
                return [["kept", rest[0], name]]
            return [["self", name]] if len(rest) == 1 else [["attr", name, [self.self_name or "?"]]]
        if root in self.aliases and not self.taints.get(root):
            return [["name", found] for found in self.paths(path)]
        if root in self.instances and len(rest) == 1 and "@" not in self.taints.get(root, ()):
            return [["inst", found, name] for made in self.instances[root] for found in self.paths(made)]
        if root in self.taints or root in self.local_functions:
            return [["attr", name, self.taint(value)]]
        return [["name", path]]

    def paths(self, path: str) -> list[str]:
        root, dot, rest = path.partition(".")
        if root in self.aliases and not self.taints.get(root):
            return [found + dot + rest for found in self.aliases[root]]
        return [path]

    def visit(self, n: ast.AST) -> None:
        if isinstance(n, ast.Call):
            self.call(n)
        elif isinstance(n, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete)):
            targets = n.targets if isinstance(n, (ast.Assign, ast.Delete)) else [n.target]
            for target in targets:
                for t in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
                    self.store(t, n.lineno)

    def store(self, target: ast.AST, line: int) -> None:
        """Notes stores into what outlives the call, or into what the caller gave."""
        if isinstance(target, ast.Name):
            if target.id in self.globals:
                self.flags.append(["global", target.id, line])
            return
        if not isinstance(target, (ast.Attribute, ast.Subscript)):
            return
        inside = target.value
        chain = [target.attr] if isinstance(target, ast.Attribute) else []
        while isinstance(inside, (ast.Attribute, ast.Subscript)):
            if isinstance(inside, ast.Attribute):
                chain.append(inside.attr)
            inside = inside.value
        if {"__class__", "__globals__", "__code__"} & set(chain):
            self.flags.append(["class", ".".join(reversed(chain)), line])
        elif isinstance(inside, ast.Name):
            root = inside.id
            if root == self.self_name or root in self.fresh:
                return
            # A local name for something of the module's is that thing, whatever else is stored into it.
            outlives = root in self.aliases or root in self.module_names and root not in self.taints
            if outlives or "@" in self.taints.get(root, ()):
                self.flags.append(["global", root, line])
            elif self.taints.get(root) and isinstance(target, ast.Attribute):
                self.flags.append(["param", root, line])

    def call(self, n: ast.Call) -> None:
        positional, star = [], None
        for a in n.args:
            if isinstance(a, ast.Starred):
                star = sorted({*(star or []), *self.taint(a.value)})
            elif star is None:
                positional.append(self.taint(a))
            else:
                star = sorted({*star, *self.taint(a)})
        keywords, constants = {}, {}
        for k in n.keywords:
            if k.arg is None:
                star = sorted({*(star or []), *self.taint(k.value)})
            else:
                keywords[k.arg] = self.taint(k.value)
                if found := constant(k.value):
                    constants[k.arg] = found[0]
        for index, a in enumerate(n.args[:4]):
            if found := constant(a):
                constants[str(index)] = found[0]
        references = []
        for a in [*n.args, *(k.value for k in n.keywords)]:
            if isinstance(a, (ast.Name, ast.Attribute)) and dotted(a) != self.self_name:
                references += [c for c in self.callee(a) if c[0] in ("name", "self")]
        for callee in self.callee(n.func):
            if callee[0] == "name" and (alias := self.mutated(n.func)):
                self.flags.append(["global", alias, n.lineno])
            self.calls.append([callee, positional, keywords, star, constants, n.lineno])
        for callee in references:
            self.calls.append([["ref", callee], [], {}, None, {}, n.lineno])

    def mutated(self, node: ast.AST) -> str | None:
        """The module's object that a call of one of its mutating methods changes."""
        if isinstance(node, ast.Attribute) and node.attr in MUTATORS:
            path = dotted(node.value)
            if path and path.split(".")[0] in self.module_names:
                return path
        return None

    def summary(self, node) -> dict:
        return {
            "params": self.params,
            "vararg": self.vararg,
            "kwarg": self.kwarg,
            "self": self.self_name,
            "calls": self.calls,
            "flags": self.flags,
            "kept": self.kept,
            "decorators": [dotted(d.func if isinstance(d, ast.Call) else d) or "?" for d in getattr(node, "decorator_list", [])],
            "line": getattr(node, "lineno", 1),
        }


MUTATORS = {"append", "extend", "insert", "add", "update", "setdefault", "pop", "popitem", "remove", "clear", "discard", "appendleft", "extendleft", "register", "__setitem__"}


def walk_local(node: ast.AST):
    """Like `ast.walk`, without annotations: they run nothing that a caller could steer."""
    todo = [node]
    while todo:
        n = todo.pop()
        yield n
        for field, value in ast.iter_fields(n):
            if field in ("annotation", "returns", "type_params"):
                continue
            if isinstance(value, ast.AST):
                todo.append(value)
            elif isinstance(value, list):
                todo.extend(v for v in value if isinstance(v, ast.AST))


class Module:
    """Collects the bindings of a module's namespace."""

    def __init__(self, tree: ast.Module, name: str, is_package: bool):
        self.name, self.is_package = name, is_package
        self.bindings: dict[str, list[list]] = {}
        self.stars: list[str] = []
        self.functions: dict[str, dict] = {}
        self.classes: dict[str, dict] = {}
        self.names = top_level_names(tree)
        self.top: list[ast.stmt] = []
        self.body(tree.body, "")
        module_body = ast.Module(body=self.top, type_ignores=[])
        self.functions["<module>"] = Function(module_body, name, is_package, False, set()).summary(module_body)

    def bind(self, prefix: str, name: str, binding: list) -> None:
        if prefix:
            self.classes[prefix]["attributes"].setdefault(name, []).append(binding)
        elif binding not in self.bindings.setdefault(name, []):
            self.bindings[name].append(binding)

    def body(self, statements: list[ast.stmt], prefix: str) -> None:
        for s in statements:
            if isinstance(s, FUNCTIONS):
                self.function(s, prefix)
            elif isinstance(s, ast.ClassDef):
                self.klass(s, prefix)
            elif isinstance(s, ast.Import):
                for a in s.names:
                    top = a.name.split(".")[0]
                    self.bind(prefix, a.asname or top, ["module", a.name if a.asname else top])
            elif isinstance(s, ast.ImportFrom):
                base = absolute(self.name, self.is_package, s.level, s.module)
                for a in s.names:
                    if a.name == "*":
                        self.stars.append(base)
                    else:
                        self.bind(prefix, a.asname or a.name, ["from", base, a.name])
            elif isinstance(s, (ast.If, ast.Try, ast.With, ast.For, ast.While)) or s.__class__.__name__ == "TryStar":
                self.top += [s] if not prefix else []
                for field in ("body", "orelse", "finalbody"):
                    self.body(getattr(s, field, []), prefix)
                for handler in getattr(s, "handlers", []):
                    self.body(handler.body, prefix)
            else:
                self.assignment(s, prefix)
                self.top += [s] if not prefix else []

    def assignment(self, s: ast.stmt, prefix: str) -> None:
        if isinstance(s, ast.Assign):
            targets, value = s.targets, s.value
        elif isinstance(s, ast.AnnAssign) and s.value is not None:
            targets, value = [s.target], s.value
        else:
            return
        for target in targets:
            if isinstance(target, ast.Name):
                self.bind(prefix, target.id, self.value(value))
            elif isinstance(target, (ast.Tuple, ast.List)):
                for element in target.elts:
                    if isinstance(element, ast.Name):
                        self.bind(prefix, element.id, ["value"])

    def value(self, node: ast.AST) -> list:
        if path := dotted(node):
            return ["alias", path]
        if isinstance(node, ast.Call) and (path := dotted(node.func)):
            inner = [p for a in node.args if (p := dotted(a))]
            return ["made", path, inner]
        if isinstance(node, ast.Lambda):
            return ["opaque"]
        if isinstance(node, (ast.IfExp, ast.BoolOp, ast.Call, ast.Subscript)):
            return ["opaque"]
        return ["value"]

    def function(self, s, prefix: str) -> None:
        name = f"{prefix}.{s.name}" if prefix else s.name
        found = Function(s, self.name, self.is_package, bool(prefix), self.names).summary(s)
        decorators = found["decorators"]
        part = next((d.rpartition(".")[2] for d in decorators if d.endswith((".setter", ".deleter"))), None)
        if part:
            # A property's setter shares the name of its getter.
            name = f"{name}:{part}"
        while name in self.functions:
            name += "'"
        self.functions[name] = found
        if prefix:
            kind = "property" if any(d.rpartition(".")[2] in PROPERTIES for d in decorators) else "method"
            self.classes[prefix]["methods"].setdefault(s.name, []).append([part or kind, name])
            self.classes[prefix]["kept"] += [kept for kept in found.pop("kept") if kept not in self.classes[prefix]["kept"]]
        else:
            self.bind("", s.name, ["function", name])

    def klass(self, s: ast.ClassDef, prefix: str) -> None:
        name = f"{prefix}.{s.name}" if prefix else s.name
        if name in self.classes:
            # Defined twice, as under `try` and `except`: what either does counts.
            found = self.classes[name]
        else:
            found = self.classes[name] = {"bases": [], "metaclass": None, "methods": {}, "attributes": {}, "decorators": [], "kept": [], "line": s.lineno}
        for base in s.bases:
            inner = base.value if isinstance(base, ast.Subscript) else base
            for path in self.base(inner, found):
                if path not in found["bases"]:
                    found["bases"].append(path)
        for keyword in s.keywords:
            if keyword.arg == "metaclass":
                found["metaclass"] = dotted(keyword.value) or "?"
        found["decorators"] += [dotted(d.func if isinstance(d, ast.Call) else d) or "?" for d in s.decorator_list]
        self.bind(prefix, s.name, ["class", name])
        self.body(s.body, name)

    def base(self, node: ast.AST, found: dict) -> list[str]:
        """The paths that a base class is named by; `()` behind one that a call makes."""
        if not isinstance(node, ast.Call):
            return [dotted(node) or "?"]
        maker = dotted(node.func) or "?"
        if maker.rpartition(".")[2] != "with_metaclass":
            return [maker + "()"]
        metaclass, *bases = node.args
        found["metaclass"] = dotted(metaclass) or "?"
        return [dotted(base) or "?" for base in bases]

    def summary(self) -> dict:
        return {"name": self.name, "package": self.is_package, "bindings": self.bindings, "stars": self.stars, "functions": self.functions, "classes": self.classes}


PROPERTIES = {"property", "cached_property", "cache_readonly", "deprecate_nonkeyword_property", "available_if", "lazyproperty", "abstractproperty"}


def top_level_names(tree: ast.Module) -> set[str]:
    """Names that the module's own code binds to objects, not to modules."""
    names = set()
    for s in tree.body:
        for n in ast.walk(s) if isinstance(s, (ast.If, ast.Try)) else [s]:
            if isinstance(n, ast.Assign):
                names.update(t.id for t in n.targets if isinstance(t, ast.Name))
            elif isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name):
                names.add(n.target.id)
            elif isinstance(n, ast.ClassDef):
                names.add(n.name)
    return names


def summarise(text: bytes, name: str, is_package: bool) -> dict:
    """The summary of a module; raises SyntaxError or ValueError where it can't be parsed."""
    return Module(ast.parse(text), name, is_package).summary()
