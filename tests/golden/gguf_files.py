"""GGUF files of tiny models, and what Python reads from them: python gguf_files.py

Writes language/gguf/. Weights are drawn by the rule of causal_lm.py. The tensors and settings that transformers reads from each file
are compared with those of the model here. Needs gguf, torch, transformers and tokenizers: see requirements-language.txt.
"""

import base64
import gzip
import json
import os

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoModelForCausalLM, Gemma2Config, Gemma3TextConfig, LlamaConfig, Qwen2Config, Qwen3Config
from transformers.tokenization_utils_base import generate_merges

from causal_lm import TEXT, drawn

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "language", "gguf")
SAMPLES = [
    "Call me Ishmael.",
    " two  spaces and\ttabs\n\nlines 12345 it's",
    "Grüße 🙂 <turn>hi</turn> naïve",
    "",
    "the whale; the sea, the ship",
]
COMMON = dict(hidden_size=8, intermediate_size=12, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1)


def permuted(weights, heads):
    """The order of rows that llama.cpp's converter gives queries and keys."""
    return weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def sentence_piece(bytes):
    """Tokens, scores and types of a small vocabulary as SentencePiece has it."""
    trainer = trainers.BpeTrainer(vocab_size=110, show_progress=False)
    made = Tokenizer(models.BPE())
    made.normalizer = normalizers.Replace(" ", "▁")
    made.pre_tokenizer = pre_tokenizers.Split(Regex("▁?[^▁]+"), "isolated")
    made.train_from_iterator([TEXT[:20000]], trainer)
    pieces = [piece for piece, _ in sorted(made.get_vocab().items(), key=lambda item: item[1])]
    # Some pieces have equal scores, so that the order of merges does not follow from the scores.
    scores = [-float(i // 3) for i in range(len(pieces))]
    tokens = ["<unk>", "<s>", "</s>", "<turn>", "</turn>", *[f"<0x{i:02X}>" for i in range(bytes)], *pieces]
    types = [2, 3, 3, 3, 4, *[6] * bytes, *[1] * len(pieces)]
    return tokens, [0.0] * (5 + bytes) + scores, types


def sentence_piece_tokenizer(tokens, scores, types, adds_space):
    vocabulary = {token: i for i, token in enumerate(tokens)}
    skipped = {token for token, type in zip(tokens, types) if type in (2, 3, 6)}
    merges = generate_merges(vocabulary, dict(zip(tokens, scores)), skipped)
    made = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    spaces = normalizers.Replace(" ", "▁")
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), spaces]) if adds_space else spaces
    strip = [decoders.Strip(" ", 1, 0)] if adds_space else []
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *strip])
    made.post_processor = processors.TemplateProcessing("<s> $A", "<s> $A <s> $B", [("<s>", 1)])
    added(made, tokens, types)
    return made


def added(made, tokens, types):
    for token, type in zip(tokens, types):
        if type in (2, 3):
            made.add_special_tokens([AddedToken(token, normalized=False, special=True)])
        if type == 4:
            made.add_tokens([AddedToken(token, normalized=False)])


def byte_level(pre):
    """A tokenizer of bytes with the words of a kind, and its tokens, merges and types."""
    digits = {"llama-bpe": "{1,3}", "qwen2": ""}.get(pre)
    byte_step = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=digits is None)
    if digits is None:
        split = [pre_tokenizers.Digits(individual_digits=True)] if pre == "smollm" else []
    else:
        pattern = (
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + digits
            + r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
        )
        split = [pre_tokenizers.Split(Regex(pattern), "isolated")]
    made = Tokenizer(models.BPE(ignore_merges=pre == "llama-bpe"))
    if pre == "qwen2":
        made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.Sequence([*split, byte_step])
    made.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made.train_from_iterator([TEXT[:20000]], trainers.BpeTrainer(vocab_size=290, initial_alphabet=alphabet, show_progress=False))
    merges = json.loads(made.to_str())["model"]["merges"]
    tokens = [token for token, _ in sorted(made.get_vocab().items(), key=lambda item: item[1])]
    begin = len(tokens)
    tokens += ["<begin>", "<end>", "<turn>", "</turn>"]
    types = [*[1] * begin, 3, 3, 3, 4]
    added(made, tokens, types)
    if pre == "llama-bpe":
        made.post_processor = processors.TemplateProcessing("<begin> $A", "<begin> $A <begin> $B", [("<begin>", begin)])
    return made, tokens, [" ".join(merge) for merge in merges], types


def write_settings(writer, config, arch):
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    if arch != "qwen2":
        writer.add_key_length(config.head_dim)
    parameters = config.rope_parameters.get("full_attention", config.rope_parameters)
    writer.add_rope_freq_base(parameters["rope_theta"])
    if parameters["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(parameters["factor"])
    if arch == "llama":
        writer.add_rope_dimension_count(config.head_dim)
        writer.add_vocab_size(config.vocab_size)
    if arch.startswith("gemma"):
        writer.add_sliding_window(config.sliding_window)
    if arch == "gemma2":
        writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
        writer.add_final_logit_softcapping(config.final_logit_softcapping)


def write_vocabulary(writer, kind):
    if kind["model"] == "llama":
        tokens, scores, types = kind["pieces"]
        writer.add_token_scores(scores)
        writer.add_add_space_prefix(kind["addsSpace"])
        begin, end = 1, 2
        writer.add_unk_token_id(0)
    else:
        _, tokens, merges, types = kind["made"]
        writer.add_tokenizer_pre(kind["pre"])
        writer.add_token_merges(merges)
        begin, end = tokens.index("<begin>"), tokens.index("<end>")
        writer.add_eot_token_id(tokens.index("<turn>"))
    writer.add_tokenizer_model(kind["model"])
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_bos_token_id(begin)
    writer.add_eos_token_id(end)
    writer.add_chat_template("{{ messages[0].content }}")


def llama3_factors(config):
    """The factors that llama.cpp's converter stores in place of the rule of Llama 3."""
    rope = config.rope_parameters
    length = rope["original_max_position_embeddings"]
    low, high, most = rope["low_freq_factor"], rope["high_freq_factor"], rope["factor"]
    factors = []
    for i in range(0, config.head_dim, 2):
        wave = 2 * np.pi * rope["rope_theta"] ** (i / config.head_dim)
        smooth = (length / wave - low) / (high - low)
        factors.append(1 if wave < length / high else most if wave > length / low else 1 / ((1 - smooth) / most + smooth))
    return np.array(factors, dtype=np.float32)


def write(name, arch, config, kind, quantized=None):
    """A model in a file, and what a test compares with it. Matrices are quantized if a type is given."""
    model = AutoModelForCausalLM.from_config(config).float()
    path = os.path.join(HERE, f"{name}.gguf")
    writer = gguf.GGUFWriter(path, arch)
    write_settings(writer, config, arch)
    write_vocabulary(writer, kind)
    names = gguf.get_tensor_name_map({each: key for key, each in gguf.MODEL_ARCH_NAMES.items()}[arch], config.num_hidden_layers)
    factors = llama3_factors(config) if config.rope_parameters.get("rope_type") == "llama3" else None
    if factors is not None:
        writer.add_tensor("rope_freqs.weight", factors)
    tensors = {}
    for key, parameter in model.state_dict().items():
        if key == "lm_head.weight" and config.tie_word_embeddings:
            continue
        tensors[key] = list(parameter.shape)
        values = drawn(key, parameter.shape, 0.25)
        # The largest tensors have half of the bits, so that the files are small.
        stored = np.float16 if "embed" in key or "head" in key else np.float32
        values = values.astype(stored).astype(np.float32)
        is_quantized = quantized is not None and values.ndim == 2
        if is_quantized:
            values = gguf.dequantize(gguf.quantize(values, quantized), quantized)
        parameter.copy_(torch.from_numpy(values))
        if arch.startswith("gemma") and key.endswith("norm.weight"):
            values = values + 1
        if arch == "llama" and "q_proj" in key:
            values = permuted(values, config.num_attention_heads)
        if arch == "llama" and "k_proj" in key:
            values = permuted(values, config.num_key_value_heads)
        place = names.get_name(key, (".weight", ".bias"))
        if is_quantized:
            writer.add_tensor(place, gguf.quantize(values, quantized), raw_dtype=quantized)
        else:
            writer.add_tensor(place, values.astype(stored))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    require_same(name, model, config)
    tokenizer = kind["made"][0] if kind["model"] == "gpt2" else sentence_piece_tokenizer(*kind["pieces"], kind["addsSpace"])
    ids = [tokenizer.encode(text).ids for text in SAMPLES]
    return {
        "config": config.to_diff_dict(),
        "tensors": tensors,
        "samples": [
            {"text": text, "ids": row, "decoded": tokenizer.decode(row, skip_special_tokens=True)} for text, row in zip(SAMPLES, ids)
        ],
        "logits": model.eval()(torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6]])).logits[0, -1].numpy().astype(float).round(7).tolist(),
        "factors": None if factors is None else factors.astype(float).tolist(),
        "isQuantized": quantized is not None,
    }


def require_same(name, model, config):
    """What transformers reads from the file."""
    # The settings are given, because transformers does not read the size of a head for each architecture.
    read = AutoModelForCausalLM.from_pretrained(HERE, gguf_file=f"{name}.gguf", config=config)
    for key, parameter in model.state_dict().items():
        difference = (read.state_dict()[key] - parameter).abs().max().item()
        assert difference < 1e-6, (name, key, difference)


def numbers():
    """Two rows of 256 numbers of each type, from bytes of which scales are finite."""
    rng = np.random.default_rng(5)
    writer = gguf.GGUFWriter(os.path.join(HERE, "numbers.gguf"), "none")
    expected = {}
    plain = {Type.F32: np.float32, Type.F16: np.float16, Type.F64: np.float64, Type.BF16: None}
    blocks_of = (Type.Q8_0, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q4_K, Type.Q5_K, Type.Q6_K)
    for type in (*plain, *blocks_of):
        numbers, size = gguf.GGML_QUANT_SIZES[type]
        blocks = rng.integers(0, 256, (2 * 256 // numbers, size), dtype=np.uint8)
        stored = plain.get(type)
        if type in plain:
            drawn_numbers = rng.normal(size=(2, 256))
            blocks = drawn_numbers.astype(stored) if stored else gguf.quantize(drawn_numbers.astype(np.float32), type)
        else:
            halves = [208] if type == Type.Q6_K else [0, 2] if type.name.endswith(("_1", "_K")) else [0]
            for at in halves:
                scale = rng.normal(size=len(blocks)).astype(np.float16)
                blocks[:, at : at + 2] = scale.view(np.uint8).reshape(-1, 2)
        blocks = blocks.reshape(2, -1)
        values = gguf.dequantize(blocks, type) if stored is None else blocks
        writer.add_tensor(type.name, blocks, raw_dtype=None if stored else type)
        expected[type.name] = base64.b64encode(values.astype(np.float32).tobytes()).decode()
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return expected


def main():
    os.makedirs(HERE, exist_ok=True)
    torch.set_grad_enabled(False)
    spaced = {"model": "llama", "pieces": sentence_piece(256), "addsSpace": True}
    plain = {"model": "llama", "pieces": sentence_piece(0), "addsSpace": False}
    size = len(plain["pieces"][0])
    bytes_of = lambda pre: {"model": "gpt2", "pre": pre, "made": byte_level(pre)}
    llama3, qwen, smol = (bytes_of(pre) for pre in ("llama-bpe", "qwen2", "smollm"))
    tokens = len(llama3["made"][1])
    scaled = dict(
        rope_type="llama3",
        rope_theta=10000.0,
        factor=8.0,
        low_freq_factor=1.0,
        high_freq_factor=4.0,
        original_max_position_embeddings=128,
    )
    gemma3_positions = {
        "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
        "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
    }
    result = {
        "llama": write("llama", "llama", LlamaConfig(vocab_size=size + 256, head_dim=4, max_position_embeddings=64, **COMMON), spaced),
        "llama3": write(
            "llama3",
            "llama",
            LlamaConfig(vocab_size=tokens, head_dim=8, tie_word_embeddings=True, rope_parameters=scaled, **COMMON),
            llama3,
        ),
        "smollm": write("smollm", "llama", LlamaConfig(vocab_size=tokens, head_dim=4, tie_word_embeddings=True, **{**COMMON, "hidden_size": 4, "num_hidden_layers": 1}), smol),
        "qwen2": write(
            "qwen2",
            "qwen2",
            Qwen2Config(vocab_size=tokens, tie_word_embeddings=True, **{**COMMON, "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1}),
            qwen,
            quantized=Type.Q8_0,
        ),
        "qwen3": write("qwen3", "qwen3", Qwen3Config(vocab_size=tokens, head_dim=8, tie_word_embeddings=True, **COMMON), qwen),
        "gemma2": write(
            "gemma2", "gemma2", Gemma2Config(vocab_size=size, head_dim=4, query_pre_attn_scalar=4, sliding_window=4, **COMMON), plain
        ),
        "gemma3": write(
            "gemma3",
            "gemma3",
            Gemma3TextConfig(vocab_size=size, head_dim=4, query_pre_attn_scalar=4, sliding_window=4, rope_parameters=gemma3_positions, **{**COMMON, "num_hidden_layers": 6}),
            plain,
        ),
        "numbers": numbers(),
    }
    with open(os.path.join(HERE, "expected.json"), "w") as file:
        json.dump(result, file, separators=(",", ":"))
    for name in os.listdir(HERE):
        path = os.path.join(HERE, name)
        if not name.endswith(".gz"):
            with open(path, "rb") as file, open(f"{path}.gz", "wb") as packed:
                packed.write(gzip.compress(file.read(), mtime=0))
            os.remove(path)


if __name__ == "__main__":
    main()
