"""Similar pairs of vectors, in the manner of "Image similarity estimation using a Siamese network"."""

import keras
import numpy as np
from drawn import Numbers
from keras import layers, ops


def euclidean_distance(vects):
    x, y = vects
    sum_square = ops.sum(ops.square(x - y), axis=1, keepdims=True)
    return ops.sqrt(ops.maximum(sum_square, keras.backend.epsilon()))


def contrastive_loss(y_true, y_pred, margin=1):
    square_pred = ops.square(y_pred)
    margin_square = ops.square(ops.maximum(margin - y_pred, 0))
    return ops.mean((1 - y_true) * square_pred + y_true * margin_square)


def run(begin):
    numbers = Numbers(6)
    left, right = numbers.uniform(64, 6), numbers.uniform(64, 6)
    y = ((left[:, :1] > 0) != (right[:, :1] > 0)).astype("float32")

    input = layers.Input((6,))
    x = layers.BatchNormalization()(input)
    x = layers.Dense(10, activation="tanh")(x)
    x = layers.Dense(4, activation="tanh")(x)
    embedding_network = keras.Model(input, x)

    input_1, input_2 = layers.Input((6,)), layers.Input((6,))
    tower_1, tower_2 = embedding_network(input_1), embedding_network(input_2)
    merge_layer = layers.Lambda(euclidean_distance, output_shape=(1,))([tower_1, tower_2])
    normal_layer = layers.BatchNormalization()(merge_layer)
    output_layer = layers.Dense(1, activation="sigmoid")(normal_layer)
    siamese = keras.Model(inputs=[input_1, input_2], outputs=output_layer)
    begin(siamese=siamese)
    siamese.compile(loss=contrastive_loss, optimizer="rmsprop", metrics=["accuracy"])
    history = siamese.fit([left, right], y, batch_size=16, epochs=4, shuffle=False, verbose=0)
    predictions = siamese.predict([left[:6], right[:6]], verbose=0)
    return {"history": history.history, "predictions": predictions}
