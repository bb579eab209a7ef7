"""Writes keras/operations.json, the classes of Keras's ops with their parameters, and keras/operations-<Keras>.json.gz: models of one
op as Keras saves them, and what they predict.

Usage: python keras_operations.py   Calls that Keras refuses, or cannot compute on JAX, are left out, and printed.
"""

import gzip
import inspect
import json
import os
import tempfile
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ["JAX_PLATFORMS"] = "cpu"

import h5py
import keras
import numpy as np
from keras import Input, Model, ops
from keras.src.layers.layer import Layer
from keras.src.ops.operation import Operation

HERE = Path(__file__).parent / "keras"
A = keras.activations


# ---------------------------------------------------------------- classes


def subclasses(of):
    return [each for direct in of.__subclasses__() for each in (direct, *subclasses(direct))]


def parameters(function):
    """[name, default] of each parameter; a required one has no default. Those that take any number have stars."""
    found = []
    for each in inspect.signature(function).parameters.values():
        if each.name in ("self", "name"):
            continue
        stars = {each.VAR_POSITIONAL: "*", each.VAR_KEYWORD: "**"}.get(each.kind, "")
        default = list(each.default) if isinstance(each.default, tuple) else each.default
        found.append([stars + each.name] + ([] if each.default is each.empty else [default]))
    return found


def functions():
    """The functions of Keras by their names in lower case without underscores."""
    found = {}
    for module in (ops, ops.image, ops.nn, ops.linalg, ops.numpy, A):
        for name, each in vars(module).items():
            if inspect.isfunction(each):
                found.setdefault(name.replace("_", "").lower(), each)
    return found


LONG = {"BatchNorm": "batchnormalization", "LayerNorm": "layernormalization", "RMSNorm": "rmsnormalization"}


def classes():
    by_name = functions()
    found = {}
    for each in sorted(set(subclasses(Operation)), key=lambda each: (each.__module__, each.__name__)):
        if issubclass(each, Layer) or not each.__module__.startswith("keras."):
            continue
        function = by_name.get(LONG.get(each.__name__, each.__name__.lower()))
        found.setdefault(each.__module__, {})[each.__name__] = {
            "options": parameters(each.__init__),
            "call": parameters(each.call),
            **({} if function is None else {"function": parameters(function)}),
        }
    return found


# ---------------------------------------------------------------- cases
# Without sparsemax, which Keras computes wrongly, eig, whose results are complex, and the absolute values of complex tensors.


class F:
    """An input of floats in (−1, 1)."""

    dtype = "float32"

    def __init__(self, *shape, batch=None):
        self.shape, self.batch = shape, batch

    def values(self, k):
        shape = (self.batch or 2, *self.shape)
        i = np.arange(int(np.prod(shape)))
        return self.of(((37 * i + 11 * k) % 101) / 50 - 1.01).reshape(shape)

    def of(self, x):
        return x.astype("float32")


class P(F):
    """Positive floats, and not whole."""

    def of(self, x):
        return (np.abs(x) * 1.5 + 0.31).astype("float32")


class U(F):
    """Floats in (0.05, 0.95)."""

    def of(self, x):
        return (np.abs(x) * 0.9 + 0.05).clip(0.05, 0.95).astype("float32")


class I(F):
    """Integers from 0 to 4."""

    dtype = "int32"

    def of(self, x):
        return (np.abs(x) * 4.4).astype("int32")


class B(F):
    dtype = "bool"

    def of(self, x):
        return x > 0.1


def f32(*values):
    return np.array(values, "float32")


def i32(*values):
    return np.array(values, "int32")


def grid(*shape, k=3):
    return F(*shape[1:], batch=shape[0]).values(k)


SQUARE = lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1))) + 2 * np.eye(3, dtype="float32")

UNARY = """absolute angle arcsinh arctan cbrt ceil conj conjugate copy cos cosh deg2rad erf erfc exp exp2 expm1 fabs fliplr flipud floor
hard_sigmoid hard_silu hard_tanh i0 isfinite isinf isnan isneginf isposinf isreal log_sigmoid negative rad2deg ravel real reciprocal relu relu6
selu sigmoid sign signbit silu sin sinc sinh softplus softsign sparse_plus sparse_sigmoid square tan tanh tanh_shrink trunc stop_gradient
logical_not nan_to_num round logsumexp imag abs swish hard_swish size ndim array convert_to_tensor
gelu elu celu leaky_relu glu log_softmax softmax hard_shrink soft_shrink squareplus normalize layer_normalization rms_normalization
all amax amin any argmax argmin mean median nanargmax nanargmin nanmax nanmean nanmedian nanmin nanprod nanstd nansum nanvar ptp std sum var max min
prod argsort count_nonzero flip sort squeeze empty_like ones_like zeros_like cumsum cumprod nancumsum nancumprod average norm tril triu diff
transpose""".split()
POSITIVE = "arccosh log log10 log1p log2 rsqrt sqrt".split()
UNIT = "arccos arcsin arctanh erfinv".split()
BINARY = """add arctan2 divide divide_no_nan equal floor_divide fmax fmin fmod greater greater_equal heaviside hypot less less_equal logaddexp
logaddexp2 maximum minimum mod multiply nextafter not_equal subtract true_divide logical_and logical_or logical_xor isclose allclose""".split()
INTEGERS = "bitwise_and bitwise_or bitwise_xor left_shift right_shift bitwise_left_shift bitwise_right_shift gcd lcm".split()
REDUCING = """all amax amin any argmax argmin mean median nanargmax nanargmin nanmax nanmean nanmedian nanmin nanprod nanstd nansum nanvar ptp std sum
var max min prod logsumexp""".split()
SQUARES = "cholesky det inv logdet slogdet pinv lu_factor eigh qr svd matrix_rank cholesky_inverse".split()
ACTIVATIONS = """celu elu exponential gelu glu hard_shrink hard_sigmoid hard_tanh leaky_relu linear log_sigmoid log_softmax relu relu6 selu
sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid squareplus tanh tanh_shrink""".split()


def cases():
    """(name, inputs, function of symbols)"""
    for name in UNARY:
        if hasattr(ops, name):
            f = getattr(ops, name)
            yield name, [F(4, 6)], f
    for name in POSITIVE:
        yield name, [P(4)], (lambda x, f=getattr(ops, name): f(x + 1))
    for name in UNIT:
        yield name, [U(4)], getattr(ops, name)
    for name in "add multiply negative sign square abs floor ceil bitwise_not bitwise_invert power sum mean max prod cumsum sort argmax sqrt exp divide where".split():
        if name in "add multiply power divide".split():
            yield f"{name}_of_integers", [I(4), I(4)], getattr(ops, name)
            yield f"{name}_of_an_integer", [I(4)], (lambda x, f=getattr(ops, name): f(x, 2))
            yield f"{name}_of_a_float", [I(4)], (lambda x, f=getattr(ops, name): f(x, 2.5))
        elif name == "where":
            yield "where_of_integers", [B(4)], (lambda c: ops.where(c, 1, 0))
            yield "where_of_floats", [B(4)], (lambda c: ops.where(c, 1.5, 0.0))
        else:
            yield f"{name}_of_integers", [I(4)], getattr(ops, name)
    for name in BINARY:
        f = getattr(ops, name)
        kind = B if name.startswith("logical") else P
        yield name, [kind(3, 4), kind(4)], (lambda a, b, f=f: f(a, ops.expand_dims(b, 1)))
        constant = np.array([True, False, True, False]) if kind is B else f32(1.25, -2, 0.75, 3)
        yield f"{name}_right", [kind(4)], (lambda x, f=f, c=constant: f(x, c))
        yield f"{name}_left", [kind(4)], (lambda x, f=f, c=constant: f(c, x))
        if kind is P and name not in ("heaviside", "hypot"):
            yield f"{name}_number", [kind(4)], (lambda x, f=f: f(x, 0.5))
            yield f"{name}_of_number", [kind(4)], (lambda x, f=f: f(0.5, x))
            yield f"{name}_tensor", [kind(4)], (lambda x, f=f: f(ops.convert_to_tensor(f32(1, 2, 3, 4)), x))
    yield "power", [P(4), F(4)], ops.power
    yield "power_constant", [P(4)], lambda x: ops.power(x, f32(1, 2, 3, -1))
    yield "power_of_constant", [F(4)], lambda x: ops.power(f32(1, 2, 3, 4), x)
    yield "ldexp", [F(4), I(4)], ops.ldexp
    yield "ldexp_constant", [F(4)], lambda x: ops.ldexp(x, i32(1, 2, 0, -1))
    for name in INTEGERS:
        if hasattr(ops, name):
            f = getattr(ops, name)
            yield name, [I(4), I(4)], f
            yield f"{name}_constant", [I(4)], (lambda x, f=f: f(x, i32(1, 2, 3, 1)))
            yield f"{name}_of_constant", [I(4)], (lambda x, f=f: f(i32(5, 2, 3, 1), x))
    for name in REDUCING:
        f = getattr(ops, name)
        yield f"{name}_axis", [F(3, 4)], (lambda x, f=f: f(x, axis=1))
        yield f"{name}_kept", [F(3, 4)], (lambda x, f=f: f(x, axis=-1, keepdims=True))
        if "arg" not in name:
            yield f"{name}_axes", [F(3, 4)], (lambda x, f=f: f(x, axis=(1, 2)))
    for name in SQUARES:
        f = getattr(ops, name, None) or getattr(ops.linalg, name, None)
        if f is not None:
            if name == "cholesky_inverse":
                yield name, [F(batch=3)], (lambda x, f=f: f(ops.diag(x + 2)))
            else:
                yield name, [F(3, 3)], (lambda x, f=f: f(SQUARE(x)))
    for name in ACTIVATIONS:
        yield f"activation_{name}", [F(4, 6)], getattr(A, name)
    yield "activation_relu_options", [F(4, 6)], lambda x: A.relu(x, 0.1, 0.5, 0.2)
    yield "activation_threshold", [F(4, 6)], lambda x: A.threshold(x, 0.1, 7)
    yield "activation_softmax_axes", [F(4, 6)], lambda x: A.softmax(x, axis=(1, 2))

    # nn
    yield "gelu_exact", [F(4)], lambda x: ops.gelu(x, approximate=False)
    yield "elu_alpha", [F(4)], lambda x: ops.elu(x, 0.3)
    yield "celu_alpha", [F(4)], lambda x: ops.celu(x, alpha=2)
    yield "leaky_relu_slope", [F(4)], lambda x: ops.leaky_relu(x, negative_slope=0.01)
    yield "glu_axis", [F(4, 6)], lambda x: ops.glu(x, axis=1)
    yield "softmax_axis", [F(4, 6)], lambda x: ops.softmax(x, axis=1)
    yield "softmax_axes", [F(4, 6)], lambda x: ops.softmax(x, axis=(1, 2))
    yield "log_softmax_axis", [F(4, 6)], lambda x: ops.log_softmax(x, axis=1)
    yield "hard_shrink_threshold", [F(4)], lambda x: ops.hard_shrink(x, 0.1)
    yield "soft_shrink_threshold", [F(4)], lambda x: ops.soft_shrink(x, 0.1)
    yield "squareplus_b", [F(4)], lambda x: ops.squareplus(x, 1)
    yield "threshold", [F(4)], lambda x: ops.threshold(x, 0.1, -3)
    yield "average_pool", [F(6, 2)], lambda x: ops.average_pool(x, 2, 2)
    yield "average_pool_same", [F(5, 6, 2)], lambda x: ops.average_pool(x, (2, 3), strides=(1, 2), padding="same")
    yield "max_pool", [F(6, 6, 2)], lambda x: ops.max_pool(x, 2, strides=2)
    yield "max_pool_strides", [F(6, 2)], lambda x: ops.max_pool(x, 3, strides=1, padding="same", data_format="channels_last")
    yield "batch_normalization", [F(3, 4)], lambda x: ops.batch_normalization(x, f32(0, 1, 2, 3), f32(1, 2, 3, 4), -1)
    yield "batch_normalization_scaled", [F(3, 4)], lambda x: ops.batch_normalization(x, f32(0, 1, 2), f32(1, 2, 3), 1, f32(1, 1, 0), f32(2, 2, 1), 1e-2)
    yield "batch_normalization_scale", [F(4)], lambda x: ops.batch_normalization(x, f32(0, 1, 2, 3), f32(1, 2, 3, 4), axis=-1, scale=f32(2, 2, 1, 1))
    yield "batch_normalization_of_symbols", [F(4)], lambda x: ops.batch_normalization(x, ops.mean(x, 0), ops.var(x, 0) + 1, -1)
    yield "layer_normalization_scaled", [F(3, 4)], lambda x: ops.layer_normalization(x, f32(1, 2, 3, 4), f32(0, 1, 2, 3))
    yield "layer_normalization_axes", [F(3, 4)], lambda x: ops.layer_normalization(x, axis=(1, 2), epsilon=0.1)
    yield "layer_normalization_beta", [F(3, 4)], lambda x: ops.layer_normalization(x, beta=f32(0, 1, 2, 3))
    yield "rms_normalization_scaled", [F(3, 4)], lambda x: ops.rms_normalization(x, f32(1, 2, 3, 4), axis=-1, epsilon=0.1)
    yield "moments", [F(3, 4)], lambda x: ops.moments(x, [1])
    yield "moments_kept", [F(3, 4)], lambda x: ops.moments(x, [0, 2], keepdims=True)
    yield "normalize_order", [F(3, 4)], lambda x: ops.normalize(x, axis=1, order=1)
    yield "normalize_epsilon", [F(3, 4)], lambda x: ops.normalize(x, axis=(1, 2), epsilon=0.1)
    yield "one_hot", [I(3)], lambda x: ops.one_hot(x, 5)
    yield "one_hot_axis", [I(3)], lambda x: ops.one_hot(x, 5, axis=1, dtype="int32")
    yield "multi_hot", [I(3)], lambda x: ops.multi_hot(x, 5)
    yield "polar", [P(4), F(4)], lambda a, b: ops.view_as_real(ops.polar(a, b)) if hasattr(ops, "view_as_real") else ops.real(ops.polar(a, b))
    yield "psnr", [U(3, 4), U(3, 4)], lambda a, b: ops.psnr(a, b, 1.0)
    yield "psnr_constant", [U(4)], lambda a: ops.psnr(a, grid(2, 4), 2)
    for k, (kernel, inputs) in enumerate([((3, 2, 4), (8, 2)), ((3, 2, 2, 4), (5, 6, 2)), ((2, 2, 2, 1, 3), (3, 4, 3, 1))]):
        yield f"conv_{k}", [F(*inputs)], (lambda x, w=grid(*kernel): ops.conv(x, w))
        yield f"conv_same_{k}", [F(*inputs)], (lambda x, w=grid(*kernel): ops.conv(x, w, 2, "same"))
        yield f"conv_dilated_{k}", [F(*inputs)], (lambda x, w=grid(*kernel): ops.conv(x, w, dilation_rate=2, padding="same", data_format="channels_last"))
    yield "depthwise_conv", [F(6, 6, 2)], lambda x: ops.depthwise_conv(x, grid(3, 3, 2, 2), 1, "same")
    yield "depthwise_conv_1", [F(6, 2)], lambda x: ops.depthwise_conv(x, grid(3, 2, 1), strides=2)
    yield "separable_conv", [F(6, 6, 2)], lambda x: ops.separable_conv(x, grid(3, 3, 2, 2), grid(1, 1, 4, 3), 1, "same")
    yield "separable_conv_1", [F(6, 2)], lambda x: ops.separable_conv(x, grid(3, 2, 2), grid(1, 4, 3))
    yield "conv_of_symbols", [F(6, 2), F(3, 2, 4, batch=1)][:1], lambda x: ops.conv(x, ops.reshape(ops.sum(x, 0)[:3, :], (3, 2, 1)))
    yield "depth_to_space", [F(2, 3, 8)], lambda x: ops.depth_to_space(x, 2)
    yield "space_to_depth", [F(4, 6, 2)], lambda x: ops.space_to_depth(x, 2)
    yield "fold", [F(8, 4)], lambda x: ops.fold(x, (3, 3), 2)
    yield "unfold", [F(2, 4, 5)], lambda x: ops.unfold(x, 2)
    yield "unfold_options", [F(2, 4, 5)], lambda x: ops.unfold(x, (2, 3), dilation=1, padding=1, stride=2)
    yield "binary_crossentropy", [B(4), U(4)], lambda t, x: ops.binary_crossentropy(ops.cast(t, "float32"), x)
    yield "binary_crossentropy_logits", [U(4), F(4)], lambda t, x: ops.binary_crossentropy(t, x, from_logits=True)
    yield "binary_crossentropy_constant", [U(4, batch=2)], lambda x: ops.binary_crossentropy(grid(2, 4) > 0, x)
    yield "categorical_crossentropy", [U(4), U(4)], lambda t, x: ops.categorical_crossentropy(t, x)
    yield "categorical_crossentropy_logits", [U(3, 4), F(3, 4)], lambda t, x: ops.categorical_crossentropy(t, x, from_logits=True, axis=1)
    yield "sparse_categorical_crossentropy", [I(), U(5)], lambda t, x: ops.sparse_categorical_crossentropy(t, x)
    yield "sparse_categorical_crossentropy_logits", [I(3), F(3, 5)], lambda t, x: ops.sparse_categorical_crossentropy(t, x, from_logits=True)
    yield "ctc_loss", [F(6, 5, batch=2)], lambda x: ops.ctc_loss(i32([1, 2], [2, 3]), x, i32(2, 1), i32(6, 5))
    yield "ctc_loss_mask", [F(6, 5, batch=2)], lambda x: ops.ctc_loss(i32([1, 2], [2, 3]), x, i32(2, 1), i32(6, 5), mask_index=4)
    yield "ctc_decode", [F(6, 5)], lambda x: ops.ctc_decode(x, i32(6, 5))
    yield "dot_product_attention", [F(3, 2, 4), F(5, 2, 4), F(5, 2, 4)], ops.dot_product_attention
    yield "dot_product_attention_causal", [F(3, 2, 4)], lambda x: ops.dot_product_attention(x, x, x, is_causal=True, scale=0.3)
    yield "dot_product_attention_mask", [F(3, 2, 4), B(2, 3, 3)], lambda x, m: ops.dot_product_attention(x, x, x, mask=ops.logical_or(m, np.eye(3, dtype=bool)))
    yield "dot_product_attention_constant", [F(3, 2, 4)], lambda x: ops.dot_product_attention(x, x, x, bias=grid(1, 2, 3, 3), mask=np.tri(3, dtype=bool)[None, None])
    yield "relu_of_integers", [I(4)], ops.relu

    # image
    image = F(6, 5, 3)
    yield "affine_transform", [F(6, 5, 3, batch=1)], lambda x: ops.image.affine_transform(x, f32([1, 0.1, 0.5, -0.1, 1, 0.2, 0, 0]))
    yield "affine_transform_options", [image], lambda x: ops.image.affine_transform(x, grid(2, 8) * 0.01 + f32(1, 0, 0, 0, 1, 0, 0, 0), "nearest", "reflect", 1)
    yield "crop_images", [image], lambda x: ops.image.crop_images(x, 1, 1, target_height=3, target_width=2)
    yield "pad_images", [image], lambda x: ops.image.pad_images(x, 1, 2, target_height=9, target_width=8)
    yield "extract_patches", [image], lambda x: ops.image.extract_patches(x, 2)
    yield "extract_patches_options", [image], lambda x: ops.image.extract_patches(x, (2, 3), strides=1, padding="same")
    yield "extract_patches_volume", [F(4, 4, 4, 1)], lambda x: ops.image.extract_patches(x, (2, 2, 2))
    yield "gaussian_blur", [image], lambda x: ops.image.gaussian_blur(x, (3, 3), (1.0, 0.5))
    yield "hsv_to_rgb", [U(3, 4, 3)], ops.image.hsv_to_rgb
    yield "rgb_to_hsv", [U(3, 4, 3)], ops.image.rgb_to_hsv
    yield "rgb_to_grayscale", [U(3, 4, 3)], ops.image.rgb_to_grayscale
    yield "rgb_to_grayscale_format", [U(3, 4, 3)], lambda x: ops.image.rgb_to_grayscale(x, data_format="channels_last")
    yield "sobel_edges", [image], lambda x: ops.image.sobel_edges(x)
    yield "map_coordinates", [F(4, batch=4)], lambda x: ops.image.map_coordinates(x, f32([0, 1.5, 2], [0.5, 1, 3]), 1)
    yield "map_coordinates_mode", [F(4, batch=4)], lambda x: ops.image.map_coordinates(x, f32([0, 1.5, 5], [0.5, -1, 3]), 0, "nearest", 2)
    corners = f32([[0, 0], [0, 4], [5, 0], [5, 4]], [[0, 0], [0, 4], [5, 0], [5, 4]])
    yield "perspective_transform", [image], lambda x: ops.image.perspective_transform(x, corners, corners + f32(0.5, 0.25))
    for method in ["bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"]:
        yield f"resize_{method}", [image], (lambda x, m=method: ops.image.resize(x, (4, 7), interpolation=m))
    yield "resize_antialias", [image], lambda x: ops.image.resize(x, (3, 3), antialias=True)
    yield "resize_crop", [image], lambda x: ops.image.resize(x, (4, 4), crop_to_aspect_ratio=True)
    yield "resize_pad", [image], lambda x: ops.image.resize(x, (4, 7), pad_to_aspect_ratio=True, fill_value=0.5)
    yield "ssim", [U(12, 12, 1), U(12, 12, 1)], lambda a, b: ops.image.ssim(a, b)
    yield "ssim_options", [U(9, 9, 2), U(9, 9, 2)], lambda a, b: ops.image.ssim(a, b, max_val=2.0, filter_size=5, filter_sigma=1.0)
    yield "scale_and_translate", [image], lambda x: ops.image.scale_and_translate(x, (2, 8, 9, 3), f32(1.5, 2), f32(0.5, 0), (1, 2), "linear")

    # linalg
    yield "cholesky_upper", [F(3, 3)], lambda x: ops.cholesky(SQUARE(x), upper=True)
    yield "norm_flat", [F(batch=4)], lambda x: ops.norm(x, ord=1, keepdims=True)
    yield "norm_infinite", [F(4, batch=3)], lambda x: ops.norm(x, ord=float("inf"))
    yield "norm_negative", [F(4, batch=3)], lambda x: ops.norm(x, ord=float("-inf"))
    yield "norm_nuclear", [F(3, 4)], lambda x: ops.norm(x, ord="nuc", axis=(1, 2))
    yield "norm_frobenius", [F(3, 4)], lambda x: ops.norm(x, "fro", axis=(1, 2))
    yield "qr_complete", [F(4, 3)], lambda x: ops.qr(x, "complete")
    yield "svd_values", [F(3, 4)], lambda x: ops.svd(x, compute_uv=False)
    yield "svd_thin", [F(3, 4)], lambda x: ops.svd(x, full_matrices=False)
    yield "lstsq", [F(4, batch=5)], lambda x: ops.lstsq(x, f32(1, 2, 3, 4, 5))
    yield "lstsq_rcond", [F(2, batch=5)], lambda x: ops.lstsq(x, grid(5, 2), rcond=1e-5)
    yield "solve", [F(3, 3)], lambda x: ops.solve(SQUARE(x), x)
    yield "solve_constant", [F(batch=3)], lambda x: ops.solve(f32([4, 1, 0], [1, 3, 1], [0, 1, 2]), x)
    yield "solve_triangular", [F(3, 3)], lambda x: ops.solve_triangular(SQUARE(x), x, lower=True)
    yield "matrix_rank_tol", [F(3, 3)], lambda x: ops.matrix_rank(x, 0.1) if hasattr(ops, "matrix_rank") else ops.linalg.matrix_rank(x, 0.1)
    yield "pinv_rcond", [F(3, 4)], lambda x: ops.pinv(x, rcond=1e-4)

    # math
    yield "cdist", [F(3, 4), F(2, 4)], lambda a, b: ops.cdist(a, b)
    yield "extract_sequences", [F(10)], lambda x: ops.extract_sequences(x, 4, 2)
    yield "fft", [F(8), F(8)], lambda a, b: ops.fft((a, b))
    yield "fft2", [F(4, 8), F(4, 8)], lambda a, b: ops.fft2((a, b))
    yield "ifft2", [F(4, 8), F(4, 8)], lambda a, b: ops.ifft2((a, b))
    yield "fft_constant", [F(8, batch=2)], lambda a: ops.fft((a, np.zeros((2, 8), "float32")))
    yield "rfft", [F(8)], ops.rfft
    yield "rfft_length", [F(8)], lambda x: ops.rfft(x, 6)
    yield "irfft", [F(8)], lambda x: ops.irfft(ops.rfft(x))
    yield "irfft_length", [F(5), F(5)], lambda a, b: ops.irfft((a, b), fft_length=8)
    yield "stft", [F(16)], lambda x: ops.stft(x, 8, 4, 8)
    yield "stft_options", [F(16)], lambda x: ops.stft(x, 8, 4, 8, window="hamming", center=False)
    yield "stft_no_window", [F(16)], lambda x: ops.stft(x, 8, 4, 8, window=None)
    yield "istft", [F(16)], lambda x: ops.istft(ops.stft(x, 8, 4, 8), 8, 4, 8)
    yield "istft_length", [F(16)], lambda x: ops.istft(ops.stft(x, 8, 4, 8), 8, 4, 8, length=12)
    yield "in_top_k", [I(), F(5)], lambda t, p: ops.in_top_k(t, p, 2)
    yield "in_top_k_constant", [F(5)], lambda p: ops.in_top_k(i32(1, 3), p, k=2)
    for name in "segment_sum segment_max segment_min segment_prod".split():
        if hasattr(ops, name):
            yield name, [F(3, batch=4)], (lambda x, f=getattr(ops, name): f(x, i32(0, 0, 1, 3), 4))
            yield f"{name}_sorted", [F(batch=4), I(batch=4)], (lambda x, i, f=getattr(ops, name): f(x, ops.sort(i), num_segments=5, sorted=True))
    yield "top_k", [F(6)], lambda x: ops.top_k(x, 3)
    yield "top_k_unsorted", [F(6)], lambda x: ops.top_k(x, 1, sorted=False)
    for name in ("view_as_complex", "view_as_real"):
        if name == "view_as_complex" and hasattr(ops, name):
            yield "view_as_complex_real", [F(4, 2)], lambda x: ops.real(ops.view_as_complex(x))
            yield "view_as_complex_imag", [F(4, 2)], lambda x: ops.imag(ops.view_as_complex(x))
            yield "view_as_complex_angle", [F(4, 2)], lambda x: ops.angle(ops.view_as_complex(x))
            yield "view_as_complex_conj", [F(4, 2)], lambda x: ops.imag(ops.conj(ops.view_as_complex(x)))
            yield "view_as_real", [F(4, 2)], lambda x: ops.view_as_real(ops.view_as_complex(x))
    yield "logdet_of_constant", [F(3, 3)], lambda x: ops.logdet(SQUARE(x))

    # core
    for dtype in "int32 float32 bool int64 float64".split():
        yield f"cast_{dtype}", [F(4)], (lambda x, d=dtype: ops.cast(x, d))
    yield "cast_of_bool", [B(4)], lambda x: ops.cast(x, "float32")
    yield "saturate_cast", [F(4)], lambda x: ops.saturate_cast(x * 100, "int32")
    yield "convert_to_tensor_dtype", [F(4)], lambda x: ops.convert_to_tensor(x, "int32")
    yield "scatter", [F(batch=3)], lambda x: ops.scatter(i32([0], [3], [1]), x, (5,))
    yield "scatter_rows", [F(2, batch=3)], lambda x: ops.scatter(i32([0], [3], [0]), x, (5, 2))
    yield "scatter_symbols", [I(batch=3), F(2, batch=3)], lambda i, x: ops.scatter(ops.expand_dims(i, -1), x, (5, 2))
    yield "scatter_update", [F(3, batch=4)], lambda x: ops.scatter_update(x, i32([0, 1], [3, 2]), f32(7, 8))
    yield "scatter_update_reduction", [F(3, batch=4)], lambda x: ops.scatter_update(x, i32([0, 1], [3, 2]), f32(7, 8), "add")
    yield "scatter_update_constant", [F(batch=2)], lambda u: ops.scatter_update(grid(4, 3), i32([0, 1], [3, 2]), u)
    yield "slice", [F(3, batch=4)], lambda x: ops.slice(x, (1, 0), (2, 2))
    yield "slice_array", [F(3, batch=4)], lambda x: ops.slice(x, i32(1, 0), (2, 2))
    yield "slice_update", [F(3, batch=4)], lambda x: ops.slice_update(x, (1, 1), f32([7, 8], [9, 6]))
    yield "slice_update_array", [F(2, batch=2)], lambda u: ops.slice_update(np.zeros((4, 3), "float32"), i32(1, 1), u)
    yield "unstack", [F(3, 4)], lambda x: ops.unstack(x, axis=1)
    yield "unstack_num", [F(3, 4)], lambda x: ops.unstack(x, 4, -1)
    yield "rearrange", [F(4, 6, 3, batch=2)], lambda x: ops.rearrange(x, "b (h p) (w q) c -> b (h w) (p q c)", p=2, q=3)
    yield "rearrange_plain", [F(4, 6, batch=2)], lambda x: ops.rearrange(x, "b h w -> b w h")

    # numpy
    yield "append", [F(3), F(3)], lambda a, b: ops.append(a, b, axis=1)
    yield "append_flat", [F(3)], lambda a: ops.append(a, f32(1, 2))
    yield "argpartition", [F(6)], lambda x: ops.take_along_axis(x, ops.argpartition(x, 2), -1)[:, 2]
    yield "argsort_axis", [F(3, 4)], lambda x: ops.argsort(x, axis=1)
    yield "sort_axis", [F(3, 4)], lambda x: ops.sort(x, axis=1)
    yield "sort_flat", [F(3, 4)], lambda x: ops.sort(x, axis=None)
    yield "array_split", [F(7)], lambda x: ops.array_split(x, 3, axis=1)
    yield "average_axis", [F(3, 4)], lambda x: ops.average(x, axis=1)
    yield "average_weights", [F(3, 4)], lambda x: ops.average(x, axis=2, weights=f32(1, 2, 3, 4))
    yield "average_of_symbols", [F(3, 4), P(3, 4)], lambda x, w: ops.average(x, axis=1, weights=w)
    yield "bincount", [I(6)], lambda x: ops.bincount(x, minlength=5)
    yield "broadcast_to", [F(4, batch=1)], lambda x: ops.broadcast_to(x, (3, 4))
    yield "clip", [F(4)], lambda x: ops.clip(x, -0.5, 0.25)
    yield "clip_of_integers", [I(4)], lambda x: ops.clip(x, 1, 3)
    yield "concatenate", [F(3), F(2)], lambda a, b: ops.concatenate([a, b], axis=1)
    yield "concatenate_constant", [F(3)], lambda a: ops.concatenate([a, np.ones((2, 2), "float32")], axis=-1)
    yield "concatenate_first", [F(3)], lambda a: ops.concatenate([a, a])
    yield "corrcoef", [F(5, batch=3)], ops.corrcoef
    yield "correlate", [F(batch=6)], lambda x: ops.correlate(x, f32(1, 2, 3))
    yield "correlate_same", [F(batch=6)], lambda x: ops.correlate(x, f32(1, 2, 3), mode="same")
    yield "cross", [F(3), F(3)], ops.cross
    yield "cross_axis", [F(3, 4), F(3, 4)], lambda a, b: ops.cross(a, b, axis=1)
    yield "cross_axes", [F(3, 4), F(4, 3)], lambda a, b: ops.cross(a, b, axisa=1, axisb=2, axisc=1)
    yield "cross_constant", [F(4, 3)], lambda a: ops.cross(a, f32(1, 2, 3))
    yield "cumsum_axis", [F(3, 4)], lambda x: ops.cumsum(x, axis=1)
    yield "cumprod_dtype", [I(4)], lambda x: ops.cumprod(x, axis=1, dtype="float32")
    yield "diag", [F(4, batch=4)], lambda x: ops.diag(x, k=1)
    yield "diagflat", [F(2)], lambda x: ops.diagflat(x, k=-1)
    yield "diagonal", [F(4, 3)], lambda x: ops.diagonal(x, offset=1, axis1=1, axis2=2)
    yield "trace", [F(4, 3)], lambda x: ops.trace(x, offset=-1, axis1=1, axis2=2)
    yield "diff_options", [F(3, 5)], lambda x: ops.diff(x, n=2, axis=1)
    yield "digitize", [F(4)], lambda x: ops.digitize(x, f32(-0.5, 0, 0.5))
    yield "dot", [F(4)], lambda x: ops.dot(x, grid(4, 3))
    yield "dot_of_constant", [F(4, batch=3)], lambda x: ops.dot(grid(2, 3), x)
    yield "dot_number", [F(4)], lambda x: ops.dot(x, 2.0)
    for name in "dsplit hsplit vsplit".split():
        if hasattr(ops, name):
            yield name, [F(4, 6, batch=2)], (lambda x, f=getattr(ops, name): f(x, 2))
            yield f"{name}_places", [F(4, 6, batch=4)], (lambda x, f=getattr(ops, name): f(x, [1, 3]))
    for name in "dstack hstack vstack".split():
        if hasattr(ops, name):
            yield name, [F(4), F(4)], (lambda a, b, f=getattr(ops, name): f([a, b]))
            yield f"{name}_constant", [F(4)], (lambda a, f=getattr(ops, name): f((a, np.ones((2, 4), "float32"))))
    yield "einsum", [F(3, 4), F(4, 5)], lambda a, b: ops.einsum("bij,bjk->bik", a, b)
    yield "einsum_constant", [F(3, 4)], lambda a: ops.einsum("bij,jk,i->bk", a, grid(4, 2), f32(1, 2, 3))
    yield "einsum_one", [F(3, 3)], lambda a: ops.einsum("bii->b", a)
    yield "expand_dims", [F(3)], lambda x: ops.expand_dims(x, 1)
    yield "expand_dims_axes", [F(3)], lambda x: ops.expand_dims(x, (0, -1))
    yield "squeeze_axis", [F(1, 3, 1)], lambda x: ops.squeeze(x, axis=1)
    yield "squeeze_axes", [F(1, 3, 1)], lambda x: ops.squeeze(x, axis=(1, 3))
    yield "flip_axes", [F(3, 4)], lambda x: ops.flip(x, axis=(1, 2))
    yield "full", [F(batch=1)], lambda x: ops.full((2, 3), ops.sum(x))
    yield "full_like", [F(4)], lambda x: ops.full_like(x, 2.5)
    yield "full_like_constant", [F(4)], lambda x: ops.full_like(x, f32(1, 2, 3, 4), dtype="float32")
    yield "full_like_integers", [F(4)], lambda x: ops.full_like(x, 2, dtype="int32")
    yield "zeros_like_dtype", [F(4)], lambda x: ops.zeros_like(x, dtype="int32")
    yield "ones_like_dtype", [F(4)], lambda x: ops.ones_like(x, "bool")
    yield "linspace", [F(4), P(4)], lambda a, b: ops.linspace(a, b, 5)
    yield "linspace_options", [F(4)], lambda a: ops.linspace(a, f32(1, 2, 3, 4), num=3, endpoint=False, axis=1)
    yield "linspace_numbers", [F(4)], lambda a: ops.linspace(0, a, num=3)
    yield "logspace", [F(4), P(4)], lambda a, b: ops.logspace(a, b, num=4, base=2)
    yield "logspace_axis", [F(4)], lambda a: ops.logspace(a, 1, num=3, endpoint=False, axis=-1)
    yield "geomspace", [P(4), P(4)], lambda a, b: ops.geomspace(a, b, num=4)
    yield "geomspace_axis", [P(4)], lambda a: ops.geomspace(a, 8, num=3, endpoint=False, axis=-1)
    for key, part in {
        "element": lambda x: x[:, 1],
        "last": lambda x: x[..., -1],
        "range": lambda x: x[:, 1:3],
        "steps": lambda x: x[:, ::2, ::-1],
        "new_axis": lambda x: x[:, None],
        "both": lambda x: x[:, None, ..., 0:-1],
        "first": lambda x: x[0],
    }.items():
        yield f"get_item_{key}", [F(3, 4)], part
    yield "vstack_one", [F(6)], lambda x: ops.vstack([x])
    yield "inner", [F(3, 4), F(4, batch=2)], lambda a, b: ops.inner(a, b[0])
    yield "inner_constant", [F(3, 4)], lambda a: ops.inner(a, grid(2, 4))
    yield "isin", [I(4)], lambda x: ops.isin(x, i32(1, 3))
    yield "isin_inverted", [I(4)], lambda x: ops.isin(x, i32(1, 3), assume_unique=True, invert=True)
    yield "isin_list", [I(4)], lambda x: ops.isin(x, [1, 3])
    yield "isclose_options", [F(4)], lambda x: ops.isclose(x, x + 0.001, 0.01, 0.1, True)
    yield "isclose_atol", [F(4)], lambda x: ops.isclose(x, f32(0, 0, 1, 1), atol=0.5)
    yield "allclose_options", [F(4)], lambda x: ops.allclose(x, f32(0, 0, 1, 1), rtol=0.1, atol=3)
    yield "kron", [F(3), F(2)], ops.kron
    yield "kron_constant", [F(3)], lambda x: ops.kron(x, grid(2, 2))
    yield "matmul", [F(3, 4), F(4, 2)], ops.matmul
    yield "matmul_constant", [F(3, 4)], lambda x: ops.matmul(x, grid(4, 2))
    yield "matmul_of_constant", [F(4, 3)], lambda x: ops.matmul(grid(2, 4), x)
    yield "matmul_vector", [F(3, 4)], lambda x: x @ f32(1, 2, 3, 4)
    yield "matmul_of_integers", [I(3, 4)], lambda x: ops.matmul(x, i32([1], [2], [3], [4]))
    yield "max_initial", [F(3, 4)], lambda x: ops.max(x, axis=1, initial=0.5)
    yield "max_infinite", [F(3, 4)], lambda x: ops.max(x, axis=1, initial=float("-inf"))
    yield "min_initial", [F(3, 4)], lambda x: ops.min(x, axis=1, keepdims=True, initial=-0.5)
    yield "meshgrid", [F(batch=3), F(batch=3)], ops.meshgrid
    yield "meshgrid_ij", [F(batch=3)], lambda a: ops.meshgrid(a, f32(1, 2), indexing="ij")
    yield "moveaxis", [F(3, 4)], lambda x: ops.moveaxis(x, 1, 2)
    yield "moveaxis_axes", [F(3, 4)], lambda x: ops.moveaxis(x, (0, 1), (2, 0))
    yield "nan_to_num_options", [F(4)], lambda x: ops.nan_to_num(ops.log(x), nan=7, posinf=8, neginf=-9)
    for name in "quantile percentile nanquantile nanpercentile".split():
        if hasattr(ops, name):
            f, scale = getattr(ops, name), 100 if "percentile" in name else 1
            yield name, [F(3, 4)], (lambda x, f=f, s=scale: f(x, 0.25 * s))
            if name == "quantile":
                continue
            yield f"{name}_axis", [F(3, 4)], (lambda x, f=f, s=scale: f(x, 0.3 * s, axis=1, method="nearest", keepdims=True))
            yield f"{name}_several", [F(3, 4)], (lambda x, f=f, s=scale: f(x, f32(0.25, 0.5) * s, axis=-1))
            yield f"{name}_list", [F(3, 4)], (lambda x, f=f, s=scale: f(x, [0.25 * s, 0.5 * s], axis=-1))
    yield "outer", [F(3), F(2)], ops.outer
    yield "outer_constant", [F(3)], lambda x: ops.outer(x, f32(1, 2))
    yield "pad", [F(3)], lambda x: ops.pad(x, ((0, 0), (1, 2)))
    yield "pad_number", [F(3)], lambda x: ops.pad(x, 1)
    yield "pad_value", [F(3)], lambda x: ops.pad(x, ((0, 0), (1, 2)), constant_values=7)
    yield "pad_infinite", [F(3)], lambda x: ops.pad(x, ((0, 0), (1, 2)), "constant", float("-inf"))
    for mode in ["reflect", "symmetric", "edge"]:
        yield f"pad_{mode}", [F(3, 4)], (lambda x, m=mode: ops.pad(x, ((0, 0), (1, 2), (2, 1)), mode=m))
    yield "prod_options", [I(3, 4)], lambda x: ops.prod(x, axis=1, keepdims=True, dtype="float32")
    yield "repeat", [F(3)], lambda x: ops.repeat(x, 2, axis=1)
    yield "repeat_flat", [F(3)], lambda x: ops.repeat(x, 2)
    yield "reshape", [F(3, 4)], lambda x: ops.reshape(x, (-1, 2, 6))
    yield "reshape_list", [F(3, 4)], lambda x: ops.reshape(x, [-1, 12])
    yield "roll", [F(3, 4)], lambda x: ops.roll(x, 1)
    yield "roll_axes", [F(3, 4)], lambda x: ops.roll(x, (1, 2), axis=(1, 2))
    yield "rot90", [F(3, 3)], lambda x: ops.rot90(x, k=1, axes=(1, 2))
    yield "round_decimals", [F(4)], lambda x: ops.round(x, 1)
    yield "searchsorted", [F(4)], lambda x: ops.searchsorted(f32(-0.5, 0, 0.5), x, side="right")
    yield "searchsorted_of_symbol", [F(batch=5)], lambda x: ops.searchsorted(ops.sort(x), f32(-0.5, 0, 0.5))
    yield "select", [F(4)], lambda x: ops.select([x < -0.3, x > 0.3], [x * 2, x * 3], 7.0)
    yield "select_constants", [F(4)], lambda x: ops.select([x < -0.3, x > 0.3], [f32(1, 2, 3, 4), x])
    yield "split", [F(6)], lambda x: ops.split(x, 3, axis=1)
    yield "split_places", [F(6)], lambda x: ops.split(x, [1, 4], axis=-1)
    yield "stack", [F(3), F(3)], lambda a, b: ops.stack([a, b], axis=1)
    yield "stack_constant", [F(3)], lambda a: ops.stack([a, np.ones((2, 3), "float32")])
    yield "stack_tuple", [F(3)], lambda a: ops.stack((a, a, a), axis=-1)
    yield "swapaxes", [F(3, 4)], lambda x: ops.swapaxes(x, 1, 2)
    yield "take", [F(5)], lambda x: ops.take(x, i32(0, 3, -1), axis=1)
    yield "take_flat", [F(5)], lambda x: ops.take(x, i32([0, 3], [4, 5]))
    yield "take_number", [F(5)], lambda x: ops.take(x, 2, axis=1)
    yield "take_of_constant", [I(3)], lambda i: ops.take(grid(5, 2), i, axis=0)
    yield "take_symbols", [F(5), I(3)], lambda x, i: ops.take(x, i[0], axis=1)
    yield "take_list", [F(5)], lambda x: ops.take(x, [0, 2], axis=1)
    yield "take_along_axis", [F(5), I(3)], lambda x, i: ops.take_along_axis(x, i, axis=1)
    yield "take_along_axis_constant", [F(5)], lambda x: ops.take_along_axis(x, i32([0, 3], [1, 4]), axis=1)
    yield "tensordot", [F(3, 4)], lambda x: ops.tensordot(x, grid(3, 4, 2), axes=2)
    yield "tensordot_axes", [F(3, 4)], lambda x: ops.tensordot(x, grid(3, 2), axes=[[1], [0]])
    yield "tile", [F(3)], lambda x: ops.tile(x, (1, 2))
    yield "tile_number", [F(3)], lambda x: ops.tile(x, 2)
    yield "transpose_axes", [F(3, 4)], lambda x: ops.transpose(x, (0, 2, 1))
    yield "trapezoid", [F(5)], lambda y: ops.trapezoid(y, dx=0.5)
    yield "trapezoid_axis", [F(5, 3)], lambda y: ops.trapezoid(y, axis=1)
    yield "tril_k", [F(3, 4)], lambda x: ops.tril(x, k=-1)
    yield "triu_k", [F(3, 4)], lambda x: ops.triu(x, 1)
    yield "unravel_index", [I(4)], lambda i: ops.unravel_index(i, (2, 3))
    yield "vander", [F(batch=4)], lambda x: ops.vander(x, N=3, increasing=True)
    yield "vander_plain", [F(batch=3)], ops.vander
    yield "vdot", [F(4), F(4)], ops.vdot
    yield "vdot_constant", [F(batch=4)], lambda x: ops.vdot(x, f32(1, 2, 3, 4))
    yield "polar_result", [P(4), F(4)], lambda a, b: ops.polar(a, b)
    yield "view_as_complex", [F(4, 2)], lambda x: ops.view_as_complex(x)
    yield "view_as_complex_conjugate", [F(4, 2)], lambda x: ops.conj(ops.view_as_complex(x))
    yield "view", [F(4)], lambda x: ops.view(x, dtype="int32") if hasattr(ops, "view") else x + 1
    yield "where", [B(4), F(4), F(4)], ops.where
    yield "where_constant", [B(4), F(4)], lambda c, x: ops.where(c, x, f32(1, 2, 3, 4))
    yield "where_constants", [B(4)], lambda c: ops.where(c, f32(1, 2, 3, 4), i32(5, 6, 7, 8))
    yield "where_infinite", [B(4), F(4)], lambda c, x: ops.where(c, x, float("-inf"))
    yield "where_nan", [B(4), F(4)], lambda c, x: ops.nan_to_num(ops.where(c, x, float("nan")), nan=3.0)
    yield "where_condition", [F(4)], lambda x: ops.where(np.array([True, False, True, True]), x, 0.5)

    # fixed batches
    yield "reshape_fixed", [F(3, 4, batch=2)], lambda x: ops.reshape(x, (2, 12))
    yield "reshape_flat", [F(3, 4, batch=2)], lambda x: ops.reshape(x, (-1,))
    yield "sum_fixed", [F(3, batch=4)], ops.sum
    yield "add_fixed", [F(3, batch=4), F(3, batch=4)], ops.add
    yield "transpose_fixed", [F(3, batch=4)], ops.transpose
    yield "multiply_fixed", [F(3, batch=2)], lambda x: ops.multiply(x, f32([1, 2, 3], [4, 5, 6]))
    yield "concatenate_fixed", [F(3, batch=2)], lambda x: ops.concatenate([x, np.ones((1, 3), "float32")])
    yield "tile_fixed", [F(3, batch=2)], lambda x: ops.tile(x, (2, 2))
    yield "split_fixed", [F(3, batch=4)], lambda x: ops.split(x, 2)
    yield "take_fixed", [F(3, batch=4)], lambda x: ops.take(x, i32(3, 1), axis=0)
    yield "flip_fixed", [F(3, batch=4)], lambda x: ops.flip(x, 0)
    yield "cumsum_fixed", [F(3, batch=4)], lambda x: ops.cumsum(x, axis=0)
    yield "expand_fixed", [F(3, batch=4)], lambda x: ops.expand_dims(x, 0)
    yield "squeeze_fixed", [F(3, batch=1)], lambda x: ops.squeeze(x, 0)
    yield "unstack_fixed", [F(3, batch=3)], lambda x: ops.unstack(x)
    yield "sort_fixed", [F(3, batch=3)], lambda x: ops.sort(x, axis=0)
    yield "outer_fixed", [F(batch=3), F(batch=3)], ops.outer
    yield "scalar_fixed", [F(batch=3)], lambda x: x * 2 + 1
    yield "mean_fixed", [F(3, batch=1)], lambda x: ops.mean(x, axis=0)
    yield "pad_fixed", [F(3, batch=2)], lambda x: ops.pad(x, ((1, 0), (0, 0)))
    yield "matmul_fixed", [F(3, batch=2)], lambda x: ops.matmul(ops.transpose(x), x)
    yield "diag_fixed", [F(batch=3)], ops.diag
    # operators of Python
    yield "operators", [P(4), P(4)], lambda a, b: abs((a + b) * a - b / a + a**2 - a // b + a % b) + (-a)
    yield "comparisons", [F(4), F(4)], lambda a, b: [ops.cast(each, "int32") for each in [a < b, a <= b, a > b, a >= b, ~(a > b), (a > b) & (a > 0), (a > b) | (a > 0), (a > b) ^ (a > 0)]]
    yield "operators_of_numbers", [P(4)], lambda a: 1 - a + 2 * a / (3 + a) - 2**a + 5 // a - 5 % a


# ---------------------------------------------------------------- files


def plain(x):
    x = np.asarray(x)
    data = [float(v) if np.isfinite(v) else str(v) for v in x.ravel().astype("float32" if x.dtype.kind == "f" else "float64")]
    data = [v if isinstance(v, str) else float(f"{v:.9g}") for v in data]
    return {"shape": list(x.shape), "dtype": str(x.dtype), "data": [int(v) if not isinstance(v, str) and v.is_integer() else v for v in data]}


def leaves(value):
    if isinstance(value, dict):
        return [leaf for key in value for leaf in leaves(value[key])]
    return [leaf for each in value for leaf in leaves(each)] if isinstance(value, (list, tuple)) else [value]


def parts(array):
    return [array.real, array.imag] if array.dtype.kind == "c" else [array]


def legacy_config(path):
    with h5py.File(path) as file:
        return file.attrs["model_config"]


def described(name, inputs, function, folder):
    x = [each.values(k) for k, each in enumerate(inputs)]
    symbols = [
        Input(batch_shape=(each.batch, *each.shape), dtype=each.dtype, name=f"in_{k}") for k, each in enumerate(inputs)
    ]
    outputs = function(*symbols)
    outputs = list(outputs) if isinstance(outputs, tuple) else outputs
    model = Model(symbols if len(symbols) > 1 else symbols[0], outputs, name="model")
    y = model(x if len(x) > 1 else x[0])
    try:
        model.save(folder / f"{name}.h5")
        legacy = legacy_config(folder / f"{name}.h5")
    except Exception as error:
        print(f"{name}.h5: {type(error).__name__}: {str(error)[:150]}")
        legacy = None
    return {
        "name": name,
        "x": [plain(each) for each in x],
        "y": [plain(each) for leaf in leaves(y) for each in parts(np.asarray(leaf))],
        "config": model.to_json(),
        "legacy": legacy,
    }


def main(folder):
    encoded = json.dumps(classes(), indent=1, sort_keys=True)
    (HERE / "operations.json").write_text(encoded + "\n")
    made = []
    for name, inputs, function in cases():
        keras.backend.clear_session()
        try:
            made.append(described(name, inputs, function, folder))
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {str(error).strip().splitlines()[-1][:200]}")
    with gzip.GzipFile(HERE / "operations.json.gz", "wb", mtime=0) as file:
        file.write(json.dumps({"keras": keras.__version__, "models": made}, separators=(",", ":")).encode())
    print(len(made), "models")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
