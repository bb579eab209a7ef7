"""Writes control.json: control flow and transformations of functions, whose arguments are functions. Each case has a name,
under which tests/ops/control-golden.test.ts has the same function. How to run it: README.md."""

from common import FLOAT, normal, random, uniform, write
from ops import ints, leaves, tensor, weighted

import jax
import jax.numpy as jnp
import keras
import numpy as np

ops = keras.ops
CASES = []


def case(name, fn, inputs, gradient=True):
    """Results of fn, and gradients with respect to its inputs of floats, once and twice."""
    inputs = [np.asarray(x) if np.asarray(x).dtype.kind in "iub" else np.asarray(x, FLOAT) for x in inputs]
    call = lambda xs: [jnp.asarray(y) for y in jax.tree_util.tree_leaves(fn(*xs))]
    result = {"name": name, "inputs": [tensor(x) for x in inputs], "outputs": [tensor(y) for y in call([jnp.asarray(x) for x in inputs])]}
    floats = [i for i, x in enumerate(inputs) if x.dtype.kind == "f"]
    if gradient:

        def loss(*wrt):
            given = [jnp.asarray(x) for x in inputs]
            for i, x in zip(floats, wrt):
                given[i] = x
            return weighted(call(given))

        numbers = tuple(range(len(floats)))
        wrt = [jnp.asarray(inputs[i]) for i in floats]
        slope = jax.grad(loss, argnums=numbers)
        result["gradients"] = [tensor(g) for g in slope(*wrt)]
        result["second"] = [tensor(g) for g in jax.grad(lambda *xs: weighted(slope(*xs)), argnums=numbers)(*wrt)]
    CASES.append(result)


def branches(rng):
    x, y = normal(rng, (3,)), normal(rng, (3,))
    for p in (True, False):
        case(f"cond {p}", lambda x, y, p=p: ops.cond(p, lambda: x * y, lambda: ops.exp(x) + y), [x, y])
    traced = jax.jit(lambda x: ops.cond(ops.sum(x) > 0, lambda: ops.log(x), lambda: 3.0 * x * x))
    case("cond of the sum", traced, [uniform(rng, (4,), 0.5, 2)])
    case("cond of the sum", traced, [uniform(rng, (4,), -2, -0.5)])
    tree = jax.jit(lambda x, y: ops.cond(x[0] < y[0], lambda: [ops.sin(x), ops.matmul(x, y)], lambda: [y, ops.sum(x * x)]))
    case("cond of trees", tree, [np.array([1, 2, 3], FLOAT), np.array([2, 0.5, 1], FLOAT)])
    case("cond of trees", tree, [np.array([3, 2, 3], FLOAT), np.array([2, 0.5, 1], FLOAT)])
    nested = jax.jit(lambda x: ops.cond(x[0] > 0, lambda: ops.cond(x[1] > 0, lambda: x * x, lambda: ops.tanh(x)), lambda: ops.exp(x)))
    for first, second in ((1, 1), (1, -1), (-1, 1)):
        case("cond in cond", nested, [np.array([first, second, 0.5], FLOAT)])
    many = jax.jit(lambda i, x, y: ops.switch(i, [lambda a, b: a * b, lambda a, b: ops.sin(a) - b, lambda a, b: ops.exp(a * b)], x, y))
    for i in (-2, 0, 1, 2, 9):
        case("switch", many, [np.int32(i), x, y])


def loops(rng):
    x, w = normal(rng, (3,)), normal(rng, (3, 3))
    grow = lambda most: jax.jit(lambda x: ops.while_loop(lambda i, y: ops.sum(ops.abs(y)) < 50, lambda i, y: (i + 1, y * 1.7 + 1.0), (jnp.int32(0), x), maximum_iterations=most))
    for most in (None, 0, 3, 40):
        case(f"whileLoop at most {most}", grow(most), [x], gradient=False)
    # JAX has no gradient of while loops: the same with a scan of conditions.
    def limited(x, w):
        def turn(y, _):
            return jax.lax.cond(jnp.sum(y * y) < 20, lambda y: jnp.tanh(y @ w) * 2.5 + y, lambda y: y, y), None

        return jax.lax.scan(turn, x, None, length=9)[0]

    case("whileLoop of a matrix", limited, [x, 0.4 * w])
    case("whileLoop of a matrix", limited, [10 * x, 0.4 * w])
    counted = jax.jit(lambda n, x: ops.while_loop(lambda i, flag, y: flag, lambda i, flag, y: (i + 1, i + 1 < n, y * y * 0.5 + 0.3), (jnp.int32(0), 0 < n, x))[2])
    for n in (0, 1, 4):
        case("whileLoop with a flag", counted, [np.int32(n), x], gradient=False)
    for n in (1, 2, 5, 8):
        x = normal(rng, (n, 2))
        for reverse in (False, True):
            word = "reverse" if reverse else "forward"
            case(f"associativeScan add {word}", lambda x, reverse=reverse: ops.associative_scan(ops.add, x, reverse=reverse), [x])
            case(f"associativeScan multiply {word} axis 1", lambda x, reverse=reverse: ops.associative_scan(ops.multiply, x, reverse=reverse, axis=1), [x.T.copy()])
            linear = lambda a, b: (a[0] * b[0], a[1] * b[0] + b[1])
            case(f"associativeScan linear {word}", lambda x, y, reverse=reverse: ops.associative_scan(linear, (x, y), reverse=reverse, axis=0), [x, normal(rng, (n, 2))])
    m = 0.5 * normal(rng, (6, 2, 2))
    case("associativeScan matmul", lambda m: ops.associative_scan(ops.matmul, m), [m])
    case("associativeScan maximum of int32", lambda n: ops.associative_scan(ops.maximum, n), [ints(3, 1, 4, 1, 5, 9, 2)], gradient=False)


def maps(rng):
    x, k = normal(rng, (4, 3, 5)), normal(rng, (5, 2))
    order = ints([2, 0, 1, 1], [0, 3, 3, 4], [1, 1, 1, 0], [4, 0, 2, 2])
    v = ops.vectorized_map
    case("map matmul", lambda x, k: v(lambda a: ops.matmul(a, k), x), [x, k])
    case("map matmul of both", lambda x, y: v(lambda p: ops.matmul(p[0], p[1]), (x, y)), [x, normal(rng, (4, 5, 2))])
    case("map matmul from the left", lambda x, y: v(lambda a: ops.matmul(y, a), x), [x, normal(rng, (6, 2, 3))])
    case("map vector matmul", lambda x, y: v(lambda a: ops.matmul(a[0], ops.transpose(a)) + ops.matmul(a, y), x), [x, normal(rng, (5,))])
    case("map reductions", lambda x: v(lambda a: [ops.sum(a, axis=0), ops.mean(a, axis=-1, keepdims=True), ops.max(a), ops.min(a, axis=1), ops.prod(a, axis=0), ops.logsumexp(a, axis=0)], x), [x])
    case("map softmax", lambda x: v(lambda a: [ops.softmax(a, axis=0), ops.log_softmax(a), ops.softmax(a[0])], x), [x])
    case("map take of slices", lambda x: v(lambda a: ops.take(a, np.array([[2, 0], [1, -1]]), axis=0), x), [x])
    case("map take of indices", lambda i, k: v(lambda n: [ops.take(k, n, axis=0), ops.take(ops.transpose(k), n, axis=-1)], i), [order, k])
    case("map take of both", lambda x, i: v(lambda p: [ops.take(p[0], p[1] % 3, axis=0), ops.take(p[0], p[1], axis=1)], (x, i)), [x, order])
    case("map takeAlongAxis", lambda x, i: v(lambda p: ops.take_along_axis(p[0], p[1][None] % 3, axis=1), (x, i)), [x, order])
    case("map where", lambda x, k: v(lambda a: ops.where(a > 0, ops.sin(a), a[:1] * k[:, 0]), x), [x, k])
    case("map conv", lambda x, k: v(lambda a: ops.conv(ops.expand_dims(a, 0), k, padding="same"), x), [x, normal(rng, (2, 5, 3))])
    case("map sort", lambda x: v(lambda a: [ops.sort(a, axis=0), ops.sort(a)], x), [x])
    case("map integers", lambda x: v(lambda a: [ops.argsort(a), ops.argmax(a, axis=0), a > 0.5, ops.argmin(a)], x), [x], gradient=False)
    case("map cumsum", lambda x: v(lambda a: [ops.cumsum(a, axis=0), ops.cumprod(a, axis=1)], x), [x])
    case("map concatenate", lambda x, k: v(lambda a: [ops.concatenate([a, ops.transpose(k), a], axis=0), ops.stack([a[0], a[1]], axis=-1), ops.pad(a, ((1, 0), (0, 2)), constant_values=2)], x), [x, k])
    case("map scan", lambda x, k: v(lambda a: ops.scan(lambda c, s: (ops.tanh(c + ops.matmul(s, k)), c), ops.zeros((2,)), a), x), [x, k])
    case("map cond", lambda x: v(lambda a: jax.lax.cond(jnp.sum(a) > 0, lambda a: a * a, lambda a: jnp.sin(a), a), x), [x])
    case("map reshape", lambda x: v(lambda a: [ops.transpose(a), ops.reshape(a, (5, 3)), ops.flip(a, axis=0), ops.repeat(a, 2, axis=1), ops.tile(a, (2, 1)), ops.roll(a, 1, axis=0)], x), [x])
    case("map constants", lambda x, k: v(lambda a: [k, ops.sum(k), ops.ones((2,)), a], x), [x, k])
    case("map onehot", lambda i, k: v(lambda n: [ops.one_hot(n, 5), ops.segment_sum(ops.take(k, n, axis=0), n % 2, num_segments=2)], i), [order, k])
    case("map in map", lambda x, y: v(lambda a: v(lambda r: ops.sum(r * y) + r, a), x), [x, normal(rng, (5,))])
    case("map linalg", lambda x: v(lambda a: [ops.linalg.inv(ops.matmul(a, ops.transpose(a)) + ops.eye(3)), ops.linalg.det(a[:, :3])], x), [x])
    scalar = ops.vectorize(lambda a, b: ops.where(a > b, a * b, a - b))
    case("vectorize scalars", lambda a, b: scalar(a, b), [normal(rng, (3, 1)), normal(rng, (4,))])
    core = ops.vectorize(ops.matmul, signature="(m,n),(n,k)->(m,k)")
    case("vectorize matmul", lambda a, b: core(a, b), [normal(rng, (5, 1, 2, 3)), normal(rng, (4, 3, 2))])
    case("vectorize vectors", lambda a, b: ops.vectorize(lambda p, q: ops.sum(p * q) * p, signature="(n),(n)->(n)")(a, b), [normal(rng, (2, 3)), normal(rng, (3,))])


def customized(rng):
    @ops.custom_gradient
    def log1pexp(x):
        e = ops.exp(x)
        return ops.log(1 + e), lambda *args, upstream=None: (upstream if upstream is not None else args[0]) * (1 - 1 / (1 + e))

    case("customGradient", log1pexp, [normal(rng, (4,))])
    case("customGradient in a loop", lambda x: ops.scan(lambda c, _: (log1pexp(c * 0.8), c), x, None, length=3), [normal(rng, (3,))])


DERIVED = {
    "sin": lambda x: jnp.sin(x),
    "product": lambda x: x[0] * x[1],
    "matmul": lambda x: x @ x.T,
    "softmax": lambda x: jax.nn.softmax(x, axis=-1),
    "logsumexp": lambda x: jax.nn.logsumexp(x, axis=0),
    "prod": lambda x: jnp.prod(x, axis=1),
    "max": lambda x: jnp.max(x, axis=0),
    "tanh of a sum": lambda x: jnp.tanh(jnp.sum(x, axis=1, keepdims=True) + x),
    "where": lambda x: jnp.where(x > 0, x * x, jnp.sin(x)),
    "cumsum": lambda x: jnp.cumsum(x * x, axis=1),
    "sort": lambda x: jnp.sort(x, axis=1),
    "concatenate": lambda x: jnp.concatenate([x, jnp.exp(x)], axis=0),
    "take": lambda x: jnp.take(x * x, jnp.array([2, 0, 0]), axis=1),
    "scan": lambda x: jax.lax.scan(lambda c, s: (jnp.sin(c + s), c * s), jnp.ones(4), x),
    "cond": lambda x: jax.lax.cond(x[0, 0] > 0, lambda: x * x, lambda: jnp.exp(x)),
    "inverse": lambda x: jnp.linalg.inv(x[:, :3] + 3 * jnp.eye(3)),
    "tree": lambda x: [x * 2, {"a": jnp.sum(x)}],
}


def derived(rng):
    for name, fn in DERIVED.items():
        case(f"jvp {name}", lambda x, v, fn=fn: jax.jvp(fn, (x,), (v,)), [normal(rng, (3, 4)), normal(rng, (3, 4))])
    two = lambda x, y: jnp.sin(x) * y + x * y * y
    case("jvp of two arguments", lambda x, y, u, v: jax.jvp(two, (x, y), (u, v)), [normal(rng, (3,)) for _ in range(4)])
    case("jvp in jvp", lambda x, v: jax.jvp(lambda x: jax.jvp(lambda x: x**3 * jnp.sin(x), (x,), (v,))[1], (x,), (v,)), [normal(rng, (3,)), normal(rng, (3,))])


def slices(rng):
    x, update = normal(rng, (4, 5)), normal(rng, (2, 3))
    cut = jax.jit(lambda x, start: ops.slice(x, start, (2, 3)))
    put = jax.jit(lambda x, start, y: ops.slice_update(x, start, y))
    for start in ([0, 0], [1, 2], [2, 2], [9, 0], [1, 9], [-1, 0], [-2, -3], [-9, -9]):
        case("slice", cut, [x, ints(*start)])
        case("sliceUpdate", put, [x, ints(*start), update])


if __name__ == "__main__":
    rng = random(77)
    for family in (branches, loops, maps, customized, derived, slices):
        family(rng)
    write("control.json", {"cases": CASES})
