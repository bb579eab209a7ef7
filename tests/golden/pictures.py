"""PNG files of every form with every filter, and JPEG files of Pillow with checksums of what it reads from them: pictures.json, to
which pictures.mjs adds checksums of what this library reads."""

import base64
import io
import json
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(1)
files = {}

DEPTHS = {0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16]}
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, data=b""):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def packed(rows, depth):
    """[rows, samples] -> the bytes of each row, without filters."""
    if depth == 16:
        return [row.astype(">u2").tobytes() for row in rows]
    if depth == 8:
        return [row.astype("u1").tobytes() for row in rows]
    bits = (rows[..., None] >> np.arange(depth - 1, -1, -1)) & 1
    return [np.packbits(row.reshape(-1)).tobytes() for row in bits.astype("u1")]


def paeth(a, b, c):
    p = a + b - c
    near = [abs(p - a), abs(p - b), abs(p - c)]
    return a if near[0] <= near[1] and near[0] <= near[2] else b if near[1] <= near[2] else c


def filtered(rows, pixel):
    out, above = b"", bytes(len(rows[0]) if rows else 0)
    for i, row in enumerate(rows):
        kind = int(rng.integers(5)) if i > 4 else (i + 4) % 5
        out += bytes([kind])
        for j, value in enumerate(row):
            a = row[j - pixel] if j >= pixel else 0
            b, c = above[j], above[j - pixel] if j >= pixel else 0
            guess = [0, a, b, (a + b) // 2, paeth(a, b, c)][kind]
            out += bytes([(value - guess) & 255])
        above = row
    return out


def png(values, colour, depth, interlaced, extra=b""):
    height, width, samples = values.shape
    raw = b""
    for x, y, dx, dy in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        part = values[y::dy, x::dx]
        if part.size > 0:
            raw += filtered(packed(part.reshape(len(part), -1), depth), max(1, samples * depth // 8))
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    data = zlib.compress(raw, 9)
    cut = len(data) // 2
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", data[:cut]) + chunk(b"IDAT", data[cut:]) + chunk(b"IEND")


def waves(height, width, channels, top):
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    noise = rng.normal(size=y.shape) * 0.06
    return np.clip((0.5 + 0.4 * np.sin(x / 3 + y / 5 + c) + noise) * top, 0, top).astype(int)


for colour, depths in DEPTHS.items():
    for depth in depths:
        for interlaced in [False, True]:
            for height, width in [(19, 23)] if (colour, depth) != (2, 8) else [(19, 23), (1, 1), (2, 40), (41, 3)]:
                name = f"{colour}-{depth}-{'adam7' if interlaced else 'rows'}-{height}x{width}.png"
                values = waves(height, width, SAMPLES[colour], 2**depth - 1)
                if colour != 3:
                    files[name] = png(values, colour, depth, interlaced)
                    continue
                palette = chunk(b"PLTE", rng.integers(0, 256, 3 * 2**depth).astype("u1").tobytes())
                files[name] = png(values, colour, depth, interlaced, palette)
                clear = chunk(b"tRNS", rng.integers(0, 256, 2 ** (depth - 1)).astype("u1").tobytes())
                files[name.replace(".", "-clear.")] = png(values, colour, depth, interlaced, palette + clear)


def jpeg(name, mode, size, **options):
    values = waves(*size, {"L": 1, "RGB": 3, "CMYK": 4}[mode], 255).astype("u1")
    image = Image.fromarray(values[..., 0] if mode == "L" else values, mode)
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    files[f"{name}.jpg"] = file.getvalue()


for progressive in [False, True]:
    how = "progressive" if progressive else "baseline"
    for subsampling in ["4:4:4", "4:2:2", "4:2:0"]:
        jpeg(f"{how}-{subsampling}", "RGB", (37, 45), progressive=progressive, subsampling=subsampling, quality=80)
    jpeg(f"{how}-grey", "L", (21, 30), progressive=progressive, quality=85)
    jpeg(f"{how}-inks", "CMYK", (18, 20), progressive=progressive, quality=85)
    jpeg(f"{how}-restarts", "RGB", (35, 50), progressive=progressive, quality=70, restart_marker_blocks=3)
for quality in [5, 50, 98, 100]:
    jpeg(f"quality-{quality}", "RGB", (33, 34), quality=quality)
for size in [(1, 1), (2, 2), (3, 5), (8, 8), (16, 17), (64, 1)]:
    jpeg(f"size-{size[0]}x{size[1]}", "RGB", size, quality=75)
jpeg("optimized", "RGB", (24, 40), quality=75, optimize=True)
jpeg("colours", "RGB", (24, 24), quality=75, keep_rgb=True)

def read(data, mode):
    return zlib.crc32(np.asarray(Image.open(io.BytesIO(data)).convert(mode)).tobytes())


written = {
    name: {"bytes": base64.b64encode(data).decode()} | ({"pillow": {"1": read(data, "L"), "3": read(data, "RGB")}} if name.endswith(".jpg") else {})
    for name, data in files.items()
}
(HERE / "pictures.json").write_text(json.dumps(written, indent=0) + "\n")
