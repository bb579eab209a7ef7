"""Vectors of texts, as sentence-transformers computes them: python sentences.py [the folder of all-MiniLM-L6-v2]

Writes language/sentences.json.gz: folders of tiny models, without their weights, and the vectors of some texts. Weights are drawn by the
rule of causal_lm.py. With the folder that minilm.py fetches, it also writes language/minilm.json. Needs torch, transformers, tokenizers and
sentence-transformers: see requirements-language.txt.
"""

import gzip
import json
import os
import sys
import tempfile

import numpy as np
import torch
from causal_lm import HERE, TEXT, draw_into
from safetensors import safe_open
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import modules
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
    if len(sys.argv) > 1:
        model = SentenceTransformer(sys.argv[1], device="cpu")
        with open(f"{HERE}/language/minilm.json", "w") as file:
            json.dump({"texts": TEXTS, "vectors": vectors(model)}, file, ensure_ascii=False)
            file.write("\n")


if __name__ == "__main__":
    main()
