"""Writes dtypes.json.gz: what each op gives for operands of each dtype: float32, int32 and bool in every combination, and
Python's numbers as second operands.

Usage: python dtypes.py
"""

import gzip
import itertools
import json
import re

import numpy as np
from common import HERE, encode, keras
from keras import ops

DTYPES = ("float32", "int32", "bool")
MATRIX = [[3, 1, 0], [0, 2, 5]]
SQUARE = [[4, 1], [1, 3]]
VECTOR = [1, 0, 3]
OTHER = [2, 1, 1]


class Operand:
    """An operand whose dtype varies."""

    def __init__(self, values):
        self.values = np.array(values)


class Fixed:
    """An operand of one dtype."""

    def __init__(self, values, dtype="int32"):
        self.array = np.array(values, dtype)


M, S, V, O = Operand(MATRIX), Operand(SQUARE), Operand(VECTOR), Operand(OTHER)
INDEX = Fixed([2, 0, 1])
SERIES = Operand([[[1], [2], [0], [3]]])
PICTURE = Operand([[[[1, 2, 0, 3], [1, 1, 0, 2]], [[0, 2, 1, 1], [3, 0, 0, 1]]]])
HEADS = Operand([[[[1, 0]], [[2, 1]]]])

UNARY = """abs absolute amax amin angle bitwise_not conjugate arccos arccosh arcsin arcsinh arctan arctanh bitwise_invert cbrt ceil conj cos cosh deg2rad erf erfc erfinv
exp exp2 expm1 fabs floor i0 imag isfinite isinf isnan isneginf isposinf isreal log log10 log1p log2 logical_not negative
nan_to_num rad2deg real reciprocal round rsqrt sign signbit sin sinc sinh sqrt square tan tanh trunc
celu elu gelu hard_swish swish hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu log_sigmoid relu relu6 selu sigmoid silu
soft_shrink softplus softsign sparse_plus sparse_sigmoid squareplus tanh_shrink stop_gradient
all any argmax argmin argsort average corrcoef count_nonzero cumprod cumsum diff logsumexp max mean median min norm prod ptp
sort std sum var nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin nanprod nanstd nansum nanvar
copy diag diagonal empty_like flip fliplr flipud ravel rot90 squeeze trace transpose trapezoid tril triu zeros_like ones_like
unique unstack nonzero shape size ndim normalize layer_normalization rms_normalization"""
BINARY = """add arctan2 left_shift right_shift bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor divide divide_no_nan equal
floor_divide fmax fmin fmod gcd greater greater_equal heaviside hypot isclose lcm ldexp less less_equal logaddexp logaddexp2
logical_and logical_or logical_xor maximum minimum mod multiply nextafter not_equal power subtract true_divide
append cross dot inner kron outer vdot correlate isin allclose"""
VECTORS = ("append", "cross", "dot", "inner", "kron", "outer", "vdot", "correlate", "isin", "allclose")

CALLS = [
    *((name, [M]) for name in UNARY.split() ),
    *((name, [V]) for name in ("vander", "histogram", "diagflat", "softmax", "log_softmax", "sparsemax", "rfft")),
    *((name, [V, O]) for name in BINARY.split()),
    *((name, [V, 2]) for name in BINARY.split() if name not in VECTORS),
    *((name, [V, 2.5]) for name in BINARY.split() if name not in VECTORS and not re.search("bitwise|shift|gcd|lcm", name)),
    *((name, [S]) for name in ("cholesky", "det", "inv", "logdet", "pinv", "qr", "slogdet", "matrix_rank")),
    *((name, [S, Operand([1, 2])]) for name in ("solve", "lstsq", "solve_triangular", "matmul")),
    ("matmul", [M, V]),
    ("tensordot", [M, M]),
    ("einsum", ["ij,j->i", M, V]),
    ("meshgrid", [V, O]),
    ("concatenate", [[V, O]]),
    ("stack", [[V, O]]),
    ("hstack", [[V, O]]),
    ("vstack", [[V, O]]),
    ("dstack", [[V, O]]),
    ("where", [Fixed([1, 0, 1], "bool"), V, O]),
    ("where", [V, O, 2.5]),
    ("where", [V, O, 2]),
    ("where", [Fixed([1, 0, 1], "bool"), 1, 2]),
    ("where", [Fixed([1, 0, 1], "bool"), 1, 2.5]),
    ("select", [[Fixed([1, 0, 1], "bool")], [V], 0]),
    ("split", [M, 3, 1]),
    ("repeat", [M, 2]),
    ("tile", [M, [2]]),
    ("roll", [M, 1]),
    ("reshape", [M, [3, 2]]),
    ("expand_dims", [V, 0]),
    ("broadcast_to", [V, [2, 3]]),
    ("moveaxis", [M, 0, 1]),
    ("swapaxes", [M, 0, 1]),
    ("pad", [M, 1]),
    ("take", [M, INDEX]),
    ("take", [V, V]),
    ("take_along_axis", [V, INDEX]),
    ("top_k", [V, 2]),
    ("in_top_k", [Fixed([0, 1]), Fixed([[0.5, 0.2], [0.1, 0.9]], "float32"), 1]),
    ("argpartition", [V, 1]),
    ("digitize", [O, Fixed([0, 1, 3])]),
    ("digitize", [O, Fixed([0, 1, 3], "float32")]),
    ("searchsorted", [Operand([0, 1, 3]), O]),
    ("bincount", [Fixed([1, 2, 1])]),
    ("bincount", [Fixed([1, 2, 1]), V]),
    ("quantile", [M, 0.25]),
    ("percentile", [M, 25]),
    ("nanquantile", [M, 0.25]),
    ("nanpercentile", [M, 25]),
    ("one_hot", [V, 4]),
    ("one_hot", [Fixed([-1, 0, 4, 7]), 4]),
    ("multi_hot", [V, 4]),
    ("scatter", [Fixed([[0], [2], [3]]), V, [4]]),
    ("scatter_update", [V, Fixed([[1], [0]]), Operand([5, 0])]),
    ("slice", [V, [1], [2]]),
    ("slice_update", [V, [1], Operand([5, 0])]),
    ("segment_sum", [V, Fixed([0, 1, 1]), 2]),
    ("segment_max", [V, Fixed([0, 1, 1]), 2]),
    ("segment_min", [V, Fixed([0, 1, 1]), 2]),
    ("segment_prod", [V, Fixed([0, 1, 1]), 2]),
    ("clip", [V, 1, 2]),
    ("clip", [V, 0.5, 2.5]),
    ("average", [M, None, M]),
    ("moments", [M, 0]),
    ("linspace", [0, 4, 5]),
    ("linspace", [Operand([0, 1]), Operand([1, 2]), 3]),
    ("logspace", [Operand([0, 1]), Operand([1, 2]), 3]),
    ("geomspace", [Operand([1, 2]), Operand([1, 2]), 3]),
    ("full_like", [V, 2]),
    ("full_like", [V, 2.5]),
    ("full", [[2], 3]),
    ("full", [[2], 2.5]),
    ("arange", [3]),
    ("arange", [0, 1, 0.5]),
    ("eye", [2]),
    ("identity", [2]),
    ("tri", [2]),
    ("threshold", [V, 1, 0]),
    ("unravel_index", [Fixed([1, 5]), [2, 3]]),
    ("extract_sequences", [V, 2, 1]),
    ("cdist", [M, M]),
    ("conv", [Operand([[[1], [2], [0]]]), Operand([[[1]], [[2]]])]),
    ("conv_transpose", [SERIES, Operand([[[1]], [[2]]]), 1]),
    ("depthwise_conv", [SERIES, Operand([[[1]], [[2]]])]),
    ("separable_conv", [SERIES, Fixed([[[1]], [[2]]], "float32"), Fixed([[[1]]], "float32")]),
    *((name, [SERIES, 2, 2]) for name in ("max_pool", "average_pool")),
    *((name, [SERIES, 2]) for name in ("adaptive_max_pool", "adaptive_average_pool")),
    ("depth_to_space", [PICTURE, 2]),
    ("space_to_depth", [PICTURE, 2]),
    ("unfold", [PICTURE, 2]),
    ("glu", [Operand([[1, 0, 2, 3]])]),
    ("batch_normalization", [M, Fixed([1, 1, 0], "float32"), Fixed([1, 2, 1], "float32"), 1]),
    ("cholesky_inverse", [Operand([[2, 0], [1, 1]])]),
    ("eigh", [Operand([[2, 0], [0, 1]])]),
    ("svd", [Operand([[2, 0], [0, 1]])]),
    ("lu_factor", [Operand([[2, 0], [0, 1]])]),
    ("dot_product_attention", [HEADS, HEADS, HEADS]),
    ("categorical_crossentropy", [Operand([[1, 0]]), Fixed([[0.5, 0.5]], "float32")]),
    ("sparse_categorical_crossentropy", [Operand([1, 0]), Fixed([[0.5, 0.5], [0.25, 0.75]], "float32")]),
    ("array_split", [M, 3, 1]),
    ("hsplit", [M, 3]),
    ("vsplit", [M, 2]),
    ("dsplit", [PICTURE, 2]),
    ("rearrange", [M, "a b -> b a"]),
    ("polar", [V, O]),
    *(("cast", [V, dtype]) for dtype in DTYPES),
    *(("saturate_cast", [V, dtype]) for dtype in ("float32", "int32")),
    *((name, [size]) for name in ("bartlett", "blackman", "hamming", "hanning") for size in (4,)),
    ("kaiser", [4, 2]),
    ("ones", [[2]]),
    ("zeros", [[2]]),
    ("empty", [[0]]),
    ("convert_to_tensor", [V]),
    ("array", [V]),
    ("binary_crossentropy", [Operand([1, 0]), Fixed([0.5, 0.25], "float32")]),
    ("psnr", [V, O, 1]),
    ("sum", [M, 1]),
    ("round", [M, -1]),
]
# Powers of whole numbers beyond the whole numbers that float32 has, and beyond int32.
CALLS += [
    ("power", [Fixed([3, -3, 7, 46341, 2, -2, 0, 1]), Fixed([19, 19, 11, 2, 31, 31, 0, 100])]),
    ("power", [Fixed([3, -3, 46340]), 2]),
    # JAX reads the last six binary digits of an exponent, so that 5^-3 is 5^61 there.
    ("power", [Fixed([2, -1, 1, 0, -1]), Fixed([-1, -1, -2, -1, -2])]),
    ("vander", [Fixed([100, 3, 251]), 5]),
    ("prod", [Fixed([65537, 257])]),
]


def stored(value):
    array = np.asarray(value)
    data = [float(str(x)) if array.dtype == np.float32 and np.isfinite(x) else str(x) if array.dtype == np.float32 else int(x) for x in array.ravel()]
    data = [int(x) if isinstance(x, float) and x.is_integer() and str(x) != "-0.0" else x for x in data]
    names = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    return {"dtype": str(array.dtype), "shape": list(array.shape), "data": [names.get(x, x) for x in data]}


def operands(value):
    if isinstance(value, Operand):
        return 1
    return sum(map(operands, value)) if isinstance(value, list) else 0


def filled(value, dtypes):
    if isinstance(value, Operand):
        return ops.convert_to_tensor(value.values.astype(next(dtypes)))
    if isinstance(value, Fixed):
        return ops.convert_to_tensor(value.array)
    return [filled(each, dtypes) for each in value] if isinstance(value, list) else value


def described(value):
    """An operand whose dtype varies is { vary: values }."""
    if isinstance(value, Operand):
        return {"vary": value.values.tolist()}
    if isinstance(value, Fixed):
        return stored(value.array)
    return [described(each) for each in value] if isinstance(value, list) else value


def results(name, given):
    count = sum(map(operands, given))
    for dtypes in itertools.product(DTYPES, repeat=count):
        try:
            result = getattr(ops, name)(*filled(given, iter(dtypes)))
        except Exception as error:
            yield {"dtypes": list(dtypes), "error": type(error).__name__}
            continue
        outputs = list(result) if isinstance(result, (tuple, list)) else [result]
        outputs = [ops.convert_to_tensor(each) for each in outputs]
        if all(str(each.dtype) in DTYPES for each in outputs):
            yield {"dtypes": list(dtypes), "outputs": [stored(each) for each in outputs]}
        else:
            yield {"dtypes": list(dtypes), "error": str(outputs[0].dtype)}


if __name__ == "__main__":
    calls = [{"op": name, "given": described(given), "results": list(results(name, given))} for name, given in CALLS]
    named = {name for name, _ in CALLS}
    missing = [name for name in sorted(dir(ops)) if not name.startswith("_") and callable(getattr(ops, name)) and name not in named]
    content = {"keras": keras.__version__, "calls": calls, "without": missing}
    lines = ",\n ".join(json.dumps(each, separators=(",", ":"), allow_nan=False) for each in calls)
    text = f'{{"keras": "{keras.__version__}", "without": {encode(missing)},\n"calls": [\n {lines}\n]}}\n'
    (HERE / "dtypes.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(len(calls), sum(len(each["results"]) for each in calls), "left out:", *missing)
