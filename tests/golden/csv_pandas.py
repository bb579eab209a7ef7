"""Checksums of what pandas reads from 2,000 generated CSV files. tests/attack/csv-pandas.test.ts makes the same files.

    python tests/golden/csv_pandas.py
"""

import io
import json
import struct
import zlib
from pathlib import Path

import pandas

FILES = 2000
MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL"]
PIECES = ["a", "B", "é", "日", " ", "x1", "-", "'", '"', "\n", ",", ";", "\t", "|", "7", "🙂"]


class Lehmer:
    """The generator of tests/attack/csv-pandas.test.ts."""

    def __init__(self, seed):
        self.state = seed

    def below(self, count):
        self.state = self.state * 48271 % 2147483647
        return self.state % count


def number(below):
    kind = below(6)
    digits = lambda most: "".join(str(below(10)) for _ in range(1 + below(most)))
    sign = ["", "-", "+"][below(3)]
    if kind < 2:
        return sign + digits(9)
    if kind == 2:
        return sign + digits(5) + "." + digits(6)
    if kind == 3:
        return sign + "." + digits(12)
    if kind == 4:
        return sign + digits(3) + "." + digits(14) + "e" + ["", "-", "+"][below(3)] + str(below(30))
    return sign + digits(4) + "."


def text(below):
    return "".join(PIECES[below(len(PIECES))] for _ in range(1 + below(5)))


def made(seed):
    below = Lehmer(seed).below
    delimiter = [",", ";", "\t", "|"][below(4)]
    end = ["\n", "\r\n"][below(2)]
    columns = 1 + below(5)
    isNumber = [below(2) == 0 for _ in range(columns)]
    quoted = below(4)
    lines = [delimiter.join(f"c{i}" for i in range(columns))]
    for _ in range(1 + below(30)):
        cells = []
        for i in range(columns):
            isMissing = below(8) == 0
            cell = MISSING[below(len(MISSING))] if isMissing else number(below) if isNumber[i] else text(below)
            must = any(mark in cell for mark in [delimiter, '"', "\n"]) or (columns == 1 and cell.strip(" \t") == "")
            if must or below(4) < quoted:
                cell = '"' + cell.replace('"', '""') + '"'
            cells.append(cell)
        lines.append(delimiter.join(cells))
        if below(12) == 0:
            lines.append("")
    content = end.join(lines) + ["", end][below(2)]
    return (["", "\ufeff"][below(2)] + content).encode(), delimiter, isNumber


def checksum(content, delimiter, isNumber):
    frame = pandas.read_csv(
        io.BytesIO(content),
        sep=delimiter,
        dtype={f"c{i}": "float64" if each else "str" for i, each in enumerate(isNumber)},
        keep_default_na=False,
        na_values=MISSING,
        encoding="utf-8-sig",
    )
    parts = []
    for row in frame.itertuples(index=False):
        for i, value in enumerate(row):
            if pandas.isna(value):
                parts.append(b"m")
            elif isNumber[i]:
                parts.append(b"n" + struct.pack("<d", value))
            else:
                parts.append(b"s" + value.encode() + b"\0")
    return zlib.crc32(b"".join(parts))


if __name__ == "__main__":
    sums = [checksum(*made(seed)) for seed in range(1, FILES + 1)]
    path = Path(__file__).with_name("csv-pandas.json")
    path.write_text(json.dumps({"pandas": pandas.__version__, "checksums": sums}, separators=(",", ":")) + "\n")
