"""The node tests of the package onnx as fixtures: python onnx_nodes.py

Needs onnx 1.19.1. Writes onnx/nodes-*.jsonl.gz, and onnx/left-out.json with the cases that are left out, by reason.
"""

import base64
import collections
import gzip
import json
import pathlib
import warnings

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

warnings.filterwarnings('ignore')
from onnx.backend.test.case.node import collect_testcases  # noqa: E402

HERE = pathlib.Path(__file__).parent / 'onnx'
# The elements of the tensors of a case, all together.
MOST_ELEMENTS = 1500
TYPES = {
    getattr(TensorProto, each)
    for each in ['FLOAT', 'INT32', 'INT64', 'BOOL', 'UINT8', 'INT8', 'INT16', 'UINT16', 'UINT32', 'UINT64']
}
OLDEST, NEWEST = 7, 23
# The length of the cases of one file.
BYTES_PER_FILE = 400_000

OPERATORS = set(json.loads((HERE / 'operators.json').read_text()))


def nodes_of(graph):
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from nodes_of(attribute.g)


def reason(case):
    """Why a case is left out, or None."""
    if case.kind != 'node':
        return 'not a node'
    missing = {node.op_type for node in nodes_of(case.model.graph) if node.op_type not in OPERATORS or node.domain}
    if missing:
        return 'an operator that is not available'
    if case.name == 'test_scan_sum':
        return 'Scan of version 8'
    values = [value for data in case.data_sets for part in data for value in part]
    if not all(isinstance(value, (np.ndarray, np.generic, TensorProto)) for value in values):
        return 'sequences and optional values'
    if not all(proto(value).data_type in TYPES for value in values):
        return 'float64, float16, bfloat16, 8-bit floats, 4-bit integers, strings'
    if 'training_dropout' in case.name and 'zero_ratio' not in case.name:
        return 'random numbers of another generator'
    if sum(np.prod(proto(value).dims) for value in values) > MOST_ELEMENTS:
        return 'large tensors'
    return None


def proto(value):
    return value if isinstance(value, TensorProto) else numpy_helper.from_array(np.asarray(value))


def tensor(value):
    return proto(value).SerializeToString()


def text(value):
    return base64.b64encode(value).decode()


def main():
    left_out = collections.defaultdict(list)
    kept = []
    names = set()
    for case in collect_testcases(None):
        if case.name in names:
            continue
        names.add(case.name)
        why = reason(case)
        if why is not None:
            left_out[why].append(case.name)
            continue
        model = onnx.ModelProto()
        model.CopyFrom(case.model)
        for each in model.opset_import:
            if each.domain == '':
                each.version = max(OLDEST, min(each.version, NEWEST))
        del model.graph.value_info[:]
        inputs, outputs = case.data_sets[0]
        kept.append(
            {
                'name': case.name,
                'model': text(model.SerializeToString()),
                'inputs': [text(tensor(each)) for each in inputs],
                'outputs': [text(tensor(each)) for each in outputs],
                'rtol': case.rtol,
                'atol': case.atol,
            }
        )
    files = [[]]
    for line in map(json.dumps, kept):
        if sum(map(len, files[-1])) + len(line) > BYTES_PER_FILE:
            files.append([])
        files[-1].append(line)
    for i, lines in enumerate(files):
        (HERE / f'nodes-{i}.jsonl.gz').write_bytes(gzip.compress('\n'.join(lines).encode(), 9, mtime=0))
    print(len(kept))
    (HERE / 'left-out.json').write_text(
        json.dumps({why: {'count': len(found), 'cases': sorted(found)} for why, found in left_out.items()}, indent=1) + '\n'
    )
    print({why: len(found) for why, found in left_out.items()})


main()
