"""Checks files that myelin wrote with the real Keras: npm run test:python, or python keras-files-check.py FOLDER.

The folder has NAME.keras, NAME.h5 and NAME.json, which tests/files/keras/write.test.ts makes when KERAS_FILES names a folder: { x, y } are the
inputs and the predictions; { targets, loss, weights } are three epochs of fit from the file. NAME.weights.h5 has the weights for the
model of NAME.keras. Keras 2 reads the legacy files of models that come from it.
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ["JAX_PLATFORMS"] = "cpu"

import h5py
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


DTYPES = {"float32": "float32", "int32": "int32", "bool": "bool"}


def typed(value):
    """A tensor of a model of ops: { shape, dtype, data }, in which NaN and infinities are strings."""
    return np.array([float(each) for each in value["data"]]).astype(DTYPES[value["dtype"]]).reshape(value["shape"])


def parts(value):
    """Complex numbers as two arrays."""
    return [value.real, value.imag] if value.dtype.kind == "c" else [value.astype("float64")]


def check_op(path, content):
    """A model of ops, whose outputs may have any shapes, and NaN."""
    x = [typed(each) for each in content["x"]]
    model = keras.models.load_model(path)
    y = model(x if len(x) > 1 else x[0])
    received = [part for leaf in leaves(y) for part in parts(np.asarray(leaf))]
    expected = [np.array([float(v) for v in each["data"]]).reshape(each["shape"]) for each in content["y"]]
    if [a.shape for a in received] != [b.shape for b in expected]:
        return f"shapes {[a.shape for a in received]} instead of {[b.shape for b in expected]}"
    for a, b in zip(received, expected):
        scale = max(1.0, float(np.max(np.abs(b[np.isfinite(b)]), initial=0)))
        if not np.allclose(a, b, rtol=0, atol=2e-5 * scale, equal_nan=True):
            return f"{a.ravel()[:6]} instead of {b.ravel()[:6]}"
    return None


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


if not keras.__version__.startswith("2."):
    from keras.src.legacy.saving.legacy_h5_format import load_attributes_from_hdf5_group

IS_FORMER = keras.__version__.startswith("2.")
PATTERNS = ["2_15_*.h5"] if IS_FORMER else ["*.keras", "*.h5"]
# Calls with several tensors, a layer that Keras 2.15 does not load, optimizers that it loads under another name, and options of optimizers
# that it loads together with an option that Keras 3 refuses.
NOT_IN_KERAS_2 = ["attention", "former", "normalization", *(f"training_{name}" for name in ["adafactor", "lion", "momentum", "rmsprop_centered"])]


# Keras 3.15 opens no legacy file with Lamb, not even its own: its loader does not find the name.
NOT_IN_KERAS_3 = ["3_15_training_lamb.h5"]

# Ops that Keras on JAX cannot compute after it opened a file, not even its own: lists of a file would have to be tuples.
OF_TUPLES = [
    "average_pool_same",
    "norm_frobenius",
    "norm_nuclear",
    "rot90",
    *(f"{name}_axes" for name in "nanmax nanmean nanmedian nanmin nanprod nanstd nansum nanvar".split()),
]
# Ops that Keras has only on other backends, and decompositions whose signs, or complex numbers, are a choice.
OTHERS = ["made_histogram_x", "eigh", "svd", "svd_thin", "made_eigh_x", "made_eig_x", "made_svd_x"]
NOT_COMPUTED = [f"op_{each}" for each in (*OF_TUPLES, *OTHERS)]


def is_left_out(name):
    if not IS_FORMER:
        return name in NOT_IN_KERAS_3 or name.split(".")[0] in NOT_COMPUTED
    return ".weights." in name or any(name == f"2_15_{each}.h5" for each in NOT_IN_KERAS_2)


def loaded(path):
    if not path.name.endswith(".weights.h5"):
        return keras.models.load_model(path)
    model = keras.models.load_model(str(path).replace(".weights.h5", ".keras"))
    for weight in model.weights:
        weight.assign(np.zeros(weight.shape, weight.dtype))
    model.load_weights(path)
    return model


def legacy_optimizer(model, path):
    """The optimizer of a legacy file. Keras 3 does not restore it correctly, also from its own files, and cannot train further with it."""
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    optimizer.build(model.trainable_variables)
    with h5py.File(path) as file:
        group = file["optimizer_weights"]
        arrays = [group[name][()] for name in load_attributes_from_hdf5_group(group, "weight_names")]
    assert len(arrays) == len(optimizer.variables), f"{len(arrays)} arrays for {len(optimizer.variables)} variables"
    for variable, array in zip(optimizer.variables, arrays):
        assert variable.shape == array.shape and str(variable.dtype) == str(array.dtype), f"{variable.path} is {array.dtype} {array.shape}"
        variable.assign(array)
    return optimizer


def check(path):
    content = json.loads(Path(str(path).split(".")[0] + ".json").read_text())
    if path.name.startswith("op_"):
        return check_op(path, content)
    model = loaded(path)
    x = arrays(content["x"])
    if "targets" not in content or IS_FORMER or ".weights." in path.name:
        return differs(model.predict(x, verbose=0), arrays(content["y"]), 1e-5)
    if path.suffix == ".h5":
        model.optimizer = legacy_optimizer(model, path)
    history = model.fit(x, arrays(content["targets"]), batch_size=4, epochs=3, shuffle=False, verbose=0).history
    return differs(history["loss"], content["loss"], 1e-4) or differs(model.get_weights(), arrays(content["weights"]), 1e-4)


def main(folder):
    failures = 0
    paths = sorted(path for pattern in PATTERNS for path in Path(folder).glob(pattern) if not is_left_out(path.name))
    print(f"Keras {keras.__version__}: {len(paths)} files")
    for path in paths:
        try:
            problem = check(path)
        except Exception as error:
            problem = f"{type(error).__name__}: {str(error)[:600]}"
        print(f"{'ok    ' if problem is None else 'FAILED'}  {path.name}{'' if problem is None else ': ' + problem}", flush=True)
        failures += problem is not None
    print(f"{failures} of {len(paths)} failed")
    sys.exit(1 if failures or not paths else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
