"""Text with one-dimensional convolutions, in the manner of "Text classification from scratch"."""

import keras
import numpy as np
from drawn import Numbers
from keras import layers


def run(begin):
    words = ["good", "great", "fine", "bad", "poor", "awful", "film", "plot", "actor", "the", "a", "was"]
    numbers = Numbers(2)
    drawn = numbers.integers(len(words), 64, 9)
    texts = [" ".join(words[i] for i in row) for row in drawn]
    labels = [float(sum(i < 3 for i in row) > sum(3 <= i < 6 for i in row)) for row in drawn]

    # TextVectorization needs TensorFlow: 0 is padding, 1 an unknown word.
    x = np.array([[2 + words.index(word) for word in text.split()] + [0] for text in texts], "int32")
    y = np.array(labels, "float32").reshape(-1, 1)

    inputs = keras.Input(shape=(None,), dtype="int32")
    h = layers.Embedding(20, 8)(inputs)
    h = layers.Conv1D(12, 3, padding="valid", activation="relu", strides=2)(h)
    h = layers.GlobalMaxPooling1D()(h)
    h = layers.Dense(8, activation="relu")(h)
    predictions = layers.Dense(1, activation="sigmoid", name="predictions")(h)
    model = keras.Model(inputs, predictions)
    begin(model=model)
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    history = model.fit(x, y, epochs=3, batch_size=16, shuffle=False, verbose=0)
    return {"history": history.history, "tokens": x, "predictions": model.predict(x[:8], verbose=0)}
