"""A time series with an LSTM, in the manner of "Timeseries forecasting for weather prediction"."""

import keras
import numpy as np
from drawn import Numbers
from keras import layers


def run(begin):
    numbers = Numbers(4)
    noise = numbers.uniform(120, 3)
    features = (noise + np.float32(0.5) * np.roll(noise, 1, 0)).astype("float32")
    target = features[:, :1]

    mean, std = features[:90].mean(0), features[:90].std(0)
    features = (features - mean) / std
    past, ahead = 12, 3
    windows = lambda first, last: (
        np.stack([features[i : i + past : 2] for i in range(first, last - past - ahead)]),
        np.stack([target[i + past + ahead - 1] for i in range(first, last - past - ahead)]),
    )
    x_train, y_train = windows(0, 90)
    x_val, y_val = windows(90, 120)

    inputs = layers.Input(shape=(x_train.shape[1], x_train.shape[2]))
    lstm_out = layers.LSTM(8)(inputs)
    model = keras.Model(inputs=inputs, outputs=layers.Dense(1)(lstm_out))
    begin(model=model)
    model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.1), loss="mse")
    stopping = keras.callbacks.EarlyStopping(monitor="val_loss", min_delta=0, patience=2, restore_best_weights=True)
    history = model.fit(
        x_train, y_train, epochs=12, batch_size=25, validation_data=(x_val, y_val), callbacks=[stopping], shuffle=False, verbose=0
    )
    return {"history": history.history, "predictions": model.predict(x_val[:5], verbose=0)}
