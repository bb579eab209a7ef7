"""Writes keras/: files of models as Keras saves them, and what the models predict.

Usage: [KERAS_PATH=folder with another version of Keras] python keras_files.py FOLDER [names]

Every layer of a family is a branch of one functional model, so that a family is one file. Never reads anything of myelin.
"""

import json
import os
import sys
import zipfile
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ["JAX_PLATFORMS"] = "cpu"
if "KERAS_PATH" in os.environ:
    sys.path.insert(0, os.environ["KERAS_PATH"])

import keras
import numpy as np
from keras import Input, Model, Sequential, layers

IS_FORMER = keras.__version__.startswith("2.")
if not IS_FORMER:
    from keras import ops

HERE = Path(__file__).parent / "keras"
# The first versions of Keras 3 cannot build some layers that they have.
IS_NEW = tuple(int(each) for each in keras.__version__.split(".")[:2]) >= (3, 6)


# ---------------------------------------------------------------- data


def values(shape, k=0):
    """The element with number i is ((37 i + 11 k) mod 101) / 50 − 1, which is the same in every language."""
    i = np.arange(int(np.prod(shape)), dtype=np.int64)
    return ((((37 * i + 11 * k) % 101) / 50) - 1).astype("float32").reshape(shape)


def numbers(shape, k=0):
    """Integers from 0 to 6; each row of steps ends with zeros."""
    x = (np.abs(values(shape, k)) * 6).round().astype("int32")
    x[..., -1] = 0
    return x


def randomize(model):
    """Weights that are not those of initializers, so that no mistake of order goes unnoticed."""
    rng = np.random.default_rng(7)
    for weight in model.weights:
        name = getattr(weight, "path", weight.name)
        if "seed" in name or name.startswith("normalization") or "count" in name or "int" in str(weight.dtype):
            continue
        value = rng.normal(0, 0.4, weight.shape).astype("float32")
        weight.assign(np.abs(value) + 0.25 if "variance" in name else value)
    return model


def plain(x):
    """Numbers in seven digits."""
    x = np.asarray(x)
    if x.dtype.kind in "SU":
        return {"shape": list(x.shape), "data": [str(v) for v in x.ravel()]}
    data = [float(f"{v:.7g}") for v in x.ravel().astype("float64")]
    return {"shape": list(x.shape), "data": [int(v) if v.is_integer() else v for v in data]}


def tree(x, convert):
    if isinstance(x, dict):
        return {key: tree(each, convert) for key, each in x.items()}
    if isinstance(x, (list, tuple)):
        return [tree(each, convert) for each in x]
    return convert(x)


def write(folder, name, model, x, extension="keras", **more):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.{extension}"
    # Other .h5 files have the predictions of a .keras file.
    name = name if name.startswith("frozen") else path.name.replace(".keras", "")
    y = model.predict(x, verbose=0)
    model.save(path)
    if extension == "keras" and path.stat().st_size > 30_000:
        with zipfile.ZipFile(path) as archive:
            entries = [(each.filename, archive.read(each)) for each in archive.infolist()]
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for entry, content in entries:
                archive.writestr(entry, content)
    content = {"keras": keras.__version__, "x": tree(x, plain), "y": tree(y, plain), **more}
    (folder / f"{name}.json").write_text(json.dumps(content, separators=(",", ":")) + "\n")
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB, {(folder / f'{name}.json').stat().st_size / 1024:.0f} KiB")


# ---------------------------------------------------------------- families


class Branches:
    """A functional model with one output for each layer that is added."""

    def __init__(self):
        self.inputs, self.data, self.outputs = [], [], []

    def input(self, *shape, dtype="float32", batch=2):
        x = Input(shape, dtype=dtype, name=f"in_{len(self.inputs)}")
        k = len(self.inputs)
        self.inputs.append(x)
        self.data.append(numbers((batch, *shape), k) if dtype == "int32" else values((batch, *shape), k))
        return x

    def add(self, x, *made):
        for layer in made:
            y = layer(x)
            self.outputs += list(y) if isinstance(y, (list, tuple)) else [y]

    def done(self):
        return randomize(Model(self.inputs, self.outputs)), self.data


L1 = lambda: keras.regularizers.L1(0.01)


def core():
    b = Branches()
    x, steps, ids = b.input(5), b.input(3, 4), b.input(4, dtype="int32")
    b.add(
        x,
        layers.Dense(3),
        layers.Dense(2, activation="relu", use_bias=False, kernel_regularizer=L1()),
        layers.Dense(4, activation="gelu", kernel_initializer=keras.initializers.VarianceScaling(2.0, "fan_out"),
                     bias_constraint="non_neg", kernel_constraint=keras.constraints.MaxNorm(2, axis=0), trainable=False),
        layers.Activation("hard_sigmoid"),
        layers.Activation("swish"),
        layers.Identity(),
        layers.ActivityRegularization(l1=0.1, l2=0.2),
    )
    b.add(
        steps,
        layers.EinsumDense("abc,cd->abd", output_shape=(None, 3), bias_axes="d"),
        layers.EinsumDense("abc,bd->acd", output_shape=(4, 2), activation="tanh"),
        layers.Masking(-1.0),
        layers.Dense(2),
    )
    b.add(ids, layers.Embedding(7, 3), layers.Embedding(7, 2, embeddings_initializer="zeros"))
    return b.done()


def activations():
    b = Branches()
    x, image = b.input(6), b.input(3, 3, 2)
    b.add(
        x,
        layers.ReLU(),
        layers.ReLU(max_value=0.5, negative_slope=0.2, threshold=0.1),
        layers.LeakyReLU(negative_slope=0.1),
        layers.ELU(0.7),
        layers.PReLU(),
        layers.Softmax(),
    )
    b.add(image, layers.PReLU(shared_axes=[1, 2]), layers.Softmax(axis=[1, 2]), layers.Softmax(axis=1))
    names = "celu elu exponential gelu hard_shrink hard_tanh hard_sigmoid leaky_relu linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu softmax soft_shrink softplus softsign sparse_plus sparsemax squareplus tanh tanh_shrink threshold"
    for name in names.split():
        if hasattr(keras.activations, name):
            b.add(x, layers.Activation(name))
    return b.done()


def convolutional():
    b = Branches()
    line, image, body = b.input(6, 2), b.input(5, 4, 3), b.input(3, 3, 3, 2)
    b.add(
        line,
        layers.Conv1D(2, 3, padding="causal", dilation_rate=2),
        layers.Conv1D(4, 2, strides=2, groups=2, activation="relu"),
        layers.Conv1DTranspose(2, 3, strides=2, padding="same"),
        layers.DepthwiseConv1D(2, depth_multiplier=2),
        layers.SeparableConv1D(3, 2, padding="same"),
    )
    b.add(
        image,
        layers.Conv2D(2, (3, 2), padding="same", strides=(2, 1)),
        layers.Conv2D(3, 2, dilation_rate=2, use_bias=False),
        layers.Conv2DTranspose(2, 3, strides=2, output_padding=1, padding="valid"),
        layers.DepthwiseConv2D(2, strides=2, activation="tanh"),
        layers.SeparableConv2D(2, 2, depth_multiplier=2),
    )
    b.add(body, layers.Conv3D(2, 2), layers.Conv3DTranspose(1, 2, strides=2))
    return b.done()


def pooling():
    b = Branches()
    line, image, body = b.input(6, 2), b.input(5, 4, 2), b.input(3, 3, 3, 1)
    b.add(line, layers.MaxPooling1D(2), layers.AveragePooling1D(3, 2, padding="same"), layers.GlobalMaxPooling1D(),
          layers.GlobalAveragePooling1D(keepdims=True))
    b.add(image, layers.MaxPooling2D((2, 1), padding="same"), layers.AveragePooling2D(2), layers.GlobalMaxPooling2D(keepdims=True),
          layers.GlobalAveragePooling2D())
    b.add(body, layers.MaxPooling3D(2), layers.AveragePooling3D(2, 1), layers.GlobalMaxPooling3D(), layers.GlobalAveragePooling3D())
    if hasattr(layers, "AdaptiveMaxPooling2D"):
        b.add(line, layers.AdaptiveMaxPooling1D(3), layers.AdaptiveAveragePooling1D(4))
        b.add(image, layers.AdaptiveMaxPooling2D((2, 3)), layers.AdaptiveAveragePooling2D(2))
        b.add(body, layers.AdaptiveMaxPooling3D(2), layers.AdaptiveAveragePooling3D((1, 2, 3)))
    return b.done()


def normalization():
    b = Branches()
    x, image = b.input(6), b.input(3, 2, 4)
    b.add(
        x,
        layers.BatchNormalization(),
        layers.BatchNormalization(center=False, epsilon=0.01, momentum=0.9),
        layers.BatchNormalization(scale=False),
        layers.LayerNormalization(),
        layers.LayerNormalization(center=False, epsilon=0.1),
        layers.UnitNormalization(),
        layers.SpectralNormalization(layers.Dense(3)),
    )
    b.add(
        image,
        layers.BatchNormalization(axis=1),
        layers.LayerNormalization(axis=[1, 3]),
        layers.GroupNormalization(2),
        layers.GroupNormalization(-1, scale=False),
        layers.SpectralNormalization(layers.Conv2D(2, 2), power_iterations=2),
    )
    if hasattr(layers, "RMSNormalization"):
        b.add(image, layers.RMSNormalization(epsilon=0.01))
    return b.done()


def recurrent():
    b = Branches()
    x, images, lines = b.input(4, 3), b.input(3, 4, 4, 2), b.input(3, 4, 2)
    cells = lambda: [layers.LSTMCell(2), layers.GRUCell(3), layers.LSTMCell(2)]
    b.add(
        x,
        layers.SimpleRNN(2, return_sequences=True),
        layers.LSTM(2, return_state=True),
        layers.LSTM(3, unit_forget_bias=False, use_bias=False, recurrent_activation="hard_sigmoid"),
        layers.GRU(2, go_backwards=True, return_sequences=True),
        layers.GRU(2, reset_after=False),
        layers.RNN(layers.GRUCell(2)),
        layers.RNN(cells(), return_state=IS_NEW),
        layers.RNN(layers.StackedRNNCells([layers.SimpleRNNCell(2), layers.SimpleRNNCell(3)])),
        layers.Bidirectional(layers.LSTM(2)),
        layers.Bidirectional(layers.GRU(2, return_sequences=True), merge_mode="sum"),
        layers.Bidirectional(layers.RNN(layers.SimpleRNNCell(2)), merge_mode=None if IS_NEW else "ave"),
        layers.Bidirectional(layers.LSTM(2), backward_layer=layers.LSTM(2, go_backwards=True, activation="relu"), merge_mode="mul"),
        layers.TimeDistributed(layers.Dense(2)),
    )
    if IS_NEW:
        b.add(x, layers.TimeDistributed(Sequential([layers.Dense(3), layers.BatchNormalization(), layers.Dense(2)])))
    b.add(images, layers.ConvLSTM2D(1, 2), layers.TimeDistributed(layers.Conv2D(2, 2)))
    b.add(lines, layers.ConvLSTM1D(2, 2, return_sequences=True))
    return b.done()


def attention():
    b = Branches()
    q, v, k = b.input(3, 4), b.input(5, 4), b.input(5, 4)
    add = lambda y: b.outputs.extend(y if isinstance(y, (list, tuple)) else [y])
    add(layers.Attention()([q, v]))
    add(layers.Attention(use_scale=True, score_mode="concat")([q, v, k]))
    add(layers.AdditiveAttention()([q, v, k]))
    add(layers.MultiHeadAttention(2, 3)(q, v))
    if IS_NEW:
        add(layers.MultiHeadAttention(2, 3, output_shape=5, use_bias=False)(q, v, k))
    add(layers.MultiHeadAttention(2, 2)(q, value=v, key=k, return_attention_scores=True))
    add(layers.MultiHeadAttention(1, 2)(q, q, use_causal_mask=True))
    if hasattr(layers, "GroupQueryAttention"):
        add(layers.GroupQueryAttention(2, 4, 2)(q, v, k))
    return b.done()


def merging():
    b = Branches()
    x, y, z = b.input(3, 4), b.input(3, 4), b.input(3, 4)
    for made in (layers.Add(), layers.Average(), layers.Maximum(), layers.Minimum(), layers.Multiply()):
        b.outputs.append(made([x, y, z]))
    b.outputs.append(layers.Subtract()([x, y]))
    b.outputs.append(layers.Concatenate()([x, y, z]))
    b.outputs.append(layers.Concatenate(axis=1)([x, y]))
    b.outputs.append(layers.Dot(axes=2)([x, y]))
    b.outputs.append(layers.Dot(axes=(1, 1), normalize=True)([x, y]))
    return b.done()


def reshaping():
    b = Branches()
    x, line, image, body = b.input(6), b.input(4, 3), b.input(4, 3, 2), b.input(2, 2, 2, 1)
    b.add(x, layers.Reshape((3, 2)), layers.Reshape((-1, 2)), layers.RepeatVector(2))
    b.add(line, layers.Flatten(), layers.Permute((2, 1)), layers.Cropping1D((1, 2)), layers.ZeroPadding1D(1), layers.UpSampling1D(2))
    b.add(
        image,
        layers.Cropping2D(((1, 0), (0, 1))),
        layers.ZeroPadding2D((1, 2)),
        layers.UpSampling2D((2, 1)),
        layers.UpSampling2D(2, interpolation="bilinear"),
        layers.Flatten(),
    )
    b.add(body, layers.Cropping3D(((1, 0), (0, 1), (0, 0))), layers.ZeroPadding3D(1), layers.UpSampling3D((1, 2, 1)))
    return b.done()


def regularization():
    b = Branches()
    x, line, image, body = b.input(6), b.input(4, 3), b.input(4, 3, 2), b.input(2, 2, 2, 1)
    b.add(x, layers.Dropout(0.5, seed=3), layers.Dropout(0.25), layers.GaussianDropout(0.5), layers.GaussianNoise(0.1))
    if hasattr(layers, "AlphaDropout"):
        b.add(x, layers.AlphaDropout(0.2))
    b.add(line, layers.Dropout(0.5, noise_shape=(None, 1, 3)), layers.SpatialDropout1D(0.3))
    b.add(image, layers.SpatialDropout2D(0.3))
    b.add(body, layers.SpatialDropout3D(0.3, seed=1))
    b.add(line, layers.LSTM(2, dropout=0.2, recurrent_dropout=0.1), layers.Dense(2))
    return b.done()


def preprocessing():
    b = Branches()
    x, image, ids, wave = b.input(3), b.input(6, 6, 3), b.input(4, dtype="int32"), b.input(64)
    adapted = layers.Normalization()
    adapted.adapt(values((8, 3), 5))
    whole = layers.Normalization(axis=None)
    whole.adapt(values((8, 3), 6))
    b.add(
        x,
        layers.Rescaling(0.5, offset=1),
        layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 9.0, 1.0]),
        adapted,
        whole,
        layers.Discretization(bin_boundaries=[-0.5, 0.0, 0.5]),
    )
    b.add(image, layers.CenterCrop(4, 2), layers.Resizing(3, 4), layers.Resizing(3, 3, interpolation="nearest", crop_to_aspect_ratio=True),
          layers.RandomFlip("horizontal"), layers.RandomRotation(0.1, fill_mode="nearest"), layers.RandomZoom((-0.2, 0.1)),
          layers.RandomTranslation(0.1, 0.2), layers.RandomContrast(0.2), layers.RandomBrightness(0.1, value_range=(0, 1)))
    for name in "AutoContrast Equalization Solarization RandomGrayscale RandomInvert RandomHue RandomSaturation RandomSharpness RandomColorDegeneration RandomColorJitter RandomPosterization RandomShear RandomPerspective RandomElasticTransform RandomErasing RandomGaussianBlur CutMix MixUp RandAugment AugMix ContrastLimitedAdaptiveHistogramEqualization".split():
        if not hasattr(layers, name):
            continue
        given = {"RandomPosterization": [4], "RandomSharpness": [0.5], "RandomHue": [0.2], "RandomSaturation": [0.3],
                 "RandomColorDegeneration": [0.5], "RandomInvert": [0.5]}.get(name, [])
        if name in ("AutoContrast", "Equalization", "Solarization", "ContrastLimitedAdaptiveHistogramEqualization"):
            continue
        b.add(image, getattr(layers, name)(*given))
    b.add(ids, layers.CategoryEncoding(7, output_mode="multi_hot"), layers.CategoryEncoding(7, output_mode="count"))
    if hasattr(layers, "MelSpectrogram"):
        b.add(wave, layers.MelSpectrogram(fft_length=32, sequence_stride=16, sequence_length=32, num_mel_bins=4, sampling_rate=64, power_to_db=False,
                                          min_freq=1, max_freq=30))
    if hasattr(layers, "STFTSpectrogram"):
        b.add(layers.Reshape((64, 1))(wave), layers.STFTSpectrogram(mode="log", frame_length=16, frame_step=8, fft_length=16))
    return b.done()


# ---------------------------------------------------------------- graphs


def graph():
    """Shared and nested layers, several inputs and outputs by name, ops, operators, masks."""
    a, b, ids = Input((4,), name="a"), Input((4,), name="b"), Input((5,), dtype="int32", name="ids")
    shared = layers.Dense(4, name="shared", activation="tanh")
    inner_in = Input((4,))
    inner = Model(inner_in, layers.Dense(3)(layers.Dense(4, activation="relu")(inner_in)), name="inner")
    tower = Sequential([layers.Dense(3, activation="relu"), inner_free := layers.Dense(4)], name="tower")
    u, v = shared(a), shared(b)
    w = shared(u + v * 2)
    deep = inner(w) - inner(a)
    words = layers.Embedding(7, 3, mask_zero=True)(ids)
    read = layers.LSTM(4)(words)
    spread = layers.Bidirectional(layers.GRU(2, return_sequences=True))(words)
    pooled = layers.GlobalAveragePooling1D()(spread)
    seen = layers.MultiHeadAttention(2, 2)(spread, spread)
    cut = ops.sum(seen[:, 1:3], axis=1, keepdims=False)
    outputs = {
        "z": ops.concatenate([deep, tower(a)], axis=-1),
        "y": layers.Dense(2)(layers.Concatenate()([read, pooled, cut])),
        "x": tower(ops.maximum(u, 0.25) / (1 + ops.square(v))),
    }
    del inner_free
    model = randomize(Model({"b": b, "a": a, "ids": ids}, outputs))
    return model, {"a": values((3, 4)), "b": values((3, 4), 1), "ids": numbers((3, 5))}


def operations():
    """Calls of ops on symbols, with literal numbers and options."""
    x, y, ids = Input((3, 4), name="x"), Input((3, 4), name="y"), Input((3,), dtype="int32", name="ids")
    positive = ops.abs(x) + 0.5
    outputs = [
        x + y, 1 - x, x * 0.5, x / 2, -x, x**2, x[:, 1], x[..., ::2], x[:, -1, None], x @ ops.transpose(y, (0, 2, 1)),
        ops.exp(x), ops.log(positive), ops.sqrt(positive), ops.square(x), ops.tanh(x), ops.sin(x), ops.floor(x * 3), ops.sign(x),
        ops.maximum(x, y), ops.minimum(x, 0.1), ops.clip(x, -0.5, 0.5), ops.where(x > y, x, y), ops.power(positive, 1.5),
        ops.sum(x, axis=-1), ops.mean(x, axis=(1, 2)), ops.max(x, axis=1, keepdims=True), ops.min(x, axis=2), ops.var(x, axis=1),
        ops.std(x, axis=-1), ops.prod(x, axis=1), ops.argmax(x, axis=-1), ops.cumsum(x, axis=1), ops.logsumexp(x, axis=-1),
        ops.reshape(x, (-1, 12)), ops.transpose(x, (0, 2, 1)), ops.expand_dims(x, -1), ops.squeeze(ops.expand_dims(x, 1), 1),
        ops.concatenate([x, y], axis=1), ops.stack([x, y], axis=1), ops.repeat(x, 2, axis=1), ops.tile(x, (1, 2, 1)),
        ops.flip(x, axis=1), ops.roll(x, 1, axis=2), ops.pad(x, ((0, 0), (1, 0), (0, 2))), ops.swapaxes(x, 1, 2),
        *ops.split(x, 2, axis=-1),
        ops.matmul(x, ops.swapaxes(y, 1, 2)), ops.einsum("bij,bkj->bik", x, y), ops.dot(x, np.float32(2.0)) if False else ops.multiply(x, 2),
        ops.relu(x), ops.sigmoid(x), ops.softmax(x, axis=1), ops.gelu(x, approximate=False), ops.leaky_relu(x, negative_slope=0.3),
        ops.one_hot(ids, 7), ops.take(x, [0, 2], axis=1), ops.cast(ids, "float32") * 0.5,
        ops.cast(ops.greater(x, y), "float32"), ops.cast(ops.logical_and(x > 0, y > 0), "int32"), ops.isnan(x) if False else ops.zeros_like(x),
        ops.ones_like(x) * x, ops.moveaxis(x, 1, 2), ops.rsqrt(positive), ops.erf(x),
        ops.tril(x), ops.average(x, axis=1), ops.absolute(x), ops.logical_not(x > 0), ops.floor_divide(x, 0.3), ops.mod(x, 0.3),
    ]
    return randomize(Model([x, y, ids], outputs)), [values((2, 3, 4)), values((2, 3, 4), 1), numbers((2, 3))]


def former():
    """What functional models of Keras 2 can have: no ops, masks without nodes, tensors among keywords."""
    a, b, ids = Input((4,), name="a"), Input((3, 4), name="b"), Input((5,), dtype="int32", name="ids")
    shared = layers.Dense(4, name="shared", activation="tanh")
    inner_in = Input((4,))
    inner = Model(inner_in, layers.Dense(4)(layers.Dense(3, activation="relu")(inner_in)), name="inner")
    tower = Sequential([Input((4,)), layers.Dense(3, activation="relu"), layers.Dense(2)], name="tower")
    deep = shared(inner(shared(a)))
    state = layers.Dense(2)(deep)
    words = layers.Embedding(7, 4, mask_zero=True)(ids)
    seen = layers.MultiHeadAttention(2, 2)(query=words, value=b) if False else layers.MultiHeadAttention(2, 2)(words, b)
    read = layers.GRU(2)(words, initial_state=state)
    last, h, c = layers.LSTM(2, return_state=True)(b, initial_state=[state, read])
    outputs = {
        "z": layers.Concatenate()([last, h, c, tower(deep)]),
        "y": layers.Dense(1)(layers.GlobalAveragePooling1D()(seen)),
        "x": inner(deep),
    }
    model = Model([a, b, ids], [outputs["z"], outputs["y"], outputs["x"]])
    return randomize(model), [values((3, 4)), values((3, 3, 4), 1), numbers((3, 5))]


def states():
    """Masked sequences with initial states: Keras 3 passes such calls no mask by itself, but their outputs carry it, which the loss reads."""
    ids, x, state = Input((5,), dtype="int32", name="ids"), Input((3, 4), name="x"), Input((2,), name="state")
    words = layers.Embedding(7, 4, mask_zero=True)(ids)
    steps = layers.Masking(0.2)(x)
    mask = ops.not_equal(ids, 0)
    outputs = [
        layers.GRU(2, return_sequences=True)(words, initial_state=state),
        layers.GRU(2)(words, initial_state=[state], mask=mask),
        layers.LSTM(2)(steps, initial_state=[state, state]),
        layers.Bidirectional(layers.SimpleRNN(2, return_sequences=True))(words, initial_state=[state, state]),
        layers.LSTM(2, return_sequences=True)(words),
    ]
    model = Model([ids, x, state], [layers.Dense(2)(each) for each in outputs])
    data = [numbers((3, 5)), values((3, 3, 4), 1), values((3, 2), 2)]
    data[1][0, 1] = 0.2
    return randomize(model), data


FAMILIES = [core, activations, convolutional, pooling, normalization, recurrent, attention, merging, reshaping, regularization,
            preprocessing, graph, operations, former, states]


def frozen_gamma():
    """A single weight is frozen, which no configuration has: gamma comes after beta, among the weights that are not trained."""
    model = Sequential([Input((3,)), layers.BatchNormalization(name="norm"), layers.Dense(2, name="out")], name="frozen_gamma")
    randomize(model)
    model.get_layer("norm").gamma.trainable = False
    return model, values((2, 3))


def frozen_inner():
    """A frozen layer in a nested model, and a model that is frozen but for an inner layer."""
    x = Input((3,), name="x")
    first, norm, second = layers.Dense(3, name="first"), layers.BatchNormalization(name="norm"), layers.Dense(3, name="second")
    one = Model(x, second(norm(first(x))), name="one")
    third, fourth = layers.Dense(3, name="third"), layers.Dense(3, name="fourth")
    other = Sequential([Input((3,)), third, fourth], name="other")
    model = Model(x, other(one(x)), name="frozen_inner")
    randomize(model)
    first.trainable = False
    other.trainable = False
    fourth.trainable = True
    return model, values((2, 3))


# Models of which only .h5 files depend on what is frozen.
FROZEN = [frozen_gamma, frozen_inner] if IS_NEW and not IS_FORMER else []


def main(folder, *names):
    for family in [*FAMILIES, *FROZEN]:
        if names and family.__name__ not in names:
            continue
        keras.backend.clear_session()
        model, x = family()
        more = {"weights": {each.path: plain(each.numpy()) for each in model.weights}} if family in FROZEN else {}
        if family is states:
            model.compile(loss="mse")
            more["loss"] = float(model.evaluate(x, [np.zeros_like(y) for y in model.predict(x, verbose=0)], verbose=0)[0])
        extension = "h5" if family in FROZEN else os.environ.get("EXTENSION", "keras")
        write(HERE / folder, family.__name__, model, x, extension, **more)


if __name__ == "__main__":
    main(*sys.argv[1:])
