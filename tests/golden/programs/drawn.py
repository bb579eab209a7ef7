"""Data of the programs: numbers that drawn.ts makes as well."""

import numpy as np


class Numbers:
    """The generator of Park and Miller: state ← 16807 · state mod 2³¹ − 1."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = self.state * 16807 % 2147483647
        return self.state / 2147483647

    def uniform(self, *shape):
        """Numbers between −1 and 1."""
        return np.array([2 * self.next() - 1 for _ in range(int(np.prod(shape)))], "float32").reshape(shape)

    def integers(self, below, *shape):
        return np.array([int(self.next() * below) for _ in range(int(np.prod(shape)))], "int32").reshape(shape)
