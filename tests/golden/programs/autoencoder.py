"""An autoencoder that removes noise, in the manner of "Convolutional autoencoder for image denoising"."""

import keras
import numpy as np
from drawn import Numbers
from keras import layers


def run(begin):
    numbers = Numbers(5)
    clean = np.repeat(np.repeat(numbers.uniform(40, 4, 4, 1), 2, 1), 2, 2) > 0
    clean = clean.astype("float32")
    noisy = np.clip(clean + np.float32(0.4) * numbers.uniform(40, 8, 8, 1), 0, 1)

    input = layers.Input(shape=(8, 8, 1))
    # Encoder
    x = layers.Conv2D(6, (3, 3), activation="relu", padding="same")(input)
    x = layers.MaxPooling2D((2, 2), padding="same")(x)
    x = layers.Conv2D(6, (3, 3), activation="relu", padding="same")(x)
    x = layers.MaxPooling2D((2, 2), padding="same")(x)
    # Decoder
    x = layers.Conv2DTranspose(6, (3, 3), strides=2, activation="relu", padding="same")(x)
    x = layers.Conv2DTranspose(6, (3, 3), strides=2, activation="relu", padding="same")(x)
    x = layers.Conv2D(1, (3, 3), activation="sigmoid", padding="same")(x)
    autoencoder = keras.Model(input, x)
    begin(autoencoder=autoencoder)
    autoencoder.compile(optimizer="adam", loss="binary_crossentropy")
    history = autoencoder.fit(
        x=noisy[:32], y=clean[:32], epochs=3, batch_size=8, validation_data=(noisy[32:], clean[32:]), shuffle=False, verbose=0
    )
    return {"history": history.history, "predictions": autoencoder.predict(noisy[32:35], verbose=0)}
