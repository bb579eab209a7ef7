"""Writes torch/: states of modules of PyTorch as safetensors (also in 16 bits) and .npz, and what the modules compute.

Needs torch and safetensors 0.6.2. Usage: python torch_weights.py. Images are stored with the channels last, as myelin takes them.
"""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

HERE = Path(__file__).parent / "torch"
HERE.mkdir(exist_ok=True)


def plain(a):
    a = np.asarray(a)
    data = [int(v) for v in a.ravel()] if a.dtype.kind == "i" else [float(f"{v:.8g}") for v in a.ravel()]
    return {"shape": list(a.shape), "data": data}


class Convolutional(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.conv2, self.bn2 = nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6)
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        return self.fc(torch.relu(self.bn2(self.conv2(x))).mean((2, 3)))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10, 6)
        self.lstm = nn.LSTM(6, 5, batch_first=True, bidirectional=True)
        self.gru = nn.GRU(10, 4, batch_first=True)
        self.out = nn.Linear(4, 2)

    def forward(self, x):
        return self.out(self.gru(self.lstm(self.embedding(x))[0])[0][:, -1])


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.first, self.second = nn.Linear(8, 12), nn.Linear(12, 8)

    def forward(self, x):
        h = self.norm(x)
        x = x + self.attention(h, h, h, need_weights=False)[0]
        return x + self.second(torch.relu(self.first(x)))


def write(name, module, x, to_torch=lambda x: x):
    generator = torch.Generator().manual_seed(5)
    for key, value in module.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.randn(value.shape, generator=generator) * 0.4)
            if key.endswith("running_var"):
                value.abs_().add_(0.3)
    module.eval()
    state = {key: value.contiguous() for key, value in module.state_dict().items()}
    save_file(state, HERE / f"{name}.safetensors")
    with torch.no_grad():
        y = module(to_torch(torch.from_numpy(x))).numpy()
    (HERE / f"{name}.json").write_text(json.dumps({"x": plain(x), "y": plain(y)}) + "\n")
    return state


rng = np.random.default_rng(9)
state = write("mlp", nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)), rng.normal(0, 1, (5, 4)).astype("float32"))
save_file({key: value.half() for key, value in state.items()}, HERE / "mlp-float16.safetensors")
save_file({key: value.bfloat16() for key, value in state.items()}, HERE / "mlp-bfloat16.safetensors")
np.savez(HERE / "mlp.npz", **{key: value.numpy() for key, value in state.items()})
write("convolutional", Convolutional(), rng.normal(0, 1, (2, 6, 6, 2)).astype("float32"), lambda x: x.permute(0, 3, 1, 2))
write("recurrent", Recurrent(), rng.integers(0, 10, (3, 7)))
write("attention", Block(), rng.normal(0, 1, (2, 5, 8)).astype("float32"))
