"""Writes preprocessing.json: what layers find in data by adapt, what those of images do in training where nothing is left to chance, also
to bounding boxes; and results of keras.utils.bounding_boxes.

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
    yield from factors(rng)


def factors(rng):
    coloured, bytes_ = rng.random((2, 4, 5, 3)).astype(FLOAT), rng.integers(0, 256, (1, 6, 5, 3))
    first = np.moveaxis(coloured, -1, 1)
    for factor in ([0, 0], [0.3, 0.3], [1, 1]):
        yield trained("RandomColorDegeneration", coloured, factor=factor, valueRange=[0, 1])
        yield trained("RandomSharpness", coloured, factor=factor, valueRange=[0, 1])
        yield trained("RandomSharpness", bytes_, factor=factor)
        yield trained("RandomHue", coloured, factor=[0, 0], valueRange=[0, 1])
    yield trained("RandomColorDegeneration", bytes_, factor=[0.6, 0.6])
    yield trained("RandomColorDegeneration", first, factor=[0.6, 0.6], valueRange=[0, 1], dataFormat="channelsFirst")
    yield trained("RandomHue", bytes_, factor=[0, 0])
    # a quarter of the circle in either direction gives other colours, half of it the same
    yield trained("RandomHue", coloured, factor=[1, 1], valueRange=[0, 1])
    for factor in ([0, 0], [0.2, 0.2], [0.5, 0.5]):
        yield trained("RandomSaturation", coloured, factor=factor, valueRange=[0, 1])
        yield trained("RandomSaturation", bytes_, factor=factor)
    # with the range [0, 255] Keras does not clip the saturation to 1
    yield trained("RandomSaturation", coloured, factor=[0.8, 0.8], valueRange=[0, 1])
    for bits in (1, 3, 8):
        yield trained("RandomPosterization", bytes_, factor=[bits, bits])
        yield trained("RandomPosterization", coloured, factor=[bits, bits], valueRange=[0, 1])
    yield trained("RandomColorJitter", coloured, valueRange=[0, 1], brightnessFactor=[0.1, 0.1], contrastFactor=[0, 0],
                  saturationFactor=[0.4, 0.4], hueFactor=[0, 0])
    clahe = "ContrastLimitedAdaptiveHistogramEqualization"
    large = rng.integers(0, 256, (2, 17, 13, 2))
    for options in ({}, dict(clipLimit=0), dict(clipLimit=1.5, tileGridSize=[2, 3]), dict(tileGridSize=[1, 1], clipLimit=2)):
        yield trained(clahe, large, **options)
    yield trained(clahe, large / 255, tileGridSize=[3, 2], valueRange=[0, 1])
    yield trained(clahe, np.moveaxis(large, -1, 1), tileGridSize=[3, 2], dataFormat="channelsFirst")
    yield trained(clahe, large[0], tileGridSize=[4, 4])


# ---------------------------------------------------------------- boxes


def boxed(name, size, boxes, labels, training=True, **options):
    """What a layer makes of the boxes of images of a size, in the layer's format."""
    described = spec(name, **options)
    images = np.zeros((*np.shape(boxes)[:-2], *size, 1), FLOAT)
    given = {"images": images, "bounding_boxes": {"boxes": np.asarray(boxes, FLOAT), "labels": np.asarray(labels)}}
    made = build(keras.layers, described)(given, training=training)["bounding_boxes"]
    return {"name": name, "layer": described, "training": training, "images": list(images.shape), "boxes": tensor(np.asarray(boxes, FLOAT)),
            "labels": tensor(np.asarray(labels, np.int32)), "output": tensor(made["boxes"]), "outputLabels": tensor(np.asarray(made["labels"], np.int32))}


def boxes_of(rng, height, width, format):
    corners = np.sort(rng.random((2, 3, 2, 2)), axis=2) * np.array([width, height]) * 0.8 + 2
    xyxy = np.concatenate([corners[:, :, 0], corners[:, :, 1]], -1).astype(FLOAT)
    xyxy[1, 2] = [0, 0, 0, 0]
    made = keras.utils.bounding_boxes.convert_format(xyxy, "xyxy", format, height, width)
    return np.asarray(made), np.array([[0, 1, 2], [3, 4, -1]], np.int32)


def boxing(rng):
    size = (20, 30)
    for format in ("xyxy", "rel_xyxy", "xywh", "center_yxhw", "rel_center_xywh"):
        boxes, labels = boxes_of(rng, *size, format)
        of = dict(boundingBoxFormat=format)
        yield boxed("RandomTranslation", size, boxes, labels, heightFactor=[0.3, 0.3], widthFactor=[-0.4, -0.4], **of)
        yield boxed("RandomZoom", size, boxes, labels, heightFactor=[0.4, 0.4], widthFactor=[-0.3, -0.3], **of)
        yield boxed("RandomShear", size, boxes, labels, xFactor=[0, 0], yFactor=[0, 0], **of)
        yield boxed("CenterCrop", size, boxes, labels, height=11, width=16, **of)
        yield boxed("CenterCrop", size, boxes, labels, training=False, height=40, width=31, **of)
        for options in ({}, dict(cropToAspectRatio=True), dict(padToAspectRatio=True)):
            yield boxed("Resizing", size, boxes, labels, height=16, width=12, **options, **of)
            yield boxed("Resizing", size, boxes, labels, height=50, width=90, **options, **of)
        yield boxed("RandomBrightness", size, boxes, labels, factor=0.2, **of)
        yield boxed("MaxNumBoundingBoxes", size, boxes, labels, maxNumber=2, **of)
        yield boxed("MaxNumBoundingBoxes", size, boxes, labels, maxNumber=5, **of)
        yield boxed("RandomFlip", size, boxes, labels, training=False, **of)
    # Keras reads the boxes of a rotation as 'xyxy' whatever the format
    boxes, labels = boxes_of(rng, *size, "xyxy")
    for turn in (0.05, -0.3, 0.5):
        yield boxed("RandomRotation", size, boxes, labels, factor=[turn, turn], boundingBoxFormat="xyxy")
    yield boxed("RandomZoom", size, boxes[0], labels[0], heightFactor=[-0.4, -0.4], boundingBoxFormat="xyxy")


def utilities(rng):
    """Calls of keras.utils.bounding_boxes: the name, the arguments and the result."""
    of = keras.utils.bounding_boxes
    formats = ("xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh")

    def called(name, *arguments):
        made = getattr(of, name)(*[np.asarray(a, FLOAT) if isinstance(a, np.ndarray) and a.dtype == np.float64 else a for a in arguments])
        written = [tensor(np.asarray(a, FLOAT)) if isinstance(a, np.ndarray) else a for a in arguments]
        return {"name": name, "arguments": written, "output": tensor(made)}

    xyxy, labels = boxes_of(rng, 20, 30, "xyxy")
    for source in formats:
        boxes = np.asarray(of.convert_format(xyxy, "xyxy", source, 20, 30))
        for target in formats:
            yield called("convert_format", boxes, source, target, 20, 30)
    other, _ = boxes_of(rng, 20, 30, "xyxy")
    yield called("crop", xyxy, 3, 4, 10, 12)
    yield called("pad", xyxy, 3, 4)
    ones = np.ones(2, FLOAT)
    yield called("affine_transform", xyxy, ones * 30, ones * 0.1, ones * -0.2, ones * 1.3, ones * 10, ones * -5, 20, 30)
    yield called("affine_transform", xyxy, ones * -70, ones * 0, ones * 0, ones, ones * 0, ones * 0, 20, 30, 0.3, 0.8)
    for a, b in ((xyxy, other), (xyxy[0], other[0]), (xyxy, other[0]), (xyxy[0], other)):
        yield called("compute_iou", a, b, "xyxy")
    yield called("compute_iou", xyxy / 30, other / 30, "rel_xywh", False, -1, [20, 30, 3])
    yield called("compute_iou", np.array([[-1.0, -1, -1, -1], [0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2], [-1, -1, -1, -1]]), "xyxy", True, -2)
    yield called("compute_ciou", xyxy, other, "xyxy")
    yield called("compute_ciou", xyxy, other + 1, "center_xywh")
    anchors = np.array([[2.0, 3, 10, 12], [5, 5, 9, 20], [1, 1, 3, 3]])
    for encoding in ("center_yxhw", "center_xywh"):
        yield called("encode_box_to_deltas", anchors, xyxy, "xyxy", "xyxy", encoding)
        deltas = np.asarray(of.encode_box_to_deltas(anchors, other, "xyxy", "xywh", encoding, [0.1, 0.1, 0.2, 0.2]))
        yield called("encode_box_to_deltas", anchors, other, "xyxy", "xywh", encoding, [0.1, 0.1, 0.2, 0.2])
        yield called("decode_deltas_to_boxes", anchors, deltas, "xyxy", "rel_xywh", encoding, [0.1, 0.1, 0.2, 0.2], [20, 30, 3])


if __name__ == "__main__":
    rng = random(300)
    write("preprocessing.json", {"adapted": list(adapting(rng)), "trained": list(training(rng)), "boxed": list(boxing(rng)),
                                 "utilities": list(utilities(rng))})
