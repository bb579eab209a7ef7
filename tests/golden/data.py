"""What NumPy, Pillow, scikit-learn and Keras (on TensorFlow) make of small data: tests/golden/data/ and data.json."""

import json
import os
import pathlib
import shutil

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import sklearn.model_selection as selection
from PIL import Image
from sklearn.utils.class_weight import compute_class_weight

HERE = pathlib.Path(__file__).parent
FOLDER = HERE / "data"
shutil.rmtree(FOLDER, ignore_errors=True)
FOLDER.mkdir()
result = {}


def arrays():
    base = np.arange(-6, 6).reshape(3, 4)
    cases = {}
    for code in ["b1", "i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8", "u1", "<u2", "<u4", "<u8", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8"]:
        name = code.replace("<", "little_").replace(">", "big_")
        values = base if code[-2] != "u" else base + 6
        array = (values / 4 if "f" in code else values).astype(code)
        np.save(FOLDER / f"{name}.npy", array)
        cases[name] = array.astype(float).tolist()
    np.save(FOLDER / "fortran.npy", np.asfortranarray(np.arange(24, dtype="f4").reshape(2, 3, 4)))
    np.save(FOLDER / "scalar.npy", np.float32(2.5))
    np.save(FOLDER / "empty.npy", np.zeros((0, 3), "f4"))
    np.save(FOLDER / "half_specials.npy", np.array([np.inf, -np.inf, np.nan, 6e-8, 65504, -0.0], "f2"))
    np.save(FOLDER / "large.npy", np.array([1, 2**40]))
    np.save(FOLDER / "huge.npy", np.array([1.0, 1e300]))
    np.save(FOLDER / "complex.npy", np.array([1j]))
    np.save(FOLDER / "records.npy", np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f4")]))
    for version in [(2, 0), (3, 0)]:
        with open(FOLDER / f"version_{version[0]}.npy", "wb") as file:
            np.lib.format.write_array(file, np.arange(3, dtype="f4"), version=version)
    np.savez(FOLDER / "stored.npz", x=base.astype("f4"), y=np.array([1, 2]))
    np.savez_compressed(FOLDER / "deflated.npz", x=base.astype("f4"), y=np.array([1, 2]))
    result["npy"] = cases


def picture(height, width, channels):
    rows, columns = np.mgrid[0:height, 0:width]
    planes = [(rows * 7 + columns * 11) % 256, (rows * 23) % 256, (columns * 19) % 256, (rows * columns * 3 + 40) % 256]
    return np.stack(planes[:channels], -1).astype("u1")


def smooth(height, width):
    rows, columns = np.mgrid[0:height, 0:width] / max(height, width)
    return np.stack([80 + 120 * rows, 60 + 150 * columns, 200 - 90 * rows * columns], -1).astype("u1")


def images():
    cases = {}

    def keep(name, image, **options):
        image.save(FOLDER / name, **options)
        read = Image.open(FOLDER / name)
        cases[name] = {mode: np.array(read.convert(mode)).tolist() for mode in ["L", "RGB", "RGBA"]}

    rgb, rgba = picture(5, 7, 3), picture(5, 7, 4)
    keep("rgb.png", Image.fromarray(rgb))
    keep("rgba.png", Image.fromarray(rgba))
    keep("gray.png", Image.fromarray(rgb[..., 0]))
    keep("gray_alpha.png", Image.fromarray(np.stack([rgb[..., 0], rgba[..., 3]], -1), "LA"))
    keep("palette.png", Image.fromarray(rgb).quantize(9))
    keep("bits.png", Image.fromarray(rgb[..., 0] > 60))
    keep("color.jpg", Image.fromarray(smooth(19, 21)), quality=92, subsampling=0)
    keep("halved.jpg", Image.fromarray(smooth(19, 21)), quality=92, subsampling=2)
    keep("progressive.jpg", Image.fromarray(smooth(19, 21)), quality=92, progressive=True, subsampling=0)
    keep("gray.jpg", Image.fromarray(smooth(19, 21)[..., 1]), quality=92)
    sharp = picture(33, 35, 3)
    keep("restarts.jpg", Image.fromarray(sharp), quality=92, progressive=True, subsampling=2, restart_marker_blocks=2)
    keep("wide.jpg", Image.fromarray(sharp), quality=60, subsampling=1)
    keep("inks.jpg", Image.fromarray(sharp).convert("CMYK"), quality=92)
    deep = (np.arange(12).reshape(3, 4) * 5000).astype("u2")
    Image.fromarray(deep).save(FOLDER / "deep.png")
    cases["deep.png"] = {"deep": deep.tolist()}
    result["images"] = cases

    folder = FOLDER / "animals"
    for kind, count in [("dog", 3), ("cat", 2), ("elk", 1)]:
        (folder / kind).mkdir(parents=True)
        for i in range(count):
            Image.fromarray(picture(4 + i, 6 + len(kind) + i, 3)).save(folder / kind / f"{i}.png")
    (folder / "cat" / "notes.txt").write_text("no picture")
    dataset = keras.utils.image_dataset_from_directory(folder, image_size=(6, 5), batch_size=None, shuffle=False, verbose=False)
    result["imageFolder"] = {
        "classNames": dataset.class_names,
        "files": [str(pathlib.Path(path).relative_to(folder)) for path in dataset.file_paths],
        "x": [x.numpy().tolist() for x, _ in dataset],
        "y": [int(y) for _, y in dataset],
    }


def splits():
    y = [2, 0, 1, 0, 2, 2, 0, 1, 1, 0, 2, 0, 0, 2, 1, 0, 0]
    groups = [3, 3, 1, 1, 1, 2, 5, 5, 5, 5, 4, 4, 6, 6, 6, 6, 6]

    def folds(splitter, **options):
        return [{"train": train.tolist(), "test": test.tolist()} for train, test in splitter.split(np.zeros(len(y)), **options)]

    result["splits"] = {
        "y": y,
        "groups": groups,
        "kFold": folds(selection.KFold(5)),
        "stratified": folds(selection.StratifiedKFold(4), y=y),
        "grouped": folds(selection.GroupKFold(3), groups=groups),
        "classWeights": dict(zip(map(str, np.unique(y)), compute_class_weight("balanced", classes=np.unique(y), y=y).tolist())),
        "stratifiedCounts": {
            str(size): np.bincount(selection.train_test_split(y, test_size=size, stratify=y, random_state=0)[1], minlength=3).tolist()
            for size in [0.25, 0.3, 0.5, 5]
        },
        "sizes": {str(size): len(selection.train_test_split(y, test_size=size, random_state=0)[1]) for size in [0.25, 0.3, 0.1, 5]},
        "categorical": keras.utils.to_categorical([0, 2, 1], 4).tolist(),
    }


def series():
    data = np.stack([np.arange(20.0), 100 + np.arange(20.0)], -1)
    targets = np.arange(20.0) * 10
    cases = []
    for options in [
        {"sequence_length": 4},
        {"sequence_length": 3, "sequence_stride": 2, "sampling_rate": 3},
        {"sequence_length": 5, "sampling_rate": 2, "start_index": 3, "end_index": 16},
        {"sequence_length": 2, "sequence_stride": 4, "batch_size": None},
        {"sequence_length": 6, "batch_size": 4, "targets": True},
        {"sequence_length": 3, "targets": True, "sequence_stride": 3, "start_index": 2},
        {"sequence_length": 3, "targets": "short", "sampling_rate": 2},
    ]:
        given = dict(options)
        wanted = given.pop("targets", None)
        own = targets if wanted is True else targets[:9] if wanted == "short" else None
        dataset = keras.utils.timeseries_dataset_from_array(data, own, **{"batch_size": 3, **given})
        elements = [[part.numpy().tolist() for part in (element if isinstance(element, tuple) else (element,))] for element in dataset]
        cases.append({"options": options, "elements": elements})
    result["timeseries"] = {"data": data.tolist(), "targets": targets.tolist(), "cases": cases}


arrays()
images()
splits()
series()
(HERE / "data.json").write_text(json.dumps(result) + "\n")
