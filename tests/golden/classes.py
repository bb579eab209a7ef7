"""Writes classes.json: the positional parameters of the classes of Keras, by namespace.

Usage: python classes.py
"""

import inspect
import json

import keras
from common import HERE

NAMESPACES = {
    "layers": keras.layers,
    "losses": keras.losses,
    "metrics": keras.metrics,
    "optimizers": keras.optimizers,
    "schedules": keras.optimizers.schedules,
    "initializers": keras.initializers,
    "regularizers": keras.regularizers,
    "constraints": keras.constraints,
    "callbacks": keras.callbacks,
}


def positional(of):
    parameters = list(inspect.signature(of.__init__).parameters.values())[1:]
    return [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]


def main():
    classes = {
        space: {name: positional(of) for name, of in sorted(vars(module).items()) if inspect.isclass(of)}
        for space, module in NAMESPACES.items()
    }
    text = ",\n".join(
        f' "{space}": {{\n' + ",\n".join(f'  "{name}": {json.dumps(names)}' for name, names in of.items()) + "\n }"
        for space, of in classes.items()
    )
    (HERE / "classes.json").write_text(f'{{\n "keras": "{keras.__version__}",\n{text}\n}}\n')


if __name__ == "__main__":
    main()
