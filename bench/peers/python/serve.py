"""One Python library, driven by adapters/python.mjs: a JSON object per line in, one per line out.

    python serve.py keras|torch|torch-compiled

Weights, rows and labels come from the caller, so that every library does the same work; the caller also checks the
results. Keras runs on the backend in KERAS_BACKEND. One thread, like all other libraries here.
"""

import base64
import json
import os
import re
import sys
import time

# Before any library is imported: they read these once.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ[name] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np


def numbers(text, shape, dtype=np.float32):
    return np.frombuffer(base64.b64decode(text), dtype=dtype).reshape(shape).copy()


class Case:
    """Layers are those of networks.mjs: dictionaries with Keras's options in camelCase."""

    def __init__(self, case):
        self.layers, self.loss, self.batch_size, self.rows = case["layers"], case["loss"], case["batchSize"], case["rows"]
        self.input_shape = tuple(case["inputShape"])
        self.is_tokens = case.get("tokens") is not None
        self.x = numbers(case["x"], (self.rows, *self.input_shape), np.int32 if self.is_tokens else np.float32)
        self.y = numbers(case["y"], (self.rows, *case["targetShape"]), np.int32 if case["yIsInteger"] else np.float32)

    def batch(self, number):
        part = slice(number * self.batch_size, (number + 1) * self.batch_size)
        return self.x[part], self.y[part]

    @property
    def batches(self):
        return self.rows // self.batch_size


def weights_of(layer):
    return [numbers(weight["data"], weight["shape"]) for weight in layer["weights"]]


class Keras:
    def __init__(self, case):
        import keras

        self.case = case
        inputs = keras.Input(case.input_shape, dtype="int32" if case.is_tokens else "float32")
        self.model = keras.Model(inputs, self.apply(inputs, case.layers))
        loss = {"binaryCrossentropy": "binary_crossentropy", "sparseCategoricalCrossentropy": "sparse_categorical_crossentropy"}
        self.model.compile(optimizer="adam", loss=loss.get(case.loss, case.loss))
        self.parts = [case.batch(number) for number in range(case.batches)]

    def apply(self, x, layers):
        import keras

        for description in layers:
            kind = description["layer"]
            if kind == "Residual":
                x = keras.layers.add([x, self.apply(x, description["layers"])])
                continue
            known = ("layer", "inputShape", "outputShape", "weights", "isCausal", "sequenceLength")
            options = {re.sub("([A-Z])", r"_\1", name).lower(): value for name, value in description.items() if name not in known}
            if kind == "BidirectionalLSTM":
                layer = keras.layers.Bidirectional(keras.layers.LSTM(**options))
            elif kind == "PositionEmbedding":
                layer = self.places(description["sequenceLength"], description["inputShape"][-1])
            else:
                layer = getattr(keras.layers, kind)(**options)
            x = layer(x, x, use_causal_mask=description["isCausal"]) if kind == "MultiHeadAttention" else layer(x)
            layer.set_weights(weights_of(description))
        return x

    @staticmethod
    def places(count, features):
        import keras

        class Places(keras.layers.Layer):
            def build(self, _):
                self.table = self.add_weight(shape=(count, features))

            def call(self, x):
                return x + self.table

        return Places()

    @staticmethod
    def version():
        import keras

        return keras.__version__

    def fit(self, epochs, shuffle):
        self.model.fit(self.case.x, self.case.y, batch_size=self.case.batch_size, epochs=epochs, shuffle=shuffle, verbose=0)

    def train_on_batch(self, number):
        loss = self.model.train_on_batch(*self.parts[number])
        return float(loss[0] if isinstance(loss, (list, tuple)) else loss)

    def predict_row(self, number):
        return float(self.model.predict_on_batch(self.case.x[number : number + 1]).flat[0])

    def predict(self):
        return np.asarray(self.model.predict(self.case.x, batch_size=self.case.rows, verbose=0))


def torch_module(torch, layer):
    """From a layer's description. Images are channels-last in memory, and [batch, channels, height, width] for PyTorch."""
    nn, functional = torch.nn, torch.nn.functional
    kind = layer["layer"]
    arrays = [torch.from_numpy(array) for array in weights_of(layer)] if kind != "Residual" else []
    features = layer["inputShape"][-1]
    activations = {"relu": nn.ReLU, "gelu": nn.GELU, "sigmoid": nn.Sigmoid}

    def filled(module, **values):
        with torch.no_grad():
            for name, value in values.items():
                getattr(module, name).copy_(value)
        return module

    def activated(module):
        # The last activation is part of the loss, as in PyTorch.
        name = None if layer.get("isLast") else layer.get("activation")
        return nn.Sequential(module, activations[name]()) if name else module

    def recurrent(module, suffix, kernel, recurrent_kernel, *biases):
        filled(module, **{f"weight_ih_l0{suffix}": kernel.T, f"weight_hh_l0{suffix}": recurrent_kernel.T})
        return filled(module, **{f"bias_{of}_l0{suffix}": bias for of, bias in zip(("ih", "hh"), biases)})

    class LastOutput(nn.Module):
        def __init__(self, inner, give):
            super().__init__()
            self.inner, self.give = inner, give

        def forward(self, x):
            return self.give(*self.inner(x))

    class Function(nn.Module):
        def __init__(self, call, **weights):
            super().__init__()
            self.call = call
            for name, value in weights.items():
                setattr(self, name, nn.Parameter(value) if isinstance(value, torch.Tensor) else value)

        def forward(self, x):
            return self.call(self, x)

    if kind == "Residual":
        inner = nn.Sequential(*(torch_module(torch, one) for one in layer["layers"]))
        return Function(lambda self, x: x + self.inner(x), inner=inner)
    if kind == "Activation":
        return activations[layer["activation"]]()
    if kind == "Dense":
        return activated(filled(nn.Linear(features, layer["units"]), weight=arrays[0].T, bias=arrays[1]))
    if kind in ("Conv2D", "DepthwiseConv2D"):
        depthwise = kind == "DepthwiseConv2D"
        filters, groups = (features, features) if depthwise else (layer["filters"], 1)
        has_bias = layer.get("useBias", True)
        module = nn.Conv2d(features, filters, layer["kernelSize"], padding=layer.get("padding", "valid"), groups=groups, bias=has_bias)
        filled(module, weight=arrays[0].permute((2, 3, 0, 1) if depthwise else (3, 2, 0, 1)), **({"bias": arrays[1]} if has_bias else {}))
        return activated(module.to(memory_format=torch.channels_last))
    if kind == "BatchNormalization":
        names = ("weight", "bias", "running_mean", "running_var")
        return filled(nn.BatchNorm2d(features, eps=1e-3, momentum=0.01), **dict(zip(names, arrays)))
    if kind == "LayerNormalization":
        return filled(nn.LayerNorm(features, eps=1e-3), weight=arrays[0], bias=arrays[1])
    if kind == "MaxPooling2D":
        return nn.MaxPool2d(2)
    if kind == "GlobalAveragePooling2D":
        return Function(lambda self, x: x.mean((2, 3)))
    if kind == "GlobalAveragePooling1D":
        return Function(lambda self, x: x.mean(1))
    if kind == "Flatten":
        return Function(lambda self, x: x.permute(0, 2, 3, 1).flatten(1))
    if kind == "Embedding":
        return filled(nn.Embedding(layer["inputDim"], layer["outputDim"]), weight=arrays[0])
    if kind == "PositionEmbedding":
        return Function(lambda self, x: x + self.table, table=arrays[0])
    if kind in ("LSTM", "BidirectionalLSTM"):
        both = kind == "BidirectionalLSTM"
        module = nn.LSTM(features, layer["units"], batch_first=True, bidirectional=both)
        for index, suffix in enumerate(("", "_reverse") if both else ("",)):
            kernel, recurrent_kernel, bias = arrays[3 * index : 3 * index + 3]
            recurrent(module, suffix, kernel, recurrent_kernel, bias, torch.zeros_like(bias))
            # Keras has one bias; with two trained biases, a step would be twice as large.
            getattr(module, f"bias_hh_l0{suffix}").requires_grad_(False)
        if layer.get("returnSequences"):
            return LastOutput(module, lambda outputs, _: outputs)
        return LastOutput(module, lambda _, state: state[0].transpose(0, 1).flatten(1))
    if kind == "GRU":
        module = nn.GRU(features, layer["units"], batch_first=True)
        # Keras: update, reset, new; PyTorch: reset, update, new.
        swapped = [torch.cat([array.chunk(3, -1)[part] for part in (1, 0, 2)], -1) for array in arrays]
        recurrent(module, "", swapped[0], swapped[1], *swapped[2])
        if layer.get("returnSequences"):
            return LastOutput(module, lambda outputs, _: outputs)
        return LastOutput(module, lambda _, state: state[0])
    if kind == "MultiHeadAttention":
        heads, size = layer["numHeads"], layer["keyDim"]
        joined = filled(
            nn.Linear(features, 3 * heads * size),
            weight=torch.cat([array.reshape(features, -1) for array in arrays[0:6:2]], 1).T,
            bias=torch.cat([array.flatten() for array in arrays[1:6:2]]),
        )
        output = filled(nn.Linear(heads * size, features), weight=arrays[6].reshape(-1, features).T, bias=arrays[7])

        def attend(self, x):
            batch, steps, _ = x.shape
            q, k, v = self.joined(x).view(batch, steps, 3, heads, size).permute(2, 0, 3, 1, 4)
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=layer["isCausal"])
            return self.output(y.transpose(1, 2).reshape(batch, steps, heads * size))

        return Function(attend, joined=joined, output=output)
    raise ValueError(f"PyTorch: no module is known for {kind}")


class Torch:
    def __init__(self, case):
        import torch

        torch.set_num_threads(1)
        self.torch, self.case = torch, case
        self.has_probabilities = case.loss != "mse"
        layers = [*case.layers[:-1], {**case.layers[-1], "isLast": self.has_probabilities}]
        self.model = torch.nn.Sequential(*(torch_module(torch, layer) for layer in layers))
        self.binary = case.loss == "binaryCrossentropy"
        losses = {"mse": torch.nn.MSELoss, "binaryCrossentropy": torch.nn.BCEWithLogitsLoss}
        self.loss_function = losses.get(case.loss, torch.nn.CrossEntropyLoss)()
        trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.Adam(trained, lr=1e-3, eps=1e-7, fused=True)
        self.x = self.input(case.x)
        self.y = torch.from_numpy(case.y.astype(np.int64)) if case.loss == "sparseCategoricalCrossentropy" else torch.from_numpy(case.y)
        self.parts = list(zip(self.x.split(case.batch_size), self.y.split(case.batch_size)))

    def input(self, rows):
        x = self.torch.from_numpy(rows)
        # Images keep their layout in memory: channels last.
        return x.permute(0, 3, 1, 2) if x.dim() == 4 else x

    def loss(self, x, y):
        outputs = self.model(x)
        if self.case.loss == "sparseCategoricalCrossentropy":
            return self.loss_function(outputs.flatten(0, -2), y.flatten())
        return self.loss_function(outputs, y)

    def probabilities(self, x):
        outputs = self.model(x)
        if not self.has_probabilities:
            return outputs
        return self.torch.sigmoid(outputs) if self.binary else self.torch.softmax(outputs, -1)

    @staticmethod
    def version():
        import torch

        return torch.__version__.split("+")[0]

    def step(self, x, y):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(x, y)
        loss.backward()
        self.optimizer.step()
        return loss

    def fit(self, epochs, shuffle):
        self.model.train()
        size = self.case.batch_size
        for _ in range(epochs):
            order = self.torch.randperm(self.case.rows) if shuffle else self.torch.arange(self.case.rows)
            total = self.torch.zeros(())
            for start in range(0, self.case.rows, size):
                part = order[start : start + size]
                total += self.step(self.x[part], self.y[part]).detach()
            total.item()

    def train_on_batch(self, number):
        self.model.train()
        return self.step(*self.parts[number]).item()

    def predict_row(self, number):
        self.model.eval()
        with self.torch.inference_mode():
            return self.probabilities(self.input(self.case.x[number : number + 1])).flatten()[0].item()

    def predict(self):
        self.model.eval()
        with self.torch.inference_mode():
            return self.probabilities(self.x).numpy()


class TorchCompiled(Torch):
    def __init__(self, case):
        super().__init__(case)
        # Programs compiled for earlier models count towards a limit, above which PyTorch no longer compiles.
        self.torch._dynamo.reset()
        # A program for each number of rows: a single row, a batch, all.
        self.loss = self.torch.compile(self.loss, dynamic=False)
        self.probabilities = self.torch.compile(self.probabilities, dynamic=False)


def serve(library, answer):
    def reply(**content):
        answer.write(json.dumps(content) + "\n")
        answer.flush()

    reply(version=library.version())
    model = None
    for line in sys.stdin:
        request = json.loads(line)
        kind = request["kind"]
        if kind == "build":
            model = library(Case(request["case"]))
            reply()
        elif kind == "fit":
            model.fit(request["epochs"], request["shuffle"])
            reply()
        elif kind == "trainOnBatch":
            reply(value=model.train_on_batch(request["batch"]))
        elif kind == "predictRow":
            reply(value=model.predict_row(request["row"]))
        elif kind == "predict":
            reply(value=model.predict().ravel().tolist())
        elif kind == "time":
            # Calls for at least so many milliseconds; returns the milliseconds of one.
            call = {
                "fit": lambda: model.fit(request["epochs"], True),
                "trainOnBatch": lambda: model.train_on_batch(0),
                "predict": lambda: model.predict_row(0),
            }[request["operation"]]
            count, start = 0, time.perf_counter()
            while True:
                call()
                count += 1
                elapsed = 1e3 * (time.perf_counter() - start)
                if elapsed >= request["milliseconds"]:
                    break
            reply(value=elapsed / count)


if __name__ == "__main__":
    # Output of a library must not mix with the responses.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve({"keras": Keras, "torch": Torch, "torch-compiled": TorchCompiled}[sys.argv[1]], answers)
