"""What TensorBoard reads in an event file, as JSON: `python events.py FOLDER > events.json`.

FOLDER has one file, which tests/files/event-file.test.ts describes.
"""

import base64
import json
import pathlib
import sys

import tensorboard
from tensorboard.backend.event_processing.event_accumulator import HISTOGRAMS, SCALARS, EventAccumulator

folder = pathlib.Path(sys.argv[1])
events = EventAccumulator(str(folder), size_guidance={SCALARS: 0, HISTOGRAMS: 0})
events.Reload()
tags = events.Tags()
[file] = folder.iterdir()
json.dump(
    {
        "tensorboard": tensorboard.__version__,
        "file": base64.b64encode(file.read_bytes()).decode(),
        "scalars": {tag: [[each.wall_time, each.step, each.value] for each in events.Scalars(tag)] for tag in tags["scalars"]},
        "histograms": {
            tag: [{"step": each.step, **vars(each.histogram_value)} for each in events.Histograms(tag)]
            for tag in tags["histograms"]
        },
    },
    sys.stdout,
    ensure_ascii=False,
)
print()
