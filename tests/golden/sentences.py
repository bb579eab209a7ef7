"""Vectors of texts, as sentence-transformers computes them: python sentences.py [the folder of all-MiniLM-L6-v2]

Writes language/sentences.json.gz: folders of tiny models, without their weights, and the vectors of some texts; and
language/pairs.json.gz: the losses of training on pairs, in full and with an adapter. Weights are drawn by the rule of causal_lm.py. With the folder that minilm.py fetches, it also writes language/minilm.json. Needs torch, transformers, tokenizers and
sentence-transformers: see requirements-language.txt.
"""

import gzip
import json
import os
import sys
import tempfile

import numpy as np
import torch
from causal_lm import HERE, TEXT, draw_into, drawn, encoded
from peft import LoraConfig, get_peft_model
from safetensors import safe_open
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import losses, modules
from tokenizers import BertWordPieceTokenizer, processors
from transformers import AutoModel, BertConfig, MPNetConfig, PreTrainedTokenizerFast

TEXTS = [
    "Call me Ishmael.",
    "a cat",
    "",
    "The sea, the sea and the sea again: some years ago, never mind how long precisely.",
    "It is a way I have of driving off the spleen, and regulating the circulation. Whenever I find myself growing grim "
    "about the mouth; whenever it is a damp, drizzly November in my soul; whenever I find myself involuntarily pausing",
    "A Kitten",
    "naïve café ☕ 42",
    "a cat",
]
SPECIAL = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"]
"""MPNet requires that the padding is token 1."""


def tokenizer(lowercase):
    made = BertWordPieceTokenizer(lowercase=lowercase)
    made.train_from_iterator([TEXT[:100000]], vocab_size=400, special_tokens=SPECIAL, show_progress=False)
    made.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 0))
    return PreTrainedTokenizerFast(
        tokenizer_object=made._tokenizer,
        model_max_length=96,
        **{f"{name[1:-1].lower()}_token": name for name in SPECIAL},
    )


def files_in(folder):
    """The JSON files of a folder, and the shapes of the tensors in the others."""
    files, shapes = {}, {}
    for root, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(root, name)
            within = os.path.relpath(path, folder)
            if name.endswith(".json"):
                with open(path) as file:
                    files[within] = json.load(file)
            elif name.endswith(".safetensors"):
                with safe_open(path, "pt") as file:
                    shapes[within] = {key: file.get_slice(key).get_shape() for key in file.keys()}
    return files, shapes


def encoder(folder, config, lowercase):
    made = tokenizer(lowercase)
    os.makedirs(folder)
    AutoModel.from_config(config(vocab_size=len(made))).float().save_pretrained(folder)
    made.save_pretrained(folder)


def vectors(model, **options):
    return [[float(f"{x:.7g}") for x in row] for row in model.encode(TEXTS, **options).tolist()]


def case(config, make, prompts, changes=None, lowercase=True):
    """@param make the modules after the encoder @param prompts the options of encode"""
    with tempfile.TemporaryDirectory() as outer:
        encoder(f"{outer}/encoder", config, lowercase)
        folder = f"{outer}/encoder"
        if make is not None:
            folder = f"{outer}/whole"
            first = modules.Transformer(f"{outer}/encoder")
            SentenceTransformer(modules=[first, *make(first.get_embedding_dimension())]).save(folder)
        for name, content in (changes or {}).items():
            with open(f"{folder}/{name}", "w") as file:
                json.dump(content, file)
        for root, _, names in os.walk(folder):
            if "model.safetensors" in names:
                draw_into(root)
        model = SentenceTransformer(folder, device="cpu")
        files, shapes = files_in(folder)
        return {
            "files": files,
            "shapes": shapes,
            "results": [{"options": options, "vectors": vectors(model, **options)} for options in prompts],
            "similarity": float(model.similarity(*model.encode(TEXTS[:2]))[0, 0]),
        }


PAIRS, STEPS, BATCH = 16, 10, 4


def train(model, loss):
    """AdamW with five steps of warm-up and a limit of the norm: the loss of each step."""
    pairs = pairs_of_text()
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.01, eps=1e-9)
    made = []
    model.train()
    for step in range(STEPS):
        batch = [pairs[(BATCH * step + i) % PAIRS] for i in range(BATCH)]
        value = loss([model.preprocess(list(texts)) for texts in zip(*batch)], None)
        optimizer.zero_grad()
        value.backward()
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * min(1, (step + 1) / 5)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        made.append(value.item())
    model.eval()
    return made


def pairs_of_text():
    lines = [line for line in TEXT.split("\n") if 40 < len(line) < 75]
    return [(lines[2 * i], lines[2 * i + 1][: 20 + 2 * i]) for i in range(PAIRS)]


def training(config, make, targets, scale):
    """The losses of training in full, or of an adapter for some layers."""
    with tempfile.TemporaryDirectory() as outer:
        encoder(f"{outer}/encoder", config, True)
        first = modules.Transformer(f"{outer}/encoder")
        folder = f"{outer}/whole"
        SentenceTransformer(modules=[first, *make(first.get_embedding_dimension())]).save(folder)
        for root, _, names in os.walk(folder):
            if "model.safetensors" in names:
                draw_into(root)
        model = SentenceTransformer(folder, device="cpu")
        files, shapes = files_in(folder)
        result = {"files": files, "shapes": shapes, "scale": scale}
        transformer = model[0].model
        if targets is not None:
            settings = dict(r=3, lora_alpha=6, target_modules=targets, task_type="FEATURE_EXTRACTION")
            # It puts the adapters into the layers of the encoder itself.
            adapted = get_peft_model(transformer, LoraConfig(**settings))
            with torch.no_grad():
                for name, parameter in adapted.named_parameters():
                    if "lora_" in name:
                        parameter.copy_(torch.from_numpy(drawn(name, parameter.shape, 0.1)))
            adapted.save_pretrained(f"{outer}/start")
            result["start"] = encoded(f"{outer}/start/adapter_model.safetensors")
            with open(f"{outer}/start/adapter_config.json") as file:
                adapter = {key: value for key, value in json.load(file).items() if value not in (None, {}, [])}
            result["adapter"] = {
                **adapter,
                "base_model_name_or_path": "",
                "target_modules": sorted(adapter["target_modules"]),
            }
        result["losses"] = train(model, losses.MultipleNegativesRankingLoss(model, scale=scale))
        result["vectors"] = vectors(model)
        return result


def main():
    sizes = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4)
    sizes |= dict(max_position_embeddings=100, pad_token_id=1)
    bert = lambda vocab_size: BertConfig(vocab_size=vocab_size, **sizes)
    mpnet = lambda vocab_size: MPNetConfig(vocab_size=vocab_size, **sizes)
    every = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
    legacy = {
        "word_embedding_dimension": 16,
        "pooling_mode_cls_token": False,
        "pooling_mode_max_tokens": True,
        "pooling_mode_mean_tokens": True,
        "pooling_mode_mean_sqrt_len_tokens": False,
        "include_prompt": False,
    }
    whole = {"prompts": {"query": "find the sea: ", "text": ""}, "default_prompt_name": None, "similarity_fn_name": "dot"}
    cases = {
        "every pooling, dense layers and a normalization": case(
            bert,
            lambda width: [
                modules.Pooling(width, pooling_mode=every),
                modules.Dense(6 * width, 12, activation_function=torch.nn.Tanh()),
                modules.Dropout(0.1),
                modules.Dense(12, 8, bias=False, activation_function=torch.nn.GELU()),
                modules.Normalize(),
            ],
            [{}, {"prompt": "the "}, {"prompt_name": "query"}],
            {"config_sentence_transformers.json": whole},
        ),
        "the switches of older files, and a prompt that does not count": case(
            mpnet,
            lambda width: [modules.Pooling(width)],
            [{}, {"prompt_name": "query"}, {"normalize_embeddings": True}],
            {
                "1_Pooling/config.json": legacy,
                "sentence_bert_config.json": {"max_seq_length": 24, "do_lower_case": True},
                "config_sentence_transformers.json": {**whole, "similarity_fn_name": "euclidean", "default_prompt_name": "text"},
            },
            lowercase=False,
        ),
        "an encoder alone": case(bert, None, [{}]),
    }
    with open(f"{HERE}/language/sentences.json.gz", "wb") as file:
        file.write(gzip.compress(json.dumps({"texts": TEXTS, "cases": cases}).encode(), 9, mtime=0))
    still = dict(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    quiet = lambda vocab_size: BertConfig(vocab_size=vocab_size, **sizes, **still)
    bounded = lambda vocab_size: MPNetConfig(vocab_size=vocab_size, **sizes, **still)
    trained = {
        "in full": training(
            quiet,
            lambda width: [
                modules.Pooling(width, pooling_mode=every),
                modules.Dense(6 * width, 12, activation_function=torch.nn.Tanh()),
                modules.Normalize(),
            ],
            None,
            20.0,
        ),
        "with a bias of positions": training(bounded, lambda width: [modules.Pooling(width)], None, 5.0),
        "with an adapter": training(quiet, lambda width: [modules.Pooling(width)], ["query", "value", "intermediate.dense"], 20.0),
    }
    with open(f"{HERE}/language/pairs.json.gz", "wb") as file:
        content = {"texts": TEXTS, "pairs": pairs_of_text(), "batch": BATCH, "cases": trained}
        file.write(gzip.compress(json.dumps(content).encode(), 9, mtime=0))
    if len(sys.argv) > 1:
        model = SentenceTransformer(sys.argv[1], device="cpu")
        with open(f"{HERE}/language/minilm.json", "w") as file:
            json.dump({"texts": TEXTS, "vectors": vectors(model)}, file, ensure_ascii=False)
            file.write("\n")


if __name__ == "__main__":
    main()
