"""HDF5 files written by h5py, and their content as h5py reads it: hdf5/*.h5 and hdf5.json. Files that use parts of HDF5
which are not read: hdf5/refused/*.h5.

    .venv/bin/python hdf5.py
"""

import json
import math
import pathlib

import h5py
import numpy as np

HERE = pathlib.Path(__file__).parent
FOLDER = HERE / "hdf5"
REFUSED = FOLDER / "refused"

rng = np.random.default_rng(7)


def brain(values):
    """float32 rounded towards zero to bfloat16, as Keras stores it: opaque of two bytes."""
    bits = np.asarray(values, "f4").view("u4") >> 16
    return bits.astype("u2").view("V2")


def created(group, name, kind, shape, layout=h5py.h5d.CONTIGUOUS):
    """A dataset of a type or layout that h5py has no argument for; without times, so that files are the same."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_obj_track_times(False)
    plist.set_layout(layout)
    return h5py.h5d.create(group.id, name.encode(), kind, h5py.h5s.create_simple(shape), plist)


def numbers(group):
    for dtype in "f2 f4 f8 i1 u1 i2 u2 i4 u4 i8 u8 >f2 >f4 >f8 >i2 >u4 >i8".split():
        kind = np.dtype(dtype)
        ends = np.finfo(kind) if kind.kind == "f" else np.iinfo(kind)
        most = min(float(ends.max), 2.0**53 - 1)
        least = max(float(ends.min), -(2.0**53) + 1)
        group[dtype.replace(">", "big ")] = np.array([[0, 1, 2], [3, least, most]]).astype(kind)
    group["special"] = np.array([np.inf, -np.inf, np.nan, -0.0], "f4")
    group["special f2"] = np.array([np.inf, -np.inf, np.nan, -0.0, 6e-8, 6.1e-5, 65504, 1 / 3], "f2")
    group["bool"] = np.array([True, False, True])
    group["scalar"] = np.float32(2.5)
    group["scalar bool"] = np.True_
    group["empty"] = np.zeros((0, 3), "f4")
    group["null"] = h5py.Empty("f4")
    group["bfloat16"] = brain([[1, -2.5], [math.pi, np.inf]])
    group["bfloat16"].attrs["dtype"] = "bfloat16"


def strings(group):
    group["variable"] = "Grüße, 世界 🙂"
    group["variable array"] = np.array(["a", "", "longer than the others", "ü"], object)
    group["ascii"] = b"bytes"
    group["fixed"] = np.array([b"one", b"three", b""])
    group.create_dataset("fixed utf-8", data="né".encode(), dtype=h5py.string_dtype("utf-8", 8))
    for name, padding in [("terminated", h5py.h5t.STR_NULLTERM), ("spaces", h5py.h5t.STR_SPACEPAD)]:
        kind = h5py.h5t.C_S1.copy()
        kind.set_size(6)
        kind.set_strpad(padding)
        created(group, name, kind, (2,)).write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([b"ab", b"abcde"], "S6"))


def attributes(group):
    holder = group.create_group("attributes")
    holder.attrs["text"] = "Grüße"
    holder.attrs["bytes"] = b"keras"
    holder.attrs["none"] = ""
    holder.attrs["names"] = np.array([b"kernel:0", b"bias:0"])
    holder.attrs["variable names"] = ["kernel", "bias", ""]
    holder.attrs["empty"] = np.zeros(0)
    holder.attrs["null"] = h5py.Empty("f8")
    holder.attrs["float"] = 0.1
    holder.attrs["int"] = 7
    holder.attrs["bool"] = True
    holder.attrs["matrix"] = np.arange(6, dtype=">i4").reshape(2, 3)
    holder.attrs["json"] = json.dumps({"config": "x" * 9_000})
    few = group.create_group("few attributes")
    few.attrs["a"] = np.float32(1)
    data = group.create_dataset("with attributes", data=np.arange(3, dtype="f4"))
    for i in range(12):
        data.attrs[f"attribute {i}"] = np.int32(i)


def layouts(group):
    compact = created(group, "compact", h5py.h5t.IEEE_F32LE, (2, 2), h5py.h5d.COMPACT)
    compact.write(h5py.h5s.ALL, h5py.h5s.ALL, np.arange(4, dtype="f4").reshape(2, 2))
    group.create_dataset("never written", (2, 3), "f4")
    group.create_dataset("filled", (2, 3), "f4", fillvalue=1.5)
    group.create_dataset("filled big", (3,), ">i2", fillvalue=258)
    group.create_group("nothing")
    group.create_group("one/two/three")


def chunks(group):
    data = np.round(rng.standard_normal((7, 5, 3)), 1).astype("f4")
    options = dict(chunks=(3, 2, 3))
    group.create_dataset("plain", data=data, **options)
    group.create_dataset("gzip", data=data, compression="gzip", **options)
    group.create_dataset("all", data=data, compression="gzip", shuffle=True, fletcher32=True, **options)
    group.create_dataset("fletcher32", data=data.astype("f8"), fletcher32=True, **options)
    group.create_dataset("shuffle", data=data.astype(">i2"), shuffle=True, compression=9, **options)
    four = np.arange(180, dtype="i4").reshape(3, 4, 3, 5)
    group.create_dataset("four axes", data=four, compression="gzip", chunks=(2, 3, 2, 2))
    group.create_dataset("odd", data=np.arange(11, dtype="u1"), chunks=(3,), fletcher32=True)
    partly = group.create_dataset("partly written", (9, 4), "i4", chunks=(2, 3), fillvalue=-1, compression="gzip")
    partly[3:5, 1:] = 9
    group.create_dataset("never written", (9, 4), "f4", chunks=(2, 3), fillvalue=0.5)
    growing = group.create_dataset("growing", (3, 2), "f4", maxshape=(None, 2), chunks=(8, 2))
    growing[:] = 4
    group.create_dataset("many", data=np.arange(900, dtype="i2").reshape(30, 30), chunks=(2, 1))
    text = np.array([f"text {i}" for i in range(10)], object)
    group.create_dataset("text", data=text, chunks=(4,), compression="gzip")
    group.create_dataset("names", data=text.astype("S8"), chunks=(4,), compression="gzip", shuffle=True)


def many(group):
    for i in range(300):
        group.create_dataset(f"dense_{i}", data=np.int16(i))
    group.create_group("last")


def nested(group):
    for i in range(20):
        group = group.create_group(f"functional_{i}")
        group.attrs["depth"] = i
    group["weight"] = np.arange(3, dtype="f4")


def large_attributes(group):
    for i in range(60):
        group.attrs[f"name {i}"] = f"value {i} " * (i + 1)
    group.attrs["huge"] = np.array([b"layer_%04d" % i for i in range(6600)])


def everything(group):
    for part in (numbers, strings, attributes, layouts):
        part(group.create_group(part.__name__))


def few_links(group):
    for name in ("b", "a", "c"):
        group.create_group(name)
    group["a"].attrs["x"] = 1.5


FILES = {
    "default": (None, everything),
    "v108": ("v108", everything),
    "latest": ("latest", everything),
    "chunks": (None, chunks),
    "many": (None, many),
    "many-latest": ("latest", many),
    "nested": (None, nested),
    "nested-latest": ("latest", nested),
    "large-attributes": ("latest", large_attributes),
}


def soft(f):
    f["data"] = np.zeros(3)
    f["link"] = h5py.SoftLink("/data")


def external(f):
    f["link"] = h5py.ExternalLink("/etc/passwd", "/")


def twice(f):
    f["data"] = np.zeros(3)
    f["again"] = f["data"]


def cycle(f):
    inner = f.create_group("a/b")
    inner["up"] = f["a"]


def root_cycle(f):
    f["root"] = f["/"]


def compound(f):
    f["data"] = np.zeros(2, [("x", "f4"), ("y", "i4")])


def reference(f):
    f.create_dataset("data", data=np.array([f.ref], dtype=h5py.ref_dtype), dtype=h5py.ref_dtype)


def reference_attribute(f):
    f.attrs["parent"] = f.ref


def lists(f):
    f.create_dataset("data", (2,), h5py.vlen_dtype("i4"))


def enumeration(f):
    f.create_dataset("data", data=[0, 1], dtype=h5py.enum_dtype({"RED": 0, "GREEN": 1}, "i1"))


def arrays(f):
    f.create_dataset("data", (2,), np.dtype("(3,)f4"))


def complexes(f):
    f["data"] = np.zeros(2, "c8")


def lzf(f):
    f.create_dataset("data", data=np.zeros(20), compression="lzf")


def scaled(f):
    f.create_dataset("data", data=np.zeros(20), scaleoffset=2, chunks=(5,))


def outside(f):
    f.create_dataset("data", (4,), "f4", external=[("/etc/passwd", 0, 16)])


def virtual(f):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "data", (4,))
    f.create_virtual_dataset("data", layout)


def committed(f):
    f["type"] = np.dtype("f4")
    f.create_dataset("data", (2,), f["type"])


def opaque(f):
    f["data"] = np.zeros(2, "V2")


def opaque_wide(f):
    f["data"] = np.zeros(2, "V3")


def long_double(f):
    f["data"] = np.zeros(2, "g")


def large_integer(f):
    f["data"] = np.array([2**53 + 1])


def large_shape(f):
    f.create_dataset("data", (2**20, 2**20), "f4")


def large_chunks(f):
    f.create_dataset("data", (2**20, 2**20), "f4", chunks=(16, 16), compression="gzip")


def bomb(f):
    f.create_dataset("data", data=np.zeros((4096, 1100), "f8"), chunks=(512, 1100), compression="gzip", compression_opts=9)


def large_chunk(f):
    f.create_dataset("data", (4096, 600), "f8", chunks=(4096, 600), compression="gzip")


def bit_field(f):
    created(f, "data", h5py.h5t.STD_B8LE, (2,))


def deep(f):
    group = f
    for _ in range(150):
        group = group.create_group("g")


REFUSALS = [
    soft, external, twice, cycle, root_cycle, compound, reference, reference_attribute, lists, enumeration, arrays,
    complexes, lzf, scaled, outside, virtual, committed, opaque, opaque_wide, long_double, large_integer, large_shape,
    large_chunks, large_chunk, bomb, bit_field,
]  # fmt: skip


def number(value):
    value = float(value)
    return str(value) if not math.isfinite(value) else int(value) if value.is_integer() and str(value) != "-0.0" else value


NAMES = {"f2": "float16", "f4": "float32", "f8": "float64", "b1": "bool", "V2": "bfloat16"}


def array(value, kind):
    """{type, shape, values}, as in src/files/keras/hdf5/types.ts"""
    if isinstance(value, h5py.Empty):
        return {"type": NAMES[value.dtype.str[1:]], "shape": [0], "values": []}
    if h5py.check_string_dtype(kind) is not None or isinstance(value, (str, bytes)):
        flat = np.asarray(value, object).ravel().tolist()
        texts = [each.decode() if isinstance(each, bytes) else each for each in flat]
        return {"type": "string", "shape": list(np.shape(value)), "values": texts}
    value = np.asarray(value)
    name = NAMES.get(value.dtype.str[1:], value.dtype.name)
    flat = value.ravel()
    if name == "bfloat16":
        flat = (flat.view("u2").astype("u4") << 16).view("f4")
    return {"type": name, "shape": list(value.shape), "values": [number(each) for each in flat]}


def described(item):
    result = {}
    if len(item.attrs) > 0:
        result["attributes"] = {
            name: array(item.attrs[name], item.attrs.get_id(name).dtype) for name in sorted(item.attrs)
        }
    if isinstance(item, h5py.Group):
        result["members"] = {name: described(item[name]) for name in sorted(item)}
    else:
        result["array"] = array(item[()], item.dtype)
    return result


def main():
    REFUSED.mkdir(parents=True, exist_ok=True)
    content = {}
    for name, (version, fill) in FILES.items():
        path = FOLDER / f"{name}.h5"
        with h5py.File(path, "w", libver=version) as file:
            fill(file)
        with h5py.File(path, "r") as file:
            content[name] = described(file)
        # The content of one file can have several forms.
        for other in content:
            if other != name and content[other] == content[name]:
                content[name] = other
                break
    (HERE / "hdf5.json").write_text(json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n")
    for refused in REFUSALS:
        with h5py.File(REFUSED / f"{refused.__name__}.h5", "w") as file:
            refused(file)
    with h5py.File(REFUSED / "user_block.h5", "w", userblock_size=512):
        pass
    with h5py.File(REFUSED / "deep.h5", "w", libver="latest") as file:
        deep(file)
    with h5py.File(REFUSED / "latest_chunks.h5", "w", libver="latest") as file:
        file.create_dataset("data", data=np.zeros(20), chunks=(5,))


if __name__ == "__main__":
    main()
