"""Compares `pickleproof dis --json` with `pickletools` on every sample.

Usage: check_dis.py [PICKLEPROOF [FOLDER]]

Offsets, names and arguments have to agree wherever `pickletools.dis` accepts the bytes; and where it
does not, the instructions that `genops` gives before it raises. pickletools executes nothing.
"""

import io
import json
import pathlib
import pickletools
import struct
import subprocess
import sys

SAFE = 2**53 - 1


def argument(opcode, arg):
    """An argument in the JSON form."""
    if arg is None:
        return None
    if isinstance(arg, bool):
        return {"type": "bool", "value": arg}
    if isinstance(arg, int):
        return {"type": "int", "value": arg if abs(arg) <= SAFE else hex(arg)}
    if isinstance(arg, float):
        return {"type": "float", "value": arg.hex()}
    if isinstance(arg, (bytes, bytearray)):
        return {"type": type(arg).__name__, "value": arg.hex()}
    if opcode.name in ("GLOBAL", "INST"):
        return {"type": "global", "value": arg}
    return {"type": "str", "value": arg.encode("utf-8", "surrogatepass").hex()}


def listed(operand):
    """An operand of the listing, in the same form."""
    if operand is None or operand["type"] in ("bool", "int", "bytes", "bytearray"):
        return operand
    kind = operand["type"]
    if kind == "float":
        bits = int(operand["bits"], 16).to_bytes(8, "big")
        return {"type": kind, "value": struct.unpack(">d", bits)[0].hex()}
    if kind == "global":
        return {"type": kind, "value": f"{operand['module']} {operand['name']}"}
    if kind == "str":
        text = operand.get("utf8") or operand["value"].encode().hex()
        return {"type": kind, "value": text}
    return operand


def expected(data, start):
    """What pickletools gives from `start` on, whether `dis` accepts it, and whether genops does."""
    ops, complete = [], True
    try:
        for opcode, arg, pos in pickletools.genops(data[start:]):
            ops.append([start + pos, opcode.name, argument(opcode, arg)])
    except Exception:
        complete = False
    try:
        pickletools.dis(data[start:], out=io.StringIO())
        accepted = True
    except Exception:
        accepted = False
    return ops, accepted, complete


def found(binary, path, offset):
    """What the binary lists, and the opcodes' bytes are checked on the way."""
    command = [binary, "dis", "--json", "--offset", str(offset), str(path)]
    run = subprocess.run(command, stdout=subprocess.PIPE, check=True, env={})
    ops = []
    for line in run.stdout.decode().split("\n"):
        record = json.loads(line) if line else {}
        if record.get("type") != "instruction":
            continue
        assert pickletools.code2op[chr(record["code"])].name == record["opcode"], record
        # What two loaders run stands there twice.
        if not ops or ops[-1][0] != record["offset"]:
            ops.append([record["offset"], record["opcode"], listed(record["operand"])])
    return ops


def main(binary="target/release/pickleproof", folder="corpus/samples"):
    compared = accepted_streams = instructions = wrong = 0
    files = sorted(path for path in pathlib.Path(folder).rglob("*") if path.is_file())
    files = [path for path in files if path.suffix != ".pkasm" and path.stat().st_size]
    for path in files:
        data = path.read_bytes()
        start = 0
        while True:
            want, accepted, complete = expected(data, start)
            got = found(binary, path, start)
            # Where genops raises, what it gave up to there has to be listed too.
            same = got == want if complete else got[: len(want)] == want
            compared += 1
            accepted_streams += accepted
            instructions += len(want)
            if not same:
                wrong += 1
                pairs = (pair for pair in zip(want, got) if pair[0] != pair[1])
                ours, theirs = next(pairs, (want[len(got) :], got[len(want) :]))
                print(f"{path} at {start}: pickletools {ours}, pickleproof {theirs}")
            if not complete or not want:
                break
            start = want[-1][0] + 1
            if start >= len(data):
                break
    print(
        f"{compared} streams in {len(files)} files, {instructions} instructions, "
        f"{accepted_streams} accepted by pickletools.dis of Python {sys.version.split()[0]}: {wrong} differ"
    )
    if not accepted_streams or wrong:
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
