"""Checks ONNX files that myelin wrote with onnx.checker and ONNX Runtime: npm run test:python, or python onnx-files-check.py FOLDER.

The folder has pairs NAME.onnx and NAME.json, which tests/files/onnx/write.test.ts makes when ONNX_FILES names a folder: x are the inputs in the
order of the file, y the predictions.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

TYPES = {"float32": np.float32, "int32": np.int32, "bool": np.bool_}


def array(value):
    data = [float(each) if isinstance(each, str) else each for each in value["data"]]
    return np.array(data, dtype=TYPES[value["dtype"]]).reshape(value["shape"])


def differs(received, expected):
    if received.shape != expected.shape or received.dtype != expected.dtype:
        return f"{received.dtype} {received.shape} instead of {expected.dtype} {expected.shape}"
    a, b = received.astype(np.float64), expected.astype(np.float64)
    if not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return "other elements are finite"
    finite = np.isfinite(b)
    if not finite.any():
        return None
    worst = float(np.max(np.abs(a - b)[finite])) / max(1.0, float(np.max(np.abs(b[finite]))))
    return None if worst < 1e-5 else f"a difference of {worst:.1e}"


def check(path):
    content = json.loads(path.with_suffix(".json").read_text())
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    given = dict(zip([each.name for each in session.get_inputs()], map(array, content["x"])))
    problems = [differs(*pair) for pair in zip(session.run(None, given), map(array, content["y"]), strict=True)]
    return next((each for each in problems if each is not None), None)


def main(folder):
    failures = 0
    paths = sorted(Path(folder).glob("*.onnx"))
    for path in paths:
        try:
            problem = check(path)
        except Exception as error:
            problem = f"{type(error).__name__}: {str(error)[:600]}"
        if problem is not None:
            print(f"FAILED  {path.name}: {problem}", flush=True)
        failures += problem is not None
    print(f"{len(paths) - failures} of {len(paths)} ONNX files give the same in ONNX Runtime {ort.__version__}")
    return failures > 0 or len(paths) == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
