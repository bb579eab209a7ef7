"""Writes signatures.json: the parameters of keras.ops, keras.ops.image, keras.random and keras.activations with their
defaults, and what each op gives for int32 operands when it gets the required arguments only.

Usage: python signatures.py
"""

import inspect

import keras
import numpy as np
from common import HERE, encode
from keras import ops

MATRIX = np.array([[3, 1, 2], [4, 6, 5]], "int32")
SQUARE = np.array([[4, 1], [1, 3]], "int32")
VECTOR = np.array([1, 2, 4], "int32")
OTHER = np.array([2, 1, 3], "int32")
PLACES = np.array([[1], [1]], "int32")
UPDATES = np.array([5, 7], "int32")
SEGMENTS = np.array([0, 1, 1], "int32")

UNARY = """abs arccos arccosh arcsin arcsinh arctan arctanh cbrt ceil cos cosh deg2rad erfinv exp exp2 expm1 floor isfinite
isinf isnan log log10 log1p log2 logical_not negative rad2deg reciprocal round sign sin sinc sinh sqrt square tan
tanh trunc nan_to_num celu elu gelu hard_sigmoid hard_silu leaky_relu log_softmax relu relu6 selu softmax softplus softsign
all any argmax argmin argsort average count_nonzero cumprod cumsum max mean median min norm prod ptp sort std sum var logsumexp
diag diagonal diff flip ravel rot90 squeeze trace transpose tril triu zeros_like ones_like
unstack"""
BINARY = """add arctan2 divide divide_no_nan equal floor_divide greater greater_equal hypot isclose less less_equal logaddexp
logical_and logical_or logical_xor maximum minimum mod multiply not_equal power subtract cross dot inner kron matmul outer vdot
isin searchsorted"""

BOOLS = np.array([True, False, True])
OTHERS = np.array([True, True, False])
TABLE = np.array([[True, False, True], [True, True, False], [False, False, True]])

CALLS = [
    # which Keras on JAX computes in float32 only
    *[(name, [MATRIX.astype("float32")]) for name in ("erf", "rsqrt", "sigmoid", "silu", "rms_normalization", "layer_normalization")],
    *[(name, [SQUARE if name in ("diagonal", "trace", "rot90", "diag") else MATRIX]) for name in UNARY.split()],
    *[(name, [VECTOR, OTHER]) for name in BINARY.split()],
    *[(name, [SQUARE]) for name in ("cholesky", "det", "inv", "logdet", "pinv", "qr", "slogdet")],
    *[(name, [SQUARE, np.array([1, 2], "int32")]) for name in ("solve", "lstsq", "solve_triangular")],
    ("tensordot", [MATRIX, MATRIX]),
    ("meshgrid", [VECTOR, OTHER]),
    ("concatenate", [[MATRIX, MATRIX]]),
    ("stack", [[MATRIX, MATRIX]]),
    ("split", [MATRIX, 2]),
    ("repeat", [MATRIX, 2]),
    ("tile", [MATRIX, 2]),
    ("roll", [MATRIX, 1]),
    ("take", [MATRIX, OTHER]),
    ("take_along_axis", [MATRIX, OTHER]),
    ("pad", [MATRIX, 1]),
    ("top_k", [MATRIX, 2]),
    ("digitize", [OTHER, VECTOR]),
    ("quantile", [MATRIX, 0.25]),
    ("one_hot", [OTHER, 4]),
    ("scatter", [np.array([[0], [2]], "int32"), UPDATES, [4]]),
    ("scatter_update", [VECTOR, PLACES, UPDATES]),
    ("segment_sum", [VECTOR, SEGMENTS, 2]),
    ("segment_max", [VECTOR, SEGMENTS, 2]),
    ("segment_min", [VECTOR, SEGMENTS, 2]),
    ("segment_max", [VECTOR, SEGMENTS, 3]),
    ("segment_min", [VECTOR, SEGMENTS, 3]),
    ("segment_min", [np.array([-(2**31), 2**31 - 1], "int32"), np.array([0, 1], "int32"), 3]),
    ("moments", [MATRIX, 0]),
    ("normalize", [MATRIX.astype("float32")]),
    ("histogram", [VECTOR]),
    ("vander", [VECTOR]),
    ("diagflat", [VECTOR]),
    ("arange", [3]),
    ("arange", [1, 2, 0.5]),
    ("arange", [5, 1, -2]),
    ("eye", [2]),
    ("tri", [2]),
    ("full", [[2], 3]),
    ("zeros", [[2]]),
    ("ones", [[2]]),
    ("linspace", [0, 4]),
    ("logspace", [0, 2]),
    ("rfft", [VECTOR]),
    ("extract_sequences", [VECTOR, 2, 1]),
    ("stft", [np.arange(12).astype("float32"), 4, 2, 4]),
    ("matrix_rank", [MATRIX.astype("float32")]),
    ("clip", [VECTOR, 2, 3]),
    ("where", [VECTOR, VECTOR, OTHER]),
    # the positional options
    ("round", [np.array([15, 25, 24, -15, -25], "int32"), -1]),
    ("round", [np.array([1.25, 1.35, -0.125], "float32"), 1]),
    ("round", [np.array([15, 25, -15], "float32"), -1]),
    ("max", [MATRIX, 1, False, 5]),
    ("max", [np.zeros((0, 3), "float32"), 0, False, -2]),
    ("min", [MATRIX, 1, True, 2]),
    ("prod", [np.array([1.5, 2.5], "float32"), None, False, "int32"]),
    ("prod", [MATRIX, 0, True, "float32"]),
    ("prod", [MATRIX, None, False, "bool"]),
    ("cumsum", [np.array([1.7, 1.7], "float32"), None, "int32"]),
    ("cumsum", [MATRIX, 1, "float32"]),
    ("cumprod", [MATRIX, 0, "bool"]),
    ("one_hot", [np.array([[0, 2]], "int32"), 3, 0, "int32"]),
    ("one_hot", [np.array([[0, 2]], "int32"), 3, -2, "bool"]),
    ("isin", [VECTOR, OTHER, False, True]),
    ("zeros_like", [MATRIX, "bool"]),
    ("ones_like", [MATRIX, "float32"]),
    ("tri", [2, 3, 1, "int32"]),
    ("scatter_update", [VECTOR, PLACES, UPDATES, "add"]),
    ("scatter_update", [VECTOR, PLACES, np.array([5, 1], "int32"), "max"]),
    ("scatter_update", [VECTOR, np.array([[1], [0]], "int32"), np.array([-5, 7], "int32"), "min"]),
    ("scatter_update", [VECTOR, np.array([[1], [0], [1]], "int32"), np.array([-5, 7, 3], "int32"), "mul"]),
    ("scatter_update", [MATRIX.astype("float32"), np.array([[1], [1], [1]], "int32"), np.array([[1.5, 0, 3], [4, 5, -6], [0.5, 2, 2]], "float32"), "mul"]),
    ("scatter_update", [MATRIX.astype("float32"), PLACES, np.array([[1.5, 2, 3], [4, 5, 6]], "float32"), "add"]),
    # bool stays bool
    *((op, [BOOLS, OTHERS]) for op in ("add", "multiply", "maximum", "minimum", "matmul", "dot", "inner", "outer", "vdot")),
    *((op, [BOOLS]) for op in ("abs", "absolute", "max", "min", "sort", "square", "sum")),
    ("tensordot", [BOOLS, OTHERS, 1]),
    ("einsum", ["i,i->", BOOLS, OTHERS]),
    ("matmul", [TABLE, TABLE]),
    ("maximum", [BOOLS, 1]),
    ("add", [BOOLS, np.array([2, 3, 4], "int32")]),
    # numbers as tensors
    ("quantile", [MATRIX, np.array([0.25, 0.5], "float32")]),
    ("quantile", [MATRIX, np.array(0.25, "float32"), 1]),
    ("percentile", [MATRIX, np.array([25, 50], "float32"), 0]),
    ("repeat", [VECTOR, np.array([2], "int32")]),
    ("repeat", [MATRIX, np.array([1, 2], "int32"), 0]),
    ("repeat", [MATRIX, np.array(2, "int32"), 1]),
]


def default(value):
    plain = value is None or isinstance(value, (bool, int, float, str))
    return value if plain else list(value) if isinstance(value, tuple) else repr(value)


def parameters(function):
    """[name, default] of each parameter; a required one has no default."""
    return [
        [("*" if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD) else "") + each.name]
        + ([] if each.default is each.empty else [default(each.default)])
        for each in inspect.signature(function).parameters.values()
    ]


def signatures(module):
    functions = {name: getattr(module, name) for name in sorted(dir(module)) if not name.startswith("_")}
    return {name: parameters(each) for name, each in functions.items() if inspect.isfunction(each)}


def stored(value):
    if isinstance(value, np.ndarray) or hasattr(value, "dtype"):
        array = np.asarray(value)
        data = [
            str(x) if not np.isfinite(x) else float(str(x)) if array.dtype == np.float32 else int(x)
            for x in array.ravel()
        ]
        names = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
        data = [names.get(x, x) for x in data]
        return {"dtype": str(array.dtype), "shape": list(array.shape), "data": data}
    return [stored(each) for each in value] if isinstance(value, (list, tuple)) else value


def call(name, given):
    result = getattr(ops, name)(*given)
    outputs = list(result) if isinstance(result, (tuple, list)) else [result]
    return {"op": name, "given": stored(given), "outputs": stored([ops.convert_to_tensor(each) for each in outputs])}


if __name__ == "__main__":
    modules = {"ops": keras.ops, "image": keras.ops.image, "random": keras.random, "activations": keras.activations}
    content = {
        "keras": keras.__version__,
        "signatures": {name: signatures(module) for name, module in modules.items()},
        "calls": [call(name, given) for name, given in CALLS],
    }
    (HERE / "signatures.json").write_text(encode(content) + "\n")
