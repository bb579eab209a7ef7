"""Writes masked-order.json: in which order Keras lists the layers of random functional models with masks.

The ops by which Keras computes a mask are nodes of its graph, so they add to the depth of what lies before them. Every symbol of
features is [batch, 4, 3]. Never reads anything of myelin. The shape of the file is described in format.ts; how to run it: README.md.
"""

import random

from common import write

import keras


def graph(rng):
    """Steps: each gives one symbol."""
    steps = [{"input": "x"}, {"input": "ids"}]
    features = [0]

    def step(kind, sources, **config):
        steps.append({"class": kind, "name": f"l{len(steps)}", "config": config, "from": sources})
        features.append(len(steps) - 1)

    if rng.random() < 0.5:
        step("Embedding", [1], inputDim=5, outputDim=3, maskZero=rng.random() < 0.7)
    for _ in range(rng.randint(4, 9)):
        kind = rng.choice(["Masking", "Masking", "Dense", "Dense", "LSTM", "Dropout", "Softmax", "Add", "Add", "Concatenate"])
        if kind in ("Add", "Concatenate"):
            some = list(dict.fromkeys(rng.choice(features) for _ in range(rng.randint(2, 3))))
            if len(some) > 1:
                step(kind, some, **({"axis": 1} if kind == "Concatenate" else {}))
                if kind == "Concatenate":
                    features.pop()
                    last = len(steps) - 1
                    step("LSTM", [last], units=3)
                    features.pop()
            continue
        config = {"Dense": {"units": 3}, "LSTM": {"units": 3, "returnSequences": True}, "Dropout": {"rate": 0.5}}.get(kind, {})
        step(kind, [rng.choice(features)], **config)
    read = {i for each in steps for i in each.get("from", [])}
    ends = [i for i in range(2, len(steps)) if i not in read]
    rng.shuffle(ends)
    return {"steps": steps, "outputs": ends}


SPELLED = {"inputDim": "input_dim", "outputDim": "output_dim", "maskZero": "mask_zero", "returnSequences": "return_sequences"}


def order(described):
    symbols = []
    for each in described["steps"]:
        if "input" in each:
            is_ids = each["input"] == "ids"
            symbols.append(keras.Input((4,) if is_ids else (4, 3), dtype="int32" if is_ids else "float32", name=each["input"]))
            continue
        given = [symbols[i] for i in each["from"]]
        config = {SPELLED.get(key, key): value for key, value in each["config"].items()}
        layer = getattr(keras.layers, each["class"])(name=each["name"], **config)
        symbols.append(layer(given if each["class"] in ("Add", "Concatenate") else given[0]))
    model = keras.Model(symbols[:2], [symbols[i] for i in described["outputs"]])
    return [layer.name for layer in model.layers]


if __name__ == "__main__":
    cases = []
    for seed in range(60):
        described = graph(random.Random(seed))
        cases.append({**described, "layers": order(described)})
        keras.utils.clear_session(free_memory=False)
    write("masked-order.json", {"cases": cases})
