"""Times NumPy, and JAX for gradients, for bench/operations.mjs: a JSON object per line in, one per line out.

    python operations.py

In: { "case", "library": "numpy" | "jax", "milliseconds", "cpu": whether to take CPU time }. Out: { "milliseconds": of one call }, or null when the library
lacks the case. One thread. The names are those of operations.mjs.
"""

import json
import os
import sys
import time

# Before any library is imported: they read these once.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import numpy as np

N = 1000
random = np.random.default_rng(1)


def normal(*shape):
    return random.standard_normal(shape, dtype=np.float32)


def integers(low, high, *shape):
    return random.integers(low, high, shape, dtype=np.int32)


A, B, C = normal(N, N), normal(N, N), normal(100, 100, 100)
ROW, COLUMN, MIDDLE = normal(N), normal(N, 1), normal(100, 1, 100)
V = A.reshape(-1)
I, J, K = integers(-1000, 1000, N, N), integers(-1000, 1000, N, N), integers(1, 50, N, N)
P = A > 0
ROWS, ALONG, PLACES, IDS, CLASSES = integers(0, N, N), integers(0, N, N, N), integers(0, N * N, N * N), integers(0, N, N * N), integers(0, N, N)
SHIFTS = integers(0, 8, N, N)
BATCHES = normal(64, 128, 128), normal(64, 128, 128)
copied = np.ascontiguousarray


def scattered(places, values, count):
    out = np.zeros((count, *values.shape[1:]), values.dtype)
    np.add.at(out, places, values)
    return out


def counted(ids, values, count):
    return np.bincount(ids, values, count).astype(np.float32)


def one_hot():
    out = np.zeros((N, N), np.float32)
    out[np.arange(N), CLASSES] = 1
    return out


def top(k, x):
    at = np.argpartition(-x, k, -1)[..., :k]
    values = np.take_along_axis(x, at, -1)
    order = np.argsort(-values, -1)
    return np.take_along_axis(values, order, -1), np.take_along_axis(at, order, -1)


def special(name):
    try:
        import scipy.special
    except ImportError:
        return None
    return getattr(scipy.special, name)


NUMPY = {
    "a + b": lambda: A + B,
    "a + bᵀ": lambda: A + B.T,
    "aᵀ · bᵀ": lambda: copied(A.T * B.T),
    "a[:, ::2] + 1": lambda: A[:, ::2] + np.float32(1),
    "a[::2] + 1": lambda: A[::2] + np.float32(1),
    "a[:, ::-1] + b": lambda: A[:, ::-1] + B,
    "a[::-1] + b": lambda: A[::-1] + B,
    "a + row": lambda: A + ROW,
    "a + column": lambda: A + COLUMN,
    "c + middle": lambda: C + MIDDLE,
    "c + c transposed [0, 2, 1]": lambda: C + C.transpose(0, 2, 1),
    "a / b": lambda: A / B,
    "√|a|": lambda: np.sqrt(np.abs(A)),
    "exp": lambda: np.exp(A),
    "tanh": lambda: np.tanh(A),
    "i + j": lambda: I + J,
    "i · j": lambda: I * J,
    "i < j": lambda: I < J,
    "a < b": lambda: A < B,
    "a == b": lambda: A == B,
    "maximum": lambda: np.maximum(A, B),
    "where(p, a, b)": lambda: np.where(P, A, B),
    "where(a < b, a, row)": lambda: np.where(A < B, A, ROW),
    "clip": lambda: np.clip(A, np.float32(-1), np.float32(1)),
    "clip, int32": lambda: np.clip(I, -100, 100),
    "i & j": lambda: I & J,
    "i ^ j": lambda: I ^ J,
    "i << shifts": lambda: I << SHIFTS,
    "i >> shifts": lambda: I >> SHIFTS,
    "floorDivide": lambda: A // B,
    "floorDivide, int32": lambda: I // K,
    "mod": lambda: np.mod(A, B),
    "mod, int32": lambda: np.mod(I, K),
    "erf": (lambda: special("erf")(A)) if special("erf") else None,
    "i0": lambda: special("i0")(A) if special("i0") else np.i0(A),
    "cast float32 to int32": lambda: A.astype(np.int32),
    "cast int32 to float32": lambda: I.astype(np.float32),
    "round": lambda: np.round(A),
    "isnan": lambda: np.isnan(A),
    "sum, first axis": lambda: A.sum(0),
    "sum, last axis": lambda: A.sum(1),
    "sum, middle axis": lambda: C.sum(1),
    "sum, all": lambda: A.sum(),
    "sum of a transposed, last axis": lambda: A.T.sum(1),
    "sum of c transposed [0, 2, 1], last axis": lambda: C.transpose(0, 2, 1).sum(2),
    "sum of c, axes 0 and 2": lambda: C.sum((0, 2)),
    "sum, int32, last axis": lambda: I.sum(1, dtype=np.int32),
    "sum, int32, first axis": lambda: I.sum(0, dtype=np.int32),
    "mean, first axis": lambda: A.mean(0),
    "max, last axis": lambda: A.max(1),
    "max, first axis": lambda: A.max(0),
    "max, middle axis": lambda: C.max(1),
    "max, int32, first axis": lambda: I.max(0),
    "max of a transposed, last axis": lambda: A.T.max(1),
    "argmax, last axis": lambda: A.argmax(1),
    "argmax, first axis": lambda: A.argmax(0),
    "argmax, middle axis": lambda: C.argmax(1),
    "argmax, all": lambda: A.argmax(),
    "argmax, int32, first axis": lambda: I.argmax(0),
    "any, last axis": lambda: P.any(1),
    "all, first axis": lambda: P.all(0),
    "prod, last axis": lambda: A.prod(1),
    "prod, first axis": lambda: A.prod(0),
    "std, last axis": lambda: A.std(1),
    "std, first axis": lambda: A.std(0),
    "std, all": lambda: A.std(),
    "countNonzero": lambda: np.count_nonzero(A),
    "cumsum, first axis": lambda: A.cumsum(0),
    "cumsum, last axis": lambda: A.cumsum(1),
    "cumsum, all": lambda: A.cumsum(),
    "cumsum, int32, last axis": lambda: I.cumsum(1, dtype=np.int32),
    "cumprod, last axis": lambda: A.cumprod(1),
    "sort, last axis": lambda: np.sort(A, 1),
    "sort, first axis": lambda: np.sort(A, 0),
    "sort, all": lambda: np.sort(V),
    "sort, int32, all": lambda: np.sort(I.reshape(-1)),
    "sort, rows of 100": lambda: np.sort(C, 2),
    "argsort, last axis": lambda: np.argsort(A, 1, kind="stable"),
    "argsort, all": lambda: np.argsort(V, kind="stable"),
    "topK of 10": lambda: top(10, A),
    "unique, int32": lambda: np.unique(IDS),
    "searchsorted": lambda: np.searchsorted(np.sort(ROW), V),
    "median, last axis": lambda: np.median(A, 1),
    "take rows": lambda: np.take(A, ROWS, 0),
    "take columns": lambda: np.take(A, ROWS, 1),
    "take elements": lambda: np.take(V, PLACES),
    "takeAlongAxis 1": lambda: np.take_along_axis(A, ALONG, 1),
    "takeAlongAxis 0": lambda: np.take_along_axis(A, ALONG, 0),
    "scatter elements": lambda: scattered(PLACES, V, N * N),
    "scatter rows": lambda: scattered(ROWS, A, N),
    "segmentSum": lambda: counted(IDS, V, N),
    "bincount": lambda: np.bincount(IDS, minlength=N),
    "oneHot": one_hot,
    "nonzero": lambda: np.nonzero(P),
    "concatenate, first axis": lambda: np.concatenate([A, B], 0),
    "concatenate, last axis": lambda: np.concatenate([A, B], 1),
    "stack, last axis": lambda: np.stack([A, B], -1),
    "pad": lambda: np.pad(A, 1),
    "pad, reflect": lambda: np.pad(A, 8, "reflect"),
    "roll, first axis": lambda: np.roll(A, 7, 0),
    "roll, last axis": lambda: np.roll(A, 7, 1),
    "flip, first axis": lambda: copied(A[::-1]),
    "flip, last axis": lambda: copied(A[:, ::-1]),
    "tile": lambda: np.tile(ROW, (N, 1)),
    "tile, last axis": lambda: np.tile(C[:, :, :25], (1, 1, 4)),
    "repeat, first axis": lambda: np.repeat(A[:250], 4, 0),
    "repeat, last axis": lambda: np.repeat(A[:, :250], 4, 1),
    "transpose": lambda: copied(A.T),
    "transpose [0, 2, 1]": lambda: copied(C.transpose(0, 2, 1)),
    "transpose [2, 1, 0]": lambda: copied(C.transpose(2, 1, 0)),
    "transpose [1, 0, 2]": lambda: copied(C.transpose(1, 0, 2)),
    "reshape of transposed": lambda: A.T.reshape(-1),
    "a[:, ::2]": lambda: copied(A[:, ::2]),
    "a[::-2]": lambda: copied(A[::-2]),
    "tril": lambda: np.tril(A),
    "diff": lambda: np.diff(A),
    "einsum ij,ij->i": lambda: np.einsum("ij,ij->i", A, B),
    "einsum ij->ji": lambda: copied(np.einsum("ij->ji", A)),
    "einsum ij,j->i": lambda: np.einsum("ij,j->i", A, ROW),
    "einsum ij,i->j": lambda: np.einsum("ij,i->j", A, ROW),
    "einsum ij,jk->ik, 1000": lambda: np.einsum("ij,jk->ik", A, B, optimize=True),
    "einsum bij,bjk->bik, 64 × 128": lambda: np.matmul(*BATCHES),
    "einsum bij,bkj->bik, 64 × 128": lambda: np.matmul(BATCHES[0], BATCHES[1].transpose(0, 2, 1)),
}


def jax_cases():
    import jax
    import jax.numpy as jnp

    a, w, row = jnp.asarray(A), jnp.asarray(B), jnp.asarray(ROW)
    ids, rows, v = jnp.asarray(IDS), jnp.asarray(ROWS), jnp.asarray(V)

    def gradient(f, *x):
        call = jax.jit(jax.value_and_grad(f))
        return lambda: jax.block_until_ready(call(*x))

    return {
        "gradient of sort": gradient(lambda x, w: (jnp.sort(x, 1) * w).sum(), a, w),
        "gradient of topK of 10": gradient(lambda x, w: (jax.lax.top_k(x, 10)[0] * w[:, :10]).sum(), a, w),
        "gradient of cumsum, last axis": gradient(lambda x, w: (jnp.cumsum(x, 1) * w).sum(), a, w),
        "gradient of cumsum, first axis": gradient(lambda x, w: (jnp.cumsum(x, 0) * w).sum(), a, w),
        "gradient of segmentSum": gradient(lambda x, w, ids: (jax.ops.segment_sum(x, ids, N) * w).sum(), v, row, ids),
        "gradient of take rows": gradient(lambda x, w, rows: (jnp.take(x, rows, 0) * w).sum(), a, w, rows),
        "gradient of max, last axis": gradient(lambda x, w: (x.max(1) * w).sum(), a, row),
        "gradient of prod, last axis": gradient(lambda x, w: (x.prod(1) * w).sum(), a, row),
        "gradient of std, last axis": gradient(lambda x, w: (x.std(1) * w).sum(), a, row),
        "gradient of a + row": gradient(lambda r, a, w: ((a + r) * w).sum(), row, a, w),
    }


made = {}


def main():
    counts = {}
    for line in sys.stdin:
        request = json.loads(line)
        name, library = request["case"], request["library"]
        if library not in made:
            made[library] = NUMPY if library == "numpy" else jax_cases()
        call = made[library].get(name)
        if call is None:
            print("null", flush=True)
            continue
        if (library, name) not in counts:
            start = time.perf_counter()
            call()
            first = time.perf_counter() - start
            start = time.perf_counter()
            if first < 1:
                call()
            each = max(1e-9, min(first, time.perf_counter() - start) if first < 1 else first)
            counts[library, name] = max(1, round(request["milliseconds"] / 1000 / each))
        count = counts[library, name]
        clock = time.process_time if request["cpu"] else time.perf_counter
        start = clock()
        for _ in range(count):
            call()
        print(json.dumps({"milliseconds": (clock() - start) * 1000 / count}), flush=True)


if __name__ == "__main__":
    main()
