"""Writes members.json: the public members of the objects of Keras, with the parameters of their methods.

Usage: python members.py

`bases` has the members that all objects of a kind have; `classes` what each class adds. A method is the list of its
parameters, a property or an attribute is null. Layers that need TensorFlow are read from their source.
"""

import ast
import inspect
import json
import textwrap
import warnings

from common import HERE  # first: it chooses the backend
import keras
import numpy as np
from keras import callbacks, constraints, initializers, layers, losses, metrics, optimizers, regularizers
from keras.optimizers import schedules

warnings.simplefilter("ignore")

# Members that Python or the tools of Keras's sources add to every object.
PRIVATE = {"jax_state_sync"}


def parameters(value):
    try:
        each = list(inspect.signature(value).parameters.values())
    except (TypeError, ValueError):
        return []
    marks = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return [marks.get(one.kind, "") + one.name for one in each if one.name not in ("self", "cls")]


def is_method(of, name):
    """Whether the class defines the member as a method; properties and attributes that are functions are values."""
    found = inspect.getattr_static(of, name, None)
    return callable(found) or isinstance(found, (classmethod, staticmethod))


def members(made):
    of = type(made)
    names = [name for name in dir(made) if not name.startswith("_") and name not in PRIVATE]
    return {name: parameters(getattr(made, name)) if is_method(of, name) else None for name in names}


def members_in_source(of):
    """The members of a class whose objects cannot be made: those of the class, and what its constructor assigns."""
    found = {
        name: parameters(getattr(of, name)) if is_method(of, name) else None for name in dir(of) if not name.startswith("_")
    }
    for each in of.__mro__:
        if each is object or not each.__module__.startswith("keras"):
            continue
        if "__init__" not in vars(each):
            continue
        for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(each.__init__)))):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and getattr(node.value, "id", "") == "self":
                if not node.attr.startswith("_"):
                    found.setdefault(node.attr, None)
    return found


dense = lambda: layers.Dense(2)

# The arguments of classes that need some.
ARGUMENTS = {
    "AveragePooling1D": (2,), "AveragePooling2D": (2,), "AveragePooling3D": (2,),
    "RandomColorDegeneration": (0.5,), "RandomPosterization": (4,),
    "AdaptiveAveragePooling1D": (2,), "AdaptiveAveragePooling2D": (2,), "AdaptiveAveragePooling3D": (2,),
    "AdaptiveMaxPooling1D": (2,), "AdaptiveMaxPooling2D": (2,), "AdaptiveMaxPooling3D": (2,),
    "Activation": ("relu",), "Bidirectional": lambda: (layers.LSTM(2),), "CategoryEncoding": (2,),
    "CenterCrop": (2, 2), "Conv1D": (2, 2), "Conv2D": (2, 2), "Conv3D": (2, 2),
    "Conv1DTranspose": (2, 2), "Conv2DTranspose": (2, 2), "Conv3DTranspose": (2, 2),
    "ConvLSTM1D": (2, 2), "ConvLSTM2D": (2, 2), "ConvLSTM3D": (2, 2),
    "Dense": (2,), "DepthwiseConv1D": (2,), "DepthwiseConv2D": (2,), "Dot": (1,), "Dropout": (0.5,),
    "Discretization": lambda: {"num_bins": 2},
    "EinsumDense": ("ab,bc->ac", 2), "Embedding": (2, 2), "ReversibleEmbedding": (2, 2),
    "GRU": (2,), "GRUCell": (2,), "LSTM": (2,), "LSTMCell": (2,), "SimpleRNN": (2,), "SimpleRNNCell": (2,),
    "GaussianDropout": (0.5,), "GaussianNoise": (0.5,), "AlphaDropout": (0.5,),
    "GroupQueryAttention": (2, 2, 1), "MultiHeadAttention": (2, 2), "Hashing": (2,), "HashedCrossing": (2,),
    "InputLayer": ((2,),), "Lambda": lambda: (lambda x: x,), "MaxNumBoundingBoxes": (2,),
    "Permute": ((1,),), "Pipeline": lambda: ([dense()],), "RNN": lambda: (layers.LSTMCell(2),),
    "RandomBrightness": (0.5,), "RandomContrast": (0.5,), "RandomCrop": (2, 2), "RandomHue": (0.5,), "RandomRotation": (0.5,),
    "RandomSaturation": (0.5,), "RandomSharpness": (0.5,), "RandomTranslation": (0.5, 0.5), "RandomZoom": (0.5,),
    "RepeatVector": (2,), "Rescaling": (0.5,), "Reshape": ((2,),), "Resizing": (2, 2), "SeparableConv1D": (2, 2),
    "SeparableConv2D": (2, 2), "SpatialDropout1D": (0.5,), "SpatialDropout2D": (0.5,), "SpatialDropout3D": (0.5,),
    "SpectralNormalization": lambda: (dense(),), "StackedRNNCells": lambda: ([layers.LSTMCell(2)],),
    "TimeDistributed": lambda: (dense(),), "Wrapper": lambda: (dense(),), "MelSpectrogram": (), "STFTSpectrogram": (),
    "MeanMetricWrapper": lambda: (lambda y, p: y,), "IoU": (2, (0,)), "MeanIoU": (2,), "OneHotIoU": (2, (0,)),
    "OneHotMeanIoU": (2,), "PrecisionAtRecall": (0.5,), "RecallAtPrecision": (0.5,), "SensitivityAtSpecificity": (0.5,),
    "SpecificityAtSensitivity": (0.5,), "LossScaleOptimizer": lambda: (optimizers.SGD(),), "MultiOptimizer": lambda: ([(optimizers.SGD(), []), (optimizers.Adam(), [])],),
    "CosineDecay": (0.1, 2), "CosineDecayRestarts": (0.1, 2), "ExponentialDecay": (0.1, 2, 0.5),
    "InverseTimeDecay": (0.1, 2, 0.5), "PiecewiseConstantDecay": ([1], [0.1, 0.2]), "PolynomialDecay": (0.1, 2),
    "BackupAndRestore": ("folder",), "CSVLogger": ("file.csv",), "ModelCheckpoint": ("file.keras",),
    "LearningRateScheduler": lambda: (lambda epoch: 0.1,), "OrthogonalRegularizer": (),
    "GroupNormalization": (1,), "ZeroPadding1D": (), "UpSampling1D": (),
}

# Objects that cannot be made: other frameworks, bases without a constructor, and lists of others.
LEFT_OUT = {
    "FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper", "InputSpec", "OrbaxCheckpoint", "CallbackList",
    "ProgbarLogger", "RemoteMonitor", "LearningRateSchedule",
}


def made(of):
    given = ARGUMENTS.get(of.__name__, ())
    given = given() if callable(given) else given
    return of(**given) if isinstance(given, dict) else of(*given)


# Inputs on which layers are built; the first that one takes.
SHAPES = [((4,),), ((3, 4),), ((4, 4, 2),), ((4, 4, 4, 2),), ((3, 4, 4, 2),), ((3, 4, 4, 4, 2),)]


def built(of):
    """An object of the class; a layer with its weights, if it takes one of the inputs."""
    if issubclass(of, layers.Layer) and of is not layers.Layer:
        for shapes in [*SHAPES, ((4,), (4,)), ((3, 4), (3, 4))]:
            made_one = made(of)
            symbols = [keras.Input(shape) for shape in shapes]
            inputs = symbols if len(symbols) > 1 or issubclass(of, layers.GroupQueryAttention) else symbols[0]
            try:
                made_one(*symbols) if of.__name__ in ("MultiHeadAttention", "GroupQueryAttention") else made_one(inputs)
                return made_one
            except (ValueError, TypeError, AttributeError, IndexError, NotImplementedError):
                continue
    return made(of)


def found(of):
    try:
        return members(built(of))
    except ImportError:
        return members_in_source(of)


def added(of, base):
    """What a class has besides its base; `call` also if it takes other arguments."""
    return {name: each for name, each in found(of).items() if name not in base or (name == "call" and each != base[name])}


def classes(module, base, kind):
    each = {name: of for name, of in vars(module).items() if inspect.isclass(of) and issubclass(of, kind)}
    # A second name of a class.
    each = {name: of for name, of in each.items() if of.__name__ == name and name not in LEFT_OUT and of is not kind}
    return {name: added(of, base) for name, of in sorted(each.items())}


def models():
    symbol = keras.Input((4,))

    class Own(keras.Model):
        def call(self, x):
            return x

    sequential = keras.Sequential([keras.Input((4,)), dense()])
    sequential.compile("adam", "mse")
    functional = keras.Model(symbol, dense()(symbol))
    functional.compile("adam", "mse")
    own = Own()
    own.compile("adam", "mse")
    for model in (sequential, functional):
        model.fit(np.zeros((4, 4)), np.zeros((4, 2)), verbose=0)
    own.fit(np.zeros((4, 4)), np.zeros((4, 4)), verbose=0)
    return {"Model": own, "Sequential": sequential, "Functional": functional}


def main():
    class OwnLoss(losses.Loss):
        def call(self, y_true, y_pred):
            return y_true

    trained = models()
    singles = {
        "Layer": layers.Layer(),
        "Optimizer": optimizers.Optimizer(learning_rate=0.1),
        "Loss": OwnLoss(),
        "Metric": metrics.Metric(),
        "Callback": callbacks.Callback(),
        "Initializer": initializers.Initializer(),
        "Regularizer": regularizers.Regularizer(),
        "Constraint": constraints.Constraint(),
        "Schedule": schedules.LearningRateSchedule(),
        "Variable": keras.Variable([1.0, 2.0]),
        "KerasTensor": keras.Input((3,)),
        "SeedGenerator": keras.random.SeedGenerator(1),
        "DTypePolicy": keras.DTypePolicy("float32"),
    }
    bases = {name: members(each) for name, each in singles.items()}
    known = members(layers.Layer())
    for name, model in trained.items():
        bases[name] = {member: each for member, each in members(model).items() if member not in known}
        if name == "Model":
            known |= bases[name]
    spaces = {
        "layers": (layers, "Layer", layers.Layer),
        "losses": (losses, "Loss", losses.Loss),
        "metrics": (metrics, "Metric", metrics.Metric),
        "optimizers": (optimizers, "Optimizer", optimizers.Optimizer),
        "schedules": (schedules, "Schedule", schedules.LearningRateSchedule),
        "callbacks": (callbacks, "Callback", callbacks.Callback),
        "initializers": (initializers, "Initializer", initializers.Initializer),
        "regularizers": (regularizers, "Regularizer", regularizers.Regularizer),
        "constraints": (constraints, "Constraint", constraints.Constraint),
    }
    classes_of = {space: classes(module, bases[base], kind) for space, (module, base, kind) in spaces.items()}
    text = ",\n".join(
        f' "{part}": {{\n'
        + ",\n".join(f'  "{name}": {json.dumps(each, separators=(",", ":"))}' for name, each in content.items())
        + "\n }"
        for part, content in [("bases", bases), *classes_of.items()]
    )
    (HERE / "members.json").write_text(f'{{\n "keras": "{keras.__version__}",\n{text}\n}}\n')


if __name__ == "__main__":
    main()
