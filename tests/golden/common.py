"""What all fixtures share: Keras's set-up, the JSON form of numbers, myelin's names as Keras objects.

Makes no fixture itself: see make_fixtures.py and training.py.
"""

import json
import os
import re
import sys
from pathlib import Path

FLOAT64 = "--float64" in sys.argv
os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["JAX_ENABLE_X64"] = "1" if FLOAT64 else "0"

import keras
import numpy as np

keras.config.set_floatx("float64" if FLOAT64 else "float32")
FLOAT = np.float64 if FLOAT64 else np.float32
HERE = Path(__file__).parent


# ---------------------------------------------------------------- writing


def number(value):
    """The shortest decimal that gives the same float32 again; NaN and infinity are refused."""
    value = np.float32(value)
    assert np.isfinite(value), value
    decimal = float(str(value))
    whole = decimal.is_integer() and abs(decimal) < 2**53 and not (decimal == 0 and np.signbit(value))
    return int(decimal) if whole else decimal


def tensor(array):
    array = np.asarray(array)
    return {"shape": list(array.shape), "data": [number(v) for v in array.ravel()]}


def tensors(arrays):
    return [tensor(a) for a in arrays]


def encode(value, indent=""):
    """JSON with one tensor, or one list of plain values, per line."""
    plain_list = isinstance(value, list) and not any(isinstance(v, (dict, list)) for v in value)
    is_tensor = isinstance(value, dict) and set(value) == {"shape", "data"}
    if not value or plain_list or is_tensor or not isinstance(value, (dict, list)):
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    deeper = indent + " "
    if isinstance(value, list):
        inside = [encode(v, deeper) for v in value]
        left, right = "[]"
    else:
        inside = [f"{json.dumps(k)}: {encode(v, deeper)}" for k, v in value.items()]
        left, right = "{}"
    return f"{left}\n{deeper}" + f",\n{deeper}".join(inside) + f"\n{indent}{right}"


def write(name, content):
    path = HERE / name
    path.write_text(encode({"keras": keras.__version__, **content}) + "\n")
    print(f"{name}: {path.stat().st_size / 1024:.0f} KiB")


# ---------------------------------------------------------------- myelin's names → Keras objects


def spec(class_name, **config):
    return {"class": class_name, "config": config}


def snake(name):
    irregular = {"keepDims": "keepdims", "sparseYTrue": "sparse_y_true", "sparseYPred": "sparse_y_pred"}
    if name in irregular:
        return irregular[name]
    name = re.sub(r"([bB]eta|epsilon)(\d)", r"\1_\2", name)
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda m: "_" + m.group(1).lower(), name)


def camel(name):
    return re.sub(r"_([a-z])", lambda m: m.group(1).upper(), name)


NAMED_BY_STRING = {"activation", "classAggregation", "recurrentActivation", "reduction", "mode", "outputMode", "distribution", "dataFormat"}  # not summationMethod, curve: those are the same
NAMESPACES = {
    "learningRate": keras.optimizers.schedules,
    "cell": keras.layers,
    "layer": keras.layers,
    "backwardLayer": keras.layers,
}


def namespace_of(key):
    if key.endswith("Constraint"):
        return keras.constraints
    return keras.regularizers if key.endswith("Regularizer") else NAMESPACES[key]


def build(namespace, described):
    """A Keras object from {"class", "config"} in myelin's names."""
    arguments = {}
    for key, value in described["config"].items():
        if isinstance(value, dict) and "class" in value:
            value = build(namespace_of(key), value)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            value = [build(namespace_of(key), each) for each in value]
        elif key in NAMED_BY_STRING and value is not None:
            value = snake(value)
        arguments[snake(key)] = value
    # Keras exports this class under another name.
    name = {"GroupedQueryAttention": "GroupQueryAttention"}.get(described["class"], described["class"])
    return getattr(namespace, name)(**arguments)


# ---------------------------------------------------------------- numbers to feed in


def random(seed):
    return np.random.default_rng(seed)


def normal(rng, shape, scale=1.0, decimals=3):
    """Few decimals keep the files small; every value is still an exact float32."""
    return np.round(rng.normal(0, scale, shape), decimals).astype(np.float32).astype(FLOAT)


def uniform(rng, shape, low, high, decimals=3):
    return np.round(rng.uniform(low, high, shape), decimals).astype(np.float32).astype(FLOAT)


def probabilities(rng, shape):
    """Rows that sum to about one (within rounding, so that renormalising is visible), far from 0 and 1."""
    raw = rng.uniform(0.2, 1.0, shape)
    return np.round(raw / raw.sum(-1, keepdims=True), 3).astype(np.float32).astype(FLOAT)


def one_hot(labels, classes):
    return np.eye(classes, dtype=FLOAT)[labels]
