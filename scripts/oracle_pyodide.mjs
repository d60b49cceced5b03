// scripts/oracle.py --serve inside pyodide: a CPython of WebAssembly, for releases that have no
// package of their own. Messages are those of oracle.py. There is no child to replace: WebAssembly
// bounds memory, and who asks restarts what dies or hangs.
//
//   node oracle_pyodide.mjs FOLDER_OF_THE_NPM_PACKAGE
import { readFileSync, readSync, writeSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const folder = resolve(process.argv[2]);
const here = dirname(fileURLToPath(import.meta.url));
const { loadPyodide } = await import(pathToFileURL(join(folder, "pyodide.mjs")));
// Standard output is for answers only.
const quiet = { stdout: () => {}, stderr: () => {}, stdin: () => null };
const python = await loadPyodide({ indexURL: folder, ...quiet });
python.FS.writeFile("/home/pyodide/oracle.py", readFileSync(join(here, "oracle.py")));
const oracle = python.pyimport("oracle");
python.runPython("import gc, sys, warnings, oracle\n" +
  "warnings.simplefilter('ignore'); sys.setrecursionlimit(oracle.RECURSION_LIMIT); gc.disable()");
const answer = python.runPython("lambda question: oracle.answer(question.to_bytes())");
const collect = python.runPython("import gc; gc.collect");

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

function read(size) {
  const data = Buffer.alloc(size);
  for (let at = 0; at < size; ) {
    let got;
    try {
      got = readSync(0, data, at, size - at, null);
    } catch (error) {
      if (error.code === "EAGAIN") continue;
      if (error.code === "EOF") return null;
      throw error;
    }
    if (got === 0) return null;
    at += got;
  }
  return data;
}

function bytes(proxy) {
  const view = proxy.toJs();
  proxy.destroy();
  return view;
}

send(bytes(oracle.hello()));
for (let asked = 0; ; asked += 1) {
  const head = read(4);
  const question = head && read(head.readUInt32LE());
  if (question === null) break;
  send(bytes(answer(new Uint8Array(question))));
  if (asked % 8 === 7) collect();
}
process.exit(0);
