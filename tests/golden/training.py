"""optimizers.json, rules.json and trajectories.json: parameter updates alone, and whole runs of fit.

The first and the last use the same table of optimizers. Called by make_fixtures.py.
"""

import json

from common import (
    FLOAT, FLOAT64, HERE, build, camel, normal, number, one_hot, random, spec, tensor, tensors, uniform, write)

import jax.numpy as jnp
import keras
import numpy as np


# ---------------------------------------------------------------- optimizers.json

EXPONENTIAL = spec("ExponentialDecay", initialLearningRate=0.1, decaySteps=4, decayRate=0.7)
STAIRCASE = spec("ExponentialDecay", initialLearningRate=0.1, decaySteps=4, decayRate=0.7, staircase=True)
COSINE = spec("CosineDecay", initialLearningRate=0.1, decaySteps=10)
COSINE_ALPHA = spec("CosineDecay", initialLearningRate=0.1, decaySteps=10, alpha=0.2)
COSINE_WARMUP = spec("CosineDecay", initialLearningRate=0.01, decaySteps=10, alpha=0.1, warmupTarget=0.1, warmupSteps=4)
PIECEWISE = spec("PiecewiseConstantDecay", boundaries=[2, 5], values=[0.1, 0.05, 0.01])
MORE_SCHEDULES = {
    "polynomial": spec("PolynomialDecay", initialLearningRate=0.1, decaySteps=8),
    "polynomial power": spec("PolynomialDecay", initialLearningRate=0.1, decaySteps=8, endLearningRate=0.02, power=2.5),
    "polynomial cycle": spec("PolynomialDecay", initialLearningRate=0.1, decaySteps=4, endLearningRate=0.02, power=0.5, cycle=True),
    "polynomial up": spec("PolynomialDecay", initialLearningRate=0.01, decaySteps=6, endLearningRate=0.1),
    "inverse time": spec("InverseTimeDecay", initialLearningRate=0.1, decaySteps=3, decayRate=0.5),
    "inverse time staircase": spec("InverseTimeDecay", initialLearningRate=0.1, decaySteps=3, decayRate=0.5, staircase=True),
    "restarts": spec("CosineDecayRestarts", initialLearningRate=0.1, firstDecaySteps=2),
    "restarts of one length": spec("CosineDecayRestarts", initialLearningRate=0.1, firstDecaySteps=4, tMul=1.0, mMul=0.5, alpha=0.1),
    "restarts options": spec("CosineDecayRestarts", initialLearningRate=0.1, firstDecaySteps=3, tMul=1.5, mMul=0.8, alpha=0.2),
}
SCHEDULES = {"exponential": EXPONENTIAL, "exponential staircase": STAIRCASE, "cosine": COSINE,
             "cosine alpha": COSINE_ALPHA, "cosine warmup alpha": COSINE_WARMUP, "piecewise": PIECEWISE}


def optimizer_table(rate, clips):
    """Every configuration by name.

    `rate` gives a class's learning rate as a config, {} for Keras's default; `clips` a limit for each kind of
    clipping, small enough that gradients exceed it.
    """
    table = {
        "SGD": spec("SGD", **rate("SGD")),
        "SGD momentum": spec("SGD", **rate("SGD"), momentum=0.9),
        "SGD nesterov": spec("SGD", **rate("SGD"), momentum=0.9, nesterov=True),
        "RMSprop": spec("RMSprop", **rate("RMSprop")),
        "RMSprop momentum centered": spec("RMSprop", **rate("RMSprop"), momentum=0.9, centered=True),
        "Adam": spec("Adam", **rate("Adam")),
        "Adam amsgrad": spec("Adam", **rate("Adam"), amsgrad=True),
        "Adam betas epsilon": spec("Adam", **rate("Adam"), beta1=0.8, beta2=0.95, epsilon=0.001),
        "AdamW": spec("AdamW", **rate("AdamW")),
        "AdamW weightDecay": spec("AdamW", **rate("AdamW"), weightDecay=0.01),
        "SGD momentum weightDecay": spec("SGD", **rate("SGD"), momentum=0.9, weightDecay=0.01),
        "AdamW clipnorm": spec("AdamW", **rate("AdamW"), weightDecay=0.01, clipnorm=clips["clipnorm"]),
    }
    for name in ("SGD", "RMSprop", "Adam"):
        for clip, value in clips.items():
            table[f"{name} {clip}"] = spec(name, **rate(name), **{clip: value})
    for name, schedule in SCHEDULES.items():
        table[f"SGD {name}"] = spec("SGD", learningRate=schedule)
    table["Adam cosine warmup alpha"] = spec("Adam", learningRate=COSINE_WARMUP)
    table["AdamW exponential"] = spec("AdamW", learningRate=EXPONENTIAL, weightDecay=0.01)
    return table


def updates(name, described, exclude, start, gradients):
    """Variables, from `start` by name, after each step."""
    optimizer = build(keras.optimizers, described)
    variables = [keras.Variable(v, name=n) for n, v in start.items()]
    if exclude:
        optimizer.exclude_from_weight_decay(var_names=exclude)
    steps = []
    for each in gradients:
        optimizer.apply([jnp.asarray(g) for g in each], variables)
        steps.append(tensors(v.numpy() for v in variables))
    case = {"name": name, "optimizer": described, "steps": steps}
    if exclude:
        case["exclude"] = exclude
    if optimizer.use_ema:
        optimizer.finalize_variable_values(variables)
        case["finalized"] = tensors(v.numpy() for v in variables)
    return case


def optimizers():
    rng = random(5)
    shapes = [(3, 4), (5,)]
    start = [normal(rng, s) for s in shapes]
    # From far above every clipping limit to far below it; one tensor has no gradient at all once.
    scales = [1, 2, 0.5, 0.05, 1, 0.01, 3, 0.2]
    gradients = [[normal(rng, s, scale, 4) for s in shapes] for scale in scales]
    gradients[4][1] = np.zeros_like(gradients[4][1])
    table = {**optimizer_table(lambda name: {}, {"clipnorm": 0.5, "clipvalue": 0.2, "globalClipnorm": 0.8}),
             "SGD gradientAccumulationSteps": spec("SGD", momentum=0.9, gradientAccumulationSteps=3),
             "Adam gradientAccumulationSteps clipnorm": spec("Adam", gradientAccumulationSteps=2, clipnorm=0.5),
             "SGD useEma": spec("SGD", useEma=True, emaMomentum=0.9),
             "SGD useEma emaOverwriteFrequency": spec("SGD", useEma=True, emaMomentum=0.9, emaOverwriteFrequency=3),
             "Adam useEma with gradientAccumulationSteps": spec(
                 "Adam", learningRate=0.01, useEma=True, emaMomentum=0.8, emaOverwriteFrequency=2, gradientAccumulationSteps=2),
             "AdamW gradientAccumulationSteps globalClipnorm": spec(
                 "AdamW", weightDecay=0.1, gradientAccumulationSteps=2, globalClipnorm=0.8),
             "SGD gradientAccumulationSteps with a schedule": spec("SGD", learningRate=EXPONENTIAL, gradientAccumulationSteps=2),
             "SGD lossScaleFactor": spec("SGD", lossScaleFactor=8.0),
             "SGD lossScaleFactor clipnorm": spec("SGD", lossScaleFactor=8.0, clipnorm=0.05),
             "RMSprop weightDecay": spec("RMSprop", weightDecay=0.1),
             "RMSprop rho epsilon momentum": spec("RMSprop", rho=0.5, epsilon=0.01, momentum=0.5),
             "RMSprop centered": spec("RMSprop", centered=True, epsilon=0.001),
             "Adam amsgrad weightDecay": spec("Adam", amsgrad=True, weightDecay=0.1, beta2=0.9)}
    # The names of variables that are excluded from weight decay.
    excluded = {"AdamW excluding by name": (spec("AdamW", weightDecay=0.5), ["v1"]),
                "SGD momentum excluding all": (spec("SGD", momentum=0.9, weightDecay=0.5), ["v"])}
    all_cases = {**{n: (d, []) for n, d in table.items()}, **excluded}
    cases = [updates(name, d, exclude, {f"v{i}": v for i, v in enumerate(start)}, gradients) for name, (d, exclude) in all_cases.items()]
    at = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 40]
    schedules = [{"name": name, "schedule": s, "steps": at,
                  "values": [number(build(keras.optimizers.schedules, s)(n)) for n in at]} for name, s in {**SCHEDULES, **MORE_SCHEDULES}.items()]
    write("optimizers.json", {"parameters": tensors(start), "gradients": [tensors(g) for g in gradients],
                              "cases": cases, "schedules": schedules})


# ---------------------------------------------------------------- rules.json

RULES = {
    "Nadam": [dict(beta1=0.5, beta2=0.9, epsilon=0.01)],
    "Adagrad": [dict(initialAccumulatorValue=0.0, epsilon=0.01)],
    "Adadelta": [dict(rho=0.5, epsilon=0.01)],
    "Adamax": [dict(beta1=0.5, beta2=0.9, epsilon=0.01)],
    "Lion": [dict(beta1=0.3, beta2=0.6), dict(beta1=1.0)],
    "Lamb": [dict(beta1=0.5, beta2=0.9, epsilon=0.01)],
    "Ftrl": [dict(l1RegularizationStrength=0.3, l2RegularizationStrength=0.2, beta=0.4),
             dict(learningRatePower=-0.3, initialAccumulatorValue=0.5, l2ShrinkageRegularizationStrength=0.1),
             dict(learningRatePower=0.0, weightDecay=0.1)],
    "Adafactor": [dict(beta2Decay=-0.5, epsilon1=0.01, epsilon2=0.2, clipThreshold=0.5),
                  dict(learningRate=2.0), dict(learningRate=COSINE_WARMUP)],
    "Muon": [dict(nesterov=False, rmsRate=None, momentum=0.5), dict(excludeLayers=["ker.el", "x$"]), dict(excludeEmbeddings=False, nsSteps=2),
             dict(adamLrRatio=0.3, adamBeta1=0.5, adamBeta2=0.9, epsilon=0.01), dict(muonA=2.0, muonB=-1.5, muonC=0.5, weightDecay=None),
             dict(adamWeightDecay=None), dict(weightDecay=0.2, adamWeightDecay=0.5)],
    "ScheduleFreeAdamW": [dict(beta1=0.5, beta2=0.9, epsilon=0.01), dict(warmupSteps=3)],
}


def rules():
    """Each rule alone and with every option that an optimizer has, on weights of several shapes."""
    rng = random(13)
    shapes = {"scale": (), "bias": (3,), "kernel": (3, 2), "filters": (2, 1, 1, 2), "embeddings": (2, 3)}
    start = {name: normal(rng, shape, 0.8, 2) for name, shape in shapes.items()}
    gradients = [[normal(rng, shape, scale, 3) for shape in shapes.values()] for scale in [1, 3, 0.5, 0.05]]
    # Uneven: a large and a small element, a row and a weight without a gradient.
    gradients[0][2][0, 0], gradients[1][2][2, 1] = 30, 1e-4
    gradients[2][2][1] = 0
    gradients[3][1] = np.zeros_like(gradients[3][1])
    variants = {"": {}, "clipnorm": dict(clipnorm=0.5), "clipvalue": dict(clipvalue=0.2), "globalClipnorm": dict(globalClipnorm=0.8),
                "weightDecay": dict(weightDecay=0.3), "useEma": dict(useEma=True, emaMomentum=0.7, emaOverwriteFrequency=2),
                "gradientAccumulationSteps": dict(gradientAccumulationSteps=2)}
    cases = []

    def add(name, described, exclude=(), count=len(gradients)):
        case = updates(name, described, exclude, start, gradients[:count])
        flat = lambda values: [n for value in values for n in value["data"]]
        cases.append({**case, "steps": [flat(step) for step in case["steps"]], **({"finalized": flat(case["finalized"])} if "finalized" in case else {})})

    for rule, options in RULES.items():
        # Large enough that the steps show.
        rate = dict(learningRate=1.0 if rule == "Adadelta" else 0.1)
        for name, variant in variants.items():
            exclude = ["bias", "scale"] if name == "weightDecay" else []
            add(f"{rule} {name}".strip(), spec(rule, **rate, **variant), exclude)
        for each in options:
            add(f"{rule} with {', '.join(each)}", spec(rule, **{**rate, **each}))
        add(f"{rule} as it is", spec(rule), count=2)
    write("rules.json", {"names": list(start), "parameters": tensors(start.values()), "gradients": [tensors(g) for g in gradients], "cases": cases})


# ---------------------------------------------------------------- trajectories.json


def trajectory_data():
    rng = random(6)
    x, x6 = normal(rng, (132, 8)), normal(rng, (80, 6))
    score = x @ rng.normal(0, 1, 8) + x[:, 0] * x[:, 1] + rng.normal(0, 0.5, 132)
    labels = np.argmax(x6 @ rng.normal(0, 1, (6, 4)) + rng.normal(0, 0.5, (80, 4)), -1)
    target = np.tanh(x6 @ rng.normal(0, 0.4, (6, 2))) + rng.normal(0, 0.1, (80, 2)) + x6[:, :2] ** 2 / 4
    weights = uniform(rng, (132,), 0.2, 2, 2)
    weights[::9] = 0
    return {
        "binaryX": x, "binaryY": (score > 0).astype(FLOAT)[:, None], "binaryWeights": weights,
        "classX": x6, "labels": labels.astype(FLOAT), "oneHot": one_hot(labels, 4),
        "classWeights": uniform(rng, (80,), 0.2, 2, 2),
        "numbers": np.round(target, 3).astype(np.float32).astype(FLOAT),
    }


BINARY = spec("BinaryCrossentropy")
MLP = [spec("Dense", units=10, activation="relu"), spec("Dense", units=8, activation="relu"),
       spec("Dense", units=1, activation="sigmoid")]
SOFTMAX = [spec("Dense", units=12, activation="relu"), spec("Dense", units=4, activation="softmax")]
LOGITS = [spec("Dense", units=12, activation="relu"), spec("Dense", units=4)]
REGRESSION = [spec("Dense", units=10, activation="tanh"), spec("Dense", units=2)]


def rows(data, start, end):
    return {"data": data, "rows": [start, end]}


def trajectory_cases():
    """name, layers, loss, optimizer, fit (all but epochs), metrics, weightedMetrics"""
    rates = {"SGD": 0.1, "RMSprop": 0.01, "Adam": 0.01, "AdamW": 0.01}
    adam, sgd = spec("Adam", learningRate=0.01), spec("SGD", learningRate=0.1)
    validation = {"x": rows("binaryX", 100, 132), "y": rows("binaryY", 100, 132)}

    def binary_fit(n=96, **more):
        return {"x": rows("binaryX", 0, n), "y": rows("binaryY", 0, n), "batchSize": 32,
                "validationData": validation, **more}

    def small_fit(y, x="classX", **more):
        return {"x": rows(x, 0, 60), "y": rows(y, 0, 60), "batchSize": 16,
                "validationData": {"x": rows(x, 60, 80), "y": rows(y, 60, 80)}, **more}

    accuracy = ["accuracy"]
    clips = {"clipnorm": 0.05, "clipvalue": 0.02, "globalClipnorm": 0.1}
    for name, optimizer in optimizer_table(lambda n: {"learningRate": rates[n]}, clips).items():
        if optimizer["class"] == "SGD" and "momentum" in optimizer["config"]:
            optimizer["config"]["learningRate"] = 0.03
        yield f"binary, {name}", MLP, BINARY, optimizer, binary_fit(), accuracy, []
        yield f"binary ragged, {name}", MLP, BINARY, optimizer, binary_fit(100), accuracy, []

    sparse, classes = "SparseCategoricalCrossentropy", "CategoricalCrossentropy"
    for opt_name, opt in (("Adam", adam), ("SGD", sgd)):
        yield f"softmax sparse, {opt_name}", SOFTMAX, spec(sparse), opt, small_fit("labels"), accuracy, []
        yield f"logits sparse, {opt_name}", LOGITS, spec(sparse, fromLogits=True), opt, small_fit("labels"), accuracy, []
        yield f"softmax one-hot, {opt_name}", SOFTMAX, spec(classes), opt, small_fit("oneHot"), accuracy, []
        yield (f"softmax one-hot smoothed, {opt_name}", SOFTMAX, spec(classes, labelSmoothing=0.1), opt,
               small_fit("oneHot"), accuracy, [])
    yield ("binary from logits", MLP[:2] + [spec("Dense", units=1)], spec("BinaryCrossentropy", fromLogits=True), adam,
           binary_fit(), [spec("BinaryAccuracy", threshold=0.0)], [])

    for loss in (spec("MeanSquaredError"), spec("MeanAbsoluteError"), spec("Huber"), spec("Huber", delta=0.5)):
        label = loss["class"] + "".join(f" {k} {v}" for k, v in loss["config"].items())
        names = [spec("MeanAbsoluteError"), spec("MeanSquaredError"), spec("RootMeanSquaredError")]
        yield f"regression, {label}", REGRESSION, loss, adam, small_fit("numbers"), names, []

    l1, l2, both = spec("L1", l1=0.01), spec("L2", l2=0.02), spec("L1L2", l1=0.005, l2=0.01)
    for kind in ("kernelRegularizer", "biasRegularizer", "activityRegularizer"):
        for label, regularizer in (("L1", l1), ("L2", l2), ("L1L2", both)):
            stack = [{**layer, "config": {**layer["config"], kind: regularizer}} for layer in MLP[:2]] + MLP[2:]
            yield f"{kind} {label}", stack, BINARY, adam, binary_fit(100), accuracy, []
    stack = [spec("Dense", units=10, activation="relu", kernelRegularizer=l2, biasRegularizer=l1),
             spec("Dense", units=8, activation="relu", activityRegularizer=both),
             spec("Dense", units=1, activation="sigmoid", kernelRegularizer=both)]
    yield "all regularizers", stack, BINARY, sgd, binary_fit(100), accuracy, []
    yield "all regularizers weighted", stack, BINARY, adam, binary_fit(
        100, sampleWeight=rows("binaryWeights", 0, 100)), accuracy, []

    weighted = {"sampleWeight": rows("binaryWeights", 0, 100)}
    weighted_validation = {"validationData": {**validation, "sampleWeight": rows("binaryWeights", 100, 132)}}
    yield ("classWeight", MLP, BINARY, adam, binary_fit(100, classWeight={"0": 1, "1": 2.5}), accuracy, accuracy)
    yield ("classWeight of one class", MLP, BINARY, sgd, binary_fit(100, classWeight={"1": 0.25}), accuracy, [])
    yield ("classWeight sparse", SOFTMAX, spec(sparse), adam,
           small_fit("labels", classWeight={"0": 1, "1": 2, "2": 0.5, "3": 1.5}), accuracy, [])
    yield ("classWeight one-hot", SOFTMAX, spec(classes), adam,
           small_fit("oneHot", classWeight={"0": 1, "1": 2, "2": 0.5, "3": 1.5}), accuracy, [])
    yield "sampleWeight", MLP, BINARY, adam, binary_fit(100, **weighted), accuracy, accuracy
    yield "sampleWeight, SGD", MLP, BINARY, sgd, binary_fit(100, **weighted), accuracy, []
    yield "validation sampleWeight", MLP, BINARY, adam, binary_fit(100, **weighted_validation), accuracy, accuracy
    yield ("sampleWeight in both", MLP, BINARY, adam, binary_fit(100, **weighted, **weighted_validation),
           accuracy, [spec("BinaryCrossentropy"), "accuracy"])
    yield ("sampleWeight regression", REGRESSION, spec("MeanSquaredError"), adam,
           small_fit("numbers", sampleWeight=rows("classWeights", 0, 60)), [spec("MeanAbsoluteError")],
           [spec("MeanAbsoluteError", name="weightedMae")])

    tanh = [spec("Dense", units=10, activation="tanh", useBias=False), spec("Dense", units=8, activation="tanh"),
            spec("Dense", units=1, activation="sigmoid", useBias=False)]
    yield "tanh without bias", tanh, BINARY, adam, binary_fit(), accuracy, []
    yield "tanh without bias, SGD", tanh, BINARY, sgd, binary_fit(100), accuracy, []
    # Unnamed, Keras would number them: precision_1, …
    many = [spec("Precision", name="precision"), spec("Recall", name="recall"), spec("AUC", name="auc")]
    yield "precision, recall, auc", MLP, BINARY, adam, binary_fit(100), many, []
    yield "batch larger than the data", MLP, BINARY, adam, binary_fit(96, batchSize=128), accuracy, []
    yield "batches of one", REGRESSION, spec("MeanSquaredError"), sgd, {
        "x": rows("classX", 0, 6), "y": rows("numbers", 0, 6), "batchSize": 1}, [], []


def metric(described):
    return described if isinstance(described, str) else build(keras.metrics, described)


def trajectories():
    data = trajectory_data()
    take = lambda r: data[r["data"]][slice(*r["rows"])]
    epochs, starts, cases = 5, {}, []
    for name, stack, loss, optimizer, fit, metric_specs, weighted_specs in trajectory_cases():
        x = take(fit["x"])
        model = keras.Sequential([keras.Input(x.shape[1:])] + [build(keras.layers, s) for s in stack])
        start_name = "-".join(str(n) for n in [x.shape[1], *(s["config"]["units"] for s in stack)])
        if not all(s["config"].get("useBias", True) for s in stack):
            start_name += " some without bias"
        if start_name not in starts:
            rng = random(100 + len(starts))
            # Non-zero biases, so that a regularizer has an effect.
            starts[start_name] = [normal(rng, w.shape, 0.1 if len(w.shape) == 1 else (2 / sum(w.shape)) ** 0.5)
                                  for w in model.weights]
        model.set_weights(starts[start_name])
        model.compile(optimizer=build(keras.optimizers, optimizer), loss=build(keras.losses, loss),
                      metrics=[metric(m) for m in metric_specs] or None,
                      weighted_metrics=[metric(m) for m in weighted_specs] or None)
        arguments = {"batch_size": fit["batchSize"], "epochs": epochs, "shuffle": False, "verbose": 0}
        if "validationData" in fit:
            arguments["validation_data"] = tuple(take(r) for r in fit["validationData"].values())
        if "sampleWeight" in fit:
            arguments["sample_weight"] = take(fit["sampleWeight"])
        if "classWeight" in fit:
            arguments["class_weight"] = {int(k): v for k, v in fit["classWeight"].items()}
        history = model.fit(x, take(fit["y"]), **arguments).history
        evaluated = model.evaluate(x, take(fit["y"]), batch_size=fit["batchSize"], verbose=0, return_dict=True,
                                   sample_weight=arguments.get("sample_weight"))
        cases.append({
            "name": name, "inputShape": list(x.shape[1:]), "layers": stack, "initialWeights": start_name,
            "compile": {"optimizer": optimizer, "loss": loss, "metrics": metric_specs, "weightedMetrics": weighted_specs},
            "fit": {**fit, "epochs": epochs},
            "history": {camel(k): [number(v) for v in values] for k, values in history.items()},
            "evaluate": {camel(k): number(v) for k, v in evaluated.items()},
            "finalWeights": tensors(w.numpy() for w in model.weights),
            "predictions": tensor(model.predict(x[:5], verbose=0))})
    content = {"data": {k: tensor(v) for k, v in data.items()},
               "initialWeights": {k: tensors(v) for k, v in starts.items()}, "cases": cases}
    if FLOAT64:
        compare_with_stored(cases)
    else:
        write("trajectories.json", content)


def compare_with_stored(cases):
    """The drift of float32 from float64: the least tolerance of a test."""
    stored = {c["name"]: c for c in json.loads((HERE / "trajectories.json").read_text())["cases"]}

    def flat(case):
        weights = np.concatenate([t["data"] for t in case["finalWeights"]])
        return weights, np.concatenate(list(case["history"].values())), np.array(case["predictions"]["data"])

    print("largest difference from float64:  weights    history    predictions")
    worst = np.zeros(3)
    for case in cases:
        difference = np.array([np.abs(a - b).max() for a, b in zip(flat(case), flat(stored[case["name"]]))])
        worst = np.maximum(worst, difference)
        print(f"{case['name']:45}" + "  ".join(f"{d:.1e}" for d in difference))
    print(f"{'worst':45}" + "  ".join(f"{d:.1e}" for d in worst))
