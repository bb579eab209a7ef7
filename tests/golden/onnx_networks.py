"""Small networks as torch.onnx writes them: python onnx_networks.py

Needs torch 2.15.0, onnx 1.19.1 and onnxscript 0.7.2. Writes onnx/networks/*.onnx, and onnx/networks.json with inputs and
outputs. `-old` files are of the exporter that traces TorchScript, the others of the one that traces with dynamo.
"""

import json
import pathlib
import warnings

import torch
from torch import nn

warnings.filterwarnings('ignore')
HERE = pathlib.Path(__file__).parent / 'onnx'
(HERE / 'networks').mkdir(exist_ok=True)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.depth = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.squeeze = nn.Conv2d(8, 2, 1)
        self.excite = nn.Conv2d(2, 8, 1)
        self.last = nn.Linear(8, 5)

    def forward(self, x):
        x = torch.relu(self.norm(self.first(x)))
        y = nn.functional.hardswish(self.depth(x))
        weight = torch.sigmoid(self.excite(torch.relu(self.squeeze(y.mean((2, 3), keepdim=True)))))
        x = nn.functional.max_pool2d(x + y * weight, 3, 2, 1)
        return self.last(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(1, 4, 3, padding=1)
        self.deep = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.norm = nn.GroupNorm(2, 6)
        self.up = nn.ConvTranspose2d(6, 4, 2, stride=2)
        self.last = nn.Conv2d(8, 1, 1)

    def forward(self, x):
        a = nn.functional.leaky_relu(self.down(x), 0.1)
        b = nn.functional.silu(self.norm(self.deep(a)))
        c = self.up(b) + nn.functional.interpolate(a, scale_factor=0.5, mode='bilinear').repeat_interleave(2, 2).repeat_interleave(2, 3)
        return torch.sigmoid(self.last(torch.cat([a, c], 1)))


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.rnn = kind(4, 6, num_layers=2, batch_first=True, bidirectional=True)
        self.last = nn.Linear(12, 3)

    def forward(self, x):
        return self.last(self.rnn(x)[0][:, -1])


class Streaming(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 4, 4, stride=2)
        self.rnn = nn.LSTM(4, 5)
        self.last = nn.Linear(5, 1)

    def forward(self, x, state):
        y = torch.relu(self.conv(x.unsqueeze(1))).permute(2, 0, 1)
        y, (h, c) = self.rnn(y, (state[0:1], state[1:2]))
        return torch.sigmoid(self.last(y[-1])), torch.cat([h, c])


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(11, 8)
        self.block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True, activation='gelu')
        self.last = nn.Linear(8, 11)

    def forward(self, ids):
        size = ids.shape[1]
        mask = torch.triu(torch.full((size, size), -1e9), 1)
        return self.last(self.block(self.embed(ids), src_mask=mask))


class Patches(nn.Module):
    """Shapes that are computed from shapes."""

    def __init__(self):
        super().__init__()
        self.proj = nn.Linear(12, 6)
        self.token = nn.Parameter(torch.randn(1, 1, 6))

    def forward(self, x):
        n, c, h, w = x.shape
        x = x.reshape(n, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 3, 5, 1).reshape(n, (h // 2) * (w // 2), 4 * c)
        x = torch.cat([self.token.expand(n, -1, -1), self.proj(x)], 1)
        return nn.functional.layer_norm(x, (6,)).mean(1)


def perceptron():
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.25), nn.Linear(8, 3), nn.Softmax(-1))


BATCH = {0: 'batch'}
# name: (module, inputs, names of inputs, names of outputs, open axes, keeps the layers of training)
NETWORKS = {
    'perceptron': (perceptron, [torch.randn(3, 4)], ['input'], ['output'], {'input': BATCH}, False),
    'residual': (Residual, [torch.randn(2, 3, 10, 10)], ['input'], ['output'], {'input': BATCH}, False),
    'residual-training': (Residual, [torch.randn(2, 3, 10, 10)], ['input'], ['output'], {'input': BATCH}, True),
    'unet': (UNet, [torch.randn(2, 1, 8, 8)], ['image'], ['mask'], {'image': {0: 'batch', 2: 'rows', 3: 'columns'}}, False),
    'lstm': (lambda: Recurrent(nn.LSTM), [torch.randn(2, 5, 4)], ['x'], ['y'], {'x': {0: 'batch', 1: 'steps'}}, False),
    'gru': (lambda: Recurrent(nn.GRU), [torch.randn(2, 5, 4)], ['x'], ['y'], {'x': {0: 'batch', 1: 'steps'}}, False),
    'streaming': (
        Streaming,
        [torch.randn(2, 16), torch.randn(2, 2, 5)],
        ['input', 'state'],
        ['output', 'stateN'],
        {'input': {0: 'batch', 1: 'samples'}, 'state': {1: 'batch'}},
        False,
    ),
    'transformer': (Transformer, [torch.randint(0, 11, (2, 6))], ['ids'], ['logits'], {'ids': {0: 'batch', 1: 'length'}}, False),
    'patches': (Patches, [torch.randn(2, 3, 4, 6)], ['x'], ['y'], {'x': {0: 'batch', 2: 'rows', 3: 'columns'}}, False),
}


def main():
    found = {}
    for name, (make, inputs, names, outputs, axes, keeps) in NETWORKS.items():
        torch.manual_seed(0)
        module = make().eval()
        for each in module.modules():
            if isinstance(each, nn.BatchNorm2d):
                each.running_mean.uniform_(-1, 1)
                each.running_var.uniform_(0.5, 2)
        for suffix, dynamo in (('-old', False), ('', True)):
            if keeps and dynamo:
                continue
            path = HERE / 'networks' / f'{name}{suffix}.onnx'
            options = {'dynamic_axes': axes} if not dynamo else {'dynamic_shapes': [axes.get(each) for each in names]}
            if dynamo:
                options['dynamic_shapes'] = [
                    {axis: torch.export.Dim.DYNAMIC for axis in axes.get(each, {})} for each in names
                ]
            if keeps:
                options['training'] = torch.onnx.TrainingMode.PRESERVE
                options['do_constant_folding'] = False
            try:
                torch.onnx.export(
                    module,
                    tuple(inputs),
                    str(path),
                    input_names=names,
                    output_names=outputs,
                    dynamo=dynamo,
                    opset_version=18 if dynamo else 17,
                    external_data=False,
                    verbose=False,
                    **options,
                )
            except Exception as error:  # the exporters do not support everything
                print(name, suffix, type(error).__name__, str(error)[:200])
                path.unlink(missing_ok=True)
                continue
            results = module(*inputs)
            results = results if isinstance(results, tuple) else (results,)
            found[f'{name}{suffix}'] = {
                'inputs': {key: value.tolist() for key, value in zip(names, inputs)},
                'outputs': {key: value.tolist() for key, value in zip(outputs, results)},
            }
    text = json.dumps(found, default=float)
    (HERE / 'networks.json').write_text(text + '\n')


main()
