"""Writes functional.json: whole runs of fit of functional models, which are described as graphs of layers.

Never reads anything of myelin. The shape of the file is described in format.ts; how to run it: README.md.
"""

import json
import sys

from common import FLOAT, build, camel, normal, number, random, spec, tensor, tensors, uniform, write

import keras
import numpy as np

EPOCHS = 3
ADAM, SGD = spec("Adam", learningRate=0.02), spec("SGD", learningRate=0.05, momentum=0.9)


class OutputPenalty(keras.layers.Layer):
    """Adds factor · mean(x²) to the loss."""

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        self.supports_masking = True

    def call(self, x):
        self.add_loss(self.factor * keras.ops.mean(keras.ops.square(x)))
        return x


# ---------------------------------------------------------------- the language of graphs


def graph(inputs, calls, outputs, order=None):
    """inputs: name → {"shape", "dtype"}; order: the tree of the model's input names, by default a record of all."""
    return {"inputs": {k: {"shape": s[0], "dtype": s[1] if len(s) > 1 else "float32"} for k, s in inputs.items()},
            "order": order if order is not None else {k: k for k in inputs}, "calls": calls, "outputs": outputs}


def call(layer, given, gives):
    """layer: a description, the key of one, {"model": key} or {"op": name}; given: a tree of symbols; gives: a tree of names."""
    return {"layer": layer, "from": given, "as": gives}


def chain(*names, start):
    """Calls of layers in sequence; each symbol has the name of its layer."""
    symbols = [start, *names]
    return [call(name, symbols[i], name) for i, name in enumerate(names)]


def map_tree(tree, f):
    if isinstance(tree, dict):
        return {k: map_tree(v, f) for k, v in tree.items()}
    return [map_tree(v, f) for v in tree] if isinstance(tree, list) else f(tree)


def leaves(tree):
    found = []
    map_tree(tree, found.append)
    return found


class Made:
    """The layers and models of a case by key."""

    def __init__(self, case):
        self.layers = {}
        for key, described in case["layers"].items():
            own = {"OutputPenalty": OutputPenalty}.get(described["class"])
            made = own(**described["config"]) if own else build(keras.layers, described)
            made.name = key
            self.layers[key] = made
        self.models = {}
        for key, described in case["models"].items():
            self.models[key] = self.model(described, key)

    def model(self, described, name):
        if isinstance(described, list):
            return keras.Sequential([keras.Input(**described[0])] + [self.layers[key] for key in described[1:]], name=name)
        symbols = {key: keras.Input(name=key, **about) for key, about in described["inputs"].items()}
        look = lambda leaf: symbols[leaf] if isinstance(leaf, str) else leaf
        for each in described["calls"]:
            layer, given = each["layer"], map_tree(each["from"], look)
            if isinstance(layer, str):
                result = self.layers[layer](given)
            elif "model" in layer:
                result = self.models[layer["model"]](given)
            else:
                result = getattr(keras.ops, layer["op"])(*given, *layer.get("more", []))
            if isinstance(each["as"], str):
                symbols[each["as"]] = result
            else:
                symbols.update(zip(leaves(each["as"]), keras.tree.flatten(result)))
        return keras.Model(map_tree(described["order"], look), map_tree(described["outputs"], look), name=name)


# ---------------------------------------------------------------- data


def make_data():
    rng = random(300)
    a, b = normal(rng, (14, 4)), normal(rng, (14, 3))
    ids = rng.integers(1, 7, (14, 5))
    for row, length in zip(ids, rng.integers(1, 6, 14)):
        row[length:] = 0
    steps = normal(rng, (14, 4, 3))
    for row, length in zip(steps, rng.integers(1, 5, 14)):
        row[length:] = 0
    score = a.sum(1) + b[:, 0]
    column = lambda x: np.round(x, 3).astype(np.float32).astype(FLOAT)[:, None]
    return {
        "a": a, "b": b, "ids": ids.astype(np.int32), "steps": steps, "image": normal(rng, (14, 2, 3, 2)),
        "bits": rng.integers(0, 2, (14, 3)).astype(np.int32),
        "price": column(np.tanh(score)), "other": column(np.sin(score)), "two": normal(rng, (14, 2)),
        "kind": rng.integers(0, 3, 14).astype(FLOAT), "kindOneHot": np.eye(3, dtype=FLOAT)[rng.integers(0, 3, 14)],
        "yes": (score > 0).astype(FLOAT)[:, None],
        "idTargets": normal(rng, (14, 5, 1)), "idClasses": rng.integers(0, 3, (14, 5)).astype(FLOAT), "stepTargets": normal(rng, (14, 4, 2)),
        "weights": uniform(rng, (14,), 0.2, 2, 2), "moreWeights": uniform(rng, (14,), 0.2, 2, 2),
        "idWeights": uniform(rng, (14, 5), 0.2, 2, 2), "stepWeights": uniform(rng, (14, 4), 0.2, 2, 2),
    }


# ---------------------------------------------------------------- cases

dense = lambda units, activation="linear", **more: spec("Dense", units=units, activation=activation, **more)
A, B = {"a": ([4],)}, {"b": ([3],)}


def case(name, layers, main, x, y, loss="meanSquaredError", optimizer=ADAM, models=None, validation=True, freeze=None, **more):
    """`more`: lossWeights, metrics, weightedMetrics, sampleWeight"""
    compiled = {"optimizer": optimizer, "loss": loss}
    for key in ("lossWeights", "metrics", "weightedMetrics"):
        if key in more:
            compiled[key] = more.pop(key)
    fit = {"x": x, "y": y, "batchSize": 4, "epochs": EPOCHS, "validation": validation, **more}
    return {"name": name, "layers": layers, "models": models or {}, "main": main, "compile": compiled, "fit": fit,
            **({"freeze": freeze} if freeze else {})}


def single_output_cases():
    yield case("a layer that is called twice", {"shared": dense(4, "tanh"), "out": dense(1)},
               graph(A, chain("shared", start="a") + [call("shared", "shared", "again"), call("out", "again", "y")], "y", "a"),
               "a", "price", metrics=["meanAbsoluteError"])
    yield case("a layer for two inputs", {"shared": dense(5, "relu"), "side": dense(4), "add": spec("Add"), "out": dense(1)},
               graph({**A, **B}, [call("side", "b", "s"), call("shared", "a", "p"), call("shared", "s", "q"),
                                  call("add", ["p", "q"], "sum"), call("out", "sum", "y")], "y"),
               {"a": "a", "b": "b"}, "price", optimizer=SGD, metrics=["meanAbsoluteError"])
    yield case("skip connections", {"one": dense(4, "tanh"), "two": dense(4, "tanh"), "add": spec("Add"), "join": spec("Concatenate"), "out": dense(1, "sigmoid")},
               graph(A, chain("one", "two", start="a") + [call("add", ["a", "two"], "sum"), call("join", ["a", "sum", "one"], "all"), call("out", "all", "y")], "y", "a"),
               "a", "yes", "binaryCrossentropy", metrics=["accuracy"])
    for label, order in (("by name", {"a": "a", "b": "b"}), ("by position", ["a", "b"])):
        yield case(f"several inputs {label}", {"one": dense(4, "tanh"), "two": dense(4, "tanh"), "times": spec("Multiply"), "out": dense(3, "softmax")},
                   graph({**A, **B}, [call("one", "a", "p"), call("two", "b", "q"), call("times", ["p", "q"], "m"), call("out", "m", "y")], "y", order),
                   order, "kind", "sparseCategoricalCrossentropy", metrics=["accuracy"], weightedMetrics=["accuracy"], sampleWeight="weights")
    yield case("inputs of integers, a cast, ops on symbols", {"one": dense(4, "tanh"), "out": dense(1)},
               graph({**A, "bits": ([3], "int32")},
                     [call({"op": "cast", "more": ["float32"]}, ["bits"], "floats"), call({"op": "concatenate", "more": [1]}, [["a", "floats"]], "all"),
                      call("one", "all", "h"), call({"op": "multiply"}, ["h", 2.5], "scaled"), call({"op": "exp"}, ["scaled"], "e"),
                      call({"op": "add"}, ["e", "a"], "sum"), call("out", "sum", "y")], "y"),
               {"a": "a", "bits": "bits"}, "price", optimizer=spec("SGD", learningRate=0.001))
    yield case("EinsumDense and Dot",
               {"one": spec("EinsumDense", equation="ab,bcd->acd", outputShape=[2, 3], biasAxes="cd", activation="tanh"),
                "two": spec("EinsumDense", equation="...x,xy->...y", outputShape=3, biasAxes="y"), "dot": spec("Dot", axes=[2, 2], normalize=True),
                "flat": spec("Flatten"), "out": dense(1)},
               graph(A, chain("one", "two", start="a") + [call("dot", ["one", "two"], "d"), call("flat", "d", "f"), call("out", "f", "y")], "y", "a"),
               "a", "price")
    yield case("PReLU with sharedAxes", {"prelu": spec("PReLU", sharedAxes=[1, 2]), "mix": dense(2), "two": spec("PReLU"), "flat": spec("Flatten"), "out": dense(1)},
               graph({"image": ([2, 3, 2],)}, chain("prelu", "mix", "two", "flat", "out", start="image"), "out", "image"), "image", "price", optimizer=SGD)
    yield case("Reshape, Permute, RepeatVector", {"one": dense(6, "tanh"), "shape": spec("Reshape", targetShape=[3, 2]), "turn": spec("Permute", dims=[2, 1]),
                                                  "mix": dense(2), "flat": spec("Flatten"), "repeat": spec("RepeatVector", n=2), "sum": dense(1), "flat2": spec("Flatten"), "out": dense(1)},
               graph(A, chain("one", "shape", "turn", "mix", "flat", "repeat", "sum", "flat2", "out", start="a"), "out", "a"), "a", "price")
    l2 = spec("L2", l2=0.02)
    yield case("addLoss and penalties", {"one": dense(4, "tanh", kernelRegularizer=l2, activityRegularizer=spec("L1", l1=0.01)), "penalty": spec("OutputPenalty", factor=0.3), "out": dense(1, biasRegularizer=spec("L1", l1=0.1))},
               graph(A, chain("one", "penalty", "out", start="a"), "out", "a"), "a", "price", metrics=["meanSquaredError"])
    for label, optimizer in (("SGD with momentum", SGD), ("Adam with gradientAccumulationSteps", spec("Adam", learningRate=0.02, gradientAccumulationSteps=2)),
                             ("Adam with useEma", spec("Adam", learningRate=0.02, useEma=True, emaMomentum=0.8)),
                             ("SGD with useEma and emaOverwriteFrequency", spec("SGD", learningRate=0.05, momentum=0.9, useEma=True, emaMomentum=0.6, emaOverwriteFrequency=3)),
                             ("AdamW with globalClipnorm", spec("AdamW", learningRate=0.02, weightDecay=0.1, globalClipnorm=0.3))):
        yield case(f"a shared layer, {label}", {"shared": dense(4, "tanh"), "out": dense(1)},
                   graph(A, chain("shared", start="a") + [call("shared", "shared", "again"), call("out", "again", "y")], "y", "a"),
                   "a", "price", optimizer=optimizer)


def nested_cases():
    l2, l1 = spec("L2", l2=0.02), spec("L1", l1=0.01)
    block = {"block": [{"shape": [4]}, "one", "two"]}
    inner = {"inner": graph({"p": ([4],), "q": ([3],)}, [call("one", "p", "h"), call("two", "q", "k"), call("add", ["h", "k"], "sum")], "sum", {"p": "p", "q": "q"})}
    yield case("Sequential in functional", {"one": dense(5, "tanh"), "two": dense(4), "add": spec("Add"), "out": dense(1)},
               graph(A, [call({"model": "block"}, "a", "h"), call("add", ["a", "h"], "sum"), call("out", "sum", "y")], "y", "a"), "a", "price", models=block)
    yield case("functional in functional", {"one": dense(4, "tanh"), "two": dense(4, "tanh"), "add": spec("Add"), "out": dense(1)},
               graph({**A, **B}, [call({"model": "inner"}, {"p": "a", "q": "b"}, "h"), call("out", "h", "y")], "y"), {"a": "a", "b": "b"}, "price", models=inner, optimizer=SGD)
    # No activity penalty: compiled by JAX, Keras counts only that of the last call; without JAX it counts all.
    yield case("a nested model that is shared", {"one": dense(4, "tanh", kernelRegularizer=l2), "two": dense(4, biasRegularizer=l1), "join": spec("Concatenate"), "out": dense(1)},
               graph(A, [call({"model": "block"}, "a", "h"), call({"model": "block"}, "h", "k"), call("join", ["h", "k"], "all"), call("out", "all", "y")], "y", "a"),
               "a", "price", models=block)
    yield case("penalties in nested models", {"one": dense(5, "tanh", kernelRegularizer=l2, activityRegularizer=l2), "two": dense(4, biasRegularizer=l1), "penalty": spec("OutputPenalty", factor=0.2), "out": dense(1)},
               graph(A, [call({"model": "block"}, "a", "h"), call("out", "h", "y")], "y", "a"), "a", "price",
               models={"block": [{"shape": [4]}, "one", "penalty", "two"]})
    two = {"heads": graph({"p": ([4],)}, [call("one", "p", "h"), call("two", "h", "k")], {"first": "h", "second": "k"}, "p")}
    yield case("a nested model with several outputs", {"one": dense(4, "tanh"), "two": dense(4, "relu"), "join": spec("Concatenate"), "out": dense(1)},
               graph(A, [call({"model": "heads"}, "a", {"first": "f", "second": "s"}), call("join", ["s", "f"], "all"), call("out", "all", "y")], "y", "a"), "a", "price", models=two)
    for label, frozen in (("a nested model", ["block"]), ("a layer of it", ["two"])):
        yield case(f"frozen: {label}, then unfrozen", {"one": dense(5, "tanh", kernelRegularizer=l2), "two": dense(4), "out": dense(1)},
                   graph(A, [call({"model": "block"}, "a", "h"), call("out", "h", "y")], "y", "a"), "a", "price", models=block, freeze=frozen, optimizer=SGD)


def mask_cases():
    words = {"words": spec("Embedding", inputDim=7, outputDim=4, maskZero=True)}
    ids = {"ids": ([5], "int32")}
    # With a mask, Keras has a weight for each step.
    weighted = lambda weights: dict(sampleWeight=weights, weightedMetrics=["meanAbsoluteError"])
    yield case("Embedding with a mask to loss and metrics", {**words, "one": dense(3, "tanh"), "out": dense(1)},
               graph(ids, chain("words", "one", "out", start="ids"), "out", "ids"), "ids", "idTargets", metrics=["meanAbsoluteError"])
    yield case("Embedding with a mask, weighted samples", {**words, "one": dense(3, "tanh"), "out": dense(1)},
               graph(ids, chain("words", "one", "out", start="ids"), "out", "ids"), "ids", "idTargets", metrics=["meanSquaredError"], **weighted("idWeights"))
    yield case("Embedding with a mask to classes", {**words, "drop": spec("Dropout", rate=0.0), "act": spec("Activation", activation="tanh"), "out": dense(3, "softmax")},
               graph(ids, chain("words", "drop", "act", "out", start="ids"), "out", "ids"), "ids", "idClasses", "sparseCategoricalCrossentropy", metrics=["accuracy"])
    yield case("masks through merging layers", {**words, "one": dense(4, "tanh"), "two": dense(4, "relu"), "add": spec("Add"), "times": spec("Multiply"), "join": spec("Concatenate"), "out": dense(1)},
               graph(ids, [call("words", "ids", "w"), call("one", "w", "p"), call("two", "w", "q"), call("add", ["p", "q"], "sum"), call("times", ["p", "sum"], "m"),
                           call("join", ["m", "q"], "all"), call("out", "all", "y")], "y", "ids"),
               "ids", "idTargets", metrics=["meanAbsoluteError"])
    yield case("masks of two inputs", {**words, "others": spec("Embedding", inputDim=7, outputDim=4, maskZero=True), "max": spec("Maximum"), "out": dense(1)},
               graph({**ids, "more": ([5], "int32")}, [call("words", "ids", "p"), call("others", "more", "q"), call("max", ["p", "q"], "m"), call("out", "m", "y")], "y"),
               {"ids": "ids", "more": "ids"}, "idTargets", metrics=["meanAbsoluteError"])
    yield case("Masking", {"mask": spec("Masking"), "one": dense(4, "tanh"), "out": dense(2)},
               graph({"steps": ([4, 3],)}, chain("mask", "one", "out", start="steps"), "out", "steps"), "steps", "stepTargets", metrics=["meanAbsoluteError"], **weighted("stepWeights"))
    yield case("a mask out of a nested model", {**words, "one": dense(3, "tanh"), "out": dense(1)},
               graph(ids, [call({"model": "block"}, "ids", "h"), call("out", "h", "y")], "y", "ids"), "ids", "idTargets", metrics=["meanAbsoluteError"],
               models={"block": [{"shape": [5], "dtype": "int32"}, "words", "one"]})
    yield case("a mask into a nested model that is shared", {**words, "one": dense(4, "tanh"), "out": dense(1)},
               graph(ids, [call("words", "ids", "w"), call({"model": "block"}, "w", "h"), call({"model": "block"}, "h", "k"), call("out", "k", "y")], "y", "ids"),
               "ids", "idTargets", metrics=["meanAbsoluteError"], models={"block": [{"shape": [5, 4]}, "one"]})
    yield case("an embedding that is shared and flattened", {"words": spec("Embedding", inputDim=7, outputDim=2), "flat": spec("Flatten"), "out": dense(1)},
               graph({"ids": ([5], "int32"), "more": ([5], "int32")}, [call("words", "ids", "p"), call("words", "more", "q"), call({"op": "subtract"}, ["p", "q"], "d"),
                                                                     call({"op": "multiply"}, ["d", "d"], "s"), call({"op": "add"}, ["s", "p"], "t"), call("flat", "t", "f"), call("out", "f", "y")], "y"),
               {"ids": "ids", "more": "ids"}, "price", optimizer=SGD)
    yield case("a mask at one of two outputs", {**words, "one": dense(3, "tanh"), "steps": dense(1), "flat": spec("Flatten"), "whole": dense(1), "dense": dense(4)},
               graph({**ids, **A}, [call("words", "ids", "w"), call("one", "w", "h"), call("steps", "h", "s"), call("dense", "a", "d"), call("whole", "d", "v")], {"each": "s", "whole": "v"}),
               {"ids": "ids", "a": "a"}, {"each": "idTargets", "whole": "price"}, metrics={"each": ["meanAbsoluteError"], "whole": ["meanAbsoluteError"]},
               weightedMetrics={"each": ["meanSquaredError"]}, sampleWeight={"each": "idWeights", "whole": "moreWeights"})
    yield case("a weight for each step, without a mask", {"one": dense(4, "tanh"), "out": dense(2)},
               graph({"steps": ([4, 3],)}, chain("one", "out", start="steps"), "out", "steps"), "steps", "stepTargets", metrics=["meanAbsoluteError"], **weighted("stepWeights"))


def several_output_cases():
    layers = {"trunk": dense(5, "tanh"), "price": dense(1), "kind": dense(3, "softmax")}
    calls = [call("trunk", "a", "h"), call("price", "h", "p"), call("kind", "h", "k")]
    record, pair = graph(A, calls, {"price": "p", "kind": "k"}, "a"), graph(A, calls, ["p", "k"], "a")
    y, ys = {"price": "price", "kind": "kind"}, ["price", "kind"]
    losses, listed = {"price": "meanSquaredError", "kind": "sparseCategoricalCrossentropy"}, ["meanSquaredError", "sparseCategoricalCrossentropy"]
    yield case("outputs by name", layers, record, "a", y, losses)
    yield case("outputs by position", layers, pair, "a", ys, listed)
    yield case("outputs by position, losses by name", layers, pair, "a", ys, losses)
    yield case("targets by name for outputs by position", layers, pair, "a", y, losses, validation=False)
    yield case("lossWeights by name", layers, record, "a", y, losses, lossWeights={"price": 0.3, "kind": 2}, optimizer=SGD)
    yield case("lossWeights by position", layers, pair, "a", ys, listed, lossWeights=[0.3, 2])
    yield case("metrics by name", layers, record, "a", y, losses, metrics={"price": ["meanAbsoluteError", "meanSquaredError"], "kind": ["accuracy"]})
    yield case("metrics of one output", layers, record, "a", y, losses, metrics={"kind": "accuracy"}, weightedMetrics={"price": ["meanAbsoluteError"]})
    yield case("metrics by position", layers, pair, "a", ys, listed, metrics=[["meanAbsoluteError"], ["accuracy"]])
    yield case("metrics by position, none for one", layers, pair, "a", ys, listed, metrics=[None, "accuracy"])
    yield case("metrics by layer name for outputs by position", layers, pair, "a", ys, listed, metrics={"kind": ["accuracy"]}, weightedMetrics={"kind": ["accuracy"]})
    both = dict(metrics={"price": ["meanAbsoluteError"], "kind": ["accuracy"]}, weightedMetrics={"price": ["meanAbsoluteError", "meanSquaredError"], "kind": ["accuracy"]})
    yield case("sample weights by name", layers, record, "a", y, losses, sampleWeight={"price": "weights", "kind": "moreWeights"}, **both)
    yield case("sample weights by position", layers, pair, "a", ys, listed, sampleWeight=["weights", "moreWeights"],
               metrics=[["meanAbsoluteError"], ["accuracy"]], weightedMetrics=[["meanAbsoluteError"], ["accuracy"]])
    yield case("one list of sample weights for all outputs", layers, record, "a", y, losses, sampleWeight="weights", **both)
    yield case("sample weights and lossWeights", layers, pair, "a", ys, listed, sampleWeight=["weights", "moreWeights"], lossWeights=[2, 0.5], optimizer=SGD)
    yield case("one loss for all outputs", {**layers, "kind": dense(1, "tanh")}, record, "a", {"price": "price", "kind": "other"})
    yield case("crossentropy and accuracy per output", {"trunk": dense(5, "tanh"), "p": dense(1, "sigmoid"), "k": dense(3, "softmax"), "o": dense(3, "softmax")},
               graph(A, [call("trunk", "a", "h"), call("p", "h", "yes"), call("k", "h", "kind"), call("o", "h", "hot")], {"yes": "yes", "kind": "kind", "hot": "hot"}, "a"),
               "a", {"yes": "yes", "kind": "kind", "hot": "kindOneHot"}, {"yes": "crossentropy", "kind": "crossentropy", "hot": "crossentropy"},
               metrics={"yes": ["accuracy"], "kind": ["accuracy"], "hot": ["acc"]})
    yield case("an output without loss, by name", layers, record, "a", y, {"price": "meanSquaredError", "kind": None}, metrics={"kind": ["accuracy"]})
    yield case("an output without loss, by position", layers, pair, "a", ys, ["meanSquaredError", None])
    yield case("a nested model as an output", {"trunk": dense(5, "tanh"), "one": dense(4, "tanh"), "two": dense(3, "softmax"), "price": dense(1)},
               graph(A, [call("trunk", "a", "h"), call({"model": "head"}, "h", "k"), call("price", "h", "p")], ["k", "p"], "a"), "a", ["kind", "price"],
               ["sparseCategoricalCrossentropy", "meanSquaredError"], metrics=[["accuracy"], []], models={"head": [{"shape": [5]}, "one", "two"]})
    yield case("outputs that depend on each other", {"one": dense(4, "tanh"), "first": dense(1), "join": spec("Concatenate"), "second": dense(1)},
               graph(A, [call("one", "a", "h"), call("first", "h", "f"), call("join", ["h", "f"], "all"), call("second", "all", "s")], {"first": "f", "second": "s"}, "a"),
               "a", {"first": "price", "second": "other"}, {"first": "meanAbsoluteError", "second": "meanSquaredError"}, optimizer=SGD)


# ---------------------------------------------------------------- running them

NAMED = {"meanSquaredError": "mean_squared_error", "meanAbsoluteError": "mean_absolute_error"}


def snake_leaf(leaf):
    return leaf if leaf is None or isinstance(leaf, (int, float)) else keras.src.utils.naming.to_snake_case(leaf)


def logs_of(logs):
    return {camel(k): (number(v) if not isinstance(v, list) else [number(each) for each in v]) for k, v in logs.items()}


def run(described, data, position):
    made = Made(described)
    model = made.model(described["main"], "main")
    rng = random(400 + position)
    initial = {}
    for key, layer in made.layers.items():
        if layer.weights:
            initial[key] = [normal(rng, w.shape, 0.1 if len(w.shape) == 1 else 0.5) for w in layer.weights]
            layer.set_weights(initial[key])
    compiled, fit = described["compile"], described["fit"]
    part = lambda tree, rows: map_tree(tree, lambda leaf: None if leaf is None else data[leaf][rows])
    train, held = slice(0, 10), slice(10, 14)

    def compile_and_fit():
        options = {snake_leaf(k): map_tree(v, snake_leaf) for k, v in compiled.items() if k != "optimizer"}
        model.compile(optimizer=build(keras.optimizers, compiled["optimizer"]), **options)
        more = {}
        if fit["validation"]:
            names = ["x", "y"] + (["sampleWeight"] if "sampleWeight" in fit else [])
            more["validation_data"] = tuple(part(fit[n], held) for n in names)
        return model.fit(part(fit["x"], train), part(fit["y"], train), batch_size=fit["batchSize"], epochs=fit["epochs"], shuffle=False, verbose=0,
                         **({"sample_weight": part(fit["sampleWeight"], train)} if "sampleWeight" in fit else {}), **more).history

    result = {"initialWeights": {k: tensors(v) for k, v in initial.items()}}
    if "freeze" in described:
        frozen = [made.models.get(k) or made.layers[k] for k in described["freeze"]]
        for each in frozen:
            each.trainable = False
        result["frozenHistory"] = logs_of(compile_and_fit())
        result["frozenWeights"] = {k: tensors(made.layers[k].get_weights()) for k in initial}
        for each in frozen:
            each.trainable = True
    result["history"] = logs_of(compile_and_fit())
    if described["masked"]:
        # JAX's value_and_grad strips the predictions of their mask before the metrics of training see them. Those of
        # validation and of evaluate have it.
        result["history"] = {k: v if k.startswith("val") or k.lower().endswith("loss") else None for k, v in result["history"].items()}
    result["evaluate"] = logs_of(model.evaluate(
        part(fit["x"], train), part(fit["y"], train), batch_size=fit["batchSize"], return_dict=True, verbose=0,
        **({"sample_weight": part(fit["sampleWeight"], train)} if "sampleWeight" in fit else {})))
    result["finalWeights"] = {k: tensors(made.layers[k].get_weights()) for k in initial}
    predicted = model.predict(part(fit["x"], held), verbose=0)
    result["predictions"] = map_tree(predicted if isinstance(predicted, dict) else list(predicted) if isinstance(predicted, (list, tuple)) else predicted, tensor)
    keras.utils.clear_session(free_memory=False)
    return {**{k: v for k, v in described.items() if k != "masked"}, **result}


if __name__ == "__main__":
    data = make_data()
    cases = []
    described = [{**c, "masked": make is mask_cases} for make in (single_output_cases, nested_cases, mask_cases, several_output_cases) for c in make()]
    wanted = sys.argv[1:]
    for position, each in enumerate(described):
        if wanted and not any(w in each["name"] for w in wanted):
            continue
        try:
            cases.append(run(each, data, position))
            print("ok", each["name"], json.dumps(cases[-1]["evaluate"]), flush=True)
        except Exception as error:
            if not wanted:
                raise SystemExit(f"{each['name']}: {error}")
            raise
    if not wanted:
        write("functional.json", {
            "data": {k: {**tensor(v), "dtype": "int32" if np.issubdtype(v.dtype, np.integer) else "float32"} for k, v in data.items()}, "cases": cases})
