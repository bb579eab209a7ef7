"""Writes keras/shards/: weights that Keras divided among several files, and what the model predicts. Usage: python keras_shards.py"""

import json
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
import numpy as np
from keras import Sequential, layers

HERE = Path(__file__).parent / "keras" / "shards"
HERE.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(3)
model = Sequential([layers.Input((4,)), layers.Dense(8, activation="tanh"), layers.BatchNormalization(), layers.Reshape((2, 4)), layers.LSTM(3), layers.Dense(2)])
for weight in model.weights:
    weight.assign(np.abs(rng.normal(0, 0.4, weight.shape)) + 0.1)
# So small that the weights of the LSTM are in two files.
model.save_weights(HERE / "model.weights.json", max_shard_size=300 / 1024**3)
x = rng.normal(0, 1, (3, 4)).astype("float32")
y = model.predict(x, verbose=0)
plain = lambda a: {"shape": list(a.shape), "data": [float(f"{v:.7g}") for v in a.ravel()]}
(HERE / "expected.json").write_text(json.dumps({"x": plain(x), "y": plain(y)}) + "\n")
