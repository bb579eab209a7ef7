"""Writes order.json: in which order Keras lists the layers, weights and variables of functional models, and what they predict.

The graphs are random. Every symbol is [batch, 3], so that the weights of different layers have the same shapes. Never reads anything
of myelin. The shape of the file is described in format.ts; how to run it: README.md.
"""

import random

from common import camel, tensor, write

import keras
import numpy as np

WIDTH = 3
ROWS = 2
MERGES = ["Add", "Multiply", "Maximum", "Average"]
OPS = {"add": 2, "multiply": 2, "tanh": 1, "maximum": 2}


def description(rng, nested):
    """A model as steps; a step gives one symbol or several, which are numbered consecutively. `nested`: key → (inputs, outputs)."""
    steps, called = [], []
    count = 0

    def step(gives, **fields):
        nonlocal count
        steps.append(fields)
        count += gives
        return list(range(count - gives, count))

    def some(of, least=1, most=3):
        return [rng.choice(of) for _ in range(rng.randint(least, most))]

    def fresh():
        return f"l{sum('class' in each for each in steps)}"

    inputs = [step(1, input=f"i{i}")[0] for i in range(rng.randint(1, 3))]
    # Sometimes an input that nothing reads.
    usable = [i for i in inputs if i == 0 or rng.random() < 0.8]
    symbols = list(usable)
    for _ in range(rng.randint(3, 11)):
        kind = rng.random()
        if kind < 0.4:
            name = fresh()
            symbols += step(1, **{"class": "Dense", "name": name, "from": [rng.choice(symbols)]})
            called.append(name)
        elif kind < 0.48:
            symbols += step(1, **{"class": rng.choice(["BatchNormalization", "Dropout"]), "name": fresh(), "from": [rng.choice(symbols)]})
        elif kind < 0.6 and called:
            symbols += step(1, again=rng.choice(called), **{"from": [rng.choice(symbols)]})
        elif kind < 0.75:
            of = list(dict.fromkeys(some(symbols, 2, 3)))
            if len(of) > 1:
                symbols += step(1, **{"class": rng.choice(MERGES), "name": fresh(), "from": of})
        elif kind < 0.85:
            op = rng.choice(list(OPS))
            symbols += step(1, op=op, **{"from": [rng.choice(symbols) for _ in range(OPS[op])]})
        elif nested:
            key = rng.choice(list(nested))
            takes, gives = nested[key]
            symbols += step(gives, model=key, **{"from": [rng.choice(symbols) for _ in range(takes)]})
    read = {i for each in steps for i in each.get("from", [])}
    ends = [i for i in symbols if i not in read and i not in inputs] or symbols[-1:]
    rng.shuffle(ends)
    outputs = ends[:3] if rng.random() < 0.8 else some([i for i in symbols if i not in inputs] or symbols)
    outputs = list(dict.fromkeys(outputs))
    if len(outputs) > 1 and rng.random() < 0.3:
        outputs = dict(zip(rng.sample(["zeta", "alpha", "mu"], len(outputs)), outputs))
    # Sometimes an input in the middle.
    middle = [i for i in symbols if i not in inputs]
    if middle and rng.random() < 0.08:
        inputs = [rng.choice(middle), *inputs]
    frozen = [each["name"] for each in steps if each.get("class") == "Dense" and rng.random() < 0.1]
    return {"steps": steps, "inputs": inputs, "outputs": outputs, "frozen": frozen}


def build(described, name, models):
    symbols, layers = [], {}
    for each in described["steps"]:
        if "input" in each:
            symbols.append(keras.Input((WIDTH,), name=f"{name}_{each['input']}"))
            continue
        given = [symbols[i] for i in each["from"]]
        if "op" in each:
            symbols.append(getattr(keras.ops, each["op"])(*given))
        elif "model" in each:
            result = models[each["model"]](given)
            symbols += keras.tree.flatten(result)
        elif "again" in each:
            symbols.append(layers[each["again"]](given[0]))
        else:
            kind = each["class"]
            options = {"Dense": {"units": WIDTH, "activation": "tanh"}, "Dropout": {"rate": 0.5}}.get(kind, {})
            layer = layers[each["name"]] = getattr(keras.layers, kind)(name=f"{name}_{each['name']}", **options)
            symbols.append(layer(given if kind in MERGES else given[0]))
    outputs = described["outputs"]
    outputs = {k: symbols[i] for k, i in outputs.items()} if isinstance(outputs, dict) else [symbols[i] for i in outputs]
    for key in described["frozen"]:
        layers[key].trainable = False
    return keras.Model([symbols[i] for i in described["inputs"]], outputs, name=name)


def facts(model):
    owner = {}
    for layer in model._flatten_layers():
        for variable in layer._trainable_variables + layer._non_trainable_variables:
            owner[id(variable)] = f"{layer.name}/{camel(variable.name)}"
        for generator in layer._seed_generators:
            owner[id(generator.state)] = f"{layer.name}/seed"
    paths = lambda variables: [owner[id(v)] for v in variables]
    return {
        "layers": ["" if layer.name.endswith("CLONE") else layer.name for layer in model.layers],
        "weights": paths(model.weights), "variables": paths(model.variables),
        "trainable": paths(model.trainable_variables), "nonTrainable": paths(model.non_trainable_variables),
    }


def wave(count, offset):
    """The numbers by which a test fills weights and inputs: positive, because some weights are variances."""
    return (0.6 + 0.5 * np.sin(1.3 * np.arange(count) + offset)).astype(np.float32)


def predictions(model):
    model.set_weights([wave(w.size, 7 * i).reshape(w.shape) for i, w in enumerate(model.get_weights())])
    x = [wave(ROWS * WIDTH, 100 + i).reshape(ROWS, WIDTH) for i in range(len(model.inputs))]
    return [tensor(y) for y in keras.tree.flatten(model(x))]


def built(rng, nested, name, models):
    while True:
        described = description(rng, nested)
        try:
            return described, build(described, name, models)
        except ValueError as error:
            # An input in the middle may cut off other inputs that an output needs.
            assert "not connected" in str(error) or "disconnected" in str(error), error


def case(seed):
    rng = random.Random(seed)
    models, described, known = {}, {}, {}
    for i in range(rng.choice([0, 0, 1, 2])):
        key = f"m{i}"
        one, models[key] = built(rng, known if rng.random() < 0.5 else {}, key, models)
        described[key] = one
        known[key] = (len(one["inputs"]), len(one["outputs"]))
    main, model = built(rng, known, "main", models)
    return {"models": described, "main": main, **facts(model), "predictions": predictions(model)}


if __name__ == "__main__":
    cases = []
    for seed in range(160):
        cases.append(case(seed))
        keras.utils.clear_session(free_memory=False)
    write("order.json", {"cases": cases})
