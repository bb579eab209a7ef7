"""Writes ops/<family>.json: what keras.ops (or NumPy, where Keras lacks it) gives, and the gradients that JAX gives.

Usage: README.md. The shape of the files is described in format.ts.
"""

import sys

from common import FLOAT, camel, normal, random, snake, uniform, write, number as plain_number

import jax
import jax.numpy as jnp
import keras
import numpy as np

NAN, INF = np.nan, np.inf


def number(value):
    """JSON has no NaN and no infinities: they are strings."""
    return plain_number(value) if np.isfinite(value) else {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(float(value))]


def tensor(array):
    array = np.asarray(array)
    dtype = "bool" if array.dtype == bool else "int32" if array.dtype.kind in "iu" else "float32"
    data = [int(v) for v in array.ravel()] if dtype == "int32" else [number(v) for v in array.astype(np.float64).ravel()]
    return {"shape": list(array.shape), "dtype": dtype, "data": data}


def flat_weights(size, salt):
    """The weights that reduce a result to one number, as in golden.test.ts."""
    return np.array([((j * 7 + salt * 3) % 11 - 5) / 4 for j in range(size)], FLOAT)


def weighted(values):
    return sum(jnp.sum(v * flat_weights(v.size, i).reshape(v.shape)) for i, v in enumerate(values) if v.dtype.kind == "f")


def leaves(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


def case(op, inputs, *more, fn=None, gradient=True, second=True, tolerance=None, listed=False, **options):
    """One call: op(...inputs, ...more, options) in myelin's names; listed: op([...inputs], ...more, options). fn: the function
    that computes it, if not from keras.ops."""
    inputs = [np.asarray(x) if np.asarray(x).dtype.kind in "iub" else np.asarray(x, FLOAT) for x in inputs]
    keyword = {snake(k): v for k, v in options.items()}
    keras_fn = fn or getattr(keras.ops, snake(op))
    call = lambda *xs: [jnp.asarray(y) for y in leaves(keras_fn(*([xs] if listed else xs), *more, **keyword))]
    floats = [i for i, x in enumerate(inputs) if x.dtype.kind == "f"]

    def loss(*wrt):
        given = [jnp.asarray(x) for x in inputs]
        for i, x in zip(floats, wrt):
            given[i] = x
        return weighted(call(*given))

    outputs = call(*[jnp.asarray(x) for x in inputs])
    result = {"op": op, "inputs": [tensor(x) for x in inputs], "more": [*more, *([options] if options else [])],
              "outputs": [tensor(y) for y in outputs]}
    if listed:
        result["listed"] = True
    if tolerance is not None:
        result["tolerance"] = tolerance
    if gradient and floats:
        wrt = [jnp.asarray(inputs[i]) for i in floats]
        slope = jax.grad(loss, argnums=tuple(range(len(wrt))))
        result["gradients"] = [tensor(g) for g in slope(*wrt)]
        if second:
            curve = jax.grad(lambda *xs: weighted(slope(*xs)), argnums=tuple(range(len(wrt))))
            result["second"] = [tensor(g) for g in curve(*wrt)]
    return result


def ints(*values):
    return np.array(values, np.int32)


# ---------------------------------------------------------------- families


def elementwise():
    rng = random(1)
    x = np.append(normal(rng, (7,)), [0.0, -2.5]).astype(FLOAT)
    for op in ["tan", "sinh", "cosh", "arcsinh", "sinc"]:
        yield case(op, [x], tolerance=2e-5)
    yield case("arctan", [np.append(x, [1e20, -1e-20]).astype(FLOAT)], second=False)
    yield case("arctan", [[NAN, INF, -INF, -0.0]], gradient=False)
    for op in ["arcsin", "arccos"]:
        yield case(op, [[0.0, 0.5, -0.75, 0.999, -0.999, 1e-3]], tolerance=2e-5)
        yield case(op, [[1.0, -1.0]], second=False)
        yield case(op, [[1.5, -2, NAN]], gradient=False)
    yield case("arctan2", [normal(rng, (3, 4)), normal(rng, (4,))])
    signs = [0.0, -0.0, 1, -1, INF, -INF, NAN]
    yield case("arctan2", [[[a] for a in signs], signs], gradient=False)
    yield case("arctan2", [ints(1, 2, -3), ints(0, -2, 5)])
    yield case("arccosh", [[1.5, 2, 30, 1e20]], second=False)
    yield case("arctanh", [[0.0, 0.5, -0.75, 1e-3]])
    for op in ["log2", "log10"]:
        yield case(op, [[0.5, 1, 8, 1000]])
    yield case("exp2", [[-3.0, 0.5, 10]])
    yield case("cbrt", [[-8.0, 0.5, 27]])
    yield case("deg2rad", [x])
    yield case("rad2deg", [x])
    yield case("logaddexp", [x, normal(rng, (9,))])
    yield case("logaddexp", [[INF, -INF, -INF, 1, NAN], [1, -INF, 2, INF, 1]], gradient=False)
    yield case("hypot", [normal(rng, (3, 4)), normal(rng, (4,))])
    yield case("hypot", [[3e38, 0, INF], [1e38, 0, 1]], gradient=False)
    yield case("trunc", [[-1.5, 1.5, -0.2, 7]], second=False)
    yield case("divideNoNan", [[1.0, 2, 3], [2.0, 0, -1]])
    yield case("logicalXor", [np.array([True, True, False]), np.array([True, False, False])])
    yield case("isinf", [[INF, -INF, NAN, 1]], gradient=False)
    yield case("isclose", [[1, 1, NAN, INF, INF, 0], [1.00001, 1.1, NAN, INF, -INF, 1e-9]], gradient=False)
    yield case("isclose", [[1, 1, NAN], [1.01, 1.2, NAN]], gradient=False, rtol=0.1, equalNan=True)
    yield case("nanToNum", [[NAN, INF, -INF, 2]], gradient=False)
    yield case("nanToNum", [[NAN, INF, -INF, 2]], 7, 8, 9, gradient=False)


def reduction():
    rng = random(2)
    m = normal(rng, (3, 4))
    for op in ["cumsum", "cumprod"]:
        for axis in [0, 1, -1]:
            yield case(op, [m], axis)
        yield case(op, [normal(rng, (2, 3, 2))])
        yield case(op, [normal(rng, (5, 0))], 1, gradient=False)
        yield case(op, [ints(1, 2, 3, 4)])
    yield case("cumprod", [[2.0, 0, 3, 0, 4]])
    yield case("average", [m])
    yield case("average", [m], 1)
    yield case("average", [m], axis=0, weights=[1.0, 2, 3])
    yield case("average", [m], weights=m.tolist(), gradient=False)
    yield case("countNonzero", [[[0.0, 1, NAN], [0, 0, -2]]], gradient=False)
    yield case("countNonzero", [[[0.0, 1, NAN], [0, 0, -2]]], 1, gradient=False)
    yield case("ptp", [m], 1)
    yield case("ptp", [ints(3, -5, 9)])


def rearranging():
    rng = random(3)
    m, t = normal(rng, (3, 4)), normal(rng, (2, 3, 4))
    square = normal(rng, (3, 3))
    for mode in ["reflect", "symmetric", "edge"]:
        fn = lambda x, width, mode=mode: jnp.pad(x, width, mode=mode)
        yield case("pad", [m], [[2, 1], [0, 3]], mode, fn=lambda x, w, mode: jnp.pad(x, w, mode=mode))
        # wider than the tensor
        yield case("pad", [[1.0, 2, 3]], [[7, 8]], mode, fn=lambda x, w, mode: jnp.pad(x, w, mode=mode))
        yield case("pad", [[5.0]], [[2, 1]], mode, fn=lambda x, w, mode: jnp.pad(x, w, mode=mode))
        yield case("pad", [ints(1, 2)], 2, mode, fn=lambda x, w, mode: jnp.pad(x, w, mode=mode))
    yield case("pad", [m], [[1, 2], [3, 0]])
    yield case("pad", [m], [1, 2], "constant", 7, fn=lambda x, w, mode, value: jnp.pad(x, w, mode=mode, constant_values=value))
    for shift, axis in [(1, 0), (-1, 1), (5, -1), ([1, 2], [0, 1]), (2, [0, 1]), (0, 0), ([1, 1], 0)]:
        yield case("roll", [m], shift, axis, fn=jnp.roll)
    yield case("roll", [m], 5)
    yield case("roll", [np.zeros((0, 3))], 1, 0, gradient=False)
    for k in [-1, 0, 1, 2, 3]:
        yield case("rot90", [m], k)
    yield case("rot90", [t], 1, [2, 0], fn=lambda x, k, axes: jnp.rot90(x, k, tuple(axes)))
    for k in [-4, -1, 0, 1, 5]:
        yield case("tril", [m], k)
        yield case("triu", [t], k)
    yield case("triu", [np.array([[1, 2], [3, 4]], np.int32)])
    yield case("tril", [np.array([[True, True], [True, True]])])
    for k in [-3, -1, 0, 2, 4]:
        yield case("diag", [m], k)
        yield case("diag", [[1.0, 2, 3]], k)
    yield case("diag", [ints(4, 5)], -1)
    yield case("diag", [np.zeros((0,))], 1, gradient=False)
    yield case("diagflat", [m], 1)
    for offset in [-2, 0, 1, 9]:
        yield case("diagonal", [t], offset, 1, 2)
        yield case("trace", [m], offset)
    yield case("diagonal", [t], 0, -1, 0)
    yield case("diagonal", [t], axis1=2, axis2=1, offset=1)
    yield case("trace", [t], 1, 2, 1)
    yield case("trace", [np.array([[1, 2], [3, 4]], np.int32)])
    yield case("ravel", [t])
    yield case("diff", [m])
    yield case("diff", [m], 2, 0)
    yield case("diff", [m], 5, gradient=False)
    yield case("diff", [np.array([True, False, False])], 1)
    yield case("takeAlongAxis", [m, np.array([[0, 3, -1], [2, 2, 2], [-4, 1, 0]], np.int32)], 1)
    yield case("takeAlongAxis", [m, np.array([[0, 2, 1, -1]], np.int32)], 0)
    yield case("takeAlongAxis", [t, np.array([[[1], [0], [1]]], np.int32)], 2)
    yield case("takeAlongAxis", [m, ints(11, 0, -1)])
    yield case("flip", [t], [0, 2], fn=jnp.flip)


def constructing():
    yield case("linspace", [], 0, 1, 5)
    yield case("linspace", [], -2, 5, 4, fn=lambda a, b, n, endpoint: jnp.linspace(a, b, n, endpoint=endpoint), endpoint=False)
    yield case("linspace", [], 3, 9, 1)
    yield case("linspace", [], 3, 9, 0)
    yield case("linspace", [[1.0, 2], [[3.0], [-1]]], 4)
    yield case("linspace", [[1.0, 2], [3.0, -1]], 3, axis=1)
    yield case("logspace", [], 0, 3, 4)
    yield case("logspace", [[0.0, 1], 2.0], 3, base=2)
    yield case("meshgrid", [[1.0, 2, 3], [4.0, 5]])
    yield case("meshgrid", [[1.0, 2, 3], [4.0, 5], [6.0, 7]], indexing="ij")
    yield case("meshgrid", [[1.0, 2, 3], ints(4, 5), [6.0]])
    yield case("meshgrid", [[1.0, 2, 3]])
    yield case("eye", [], 3)
    yield case("eye", [], 2, 4, 1)
    yield case("eye", [], 4, 2, -1)
    yield case("tri", [], 3)
    yield case("tri", [], 2, 4, 1)
    yield case("vander", [[1.0, 2, 3]])
    yield case("vander", [[1.0, 2, 3]], 2)
    yield case("vander", [[1.0, 2, 3]], 4, True, fn=lambda x, n, increasing: jnp.vander(x, n, increasing=increasing))


def products():
    rng = random(4)
    m, t = normal(rng, (3, 4)), normal(rng, (2, 3, 4))
    yield case("inner", [m, normal(rng, (2, 4))])
    yield case("inner", [t, normal(rng, (4,))])
    yield case("inner", [2.0, m])
    yield case("vdot", [m, normal(rng, (4, 3))])
    yield case("kron", [m, normal(rng, (2, 2))])
    yield case("kron", [normal(rng, (2,)), m])
    yield case("kron", [ints(1, 2), ints(3, 4)])
    # exact, where float32 would round
    large = ints(*range(100003, 100015))
    yield case("matmul", [large.reshape(3, 4), large.reshape(4, 3)])
    yield case("matmul", [large.reshape(3, 4), large[:4]])
    yield case("matmul", [large.reshape(2, 1, 2, 3), large.reshape(2, 3, 2)])
    yield case("dot", [large, large])
    yield case("tensordot", [large.reshape(2, 3, 2), large.reshape(3, 2, 2)], [[1, 2], [0, 1]], fn=lambda a, b, axes: jnp.tensordot(a, b, axes))
    yield case("inner", [large.reshape(3, 4), large[:4]])
    yield case("matmul", [ints(1, 2, 3).reshape(1, 3), normal(rng, (3, 2))])
    yield case("cross", [normal(rng, (4, 3)), normal(rng, (4, 3))])
    yield case("cross", [normal(rng, (3,)), normal(rng, (4, 3))])
    yield case("cross", [normal(rng, (4, 2)), normal(rng, (4, 2))])
    yield case("cross", [normal(rng, (4, 2)), normal(rng, (4, 3))])
    yield case("cross", [normal(rng, (3, 4)), normal(rng, (3, 4))], axis=0)
    yield case("cross", [normal(rng, (3, 4)), normal(rng, (4, 3))], axisa=0, axisb=1, axisc=0)


def sorting():
    rng = random(5)
    m = normal(rng, (3, 5))
    ties = np.array([[2.0, 1, 2, NAN, 1], [INF, -INF, 0, -0.0, NAN], [3, 3, 3, 3, 3]])
    for axis in [0, 1, -1]:
        yield case("sort", [m], axis)
        yield case("sort", [ties], axis, gradient=False)
        yield case("argsort", [ties], axis, gradient=False)
    yield case("sort", [normal(rng, (2, 3, 2))], 1)
    yield case("sort", [m], None)
    yield case("argsort", [ints(3, 1, 2, 1)])
    yield case("sort", [ints(3, -1, 2)])
    yield case("sort", [np.array([True, False, True])])
    yield case("sort", [np.zeros((2, 0))], gradient=False)
    yield case("topK", [m], 2)
    yield case("topK", [m], 5)
    yield case("topK", [m], 0, gradient=False)
    yield case("topK", [[1.0, 3, 3, 2]], 3, gradient=False)
    yield case("topK", [ints(1, 3, 3, 2)], 3)
    row = [-1.0, 0, 0, 2, 5]
    for side in ["left", "right"]:
        yield case("searchsorted", [row, [[-2.0, 0, 5], [6, 1, NAN]]], side, gradient=False)
        yield case("searchsorted", [ints(1, 2, 2), ints(2, 0, 9)], side)
    yield case("digitize", [[[-2.0, 0, 5], [6, 1, 4]], row], gradient=False)
    yield case("isin", [[1.0, 2, NAN], [2.0, NAN, 7]], gradient=False)
    yield case("isin", [ints(1, 2, 3), ints(2)], False, True, fn=lambda x, y, unique, invert: jnp.isin(x, y, unique, invert))
    yield case("median", [m])
    yield case("median", [m], 0)
    yield case("median", [normal(rng, (4, 4))], 1, True)
    yield case("median", [[[1.0, NAN, 2], [3, 1, 2]]], 1, gradient=False)
    yield case("median", [normal(rng, (2, 3, 4))], axis=[0, 2])
    for method in ["linear", "lower", "higher", "midpoint", "nearest"]:
        yield case("quantile", [m], [0.0, 0.3, 0.5, 1.0], 1, method, second=False, fn=lambda x, q, a, method: jnp.quantile(x, np.array(q, np.float32), a, method=method))
    yield case("quantile", [m], 0.25, second=False)


def segments():
    rng = random(6)
    ids = ints(2, 0, 2, 5, -1, 0)
    inside = ints(2, 0, 2, 3, 1, 0)
    jax_segment = lambda name: lambda data, ids, n: getattr(jax.ops, f"segment_{name}")(data, jnp.where(ids < 0, n, ids), n)
    for data in [normal(rng, (6,)), normal(rng, (6, 3))]:
        yield case("segmentSum", [data, inside], 5)
        yield case("segmentSum", [data, ids], 4, fn=jax_segment("sum"))
        yield case("segmentMax", [data, inside], 4)
        yield case("segmentMax", [data, ids], 4, fn=jax_segment("max"), gradient=False)
        yield case("segmentMin", [data, ids], 4, fn=jax_segment("min"), gradient=False)
    yield case("segmentSum", [ints(1, 2, 3, 4, 5, 6), ids], 4, fn=jax_segment("sum"))
    yield case("segmentMax", [ints(1, 2, 3, 4, 5, 6), ids], 4, fn=jax_segment("max"))
    yield case("segmentSum", [np.zeros((0, 2)), ints()], 3, gradient=False)
    scatter = lambda indices, values, shape: keras.ops.scatter(indices, values, tuple(shape))
    yield case("scatter", [np.array([[0], [3], [0]], np.int32), normal(rng, (3,))], [5], fn=scatter)
    yield case("scatter", [np.array([[0], [3], [0]], np.int32), normal(rng, (3, 2))], [5, 2], fn=scatter)
    yield case("scatter", [np.array([[[0, 1], [2, 2]]], np.int32), normal(rng, (1, 2))], [3, 3], fn=scatter)
    yield case("scatter", [np.array([[0], [-1]], np.int32), ints(4, 5)], [3], fn=scatter)
    m = normal(rng, (4, 3))
    yield case("scatterUpdate", [m, np.array([[0], [3]], np.int32), normal(rng, (2, 3))])
    yield case("scatterUpdate", [m, np.array([[0, 1], [3, 2], [1, 1]], np.int32), normal(rng, (3,))])
    yield case("scatterUpdate", [ints(1, 2, 3), np.array([[-1]], np.int32), ints(9)])
    update = lambda x, starts, updates: keras.ops.slice_update(x, starts, jnp.asarray(updates, x.dtype))
    yield case("sliceUpdate", [m], [1, 1], [[1.0, 2], [3, 4]], fn=update)
    yield case("sliceUpdate", [m], [9, 0], [[1.0, 2, 3]], fn=update)
    yield case("bincount", [ints(1, 1, 3, 0)], minlength=4)
    yield case("bincount", [np.array([[1, 1, 3], [0, 2, 2]], np.int32)], minlength=5, fn=lambda x, minlength: np.stack([np.bincount(row, minlength=minlength) for row in np.asarray(x)]))
    yield case("histogram", [normal(rng, (50,))], 7, gradient=False, fn=lambda x, n: [jnp.histogram(x, n)[0], jnp.histogram(x, n)[1]])
    yield case("histogram", [normal(rng, (50,))], 4, [-1, 0.5], gradient=False, fn=lambda x, n, r: [jnp.histogram(x, n, r)[0], jnp.histogram(x, n, r)[1]])
    yield case("histogram", [[2.0, 2, 2]], 4, gradient=False, fn=lambda x, n: [jnp.histogram(x, n)[0], jnp.histogram(x, n)[1]])


def positive_first(vectors, axis):
    """Signs such that the largest element of each vector along an axis is positive."""
    largest = jnp.take_along_axis(vectors, jnp.argmax(jnp.abs(vectors), axis, keepdims=True), axis)
    return jnp.where(largest < 0, -1.0, 1.0)


def signed_eigh(x):
    values, vectors = keras.ops.eigh(x)
    return values, vectors * positive_first(vectors, -2)


def signed_svd(x, full=True, uv=True):
    if not uv:
        return keras.ops.svd(x, full, False)
    u, s, vt = keras.ops.svd(x, full)
    k = s.shape[-1]
    if x.shape[-2] < x.shape[-1]:
        sign = positive_first(u, -2)
        return u * sign, s, vt.at[..., :k, :].multiply(jnp.swapaxes(sign, -2, -1))
    sign = positive_first(vt, -1)
    return u.at[..., :k].multiply(jnp.swapaxes(sign, -2, -1)), s, vt * sign


def linalg():
    rng = random(7)
    square = [normal(rng, (n, n)) + np.eye(n) * n for n in [1, 2, 3, 4, 6]] + [normal(rng, (2, 3, 3)), normal(rng, (2, 1, 4, 4))]
    for a in square:
        t = np.swapaxes(a, -2, -1)
        definite = a @ t + np.eye(a.shape[-1])
        loose = {"tolerance": 1e-4}
        yield case("cholesky", [definite], **loose)
        yield case("inv", [a], **loose)
        yield case("det", [a], **loose)
        yield case("slogdet", [a], **loose)
        # Keras does not symmetrize: near symmetric matrices it has other second derivatives
        yield case("logdet", [definite], second=False, **loose)
        yield case("luFactor", [a], gradient=False)
        yield case("eigh", [(a + t) / 2 + 0.25 * t], fn=signed_eigh, **loose)
        n = a.shape[-1]
        yield case("solve", [a, normal(rng, (*a.shape[:-1], 2))], **loose)
        yield case("solve", [a, normal(rng, a.shape[:-2] + (n,))], fn=lambda a, b: jnp.linalg.solve(a, b[..., None])[..., 0], **loose)
    a, b = square[3], normal(rng, (4, 3))
    yield case("cholesky", [a @ a.T + np.eye(4)], True, tolerance=1e-4)
    yield case("cholesky", [[[1.0, 2], [2, 1]]], gradient=False, fn=lambda x: jnp.linalg.cholesky(x))
    yield case("choleskyInverse", [np.linalg.cholesky(a @ a.T + np.eye(4))], second=False, tolerance=1e-4, fn=lambda l: jnp.linalg.inv(jnp.tril(l) @ jnp.tril(l).T))
    yield case("choleskyInverse", [np.linalg.cholesky(a @ a.T + np.eye(4)).T], True, gradient=False, tolerance=1e-4)
    for lower in [False, True]:
        yield case("solveTriangular", [a, b], lower, tolerance=1e-4)
        yield case("solveTriangular", [a, b[:, 0]], lower, tolerance=1e-4)
    yield case("solve", [np.stack([a, a.T]), b], fn=lambda a, b: jnp.linalg.solve(a, jnp.broadcast_to(b, (2, 4, 3))), tolerance=1e-4)
    # wide and tall right sides
    yield case("solve", [square[1], normal(rng, (2, 5))], tolerance=1e-4)
    yield case("solve", [square[4], normal(rng, (6, 1))], tolerance=1e-4)
    # rows must be swapped
    yield case("solve", [[[0.0, 1], [2, 3]], [[1.0], [2]]], tolerance=1e-4)
    yield case("det", [[[0.0, 1], [2, 3]]], tolerance=1e-4)
    yield case("det", [[[1.0, 2], [2, 4]]], second=False)
    yield case("det", [[[1.0, 2, 3], [2, 4, 6], [1, 1, 1]]], second=False)
    yield case("slogdet", [[[1.0, 2], [2, 4]]], gradient=False)
    # of rank n − 1 and n − 2
    flat = np.array([[2.0, 1, 0, 1], [1, 3, 1, 0], [0, 1, 4, 2], [3, 4, 1, 1]])
    yield case("det", [flat], second=False, tolerance=1e-4)
    yield case("det", [np.stack([flat, flat[:, ::-1] + np.eye(4), np.diag([1.0, 2, 0, 0])])], second=False, tolerance=1e-4)
    for shape in [(3, 3), (5, 3), (2, 4), (1, 3), (2, 4, 3)]:
        far = normal(rng, shape) + 2 * np.eye(*shape[-2:])
        yield case("pinv", [far], tolerance=2e-4)
        yield case("lstsq", [far, normal(rng, (*shape[:-1], 2))], fn=lambda a, b: jnp.linalg.pinv(a) @ b, tolerance=2e-4)
        yield case("lstsq", [far, normal(rng, shape[:-1])], fn=lambda a, b: (jnp.linalg.pinv(a) @ b[..., None])[..., 0], tolerance=2e-4)
    # orthogonal: all singular values are 1
    yield case("pinv", [np.eye(4)[[2, 0, 3, 1]]], tolerance=1e-4)
    low = normal(rng, (4, 2)) @ normal(rng, (2, 3))
    yield case("pinv", [low], gradient=False, tolerance=1e-4)
    yield case("lstsq", [low, normal(rng, (4,))], gradient=False, tolerance=1e-4)
    yield case("pinv", [np.diag([3.0, 1, 0.1])], 0.2, gradient=False)
    for shape in [(3, 3), (5, 3), (3, 5), (1, 4), (4, 1), (2, 4, 3)]:
        x = normal(rng, shape)
        wide = shape[-1] > shape[-2]
        wide_qr = lambda x: (lambda q, r: (q, jnp.concatenate([r, jnp.swapaxes(q, -2, -1) @ x[..., x.shape[-2]:]], -1)))(*jnp.linalg.qr(x[..., : x.shape[-2]]))
        # second derivatives of small diagonals of R would be rounding errors
        far = x + 2 * np.eye(*shape[-2:])
        yield case("qr", [far], fn=wide_qr if wide else None, tolerance=1e-4)
        yield case("qr", [far], "complete", gradient=False, tolerance=1e-4)
        yield case("svd", [x], False, fn=signed_svd, tolerance=2e-4)
        yield case("svd", [x], False, False, fn=signed_svd, tolerance=1e-4)
        if shape[-1] == shape[-2]:
            yield case("svd", [x], fn=signed_svd, tolerance=2e-4)
    m, t = normal(rng, (3, 4)), normal(rng, (2, 3, 4))
    yield case("norm", [t], tolerance=1e-4)
    yield case("norm", [t], axis=1, tolerance=1e-4)
    for order in ["fro", "nuc", 1, -1, 2, -2]:
        yield case("norm", [m], order, second=order != "nuc", tolerance=1e-4)
        yield case("norm", [t], order, [0, 2], True, fn=lambda x, ord, axis, keepdims: jnp.linalg.norm(x, ord, tuple(axis), keepdims), second=False, tolerance=1e-4)
    for order in [0, 1, 2, 3, 0.5, -1, -2]:
        yield case("norm", [m], order, 1, gradient=order != 0, second=order not in (0, 1), tolerance=1e-3 if order in (-1, -2, 0.5) else 1e-4)


def fourier():
    rng = random(8)
    pair = lambda f: lambda *x: f(x if len(x) == 2 else (x[0], jnp.zeros_like(x[0])))
    for n in [1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 30, 64]:
        real, imag = normal(rng, (2, n)), normal(rng, (2, n))
        yield pairs(case("fft", [real, imag], fn=pair(keras.ops.fft), second=False, tolerance=1e-5))
        yield pairs(case("ifft", [real, imag], fn=lambda a, b: (lambda y: (y.real, y.imag))(jnp.fft.ifft(a + 1j * b)), second=False, tolerance=1e-5))
        yield case("rfft", [real], second=False, tolerance=1e-5)
        half = n // 2 + 1
        yield pairs(case("irfft", [real[:, :half], imag[:, :half]], n, fn=lambda a, b, n: keras.ops.irfft((a, b), n), second=False, tolerance=1e-5))
    for shape in [(3, 4), (2, 8, 4), (5, 6)]:
        real, imag = normal(rng, shape), normal(rng, shape)
        yield pairs(case("fft2", [real, imag], fn=pair(keras.ops.fft2), tolerance=2e-5))
        yield pairs(case("ifft2", [real, imag], fn=pair(keras.ops.ifft2), tolerance=2e-5))
    x = normal(rng, (7,))
    for length in [4, 7, 10]:
        yield case("rfft", [x], length, tolerance=1e-5)
    yield case("fft", [x], fn=pair(keras.ops.fft), tolerance=1e-5)
    for length in [None, 5, 9, 14]:
        yield pairs(case("irfft", [x[:4], x[3:]], length, fn=lambda a, b, n: keras.ops.irfft((a, b), n), tolerance=1e-5))


def signals():
    rng = random(10)
    x = normal(rng, (2, 37))
    for length, stride in [(8, 4), (8, 3), (5, 7), (1, 1), (37, 2), (6, 6)]:
        yield case("extractSequences", [x], length, stride)
    yield case("extractSequences", [normal(rng, (11,))], 4, 2)
    yield case("extractSequences", [x[0, :3]], 5, 1, gradient=False)
    yield case("extractSequences", [ints(*range(9))], 3, 2)
    yield case("extractSequences", [np.arange(9) % 3 == 0], 4, 3)
    window = np.linspace(0.5, 1.5, 8).astype(FLOAT)
    stft = {"second": False, "tolerance": 2e-5}
    for length, stride, size in [(8, 4, 8), (8, 3, 16), (7, 5, 12), (16, 16, 16), (5, 9, 5)]:
        yield case("stft", [x], length, stride, size, **stft)
        yield case("stft", [x[0]], length, stride, size, window="hamming", center=False, **stft)
        yield case("stft", [x], length, stride, size, None, **stft)
    yield case("stft", [x], 8, 4, 8, center=False, tolerance=2e-5)
    yield case("stft", [x], 8, 4, 8, window.tolist(), False, **stft)
    # mirrored several times
    yield case("stft", [x[0, :3]], 8, 4, 8, **stft)

    def spectrum(*shape):
        return normal(rng, shape), normal(rng, shape)

    inverse = lambda re, im, *given, **options: keras.ops.istft((re, im), *given, **options)
    for length, stride, size in [(8, 4, 8), (8, 3, 16), (7, 5, 12)]:
        for options in [{}, {"center": False}, {"length": 13}, {"window": "hamming"}, {"window": None}, {"length": 500, "center": False}]:
            # JAX drops elements at the end if a sequence has more strides than there are sequences
            yield pairs(case("istft", spectrum(2, 7, size // 2 + 1), length, stride, size, fn=inverse, **options, **stft))
    yield pairs(case("istft", spectrum(5, 5), 8, 4, 8, 9, window.tolist(), False, fn=inverse, tolerance=2e-5))


def pairs(made):
    """The first two operands are the parts of one complex operand."""
    return {**made, "pairs": True}


def image():
    rng = random(9)
    x = normal(rng, (3, 4, 5, 2))
    maps = np.array([[0.9, 0.3, -0.7, -0.2, 1.1, 0.45, 0, 0], [1, 0, 2.25, 0, 1, -1.6, 0, 0], [-0.4, 1.3, 7.1, 1.7, 0.2, -6.3, 0, 0]])
    # Keras moves channels by the last two numbers, which are 0
    six = lambda m: jnp.concatenate([m[..., :6], jnp.zeros_like(m[..., 6:])], -1)
    affine = dict(fn=lambda x, m, *more, **options: keras.ops.image.affine_transform(x, six(m), *more, data_format="channels_last", **options), tolerance=2e-5)
    for fill in ["reflect", "wrap", "constant", "nearest"]:
        yield case("affineTransform", [x, maps], fillMode=fill, fillValue=0.5, second=False, **affine)
        yield case("affineTransform", [x, maps], fillMode=fill, interpolation="nearest", second=False, **affine)
    yield case("affineTransform", [x, maps], **affine)
    yield case("affineTransform", [x[0], maps[0]], fillMode="reflect", **affine)
    # halves of whole numbers, which are rounded away from 0
    yield case("affineTransform", [x[:1], [[1, 0, 0.5, 0, 1, -0.5, 0, 0]]], interpolation="nearest", fillMode="nearest", second=False, **affine)
    # mirrored without the edge
    yield case("affineTransform", [x, maps], "bilinear", "mirror", second=False, **affine)
    yield case("affineTransform", [x[:, :1], maps], fillMode="mirror", second=False, **affine)

    def of(op, inputs, *more, **options):
        def fn(*given, **named):
            return getattr(keras.ops.image, snake(op).replace("patches3d", "patches_3d"))(*given, data_format="channels_last", **named)
        return case(f"image.{op}", inputs, *more, fn=fn, **{"tolerance": 2e-5, **options})

    for how in ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"]:
        yield of("resize", [x], [7, 3], how)
        yield of("resize", [x], [2, 8], how, True)
    yield of("resize", [x[0]], [2, 3])
    yield of("resize", [normal(rng, (1, 9, 4, 1))], [4, 4], cropToAspectRatio=True)
    yield of("resize", [normal(rng, (1, 3, 8, 1))], [4, 4], "nearest", False, False, True, "constant", 0.5)
    yield of("resize", [normal(rng, (8, 3, 1))], [4, 5], padToAspectRatio=True, fillValue=2)
    yield of("resize", [ints(*range(16)).reshape(4, 4, 1)], [2, 2], "nearest")

    colours = uniform(rng, (2, 3, 4, 3), 0, 1)
    edges = np.array([[[0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 1, 0]], [[0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1]]], FLOAT)
    yield of("rgbToGrayscale", [colours])
    yield of("rgbToGrayscale", [colours[..., :1]], gradient=False)
    yield of("rgbToGrayscale", [(colours[0] * 255).astype(np.int32)])
    yield of("rgbToHsv", [colours])
    yield of("rgbToHsv", [edges], gradient=False)
    yield of("hsvToRgb", [colours])
    yield of("hsvToRgb", [edges], gradient=False)
    yield of("hsvToRgb", [colours * 3 - 1], gradient=False)

    yield of("cropImages", [x], 1, 2, None, 1, 2, None)
    yield of("cropImages", [x[0]], bottomCropping=1, leftCropping=0, targetHeight=3, targetWidth=2)
    yield of("cropImages", [ints(*range(12)).reshape(3, 4, 1)], topCropping=0, bottomCropping=0, leftCropping=1, rightCropping=3)
    yield of("padImages", [x], 1, 2, None, 1, 7, None)
    yield of("padImages", [x[0]], bottomPadding=1, leftPadding=0, targetHeight=6, targetWidth=9)
    yield of("padImages", [np.ones((2, 2, 1), bool)], topPadding=1, bottomPadding=0, leftPadding=1, rightPadding=3)

    big = normal(rng, (2, 7, 8, 2))
    yield of("extractPatches", [big], 3)
    yield of("extractPatches", [big], [2, 3], [1, 2])
    yield of("extractPatches", [big], [3, 2], 2, 1, "same")
    yield of("extractPatches", [big], 2, 1, [3, 2])
    yield of("extractPatches", [big[0]], 2, dilationRate=2, strides=1, padding="same")
    volume = normal(rng, (1, 4, 5, 6, 2))
    yield of("extractPatches3d", [volume], 2)
    yield of("extractPatches3d", [volume], [1, 2, 3], strides=[1, 1, 2], padding="same")
    yield of("extractPatches", [volume[0]], [2, 2, 3], 2)

    yield of("gaussianBlur", [x])
    yield of("gaussianBlur", [x], [5, 3], [1.5, 0.7])
    yield of("gaussianBlur", [x[0]], kernelSize=[4, 1], sigma=[2.0, 1.0])
    yield of("sobelEdges", [x])
    other = normal(rng, x.shape)
    yield of("ssim", [x, other], filterSize=3, tolerance=1e-4)
    wide = [uniform(rng, (2, 12, 13, 3), 0, 255) for _ in range(2)]
    yield of("ssim", wide, 255.0, second=False, tolerance=1e-4)
    yield of("ssim", [x[0], other[0]], 2.0, 3, 0.8, 0.02, 0.05, second=False, tolerance=1e-4)
    yield of("ssim", [x, x], filterSize=3, gradient=False)

    start = np.array([[0, 0], [4, 0], [0, 3], [4, 3]], FLOAT)
    end = np.stack([start + uniform(rng, (4, 2), -0.8, 0.8) for _ in range(3)])
    points = dict(tolerance=1e-4, second=False)
    yield of("perspectiveTransform", [x, np.stack([start] * 3), end], **points)
    yield of("perspectiveTransform", [x, np.stack([start] * 3), end], "nearest", 0.5, gradient=False, **points)
    yield of("perspectiveTransform", [x[0], start, end[0]], fillValue=-1, **points)

    coordinates = lambda *given, **options: keras.ops.image.map_coordinates(*given, **options)
    places = uniform(rng, (2, 3, 4), -6, 9)
    for fill in ["constant", "nearest", "reflect", "wrap", "mirror"]:
        yield case("image.mapCoordinates", [x[0, ..., 0], places], 1, fill, 0.5, fn=coordinates, second=False, tolerance=2e-5)
        yield case("image.mapCoordinates", [x[0, ..., 0], places], 0, fill, fn=coordinates, second=False)
    yield case("image.mapCoordinates", [x[0], uniform(rng, (3, 6), 0, 3)], 1, fn=coordinates, tolerance=2e-5)
    yield case("image.mapCoordinates", [normal(rng, (5,)), uniform(rng, (1, 6), -2, 6)], 1, fillMode="mirror", fn=coordinates, tolerance=2e-5)
    yield case("image.mapCoordinates", [ints(10, 20, 40), [[0.5, 1.5, 0.4, -3]]], 1, fillMode="nearest", fn=coordinates, gradient=False)

    scaled = lambda images, scale, translation, *given: keras.ops.image.scale_and_translate(images, given[0], scale, translation, *given[1:])
    for method in ["linear", "cubic", "lanczos3", "lanczos5"]:
        yield scaling(case("image.scaleAndTranslate", [big, [1.4, 0.6], [-1.3, 1.6]], [2, 9, 6, 2], [1, 2], method, fn=scaled, second=False, tolerance=5e-5))
        yield scaling(case("image.scaleAndTranslate", [big[0], [0.5], [0.25]], [7, 4, 2], [1], method, False, fn=scaled, second=False, tolerance=5e-5))


WORDS = [0, 1, -1, 2, -2, 5, -6, 12, 1000003, -(2**31), 2**31 - 1, 0x55555555, -0x55555556, 65536, 2**30, -(2**30)]


def bits():
    column, row = np.array(WORDS, np.int32)[:, None], np.array(WORDS, np.int32)
    truth, other = np.array([True, True, False, False]), np.array([True, False, True, False])
    for op in ["bitwiseAnd", "bitwiseOr", "bitwiseXor"]:
        yield case(op, [column, row])
        yield case(op, [truth, other])
        yield case(op, [truth, ints(3, 2, -1, 7)])
        yield case(op, [np.zeros((0, 3), np.int32), ints(1, 2, 3)])
    for op in ["bitwiseNot", "bitwiseInvert"]:
        yield case(op, [row])
        yield case(op, [truth])
    places = ints(0, 1, 2, 7, 15, 16, 29, 30, 31, 32, 33, 1000, -1, -31, -(2**31), 2**31 - 1)
    for op in ["leftShift", "rightShift", "bitwiseLeftShift", "bitwiseRightShift"]:
        yield case(op, [column, places])
        yield case(op, [truth, other])
        yield case(op, [truth, ints(3, 0, 2, 40)])
        for count in [0, 3, 30, 31, 32, -1]:
            yield case(op, [row], count)
    # JAX does not end for the magnitude 2^31.
    least = WORDS.index(-(2**31))
    some = np.delete(row, least)
    for op in ["gcd", "lcm"]:
        yield case(op, [some[:, None], some])
        yield case(op, [ints(12, -12, 0, 0, 7, -18, 832040, 1311738121), ints(18, 18, 5, 0, 0, -12, 514229, 543339720)])
        yield case(op, [truth, ints(3, 2, 0, 4)])
        yield case(op, [some], 6)


def windows():
    for op in ["bartlett", "blackman", "hamming", "hanning"]:
        for length in [0, 1, 2, 5, 8]:
            yield case(op, [], length)
    for length, beta in [(0, 1.0), (1, 14.0), (2, 3.0), (5, 14.0), (8, 0.0), (9, 40.0), (6, -2.0)]:
        yield case("kaiser", [], length, beta)
    yield case("geomspace", [], 1, 1000, 4)
    yield case("geomspace", [], 1, 256, 9, True, "int32")
    yield case("geomspace", [], -1, -1000, 4)
    yield case("geomspace", [], 1, 1000, 3, False)
    yield case("geomspace", [], 1000, 1, 1)
    yield case("geomspace", [], 1000, 1, 0)
    yield case("geomspace", [], 2, -1, 3)
    yield case("geomspace", [], 0, 1, 3)
    for axis in [0, -1, 1]:
        yield case("geomspace", [[1.0, 2.0], [[100.0], [32.0]]], 3, axis=axis)
    yield case("geomspace", [[-1.0, 2.0], [-8.0, 32.0]], 4, endpoint=False)
    yield case("geomspace", [ints(1, 2), ints(8, 32)], 4)
    yield case("logspace", [], 0, 3, 4, True, 10, "int32")
    yield case("logspace", [], 0, 3, 4, False, 2)
    yield case("logspace", [[0.0, 1.0], [2.0, 3.0]], 3, True, 10, None, 1)


def joining():
    rng = random(31)
    m, n, t = normal(rng, (2, 3)), normal(rng, (2, 3)), normal(rng, (2, 3, 4))
    yield case("append", [m, n])
    yield case("append", [m, normal(rng, (1, 3))], 0)
    yield case("append", [m, n], -1)
    yield case("append", [ints(1, 2), [[3.5]]])
    yield case("append", [np.array([True]), np.array([False])])
    yield case("append", [np.array([True]), ints(3)], axis=0)
    yield case("append", [np.zeros((0, 3)), m], 0)
    for op in ["hstack", "vstack", "dstack"]:
        yield case(op, [m, n], listed=True)
        yield case(op, [normal(rng, (4,)), normal(rng, (4,))], listed=True)
        yield case(op, [1.5, 2.0], listed=True)
        yield case(op, [ints(1, 2), [0.5, 1.0]], listed=True)
        yield case(op, [np.array([True, False])], listed=True)
        yield case(op, [t, t, t], listed=True)
    yield case("hstack", [normal(rng, (2, 1)), normal(rng, (2, 4))], listed=True)
    yield case("hstack", [normal(rng, (3,)), normal(rng, (1,)), 2.0], listed=True)
    yield case("vstack", [m, normal(rng, (3,)), normal(rng, (0, 3))], listed=True)
    for parts in [1, 2, 3, 5]:
        yield case("arraySplit", [ints(1, 2, 3)], parts)
    yield case("arraySplit", [t], 3, -1)
    yield case("arraySplit", [t], 2, axis=1)
    yield case("hsplit", [normal(rng, (6,))], 3)
    yield case("hsplit", [m], [1])
    yield case("hsplit", [t], 3)
    yield case("vsplit", [normal(rng, (4,))], 2)
    yield case("vsplit", [t], 2)
    yield case("dsplit", [t], 2)
    yield case("dsplit", [t], [0, 1, 3])
    for op in ["fliplr", "flipud"]:
        yield case(op, [m])
        yield case(op, [t])
        yield case(op, [np.array([[True], [False]])])
    yield case("flipud", [ints(1, 2, 3)])
    yield case("moveaxis", [t], 0, -1)
    yield case("moveaxis", [t], [0, 1], [-1, -2])
    yield case("moveaxis", [t], [0, 1], [-1, 0])
    yield case("moveaxis", [t], [2], [0])
    yield case("moveaxis", [t], [], [])
    yield case("fullLike", [ints(1, 2)], 2.7)
    yield case("fullLike", [ints(1, 2)], 2.7, "float32")
    yield case("fullLike", [np.array([True, False])], 2)
    yield case("fullLike", [m, normal(rng, (3,))])
    yield case("fullLike", [m, ints(1, 2, 3)])
    yield case("fullLike", [ints(1, 2, 3), [1.5, 2.5, -0.5]], gradient=False)
    yield case("empty", [], [2, 3])
    yield case("empty", [], [2], "int32")
    yield case("emptyLike", [ints(1, 2)])
    yield case("emptyLike", [ints(1, 2)], "bool")
    yield case("identity", [], 3)
    yield case("identity", [], 2, "int32")
    yield case("identity", [], 0)
    yield case("array", [m])
    yield case("array", [m], "int32", gradient=False)
    yield case("array", [ints(3, 0)], "bool")
    for op, more in [("absolute", []), ("amax", [1, True]), ("amin", [0]), ("var", [1]), ("logsumexp", [1]), ("swapaxes", [0, 1])]:
        yield case(op, [m], *more)
    yield case("trueDivide", [m, normal(rng, (3,))])
    yield case("trueDivide", [ints(1, 2), ints(2, 4)])
    yield case("batchNormalization", [m, [0.5, 0, 1], [1.0, 2, 0.5]], axis=-1)
    yield case("rmsNormalization", [m])
    yield case("layerNormalization", [m], epsilon=1e-3)


def nans():
    rng = random(20)
    x = normal(rng, (3, 4))
    x[0, 1] = x[2, 0] = x[2, 3] = NAN
    gone = np.where(np.arange(3)[:, None] == 1, NAN, x).astype(FLOAT)
    ties = np.array([[2.0, NAN, 2, 1], [NAN, -INF, INF, 0]])
    whole = np.array([[3, -7, 5], [0, 2, 2]], np.int32)
    for op in ["nansum", "nanprod", "nanmax", "nanmin", "nanmean", "nanvar", "nanstd", "nanmedian"]:
        keras_op = getattr(keras.ops, op)
        # Keras on JAX has no list of axes
        several = lambda x, axis, keepdims=False, f=keras_op: f(x, tuple(axis), keepdims)
        yield case(op, [x], tolerance=2e-5)
        yield case(op, [x], 1, tolerance=2e-5)
        yield case(op, [gone], -1, True, gradient=op != "nanstd", second=False)
        yield case(op, [normal(rng, (2, 3, 2))], [0, 2], fn=several, tolerance=2e-5)
        yield case(op, [normal(rng, (2, 3))], [1, 0], True, fn=several, tolerance=2e-5)
        yield case(op, [whole])
        yield case(op, [whole], axis=0, keepdims=True)
        yield case(op, [np.array([True, False])])
        if op in ("nansum", "nanprod", "nanmean", "nanvar", "nanstd"):
            yield case(op, [np.zeros((2, 0))], 1, gradient=False)
    for op in ["nanmax", "nanmin"]:
        yield case(op, [ties], 1)
        yield case(op, [[NAN, NAN]])
    for op in ["nanargmax", "nanargmin"]:
        for axis in [None, 0, 1, -1]:
            yield case(op, [x], axis, gradient=False)
            yield case(op, [ties], axis, True, gradient=False)
            yield case(op, [gone], axis, gradient=False)
        yield case(op, [whole], 1)
        yield case(op, [[NAN, -INF, INF]], gradient=False)
    for op in ["nancumsum", "nancumprod"]:
        yield case(op, [x])
        yield case(op, [gone], 0, second=False)
        yield case(op, [x], axis=1)
        yield case(op, [whole], -1)
        yield case(op, [whole], 0, "float32")
        yield case(op, [np.array([True, False])])
    row = np.array([[1.0, NAN, 3, 2, -4], [5, NAN, NAN, 7, NAN], [1, 2, 3, 4, 5]])
    for method in ["linear", "lower", "higher", "midpoint", "nearest"]:
        of = lambda f: lambda x, q, axis, method: f(x, np.array(q, np.float32), axis, method=method)
        shares = [0.0, 0.3, 0.5, 1.0] if method == "linear" else [0.0, 0.2, 0.5, 0.85, 1.0]
        yield case("nanquantile", [row], shares, 1, method, second=False, fn=of(jnp.nanquantile))
        yield case("quantile", [[1.0, 2, 3, 4, 5, 6]], [0.1, 0.3, 0.5, 0.7, 0.9], 0, method, second=False, fn=of(jnp.quantile))
    yield case("nanquantile", [gone], 0.4, axis=0, keepdims=True, second=False)
    yield case("nanquantile", [gone], 0.4, second=False)
    yield case("nanquantile", [whole], 0.5)
    yield case("nanpercentile", [row], [10, 60], 1, second=False)
    yield case("nanpercentile", [row], 35, method="lower", second=False)
    yield case("percentile", [x[:2, 2:]], [0, 40, 100], second=False)
    yield case("percentile", [x], 50, 1, gradient=False)
    yield case("percentile", [whole], 25, axis=1, method="midpoint", keepdims=True)
    # infinities
    yield case("quantile", [[1, INF, INF]], 0.75, gradient=False)


def numbers():
    rng = random(21)
    x = np.append(normal(rng, (7,)), [0.0, -2.5]).astype(FLOAT)
    y = normal(rng, (9,))
    special = np.array([0.0, -0.0, 1, -1, INF, -INF, NAN])
    pairs_of = [np.repeat(special, 7).reshape(7, 7), special]
    whole, other = ints(3, -7, 5, -(2**31), 7), ints(2, 3, -3, -1, 2**31 - 1)
    flags = np.array([True, False, True])
    for op in ["fabs", "i0", "erfc"]:
        yield case(op, [np.append(x[:8], [3.0, -6, 8, 9.5]).astype(FLOAT)], tolerance=2e-5)
        yield case(op, [ints(3, -7, 5, 0)])
        yield case(op, [flags])
    yield case("i0", [[20.0, -88, 0.1]], gradient=False)
    yield case("i0", [[12.0, -30]], second=False, tolerance=2e-5)
    yield case("fabs", [special], gradient=False)
    yield case("erfc", [special], gradient=False)
    for op in ["isposinf", "isneginf", "signbit"]:
        yield case(op, [special], gradient=False)
        yield case(op, [ints(3, -7, 0)])
        yield case(op, [flags])
    for op in ["real", "imag", "conj", "angle", "isreal"]:
        yield case(op, [special], gradient=False)
        yield case(op, [ints(3, -7, 0)])
        yield case(op, [flags])
    for op in ["real", "conj", "angle"]:
        yield case(op, [x[:7]])
    for op in ["fmax", "fmin", "fmod", "heaviside", "logaddexp2", "nextafter"]:
        yield case(op, pairs_of, gradient=False)
        if op != "nextafter":
            yield case(op, [x, y], second=op != "fmod")
            yield case(op, [normal(rng, (3, 1)), normal(rng, (4,))])
            yield case(op, [[1.0, 2, 2, 0], [2.0, 2, -2, 0.5]], second=False, gradient=op != "fmod")
        yield case(op, [whole, other])
        yield case(op, [whole, [2.0, 3, -3, 0.5, 1e10]], gradient=False)
        # the remainder of 0 depends on the dtype
        yield case(op, [flags, flags if op != "fmod" else np.array([True] * 3)])
    yield case("fmax", [[NAN, 1.0, NAN], [1.0, NAN, NAN]])
    yield case("fmin", [[NAN, 1.0, NAN], [1.0, NAN, NAN]])
    yield case("fmod", [[7.0, -7, 7, -7, 1e-20, -1e-20, 3e38], [3.0, 3, -3, -3, 1, 1, 0.1]], second=False)
    yield case("fmod", [ints(5, -5), ints(0, 0)])
    edges = [1.0, -1, 1.5, 3.4028235e38, -3.4028235e38, 2.0**-125, 2.0**-126, 2.0**-100, 2.0**-101, 7.0**-30, 255.99998, 256]
    yield case("nextafter", [[edges, edges], [[INF] * 12, [-INF] * 12]], gradient=False)
    yield case("nextafter", [edges, [0.0] * 12], gradient=False)
    yield case("ldexp", [x, ints(0, 1, -1, 10, -20, 100, 3, 5, -3)])
    yield case("ldexp", [special, ints(3)], gradient=False)
    yield case("ldexp", [[1.5, -1.5, 3e38, 1e-30], ints(-120, 127, -250, 200)], gradient=False)
    yield case("ldexp", [ints(3, 5), ints(2, -1)])
    yield case("allclose", [[1.0, 2], [1.000001, 2]], gradient=False)
    yield case("allclose", [[1.0, NAN], [1.000001, NAN]], gradient=False)
    yield case("allclose", [[1.0, NAN], [1.1, NAN]], 0.2, 0, True, gradient=False)
    yield case("allclose", [[1.0, 2], [1.1, 2]], gradient=False, atol=0.2)
    yield case("isclose", [[1.0, 2], [1.1, 2.3]], 0, 0.2, gradient=False)
    # samples
    m = normal(rng, (3, 5))
    yield case("corrcoef", [m], tolerance=2e-5)
    yield case("corrcoef", [m[0]], gradient=False)
    yield case("corrcoef", [[[1.0, 1, 1], [3, 1, 1]]], gradient=False)
    yield case("corrcoef", [[[1.0], [2]]], gradient=False)
    yield case("corrcoef", [3.0], gradient=False)
    yield case("corrcoef", [np.array([[1, 2, 4], [3, 1, 1]], np.int32)])
    for mode in ["valid", "same", "full"]:
        for a, b in [(6, 3), (3, 6), (5, 5), (4, 2), (2, 5), (1, 1), (1, 3)]:
            yield case("correlate", [normal(rng, (a,)), normal(rng, (b,))], mode)
    yield case("correlate", [ints(1, 2, 3), ints(4, 5)])
    yield case("correlate", [flags, flags], mode="same")
    t = normal(rng, (2, 3, 4))
    yield case("trapezoid", [t])
    yield case("trapezoid", [t], None, 0.5, 1)
    yield case("trapezoid", [t], axis=0, dx=2)
    yield case("trapezoid", [t, [0.0, 1, 3, 4]])
    yield case("trapezoid", [t, [0.0, 1, 3]], 1.0, 1)
    yield case("trapezoid", [t, normal(rng, (2, 3, 4))], 1.0, -2)
    yield case("trapezoid", [np.array([[1, 2, 3], [4, 5, 7]], np.int32)])
    yield case("trapezoid", [[3.0]])
    yield case("cdist", [m, normal(rng, (2, 5))], tolerance=2e-5)
    yield case("cdist", [normal(rng, (2, 1, 3, 2)), normal(rng, (4, 5, 2))], tolerance=2e-5)
    yield case("cdist", [np.array([[0, 0], [1, 1]], np.int32), np.array([[0, 0], [3, 4]], np.int32)])
    scores = np.array([[0.1, 0.9, 0.9, NAN], [0.4, 0.3, NAN, 0.2], [0.3, 0.1, 0.2, 0]])
    for k in [0, 1, 2, 3, 9]:
        yield case("inTopK", [ints(1, 2, 2), scores], k, gradient=False)
    yield case("inTopK", [ints(1), np.array([[1, 2, 3]], np.int32)], 2, fn=lambda t, p, k: keras.ops.in_top_k(t, p.astype("float32"), k))
    segments_of = ints(2, 0, 2, 5, -1, 0)
    dropping = lambda data, ids, n: jax.ops.segment_prod(data, jnp.where(ids < 0, n, ids), n)
    for data in [normal(rng, (6,)), normal(rng, (6, 3)), ints(1, 2, 3, 4, 5, 6)]:
        yield case("segmentProd", [data, segments_of], 4, gradient=False, fn=dropping)
    yield case("segmentProd", [np.zeros((0, 2)), ints()], 3, gradient=False)
    yield case("unravelIndex", [np.array([[0, 5], [7, -1]], np.int32)], [2, 4], fn=lambda i, s: jnp.unravel_index(i, tuple(s)))
    yield case("unravelIndex", [ints(8, -9, 100)], [2, 2, 2], fn=lambda i, s: jnp.unravel_index(i, tuple(s)))
    yield case("unravelIndex", [np.array(5, np.int32)], 8)
    yield case("viewAsReal", [m[:, :2]], fn=lambda x: jnp.stack([x, 0 * x], -1))
    yield case("viewAsComplex", [normal(rng, (2, 3, 2))], fn=lambda x: (lambda z: (z.real, z.imag))(keras.ops.view_as_complex(x)))


def distinct():
    rng = random(22)
    row = np.array([3.0, 1, NAN, 2, 1, NAN, 0, 3])
    m = np.array([[1, 0, 2], [0, 1, 2], [1, 0, 2], [0, 1, 2], [0, 1, 1]], np.int32)
    wide = np.array(rng.integers(0, 2, (12, 3)), np.int32)
    returns = dict(returnIndex=True, returnInverse=True, returnCounts=True)
    some = lambda x, **options: keras.ops.unique(x, **options)
    for x in [row, ints(5, 2, 5, -1), np.array([True, False, True]), np.zeros((0,)), np.float32(3), m]:
        yield case("unique", [x], gradient=False)
        yield case("unique", [x], gradient=False, **returns)
    for size in [0, 2, 6, 9]:
        yield case("unique", [row], gradient=False, size=size, **returns)
        yield case("unique", [row], gradient=False, size=size, fillValue=5, returnCounts=True)
        yield case("unique", [m], gradient=False, size=size, axis=0, **returns)
    yield case("unique", [[3.0, 1, 2, 1]], size=5)
    yield case("unique", [[[3.0, 1], [2, 1], [3, 1]]], size=3, axis=0)
    yield case("unique", [np.zeros((0,))], gradient=False, size=2, fillValue=7)
    for axis in [0, 1, -1]:
        for x in [m, wide, wide[:, :2], np.stack([wide, wide[::-1]])]:
            yield case("unique", [x], axis=axis, **returns)
    yield case("unique", [[[1, NAN, 2], [1, NAN, 1], [1, NAN, 2], [0, 1, 1], [0, 1, 1]]], gradient=False, axis=0, **returns)
    yield case("unique", [[[1.5, -2, 2, 3, 7], [1.5, -2, 2, 3, 6], [1, INF, 2, 3, 7], [1.5, -2, 2, 3, 6]]], gradient=False, axis=0, **returns)
    yield case("unique", [m], True, True, False, False, 1)
    yield case("nonzero", [[[1.0, 0], [NAN, 2], [0, -0.0]]], gradient=False)
    yield case("nonzero", [np.array([[[True, False]], [[False, True]]])])
    yield case("nonzero", [ints(0, 0)])


def sparsemax(x, axis=-1):
    """Martins & Astudillo 2016. That of Keras adds up the cumulative sums, so that its results do not sum to 1."""
    x = jnp.asarray(x, jnp.float32)
    ordered = jnp.flip(jnp.sort(x, axis), axis)
    sums = jnp.cumsum(ordered, axis)
    shape = [-1 if i == axis % x.ndim else 1 for i in range(x.ndim)]
    k = jnp.sum(1 + jnp.arange(1, x.shape[axis] + 1).reshape(shape) * ordered > sums, axis, keepdims=True)
    tau = (jnp.take_along_axis(sums, k - 1, axis) - 1) / k
    return jnp.maximum(x - tau, 0)


def activations():
    rng = random(20)
    # ties: the bounds of the pieces
    x = np.append(normal(rng, (6,)) * 2, [-3.0, -1, -0.5, 0, -0.0, 0.5, 1, 3, 6, 40, -40]).astype(FLOAT)
    special = np.array([NAN, INF, -INF, 3e38, -3e38, 1e-40, -0.0], FLOAT)
    plain = "relu6 leakyRelu hardSigmoid hardSilu hardSwish hardTanh tanhShrink logSigmoid sparsePlus sparseSigmoid squareplus celu hardShrink softShrink"
    for op in plain.split():
        yield case(op, [x])
        yield case(op, [special], gradient=False)
        if op not in ("leakyRelu", "relu6", "hardSigmoid", "hardSilu", "hardSwish"):
            yield case(op, [ints(-7, -1, 0, 1, 2)])
    for alpha in [0.5, 2.5, -1.0]:
        yield case("celu", [x[:10]], alpha)
    for limit in [0.0, 1.0, 2]:
        yield case("hardShrink", [x], limit)
        yield case("softShrink", [x], limit)
    for b in [0.5, 4, 1]:
        yield case("squareplus", [x], b)
    yield case("threshold", [x], 0.5, -2.5)
    yield case("threshold", [special], 0.5, -2.5, gradient=False)
    yield case("threshold", [ints(-1, 0, 1, 7)], 1, 3)
    t = normal(rng, (2, 4, 6))
    yield case("glu", [t])
    for axis in [0, 1, 2, -1, -2]:
        yield case("glu", [t], axis)
        yield case("sparsemax", [t], axis, fn=sparsemax)
    yield case("glu", [np.zeros((3, 0))], gradient=False)
    yield case("sparsemax", [t * 0.1], fn=sparsemax)
    yield case("sparsemax", [[[3.0, 3, 1], [0, 0, 0], [1, 0, -1], [0.5, 0.5, 0.5]]], fn=sparsemax)
    yield case("sparsemax", [ints(1, 2, 2)], fn=sparsemax)
    yield case("sparsemax", [[[5.0], [-2]]], fn=sparsemax)
    yield case("sparsemax", [normal(rng, (3, 200)) * 0.05], fn=sparsemax)
    # each of Newton's steps leaves out few elements
    yield case("sparsemax", [-1 + 2.0 ** -np.arange(24)], tolerance=2e-5, fn=sparsemax)
    for axis in [None, [0, 2], [0, 1], [1]]:
        of = lambda name: lambda x, axis: getattr(keras.ops, name)(x, axis=tuple(axis) if axis else axis)
        flat = lambda name: lambda x, axis: getattr(jax.nn, name)(x, axis=tuple(axis) if axis else axis)
        yield case("softmax", [t], axis, fn=of("softmax") if axis else flat("softmax"))
        yield case("logSoftmax", [t], axis, fn=of("log_softmax") if axis else flat("log_softmax"))


def pooling():
    rng = random(21)
    inputs = [normal(rng, (2, 7, 3)), normal(rng, (2, 5, 6, 2)), normal(rng, (1, 3, 4, 5, 2))]
    tuples = lambda op: lambda x, *more: getattr(keras.ops, snake(op))(x, *[tuple(m) if isinstance(m, list) else m for m in more])
    for op in ["adaptiveAveragePool", "adaptiveMaxPool"]:
        for x in inputs:
            rank = x.ndim - 2
            for size in [2, [5, 3, 7][:rank]]:
                yield case(op, [x], size, second=False, fn=tuples(op))
            # of 7 elements to 7 places Keras on JAX takes other windows: there 14 / 7 is less than 2
            if rank > 1:
                yield case(op, [x], [x.shape[1], 2, 9][:rank], "channels_last", gradient=False, fn=tuples(op))
            yield case(op, [x], [2, 4, 1][:rank], "channels_first", gradient=False, fn=tuples(op))
    for op in ["maxPool", "averagePool"]:
        yield case(op, [inputs[1]], 2, 2, "same", second=False)
        yield case(op, [inputs[1]], [2, 3], [1, 2], "valid", second=False, fn=tuples(op))
        yield case(op, [inputs[0]], 2, 1, "same", "channels_first", gradient=False)
        yield case(op, [inputs[2]], 2, 2, "valid", "channels_last", gradient=False)
    yield case("maxPool", [[[[1.0], [1], [0]]]], 2, 1, second=False)


def crossentropies():
    rng = random(22)
    p = keras.ops.softmax(normal(rng, (3, 4)))
    p = np.asarray(p, FLOAT)
    x = normal(rng, (3, 4)) * 3
    y = np.asarray(keras.ops.softmax(normal(rng, (3, 4))), FLOAT)
    tall = normal(rng, (2, 3, 4))
    share = np.asarray(keras.ops.softmax(normal(rng, (2, 3, 4)), axis=1), FLOAT)
    yield case("binaryCrossentropy", [y, p])
    yield case("binaryCrossentropy", [y, x], True)
    yield case("binaryCrossentropy", [[1.0, 0, 0.5, 1, 0], [30.0, 30, -90, -90, 0]], True, second=False)
    yield case("binaryCrossentropy", [[1.0, 0, 1, 0], [0.0, 0, 1, 1]], gradient=False)
    yield case("binaryCrossentropy", [ints(1, 0, 1), [0.25, 0.5, 0.75]])
    for at in [-1, 1, 0]:
        yield case("categoricalCrossentropy", [y, p], False, at)
        yield case("categoricalCrossentropy", [y, x], True, at)
    yield case("categoricalCrossentropy", [y, x], fromLogits=True)
    yield case("categoricalCrossentropy", [y, 3 * p])
    yield case("categoricalCrossentropy", [share, tall], True, 1)
    yield case("categoricalCrossentropy", [[0.0, 1, 0], [0.0, 0, 1]], gradient=False)
    for labels in [ints(0, 3, 2), ints(0, 3, 2).reshape(3, 1), ints(-1, 7, 1)]:
        yield case("sparseCategoricalCrossentropy", [labels, p])
        yield case("sparseCategoricalCrossentropy", [labels, x], True)
    yield case("sparseCategoricalCrossentropy", [ints(0, 1, 2, 3, 0, 1).reshape(2, 3), tall], True)
    # Keras takes targets for the last axis only
    along = lambda y, x, logits, axis: keras.ops.sparse_categorical_crossentropy(y, jnp.moveaxis(x, axis, -1), logits)
    yield case("sparseCategoricalCrossentropy", [ints(0, 1, 2, 2, 0, 1, 1, 0).reshape(2, 4), tall], True, 1, fn=along)
    yield case("sparseCategoricalCrossentropy", [ints(0, 1, 2, 2, 0, 1, 1, 0).reshape(2, 4), share], False, -2, fn=along)


def ctc():
    rng = random(23)
    logits = normal(rng, (4, 7, 5)) * 2
    labels = np.array([[1, 2, 2, 4], [3, 3, 3, 0], [1, 0, 0, 0], [2, 1, 2, 1]], np.int32)
    lengths, steps = ints(4, 3, 1, 4), ints(7, 5, 3, 6)
    args = lambda *rest: [labels, logits, *rest]
    yield case("ctcLoss", args(lengths, steps), tolerance=2e-5)
    yield case("ctcLoss", args(lengths, ints(7, 7, 7, 7)), tolerance=2e-5)
    yield case("ctcLoss", args(ints(2, 0, 1, 3), steps), 0, tolerance=2e-5)
    # the blank is the last class, and labels are padded with −1
    last = np.array([[1, 2, 2, 0], [3, 3, 3, -1], [1, -1, -1, -1], [2, 0, 2, 1]], np.int32)
    yield case("ctcLoss", [last, logits, lengths, steps], 4, tolerance=2e-5)
    # impossible: too few steps
    yield case("ctcLoss", args(lengths, ints(3, 4, 0, 2)), gradient=False)
    yield case("ctcLoss", [labels, logits * 20, lengths, steps], second=False, tolerance=2e-5)
    yield case("ctcLoss", [ints(1).reshape(1, 1), normal(rng, (1, 1, 2)), ints(1), ints(1)])
    long = normal(rng, (2, 60, 9))
    yield case("ctcLoss", [np.array([[1, 1, 2, 8, 8, 3, 4, 4, 4, 5], [7, 6, 5, 4, 3, 2, 1, 0, 0, 0]], np.int32), long, ints(10, 7), ints(60, 41)], second=False, tolerance=5e-5)


def decoding():
    rng = random(24)
    logits = normal(rng, (3, 6, 4)) * 2
    # runs of one class
    runs = np.eye(4, dtype=FLOAT)[np.array([[1, 1, 0, 1, 2, 2], [3, 3, 3, 0, 0, 1], [0, 0, 0, 0, 0, 0]])] * 3 + normal(rng, (3, 6, 4)) * 0.1
    steps = ints(6, 4, 2)
    for x in [logits, runs]:
        for merge, mask in [(True, 0), (False, 3), (True, None)]:
            yield case("ctcDecode", [x, steps], "greedy", 100, 1, merge, mask, gradient=False)
        for width, top, mask in [(3, 2, 0), (6, 5, 3)]:
            yield case("ctcDecode", [x, steps], "beam_search", width, top, True, mask, gradient=False, tolerance=2e-5)
    # equal scores
    yield case("ctcDecode", [np.zeros((1, 4, 3)), ints(4)], "greedy", gradient=False)
    yield case("ctcDecode", [np.zeros((1, 4, 3)), ints(4)], "beam_search", 4, 3, gradient=False, tolerance=2e-5)
    yield case("ctcDecode", [normal(rng, (1, 9, 5)), ints(9)], "beam_search", 8, 3, gradient=False, tolerance=2e-5)


def patches():
    rng = random(25)
    x = normal(rng, (2, 2, 5, 6))
    pair = lambda v: tuple(v) if isinstance(v, list) else v
    windows = lambda op: lambda x, *more: getattr(keras.ops, op)(x, *map(pair, more))
    for more in [(2,), ([2, 3],), (2, 2), (3, 1, 1), (2, 1, 0, 2), ([3, 2], [1, 2], [1, 0], [2, 1])]:
        yield case("unfold", [x], *more, fn=windows("unfold"))
        columns = np.asarray(windows("unfold")(jnp.asarray(x, FLOAT), *more))
        size = np.asarray(columns).shape
        fits = keras.ops.fold(columns, (5, 6), *map(pair, more)).shape[2:] == (5, 6)
        if fits:
            yield case("fold", [normal(rng, size)], [5, 6], *more, fn=windows("fold"))
    yield case("unfold", [np.arange(16, dtype=np.int32).reshape(1, 1, 4, 4)], 2, 1, 0, 2)
    yield case("fold", [np.arange(16, dtype=np.int32).reshape(1, 4, 4)], 4, 2, 1, 0, 2)
    for last in [normal(rng, (2, 2, 3, 8)), np.arange(96, dtype=np.int32).reshape(2, 2, 3, 8)]:
        yield case("depthToSpace", [last], 2)
        yield case("depthToSpace", [np.moveaxis(last, -1, 1)], 2, "channels_first")
    for last in [normal(rng, (2, 4, 6, 3)), np.arange(72, dtype=np.int32).reshape(1, 6, 4, 3)]:
        yield case("spaceToDepth", [last], 2, "channels_last")
        yield case("spaceToDepth", [np.moveaxis(last, -1, 1)], 2, "channels_first")
    yield case("spaceToDepth", [normal(rng, (1, 6, 3, 1))], 3)
    a, b = normal(rng, (2, 3)), normal(rng, (2, 3))
    yield case("psnr", [a, b], 1)
    yield case("psnr", [a, b], 255)
    yield case("psnr", [a, a], 1, gradient=False)
    yield case("psnr", [ints(1, 2, 3), ints(1, 2, 5)], 255)
    yield case("polar", [a, b], fn=lambda a, b: (lambda c: (c.real, c.imag))(keras.ops.polar(a, b)))
    for labels in [ints(0, 2), ints(0, 2, 2, 1, -1, 7).reshape(2, 3), ints(0, 1, 2, 3).reshape(2, 1, 2)]:
        yield case("multiHot", [labels], 4)
        yield case("multiHot", [labels], 4, 0, "int32")
    yield case("multiHot", [ints(0, 2, 2, 1).reshape(2, 2)], 3, 1, "bool")
    c = normal(rng, (3,))
    yield case("batchNormalization", [a, c, c * c + 1], -1)
    yield case("batchNormalization", [a, c, c * c + 1], 1, [1.0, 2, 3], [2.0, 1, 0.5], 0.1, fn=lambda x, m, v, axis, offset, scale, e: keras.ops.batch_normalization(x, m, v, axis, np.array(offset, FLOAT), np.array(scale, FLOAT), e))
    yield case("layerNormalization", [a, c, b[0]])
    yield case("layerNormalization", [a, c, b[0]], -1, 0.5, fn=lambda x, g, b, axis, e: (x - x.mean(axis, keepdims=True)) / jnp.sqrt(x.var(axis, keepdims=True) + e) * g + b)
    yield case("rmsNormalization", [a, c], -1, 0.5)
    yield case("rmsNormalization", [a])


def scaling(made):
    """The shape comes before the other tensors."""
    return {**made, "insert": 1}


def patterns():
    rng = random(27)
    x = normal(rng, (2, 3, 4))
    for pattern, lengths in [
        ("a b c -> c a b", {}), ("a b c->(c a)b", {}), ("a b c -> (a b c)", {}), ("a b c -> a (c b)", {}),
        ("a b (c d) -> (a c) (b d)", {"c": 2}), ("a b (c d) -> a (d b) c", {"d": 2}), (" (x a) b c -> a b c x ", {"a": 2}),
        ("a (b1 b2) (c1 c2) -> a b1 c1 (b2 c2)", {"b1": 3, "c2": 2}), ("constructor b c -> b constructor c", {}),
    ]:
        yield case("rearrange", [x], pattern, **lengths)
    yield case("rearrange", [np.arange(24, dtype=np.int32).reshape(2, 12)], "b (h w) -> w (b h)", h=4)
    yield case("rearrange", [np.arange(6).reshape(1, 2, 3) % 2 == 0], "a b c -> (a c) b")
    yield case("rearrange", [np.zeros((2, 0, 3), FLOAT)], "a b c -> (b a) c")
    yield case("rearrange", [normal(rng, (5,))], "a -> a")


FAMILIES = [
    elementwise, reduction, rearranging, constructing, products, sorting, segments, linalg, fourier, image,
    bits, windows, joining, nans, numbers, distinct, activations, pooling, crossentropies, ctc, decoding,
    patches, signals, patterns,
]

if __name__ == "__main__":
    wanted = sys.argv[1:]
    for family in FAMILIES:
        if not wanted or family.__name__ in wanted:
            write(f"ops/{family.__name__}.json", {"cases": list(family())})
