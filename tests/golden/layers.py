"""Writes layers/<family>.json: what Keras's layers compute, one file for each folder of src/layers; and embedding.json.

Never reads anything of myelin. The shape of the files is described in format.ts; how to run it: README.md.
"""

import inspect
import sys

from common import FLOAT, build, normal, number, random, snake, spec, tensor, tensors, write

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras.src.backend import get_keras_mask, set_keras_mask
from keras.src.layers.merging.base_merge import Merge


def evaluate(rng, name, described, *inputs, masks=None, initial_state=None, weight_scale=0.4, said=None):
    """One case: the layer called with training = False on one input, or on a list of several."""
    layer = build(keras.layers, described)
    is_list = isinstance(layer, (Merge, keras.layers.Attention))
    # Layers that take their inputs as separate arguments.
    is_apart = isinstance(layer, (keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention))
    shapes = [x.shape for x in inputs]
    layer.build(*shapes) if is_apart else layer.build(shapes if is_list else shapes[0])
    # At most 3 away from 0 before the activation, so that no unit is saturated.
    weights = [normal(rng, w.shape, weight_scale) for w in layer.weights]
    weights = [np.abs(w) + FLOAT(0.25) if "variance" in v.name else w for v, w in zip(layer.weights, weights)]
    layer.set_weights(weights)
    trainable = [jnp.asarray(v.value) for v in layer.trainable_variables]
    parameters = inspect.signature(layer.call).parameters
    options = {"training": False} if "training" in parameters else {}
    given = [None if m is None else jnp.asarray(m) for m in masks or []]
    if masks and "mask" in parameters:
        options["mask"] = given if is_list else given[0]
    if masks and is_apart:
        options.update(zip(("query_mask", "value_mask", "key_mask"), given))
    options.update({snake(k): jnp.asarray(v) if isinstance(v, np.ndarray) else v for k, v in (said or {}).items()})
    state = {} if initial_state is None else {"initial_state": jax.tree_util.tree_map(jnp.asarray, initial_state)}

    def with_masks(xs):
        for x, mask in zip(xs, masks or []):
            if mask is not None:
                set_keras_mask(x, jnp.asarray(mask))
        return [list(xs)] if is_list else list(xs) if is_apart else [xs[0]]

    # Only `call`, without the work of __call__.
    def forward(trainable, xs):
        constants = [v.value for v in layer.non_trainable_variables]
        return layer.stateless_call(trainable, constants, *with_masks(xs), **options, **state)[0]

    def parts(outputs):
        """The output, and its states."""
        first, *states = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        return first, jax.tree_util.tree_leaves(states)

    xs = tuple(jnp.asarray(x) for x in inputs)
    # Keras infers the mask of a single tensor; with a state it must be passed.
    told = options if state else {k: v for k, v in options.items() if k not in ("mask", "query_mask", "value_mask", "key_mask")}
    output, states = parts(layer(*with_masks(xs), **told, **state))
    output_mask, loss = get_keras_mask(output), sum(float(each) for each in layer.losses)
    again, _ = parts(forward(trainable, tuple(jnp.asarray(x) for x in inputs)))
    assert np.allclose(output, again, atol=1e-6), (name, output, again)
    r = normal(rng, output.shape)
    floats = [i for i, x in enumerate(inputs) if np.issubdtype(x.dtype, np.floating)]

    def total(trainable, some):
        all_inputs = list(xs)
        for i, x in zip(floats, some):
            all_inputs[i] = x
        first, others = parts(forward(trainable, tuple(all_inputs)))
        return jnp.sum(first * r) + 0.5 * sum(jnp.sum(each) for each in others)

    gradients, of_inputs = jax.grad(total, argnums=(0, 1))(trainable, [xs[i] for i in floats])
    input_gradients = [None] * len(inputs)
    for i, g in zip(floats, of_inputs):
        input_gradients[i] = tensor(g)
    return {
        "name": name, "layer": described,
        "inputs": [{**tensor(x), "dtype": "float32" if i in floats else "int32"} for i, x in enumerate(inputs)],
        "isList": is_list or is_apart and len(inputs) > 1,
        **({} if said is None else {"said": {k: tensor(v) if isinstance(v, np.ndarray) else v for k, v in said.items()}}),
        "masks": [None if m is None else tensor(m) for m in masks] if masks else None,
        "initialState": None if initial_state is None else tensors(jax.tree_util.tree_leaves(initial_state)),
        "weights": tensors(weights), "output": tensor(output), "states": tensors(states),
        "outputMask": None if output_mask is None else tensor(output_mask),
        "loss": number(loss), "outputWeights": tensor(r),
        "inputGradients": input_gradients, "weightGradients": tensors(gradients)}


def mask_of(rng, shape):
    return rng.random(shape) < 0.6


# ---------------------------------------------------------------- merging


def merging(rng):
    x, y, z = (normal(rng, (3, 4)) for _ in range(3))
    a, b, c = (normal(rng, (2, 3, 4)) for _ in range(3))
    ma, mb, mc = (mask_of(rng, (2, 3)) for _ in range(3))
    for name in ("Add", "Multiply", "Average", "Maximum", "Minimum"):
        yield f"{name} of one", spec(name), x
        yield f"{name} of two", spec(name), x, y
        yield f"{name} of three", spec(name), x, y, z
        yield f"{name} of three with masks", spec(name), a, b, c, dict(masks=[ma, mb, mc])
        yield f"{name} of three, two with masks", spec(name), a, b, c, dict(masks=[ma, None, mc])
        yield f"{name} of two, the second with a mask", spec(name), a, b, dict(masks=[None, mb])
        yield f"{name} with broadcasting", spec(name), normal(rng, (2, 3, 1)), normal(rng, (2, 1, 4))
        yield f"{name} of different ranks", spec(name), normal(rng, (2, 4)), a
    yield "Subtract", spec("Subtract"), x, y
    yield "Subtract with masks", spec("Subtract"), a, b, dict(masks=[ma, mb])
    yield "Subtract of different ranks", spec("Subtract"), a, normal(rng, (2, 4))
    yield "Concatenate of one", spec("Concatenate"), x
    yield "Concatenate", spec("Concatenate"), x, normal(rng, (3, 2)), z
    yield "Concatenate axis 1", spec("Concatenate", axis=1), a, normal(rng, (2, 2, 4))
    yield "Concatenate axis -2", spec("Concatenate", axis=-2), a, normal(rng, (2, 2, 4))
    yield "Concatenate axis 2 of 4-D", spec("Concatenate", axis=2), normal(rng, (2, 2, 3, 2)), normal(rng, (2, 2, 1, 2))
    yield "Concatenate with masks", spec("Concatenate"), a, b, dict(masks=[ma, mb])
    yield "Concatenate with one mask", spec("Concatenate"), a, b, dict(masks=[ma, None])
    yield "Concatenate axis 1 with masks", spec("Concatenate", axis=1), a, b, dict(masks=[ma, mb])
    yield "Concatenate axis 1 with one mask", spec("Concatenate", axis=1), a, b, dict(masks=[None, mb])
    yield "Dot axes 1", spec("Dot", axes=1), x, y
    yield "Dot axes -1", spec("Dot", axes=-1), a, b
    yield "Dot axes [1, 2]", spec("Dot", axes=[1, 2]), normal(rng, (2, 3, 5)), normal(rng, (2, 4, 3))
    yield "Dot axes [2, 1]", spec("Dot", axes=[2, 1]), normal(rng, (2, 3, 5)), normal(rng, (2, 5))
    yield "Dot axes [1, 2] of 2-D and 3-D", spec("Dot", axes=[1, 2]), normal(rng, (2, 5)), normal(rng, (2, 3, 5))
    yield "Dot axes [-1, 1] of 4-D and 3-D", spec("Dot", axes=[-1, 1]), normal(rng, (2, 3, 2, 5)), normal(rng, (2, 5, 3))
    yield "Dot axes 2 of 4-D", spec("Dot", axes=2), normal(rng, (2, 2, 4, 3)), normal(rng, (2, 3, 4, 2))
    yield "Dot normalize", spec("Dot", axes=1, normalize=True), x, y
    yield "Dot axes [2, 1] normalize", spec("Dot", axes=[2, 1], normalize=True), normal(rng, (2, 3, 5)), normal(rng, (2, 5, 4))
    yield "Dot with masks", spec("Dot", axes=2), a, b, dict(masks=[ma, mb])


# ---------------------------------------------------------------- core


ACTIVATIONS = ["linear", "relu", "leakyRelu", "elu", "selu", "gelu", "silu", "softplus", "softsign", "hardSigmoid", "hardSilu",
               "sigmoid", "tanh", "softmax", "logSoftmax", "relu6", "mish", "exponential"]


def core(rng):
    x = normal(rng, (4, 5))
    for n in ACTIVATIONS:
        yield f"Dense {n}", spec("Dense", units=3, activation=n), x
    yield "Dense without activation", spec("Dense", units=3), x
    yield "Dense without bias", spec("Dense", units=3, activation="tanh", useBias=False), x
    yield "Dense on 3-D input", spec("Dense", units=4, activation="relu"), normal(rng, (2, 3, 5))
    yield "Dense softmax on 3-D input", spec("Dense", units=4, activation="softmax"), normal(rng, (2, 3, 5))
    yield "Dense on 4-D input", spec("Dense", units=2), normal(rng, (2, 2, 3, 4))
    yield "Dense with a mask", spec("Dense", units=2), normal(rng, (2, 3, 4)), dict(masks=[mask_of(rng, (2, 3))])
    yield "Dense with one unit", spec("Dense", units=1, activation="sigmoid"), x
    yield "Dense with one input", spec("Dense", units=3, activation="tanh"), normal(rng, (4, 1))
    yield "Dense wider than one vector", spec("Dense", units=19, activation="relu"), normal(rng, (7, 17))
    yield "Dense with an activity penalty", spec("Dense", units=3, activityRegularizer=spec("L1L2", l1=0.1, l2=0.2)), x
    yield "Activation relu", spec("Activation", activation="relu"), x
    yield "Activation softmax on 3-D input", spec("Activation", activation="softmax"), normal(rng, (2, 3, 5))
    for equation, shape, bias, size in (
            ("ab,bc->ac", 6, None, (4, 5)), ("ab,bc->ac", 6, "c", (4, 5)), ("abc,cd->abd", [None, 6], "d", (2, 3, 4)),
            ("abc,cd->abd", [3, 6], "bd", (2, 3, 4)), ("abc,cde->abde", [None, 2, 3], "e", (2, 3, 4)),
            ("abc,cde->abde", [None, 2, 3], "de", (2, 3, 4)), ("abcd,cde->abe", [None, 5], "e", (2, 3, 2, 4)),
            ("abc,bd->adc", [5, 4], "d", (2, 3, 4)), ("abc,bcd->adb", [2, 3], "d", (2, 3, 4)),
            ("...x,xy->...y", 5, "y", (2, 3, 4)), ("...x,xy->...y", [5], None, (2, 2, 3, 4)), ("...ab,bc->...ac", [3, 2], "c", (2, 3, 4)),
            ("...bc,cd->...bd", [3, 2], "bd", (2, 2, 3, 4)), ("ab...,bc->ac...", [5], "c", (2, 3, 4)),
            ("abc...,bcd->ad...", [5], "d", (2, 3, 2, 4)), ("ab...,bcd->acd...", [2, 3], "cd", (2, 3, 2, 2))):
        options = {} if bias is None else {"biasAxes": bias}
        yield (f"EinsumDense {equation} to {shape}, bias {bias}",
               spec("EinsumDense", equation=equation, outputShape=shape, activation="tanh", **options), normal(rng, size))
    ids = np.array([[0, 3, 3], [6, 0, 2]], np.int32)
    yield "Embedding", spec("Embedding", inputDim=7, outputDim=4), ids
    yield "Embedding of single indices", spec("Embedding", inputDim=7, outputDim=4), np.array([5, 0, 5], np.int32)
    yield "Embedding of 3-D indices", spec("Embedding", inputDim=7, outputDim=2), ids.reshape(1, 3, 2)
    yield "Embedding maskZero", spec("Embedding", inputDim=7, outputDim=2, maskZero=True), ids
    padded = normal(rng, (3, 4, 2))
    padded[0, 1:], padded[1, 2], padded[2, 0, 0], padded[2, 3] = 0, 0, 0, -1.5
    yield "Masking", spec("Masking"), padded
    yield "Masking maskValue", spec("Masking", maskValue=-1.5), padded
    yield "Masking of what has a mask", spec("Masking"), padded, dict(masks=[mask_of(rng, (3, 4))])
    yield "Identity", spec("Identity"), x
    yield "Identity with a mask", spec("Identity"), padded, dict(masks=[mask_of(rng, (3, 4))])
    for options in (dict(), dict(tieWeights=False), dict(maskZero=True), dict(logitSoftCap=0.7), dict(logitSoftCap=2.5, tieWeights=False)):
        described = spec("ReversibleEmbedding", inputDim=6, outputDim=3, **options)
        yield f"ReversibleEmbedding {options}", described, rng.integers(0, 6, (2, 4)).astype(np.int32)
        yield f"ReversibleEmbedding {options} in reverse", described, normal(rng, (2, 4, 3)), dict(said=dict(reverse=True))


# ---------------------------------------------------------------- reshaping


def reshaping(rng):
    yield "Flatten 2-D", spec("Flatten"), normal(rng, (4, 5))
    yield "Flatten 4-D", spec("Flatten"), normal(rng, (2, 2, 3, 2))
    yield "Flatten 1-D", spec("Flatten"), normal(rng, (4,))
    yield "Flatten channelsFirst", spec("Flatten", dataFormat="channelsFirst"), normal(rng, (2, 2, 3, 2))
    yield "Flatten channelsFirst 3-D", spec("Flatten", dataFormat="channelsFirst"), normal(rng, (2, 2, 3))
    yield "Flatten channelsFirst 2-D", spec("Flatten", dataFormat="channelsFirst"), normal(rng, (2, 3))
    yield "Reshape", spec("Reshape", targetShape=[3, 2]), normal(rng, (4, 6))
    yield "Reshape with -1", spec("Reshape", targetShape=[-1, 2]), normal(rng, (4, 2, 3))
    yield "Reshape to one axis", spec("Reshape", targetShape=[-1]), normal(rng, (2, 2, 3))
    yield "Permute", spec("Permute", dims=[2, 1]), normal(rng, (2, 3, 4))
    yield "Permute of 4-D", spec("Permute", dims=[3, 1, 2]), normal(rng, (2, 2, 3, 4))
    yield "RepeatVector", spec("RepeatVector", n=3), normal(rng, (2, 4))
    sequence, image, volume = normal(rng, (2, 4, 3)), normal(rng, (2, 3, 4, 2)), normal(rng, (1, 3, 2, 4, 2))
    for padding in (1, [0, 2], [3, 1]):
        yield f"ZeroPadding1D {padding}", spec("ZeroPadding1D", padding=padding), sequence
    for padding in (1, [2, 0], [[1, 0], [2, 3]]):
        yield f"ZeroPadding2D {padding}", spec("ZeroPadding2D", padding=padding), image
        yield f"ZeroPadding2D {padding} channelsFirst", spec("ZeroPadding2D", padding=padding, dataFormat="channelsFirst"), image
    for padding in (2, [1, 0, 2], [[1, 0], [0, 2], [1, 1]]):
        yield f"ZeroPadding3D {padding}", spec("ZeroPadding3D", padding=padding), volume
    for cropping in (1, [0, 2], [2, 1]):
        yield f"Cropping1D {cropping}", spec("Cropping1D", cropping=cropping), sequence
    for cropping in (1, [0, 1], [[1, 0], [1, 2]]):
        yield f"Cropping2D {cropping}", spec("Cropping2D", cropping=cropping), image
    yield "Cropping2D channelsFirst", spec("Cropping2D", cropping=[[1, 0], [0, 1]], dataFormat="channelsFirst"), image
    for cropping in ([1, 0, 1], [[1, 0], [0, 1], [1, 1]]):
        yield f"Cropping3D {cropping}", spec("Cropping3D", cropping=cropping), volume
    yield "UpSampling1D", spec("UpSampling1D"), sequence
    yield "UpSampling1D 3", spec("UpSampling1D", size=3), sequence
    for interpolation in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"):
        yield f"UpSampling2D {interpolation}", spec("UpSampling2D", interpolation=interpolation), image
        yield f"UpSampling2D {interpolation} [1, 3]", spec("UpSampling2D", size=[1, 3], interpolation=interpolation), image
    yield "UpSampling2D channelsFirst", spec("UpSampling2D", size=[3, 2], dataFormat="channelsFirst"), image
    yield "UpSampling2D bilinear channelsFirst", spec("UpSampling2D", size=[3, 2], interpolation="bilinear", dataFormat="channelsFirst"), image
    yield "UpSampling3D", spec("UpSampling3D", size=[2, 1, 3]), volume


# ---------------------------------------------------------------- regularization


def regularization(rng):
    yield "Dropout at inference", spec("Dropout", rate=0.4), normal(rng, (4, 5))
    x = normal(rng, (4, 5))
    yield "ActivityRegularization", spec("ActivityRegularization"), x
    yield "ActivityRegularization l1", spec("ActivityRegularization", l1=0.1), x
    yield "ActivityRegularization l1 l2", spec("ActivityRegularization", l1=0.1, l2=0.3), x


# ---------------------------------------------------------------- activations


def activations(rng):
    # Far from 0 and from the thresholds.
    x = np.array([[-4, -2.25, -1.25, -0.5], [0.25, 0.625, 1.75, 3], [-0.125, 1.125, 5.5, -6]], FLOAT)
    image = normal(rng, (2, 3, 2, 2))
    for options in (dict(), dict(maxValue=2), dict(maxValue=6), dict(negativeSlope=0.1), dict(threshold=0.5),
                    dict(negativeSlope=0.1, threshold=0.5), dict(negativeSlope=0.1, maxValue=2),
                    dict(maxValue=2, negativeSlope=0.1, threshold=0.5)):
        yield f"ReLU {options}", spec("ReLU", **options), x
    yield "LeakyReLU", spec("LeakyReLU"), x
    yield "LeakyReLU negativeSlope", spec("LeakyReLU", negativeSlope=0.05), x
    yield "ELU", spec("ELU"), x
    yield "ELU alpha", spec("ELU", alpha=0.5), x
    yield "PReLU", spec("PReLU"), x
    yield "PReLU sharedAxes", spec("PReLU", sharedAxes=[1, 2]), image
    yield "PReLU one of sharedAxes", spec("PReLU", sharedAxes=[2]), image
    yield "PReLU with a mask", spec("PReLU"), normal(rng, (2, 3, 2)), dict(masks=[mask_of(rng, (2, 3))])
    yield "Softmax", spec("Softmax"), x
    yield "Softmax axis 1", spec("Softmax", axis=1), normal(rng, (2, 3, 4))
    yield "Softmax axis [1, 2]", spec("Softmax", axis=[1, 2]), normal(rng, (2, 3, 4))
    yield "Softmax axis [-1]", spec("Softmax", axis=[-1]), normal(rng, (2, 3, 4))
    some = mask_of(rng, (3, 4))
    some[1] = False
    yield "Softmax with a mask, a row of it all masked", spec("Softmax"), x, dict(masks=[some])
    yield "Softmax axis 1 with a mask", spec("Softmax", axis=1), normal(rng, (2, 3, 4)), dict(masks=[mask_of(rng, (2, 3, 4))])
    yield "Softmax axis [1, 2] with a mask", spec("Softmax", axis=[1, 2]), normal(rng, (2, 3, 4)), dict(masks=[mask_of(rng, (2, 1, 4))])


# ---------------------------------------------------------------- recurrent


def recurrent(rng):
    x = normal(rng, (3, 4, 2))
    some = mask_of(rng, (3, 4))
    some[0, 0], some[1, -1] = False, False
    rows = lambda units: normal(rng, (3, units))
    cell = lambda units, **config: spec("SimpleRNNCell", units=units, **config)
    for options in (dict(), dict(returnSequences=True), dict(returnState=True), dict(goBackwards=True),
                    dict(returnSequences=True, goBackwards=True), dict(returnSequences=True, returnState=True),
                    dict(returnSequences=True, unroll=True), dict(goBackwards=True, unroll=True)):
        yield f"SimpleRNN {options}", spec("SimpleRNN", units=3, **options), x
    for options in (dict(), dict(returnSequences=True), dict(returnSequences=True, goBackwards=True), dict(returnState=True),
                    dict(returnSequences=True, returnState=True), dict(returnSequences=True, zeroOutputForMask=True),
                    dict(zeroOutputForMask=True), dict(returnSequences=True, unroll=True)):
        # zeroOutputForMask is an option of RNN, which Keras's SimpleRNN lacks.
        described = spec("RNN", cell=cell(3), **options)
        yield f"RNN with a mask {options}", described, x, dict(masks=[some])
    yield "SimpleRNN relu", spec("SimpleRNN", units=3, activation="relu"), x
    yield "SimpleRNN without bias", spec("SimpleRNN", units=3, useBias=False), x
    yield "SimpleRNN with a mask", spec("SimpleRNN", units=3, returnSequences=True), x, dict(masks=[some])
    yield "SimpleRNN initialState", spec("SimpleRNN", units=3, returnSequences=True), x, dict(initial_state=[rows(3)])
    yield ("SimpleRNN initialState with a mask", spec("SimpleRNN", units=3, returnSequences=True), x,
           dict(initial_state=[rows(3)], masks=[some]))
    yield "SimpleRNN of one step", spec("SimpleRNN", units=3, returnSequences=True), normal(rng, (2, 1, 4))
    yield "RNN of two cells", spec("RNN", cell=[cell(3), cell(2, activation="relu")], returnSequences=True), x
    yield "RNN of two cells with states", spec("RNN", cell=[cell(3), cell(2)], returnState=True), x
    yield "RNN of two cells with a mask", spec("RNN", cell=[cell(3), cell(2)], returnSequences=True), x, dict(masks=[some])

    yield from gated(rng, x, some)
    yield from wrappers(rng, x, some)
    yield from convolutional_lstm(rng)


def gated(rng, x, some):
    """LSTM and GRU, with every option."""
    rows = lambda units: normal(rng, (3, units))
    kinds = {"LSTM": (dict(), 2), "GRU": (dict(), 1), "GRU resetAfter false": (dict(resetAfter=False), 1)}
    for name, (own, states) in kinds.items():
        layer = lambda **options: spec(name.split()[0], units=3, **own, **options)
        for options in (dict(), dict(returnSequences=True), dict(returnState=True), dict(goBackwards=True),
                        dict(returnSequences=True, goBackwards=True, returnState=True), dict(returnSequences=True, unroll=True),
                        dict(activation="relu"), dict(recurrentActivation="hardSigmoid"), dict(useBias=False),
                        dict(activation="softsign", recurrentActivation="tanh", useBias=False, returnSequences=True),
                        dict(implementation=1), dict(activityRegularizer=spec("L2", l2=0.1)),
                        dict(kernelRegularizer=spec("L1", l1=0.1), recurrentRegularizer=spec("L2", l2=0.1),
                             biasRegularizer=spec("L2", l2=0.3), returnSequences=True)):
            yield f"{name} {options}", layer(**options), x
        for options in (dict(), dict(returnSequences=True), dict(returnSequences=True, goBackwards=True, returnState=True)):
            yield f"{name} with a mask {options}", layer(**options), x, dict(masks=[some])
        yield f"{name} initialState", layer(returnSequences=True), x, dict(initial_state=[rows(3)] * states)
        yield (f"{name} initialState with a mask", layer(returnState=True), x,
               dict(initial_state=[rows(3) for _ in range(states)], masks=[some]))
        yield f"{name} of one step", layer(returnSequences=True), normal(rng, (2, 1, 4))
        cell = spec(f"{name.split()[0]}Cell", units=3, **own)
        yield f"RNN of a cell of {name}", spec("RNN", cell=cell, returnSequences=True, returnState=True), x
        for zero in (False, True):
            yield (f"RNN of a cell of {name} with a mask, zeroOutputForMask {zero}",
                   spec("RNN", cell=cell, returnSequences=True, zeroOutputForMask=zero), x, dict(masks=[some]))
    two = [spec("LSTMCell", units=3), spec("GRUCell", units=2)]
    yield "RNN of LSTMCell and GRUCell", spec("RNN", cell=two, returnSequences=True, returnState=True), x
    yield "RNN of LSTMCell and GRUCell, backwards with initialState", spec("RNN", cell=two, goBackwards=True), x, dict(
        initial_state=[[rows(3), rows(3)], [rows(2)]])
    yield "SimpleRNN with regularizers", spec("SimpleRNN", units=2, kernelRegularizer=spec("L1", l1=0.1),
                                              recurrentRegularizer=spec("L2", l2=0.1), biasRegularizer=spec("L2", l2=0.3)), x


def convolutional_lstm(rng):
    """ConvLSTM1D, ConvLSTM2D, ConvLSTM3D, with every option. Keras with JAX cannot mask them."""
    for rank, x in ((1, normal(rng, (2, 3, 5, 2))), (2, normal(rng, (2, 3, 4, 5, 2))), (3, normal(rng, (1, 2, 3, 4, 3, 2)))):
        of = lambda **options: spec(f"ConvLSTM{rank}D", **{"filters": 2, "kernelSize": 2, **options})
        every = [dict(), dict(padding="same", returnSequences=True), dict(kernelSize=3, strides=2, padding="same"),
                 dict(dilationRate=2, returnSequences=True), dict(goBackwards=True, returnState=True, returnSequences=True),
                 dict(useBias=False, activation="relu", recurrentActivation="hardSigmoid"),
                 dict(unitForgetBias=False, kernelRegularizer=spec("L1", l1=0.1), recurrentRegularizer=spec("L2", l2=0.1),
                      biasRegularizer=spec("L2", l2=0.3), activityRegularizer=spec("L2", l2=0.1))]
        for options in every if rank == 2 else every[:3]:
            yield f"ConvLSTM{rank}D {options}", of(**options), x
    of = lambda **options: spec("ConvLSTM2D", **{"filters": 2, "kernelSize": [1, 3], **options})
    x = normal(rng, (2, 3, 4, 5, 2))
    yield "ConvLSTM2D [1, 3] strides [2, 1]", of(strides=[2, 1], padding="same"), x
    yield "ConvLSTM2D initialState", of(padding="same"), x, dict(initial_state=[normal(rng, (2, 4, 5, 2)) for _ in range(2)])
    yield "ConvLSTM2D of one step", of(returnSequences=True), x[:, :1]


def wrappers(rng, x, some):
    rows = lambda units: normal(rng, (3, units))
    lstm = lambda **options: spec("LSTM", units=2, **options)
    gru = lambda **options: spec("GRU", units=2, **options)
    for mode in ("sum", "mul", "concat", "ave", None):
        both = lambda layer: spec("Bidirectional", layer=layer, mergeMode=mode)
        yield f"Bidirectional {mode}", both(lstm()), x
        yield f"Bidirectional {mode} returnSequences", both(gru(returnSequences=True)), x
        yield f"Bidirectional {mode} returnSequences with a mask", both(lstm(returnSequences=True)), x, dict(masks=[some])
        yield f"Bidirectional {mode} returnState", both(lstm(returnState=True, returnSequences=True)), x
    yield "Bidirectional with a mask", spec("Bidirectional", layer=lstm()), x, dict(masks=[some])
    yield "Bidirectional of RNN with a mask", spec("Bidirectional", layer=spec("RNN", cell=spec("SimpleRNNCell", units=2),
                                                                               returnSequences=True)), x, dict(masks=[some])
    yield "Bidirectional initialState", spec("Bidirectional", layer=lstm(returnState=True)), x, dict(
        initial_state=[rows(2) for _ in range(4)])
    yield "Bidirectional initialState with a mask", spec("Bidirectional", layer=gru(returnSequences=True)), x, dict(
        initial_state=[rows(2), rows(2)], masks=[some])
    other = spec("SimpleRNN", units=2, activation="relu", returnSequences=True, goBackwards=True)
    yield "Bidirectional backwardLayer", spec("Bidirectional", layer=lstm(returnSequences=True), backwardLayer=other), x
    yield "Bidirectional backwards first", spec("Bidirectional", layer=other, backwardLayer=lstm(returnSequences=True)), x, dict(
        masks=[some])
    dense = spec("Dense", units=3, activation="tanh")
    yield "TimeDistributed of Dense", spec("TimeDistributed", layer=dense), x
    yield "TimeDistributed of Dense with a mask", spec("TimeDistributed", layer=dense), x, dict(masks=[some])
    yield "TimeDistributed of Dense on 4-D input", spec("TimeDistributed", layer=dense), normal(rng, (2, 3, 2, 4))
    yield "TimeDistributed of Softmax with a mask", spec("TimeDistributed", layer=spec("Softmax")), x, dict(
        masks=[np.array([[[True, t % 2 == 0]] * 2 + [[t > 2, True]] * 2 for t in range(3)])])
    yield "TimeDistributed of LSTM", spec("TimeDistributed", layer=lstm(returnSequences=True)), normal(rng, (2, 2, 3, 2))
    yield "TimeDistributed of Flatten", spec("TimeDistributed", layer=spec("Flatten")), normal(rng, (2, 3, 2, 2))


# ---------------------------------------------------------------- convolutional


def convolutional(rng):
    sequence, image, volume = normal(rng, (2, 7, 2)), normal(rng, (1, 6, 5, 2)), normal(rng, (1, 3, 3, 4, 2))
    wide = normal(rng, (2, 5, 6, 4))
    penalty = spec("L2", l2=0.1)
    for name, x, rank in (("Conv1D", sequence, 1), ("Conv2D", image, 2), ("Conv3D", volume, 3)):
        of = lambda **config: spec(name, **{"filters": 3, "kernelSize": 2, **config})
        yield name, of(), x
        yield f"{name} same", of(padding="same", activation="relu"), x
        yield f"{name} of 3 same", of(kernelSize=3, padding="same", activation="tanh"), x
        yield f"{name} strides", of(strides=2), x
        yield f"{name} strides same", of(kernelSize=3, strides=2, padding="same"), x
        yield f"{name} dilation", of(dilationRate=2), x
        yield f"{name} dilation same", of(kernelSize=3, dilationRate=2, padding="same"), x
        yield f"{name} of one pixel", of(kernelSize=1, activation="gelu"), x
        yield f"{name} without bias", of(useBias=False), x
        yield f"{name} with a penalty", of(activityRegularizer=penalty), x
        yield f"{name} channelsFirst", of(dataFormat="channelsFirst"), x
        if rank < 3:
            yield f"{name} many filters", of(filters=19, activation="sigmoid"), x
            yield f"{name} larger than the input, same", of(kernelSize=7, padding="same"), x
        transposed = lambda **config: spec(f"{name}Transpose", **{"filters": 3, "kernelSize": 2, **config})
        yield f"{name}Transpose", transposed(), x
        yield f"{name}Transpose same", transposed(kernelSize=3, padding="same", activation="relu"), x
        yield f"{name}Transpose strides", transposed(kernelSize=3, strides=2), x
        yield f"{name}Transpose strides same", transposed(kernelSize=3, strides=2, padding="same"), x
        yield f"{name}Transpose strides above the kernel", transposed(strides=3), x
        yield f"{name}Transpose strides above the kernel, same", transposed(strides=3, padding="same"), x
        yield f"{name}Transpose dilation", transposed(dilationRate=2), x
        yield f"{name}Transpose dilation same", transposed(kernelSize=3, dilationRate=2, padding="same"), x
        yield f"{name}Transpose outputPadding", transposed(kernelSize=3, strides=2, outputPadding=1), x
        yield f"{name}Transpose outputPadding same", transposed(kernelSize=3, strides=2, padding="same", outputPadding=1), x
        yield f"{name}Transpose outputPadding 0 same", transposed(kernelSize=4, strides=3, padding="same", outputPadding=0), x
        yield f"{name}Transpose without bias", transposed(useBias=False, dataFormat="channelsFirst"), x
    for options in (dict(kernelSize=[3, 2], strides=[1, 2]), dict(kernelSize=[1, 4], padding="same", strides=[3, 2]), dict(kernelSize=[6, 5]),
                    dict(kernelSize=[3, 1], dilationRate=[2, 1])):
        yield f"Conv2D {options}", spec("Conv2D", filters=4, **options), image
    for groups, filters in ((2, 4), (4, 4), (4, 8), (2, 18)):
        yield f"Conv2D groups {groups}, filters {filters}", spec("Conv2D", filters=filters, kernelSize=3, groups=groups, padding="same"), wide
    yield "Conv1D groups", spec("Conv1D", filters=6, kernelSize=3, groups=2, strides=2), sequence
    yield "Conv1D causal", spec("Conv1D", filters=3, kernelSize=3, padding="causal"), sequence
    yield "Conv1D causal dilation", spec("Conv1D", filters=3, kernelSize=3, padding="causal", dilationRate=2), sequence
    yield "Conv1D causal strides", spec("Conv1D", filters=3, kernelSize=3, padding="causal", strides=2), sequence
    yield "Conv2DTranspose [3, 2]", spec("Conv2DTranspose", filters=2, kernelSize=[3, 2], strides=[2, 1], outputPadding=[1, 0], padding="same"), image
    for name, x in (("DepthwiseConv1D", sequence), ("DepthwiseConv2D", image)):
        of = lambda **config: spec(name, **{"kernelSize": 2, **config})
        yield name, of(), x
        yield f"{name} depthMultiplier", of(depthMultiplier=3, activation="tanh"), x
        yield f"{name} same", of(kernelSize=3, padding="same", activation="relu"), x
        yield f"{name} strides", of(kernelSize=3, strides=2, padding="same"), x
        yield f"{name} dilation", of(dilationRate=2), x
        yield f"{name} without bias", of(useBias=False), x
        yield f"{name} channelsFirst", of(depthMultiplier=2, dataFormat="channelsFirst"), x
    for name, x in (("SeparableConv1D", sequence), ("SeparableConv2D", image)):
        of = lambda **config: spec(name, **{"filters": 4, "kernelSize": 2, **config})
        yield name, of(activation="tanh"), x
        yield f"{name} depthMultiplier", of(depthMultiplier=3), x
        yield f"{name} same", of(kernelSize=3, padding="same"), x
        yield f"{name} strides", of(strides=2), x
        yield f"{name} dilation", of(dilationRate=2), x
        yield f"{name} without bias", of(useBias=False), x
        yield f"{name} channelsFirst", of(dataFormat="channelsFirst"), x


# ---------------------------------------------------------------- pooling


def pooling(rng):
    sequence, image, volume = normal(rng, (2, 7, 3)), normal(rng, (2, 6, 5, 2)), normal(rng, (1, 4, 3, 5, 2))
    for kind in ("Max", "Average"):
        for rank, x in ((1, sequence), (2, image), (3, volume)):
            of = lambda **config: spec(f"{kind}Pooling{rank}D", **{"poolSize": 2, **config})
            yield f"{kind}Pooling{rank}D", of(), x
            yield f"{kind}Pooling{rank}D same", of(padding="same"), x
            yield f"{kind}Pooling{rank}D overlapping", of(poolSize=3, strides=1), x
            yield f"{kind}Pooling{rank}D overlapping same", of(poolSize=3, strides=2, padding="same"), x
            yield f"{kind}Pooling{rank}D with gaps", of(poolSize=1, strides=2), x
            yield f"{kind}Pooling{rank}D channelsFirst", of(dataFormat="channelsFirst"), normal(rng, (2, 3, *[4] * rank))
            everywhere = lambda **config: spec(f"Global{kind}Pooling{rank}D", **config)
            yield f"Global{kind}Pooling{rank}D", everywhere(), x
            to = lambda size, **config: spec(f"Adaptive{kind}Pooling{rank}D", outputSize=size, **config)
            yield f"Adaptive{kind}Pooling{rank}D", to(2), x
            yield f"Adaptive{kind}Pooling{rank}D of each axis", to([4, 3, 5][:rank]), x
            yield f"Adaptive{kind}Pooling{rank}D channelsFirst", to(3, dataFormat="channelsFirst"), normal(rng, (2, 3, *[4] * rank))
            yield f"Global{kind}Pooling{rank}D keepDims", everywhere(keepDims=True), x
            yield f"Global{kind}Pooling{rank}D channelsFirst", everywhere(dataFormat="channelsFirst"), x
            yield f"Global{kind}Pooling{rank}D channelsFirst keepDims", everywhere(dataFormat="channelsFirst", keepDims=True), x
        yield f"{kind}Pooling2D [1, 3]", spec(f"{kind}Pooling2D", poolSize=[1, 3], strides=[2, 1]), image
        yield f"{kind}Pooling2D same [4, 3]", spec(f"{kind}Pooling2D", poolSize=[4, 3], strides=[1, 2], padding="same"), image
    some = mask_of(rng, (2, 7))
    some[0, 0], some[1, -1] = True, True
    yield "GlobalAveragePooling1D with a mask", spec("GlobalAveragePooling1D"), sequence, dict(masks=[some])
    yield "GlobalAveragePooling1D keepDims with a mask", spec("GlobalAveragePooling1D", keepDims=True), sequence, dict(masks=[some])


# ---------------------------------------------------------------- normalization


def normalization(rng):
    x, sequence, image = normal(rng, (4, 6)), normal(rng, (2, 3, 4)), normal(rng, (2, 3, 2, 4))
    some = mask_of(rng, (2, 3))
    for name in ("BatchNormalization", "LayerNormalization", "GroupNormalization"):
        of = lambda **config: spec(name, **{**({"groups": 2} if name == "GroupNormalization" else {}), **config})
        yield f"{name} of 4-D", of(), image
        yield f"{name} axis 1", of(axis=1 if name != "GroupNormalization" else -1), normal(rng, (3, 2, 4))
        yield f"{name} epsilon", of(epsilon=0.5), image
        yield f"{name} without center", of(center=False), sequence
        yield f"{name} without scale", of(scale=False), sequence
        yield f"{name} with a mask", of(), sequence, dict(masks=[some])
    yield "BatchNormalization", spec("BatchNormalization"), x
    yield "LayerNormalization", spec("LayerNormalization"), x
    yield "LayerNormalization of a wide row", spec("LayerNormalization"), normal(rng, (3, 37))
    yield "LayerNormalization axis [1, 2]", spec("LayerNormalization", axis=[1, 2]), sequence
    yield "LayerNormalization axis [1, 3]", spec("LayerNormalization", axis=[3, 1]), image
    yield "GroupNormalization of vectors", spec("GroupNormalization", groups=3), x
    yield "GroupNormalization of one group", spec("GroupNormalization", groups=1), image
    yield "GroupNormalization of each channel", spec("GroupNormalization", groups=-1), image
    yield "GroupNormalization axis 1", spec("GroupNormalization", groups=3, axis=1), image
    yield "RMSNormalization", spec("RMSNormalization"), x
    yield "RMSNormalization epsilon", spec("RMSNormalization", epsilon=0.1), sequence
    yield "RMSNormalization axis [1, 2]", spec("RMSNormalization", axis=[1, 2]), sequence
    for powerIterations in (1, 3):
        of = lambda layer: spec("SpectralNormalization", layer=layer, powerIterations=powerIterations)
        yield f"SpectralNormalization of Dense {powerIterations}", of(spec("Dense", units=3)), x
        yield f"SpectralNormalization of Conv2D {powerIterations}", of(spec("Conv2D", filters=3, kernelSize=2)), image
    yield "UnitNormalization", spec("UnitNormalization"), x
    yield "UnitNormalization axis 1", spec("UnitNormalization", axis=1), sequence
    yield "UnitNormalization axis [1, 2] with a mask", spec("UnitNormalization", axis=[1, 2]), sequence, dict(masks=[some])


# ---------------------------------------------------------------- attention


def attention(rng):
    query, value, key = normal(rng, (2, 3, 4)), normal(rng, (2, 5, 4)), normal(rng, (2, 5, 4))
    of_query, of_value, of_key = mask_of(rng, (2, 3)), mask_of(rng, (2, 5)), mask_of(rng, (2, 5))
    # No fully masked row.
    of_query[0], of_value[:, 0], of_key[:, 0] = True, True, True
    seen = mask_of(rng, (2, 3, 5))
    seen[:, :, 0] = True
    for name, options in (("Attention", {}), ("Attention", dict(useScale=True)), ("Attention", dict(scoreMode="concat")),
                          ("Attention", dict(scoreMode="concat", useScale=True)), ("AdditiveAttention", {}),
                          ("AdditiveAttention", dict(useScale=False))):
        yield f"{name} {options}", spec(name, **options), query, value
        yield f"{name} {options} with a key", spec(name, **options), query, value, key
        yield f"{name} {options} with masks", spec(name, **options), query, value, dict(masks=[of_query, of_value])
        yield f"{name} {options}, causal", spec(name, **options), query, value, dict(said=dict(useCausalMask=True))
        yield f"{name} {options}, causal with a mask", spec(name, **options), query, value, dict(masks=[None, of_value], said=dict(useCausalMask=True))
        yield f"{name} {options}, with scores", spec(name, **options), query, value, dict(said=dict(returnAttentionScores=True))
    heads = lambda **options: spec("MultiHeadAttention", **{"numHeads": 2, "keyDim": 3, **options})
    wide, other = normal(rng, (2, 5, 6)), normal(rng, (2, 5, 3))
    yield "MultiHeadAttention", heads(), query, value
    yield "MultiHeadAttention of other features", heads(), query, wide, other
    yield "MultiHeadAttention valueDim", heads(valueDim=4, dropout=0.1), query, value
    yield "MultiHeadAttention outputShape", heads(outputShape=5), query, value
    yield "MultiHeadAttention outputShape [2, 3]", heads(outputShape=[2, 3]), query, value
    yield "MultiHeadAttention without bias", heads(useBias=False), query, value, key
    yield "MultiHeadAttention gate", heads(useGate=True, valueDim=2, dropout=0.1), query, value
    yield "MultiHeadAttention slidingWindow", heads(slidingWindow=2), query, value
    yield "MultiHeadAttention causal", heads(), query, value, dict(said=dict(useCausalMask=True))
    yield "MultiHeadAttention causal slidingWindow", heads(slidingWindow=2), query, value, dict(said=dict(useCausalMask=True))
    yield "MultiHeadAttention with scores", heads(), query, value, dict(said=dict(returnAttentionScores=True))
    yield "MultiHeadAttention causal with scores", heads(), query, value, dict(said=dict(useCausalMask=True, returnAttentionScores=True))
    yield "MultiHeadAttention attentionMask", heads(), query, value, dict(said=dict(attentionMask=seen))
    yield "MultiHeadAttention attentionMask, causal", heads(), query, value, dict(said=dict(attentionMask=seen, useCausalMask=True))
    yield "MultiHeadAttention with a mask of the value", heads(), query, value, dict(masks=[None, of_value])
    yield "MultiHeadAttention with masks", heads(), query, value, dict(masks=[of_query, of_value])
    yield "MultiHeadAttention with three masks", heads(), query, value, key, dict(masks=[of_query, of_value, of_key])
    yield "MultiHeadAttention with masks and scores", heads(), query, value, dict(masks=[of_query, of_value], said=dict(returnAttentionScores=True))
    image = normal(rng, (2, 3, 2, 4))
    yield "MultiHeadAttention of 4-D", heads(), image, image
    yield "MultiHeadAttention attentionAxes", heads(attentionAxes=[2]), image, image
    yield "MultiHeadAttention attentionAxes -3", heads(attentionAxes=[-3]), image, image
    grouped = lambda **options: spec("GroupedQueryAttention", **{"headDim": 3, "numQueryHeads": 4, "numKeyValueHeads": 2, **options})
    yield "GroupedQueryAttention", grouped(), query, value
    yield "GroupedQueryAttention of one key", grouped(numKeyValueHeads=1), query, wide, other
    yield "GroupedQueryAttention as many keys", grouped(numKeyValueHeads=4, useBias=False), query, value
    yield "GroupedQueryAttention causal", grouped(), query, value, dict(said=dict(useCausalMask=True))
    yield "GroupedQueryAttention gate, slidingWindow", grouped(useGate=True, slidingWindow=2), query, value
    yield "GroupedQueryAttention with masks", grouped(), query, value, dict(masks=[of_query, of_value])


# ---------------------------------------------------------------- preprocessing


def preprocessing(rng):
    x, sequence, image = normal(rng, (4, 3)), normal(rng, (2, 3, 4)), normal(rng, (2, 5, 7, 2))
    tokens = rng.integers(0, 4, (3, 4)).astype(np.int32)
    given = dict(mean=[0.5, -1, 2], variance=[4, 0.25, 0])
    yield "Normalization", spec("Normalization", **given), x
    yield "Normalization invert", spec("Normalization", invert=True, **given), x
    yield "Normalization axis 1", spec("Normalization", axis=1, **given), sequence
    yield "Normalization axis [1, 2]", spec("Normalization", axis=[1, 2], mean=[1, 2, 3, 4], variance=[1, 2, 3, 4]), sequence
    yield "Normalization by one number", spec("Normalization", axis=None, mean=0.5, variance=2), sequence
    yield "Normalization by one number of each axis", spec("Normalization", mean=0.5, variance=2), sequence
    yield "Rescaling", spec("Rescaling", scale=0.25, offset=-1), x
    yield "Rescaling by channels", spec("Rescaling", scale=[1, 2, 3], offset=[0, 1, 0]), x
    yield "Discretization", spec("Discretization", binBoundaries=[-1, 0, 0.5]), sequence
    for mode in ("oneHot", "multiHot", "count"):
        yield f"Discretization {mode}", spec("Discretization", binBoundaries=[-1, 0, 0.5], outputMode=mode), x
        yield f"Discretization {mode} of 3-D", spec("Discretization", binBoundaries=[-1, 0, 0.5], outputMode=mode), sequence
        yield f"CategoryEncoding {mode}", spec("CategoryEncoding", numTokens=5, outputMode=mode), tokens
        yield f"CategoryEncoding {mode} of single tokens", spec("CategoryEncoding", numTokens=5, outputMode=mode), tokens[:, :1]
    for method in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"):
        yield f"Resizing {method}", spec("Resizing", height=3, width=9, interpolation=method), image
    yield "Resizing antialias", spec("Resizing", height=3, width=4, antialias=True), image
    yield "Resizing of one image", spec("Resizing", height=3, width=4), image[0]
    for height, width in ((3, 9), (6, 3), (2, 2)):
        yield f"Resizing cropToAspectRatio {height} {width}", spec("Resizing", height=height, width=width, cropToAspectRatio=True), image
        yield f"Resizing padToAspectRatio {height} {width}", spec("Resizing", height=height, width=width, padToAspectRatio=True, fillValue=0.5), image
    yield "Resizing channelsFirst", spec("Resizing", height=3, width=4, dataFormat="channelsFirst"), normal(rng, (2, 3, 5, 6))
    yield "Resizing of integers", spec("Resizing", height=3, width=4), rng.integers(0, 256, (2, 5, 7, 2)).astype(np.int32)
    yield "CenterCrop", spec("CenterCrop", height=2, width=4), image
    yield "CenterCrop of one image", spec("CenterCrop", height=3, width=5), image[0]
    yield "CenterCrop channelsFirst", spec("CenterCrop", height=2, width=4, dataFormat="channelsFirst"), normal(rng, (2, 3, 5, 6))
    for height, width in ((6, 4), (4, 9), (8, 8)):
        yield f"CenterCrop of a smaller image {height} {width}", spec("CenterCrop", height=height, width=width), image
    yield "AutoContrast", spec("AutoContrast", valueRange=[-1, 3]), image
    for name, more in (("RandomFlip", {}), ("RandomRotation", dict(factor=0.2)), ("RandomContrast", dict(factor=0.2)), ("MixUp", {})):
        yield f"{name} out of training", spec(name, **more), image
    signal = normal(rng, (2, 23, 2))
    for mode in ("log", "magnitude", "psd", "real", "imag", "angle", "stft"):
        yield f"STFTSpectrogram {mode}", spec("STFTSpectrogram", mode=mode, frameLength=6, frameStep=2), signal
    stft = dict(mode="magnitude", frameLength=5, fftLength=8)
    yield "STFTSpectrogram same", spec("STFTSpectrogram", padding="same", **stft), signal
    yield "STFTSpectrogram expandDims", spec("STFTSpectrogram", expandDims=True, window="hamming", **stft), signal
    first = np.moveaxis(signal, 1, 2)
    yield "STFTSpectrogram channelsFirst", spec("STFTSpectrogram", dataFormat="channelsFirst", scaling="spectrum", **stft), first
    yield "STFTSpectrogram expandDims channelsFirst", spec("STFTSpectrogram", dataFormat="channelsFirst", expandDims=True, periodic=True, **stft), first
    mel = dict(fftLength=16, sequenceStride=5, samplingRate=800, numMelBins=6)
    loud = signal * 16
    yield "MelSpectrogram", spec("MelSpectrogram", **mel), loud[..., 0]
    yield "MelSpectrogram of one signal", spec("MelSpectrogram", **mel), loud[0, :, 0]
    yield "MelSpectrogram magnitudes", spec("MelSpectrogram", magExp=1, powerToDb=False, window="hamming", sequenceLength=12, **mel), signal[..., 0]
    yield "MelSpectrogram decibels", spec("MelSpectrogram", refPower=3, topDb=12, minFreq=50, maxFreq=300, **mel), loud[..., 0]


FAMILIES = [merging, core, reshaping, regularization, activations, recurrent, convolutional, pooling, normalization, attention, preprocessing]

# ---------------------------------------------------------------- embedding.json


def train_embedding(mask_zero, optimizer):
    """A few epochs without shuffling. Some rows of the table are never used; with maskZero the loss skips padding."""
    rng = random(200)
    ids = rng.integers(0, 6, (10, 3)).astype(np.int32)
    y = normal(rng, (10, 3, 1) if mask_zero else (10, 1))
    layers = [keras.layers.Embedding(8, 4, mask_zero=mask_zero)]
    layers += [keras.layers.Dense(1)] if mask_zero else [keras.layers.Flatten(), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.build((None, 3))
    initial = [normal(rng, w.shape, 0.4) for w in model.weights]
    model.set_weights(initial)
    model.compile(build(keras.optimizers, optimizer), "mean_squared_error")
    history = model.fit(ids, y, batch_size=4, epochs=6, shuffle=False, verbose=0)
    return {"maskZero": mask_zero, "optimizer": optimizer, "ids": tensor(ids), "y": tensor(y), "initialWeights": tensors(initial),
            "loss": [number(v) for v in history.history["loss"]], "weights": tensors(model.get_weights()),
            "predictions": tensor(model.predict(ids, verbose=0))}


def embedding():
    optimizers = [spec("Adam", learningRate=0.05), spec("SGD", learningRate=0.1, momentum=0.9)]
    write("embedding.json", {"cases": [train_embedding(m, o) for m in (False, True) for o in optimizers]})


if __name__ == "__main__":
    if len(sys.argv) == 1 or "embedding" in sys.argv[1:]:
        embedding()
    for position, family in enumerate(FAMILIES):
        if len(sys.argv) > 1 and family.__name__ not in sys.argv[1:]:
            continue
        rng = random(100 + position)
        cases = []
        for name, described, *rest in family(rng):
            options = rest.pop() if isinstance(rest[-1], dict) else {}
            cases.append(evaluate(rng, name, described, *rest, **options))
        write(f"layers/{family.__name__}.json", {"cases": cases})
