"""Writes feature-space.json: rows of a table and what Keras's FeatureSpace makes of each column and cross.

Usage: KERAS_BACKEND=tensorflow python feature_space.py
"""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf
from keras.utils import FeatureSpace

ROWS = 40
ASKED = 12


def table():
    random = np.random.default_rng(3)
    return {
        "age": random.normal(40, 12, ROWS).round(2).astype("float32"),
        "fare": random.uniform(0, 100, ROWS).astype("float32"),
        "temperature": random.normal(0, 5, ROWS).astype("float32"),
        "job": random.choice(["cook", "smith", "nurse", "pilot"], ROWS),
        "grade": random.integers(1, 6, ROWS).astype("int32"),
        "zip": random.integers(1000, 9999, ROWS).astype("int32"),
        "town": random.choice(["aa", "bb", "ccc"], ROWS),
    }


def main():
    rows = table()
    space = FeatureSpace(
        features={
            "age": "float_normalized",
            "fare": FeatureSpace.float_rescaled(scale=0.01, offset=-0.5),
            "temperature": FeatureSpace.float_discretized(num_bins=5),
            "job": "string_categorical",
            "grade": FeatureSpace.integer_categorical(num_oov_indices=1),
            "zip": FeatureSpace.integer_hashed(num_bins=7),
            "town": FeatureSpace.string_hashed(num_bins=6),
        },
        crosses=[
            FeatureSpace.cross(feature_names=("job", "grade"), crossing_dim=11),
            FeatureSpace.cross(feature_names=("town", "job"), crossing_dim=9),
        ],
        output_mode="dict",
    )
    space.adapt(tf.data.Dataset.from_tensor_slices(rows))
    asked = {name: column[:ASKED].copy() for name, column in rows.items()}
    # A category and a number that adapt has not seen.
    asked["job"][0] = "thief"
    asked["grade"][1] = 9
    encoded = space({name: tf.constant(column)[:, None] for name, column in asked.items()})
    content = {
        "rows": {name: column.tolist() for name, column in rows.items()},
        "asked": {name: column.tolist() for name, column in asked.items()},
        "encoded": {name: np.asarray(values).tolist() for name, values in encoded.items()},
    }
    Path(__file__).with_name("feature-space.json").write_text(json.dumps(content) + "\n")


if __name__ == "__main__":
    main()
