"""Reads training data as `Dataset.save` of myelin/data writes them: .npz, .csv, or a folder of images."""

import csv
from pathlib import Path

import numpy as np


def read(path):
    """The parts of a data set: x, y, sample_weight. x and y are arrays, or dicts of arrays by the names of inputs and outputs."""
    source = Path(path)
    if source.is_dir():
        return read_folder(source)
    if source.suffix == ".npz":
        with np.load(source, allow_pickle=False) as arrays:
            return split_parts({name: arrays[name] for name in arrays.files}, source)
    if source.suffix == ".csv":
        return split_parts(read_csv(source), source)
    raise SystemExit(f"{source}: expected a folder of images, a .npz file or a .csv file")


def read_csv(source):
    """Columns as arrays; x_0, x_1, … as one array x with a column for each. Empty cells are NaN."""
    with open(source, newline="", encoding="utf-8-sig") as file:
        header, *rows = csv.reader(file)
    try:
        table = np.array([[float(cell or "nan") for cell in row] for row in rows], "float32")
    except ValueError as error:
        raise SystemExit(f"{source}: {error}. Columns must be numbers: map text to numbers before Dataset.save")
    columns = {}
    for name, values in zip(header, table.T):
        stem, _, number = name.rpartition("_")
        is_part = number.isdigit() and f"{stem}_0" in header
        columns.setdefault(stem if is_part else name, []).append(values)
    return {
        name: values[0] if f"{name}_0" not in header else np.stack(values, axis=1) for name, values in columns.items()
    }


def split_parts(arrays, source):
    """{'x/image': …, 'y': …} → {'x': {'image': …}, 'y': …}."""
    parts = {}
    for name, values in arrays.items():
        part, _, key = name.partition("/")
        if part not in ("x", "y", "sample_weight"):
            raise SystemExit(f"{source}: '{name}' is neither of x, y, sample_weight nor a path within one")
        if key:
            parts.setdefault(part, {})[key] = values
        else:
            parts[part] = values
    if "x" not in parts:
        raise SystemExit(f"{source}: there is no x")
    return parts


def read_folder(source):
    """Images of equal size; the sorted names of the subfolders are the classes."""
    from PIL import Image

    classes = sorted(folder.name for folder in source.iterdir() if folder.is_dir() and not folder.name.startswith("."))
    if not classes:
        raise SystemExit(f"{source}: there are no subfolders, whose names are the classes")
    images, labels = [], []
    for label, name in enumerate(classes):
        for file in sorted((source / name).iterdir()):
            if file.suffix.lower() in (".png", ".jpg", ".jpeg"):
                pixels = np.asarray(Image.open(file), "float32")
                images.append(pixels if pixels.ndim == 3 else pixels[..., None])
                labels.append(label)
    shapes = {image.shape for image in images}
    if len(shapes) != 1:
        raise SystemExit(f"{source}: images must have one size, found {sorted(shapes)}")
    return {"x": np.stack(images), "y": np.array(labels, "int32")}


def order(rows, epoch, shuffle, seed):
    """The order of the rows in an epoch: the same in every process."""
    return np.random.default_rng([seed, epoch]).permutation(rows) if shuffle else np.arange(rows)


def leaves(part):
    return list(part.values()) if isinstance(part, dict) else [part]


def rows_of(parts):
    sizes = {len(leaf) for part in parts.values() for leaf in leaves(part)}
    if len(sizes) != 1:
        raise SystemExit(f"the arrays have different numbers of rows: {sorted(sizes)}")
    return sizes.pop()


def steps(parts, batch_size):
    return rows_of(parts) // batch_size


def batches(parts, batch_size, epoch=0, shuffle=False, seed=0, share=(0, 1)):
    """Batches (x, y, sample_weight) of an epoch, of each only the rows of one process: share is (its number, their count).

    A last batch that is smaller is left out, because all devices must have equally many rows.
    """
    number, count = share
    rows = rows_of(parts)
    if batch_size % count != 0:
        raise SystemExit(f"--batch-size {batch_size} cannot be divided by {count} processes")
    if rows < batch_size:
        raise SystemExit(f"--batch-size {batch_size} is more than the {rows} rows of the data")
    own = batch_size // count
    indices = order(rows, epoch, shuffle, seed)
    for start in range(0, rows - batch_size + 1, batch_size):
        chosen = indices[start + number * own : start + (number + 1) * own]
        take = lambda part: {k: v[chosen] for k, v in part.items()} if isinstance(part, dict) else part[chosen]
        yield tuple(take(parts[name]) for name in ("x", "y", "sample_weight") if name in parts)
