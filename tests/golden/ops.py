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
    return {"shape": list(array.shape), "dtype": dtype, "data": [number(v) for v in array.astype(np.float64).ravel()]}


def flat_weights(size, salt):
    """The weights that reduce a result to one number, as in golden.test.ts."""
    return np.array([((j * 7 + salt * 3) % 11 - 5) / 4 for j in range(size)], FLOAT)


def weighted(values):
    return sum(jnp.sum(v * flat_weights(v.size, i).reshape(v.shape)) for i, v in enumerate(values) if v.dtype.kind == "f")


def leaves(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


def case(op, inputs, *more, fn=None, gradient=True, second=True, tolerance=None, **options):
    """One call: op(...inputs, ...more, options) in myelin's names. fn: the function that computes it, if not from keras.ops."""
    inputs = [np.asarray(x) if np.asarray(x).dtype.kind in "iub" else np.asarray(x, FLOAT) for x in inputs]
    keyword = {snake(k): v for k, v in options.items()}
    keras_fn = fn or getattr(keras.ops, snake(op))
    call = lambda *xs: [jnp.asarray(y) for y in leaves(keras_fn(*xs, *more, **keyword))]
    floats = [i for i, x in enumerate(inputs) if x.dtype.kind == "f"]

    def loss(*wrt):
        given = [jnp.asarray(x) for x in inputs]
        for i, x in zip(floats, wrt):
            given[i] = x
        return weighted(call(*given))

    outputs = call(*[jnp.asarray(x) for x in inputs])
    result = {"op": op, "inputs": [tensor(x) for x in inputs], "more": [*more, *([options] if options else [])],
              "outputs": [tensor(y) for y in outputs]}
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
    yield case("histogram", [normal(rng, (50,))], 7, gradient=False, fn=lambda x, n: [jnp.histogram(x, n)[0].astype("int32"), jnp.histogram(x, n)[1]])
    yield case("histogram", [normal(rng, (50,))], 4, [-1, 0.5], gradient=False, fn=lambda x, n, r: [jnp.histogram(x, n, r)[0].astype("int32"), jnp.histogram(x, n, r)[1]])
    yield case("histogram", [[2.0, 2, 2]], 4, gradient=False, fn=lambda x, n: [jnp.histogram(x, n)[0].astype("int32"), jnp.histogram(x, n)[1]])


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


def scaling(made):
    """The shape comes before the other tensors."""
    return {**made, "insert": 1}


FAMILIES = [elementwise, reduction, rearranging, constructing, products, sorting, segments, linalg, fourier, signals, image]

if __name__ == "__main__":
    wanted = sys.argv[1:]
    for family in FAMILIES:
        if not wanted or family.__name__ in wanted:
            write(f"ops/{family.__name__}.json", {"cases": list(family())})
