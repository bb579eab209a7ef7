"""Scores and features of a tiny model of each family, as transformers computes them: python families.py

Writes language/families.json.gz, and language/layer-types.json. Weights are drawn by the rule of causal_lm.py, so that the file needs none. Needs torch and transformers:
see requirements-language.txt.
"""

import base64
import gzip
import json
import os
import tempfile

import numpy as np
import torch
from causal_lm import HERE, draw_into
from safetensors import safe_open
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    BertConfig,
    DistilBertConfig,
    Gemma2Config,
    Gemma3TextConfig,
    GemmaConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MistralConfig,
    MPNetConfig,
    Phi3Config,
    Qwen2Config,
    Qwen3Config,
    RobertaConfig,
)

VOCABULARY = 61
ROWS, STEPS, SHORT = 2, 20, 13
"""The second row of encoders has SHORT tokens; the others are padding."""
PROMPT, CONTINUATION = 8, 64

common = dict(vocab_size=VOCABULARY, hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4)
base = dict(**common, max_position_embeddings=96)
tokens = dict(pad_token_id=0, bos_token_id=1, eos_token_id=2)


def rotary(kind, **options):
    return dict(rope_parameters=dict(rope_type=kind, rope_theta=10000.0, **options))


LLAMA3 = rotary("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)
LONG = rotary(
    "longrope", short_factor=[1.0, 1.1, 1.3, 1.7], long_factor=[2.0] * 4, original_max_position_embeddings=96
)

DECODERS = {
    "llama": LlamaConfig(**base, num_key_value_heads=2),
    "llama3": LlamaConfig(
        **base, num_key_value_heads=2, head_dim=16, tie_word_embeddings=True, attention_bias=True, mlp_bias=True, **LLAMA3
    ),
    "yarn": LlamaConfig(**base, **rotary("yarn", factor=4.0, original_max_position_embeddings=16)),
    "linear": LlamaConfig(**base, **rotary("linear", factor=2.0)),
    "mistral": MistralConfig(**base, num_key_value_heads=2, sliding_window=5),
    "qwen2": Qwen2Config(
        **base, num_key_value_heads=2, tie_word_embeddings=True, use_sliding_window=True, sliding_window=6, max_window_layers=2
    ),
    "qwen3": Qwen3Config(**base, num_key_value_heads=2, head_dim=8),
    "gemma": GemmaConfig(**base, num_key_value_heads=1, head_dim=8),
    "gemma2": Gemma2Config(**base, num_key_value_heads=2, head_dim=8, sliding_window=5, query_pre_attn_scalar=24),
    "gemma3": Gemma3TextConfig(
        **base,
        num_key_value_heads=2,
        head_dim=8,
        sliding_window=5,
        layer_types=["sliding_attention", "sliding_attention", "full_attention"],
    ),
    "phi3": Phi3Config(**base, num_key_value_heads=2, sliding_window=7, **tokens),
    "longrope": Phi3Config(
        **common,
        max_position_embeddings=192,
        original_max_position_embeddings=96,
        num_key_value_heads=2,
        **tokens,
        **LONG,
    ),
    "gpt2": GPT2Config(vocab_size=VOCABULARY, n_embd=32, n_layer=3, n_head=4, n_positions=96),
    "gpt_neox": GPTNeoXConfig(**base, **rotary("default", partial_rotary_factor=0.5)),
    "gpt_neox_sequential": GPTNeoXConfig(**base, use_parallel_residual=False),
}

FLAT = {
    "rope_theta": 1e6,
    "rope_local_base_freq": 10000.0,
    "rope_scaling": {"rope_type": "linear", "factor": 8.0},
    "rope_parameters": None,
}
"""The rotations of old files of Gemma 3, in which the factor is only for layers without a window. None removes a key."""

CROSSED = Phi3Config(
    **common,
    max_position_embeddings=96,
    original_max_position_embeddings=12,
    num_key_value_heads=2,
    **tokens,
    **rotary("longrope", short_factor=[1.0, 1.1, 1.3, 1.7], long_factor=[1.5, 2.0, 3.0, 4.0], original_max_position_embeddings=12),
)
"""A model whose texts of more than 12 tokens have other rotations."""

CHANGED = {"gemma3_flat": (DECODERS["gemma3"], FLAT)}
"""Decoders with settings that transformers reads and does not write."""

ENCODERS = {
    "bert": (AutoModel, BertConfig(**base)),
    "bert_with_head": (AutoModelForMaskedLM, BertConfig(**base, hidden_act="gelu_new")),
    "roberta": (AutoModel, RobertaConfig(**base, type_vocab_size=1)),
    "roberta_with_head": (AutoModelForMaskedLM, RobertaConfig(**base, type_vocab_size=1)),
    "distilbert": (
        AutoModel,
        DistilBertConfig(vocab_size=VOCABULARY, dim=32, hidden_dim=48, n_layers=3, n_heads=4, max_position_embeddings=96),
    ),
    "mpnet": (AutoModel, MPNetConfig(**base)),
    "mpnet_with_head": (AutoModelForMaskedLM, MPNetConfig(**base)),
}
"""Files of models with a head have other names."""


def encoded(numbers):
    return base64.b64encode(np.ascontiguousarray(numbers, dtype="<f4").tobytes()).decode()


def drawn_model(kind, config, folder, changes={}):
    """A model with drawn weights, and what the files of its folder say."""
    kind.from_config(config).float().save_pretrained(folder)
    draw_into(folder)
    with open(os.path.join(folder, "config.json")) as file:
        written = {**json.load(file), **changes}
    written = {key: value for key, value in written.items() if value is not None or key not in changes}
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(written, file)
    with safe_open(os.path.join(folder, "model.safetensors"), "pt") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}
    model = kind.from_pretrained(folder, attn_implementation="eager").float().eval()
    return model, {"config": written, "shapes": shapes}


def greedy(model, ids):
    """The likeliest tokens; none if rounding might decide about one, or if they soon repeat each other."""
    ids = list(ids)
    for _ in range(CONTINUATION):
        with torch.no_grad():
            scores = model(torch.tensor([ids]), use_cache=False).logits[0, -1]
        first, second = scores.topk(2).values.tolist()
        if first - second < 1e-3:
            return None
        ids.append(int(scores.argmax()))
    return ids if len(set(ids[PROMPT:])) >= 8 else None


def decoder(config, generator, changes={}):
    with tempfile.TemporaryDirectory() as folder:
        model, described = drawn_model(AutoModelForCausalLM, config, folder, changes)
        ids = torch.randint(3, VOCABULARY, (ROWS, STEPS), generator=generator)
        with torch.no_grad():
            logits = model(ids).logits
        continued = None
        while continued is None:
            prompt = torch.randint(3, VOCABULARY, (PROMPT,), generator=generator)
            continued = greedy(model, prompt.tolist())
        scores = {"logits": encoded(logits)}
        if config is CROSSED:
            with torch.no_grad():
                scores["short"] = encoded(model(ids[:, :12]).logits)
            # transformers computes what it keeps again where the rotations change.
            prompt = torch.tensor([continued[:PROMPT]])
            made = model.generate(prompt, max_new_tokens=CONTINUATION, do_sample=False, eos_token_id=None)
            assert made[0].tolist() == continued
        print(config.model_type, float(logits.abs().max()), len(set(continued[PROMPT:])))
        return {**described, "ids": ids.tolist(), **scores, "continued": continued}


def encoder(kind, config, generator):
    with tempfile.TemporaryDirectory() as folder:
        model, described = drawn_model(kind, config, folder)
        padding = config.pad_token_id
        ids = torch.randint(3, VOCABULARY, (ROWS, STEPS), generator=generator)
        mask = torch.ones(ROWS, STEPS, dtype=torch.long)
        mask[1, SHORT:] = 0
        ids[1, SHORT:] = padding
        types = torch.zeros(ROWS, STEPS, dtype=torch.long)
        if getattr(config, "type_vocab_size", 0) > 1 and config.model_type == "bert":
            types[:, 5:] = 1
        options = {} if config.model_type in ("distilbert", "mpnet") else {"token_type_ids": types}
        with torch.no_grad():
            features = model.base_model(ids, attention_mask=mask, **options).last_hidden_state
        return {
            **described,
            "ids": ids.tolist(),
            "mask": mask.tolist(),
            "types": types.tolist() if options else None,
            "features": encoded(features * mask[..., None]),
        }


EIGHT = ["sliding_attention", "full_attention"] * 4
PATTERNS = [
    {},
    {"sliding_window_pattern": 6},
    {"sliding_window_pattern": 2},
    {"sliding_window_pattern": 1},
    {"sliding_window_pattern": 9},
    {"sliding_window_pattern": False},
    {"sliding_window_pattern": "6"},
    {"sliding_window_pattern": [True, False] * 4},
    {"_sliding_window_pattern": 6},
    {"layer_types": EIGHT},
    {"layer_types": EIGHT, "sliding_window_pattern": 3},
    {"layer_types": EIGHT, "_sliding_window_pattern": 3},
    {"layer_types": EIGHT, "sliding_window_pattern": None},
    {"layer_types": ["sliding_attention", "attention"] * 4},
    {"layer_types": EIGHT[1:]},
    {"layer_types": [*EIGHT, "full_attention"]},
    {"layer_types": []},
    {"layer_types": "full_attention"},
    {"layer_types": [True] * 8},
    {"layer_types": ["global"] * 8},
    {"layer_types": EIGHT, "sliding_window": 512},
]
"""Ways in which configs of Gemma 3 say which of eight layers have a window."""


def layer_types(settings):
    """The windows of the layers, None for layers without one; None in all if transformers refuses the settings."""
    try:
        config = Gemma3TextConfig(num_hidden_layers=8, **settings)
    except Exception:
        return {"settings": settings, "windows": None}
    windows = [config.sliding_window if kind == "sliding_attention" else None for kind in config.layer_types]
    return {"settings": settings, "windows": windows}


def main():
    with open(os.path.join(HERE, "language/layer-types.json"), "w") as file:
        json.dump([layer_types(settings) for settings in PATTERNS], file, indent=1)
        file.write("\n")
    generator = torch.Generator().manual_seed(36)
    content = {
        "decoders": {name: decoder(config, generator) for name, config in DECODERS.items()},
        "encoders": {name: encoder(*each, generator) for name, each in ENCODERS.items()},
    }
    # Drawn last, so that the numbers of the others stay as they are.
    content["decoders"].update({name: decoder(config, generator, changes) for name, (config, changes) in CHANGED.items()})
    content["crossed"] = decoder(CROSSED, generator)
    path = os.path.join(HERE, "language/families.json.gz")
    with open(path, "wb") as file:
        file.write(gzip.compress(json.dumps(content).encode(), 9, mtime=0))
    print(f"{os.path.getsize(path) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
