"""What Captum, SHAP and scikit-learn say of three small networks: explain.json.

    python -m venv .venv && .venv/bin/pip install -r requirements.txt -r requirements-explain.txt
    .venv/bin/python explain.py

Weights and data are stored in the layouts of Keras: channels last, kernels [… inputs, outputs]. PyTorch computes in float64.
"""

import numpy as np
import captum
import shap
import sklearn
import torch
from captum.attr import InputXGradient, IntegratedGradients, LayerAttribution, LayerGradCam, LayerIntegratedGradients, Occlusion, Saliency
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import partial_dependence
from torch import nn

from common import tensor, tensors, write

torch.set_default_dtype(torch.float64)
random = np.random.default_rng(20240)


def values(*shape, scale=1.0):
    """float32 numbers, as float64."""
    return (random.standard_normal(shape) * scale).astype(np.float32).astype(np.float64)


def give(layer, kernel, bias=None):
    layer.weight.data = torch.tensor(kernel.copy())
    if bias is not None:
        layer.bias.data = torch.tensor(bias.copy())


def numpy(value):
    return value.detach().numpy()


# ---------------------------------------------------------------- 6 → 8 tanh → 5 relu → 3


def dense():
    sizes = [6, 8, 5, 3]
    weights = [w for a, b in zip(sizes, sizes[1:]) for w in (values(a, b, scale=0.6), values(b, scale=0.3))]
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 5), nn.ReLU(), nn.Linear(5, 3))
    for i, layer in enumerate((model[0], model[2], model[4])):
        give(layer, weights[2 * i].T, weights[2 * i + 1])
    x, baseline, background = values(4, 6), values(6, scale=0.5), values(5, 6)
    rows = torch.tensor(x, requires_grad=True)
    target = model(rows).argmax(1)
    base = torch.tensor(baseline)[None]
    paths = {}
    for points in (8, 50):
        found, delta = IntegratedGradients(model).attribute(rows, base, target=target, n_steps=points, method="gausslegendre", return_convergence_delta=True)
        paths[str(points)] = {"attributions": tensor(numpy(found)), "delta": tensor(numpy(delta))}

    def unit(data):
        return numpy(model(torch.tensor(data)))[:, 1]

    exact = shap.explainers.Exact(unit, shap.maskers.Independent(background, max_samples=len(background)))(x)
    kernel = shap.KernelExplainer(unit, background).shap_values(x, nsamples=2**6, l1_reg=False, silent=True)

    class Estimator(RegressorMixin, BaseEstimator):
        def __sklearn_is_fitted__(self):
            return True

        def fit(self, X, y):
            return self

        def predict(self, X):
            return unit(X)

    dependence = partial_dependence(Estimator(), background, [2], grid_resolution=4, kind="both", percentiles=(0.05, 0.95))
    return {
        "weights": tensors(weights),
        "x": tensor(x),
        "baseline": tensor(baseline),
        "background": tensor(background),
        "units": target.tolist(),
        "saliency": tensor(numpy(Saliency(model).attribute(rows, target=target))),
        "gradient": tensor(numpy(Saliency(model).attribute(rows, target=target, abs=False))),
        "gradientTimesInput": tensor(numpy(InputXGradient(model).attribute(rows, target=target))),
        "integratedGradients": paths,
        "occlusion": tensor(numpy(Occlusion(model).attribute(rows, (1,), baselines=base.expand(4, 6), target=target))),
        "occlusionOfTwo": tensor(numpy(Occlusion(model).attribute(rows, (2,), target=target))),
        # For unit 1, with the background.
        "exact": tensor(exact.values),
        "exactBase": tensor(exact.base_values),
        "kernelShap": tensor(kernel),
        "dependence": {"grid": tensor(dependence["grid_values"][0]), "average": tensor(dependence["average"][0]), "individual": tensor(dependence["individual"][0])},
    }


# ---------------------------------------------------------------- 9 × 8 images, two convolutions


def cnn():
    weights = [values(3, 3, 2, 4, scale=0.4), values(4, scale=0.2), values(3, 3, 4, 5, scale=0.3), values(5, scale=0.2), values(2 * 2 * 5, 3, scale=0.4), values(3, scale=0.2)]
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.Tanh(), nn.MaxPool2d(2), nn.Conv2d(4, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(20, 3)
    )
    give(model[0], weights[0].transpose(3, 2, 0, 1), weights[1])
    give(model[3], weights[2].transpose(3, 2, 0, 1), weights[3])
    # Keras flattens [rows, columns, channels].
    give(model[6], weights[4].reshape(2, 2, 5, 3).transpose(3, 2, 0, 1).reshape(3, 20), weights[5])
    x = values(3, 9, 8, 2)
    images = torch.tensor(x.transpose(0, 3, 1, 2).copy(), requires_grad=True)
    target = model(images).argmax(1)
    last = lambda found: tensor(numpy(found).transpose(0, 2, 3, 1))
    path, delta = IntegratedGradients(model).attribute(images, target=target, n_steps=50, method="gausslegendre", return_convergence_delta=True)
    cam = LayerGradCam(model, model[4]).attribute(images, target=target, relu_attributions=True)
    early = LayerGradCam(model, model[1]).attribute(images, target=0, relu_attributions=True)
    large = LayerAttribution.interpolate(cam, (9, 8), interpolate_mode="bilinear")
    return {
        "weights": tensors(weights),
        "x": tensor(x),
        "units": target.tolist(),
        "saliency": last(Saliency(model).attribute(images, target=target)),
        "gradientTimesInput": last(InputXGradient(model).attribute(images, target=target)),
        "integratedGradients": {"attributions": last(path), "delta": tensor(numpy(delta))},
        "occlusion": last(Occlusion(model).attribute(images, (2, 3, 2), strides=(2, 2, 1), target=target)),
        "gradCam": {"coarse": tensor(numpy(cam)[:, 0]), "heatMap": tensor(numpy(large)[:, 0])},
        # For unit 0, at the first convolution.
        "gradCamEarly": tensor(numpy(early)[:, 0]),
    }


# ---------------------------------------------------------------- tokens: Embedding → tanh of a Dense over all → 2


def tokens():
    weights = [values(12, 3), values(4 * 3, 6, scale=0.5), values(6, scale=0.2), values(6, 2, scale=0.5), values(2, scale=0.2)]
    model = nn.Sequential(nn.Embedding(12, 3), nn.Flatten(), nn.Linear(12, 6), nn.Tanh(), nn.Linear(6, 2))
    give(model[0], weights[0])
    give(model[2], weights[1].T, weights[2])
    give(model[4], weights[3].T, weights[4])
    x = random.integers(0, 12, (3, 4))
    rows = torch.tensor(x)
    path = LayerIntegratedGradients(model, model[0]).attribute(rows, torch.zeros_like(rows), target=1, n_steps=50, method="gausslegendre")
    return {"weights": tensors(weights), "x": x.tolist(), "integratedGradients": tensor(numpy(path.sum(-1)))}


write("explain.json", {
    "captum": captum.__version__,
    "shap": shap.__version__,
    "sklearn": sklearn.__version__,
    "torch": torch.__version__.split("+")[0],
    "dense": dense(),
    "cnn": cnn(),
    "tokens": tokens(),
})
