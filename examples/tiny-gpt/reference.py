"""Trains the model of index.js with PyTorch: the same tokens in the same rows, the same optimizer, rate and batches; other random numbers.

node examples/tiny-gpt writes the tokenizer and its trained model to build/examples/tiny-gpt. This program reads the tokenizer from there,
checks the loss of that model in transformers, trains a new one and prints its held-out loss.

    pip install torch transformers
    python examples/tiny-gpt/reference.py --seed 1
"""

import argparse
import json
import math
import time
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

HERE = Path(__file__).parent
PRESET = HERE / "../../build/examples/tiny-gpt"

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--threads", type=int, default=1)
arguments = parser.parse_args()
torch.set_num_threads(arguments.threads)
settings = json.loads((HERE / "settings.json").read_text())
length = settings["sequenceLength"]
epochs, peak = settings["epochs"], settings["learningRate"]

tokenizer = AutoTokenizer.from_pretrained(PRESET)
text = (HERE / "../data/moby-dick.txt").read_text("utf-8")
border = math.floor((1 - settings["heldOut"]) * len(text))


def rows(part):
    """The rows of `fit`: each has one more token than `length`, the last of which is the first of the next row."""
    tokens = tokenizer(part)["input_ids"] + [tokenizer.eos_token_id]
    starts = range(0, len(tokens) - 1, length)
    return [torch.tensor(tokens[start : start + length + 1]) for start in starts], len(tokens) - 1


train, _ = rows(text[:border])
test, count = rows(text[border:])


def loss_of(model, row_list):
    """The sum of the losses of all targets. The rows are padded; padding is no target."""
    longest = max(map(len, row_list))
    tokens = torch.zeros(len(row_list), longest, dtype=torch.long)
    targets = torch.full((len(row_list), longest), -100)
    for i, row in enumerate(row_list):
        tokens[i, : len(row)] = row
        targets[i, : len(row)] = row
    scores = model(input_ids=tokens[:, :-1]).logits
    return torch.nn.functional.cross_entropy(
        scores.flatten(0, 1), targets[:, 1:].flatten(), ignore_index=-100, reduction="sum"
    )


@torch.no_grad()
def held_out(model):
    model.eval()
    total = sum(loss_of(model, test[i : i + 32]).item() for i in range(0, len(test), 32))
    model.train()
    return total / count


def written(name, loss):
    bits = loss * count / len(text[border:]) / math.log(2)
    print(f"{name}: {loss:.4f} nats a token, {bits:.4f} bits a character", flush=True)


if (PRESET / "model.safetensors").exists():
    written("Trained by index.js, computed here", held_out(AutoModelForCausalLM.from_pretrained(PRESET)))

torch.manual_seed(arguments.seed)
config = AutoConfig.from_pretrained(PRESET)
model = AutoModelForCausalLM.from_config(config)
print(sum(p.numel() for p in model.parameters()), "weights")
optimizer = torch.optim.AdamW(
    model.parameters(),
    lr=1.0,
    betas=(0.9, settings["beta2"]),
    eps=settings["epsilon"],
    weight_decay=settings["weightDecay"],
)
steps = epochs * math.ceil(len(train) / settings["batchSize"])


def rate(step):
    """CosineDecay after a warmup, as in index.js."""
    warmup, final = settings["warmupSteps"], settings["finalShare"]
    if step < warmup:
        return peak * step / warmup
    done = min(1, (step - warmup) / (steps - warmup))
    return peak * ((1 - final) * (1 + math.cos(math.pi * done)) / 2 + final)


started = time.time()
step = 0
for epoch in range(epochs):
    order = torch.randperm(len(train)).tolist()
    total = 0.0
    for at in range(0, len(order), settings["batchSize"]):
        batch = [train[i] for i in order[at : at + settings["batchSize"]]]
        loss = loss_of(model, batch) / sum(len(row) - 1 for row in batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings["clipNorm"])
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        optimizer.step()
        step += 1
        total += loss.item() * len(batch)
    seconds = time.time() - started
    print(f"epoch {epoch + 1}: loss {total / len(train):.4f}, held out {held_out(model):.4f}, {seconds:.0f} s", flush=True)
written(f"Trained with PyTorch, seed {arguments.seed}", held_out(model))
