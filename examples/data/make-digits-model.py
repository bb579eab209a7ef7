"""Makes digits-0-4.keras: a small convolution network that reads the digits 0 to 4, trained by Keras.

    KERAS_BACKEND=jax python examples/data/make-digits-model.py        # with grow/requirements.txt
"""

import gzip
import pathlib

import keras
import numpy as np

here = pathlib.Path(__file__).parent
file = gzip.decompress((here / "mnist.bin.gz").read_bytes())
labels = np.frombuffer(file, "uint8", 10000, 16)
images = np.frombuffer(file, "uint8", offset=10016).reshape(10000, 28, 28, 1).astype("float32") / 255
train, test = (np.flatnonzero(labels[part] < 5) + part.start for part in (slice(0, 8000), slice(8000, 10000)))

keras.utils.set_random_seed(1)
model = keras.Sequential(
    [
        keras.Input((28, 28, 1), name="ink"),
        keras.layers.Conv2D(16, 3, activation="relu", padding="same", name="strokes"),
        keras.layers.MaxPooling2D(),
        keras.layers.Conv2D(32, 3, activation="relu", padding="same", name="curves"),
        keras.layers.MaxPooling2D(),
        keras.layers.Conv2D(32, 3, activation="relu", padding="same", name="parts"),
        keras.layers.GlobalAveragePooling2D(name="features"),
        keras.layers.Dense(5, activation="softmax", name="digit"),
    ],
    name="digits_0_to_4",
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images[train], labels[train], batch_size=64, epochs=12, verbose=2)
print(model.evaluate(images[test], labels[test], verbose=0))
# Without the state of the optimizer, which a model that is only used has no need of.
model.optimizer = None
model.compiled = False
keras.Model(model.inputs, model.outputs, name=model.name).save(here / "digits-0-4.keras")
