#!/usr/bin/env node
// An "interpreter" for the oracle's client where there is no native build of a release: CPython as
// WebAssembly, from the npm package pyodide. `scripts/setup pyodide` installs it, with a command
// `python` that begins with
//   node scripts/pyodide.mjs FOLDER-OF-PYODIDE
// and takes what the client gives to a native Python: `-I .../oracle.py --serve`. It answers batches as
// oracle.py describes them, without a supervisor: where it dies the client starts another. Its ints for
// sizes have 32 bits, which the hello tells.
import { readFileSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, ...rest] = process.argv.slice(2);
const script = rest.find((argument) => argument.endsWith(".py"));
const { loadPyodide } = await import(pathToFileURL(resolve(join(folder, "pyodide.mjs"))));
const python = await loadPyodide({ stdout: () => {}, stderr: () => {} });
python.FS.writeFile("/oracle.py", readFileSync(script));
const oracle = python.runPython(`
import gc, sys, warnings
sys.path.insert(0, "/")
import oracle
warnings.simplefilter("ignore")
gc.collect()
gc.freeze()
gc.disable()

def ask(question):
    body = oracle.answer(question.to_bytes())
    gc.collect()
    return body

(oracle.hello(), ask)
`);
const [hello, ask] = oracle;

function send(body) {
  const frame = Buffer.alloc(4 + body.length);
  frame.writeUInt32LE(body.length);
  frame.set(body, 4);
  for (let at = 0; at < frame.length; ) {
    try {
      at += writeSync(1, frame, at);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

function bytes(proxy) {
  const data = proxy.toJs();
  proxy.destroy();
  return data;
}

send(bytes(hello));
let waiting = Buffer.alloc(0);
for await (const chunk of process.stdin) {
  waiting = Buffer.concat([waiting, chunk]);
  while (waiting.length >= 4 && waiting.length >= 4 + waiting.readUInt32LE()) {
    const end = 4 + waiting.readUInt32LE();
    const question = new Uint8Array(waiting.subarray(4, end));
    waiting = waiting.subarray(end);
    send(bytes(ask(question)));
  }
}
