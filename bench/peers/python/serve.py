"""One Python library, driven by adapters/python.mjs: a JSON object per line in, one per line out.

    python serve.py keras|torch|torch-compiled

Weights, rows and labels come from the caller, so that every library does the same work; it also decides what is
right. Keras runs on the backend that KERAS_BACKEND names. One thread, as everything else here.
"""

import base64
import json
import os
import sys
import time

# Before any library is imported: they read these once.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ[name] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np


def floats(text, shape):
    return np.frombuffer(base64.b64decode(text), dtype=np.float32).reshape(shape).copy()


class Case:
    def __init__(self, case):
        self.inputs, self.layers, self.loss = case["inputs"], case["layers"], case["loss"]
        self.batch_size, self.rows = case["batchSize"], case["rows"]
        self.x = floats(case["x"], (self.rows, self.inputs))
        self.y = floats(case["y"], (self.rows, 1))
        self.weights = []
        fan_in = self.inputs
        for index, layer in enumerate(self.layers):
            self.weights.append(floats(case["weights"][2 * index], (fan_in, layer["units"])))
            self.weights.append(floats(case["weights"][2 * index + 1], (layer["units"],)))
            fan_in = layer["units"]

    def batch(self, number):
        part = slice(number * self.batch_size, (number + 1) * self.batch_size)
        return self.x[part], self.y[part]

    @property
    def batches(self):
        return self.rows // self.batch_size


class Keras:
    def __init__(self, case):
        import keras

        self.case = case
        self.model = keras.Sequential(
            [keras.Input((case.inputs,))]
            + [keras.layers.Dense(layer["units"], activation=layer["activation"]) for layer in case.layers]
        )
        loss = {"binaryCrossentropy": "binary_crossentropy", "sparseCategoricalCrossentropy": "sparse_categorical_crossentropy"}
        self.model.compile(optimizer="adam", loss=loss[case.loss])
        self.model.set_weights(case.weights)
        self.parts = [case.batch(number) for number in range(case.batches)]

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
        return float(self.model.predict_on_batch(self.case.x[number : number + 1])[0, 0])

    def predict(self):
        return np.asarray(self.model.predict(self.case.x, verbose=0))


class Torch:
    def __init__(self, case):
        import torch

        torch.set_num_threads(1)
        self.torch, self.case = torch, case
        # The last activation is part of the loss, as PyTorch has it.
        hidden = {"relu": torch.nn.ReLU}
        modules, fan_in = [], case.inputs
        for index, layer in enumerate(case.layers):
            linear = torch.nn.Linear(fan_in, layer["units"])
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(case.weights[2 * index].T.copy()))
                linear.bias.copy_(torch.from_numpy(case.weights[2 * index + 1]))
            modules.append(linear)
            if index < len(case.layers) - 1:
                modules.append(hidden[layer["activation"]]())
            fan_in = layer["units"]
        self.model = torch.nn.Sequential(*modules)
        self.binary = case.loss == "binaryCrossentropy"
        self.loss_function = torch.nn.BCEWithLogitsLoss() if self.binary else torch.nn.CrossEntropyLoss()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3, eps=1e-7, fused=True)
        self.x = torch.from_numpy(case.x)
        self.y = torch.from_numpy(case.y) if self.binary else torch.from_numpy(case.y[:, 0].astype(np.int64))
        self.parts = list(zip(self.x.split(case.batch_size), self.y.split(case.batch_size)))

    def loss(self, x, y):
        return self.loss_function(self.model(x), y)

    def probabilities(self, x):
        logits = self.model(x)
        return self.torch.sigmoid(logits) if self.binary else self.torch.softmax(logits, -1)

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
        size = self.case.batch_size
        for _ in range(epochs):
            order = self.torch.randperm(self.case.rows) if shuffle else self.torch.arange(self.case.rows)
            total = self.torch.zeros(())
            for start in range(0, self.case.rows, size):
                part = order[start : start + size]
                total += self.step(self.x[part], self.y[part]).detach()
            total.item()

    def train_on_batch(self, number):
        return self.step(*self.parts[number]).item()

    def predict_row(self, number):
        with self.torch.inference_mode():
            return self.probabilities(self.torch.from_numpy(self.case.x[number : number + 1]))[0, 0].item()

    def predict(self):
        with self.torch.inference_mode():
            return self.probabilities(self.x).numpy()


class TorchCompiled(Torch):
    def __init__(self, case):
        super().__init__(case)
        # What was compiled for the models before this one counts towards a limit, above which PyTorch no longer compiles.
        self.torch._dynamo.reset()
        # A program for each shape of rows: one row alone, a batch, all.
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
            # Calls for at least so many milliseconds; the milliseconds of one.
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
    # What a library prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve({"keras": Keras, "torch": Torch, "torch-compiled": TorchCompiled}[sys.argv[1]], answers)
