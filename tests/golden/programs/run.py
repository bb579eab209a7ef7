"""Writes <program>.json for each program of this folder: the weights with which its models begin, and what it reports.

Usage: python run.py [program …]
"""

import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from common import number, tensor, write

import keras
import numpy as np

# Every program, and what it is a port of.
PROGRAMS = [path.stem for path in sorted(Path(__file__).parent.glob("*.py")) if path.stem not in ("run", "drawn")]


def plain(value):
    """What a program reports: histories, numbers and arrays, under names in camelCase."""
    if isinstance(value, dict):
        return {camel(key): plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [number(each) for each in value]
    return number(value) if np.ndim(value) == 0 else tensor(np.asarray(value))


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


for name in sys.argv[1:] or PROGRAMS:
    keras.utils.clear_session()
    keras.utils.set_random_seed(7)
    weights = {}

    def begin(**models):
        """Stores the weights with which models begin. Biases and other constants become numbers that differ."""
        for key, model in models.items():
            rng = np.random.RandomState(len(weights))
            given = [w + 0.05 * rng.uniform(-1, 1, w.shape) if w.ndim == 1 else w for w in model.get_weights()]
            model.set_weights([np.abs(w) if v.path.endswith("variance") else w for w, v in zip(given, model.weights)])
            weights[camel(key)] = [tensor(w) for w in model.get_weights()]

    reported = importlib.import_module(name).run(begin)
    write(f"programs/{name}.json", {"weights": weights, "reported": plain(reported)})
