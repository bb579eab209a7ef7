"""The graph that TensorBoard reads in an event file, as JSON: `python event_graph.py FOLDER > event-graph.json`.

FOLDER has one file, which tests/files/event-file.test.ts describes.
"""

import base64
import json
import pathlib
import sys

import tensorboard
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.plugins.graph import graph_util

folder = pathlib.Path(sys.argv[1])
events = EventAccumulator(str(folder))
events.Reload()
[file] = folder.iterdir()
graph = events.Graph()
assert isinstance(graph, GraphDef)
# What the tab Graphs does with a graph: names must be unique.
graph_util.merge_graph_defs([graph])
json.dump(
    {
        "tensorboard": tensorboard.__version__,
        "file": base64.b64encode(file.read_bytes()).decode(),
        "nodes": [
            {
                "name": node.name,
                "op": node.op,
                "input": list(node.input),
                "dtype": node.attr["dtype"].type,
                "shapes": [[dim.size for dim in shape.dim] for shape in node.attr["_output_shapes"].list.shape],
            }
            for node in graph.node
        ],
    },
    sys.stdout,
)
print()
