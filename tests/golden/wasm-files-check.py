"""Runs the .wasm files that tests/standalone/export-module.test.ts wrote, and compares their answers with those of the library.

NAME.wasm is beside NAME.json: { inputs: [numbers of all rows of an input, …], rows, outputs: [those of an output, …] }.
"""

import json
import pathlib
import struct
import sys

from wasmtime import Instance, Module, Store


def answers(path, rows, inputs, sizes):
    store = Store()
    exports = Instance(store, Module.from_file(store.engine, str(path)), []).exports(store)
    memory = exports["memory"]
    for i, numbers in enumerate(inputs):
        memory.write(store, struct.pack(f"<{len(numbers)}f", *numbers), exports["input"](store, i))
    exports["run"](store, rows)
    for i, size in enumerate(sizes):
        start = exports["output"](store, i)
        yield list(struct.unpack(f"<{size}f", memory.read(store, start, start + 4 * size)))


files = sorted(pathlib.Path(sys.argv[1]).glob("*.wasm"))
for path in files:
    case = json.loads(path.with_suffix(".json").read_text())
    expected = case["outputs"]
    found = list(answers(path, case["rows"], case["inputs"], [len(each) for each in expected]))
    assert found == expected, f"{path.name}: expected {expected}, received {found}"
assert files, "no files"
print(f"{len(files)} files give the same bits in wasmtime")
