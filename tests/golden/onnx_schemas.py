"""Writes onnx/schemas.json: the operators of opset 17, each with the numbers of inputs and outputs and the names of attributes.

Usage: python onnx_schemas.py (needs the package onnx)
"""

import json
from pathlib import Path

import onnx

OPSET = 17


def main():
    names = sorted({schema.name for schema in onnx.defs.get_all_schemas_with_history() if schema.domain == ""})
    schemas = {}
    for name in names:
        try:
            schema = onnx.defs.get_schema(name, OPSET)
        except onnx.defs.SchemaError:
            continue
        ends = [schema.min_input, schema.max_input, schema.min_output, schema.max_output]
        schemas[name] = [*ends, *sorted(schema.attributes)]
    lines = ",\n".join(f"{json.dumps(name)}:{json.dumps(schema, separators=(',', ':'))}" for name, schema in schemas.items())
    (Path(__file__).parent / "onnx" / "schemas.json").write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    main()
