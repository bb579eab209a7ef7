"""Learning rates of PyTorch's OneCycleLR: one-cycle.json.

    python -m venv .venv && .venv/bin/pip install -r requirements.txt -r requirements-explain.txt
    .venv/bin/python one_cycle.py
"""

import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import OneCycleLR

from common import number, snake, spec, write

NAMES = {"maxLearningRate": "max_lr", "warmupFraction": "pct_start", "anneal": "anneal_strategy"}


def rates(config):
    options = {NAMES.get(key, snake(key)): "cos" if value == "cosine" else value for key, value in config.items()}
    optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=1)
    scheduler = OneCycleLR(optimizer, cycle_momentum=False, **options)
    values = []
    for _ in range(config["totalSteps"]):
        values.append(number(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        scheduler.step() if len(values) < config["totalSteps"] else None
    return values


if __name__ == "__main__":
    cases = []
    for anneal in ("cosine", "linear"):
        for three_phase in (False, True):
            for config in (dict(maxLearningRate=0.5, totalSteps=20),
                           dict(maxLearningRate=0.1, totalSteps=17, warmupFraction=0.35, divFactor=4.0, finalDivFactor=50.0)):
                described = spec("OneCycle", **config, anneal=anneal, threePhase=three_phase)
                cases.append({"name": f"one cycle of {config['totalSteps']}, {anneal}{', three phases' if three_phase else ''}", "schedule": described,
                              "steps": list(range(config["totalSteps"])), "values": rates(described["config"])})
    write("one-cycle.json", {"schedules": cases})
