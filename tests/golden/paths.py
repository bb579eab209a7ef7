"""Writes paths.json: the paths of layers and weights in models of Keras, and what layers require of their inputs (input_spec).

The models are named; tests/models/paths.test.ts makes the same ones. Never reads anything of myelin. How to run it: README.md.
"""

from common import build, camel, spec, write

import keras
from keras import layers, ops


def path_of(text):
    return text and "/".join(camel(part) for part in text.split("/"))


def required(of):
    """InputSpec as a record of what it requires."""
    if of is None:
        return None
    if isinstance(of, (list, tuple)):
        return [required(each) for each in of]
    found = {"shape": of.shape and list(of.shape), "dtype": of.dtype, "minNdim": of.min_ndim, "maxNdim": of.max_ndim}
    if of.shape is None:
        found["ndim"] = of.ndim
    found["axes"] = {str(axis): extent for axis, extent in of.axes.items()}
    return {key: value for key, value in found.items() if value not in (None, {})}


class Lazy(layers.Layer):
    """Its inner layers are built by the first call."""

    def __init__(self, **options):
        super().__init__(**options)
        self.first = layers.Dense(3, name="first")
        self.second = keras.Sequential([layers.Dense(2, name="last")], name="second")

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(4,), name="scale")
        self.count = keras.Variable(0.0, name="count", trainable=False)

    def call(self, x):
        return self.second(self.first(x * self.scale))


class Early(layers.Layer):
    """Makes its weight and a variable in the constructor, and builds its inner layer itself."""

    def __init__(self, **options):
        super().__init__(**options)
        self.inner = layers.Dense(2, name="inner")
        self.scale = self.add_weight(shape=(4,), name="scale")
        self.count = keras.Variable(0.0, name="count", trainable=False)

    def build(self, input_shape):
        self.inner.build(input_shape)

    def call(self, x):
        return self.inner(x * self.scale)


class Own(keras.Model):
    def __init__(self, **options):
        super().__init__(**options)
        self.part = Lazy(name="part")
        self.head = layers.Dense(1, name="head")

    def call(self, x):
        return self.head(self.part(x))


def dense(units=3, name="d"):
    return layers.Dense(units, name=name)


def chain(parts, name="s", shape=(4,)):
    return keras.Sequential([layers.Input(shape), *parts], name=name)


def called(model, shape=(1, 4)):
    model(ops.ones(shape))
    return model


def built(model, shape=(None, 4)):
    model.build(shape)
    return model


def functional(parts, name="f", shape=(4,)):
    first = x = layers.Input(shape)
    for part in parts:
        x = part(x)
    return keras.Model(first, x, name=name)


def built_before():
    layer = dense()
    layer.build((None, 4))
    return chain([layer, dense(2, "e")])


def shared():
    layer = dense(4, "d")
    chain([layer], "a")
    return chain([layer, dense(2, "e")], "b")


def grown():
    model = built(keras.Sequential([dense()], name="s"))
    model.add(dense(2, "e"))
    return model


def grown_inside():
    inner = keras.Sequential([dense()], name="inner")
    chain([inner], "outer")
    inner.add(dense(2, "e"))
    return inner


def part_of_model():
    x = layers.Input((4,))
    y = dense()(x)
    keras.Model(x, dense(2, "e")(y), name="whole")
    return keras.Model(x, y, name="part")


def with_lora():
    model = chain([dense()])
    model.layers[0].enable_lora(2)
    return model


def cells():
    return layers.RNN([layers.LSTMCell(3, name="c"), layers.GRUCell(2, name="e")], name="rnn")


MODELS = {
    "builtLate": lambda: built(keras.Sequential([dense(), dense(2, "e")], name="s")),
    "builtByData": lambda: called(keras.Sequential([dense()], name="s")),
    "withInput": lambda: chain([dense(), layers.BatchNormalization(name="b"), layers.Dropout(0.5, name="drop")]),
    "layerBuiltBefore": built_before,
    "functional": lambda: functional([dense(), dense(2, "e")]),
    "innerBuiltLate": lambda: chain([keras.Sequential([dense()], name="inner"), dense(1, "e")], "outer"),
    "innerBuiltBefore": lambda: chain([chain([dense()], "inner"), dense(1, "e")], "outer"),
    "innerOfFunctional": lambda: functional([keras.Sequential([dense()], name="inner"), dense(1, "e")]),
    "functionalInside": lambda: chain([functional([dense()], "inner"), dense(1, "e")], "outer"),
    "shared": shared,
    "grown": grown,
    "grownInside": grown_inside,
    "partOfModel": part_of_model,
    "clone": lambda: keras.models.clone_model(chain([dense()])),
    "lazy": lambda: chain([Lazy(name="own")]),
    "lazyInFunctional": lambda: functional([Lazy(name="own")]),
    "early": lambda: chain([Early(name="own")]),
    "ownModel": lambda: called(Own(name="own")),
    "lora": with_lora,
    "bidirectional": lambda: chain([layers.Bidirectional(layers.LSTM(3, name="l"), name="bi")], shape=(5, 4)),
    "recurrent": lambda: chain(
        [layers.GRU(3, name="g", return_sequences=True), layers.SimpleRNN(3, name="r", return_sequences=True), cells()], shape=(5, 4)
    ),
    "convLstm": lambda: chain([layers.ConvLSTM1D(2, 3, name="c")], shape=(5, 6, 2)),
    "timeDistributed": lambda: chain([layers.TimeDistributed(dense(), name="t")], shape=(5, 4)),
    "spectral": lambda: chain([layers.SpectralNormalization(dense(), name="n")]),
}

IMAGE, STEPS, VOLUME = [6, 6, 2], [6, 2], [6, 6, 6, 2]
LAYERS = [
    (spec("Dense", units=3), [4]),
    (spec("Dense", units=3), [5, 4]),
    (spec("EinsumDense", equation="abc,cd->abd", outputShape=[None, 5]), STEPS),
    (spec("Embedding", inputDim=10, outputDim=3), [4]),
    (spec("Conv1D", filters=3, kernelSize=2), STEPS),
    (spec("Conv2D", filters=3, kernelSize=2), IMAGE),
    (spec("Conv2D", filters=3, kernelSize=2, dataFormat="channelsFirst"), [2, 6, 6]),
    (spec("Conv3D", filters=3, kernelSize=2), VOLUME),
    (spec("Conv1DTranspose", filters=3, kernelSize=2), STEPS),
    (spec("Conv2DTranspose", filters=3, kernelSize=2), IMAGE),
    (spec("DepthwiseConv1D", kernelSize=2), STEPS),
    (spec("DepthwiseConv2D", kernelSize=2), IMAGE),
    (spec("SeparableConv1D", filters=3, kernelSize=2), STEPS),
    (spec("SeparableConv2D", filters=3, kernelSize=2), IMAGE),
    (spec("MaxPooling1D", poolSize=2), STEPS),
    (spec("AveragePooling2D", poolSize=2), IMAGE),
    (spec("MaxPooling3D", poolSize=2), VOLUME),
    (spec("GlobalMaxPooling1D"), STEPS),
    (spec("GlobalAveragePooling2D"), IMAGE),
    (spec("GlobalAveragePooling3D"), VOLUME),
    (spec("AdaptiveAveragePooling2D", outputSize=2), IMAGE),
    (spec("AdaptiveMaxPooling1D", outputSize=2), STEPS),
    (spec("Cropping1D"), STEPS),
    (spec("Cropping2D", cropping=1), IMAGE),
    (spec("ZeroPadding1D"), STEPS),
    (spec("ZeroPadding3D"), VOLUME),
    (spec("UpSampling1D"), STEPS),
    (spec("UpSampling2D"), IMAGE),
    (spec("Flatten"), STEPS),
    (spec("Reshape", targetShape=[12]), STEPS),
    (spec("Permute", dims=[2, 1]), STEPS),
    (spec("RepeatVector", n=2), [4]),
    (spec("Masking"), STEPS),
    (spec("Activation", activation="relu"), [4]),
    (spec("ReLU"), [4]),
    (spec("LeakyReLU"), [4]),
    (spec("PReLU"), [5, 4]),
    (spec("PReLU", sharedAxes=[1]), [5, 4]),
    (spec("Softmax"), [4]),
    (spec("Dropout", rate=0.5), [4]),
    (spec("SpatialDropout1D", rate=0.5), STEPS),
    (spec("SpatialDropout2D", rate=0.5), IMAGE),
    (spec("SpatialDropout3D", rate=0.5), VOLUME),
    (spec("GaussianNoise", stddev=0.5), [4]),
    (spec("BatchNormalization"), [5, 4]),
    (spec("BatchNormalization", axis=1), [5, 4]),
    (spec("LayerNormalization"), [4]),
    (spec("RMSNormalization"), [4]),
    (spec("GroupNormalization", groups=2), [5, 4]),
    (spec("UnitNormalization"), [4]),
    (spec("SpectralNormalization", layer=spec("Dense", units=3)), [4]),
    (spec("LSTM", units=3), STEPS),
    (spec("GRU", units=3), STEPS),
    (spec("SimpleRNN", units=3), STEPS),
    (spec("RNN", cell=spec("GRUCell", units=3)), STEPS),
    (spec("ConvLSTM1D", filters=3, kernelSize=2), IMAGE),
    (spec("ConvLSTM2D", filters=3, kernelSize=2), [4, 6, 6, 2]),
    (spec("Bidirectional", layer=spec("LSTM", units=3)), STEPS),
    (spec("Bidirectional", layer=spec("SimpleRNN", units=3)), STEPS),
    (spec("TimeDistributed", layer=spec("Dense", units=3)), STEPS),
    (spec("Rescaling", scale=2), IMAGE),
    (spec("CenterCrop", height=2, width=2), IMAGE),
    (spec("RandomFlip"), IMAGE),
]


def model_case(key):
    keras.utils.clear_session()
    model = MODELS[key]()
    found = model._flatten_layers()
    model.compile("sgd", "mse")
    adam = keras.optimizers.Adam()
    adam.build(model.trainable_variables)
    return {
        "name": key,
        # Keras has none for an input, and for some layers without weights
        "layers": sorted({path_of(layer.path) for layer in found if layer.path}),
        "variables": sorted(path_of(each.path) for layer in found for each in layer._trainable_variables + layer._non_trainable_variables),
        "inputSpec": required(model.input_spec),
        "slots": sorted({path_of(each.path.rsplit("_", 1)[0]) for each in adam.variables[2:]}),
    }


def layer_case(described, shape):
    layer = build(layers, described)
    before = required(layer.input_spec)
    layer(keras.KerasTensor((None, *shape)))
    return {"layer": described, "shape": shape, "before": before, "built": required(layer.input_spec)}


write("paths.json", {"models": [model_case(key) for key in MODELS], "layers": [layer_case(*each) for each in LAYERS]})
