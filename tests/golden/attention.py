"""Writes attention.json: keras.ops.dot_product_attention with every option, and its gradients. How to run it: README.md."""

from common import FLOAT, normal, random, tensor, tensors, write

import jax
import keras
import numpy as np


def cases(rng):
    def operands(batch=2, rows=5, columns=6, heads=2, keys=None, size=4):
        keys = heads if keys is None else keys
        return [normal(rng, (batch, rows, heads, size)), normal(rng, (batch, columns, keys, size)), normal(rng, (batch, columns, keys, size))]

    def some(*shape):
        mask = rng.random(shape) < 0.6
        mask[..., 0] = True
        return mask

    yield "plain", operands(), {}
    yield "scale", operands(), dict(scale=0.3)
    yield "causal", operands(rows=6), dict(isCausal=True)
    yield "causal, fewer columns", operands(rows=7, columns=4), dict(isCausal=True)
    yield "causal, fewer rows", operands(rows=3, columns=6), dict(isCausal=True)
    yield "mask", operands(), dict(mask=some(2, 2, 5, 6))
    yield "mask of columns", operands(), dict(mask=some(2, 1, 1, 6))
    yield "mask that hides rows", operands(), dict(mask=np.concatenate([some(1, 1, 3, 6), np.zeros((1, 1, 2, 6), bool)], axis=2))
    yield "mask that hides everything", operands(), dict(mask=np.zeros((1, 1, 5, 6), bool))
    yield "causal and a mask that hides rows", operands(rows=6), dict(isCausal=True, mask=np.arange(6).reshape(1, 1, 1, 6) > 1)
    yield "bias", operands(), dict(bias=normal(rng, (2, 2, 5, 6)))
    yield "bias for all samples, and a mask", operands(), dict(bias=normal(rng, (1, 2, 5, 6)), mask=some(2, 1, 5, 6))
    yield "shared keys", operands(heads=4, keys=2), {}
    yield "shared keys, causal, mask, bias, scale", operands(rows=6, heads=4, keys=2), dict(isCausal=True, scale=0.7, mask=some(1, 1, 6, 6), bias=normal(rng, (1, 4, 6, 6)))
    yield "one key for all", operands(heads=3, keys=1), {}
    yield "one row", operands(rows=1), {}
    yield "one of each", operands(batch=1, rows=1, columns=1, heads=1, size=1), {}
    yield "several blocks", operands(batch=1, rows=70, columns=67, heads=1, size=2), dict(isCausal=True)


def case(name, operands, options, rng):
    bias, mask = options.pop("bias", None), options.pop("mask", None)
    scale, causal = options.get("scale"), options.get("isCausal", False)
    given = operands if bias is None else [*operands, bias]

    def attend(query, key, value, bias=None):
        return keras.ops.dot_product_attention(query, key, value, bias=bias, mask=mask, scale=scale, is_causal=causal)

    output = np.asarray(attend(*given))
    weights = normal(rng, output.shape)
    gradients = jax.grad(lambda inputs: (attend(*inputs) * weights).sum())([jax.numpy.asarray(each, FLOAT) for each in given])
    return {"name": name, "inputs": tensors(operands), "bias": None if bias is None else tensor(bias), "mask": None if mask is None else tensor(mask),
            "options": options, "output": tensor(output), "outputWeights": tensor(weights), "gradients": tensors(gradients)}


if __name__ == "__main__":
    rng = random(41)
    write("attention.json", {"cases": [case(*each, rng) for each in cases(rng)]})
