#!/usr/bin/env python3
"""What CPython makes of pickles, asked without loading them.

The unpicklers of the interpreter that runs this file, `_pickle.Unpickler` and
`pickle._Unpickler`, run with a `find_class` that gives an inert class of its own and a
`persistent_load` that gives an inert object: whatever a stream names is recorded, never imported,
and what it calls is a stub. There is no way from here to the real `find_class`. `pickletools` runs
nothing anyway. Only the standard library is used; CPython 3.8 to 3.15.

    scripts/oracle.py FILE...         one line of JSON for each file
    scripts/oracle.py --serve         answers batches on standard input, as below

Options: `--impl LIST` of c, py, cf, cb, genops, dis (for files; default all of them), `--memory MIB`
of address space (default 1024), `--timeout SECONDS` for a stream (default 10).

Implementations: `c` is `_pickle` with the semantics of `loads`, `cf` the same from a file without
`peek`, `cb` from a buffered file; `py` is `pickle.py`; `genops` and `dis` are those of pickletools.

Batches. Every number is 4 bytes, little endian. The first answer, before any question, is a hello:
`[n][JSON]` with `version`, `impls` and the `bits` of a size. A question is `[n][body]`, the body `[n][JSON header]` and
`[n][stream]` as often as the header's `streams` says. Other keys of the header: `impls`;
`options`, which hold for all streams of the batch: `encoding`, `errors`, `buffers` (a list of
`{"t": "bytes" or "bytearray", "hex"}`), `ext` (`{code: [module, name]}`, registered with copyreg),
`persid` (false: no `persistent_load`), `loads` (how often `load` is called; the last result counts),
`bufsize` (for cb); `arguments` (true: the operands of genops too); `messages` (true: of errors too).
An answer is `[n][body]`, the body `[n][JSON]` for each stream and in it for each implementation.

A result is `{"end", "heap", "log", "ok", "root"}` or `{"err", "heap", "log", "ok"}`. Keys are in
alphabetical order and there is no blank, so that who makes the same form compares bytes. Values:
null, true, false, text and small integers are themselves; {"i": hex}, {"f": bits}, {"b": hex},
{"u": hex of UTF-8 with surrogates}, {"t": []}, {"fs": []}; {"o": n} is the global or object born in
event n of the log, {"r": n} a node of the heap. Nodes are numbered when they are first mentioned:
the result, the log, then each node's children.

Modules whose name begins with P_ give stubs that lack some of what a stub supports: see `make_stub`.

Each question is answered by a child process under limits of memory and recursion. Where it dies or
takes too long it is replaced, the batch is asked again one stream and one implementation at a time,
and who is guilty gets the error CRASH(status) or TIMEOUT.

Streams a second of one core's time, for 10,000 generated and mutated streams of 123 bytes on average,
as 3.11.7 on a server of 2026 does them: c 23,000, cf 23,000, cb 22,000, py 14,000, genops with operands
37,000, dis 18,000; c, py and genops together 6,700, all six 3,300. 3.8 and 3.13 are a fifth slower. The
machine's side takes 70 microseconds for the six. `scripts/differential` does 5,000,000 streams with c, py and
genops in a quarter of an hour on two idle cores.
"""

import copyreg
import gc
import io
import json
import os
import pickle
import pickletools
import struct
import sys
import warnings

try:
    import _pickle
except ImportError:
    _pickle = None

UNPICKLERS = ("c", "cf", "cb", "py") if _pickle else ("py",)
IMPLEMENTATIONS = UNPICKLERS + ("genops", "dis")
SAFE_INTEGER = (1 << 53) - 1
BUFFER_SIZE = 8192
RECURSION_LIMIT = 1000
COLLECT_EVERY = 1000

# --------------------------------------------------------------------------------------- the stubs


class Run:
    """What one run did: its log, and which object was born in which event."""

    __slots__ = ("log", "born", "kept", "globals")

    def __init__(self):
        self.log = []
        self.born = {}
        self.kept = []  # every stub stays alive, so that its id stays its own
        self.globals = {}

    def event(self, *event):
        self.log.append(event)
        return len(self.log) - 1

    def birth(self, stub, *event):
        self.log.append(event)
        self.born[id(stub)] = len(self.log) - 1
        self.kept.append(stub)
        return stub


RUN = None


class Method:
    """A method that records. On a class it acts on the class: BUILD works on globals too."""

    def __init__(self, kind):
        self.kind = kind

    def __get__(self, instance, owner):
        target = owner if instance is None else instance
        kind = self.kind
        if kind == "extend":
            return lambda items: RUN.log.append(("append", target, list(items)))
        if kind == "append":
            return lambda item: RUN.log.append(("append", target, [item]))
        return lambda argument: RUN.log.append((kind, target, argument))


def called(target, arguments):
    return RUN.birth(object.__new__(Stub), "call", target, arguments)


def new(cls, arguments, keywords):
    if not isinstance(cls, type):
        raise TypeError("__new__(X): X is not a type object")
    return RUN.birth(object.__new__(cls), "new", cls, arguments, keywords)


class StubType(type):
    def __call__(cls, *arguments, **keywords):
        return called(cls, arguments)

    def __setitem__(cls, key, value):
        RUN.log.append(("setitem", cls, key, value))


class Stub(metaclass=StubType):
    """Accepts every operation and records it. Globals are subclasses of it."""

    __slots__ = ()

    def __new__(cls, *arguments, **keywords):
        return new(cls, arguments, keywords)

    def __call__(self, *arguments, **keywords):
        return called(self, arguments)

    def __setitem__(self, key, value):
        RUN.log.append(("setitem", self, key, value))

    __setstate__ = Method("build")
    extend = Method("extend")
    append = Method("append")
    add = Method("add")


class Function:
    """Of module P_func: can be called, and is no class."""

    __slots__ = ()

    def __call__(self, *arguments, **keywords):
        return called(self, arguments)


class BareType(type):
    def __call__(cls, *arguments, **keywords):
        return RUN.birth(object.__new__(cls), "call", cls, arguments)


class Bare(metaclass=BareType):
    """Of module P_bare: can be called, has no other method, and no `__dict__`."""

    __slots__ = ()

    def __new__(cls, *arguments, **keywords):
        return new(cls, arguments, keywords)

    def __call__(self, *arguments, **keywords):
        return called(self, arguments)


class Appending(Bare):
    """Of module P_append: has `append`, and no `extend`."""

    __slots__ = ()
    append = Method("append")


class Attributes(dict):
    """The `__dict__` of a plain object: records what is stored."""

    __slots__ = ("owner",)

    def __setitem__(self, key, value):
        hash(key)
        RUN.log.append(("dictset", self.owner, key, value))


class Plain(Bare):
    """Of module P_plain: no `__setstate__`, but a `__dict__` and attributes."""

    __slots__ = ()

    @property
    def __dict__(self):
        attributes = Attributes()
        attributes.owner = self
        return attributes

    def __setattr__(self, key, value):
        RUN.log.append(("setattr", self, key, value))


def make_stub(module):
    if module == "P_func":
        return Function()
    if module == "P_bare":
        return BareType("Global", (Bare,), {"__slots__": ()})
    if module == "P_append":
        return BareType("Global", (Appending,), {"__slots__": ()})
    if module == "P_plain":
        return BareType("Global", (Plain,), {"__slots__": ()})
    if module == "P_initargs":
        return StubType("Global", (Stub,), {"__slots__": (), "__getinitargs__": None})
    return StubType("Global", (Stub,), {"__slots__": ()})


CLASSES = {}


def find_class(module, name):
    run = RUN
    key = (module, name)
    stub = run.globals.get(key)
    if stub is not None:
        run.log.append(("global", module, name))
        return stub
    if module == "P_attrerr" or module == "P_noimport":
        run.log.append(("global", module, name))
        raise AttributeError(name) if module == "P_attrerr" else ModuleNotFoundError(module)
    stub = CLASSES.get(key)
    if stub is None:
        stub = make_stub(module)
        # Only what a stream can't change serves other streams as well.
        if not module.startswith("P_"):
            if len(CLASSES) > 20000:
                CLASSES.clear()
            CLASSES[key] = stub
    run.globals[key] = stub
    return run.birth(stub, "global", module, name)


def persistent_load(identifier):
    return RUN.birth(object.__new__(Stub), "persid", identifier)


def stubbed(base):
    """The unpickler without and with a `persistent_load`."""

    class Unpickler(base):
        def find_class(self, module, name):
            return find_class(module, name)

    class PersistentUnpickler(Unpickler):
        def persistent_load(self, identifier):
            return persistent_load(identifier)

    return Unpickler, PersistentUnpickler


PYTHON_UNPICKLERS = stubbed(pickle._Unpickler)
C_UNPICKLERS = stubbed(_pickle.Unpickler) if _pickle else None


class PeekAll:
    """A file whose `peek` shows everything: from it `_pickle` reads as `loads` does, and it tells
    how much was consumed."""

    def __init__(self, data):
        self.data = data
        self.position = 0

    def peek(self, _):
        return self.data[self.position:]

    def read(self, size=-1):
        start = self.position
        data = self.data[start:start + size] if size >= 0 else self.data[start:]
        self.position = start + len(data)
        return data

    def readinto(self, buffer):
        if not len(buffer):
            # Asked for no bytes, `_pickle` looks for a file where its buffer is empty. `loads` has none.
            raise pickle.UnpicklingError("pickle data was truncated")
        data = self.read(len(buffer))
        buffer[:len(data)] = data
        return len(data)

    def readline(self):
        start = self.position
        end = self.data.find(b"\n", start) + 1
        self.position = end or len(self.data)
        return self.data[start:self.position]

    def tell(self):
        return self.position


# ------------------------------------------------------------------------------ the canonical form


def atom_key(item, born):
    if item is None:
        return "N"
    kind = type(item)
    if kind is bool:
        return "T" if item else "F"
    if kind is int:
        return "i" + hex(item)
    if kind is float:
        return "f" + struct.pack(">d", item).hex()
    if kind is str:
        return "s" + item.encode("utf-8", "surrogatepass").hex()
    if kind is bytes:
        return "b" + item.hex()
    number = born.get(id(item))
    if number is not None:
        return "#%08d" % number
    return "x" + kind.__name__


def set_key(item, born):
    """ASCII text that puts the members of a set in order; without recursion."""
    nests = (tuple, frozenset)
    if type(item) not in nests:
        return atom_key(item, born)
    done = {}
    todo = [(item, False)]
    while todo:
        part, entered = todo.pop()
        if entered:
            keys = [done[id(x)] if type(x) in nests else atom_key(x, born) for x in part]
            if type(part) is tuple:
                done[id(part)] = "(" + ",".join(keys) + ")"
            else:
                done[id(part)] = "{" + ",".join(sorted(keys)) + "}"
        elif id(part) not in done:
            todo.append((part, True))
            todo.extend((x, False) for x in part if type(x) in nests)
    return done[id(item)]


def itself(item):
    return item


def integer(item):
    return item if -SAFE_INTEGER <= item <= SAFE_INTEGER else {"i": hex(item)}


def text(item):
    if item.isascii():
        return item
    try:
        item.encode()
        return item
    except UnicodeEncodeError:
        return {"u": item.encode("utf-8", "surrogatepass").hex()}


ATOMS = {
    type(None): itself,
    bool: itself,
    int: integer,
    str: text,
    float: lambda item: {"f": struct.pack(">d", item).hex()},
    bytes: lambda item: {"b": item.hex()},
}


def canonical(run, result, has_result):
    """`(heap, log, root)` of a run."""
    born = run.born
    nodes = []
    numbers = {}

    def value(item):
        kind = type(item)
        atom = ATOMS.get(kind)
        if atom is not None:
            return atom(item)
        number = born.get(id(item))
        if number is not None:
            return {"o": number}
        if kind is tuple:
            if not item:
                return {"t": []}
        elif kind is frozenset:
            if not item:
                return {"fs": []}
        elif kind not in (list, dict, set, bytearray, memoryview):
            return {"x": kind.__name__}
        number = numbers.get(id(item))
        if number is None:
            number = numbers[id(item)] = len(nodes)
            nodes.append(item)
        return {"r": number}

    root = value(result) if has_result else None
    log = []
    for event in run.log:
        kind = event[0]
        if kind == "call" or kind == "append":
            log.append([kind, value(event[1]), [value(x) for x in event[2]]])
        elif kind == "new":
            callable_, arguments = value(event[1]), [value(x) for x in event[2]]
            keywords = [[value(k), value(v)] for k, v in event[3].items()]
            log.append([kind, callable_, arguments, keywords])
        else:
            log.append([kind] + [value(x) for x in event[1:]])
    heap = []
    for node in nodes:  # grows while it is walked
        kind = type(node)
        if kind is list or kind is tuple:
            heap.append({"k": kind.__name__, "v": [value(x) for x in node]})
        elif kind is dict:
            heap.append({"k": "dict", "v": [[value(k), value(v)] for k, v in node.items()]})
        elif kind is set or kind is frozenset:
            members = sorted(node, key=lambda x: set_key(x, born)) if len(node) > 1 else node
            heap.append({"k": kind.__name__, "v": [value(x) for x in members]})
        elif kind is bytearray:
            heap.append({"k": "bytearray", "v": node.hex()})
        else:
            heap.append({"base": value(node.obj), "k": "memoryview", "ro": node.readonly})
    return heap, log, root


def operand(argument):
    """An operand as genops gives it."""
    if type(argument) is bytearray:
        return {"ba": argument.hex()}
    return ATOMS[type(argument)](argument)


# --------------------------------------------------------------------------------- running streams


def class_name(error):
    return "struct.error" if type(error) is struct.error else type(error).__name__


def message(error):
    return str(error).encode("utf-8", "backslashreplace").decode()[:160]


class Environment:
    """What the options of a batch give to its streams."""

    def __init__(self, header):
        options = header.get("options") or {}
        self.keywords = {k: options[k] for k in ("encoding", "errors") if k in options}
        self.buffers = options.get("buffers")
        self.persistent = 1 if options.get("persid", True) else 0
        self.loads = options.get("loads", 1)
        self.buffer_size = options.get("bufsize", BUFFER_SIZE)
        self.extensions = [(m, n, int(code)) for code, (m, n) in options.get("ext", {}).items()]
        self.arguments = header.get("arguments", False)
        self.messages = header.get("messages", False)

    def __enter__(self):
        for extension in self.extensions:
            copyreg.add_extension(*extension)
        return self

    def __exit__(self, *_):
        copyreg.clear_extension_cache()
        for extension in self.extensions:
            copyreg.remove_extension(*extension)

    def unpickler(self, implementation, data):
        keywords = self.keywords
        if self.buffers is not None:
            made = [
                bytes.fromhex(b["hex"]) if b["t"] == "bytes" else bytearray.fromhex(b["hex"])
                for b in self.buffers
            ]
            keywords = dict(keywords, buffers=made)
        if implementation == "c":
            file = PeekAll(data)
        elif implementation == "cb":
            file = io.BufferedReader(io.BytesIO(data), self.buffer_size)
        else:
            file = io.BytesIO(data)
        unpicklers = PYTHON_UNPICKLERS if implementation == "py" else C_UNPICKLERS
        return file, unpicklers[self.persistent](file, **keywords)

    def load(self, implementation, data):
        global RUN
        RUN = run = Run()
        if self.extensions:
            copyreg.clear_extension_cache()
        result = failure = None
        try:
            file, unpickler = self.unpickler(implementation, data)
            for _ in range(self.loads):
                result = unpickler.load()
        except Exception as error:
            # Not the error itself: its traceback would keep this frame in a cycle.
            failure = class_name(error)
            said = message(error) if self.messages else ""
        heap, log, root = canonical(run, result, failure is None)
        answer = {"err": failure} if failure else {"end": file.tell()}
        if heap:
            answer["heap"] = heap
        if log:
            answer["log"] = log
        if failure and self.messages:
            answer["msg"] = said
        answer["ok"] = failure is None
        if failure is None:
            answer["root"] = root
        return answer

    def genops(self, data):
        operations = []
        answer = {}
        try:
            if self.arguments:
                for opcode, argument, position in pickletools.genops(data):
                    operations.append([position, opcode.name, operand(argument)])
            else:
                for opcode, argument, position in pickletools.genops(data):
                    operations.append([position, opcode.name])
            answer["end"] = operations[-1][0] + 1
            answer["ok"] = True
        except Exception as error:
            answer["err"] = class_name(error)
            if self.messages:
                answer["msg"] = message(error)
            answer["ok"] = False
        answer["ops"] = operations
        return answer

    def dis(self, data):
        try:
            pickletools.dis(data, out=NOWHERE)
            return {"ok": True}
        except Exception as error:
            answer = {"err": class_name(error)}
            if self.messages:
                answer["msg"] = message(error)
            answer["ok"] = False
            return answer

    def run(self, implementation, data):
        if implementation == "genops":
            return self.genops(data)
        if implementation == "dis":
            return self.dis(data)
        return self.load(implementation, data)


class Nowhere(io.TextIOBase):
    def write(self, text):
        return len(text)


NOWHERE = Nowhere()

encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


# ------------------------------------------------------------------------------------- the batches


def framed(data):
    return struct.pack("<I", len(data)) + data


def unpack(body):
    """Header and streams of a question."""
    size = int.from_bytes(body[:4], "little")
    header = json.loads(body[4:4 + size].decode())
    at = 4 + size
    streams = []
    for _ in range(header["streams"]):
        size = int.from_bytes(body[at:at + 4], "little")
        at += 4
        streams.append(body[at:at + size])
        at += size
    return header, streams


def pack(header, streams):
    head = dict(header, streams=len(streams))
    return framed(encode(head).encode()) + b"".join(map(framed, streams))


def answer(body):
    """The answer to a question, in this process: no limits and nobody to replace it."""
    header, streams = unpack(body)
    parts = []
    with Environment(header) as environment:
        for stream in streams:
            for implementation in header["impls"]:
                result = encode(environment.run(implementation, stream)).encode()
                parts.append(struct.pack("<I", len(result)))
                parts.append(result)
    return b"".join(parts)


def hello():
    bits = sys.maxsize.bit_length() + 1
    version = list(sys.version_info[:3])
    return encode({"bits": bits, "impls": IMPLEMENTATIONS, "version": version}).encode()


# ----------------------------------------------------------------------------------- the processes


class Pipe:
    """Framed messages over two descriptors."""

    def __init__(self, source, sink):
        self.source, self.sink = source, sink

    def send(self, body):
        data = memoryview(framed(body))
        while data:
            data = data[os.write(self.sink, data):]

    def receive(self, timeout=None):
        """A message; `None` at the end of input, TimeoutError if it takes too long."""
        import time

        deadline = None if timeout is None else time.monotonic() + timeout
        head = self._read(4, deadline)
        return head and self._read(int.from_bytes(head, "little"), deadline)

    def _read(self, size, deadline):
        import select
        import time

        parts = []
        while size:
            if deadline is not None:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([self.source], [], [], left)[0]:
                    raise TimeoutError
            data = os.read(self.source, min(size, 1 << 20))
            if not data:
                return None
            parts.append(data)
            size -= len(data)
        return b"".join(parts)


def work(pipe, memory, timeout):
    """The child's life."""
    import resource
    import signal

    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory << 20, memory << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.setrecursionlimit(RECURSION_LIMIT)
    gc.disable()
    answered = 0
    while True:
        question = pipe.receive()
        if question is None:
            return
        streams = unpack(question)[0]["streams"]
        # Nobody is left to end a child that hangs when its parent is gone.
        signal.alarm(int(2 * timeout + streams) + 1)
        pipe.send(answer(question))
        signal.alarm(0)
        answered += streams
        if answered >= COLLECT_EVERY:
            answered = 0
            gc.collect()


class Supervisor:
    """Asks a child, and replaces it when it dies or hangs."""

    def __init__(self, memory, timeout):
        self.memory, self.timeout = memory, timeout
        self.child = self.pipe = None

    def start(self):
        question, answer_ = os.pipe(), os.pipe()
        self.child = os.fork()
        if self.child == 0:
            status = 1
            try:
                os.close(question[1])
                os.close(answer_[0])
                # CPython itself writes to standard error where an allocation fails.
                nowhere = os.open(os.devnull, os.O_RDWR)
                for descriptor in (0, 1, 2):
                    os.dup2(nowhere, descriptor)
                work(Pipe(question[0], answer_[1]), self.memory, self.timeout)
                status = 0
            finally:
                os._exit(status)
        os.close(question[0])
        os.close(answer_[1])
        self.pipe = Pipe(answer_[0], question[1])

    def stop(self):
        """Ends the child, and tells how it ended."""
        if self.child is None:
            return 0
        os.close(self.pipe.sink)
        os.close(self.pipe.source)
        try:
            os.kill(self.child, 9)
        except ProcessLookupError:
            pass
        status = os.waitpid(self.child, 0)[1]
        self.child = self.pipe = None
        return -(status & 0x7F) or status >> 8

    def attempt(self, question, timeout):
        """The answer, or the name of what went wrong."""
        if self.child is None:
            self.start()
        try:
            self.pipe.send(question)
            body = self.pipe.receive(timeout)
        except TimeoutError:
            self.stop()
            return None, "TIMEOUT"
        except BrokenPipeError:
            body = None
        if body is None:
            return None, "CRASH(%d)" % self.stop()
        return body, None

    def ask(self, question):
        header, streams = unpack(question)
        body, _ = self.attempt(question, self.timeout + 0.02 * len(streams))
        if body is not None:
            return body
        parts = []
        for stream in streams:
            for implementation in header["impls"]:
                one = pack(dict(header, impls=[implementation]), [stream])
                body, failure = self.attempt(one, self.timeout)
                if body is None:
                    body = framed(encode({"err": failure, "ok": False}).encode())
                parts.append(body)
        return b"".join(parts)


def serve(supervisor):
    pipe = Pipe(0, 1)
    pipe.send(hello())
    while True:
        question = pipe.receive()
        if question is None:
            return
        pipe.send(supervisor.ask(question))


def show(supervisor, paths, implementations):
    header = {"impls": implementations, "arguments": True, "messages": True}
    for path in paths:
        with open(path, "rb") as file:
            body = supervisor.ask(pack(header, [file.read()]))
        result = {"path": path}
        for implementation in implementations:
            size = int.from_bytes(body[:4], "little")
            result[implementation] = json.loads(body[4:4 + size].decode())
            body = body[4 + size:]
        print(encode(result))


def main():
    import argparse

    parser = argparse.ArgumentParser(description="What CPython makes of pickles, without loading them.")
    parser.add_argument("--serve", action="store_true", help="answer batches on standard input")
    parser.add_argument("--impl", default=",".join(IMPLEMENTATIONS), metavar="LIST")
    parser.add_argument("--memory", type=int, default=1024, metavar="MIB")
    parser.add_argument("--timeout", type=float, default=10.0, metavar="SECONDS")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    # What a child inherits need not be looked at by its collector.
    gc.collect()
    gc.freeze()
    supervisor = Supervisor(arguments.memory, arguments.timeout)
    try:
        if arguments.serve:
            serve(supervisor)
        else:
            show(supervisor, arguments.files, arguments.impl.split(","))
    except (BrokenPipeError, KeyboardInterrupt):
        pass
    finally:
        supervisor.stop()


if __name__ == "__main__":
    main()
