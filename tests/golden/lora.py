"""Layers with LoRA in Keras: KERAS_BACKEND=jax python lora.py > lora.json"""

import json
import os
import sys
import tempfile

import keras
import numpy as np

rng = np.random.default_rng(7)


def draw(shape):
    return np.round(rng.normal(size=shape), 3).astype("float32")


def case(layer, x, options, regularizes=False):
    inputs = keras.Input(x.shape[1:], dtype="int32" if x.dtype == "int32" else "float32")
    model = keras.Model(inputs, layer(inputs))
    plain = [draw(weight.shape) for weight in layer.weights]
    layer.set_weights(plain)
    layer.enable_lora(2, **options)
    table = hasattr(layer, "embeddings")
    a, b = (layer.lora_embeddings_a, layer.lora_embeddings_b) if table else (layer.lora_kernel_a, layer.lora_kernel_b)
    starts = [draw(a.shape), draw(b.shape)]
    a.assign(starts[0])
    b.assign(starts[1])
    first = model.predict(x, verbose=0)
    y = draw(first.shape)
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    losses = [float(model.train_on_batch(x, y)) for _ in range(3)]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "merged.weights.h5")
        layer_config = layer.get_config()
        model.save_weights(path)
        config = {name: value for name, value in layer_config.items() if not name.startswith("lora")}
        fresh = type(layer).from_config(config)
        loaded = keras.Model(inputs, fresh(inputs))
        loaded.load_weights(path)
        merged = fresh.get_weights()
    tolist = lambda arrays: [np.asarray(each).tolist() for each in arrays]
    return {
        "className": type(layer).__name__,
        "options": options,
        "x": x.tolist(),
        "y": y.tolist(),
        "plain": tolist(plain),
        "starts": tolist(starts),
        "first": first.tolist(),
        "losses": losses,
        "names": [weight.name for weight in layer.weights],
        "trained": [weight.name for weight in layer.trainable_weights],
        "trainedValues": tolist(layer.trainable_weights),
        "last": model.predict(x, verbose=0).tolist(),
        "merged": tolist(merged),
    }


json.dump(
    [
        case(keras.layers.Dense(3, activation="tanh"), draw((5, 4)), {"lora_alpha": 3}),
        case(keras.layers.Dense(3, use_bias=False, kernel_regularizer="l2"), draw((2, 3, 4)), {}),
        case(keras.layers.EinsumDense("abc,cde->abde", (3, 2, 5), bias_axes="e"), draw((2, 3, 4)), {"lora_alpha": 1}),
        case(keras.layers.Embedding(6, 4), np.array([[0, 3], [5, 5], [2, 0]], "int32"), {"lora_alpha": 5}),
        case(keras.layers.Conv1D(4, 3, padding="causal", groups=2), draw((2, 5, 4)), {"lora_alpha": 3}),
        case(keras.layers.Conv2D(3, 2, activation="relu", kernel_regularizer="l2"), draw((2, 4, 4, 2)), {}),
        case(keras.layers.Conv3D(2, 2, use_bias=False), draw((1, 3, 3, 3, 2)), {"lora_alpha": 1}),
    ],
    sys.stdout,
)
print()
