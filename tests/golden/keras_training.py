"""Writes keras/<FOLDER>/training/: models in the middle of their training with each optimizer, and how Keras continues it.

Usage: [KERAS_PATH=…] [EXTENSION=h5] python keras_training.py FOLDER [names]
"""

import json
import os
import sys
import zipfile

from keras_files import HERE, IS_FORMER, IS_NEW, keras, values

import numpy as np
from keras import Sequential, layers

optimizers = keras.optimizers
schedules = optimizers.schedules
EXTENSION = os.environ.get("EXTENSION", "keras")


def scaled(inner):
    if IS_FORMER:
        return keras.mixed_precision.LossScaleOptimizer(inner, initial_scale=64.0, dynamic_growth_steps=3)
    return optimizers.LossScaleOptimizer(inner, initial_scale=64.0, dynamic_growth_steps=3)


def several():
    adam = optimizers.Adam(0.02)
    by_path = {"several/hidden/kernel": optimizers.SGD(0.05, momentum=0.9), ".*/(gamma|beta)": adam, "several/hidden/b.+": adam}
    return optimizers.MultiOptimizer(optimizers.OptimizerMap(optimizers.RMSprop(0.01), by_path))


def several_shared():
    """The default optimizer is in the map, too, before another one; two of one class."""
    adam = optimizers.Adam(0.02)
    by_path = {".*gamma": adam, ".*beta": optimizers.Adam(0.01, amsgrad=True)}
    return optimizers.MultiOptimizer(optimizers.OptimizerMap(adam, by_path))


# Their state is read, but they go on in another way: the momentum schedule of this Nadam is nearly constant.
STATE_ALONE = ["legacy_nadam"]
# Keras 2 writes their state only to h5.
LEGACY = ["legacy_nadam", "scaled_legacy"]

MADE = {
    "sgd": lambda: optimizers.SGD(0.05),
    "momentum": lambda: optimizers.SGD(0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda: optimizers.Adam(0.02),
    "amsgrad": lambda: optimizers.Adam(0.02, amsgrad=True, clipnorm=1.0),
    "adamw": lambda: optimizers.AdamW(0.02, weight_decay=0.05, beta_1=0.8),
    "rmsprop": lambda: optimizers.RMSprop(0.01),
    "rmsprop_centered": lambda: optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "nadam": lambda: optimizers.Nadam(0.02),
    "adamax": lambda: optimizers.Adamax(0.02),
    "adagrad": lambda: optimizers.Adagrad(0.1),
    "adadelta": lambda: optimizers.Adadelta(1.0),
    "ftrl": lambda: optimizers.Ftrl(0.1, l1_regularization_strength=0.01, l2_regularization_strength=0.02),
    "lion": lambda: optimizers.Lion(0.01),
    "lamb": lambda: optimizers.Lamb(0.02),
    "adafactor": lambda: optimizers.Adafactor(0.05),
    "muon": lambda: optimizers.Muon(0.02),
    "schedule_free": lambda: optimizers.ScheduleFreeAdamW(0.02, warmup_steps=4),
    "ema": lambda: optimizers.Adam(0.02, use_ema=True, ema_momentum=0.9),
    "accumulated": lambda: optimizers.Adam(0.02, gradient_accumulation_steps=2),
    "scaled": lambda: scaled(optimizers.Adam(0.02)),
    "scaled_fixed": lambda: keras.mixed_precision.LossScaleOptimizer(optimizers.SGD(0.05, momentum=0.9), dynamic=False, initial_scale=16.0),
    "scaled_legacy": lambda: scaled(optimizers.legacy.Adam(0.02)),
    "legacy_nadam": lambda: optimizers.legacy.Nadam(0.02),
    "several": several,
    "several_shared": several_shared,
    "cosine": lambda: optimizers.Adam(schedules.CosineDecay(0.05, 12, alpha=0.1)),
    "piecewise": lambda: optimizers.SGD(schedules.PiecewiseConstantDecay([3, 8], [0.1, 0.05, 0.01]), momentum=0.5),
}


def model_of(name):
    keras.utils.set_random_seed(3)
    model = Sequential(
        [
            keras.Input((4,), name="x"),
            layers.Dense(5, activation="tanh", kernel_regularizer=keras.regularizers.L2(0.01), name="hidden"),
            layers.BatchNormalization(name="normal"),
            layers.Dense(3, activation="softmax", name="classes"),
        ],
        name=name,
    )
    model.compile(
        optimizer=MADE[name](),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
        metrics=["accuracy", keras.metrics.TopKCategoricalAccuracy(2, name="top")],
        **({} if IS_FORMER else {"jit_compile": False}),
    )
    return model


def main(folder, *names):
    path = HERE / folder / "training"
    path.mkdir(parents=True, exist_ok=True)
    x = values((12, 4))
    y = np.eye(3, dtype="float32")[np.arange(12) * 5 % 3]
    fit = lambda model, epochs: model.fit(x, y, batch_size=4, epochs=epochs, shuffle=False, verbose=0).history
    results = {}
    json_path = path / f"runs{'' if EXTENSION == 'keras' else '.' + EXTENSION}.json"
    if names and json_path.exists():
        results = json.loads(json_path.read_text())["runs"]
    for name in names or MADE:
        if name in LEGACY and EXTENSION != "h5":
            continue
        try:
            model = model_of(name)
            fit(model, 2)
        except (AttributeError, ValueError, TypeError) as error:
            print(f"{name}: {str(error)[:100]}")
            continue
        file = path / f"{name}.{EXTENSION}"
        model.save(file)
        if EXTENSION == "keras":
            with zipfile.ZipFile(file) as archive:
                entries = [(each.filename, archive.read(each)) for each in archive.infolist()]
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
                for entry, content in entries:
                    archive.writestr(entry, content)
        print(f"{name}: {file.stat().st_size / 1024:.1f} KiB")
        if name in STATE_ALONE:
            continue
        history = fit(model, 3)
        results[name] = {
            "loss": [float(f"{v:.7g}") for v in history["loss"]],
            "accuracy": [float(f"{v:.7g}") for v in history["accuracy"]],
            "weights": [[float(f"{v:.7g}") for v in np.asarray(w).ravel()] for w in model.get_weights()],
        }
    lines = ",\n".join(f'"{name}":{json.dumps(run, separators=(",", ":"))}' for name, run in results.items())
    json_path.write_text(f'{{"keras":"{keras.__version__}","runs":{{\n{lines}\n}}}}\n')


if __name__ == "__main__":
    main(*sys.argv[1:])
