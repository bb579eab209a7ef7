"""A residual network with a schedule, in the manner of the small ResNet of "The Functional API"."""

import keras
from drawn import Numbers
from keras import layers


def run(begin):
    numbers = Numbers(11)
    x = numbers.uniform(60, 12, 12, 3)
    y = (x[:, 3:9, 3:9].mean((1, 2)).argmax(-1)).astype("int32")

    inputs = keras.Input(shape=(12, 12, 3), name="img")
    h = layers.Conv2D(6, 3, use_bias=False)(inputs)
    h = layers.BatchNormalization()(h)
    block_1_output = layers.ReLU()(h)
    h = layers.SeparableConv2D(6, 3, activation="relu", padding="same")(block_1_output)
    h = layers.Conv2D(6, 3, activation="relu", padding="same")(h)
    block_2_output = layers.add([h, block_1_output])
    h = layers.Conv2D(8, 3, strides=2)(block_2_output)
    h = layers.LayerNormalization()(h)
    h = layers.GlobalAveragePooling2D()(h)
    model = keras.Model(inputs, layers.Dense(3)(h), name="toy_resnet")
    begin(model=model)
    schedule = keras.optimizers.schedules.CosineDecay(0.05, decay_steps=24, alpha=0.1)
    model.compile(
        optimizer=keras.optimizers.SGD(schedule, momentum=0.9, nesterov=True),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["acc"],
    )
    history = model.fit(x, y, batch_size=10, epochs=4, validation_split=0.2, shuffle=False, verbose=0)
    return {"history": history.history, "predictions": model.predict(x[:5], verbose=0)}
