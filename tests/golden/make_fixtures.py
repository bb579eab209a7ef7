"""Writes the golden fixtures beside this file: what Keras 3 computes, for the tests to compare with.

Never reads anything of myelin. The shape of each file is described in format.ts.
Usage and the meaning of --float64: README.md.
"""

import re
import sys

from common import (
    FLOAT, FLOAT64, build, camel, normal, number, one_hot, probabilities, random, snake, spec, tensor, tensors,
    uniform, write)
from training import optimizers, rules, trajectories

import jax
import jax.numpy as jnp
import keras
import numpy as np


# ---------------------------------------------------------------- activations.json


def activations():
    smooth = np.array([-6, -4.5, -3.25, -2.5, -1.75, -1, -0.5, -0.25, -0.125, 0,
                       0.125, 0.25, 0.5, 1, 1.75, 2.5, 3.25, 4.5, 5.5, 6], FLOAT).reshape(4, 5)
    # The same, with the points at kinks of activations (0, ±3, 6) moved.
    kinked = np.where(np.isin(smooth, [0, 6]), smooth - 0.0625, smooth).astype(FLOAT)
    weights = normal(random(1), (4, 5))
    has_kink = {"relu", "leakyRelu", "relu6", "selu", "hardSigmoid", "hardSilu"}
    described = [(n, {}) for n in [
        "linear", "relu", "leakyRelu", "elu", "selu", "gelu", "silu", "softplus", "softsign",
        "hardSigmoid", "hardSilu", "sigmoid", "tanh", "softmax", "logSoftmax", "relu6", "mish",
        "exponential"]]
    described += [("gelu", {"approximate": True}), ("leakyRelu", {"negativeSlope": 0.3}),
                  ("elu", {"alpha": 0.5}),
                  ("relu", {"negativeSlope": 0.1, "maxValue": 4, "threshold": 0.75})]
    cases = []
    for name, config in described:
        arguments = {snake(k): v for k, v in config.items()}
        fn = lambda x: getattr(keras.activations, snake(name))(x, **arguments)
        x = kinked if name in has_kink else smooth
        gradient = jax.grad(lambda x: jnp.sum(fn(x) * weights))(jnp.asarray(x))
        cases.append({"activation": name, "config": config, "input": tensor(x), "output": tensor(fn(x)),
                      "outputWeights": tensor(weights), "inputGradient": tensor(gradient)})
    write("activations.json", {"cases": cases})


# ---------------------------------------------------------------- losses.json


def losses():
    rng = random(3)
    data = {}
    labels = np.array([2, 0, 3, 1, 1])
    steps = rng.integers(0, 4, (2, 3))
    for name, y_true, y_pred in [
        ("binary", rng.integers(0, 2, (5, 3)), uniform(rng, (5, 3), 0.05, 0.95)),
        ("binaryOne", rng.integers(0, 2, (6, 1)), uniform(rng, (6, 1), 0.05, 0.95)),
        ("binaryLogits", rng.integers(0, 2, (5, 3)), normal(rng, (5, 3), 2)),
        ("binarySaturated", [[0, 1, 0], [1, 0, 1]], [[0, 1, 1], [0, 0, 1]]),
        ("binaryLogitsLarge", [[0, 1, 0], [1, 0, 1]], [[-40, 40, 40], [-40, 0, 90]]),
        ("classes", one_hot(labels, 4), probabilities(rng, (5, 4))),
        ("classesNotNormalised", one_hot(labels, 4), uniform(rng, (5, 4), 0.1, 1.5)),
        ("classesLogits", one_hot(labels, 4), normal(rng, (5, 4), 2)),
        ("classesSaturated", one_hot(np.array([0, 2]), 3), [[1, 0, 0], [0, 1, 0]]),
        ("classesLogitsLarge", one_hot(np.array([0, 2]), 3), [[90, -90, 0], [-5, 100, 0]]),
        ("classes3d", one_hot(steps, 4), probabilities(rng, (2, 3, 4))),
        ("labels", labels, probabilities(rng, (5, 4))),
        ("labelsColumn", labels[:, None], probabilities(rng, (5, 4))),
        ("labelsLogits", labels, normal(rng, (5, 4), 2)),
        ("labelsSaturated", [0, 2], [[1, 0, 0], [0, 1, 0]]),
        ("labels3d", steps, probabilities(rng, (2, 3, 4))),
        ("numbers", normal(rng, (5, 3)), normal(rng, (5, 3), 1.5)),
        ("numbersOne", normal(rng, (6, 1)), normal(rng, (6, 1), 1.5)),
        ("numbers1d", normal(rng, (6,)), normal(rng, (6, 1), 1.5)),
        ("numbers3d", normal(rng, (2, 3, 4)), normal(rng, (2, 3, 4), 1.5)),
    ]:
        data[name] = (np.asarray(y_true, FLOAT), np.asarray(y_pred, FLOAT))
    binary, classes, sparse = (
        f"{n}Crossentropy" for n in ("Binary", "Categorical", "SparseCategorical"))
    smooth, logits = {"labelSmoothing": 0.1}, {"fromLogits": True}
    described = [
        (spec(binary), ["binary", "binaryOne", "binarySaturated"]),
        (spec(binary, **smooth), ["binary", "binarySaturated"]),
        (spec(binary, **logits), ["binaryLogits", "binaryLogitsLarge"]),
        (spec(binary, **logits, **smooth), ["binaryLogits"]),
        (spec(classes), ["classes", "classesNotNormalised", "classes3d", "classesSaturated"]),
        (spec(classes, **smooth), ["classes", "classesSaturated"]),
        (spec(classes, **logits), ["classesLogits", "classesLogitsLarge"]),
        (spec(classes, **logits, **smooth), ["classesLogits"]),
        (spec(sparse), ["labels", "labelsColumn", "labels3d", "labelsSaturated"]),
        (spec(sparse, **logits), ["labelsLogits"]),
    ]
    described += [(s, ["numbers", "numbersOne", "numbers1d", "numbers3d"]) for s in (
        spec("MeanSquaredError"), spec("MeanAbsoluteError"), spec("Huber"), spec("Huber", delta=0.5))]
    cases = []
    for described_loss, names in described:
        for name in names:
            y_true, y_pred = data[name]
            forward_only = name.endswith(("Saturated", "Large"))
            samples = build(keras.losses, {**described_loss, "config": {**described_loss["config"], "reduction": "none"}})(y_true, y_pred)
            weights = uniform(rng, samples.shape, 0.2, 2, 2)
            weights.flat[1] = 0
            for sample_weight in [None] if forward_only else [None, weights]:
                cases.append(loss_case(described_loss, name, y_true, y_pred, sample_weight, forward_only))
    cases += loss_option_cases(random(30)) + more_loss_cases(random(31))
    write("losses.json", {"cases": cases, "configs": [default_config(keras.losses, name) for name in LOSSES]})


LOSSES = [
    "BinaryCrossentropy", "BinaryFocalCrossentropy", "CTC", "CategoricalCrossentropy", "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy", "CategoricalHinge", "Circle", "CosineSimilarity", "Dice", "Hinge", "Huber",
    "KLDivergence", "LogCosh", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "Poisson", "SparseCategoricalCrossentropy", "SquaredHinge", "Tversky"]


def default_config(namespace, name, **required):
    """The config of an object with only the required options."""
    config = {camel(k): v for k, v in build(namespace, spec(name, **required)).get_config().items()}
    # Counts of pairs are float32 in myelin, and names have no numbers; names of losses are not visible.
    config.pop("dtype", None)
    config["name"] = re.sub(r"_\d+$", "", config["name"])
    if namespace is keras.losses:
        del config["name"]
    config = {k: camel(v) if k in ("name", "reduction", "classAggregation") else v for k, v in config.items()}
    return {"class": name, "config": {**required, **config}}


def more_loss_cases(rng):
    """All losses except cross-entropies and plain errors."""
    near = lambda *shape: uniform(rng, shape, 0.05, 0.95)
    signs = lambda *shape: np.where(rng.uniform(size=shape) > 0.5, 1, -1).astype(FLOAT)
    yes = lambda *shape: rng.integers(0, 2, shape).astype(FLOAT)
    amounts = lambda *shape: uniform(rng, shape, 0.1, 4)
    of_class = lambda n, classes: one_hot(rng.integers(0, classes, n), classes)
    inner = np.moveaxis(one_hot(rng.integers(0, 3, (2, 2)), 3), -1, 1), np.moveaxis(probabilities(rng, (2, 2, 3)), -1, 1)
    directions = normal(rng, (6, 3))
    directions = np.round(directions / np.linalg.norm(directions, axis=1, keepdims=True), 3).astype(FLOAT)
    pairs = np.array([0, 1, 0, 2, 1, 2], FLOAT), directions
    labels = np.array([[1, 2, 2], [3, 0, 0], [4, 1, 0], [0, 0, 0]], FLOAT)
    focal, focal_classes = "BinaryFocalCrossentropy", "CategoricalFocalCrossentropy"
    described = [
        ("numbers", spec("MeanAbsolutePercentageError"), normal(rng, (4, 3)), normal(rng, (4, 3))),
        ("amounts", spec("MeanSquaredLogarithmicError"), amounts(4, 3), amounts(4, 3) - FLOAT(0.5)),
        ("numbers", spec("LogCosh"), normal(rng, (4, 3)), normal(rng, (4, 3), 4)),
        ("numbers1d", spec("LogCosh"), normal(rng, (4,)), normal(rng, (4, 1))),
        ("numbers", spec("CosineSimilarity"), normal(rng, (4, 3)), normal(rng, (4, 3))),
        ("axis 1", spec("CosineSimilarity", axis=1), normal(rng, (2, 3, 2)), normal(rng, (2, 3, 2))),
        ("amounts", spec("Poisson"), amounts(4, 3), amounts(4, 3)),
        ("classes", spec("KLDivergence"), probabilities(rng, (4, 3)), probabilities(rng, (4, 3))),
        ("one class", spec("KLDivergence"), of_class(4, 3), probabilities(rng, (4, 3))),
        ("signs", spec("Hinge"), signs(4, 3), normal(rng, (4, 3), 2)),
        ("yes", spec("Hinge"), yes(4, 3), normal(rng, (4, 3), 2)),
        ("signs", spec("SquaredHinge"), signs(4, 3), normal(rng, (4, 3), 2)),
        ("yes", spec("SquaredHinge"), yes(4, 3), normal(rng, (4, 3), 2)),
        ("classes", spec("CategoricalHinge"), of_class(4, 3), normal(rng, (4, 3))),
        ("yes", spec(focal), yes(4, 3), near(4, 3)),
        ("yes", spec(focal, applyClassBalancing=True, alpha=0.3, gamma=1.5), yes(4, 3), near(4, 3)),
        ("logits", spec(focal, fromLogits=True, labelSmoothing=0.1), yes(4, 3), normal(rng, (4, 3), 2)),
        ("axis 1", spec(focal, axis=1), yes(2, 3, 2), near(2, 3, 2)),
        ("classes", spec(focal_classes), of_class(4, 3), probabilities(rng, (4, 3))),
        ("classes", spec(focal_classes, alpha=[0.2, 0.3, 0.5], gamma=1.5, labelSmoothing=0.1), of_class(4, 3), probabilities(rng, (4, 3))),
        ("logits", spec(focal_classes, fromLogits=True), of_class(4, 3), normal(rng, (4, 3), 2)),
        ("axis 1", spec(focal_classes, axis=1), *inner),
        ("labels", spec("CategoricalGeneralizedCrossEntropy"), np.array([2, 0, 1, 1], FLOAT), probabilities(rng, (4, 3))),
        ("labels", spec("CategoricalGeneralizedCrossEntropy", q=0.7), np.array([2, 0, 1, 1], FLOAT), probabilities(rng, (4, 3))),
        ("one set", spec("Dice"), yes(3, 4), near(3, 4)),
        ("a set each", spec("Dice", axis=[1, 2]), yes(3, 2, 3), near(3, 2, 3)),
        ("one set", spec("Tversky"), yes(3, 4), near(3, 4)),
        ("a set each", spec("Tversky", alpha=0.3, beta=0.7, axis=[1, 2]), yes(3, 2, 3), near(3, 2, 3)),
        ("pairs", spec("Circle"), *pairs),
        ("pairs", spec("Circle", gamma=8.0, margin=0.2, removeDiagonal=False), *pairs),
        ("sequences", spec("CTC"), labels, normal(rng, (4, 5, 5))),
        ("just long enough", spec("CTC"), labels[:, :2], normal(rng, (4, 2, 5))),
    ]
    cases = []
    for name, loss, y_true, y_pred in described:
        samples = build(keras.losses, {**loss, "config": {**loss["config"], "reduction": "none"}})(y_true, y_pred)
        for weight in (None, uniform(rng, samples.shape or y_true.shape[:1], 0.2, 2, 2)):
            cases.append(loss_case(loss, name, y_true, y_pred, weight, False))
    # Samples without a pair have loss 0 and do not count in a mean.
    alone = np.array([0, 1, 0, 2], FLOAT), directions[:4]
    return cases + [loss_case(spec("Circle"), "some alone", *alone, None, True)]


def loss_option_cases(rng):
    """axis, ignoreClass, masks, and sample weights of other shapes than the values."""
    binary, classes, sparse = (f"{n}Crossentropy" for n in ("Binary", "Categorical", "SparseCategorical"))
    logits = {"fromLogits": True}
    steps = rng.integers(0, 4, (2, 3))
    # Class numbers are compared with all but the last axis, so there are as many classes as steps.
    square = rng.integers(0, 3, (2, 3))
    void = np.array([2, -1, 3, 1, -1])
    void_steps = np.array([[0, 255, 1], [255, 3, 2]])
    inner = lambda shape: np.moveaxis(probabilities(rng, shape), -1, 1)
    described = [
        ("axis 1", spec(binary, axis=1), rng.integers(0, 2, (2, 3, 4)), uniform(rng, (2, 3, 4), 0.05, 0.95)),
        ("axis 0", spec(binary, axis=0, **logits), rng.integers(0, 2, (4, 3)), normal(rng, (4, 3), 2)),
        ("axis 1", spec(classes, axis=1), np.moveaxis(one_hot(steps, 4), -1, 1), inner((2, 3, 4))),
        ("axis 1", spec(classes, axis=1, **logits), np.moveaxis(one_hot(steps, 4), -1, 1), normal(rng, (2, 4, 3), 2)),
        ("axis -2", spec(classes, axis=-2, labelSmoothing=0.1), np.moveaxis(one_hot(steps, 4), -1, 1), inner((2, 3, 4))),
        ("axis 1", spec(sparse, axis=1), square, inner((2, 3, 3))),
        ("axis 1", spec(sparse, axis=1, **logits), square, normal(rng, (2, 3, 3), 2)),
        ("void", spec(sparse, ignoreClass=-1), void, probabilities(rng, (5, 4))),
        ("void", spec(sparse, ignoreClass=-1, **logits), void, normal(rng, (5, 4), 2)),
        ("void of the classes", spec(sparse, ignoreClass=2), np.array([2, 0, 3, 1, 2]), probabilities(rng, (5, 4))),
        ("void 3d", spec(sparse, ignoreClass=255), void_steps, probabilities(rng, (2, 3, 4))),
        ("all void", spec(sparse, ignoreClass=1), np.array([1, 1]), probabilities(rng, (2, 4))),
    ]
    cases = []
    for name, described_loss, y_true, y_pred in described:
        y_true, y_pred = np.asarray(y_true, FLOAT), np.asarray(y_pred, FLOAT)
        samples = build(keras.losses, {**described_loss, "config": {**described_loss["config"], "reduction": "none"}})(y_true, y_pred)
        for weight in (None, uniform(rng, samples.shape, 0.2, 2, 2)):
            cases.append(loss_case(described_loss, name, y_true, y_pred, weight, False))
    y_true, y_pred = normal(rng, (2, 3, 4)), normal(rng, (2, 3, 4), 1.5)
    flat_true, flat_pred = normal(rng, (5,)), normal(rng, (5, 1), 1.5)
    mse, part = spec("MeanSquaredError"), np.array([[1, 1, 0], [1, 0, 0]], FLOAT)
    by_step, column = uniform(rng, (2, 3), 0.2, 2, 2), uniform(rng, (5, 1), 0.2, 2, 2)
    by_sample = uniform(rng, (2, 1), 0.2, 2, 2)
    cases += [
        loss_case(mse, "masked", y_true, y_pred, None, False, part),
        loss_case(mse, "masked", y_true, y_pred, by_step, False, part),
        loss_case(mse, "masked, one weight per sample", y_true, y_pred, by_sample, False, part),
        loss_case(mse, "one weight per sample", y_true, y_pred, by_sample, False),
        loss_case(mse, "all masked", y_true, y_pred, None, False, np.zeros_like(part)),
        loss_case(mse, "column of weights", flat_true, flat_pred, column, False),
        loss_case(mse, "list of weights", flat_true, flat_pred, column[:, 0], False),
        loss_case(spec(sparse, ignoreClass=255), "void and masked", np.asarray(void_steps, FLOAT),
                  probabilities(rng, (2, 3, 4)), by_step, False, part),
    ]
    return cases


def loss_case(described, name, y_true, y_pred, sample_weight, forward_only, mask=None):
    def value(reduction):
        loss = build(keras.losses, {**described, "config": {**described["config"], "reduction": reduction}})

        def call(y_pred):
            y_pred = jnp.asarray(y_pred)
            if mask is not None:
                keras.src.backend.set_keras_mask(y_pred, jnp.asarray(mask, "bool"))
            return loss(y_true, y_pred, sample_weight=sample_weight)

        return call

    def gradient(reduction):
        if forward_only:
            return None
        return tensor(jax.grad(lambda p: jnp.sum(value(reduction)(p)))(jnp.asarray(y_pred)))

    assert forward_only or gradient("none") == gradient("sum")
    return {
        "name": f"{name}{' weighted' if sample_weight is not None else ''}", "loss": described,
        **({} if mask is None else {"mask": tensor(mask)}),
        "yTrue": tensor(y_true), "yPred": tensor(y_pred),
        "sampleWeight": None if sample_weight is None else tensor(sample_weight),
        "none": tensor(value("none")(y_pred)), "sum": number(value("sum")(y_pred)),
        "sumOverBatchSize": number(value("sumOverBatchSize")(y_pred)),
        "mean": number(value("mean")(y_pred)),
        "meanWithSampleWeight": number(value("meanWithSampleWeight")(y_pred)),
        "sumGradient": gradient("sum"), "sumOverBatchSizeGradient": gradient("sumOverBatchSize")}


# ---------------------------------------------------------------- metrics.json


def metrics():
    rng = random(4)
    sizes = (7, 7, 3)  # the last batch is smaller

    def batches(make):
        return [make(n) for n in sizes]

    def labels(n, classes):
        return rng.integers(0, classes, n).astype(FLOAT)

    def binary(shape):
        return lambda n: (rng.integers(0, 2, (n, *shape)).astype(FLOAT), uniform(rng, (n, *shape), 0.02, 0.98))

    data = {
        "binary": batches(binary((1,))),
        "binary1d": batches(binary(())),
        "binary3": batches(binary((3,))),
        "classes": batches(lambda n: (one_hot(labels(n, 7).astype(int), 7), probabilities(rng, (n, 7)))),
        "labels": batches(lambda n: (labels(n, 7), probabilities(rng, (n, 7)))),
        "labelsColumn": batches(lambda n: (labels((n, 1), 7), probabilities(rng, (n, 7)))),
        "labels3d": batches(lambda n: (labels((n, 2), 4), probabilities(rng, (n, 2, 4)))),
        "numbers": batches(lambda n: (normal(rng, (n, 3)), normal(rng, (n, 3)))),
        "numbersOne": batches(lambda n: (normal(rng, (n, 1)), normal(rng, (n, 1)))),
    }
    # Class 3 is as probable as the second best one: a tie counts as "among the top k".
    tied = [[0.4, 0.2, 0.1, 0.2, 0.1], [0.1, 0.2, 0.4, 0.2, 0.1]]
    data["tied"] = [(np.array([3, 1], FLOAT), np.array(tied, FLOAT))]
    # Exactly at the threshold is not above it.
    data["atThreshold"] = [(np.array([[1], [0], [1], [0]], FLOAT), np.array([[0.5], [0.5], [0.75], [0.25]], FLOAT))]
    # One-hot targets of several classes, scores of several labels, and scores and logits outside of [0, 1].
    more = random(40)
    data["labels4"] = [((more.uniform(0, 1, (n, 4)) > 0.5).astype(FLOAT), uniform(more, (n, 4), 0, 1)) for n in sizes]
    data["logits"] = [(more.integers(0, 2, (n, 1)).astype(FLOAT), normal(more, (n, 1), 2)) for n in sizes]
    data["logits4"] = [(more.integers(0, 2, (n, 4)).astype(FLOAT), normal(more, (n, 4), 2)) for n in sizes]
    data["onThresholds"] = [(more.integers(0, 2, (n,)).astype(FLOAT), (more.integers(0, 11, (n,)) / 10).astype(FLOAT)) for n in sizes]
    data["void"] = [(more.integers(-1, 4, (n,)).astype(FLOAT), probabilities(more, (n, 4))) for n in sizes]
    data["innerClasses"] = [(np.moveaxis(one_hot(more.integers(0, 4, (n, 3)), 4), -1, 1),
                             np.moveaxis(probabilities(more, (n, 3, 4)), -1, 1)) for n in sizes]
    data["innerLabels"] = [(more.integers(0, 3, (n, 3)).astype(FLOAT), np.moveaxis(probabilities(more, (n, 3, 3)), -1, 1)) for n in sizes]
    described = [
        (spec("BinaryAccuracy"), ["binary", "binary1d", "binary3", "atThreshold"]),
        (spec("BinaryAccuracy", threshold=0.3), ["binary"]),
        (spec("CategoricalAccuracy"), ["classes"]),
        (spec("SparseCategoricalAccuracy"), ["labels", "labelsColumn", "labels3d"]),
        (spec("TopKCategoricalAccuracy"), ["classes"]),
        (spec("TopKCategoricalAccuracy", k=2), ["classes"]),
        (spec("SparseTopKCategoricalAccuracy"), ["labels"]),
        (spec("SparseTopKCategoricalAccuracy", k=2), ["labels", "labels3d", "tied"]),
        (spec("MeanSquaredError"), ["numbers", "numbersOne"]),
        (spec("MeanAbsoluteError"), ["numbers", "numbersOne"]),
        (spec("RootMeanSquaredError"), ["numbers", "numbersOne"]),
        (spec("Precision"), ["binary", "binary1d", "binary3", "atThreshold"]),
        (spec("Precision", thresholds=0.3), ["binary"]),
        (spec("Recall"), ["binary", "binary1d", "binary3", "atThreshold"]),
        (spec("Recall", thresholds=0.3), ["binary"]),
        (spec("AUC"), ["binary", "binary1d", "binary3"]),
        (spec("AUC", curve="PR"), ["binary", "binary3"]),
        (spec("AUC", numThresholds=20), ["binary"]),
        (spec("AUC", numThresholds=20, curve="PR"), ["binary"]),
        (spec("BinaryCrossentropy"), ["binary", "binary3"]),
        (spec("BinaryCrossentropy", labelSmoothing=0.1), ["binary"]),
        (spec("BinaryCrossentropy", fromLogits=True), ["numbersOne"]),
        (spec("CategoricalCrossentropy"), ["classes"]),
        (spec("CategoricalCrossentropy", labelSmoothing=0.1), ["classes"]),
        (spec("SparseCategoricalCrossentropy"), ["labels", "labels3d"]),
        (spec("SparseCategoricalCrossentropy", fromLogits=True), ["labels"]),
        (spec("SparseCategoricalCrossentropy", ignoreClass=-1), ["void"]),
        (spec("SparseCategoricalCrossentropy", ignoreClass=-1, fromLogits=True), ["void"]),
        (spec("SparseCategoricalCrossentropy", axis=1), ["innerLabels"]),
        (spec("CategoricalCrossentropy", axis=1), ["innerClasses"]),
        (spec("BinaryAccuracy", threshold=0.0), ["logits"]),
    ]
    for name in ("Precision", "Recall"):
        described += [
            (spec(name, thresholds=[0.2, 0.5, 0.9]), ["binary", "labels4", "onThresholds"]),
            (spec(name, thresholds=[0.0, 0.5, 1.0]), ["binary", "logits", "onThresholds"]),
            (spec(name, thresholds=[0.3]), ["binary3"]),
            (spec(name, classId=1), ["labels4", "binary3"]),
            (spec(name, classId=2, thresholds=[0.25, 0.75]), ["labels4"]),
            (spec(name, topK=2), ["labels4", "classes"]),
            (spec(name, topK=2, thresholds=0.6), ["labels4"]),
            (spec(name, topK=1, classId=3), ["labels4"]),
            (spec(name, thresholds=0.6), ["logits"]),
        ]
    for curve in ("ROC", "PR", "PRGAIN"):
        described += [(spec("AUC", curve=curve, summationMethod=s), ["binary"]) for s in ("interpolation", "minoring", "majoring")]
        described += [
            (spec("AUC", curve=curve, multiLabel=True, numThresholds=20), ["labels4"]),
            (spec("AUC", curve=curve, multiLabel=True, numLabels=4, numThresholds=20, labelWeights=[1.0, 0.5, 0.0, 2.0]), ["labels4"]),
        ]
    described += [
        (spec("AUC"), ["logits", "onThresholds"]),
        (spec("AUC", numThresholds=11), ["onThresholds"]),
        (spec("AUC", numThresholds=2), ["logits"]),
        (spec("AUC", fromLogits=True), ["logits", "logits4"]),
        (spec("AUC", fromLogits=True, multiLabel=True), ["logits4"]),
        (spec("AUC", labelWeights=[1.0, 0.5, 0.0, 2.0]), ["labels4"]),
        (spec("AUC", thresholds=[0.2, 0.35, 0.9]), ["binary", "logits", "onThresholds"]),
        (spec("AUC", thresholds=[0.75, 0.25, 0.5]), ["binary", "logits"]),
        (spec("AUC", thresholds=[0.2, 0.35, 0.9], multiLabel=True), ["labels4"]),
    ]
    weights = {name: [uniform(rng, y.shape[:1], 0.1, 2, 2) for y, _ in data[name]] for name in data}
    others = random(41)
    more_data, more_described = more_metrics(others, sizes)
    data |= more_data
    described += more_described
    # Pairs of classes have whole weights: Keras counts them in integers.
    weights |= {name: [others.integers(0, 4, y.shape[:1]).astype(FLOAT) if name in PAIRS else uniform(others, y.shape[:1], 0.1, 2, 2) for y, _ in batches]
                for name, batches in more_data.items()}
    cases = []
    for described_metric, names in described:
        for name in names:
            # Keras has no sample weights for several pairs.
            for weighted in (False,) if name == "pictures" else (False, True):
                metric, results = build(keras.metrics, described_metric), []
                for i, (y_true, y_pred) in enumerate(data[name]):
                    metric.update_state(y_true, y_pred, sample_weight=weights[name][i] if weighted else None)
                    result = np.asarray(metric.result())
                    results.append(number(result) if result.ndim == 0 else [number(r) for r in result])
                cases.append({"metric": described_metric, "data": name, "weighted": weighted, "results": results})
    stored = {name: [{"yTrue": tensor(y), "yPred": tensor(p), "sampleWeight": tensor(w)}
                     for (y, p), w in zip(data[name], weights[name])] for name in data}
    means = []
    for name, shape, weight_rank in [("scalars", (), None), ("vectors", (5,), None), ("vectors weighted", (5,), 1),
                                     ("matrices", (4, 3), None), ("matrices, one weight per row", (4, 3), 1),
                                     ("matrices, one weight per value", (4, 3), 2)]:
        metric, steps = keras.metrics.Mean(), []
        for _ in range(3):
            values = normal(rng, shape)
            weight = None if weight_rank is None else uniform(rng, shape[:weight_rank], 0.1, 2, 2)
            metric.update_state(values, sample_weight=weight)
            steps.append({"values": tensor(values), "sampleWeight": None if weight is None else tensor(weight),
                          "result": number(metric.result())})
        means.append({"name": name, "updates": steps})
    sums = []
    for name, shape, weight_rank in [("scalars", (), None), ("vectors weighted", (5,), 1), ("matrices", (4, 3), None),
                                     ("matrices, one weight per row", (4, 3), 1), ("matrices, one weight per value", (4, 3), 2)]:
        metric, steps = keras.metrics.Sum(), []
        for _ in range(2):
            values = normal(others, shape)
            weight = None if weight_rank is None else uniform(others, shape[:weight_rank], 0.1, 2, 2)
            metric.update_state(values, sample_weight=weight)
            steps.append({"values": tensor(values), "sampleWeight": None if weight is None else tensor(weight),
                          "result": number(metric.result())})
        sums.append({"name": name, "updates": steps})
    write("metrics.json", {"data": stored, "cases": cases, "means": means, "sums": sums,
                           "configs": [default_config(keras.metrics, name, **REQUIRED.get(name, {})) for name in METRICS]})


METRICS = [
    "AUC", "Accuracy", "BinaryAccuracy", "BinaryCrossentropy", "BinaryIoU", "CategoricalAccuracy", "CategoricalCrossentropy",
    "CategoricalHinge", "ConcordanceCorrelation", "CosineSimilarity", "F1Score", "FBetaScore", "FalseNegatives", "FalsePositives",
    "Hinge", "IoU", "KLDivergence", "LogCoshError", "Mean", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanIoU",
    "MeanSquaredError", "MeanSquaredLogarithmicError", "OneHotIoU", "OneHotMeanIoU", "PearsonCorrelation", "Poisson", "Precision",
    "PrecisionAtRecall", "R2Score", "Recall", "RecallAtPrecision", "RootMeanSquaredError", "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy", "SparseCategoricalCrossentropy", "SparseTopKCategoricalAccuracy", "SpecificityAtSensitivity",
    "SquaredHinge", "Sum", "TopKCategoricalAccuracy", "TrueNegatives", "TruePositives"]
REQUIRED = {
    "MeanIoU": {"numClasses": 3}, "OneHotMeanIoU": {"numClasses": 3},
    "IoU": {"numClasses": 3, "targetClassIds": [0, 2]}, "OneHotIoU": {"numClasses": 3, "targetClassIds": [0, 2]},
    "SensitivityAtSpecificity": {"specificity": 0.5}, "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "PrecisionAtRecall": {"recall": 0.5}, "RecallAtPrecision": {"precision": 0.5},
}
PAIRS = {"numbered", "scored", "hot", "yesAtHalf", "pictures"}


def more_metrics(rng, sizes):
    """Data and metrics other than accuracies, errors, precision, recall and AUC."""

    def batches(make):
        return [make(n) for n in sizes]

    numbered = lambda n: rng.integers(0, 4, n).astype(FLOAT)
    hot = lambda n: one_hot(rng.integers(0, 4, n), 4)
    data = {
        "amounts": batches(lambda n: (uniform(rng, (n, 2), 0.1, 4), uniform(rng, (n, 2), 0.1, 4))),
        "signs": batches(lambda n: (np.where(rng.uniform(size=(n, 2)) > 0.5, 1, -1).astype(FLOAT), normal(rng, (n, 2), 2))),
        "columns": batches(lambda n: (normal(rng, (n, 3)), normal(rng, (n, 3), 0.5))),
        "ids": batches(lambda n: (numbered(n), np.stack([rng.permutation(4) for _ in range(n)]).astype(FLOAT))),
        "numbered": batches(lambda n: (rng.integers(-1, 5, n).astype(FLOAT), numbered(n))),
        "scored": batches(lambda n: (numbered(n), probabilities(rng, (n, 4)))),
        "hot": batches(lambda n: (hot(n), probabilities(rng, (n, 4)))),
        "yesAtHalf": batches(lambda n: (rng.integers(0, 2, n).astype(FLOAT), (rng.integers(0, 5, n) / 4).astype(FLOAT))),
        "pictures": batches(lambda n: (rng.integers(0, 4, (n, 2, 2)).astype(FLOAT), probabilities(rng, (n, 2, 2, 4)))),
    }
    described = [(spec(name), ["amounts"]) for name in (
        "MeanAbsolutePercentageError", "MeanSquaredLogarithmicError", "LogCoshError", "Poisson", "KLDivergence")]
    described += [(spec(name), ["signs", "binary3"]) for name in ("Hinge", "SquaredHinge")]
    described += [
        (spec("CategoricalHinge"), ["hot"]),
        (spec("Accuracy"), ["numbered"]),
        (spec("SparseTopKCategoricalAccuracy", k=2, fromSortedIds=True), ["ids"]),
        (spec("CosineSimilarity"), ["columns"]),
        (spec("PearsonCorrelation"), ["columns"]),
        (spec("ConcordanceCorrelation"), ["columns"]),
        (spec("R2Score"), ["columns", "numbersOne"]),
        (spec("R2Score", classAggregation=None), ["columns"]),
        (spec("R2Score", classAggregation="varianceWeightedAverage"), ["columns"]),
        (spec("R2Score", numRegressors=2), ["columns"]),
        (spec("MeanIoU", numClasses=4), ["numbered"]),
        (spec("MeanIoU", numClasses=4, ignoreClass=1), ["numbered"]),
        (spec("MeanIoU", numClasses=4, sparseYPred=False), ["scored", "pictures"]),
        (spec("IoU", numClasses=4, targetClassIds=[0, 3], sparseYTrue=False, sparseYPred=False), ["hot"]),
        (spec("OneHotMeanIoU", numClasses=4), ["hot"]),
        (spec("OneHotIoU", numClasses=4, targetClassIds=[2], ignoreClass=0), ["hot"]),
        (spec("BinaryIoU"), ["yesAtHalf"]),
        (spec("BinaryIoU", threshold=0.75, targetClassIds=[1]), ["yesAtHalf"]),
    ]
    for average in (None, "micro", "macro", "weighted"):
        described += [(spec("F1Score", average=average), ["hot"]), (spec("FBetaScore", average=average, beta=2.0, threshold=0.4), ["labels4"])]
    for name in ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives"):
        described += [(spec(name), ["binary3"]), (spec(name, thresholds=[0.2, 0.5, 0.9]), ["onThresholds"])]
    for name, option, least in [("SensitivityAtSpecificity", "specificity", 0.6), ("SpecificityAtSensitivity", "sensitivity", 0.6),
                                ("PrecisionAtRecall", "recall", 0.7), ("RecallAtPrecision", "precision", 0.65)]:
        described += [(spec(name, **{option: least}), ["binary", "logits"]), (spec(name, **{option: least}, numThresholds=11), ["onThresholds"]),
                      (spec(name, **{option: least}, numThresholds=1), ["binary3"]), (spec(name, **{option: least}, numThresholds=2), ["logits"]),
                      (spec(name, **{option: least}, classId=2), ["labels4"])]
    return data, described


# ---------------------------------------------------------------- constraints.json


def constraints():
    rng = random(12)
    cases = []
    for described, shape in [
        (spec("MaxNorm"), (4, 3)), (spec("MaxNorm", maxValue=0.5, axis=1), (4, 3)), (spec("MaxNorm", maxValue=1.5, axis=[0, 1, 2]), (2, 3, 2, 4)),
        (spec("NonNeg"), (4, 3)), (spec("UnitNorm"), (4, 3)), (spec("UnitNorm", axis=[0, 1]), (4, 3)), (spec("UnitNorm", axis=-1), (5,)),
        (spec("MinMaxNorm"), (4, 3)), (spec("MinMaxNorm", minValue=2.0, maxValue=3.0), (4, 3)),
        (spec("MinMaxNorm", minValue=0.5, maxValue=0.75, rate=0.25, axis=1), (4, 3)),
    ]:
        weight = normal(rng, shape)
        cases.append({"constraint": described, "weight": tensor(weight), "result": tensor(build(keras.constraints, described)(weight))})
    write("constraints.json", {"cases": cases, "runs": [fitted_run(rng, *each) for each in CONSTRAINED]})


# ---------------------------------------------------------------- regularizers.json


def regularizers():
    rng = random(14)
    cases = []
    for described, shape in [
        (spec("L1"), (4, 3)), (spec("L2", l2=0.3), (2, 3, 2)), (spec("L1L2", l1=0.1, l2=0.2), (5,)),
        (spec("OrthogonalRegularizer"), (4, 3)), (spec("OrthogonalRegularizer", factor=0.5, mode="columns"), (4, 3)),
        (spec("OrthogonalRegularizer", factor=2.0), (2, 5)), (spec("OrthogonalRegularizer", mode="columns"), (3, 2)),
    ]:
        weight = normal(rng, shape)
        penalty = build(keras.regularizers, described)
        value, gradient = jax.value_and_grad(lambda w: penalty(w))(jnp.asarray(weight))
        cases.append({"regularizer": described, "weight": tensor(weight), "penalty": number(value), "gradient": tensor(gradient)})
    write("regularizers.json", {"cases": cases})


def normalized():
    rng = random(31)
    runs = []
    for config in (
        {}, dict(momentum=0.5, epsilon=0.1), dict(renorm=True), dict(renorm=True, momentum=0.6, renormMomentum=0.5),
        dict(renorm=True, renormClipping=dict(rmax=0.9, rmin=0.4, dmax=0.2)), dict(renorm=True, scale=False, center=False, renormClipping=dict(dmax=0.1)),
    ):
        runs.append(fitted_run(rng, [spec("Dense", units=3), spec("BatchNormalization", **config), spec("Dense", units=1)], spec("SGD", learningRate=0.01), (4,)))
    write("normalized.json", {"runs": runs})


LARGEST = spec("MaxNorm", maxValue=0.7)
CONSTRAINED = [
    ([spec("Dense", units=3, kernelConstraint=LARGEST, biasConstraint=spec("NonNeg")), spec("Dense", units=1)], spec("SGD", learningRate=0.1), (4,)),
    ([spec("Dense", units=3), spec("Dense", units=1, kernelConstraint=spec("UnitNorm"))], spec("Adam", learningRate=0.05), (4,)),
    ([spec("Dense", units=2, kernelConstraint=spec("MinMaxNorm", minValue=0.5, rate=0.5))],
     spec("SGD", learningRate=0.1, momentum=0.9, useEma=True, emaOverwriteFrequency=2), (4,)),
    ([spec("Dense", units=2, kernelConstraint=LARGEST)], spec("Adam", learningRate=0.05, gradientAccumulationSteps=2), (4,)),
    ([spec("Conv1D", filters=3, kernelSize=2, kernelConstraint=spec("MaxNorm", maxValue=0.5, axis=[0, 1])),
      spec("BatchNormalization", gammaConstraint=spec("MaxNorm", maxValue=0.9, axis=0), betaConstraint=spec("NonNeg")),
      spec("SimpleRNN", units=2, recurrentConstraint=spec("UnitNorm"), kernelConstraint=spec("NonNeg"))],
     spec("SGD", learningRate=0.1), (5, 2)),
]


def fitted_run(rng, layers, optimizer, shape):
    """A few epochs of fit in order, from given weights."""
    model = keras.Sequential([keras.Input(shape)] + [build(keras.layers, each) for each in layers])
    x = normal(rng, (8, *shape))
    initial = [normal(rng, w.shape, 0.5) for w in model.get_weights()]
    initial = [np.abs(w) + FLOAT(0.25) if "variance" in v.name or "stddev" in v.name else w for v, w in zip(model.weights, initial)]
    model.set_weights(initial)
    model.compile(optimizer=build(keras.optimizers, optimizer), loss="mean_squared_error")
    y = normal(rng, (8, *model.output_shape[1:]))
    model.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0)
    return {"layers": layers, "optimizer": optimizer, "x": tensor(x), "y": tensor(y), "initial": tensors(initial), "final": tensors(model.get_weights())}


# ---------------------------------------------------------------- initializers.json

TRUNCATED_STD = 0.87962566103423978  # the standard deviation of a normal cut off at ±2


def initializer_facts(described, shape):
    """Expected moments and bounds, by the formulas of Keras's initializers; None where unbounded or undefined."""
    initializer = build(keras.initializers, described)
    fan_in, fan_out = (shape if len(shape) == 2 else (n * int(np.prod(shape[:-2])) for n in shape[-2:]))
    if "inputAxes" in described["config"]:
        fan_in, fan_out = (int(np.prod([shape[a] for a in described["config"][k]])) for k in ("inputAxes", "outputAxes"))
    mean, low, high, distribution = 0.0, None, None, "constant"
    if isinstance(initializer, keras.initializers.VarianceScaling):
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[initializer.mode]
        distribution = camel(initializer.distribution)
        std = (initializer.scale / fan) ** 0.5
        if distribution == "uniform":
            high = (3 * initializer.scale / fan) ** 0.5
        elif distribution == "truncatedNormal":
            high = 2 * std / TRUNCATED_STD
        low = None if high is None else -high
    elif described["class"] == "RandomNormal":
        distribution, mean, std = "untruncatedNormal", initializer.mean, initializer.stddev
    elif described["class"] == "TruncatedNormal":
        distribution, mean, std = "truncatedNormal", initializer.mean, initializer.stddev * TRUNCATED_STD
        low, high = mean - 2 * initializer.stddev, mean + 2 * initializer.stddev
    elif described["class"] == "RandomUniform":
        distribution, low, high = "uniform", initializer.minval, initializer.maxval
        mean, std = (low + high) / 2, (high - low) / 12**0.5
    elif described["class"] == "Orthogonal":
        # Orthonormal columns of length `rows`: each entry's mean square is gain² / rows (or columns, if more).
        distribution, std = "orthogonal", initializer.gain / max(np.prod(shape[:-1]), shape[-1]) ** 0.5
    else:
        values = np.asarray(initializer(shape))
        distribution = "identity" if described["class"] == "Identity" else "constant"
        mean, std, low, high = values.mean(), values.std(), values.min(), values.max()
    if distribution not in ("constant", "identity"):
        check_by_sampling(initializer, shape, mean, std, low, high)
    plain = lambda v: None if v is None else float(v)
    return {"initializer": described, "shape": shape, "fanIn": fan_in, "fanOut": fan_out,
            "distribution": distribution, "mean": plain(mean), "std": plain(std), "min": plain(low), "max": plain(high)}


def check_by_sampling(initializer, shape, mean, std, low, high):
    """Checks that Keras's own numbers agree with the formulas."""
    draws = [type(initializer).from_config({**initializer.get_config(), "seed": seed})(shape) for seed in range(60)]
    values = np.asarray(draws)
    assert abs(values.mean() - mean) <= 0.01 * std + 1e-7, (initializer, values.mean(), mean)
    assert abs(values.std() - std) <= 0.01 * std + 1e-7, (initializer, values.std(), std)
    if low is not None:
        slack = 1e-6 * max(abs(low), abs(high))
        assert values.min() >= low - slack and values.max() <= high + slack, (initializer, low, high)
        assert values.max() >= high - 0.02 * (high - low) - slack, (initializer, values.max(), high)


def initializers():
    described = [spec(n) for n in (
        "GlorotUniform", "GlorotNormal", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform", "RandomNormal",
        "RandomUniform", "TruncatedNormal", "VarianceScaling", "Zeros", "Ones", "Constant", "Identity", "Orthogonal")]
    described += [
        spec("RandomNormal", mean=1.5, stddev=0.5), spec("RandomUniform", minval=-1.0, maxval=3.0),
        spec("TruncatedNormal", mean=1.0, stddev=0.25), spec("Constant", value=0.25), spec("Identity", gain=2.0),
        spec("Orthogonal", gain=1.5), spec("VarianceScaling", scale=2.0, mode="fanOut", distribution="uniform"),
        spec("VarianceScaling", scale=0.5, mode="fanAvg", distribution="untruncatedNormal"),
        spec("VarianceScaling", scale=3.0, mode="fanAvg", distribution="truncatedNormal"),
        spec("VarianceScaling", scale=2.0, mode="fanIn", distribution="uniform", inputAxes=[-1], outputAxes=[0])]
    cases = [initializer_facts(s, shape) for s in described for shape in ([64, 48], [3, 3, 8, 16])
             if not (s["class"] == "Identity" and len(shape) > 2)]
    cases += [initializer_facts(spec("Identity", gain=2.0), shape) for shape in ([5, 3], [2, 7])]
    cases += [initializer_facts(spec("Orthogonal", gain=0.5), shape) for shape in ([2, 3, 4, 5, 60], [5, 6, 90])]
    write("initializers.json", {"cases": cases})


MAKERS = {make.__name__: make for make in (
    activations, losses, metrics, optimizers, rules, initializers, constraints, regularizers, normalized, trajectories)}

if __name__ == "__main__":
    named = [a for a in sys.argv[1:] if not a.startswith("--")]
    for name in ["trajectories"] if FLOAT64 else named or MAKERS:
        MAKERS[name]()
