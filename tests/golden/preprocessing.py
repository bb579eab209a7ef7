"""Writes preprocessing.json: what layers find in data by adapt, and what those of images do in training where nothing is left to chance.

Never reads anything of myelin. The shape of the file is described in format.ts; how to run it: README.md.
"""

from common import FLOAT, build, normal, random, spec, tensor, write

from types import SimpleNamespace

import keras
import numpy as np
from keras.src.layers.preprocessing import discretization, normalization

# adapt asks TensorFlow whether data are one of its datasets; these are not
for module in (discretization, normalization):
    module.tf = SimpleNamespace(data=SimpleNamespace(Dataset=()), is_tensor=lambda data: False)


def adapted(name, described, batches, x):
    layer = build(keras.layers, described)
    layer.adapt(batches)
    found = layer.bin_boundaries if name == "Discretization" else [*np.ravel(layer.adapt_mean), *np.ravel(layer.adapt_variance)]
    return {"name": name, "layer": described, "batches": [tensor(b) for b in batches], "found": tensor(np.array(found, FLOAT)),
            "input": tensor(x), "output": tensor(layer(x))}


def adapting(rng):
    rows = [normal(rng, (n, 3)) * 2 + np.array([0, 5, -3], FLOAT) for n in (4, 7, 1)]
    blocks = [normal(rng, (n, 2, 3)) for n in (3, 5)]
    yield adapted("Normalization", spec("Normalization"), rows, rows[0])
    yield adapted("Normalization", spec("Normalization", invert=True), rows, rows[1])
    yield adapted("Normalization", spec("Normalization", axis=None), rows, rows[0])
    yield adapted("Normalization", spec("Normalization", axis=1), blocks, blocks[0])
    yield adapted("Normalization", spec("Normalization", axis=[1, 2]), blocks, blocks[0])
    for bins, epsilon, sizes in ((4, 0.01, (50, 30)), (3, 0.1, (40, 25, 7)), (5, 0.01, (300,)), (2, 0.25, (9, 4)), (10, 0.01, (600, 5))):
        numbers = [normal(rng, (n,)) for n in sizes]
        yield adapted("Discretization", spec("Discretization", numBins=bins, epsilon=epsilon), numbers, numbers[0][:20])


def trained(name, x, fix=None, **options):
    layer = build(keras.layers, spec(name, **options))
    if fix is not None:
        fix(layer)
    x = np.asarray(x, FLOAT)
    return {"name": name, "layer": spec(name, **options), "input": tensor(x), "output": tensor(layer(x, training=True))}


def training(rng):
    image, tall = normal(rng, (2, 5, 7, 2)), normal(rng, (1, 6, 4, 1))
    coloured, bytes_ = rng.random((2, 4, 5, 3)), rng.integers(0, 256, (1, 6, 5, 2))
    first = np.moveaxis(image, -1, 1)
    for fill in ("reflect", "wrap", "constant", "nearest"):
        fills = dict(fillMode=fill, fillValue=0.5)
        yield trained("RandomRotation", image, factor=[0.13, 0.13], **fills)
        yield trained("RandomTranslation", image, heightFactor=[0.3, 0.3], widthFactor=[-0.45, -0.45], **fills)
        yield trained("RandomZoom", image, heightFactor=[0.4, 0.4], widthFactor=[-0.3, -0.3], **fills)
    yield trained("RandomRotation", tall, factor=[0.25, 0.25])
    yield trained("RandomRotation", first, factor=[-0.1, -0.1], dataFormat="channelsFirst")
    yield trained("RandomRotation", image[0], factor=[0.07, 0.07], interpolation="nearest")
    yield trained("RandomTranslation", image, heightFactor=[0.2, 0.2], widthFactor=[0, 0], interpolation="nearest")
    yield trained("RandomZoom", tall, heightFactor=[-0.5, -0.5])
    yield trained("RandomZoom", image[1], heightFactor=[0.25, 0.25], fillMode="constant")
    yield trained("RandomShear", image, xFactor=[0, 0], yFactor=[0, 0])
    yield trained("RandomBrightness", coloured, factor=[0.2, 0.2], valueRange=[0, 1])
    yield trained("RandomBrightness", bytes_, factor=[-0.3, -0.3])
    # for [low, high] the factor is drawn from 1 − low … 1 + high, so that only 0 is fixed
    yield trained("RandomContrast", coloured, factor=[0, 0], valueRange=[0.2, 0.7])
    yield trained("RandomGrayscale", coloured, factor=1)
    yield trained("RandomInvert", coloured, factor=[1, 1], valueRange=[0, 1])
    yield trained("Solarization", bytes_, additionFactor=0, thresholdFactor=0)
    yield trained("Equalization", bytes_)
    yield trained("Equalization", bytes_ / 255, valueRange=[0, 1], bins=16)
    yield trained("RandomGaussianBlur", coloured, factor=[1, 1], sigma=[0.8, 0.8], kernelSize=[5, 3], valueRange=[0, 1])
    yield trained("RandomErasing", image, scale=[1, 1], factor=[1, 1], fillValue=0.25, valueRange=[-1, 1])
    yield trained("RandomCrop", image, height=5, width=7)


if __name__ == "__main__":
    rng = random(300)
    write("preprocessing.json", {"adapted": list(adapting(rng)), "trained": list(training(rng))})
