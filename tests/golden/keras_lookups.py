"""Writes keras/<FOLDER>/lookups.*: vocabularies, which Keras keeps in TensorFlow.

Usage: KERAS_BACKEND=tensorflow [KERAS_PATH=…] python keras_lookups.py FOLDER
"""

import json
import os
import sys

if "KERAS_PATH" in os.environ:
    sys.path.insert(0, os.environ["KERAS_PATH"])

import keras
import numpy as np
from keras import Input, Model, layers
from pathlib import Path

WORDS = np.array([["red"], ["green"], ["blue"], ["other"]])
TEXTS = np.array([["Red green!"], ["blue  blue, red"], [""], ["yellow red"]])
NUMBERS = np.array([[7], [3], [5], [0]], dtype="int64")


def main(folder):
    word, text, number = (Input((1,), dtype=dtype, name=name) for name, dtype in (("word", "string"), ("text", "string"), ("number", "int64")))
    adapted = layers.TextVectorization(max_tokens=6, output_sequence_length=3)
    adapted.adapt(TEXTS[:, 0])
    counted = layers.TextVectorization(output_mode="count")
    counted.adapt(TEXTS[:, 0])
    given = layers.TextVectorization(vocabulary=["red", "blue"], output_mode="multi_hot", standardize="lower")
    looked = layers.StringLookup()
    looked.adapt(WORDS)
    outputs = [
        adapted(text),
        counted(text),
        given(text),
        looked(word),
        layers.StringLookup(vocabulary=["green", "red"], num_oov_indices=2)(word),
        layers.StringLookup(vocabulary=["a", "b"], mask_token="", output_mode="one_hot")(word),
        layers.IntegerLookup(vocabulary=[3, 7, 9])(number),
        layers.IntegerLookup(vocabulary=[3, 7], output_mode="count")(number),
        layers.Hashing(5)(word),
    ]
    model = Model([word, text, number], outputs)
    import tensorflow as tf

    y = model.predict([tf.constant(WORDS), tf.constant(TEXTS), tf.constant(NUMBERS)], verbose=0)
    path = Path(__file__).parent / "keras" / folder
    model.save(path / "lookups.keras")
    plain = lambda a: {"shape": list(a.shape), "data": [float(f"{v:.7g}") for v in np.asarray(a).ravel()]}
    content = {"keras": keras.__version__, "x": [WORDS.tolist(), TEXTS.tolist(), NUMBERS.tolist()], "y": [plain(each) for each in y]}
    (path / "lookups.json").write_text(json.dumps(content, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
