"""Images with a convolutional network, in the manner of the "Simple MNIST convnet"."""

import keras
from drawn import Numbers
from keras import layers


def run(begin):
    numbers = Numbers(1)
    images = numbers.uniform(96, 10, 10, 1)
    labels = (images[:, 2:8, 2:8, 0].sum((1, 2)) > 0).astype("int32") + (images[:, :5].sum((1, 2, 3)) > 0)
    x_train, x_test = images[:80], images[80:]
    y_train, y_test = keras.utils.to_categorical(labels[:80], 3), keras.utils.to_categorical(labels[80:], 3)

    model = keras.Sequential(
        [
            keras.Input(shape=(10, 10, 1)),
            layers.Conv2D(6, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Conv2D(8, kernel_size=(3, 3), activation="relu", padding="same"),
            layers.AveragePooling2D(pool_size=2),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    begin(model=model)
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    history = model.fit(x_train, y_train, batch_size=16, epochs=4, validation_split=0.1, shuffle=False, verbose=0)
    score = model.evaluate(x_test, y_test, verbose=0)
    return {"history": history.history, "score": score, "predictions": model.predict(x_test, verbose=0)}
