"""Writes tests/golden/tfjs/converted/: models of Keras 2 that the converter of TensorFlow.js wrote, with what Keras predicts.

  python -m venv /tmp/tfjsconv && /tmp/tfjsconv/bin/pip install tensorflowjs==4.22.0 'setuptools<81'
  /tmp/tfjsconv/bin/python tests/golden/tfjs_converted.py
"""

import json
import os
import shutil
import sys
import types
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_USE_LEGACY_KERAS"] = "1"
# The converter imports it, but only needs it for models of its own kind.
sys.modules["tensorflow_decision_forests"] = types.ModuleType("tensorflow_decision_forests")

import numpy as np
import tensorflowjs as tfjs
import tf_keras as keras

L = keras.layers
FOLDER = Path(__file__).parent / "tfjs" / "converted"


def fill(model):
    random = np.random.default_rng(7)
    model.set_weights([random.uniform(0.2, 0.8, w.shape).astype("float32") * (1 if "variance" in v.name else random.choice([-1, 1], w.shape)) for v, w in zip(model.weights, model.get_weights())])


def plain(array):
    return {"shape": list(array.shape), "data": [float(each) for each in np.asarray(array, "float32").ravel()]}


def store(name, model, inputs, **options):
    fill(model)
    path = FOLDER / name
    shutil.rmtree(path, ignore_errors=True)
    tfjs.converters.save_keras_model(model, str(path), **options)
    outputs = model.predict(inputs, verbose=0)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    (path / "golden.json").write_text(json.dumps({"x": [plain(each) for each in inputs], "y": [plain(each) for each in outputs]}) + "\n")


def functional():
    image, words = keras.Input((6, 6, 2), name="image"), keras.Input((5,), name="words")
    y = L.Conv2D(3, 3, activation="relu")(image)
    y = L.BatchNormalization()(y)
    y = L.DepthwiseConv2D(2)(y)
    y = L.SeparableConv2D(4, 2, padding="same", activation="relu6")(y)
    y = L.GlobalAveragePooling2D()(y)
    z = L.Embedding(7, 4, mask_zero=True)(words)
    z = L.Bidirectional(L.LSTM(3, return_sequences=True))(z)
    z = L.GRU(4)(z)
    z = L.LayerNormalization()(z)
    inner = keras.Sequential([keras.Input((4,)), L.Dense(3, activation="hard_sigmoid"), L.Dropout(0.3)], name="inner")
    both = L.Concatenate()([inner(y), inner(z)])
    model = keras.Model([image, words], [L.Dense(2, activation="softmax", name="out")(both), L.Add()([y, z])], name="functional")
    return model


def sequential():
    model = keras.Sequential(
        [
            L.Reshape((4, 3), input_shape=(12,)),
            L.TimeDistributed(L.Dense(4, activation="tanh", kernel_regularizer="l2")),
            L.SimpleRNN(3, return_sequences=True),
            L.Conv1D(2, 2, padding="causal"),
            L.RNN(L.StackedRNNCells([L.LSTMCell(2), L.LSTMCell(3)])),
            L.PReLU(),
            L.ThresholdedReLU(0.2),
        ],
        name="sequential",
    )
    model.compile(optimizer=keras.optimizers.legacy.Adam(0.01), loss="mse", metrics=["mae"])
    return model


random = np.random.default_rng(1)
inputs = [random.uniform(-1, 1, (3, 6, 6, 2)).astype("float32"), random.integers(0, 7, (3, 5)).astype("float32")]
store("functional", functional(), inputs, weight_shard_size_bytes=999)
store("sequential", sequential(), [random.uniform(-1, 1, (3, 12)).astype("float32")])
