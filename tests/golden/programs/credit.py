"""Rows of a table with preprocessing layers, in the manner of "Structured data classification from scratch"."""

import keras
import numpy as np
from drawn import Numbers
from keras import layers


def run(begin):
    numbers = Numbers(12)
    amounts = 500 + 400 * numbers.uniform(80, 2)
    sex = np.array(["f", "m"])[numbers.integers(2, 80, 1)]
    age = 20 + numbers.integers(50, 80, 1)
    y = (amounts[:, 0] > amounts[:, 1]).astype("float32").reshape(-1, 1)

    normalization = layers.Normalization()
    normalization.adapt(amounts)
    one_hot_sex = (sex == np.array(["f", "m"])).astype("float32")  # StringLookup needs TensorFlow
    buckets = layers.Discretization(bin_boundaries=[30.0, 40.0, 50.0, 60.0], output_mode="one_hot")
    encoded = np.concatenate([np.asarray(normalization(amounts)), one_hot_sex, np.asarray(buckets(age))], 1)

    model = keras.Sequential([keras.Input((encoded.shape[1],)), layers.Dense(8, activation="relu"), layers.Dense(1, activation="sigmoid")])
    begin(model=model)
    model.compile(optimizer="adamw", loss="binary_crossentropy", metrics=["accuracy", keras.metrics.AUC()])
    history = model.fit(
        encoded, y, epochs=4, batch_size=16, class_weight={0: 1.0, 1: 2.0}, validation_split=0.2, shuffle=False, verbose=0
    )
    return {"history": history.history, "encoded": encoded, "predictions": model.predict(encoded[:6], verbose=0)}
