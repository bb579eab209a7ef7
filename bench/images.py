"""Times Pillow for images.mjs: a process that reads and resizes a folder for each line of its input and answers with CPU seconds.
`images.py --make` writes the two pictures of the benchmark."""

import pathlib
import sys
import time

import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).parent / "pictures"

if "--make" in sys.argv:
    rng = np.random.default_rng(1)
    y, x = np.mgrid[0:160, 0:160] / 160
    waves = [np.sin(9 * x + 3 * k) * np.cos(7 * y - k) + (np.hypot(x - 0.5, y - 0.4) < 0.25) * (0.3 + 0.1 * k) for k in range(3)]
    noise = rng.normal(size=(160, 160, 1)) * 5 + rng.normal(size=(160, 160, 3)) * 2
    image = Image.fromarray(np.clip(110 + 70 * np.stack(waves, -1) + noise, 0, 255).astype("u1"))
    HERE.mkdir(exist_ok=True)
    image.save(HERE / "photo.png")
    image.save(HERE / "photo.jpg", quality=85)
    sys.exit()

for line in sys.stdin:
    files = sorted(pathlib.Path(line.strip()).glob("*/*"))
    start = time.process_time()
    for file in files:
        np.asarray(Image.open(file).convert("RGB").resize((64, 64), Image.BILINEAR), dtype=np.float32)
    print(time.process_time() - start, flush=True)
