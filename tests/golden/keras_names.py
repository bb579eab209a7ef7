"""Writes keras-names.json: all public names of Keras with their kinds and signatures.

Usage: python keras_names.py
"""

import importlib
import inspect

import keras
from common import HERE, encode
from signatures import parameters

MODULES = """keras ops ops.image ops.linalg ops.nn ops.numpy layers activations random losses metrics optimizers optimizers.schedules
callbacks initializers regularizers constraints utils utils.bounding_boxes preprocessing preprocessing.image
preprocessing.sequence tree saving models datasets applications distillation distribution export quantizers dtype_policies
mixed_precision visualization wrappers config backend""".split()

# `src` holds the sources.
PRIVATE = {("keras", "src")}


def module_of(name):
    return keras if name == "keras" else importlib.import_module(f"keras.{name}")


def described(value, name, siblings):
    """The kind, the parameters of a call, and for a second name of a class or function the first one."""
    if inspect.ismodule(value):
        return {"kind": "module"}
    if not callable(value):
        return {"kind": "value"}
    try:
        found = {"kind": "class" if inspect.isclass(value) else "function", "parameters": parameters(value)}
    except ValueError:
        found = {"kind": "class" if inspect.isclass(value) else "function"}
    first = getattr(value, "__name__", name)
    if first != name and siblings.get(first) is value:
        found["first"] = first
    return found


def names(module):
    content = module_of(module)
    siblings = {name: getattr(content, name) for name in dir(content) if not name.startswith("_")}
    return {
        name: described(value, name, siblings)
        for name, value in sorted(siblings.items())
        if (module, name) not in PRIVATE
    }


if __name__ == "__main__":
    content = {"keras": keras.__version__, "modules": {module: names(module) for module in MODULES}}
    (HERE / "keras-names.json").write_text(encode(content) + "\n")
