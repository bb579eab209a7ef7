"""Whether h5py reads the files that writeHdf5 wrote as they were meant.

    mkdir /tmp/hdf5
    HDF5_FOLDER=/tmp/hdf5 npx vitest run --project simd tests/files/keras/hdf5/write.test.ts
    .venv/bin/python hdf5_written.py /tmp/hdf5
"""

import json
import pathlib
import sys

import h5py

from hdf5 import described


def same(a, b, where):
    """Strings are compared as texts; JSON has no −0, which equals 0."""
    if isinstance(a, dict):
        assert set(a) == set(b), f"{where}: {sorted(a)} and {sorted(b)}"
        for key in a:
            same(a[key], b[key], f"{where}/{key}")
    elif isinstance(a, list):
        assert len(a) == len(b), where
        for i, pair in enumerate(zip(a, b)):
            same(*pair, f"{where}[{i}]")
    else:
        assert a == b or {str(a), str(b)} == {"0", "-0.0"}, f"{where}: {a!r} and {b!r}"


files = sorted(pathlib.Path(sys.argv[1]).glob("*.h5"))
for path in files:
    with h5py.File(path, "r") as file:
        same(described(file), json.loads(path.with_suffix(".json").read_text()), path.name)
print(f"{len(files)} files")
