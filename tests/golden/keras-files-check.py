"""Checks files that myelin wrote with the real Keras: npm run test:python, or python keras-files-check.py FOLDER.

The folder has pairs NAME.keras and NAME.json, which tests/keras/write.test.ts makes when KERAS_FILES names a folder: { x, y } are the inputs
and the predictions; { x, y, targets, loss, weights } are three epochs of fit from the file.
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
import numpy as np


def arrays(value):
    if isinstance(value, dict) and set(value) == {"shape", "data"}:
        data = np.array(value["data"])
        whole = all(isinstance(each, int) for each in value["data"])
        return data.astype("int32" if whole else "float32").reshape(value["shape"])
    if isinstance(value, dict):
        return {key: arrays(each) for key, each in value.items()}
    return [arrays(each) for each in value] if isinstance(value, list) else value


def leaves(value):
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in leaves(value[key])]
    return [leaf for each in value for leaf in leaves(each)] if isinstance(value, (list, tuple)) else [np.asarray(value)]


def differs(received, expected, limit):
    received, expected = leaves(received), leaves(expected)
    if [a.shape for a in received] != [a.shape for a in expected]:
        return f"shapes {[a.shape for a in received]} instead of {[a.shape for a in expected]}"
    worst = max(float(np.max(np.abs(a - b) / max(1.0, float(np.max(np.abs(b))))) if a.size else 0) for a, b in zip(received, expected))
    return None if worst < limit else f"a difference of {worst:.1e}"


def check(path):
    content = json.loads(path.with_suffix(".json").read_text())
    model = keras.saving.load_model(path)
    x = arrays(content["x"])
    if "targets" not in content:
        return differs(model.predict(x, verbose=0), arrays(content["y"]), 1e-5)
    history = model.fit(x, arrays(content["targets"]), batch_size=4, epochs=3, shuffle=False, verbose=0).history
    return differs(history["loss"], content["loss"], 1e-4) or differs(model.get_weights(), arrays(content["weights"]), 1e-4)


def main(folder):
    failures = 0
    for path in sorted(Path(folder).glob("*.keras")):
        try:
            problem = check(path)
        except Exception as error:
            problem = f"{type(error).__name__}: {str(error)[:600]}"
        print(f"{'ok    ' if problem is None else 'FAILED'}  {path.name}{'' if problem is None else ': ' + problem}", flush=True)
        failures += problem is not None
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
