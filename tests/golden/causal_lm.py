"""Texts, scores, training and adapters of tiny language models: python causal_lm.py

Writes language/causal-lm.json and language/tokenizer.json. Weights are drawn by a rule that tests/helpers/drawn-weights.ts has as well,
so that the file needs none. Needs torch, transformers, tokenizers and peft: see requirements-language.txt.
"""

import base64
import json
import os
import tempfile

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, GPT2Config, GPTNeoXConfig, LlamaConfig, PreTrainedTokenizerFast

HERE = os.path.dirname(os.path.abspath(__file__))
TEXT = open(os.path.join(HERE, "../../examples/data/moby-dick.txt"), encoding="utf-8").read()
TEXTS = [line for line in TEXT.split("\n") if 55 < len(line) < 75][:8]
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def drawn(name, shape, scale):
    """Numbers in ±scale, from the name of a tensor and the index of an element."""
    seed = 2166136261
    for byte in name.encode():
        seed = ((seed ^ byte) * 16777619) & 0xFFFFFFFF
    x = np.arange(int(np.prod(shape)), dtype=np.uint32) * np.uint32(2654435761) + np.uint32(seed)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    x *= np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
    return ((x.astype(np.float64) / 2**32 - 0.5) * 2 * scale).astype(np.float32).reshape(shape)


def draw_into(folder, scale=0.25):
    """Replaces the weights in the file of a model. The names in a file may differ from those of the parameters."""
    path = os.path.join(folder, "model.safetensors")
    tensors = load_file(path)
    for name, tensor in tensors.items():
        offset = 1 if tensor.ndim == 1 and name.endswith("weight") else 0
        tensors[name] = torch.from_numpy(drawn(name, tensor.shape, scale if tensor.ndim > 1 else 0.1)) + offset
    save_file(tensors, path, metadata={"format": "pt"})


def tokenizer():
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    made.train_from_iterator([TEXT[:50000]], trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<|im_end|>", pad_token="<|endoftext|>", bos_token="<|endoftext|>"
    )
    fast.chat_template = TEMPLATE
    return fast


def rows(fast, texts):
    ids = [fast(text)["input_ids"] + [fast.eos_token_id] for text in texts]
    length = max(len(row) - 1 for row in ids)
    x = torch.zeros(len(ids), length, dtype=torch.long)
    y = torch.full((len(ids), length), -100)
    for i, row in enumerate(ids):
        x[i, : len(row) - 1] = torch.tensor(row[:-1])
        y[i, : len(row) - 1] = torch.tensor(row[1:])
    return x, y


def train(model, x, y, steps, rate):
    """AdamW with five steps of warm-up and a limit of the norm: the loss of each step."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01, eps=1e-9)
    losses = []
    model.train()
    for step in range(steps):
        batch = [(2 * step) % 8, (2 * step + 1) % 8]
        logits = model(x[batch]).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), y[batch].flatten())
        optimizer.zero_grad()
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (step + 1) / 5)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    return losses


def encoded(path):
    return base64.b64encode(open(path, "rb").read()).decode()


def case(fast, config, targets):
    with tempfile.TemporaryDirectory() as folder:
        AutoModelForCausalLM.from_config(config).float().save_pretrained(folder)
        draw_into(folder)
        with open(os.path.join(folder, "config.json")) as file:
            written = json.load(file)
        again = lambda: AutoModelForCausalLM.from_pretrained(folder).float()
        base = again().eval()
        prompt = fast("Call me", return_tensors="pt")["input_ids"]
        chat = fast.apply_chat_template(
            [{"role": "user", "content": "Who?"}], add_generation_prompt=True, tokenize=True, return_tensors="pt"
        )
        chat = chat if torch.is_tensor(chat) else chat["input_ids"]
        run = lambda ids, **options: base.generate(ids, do_sample=False, eos_token_id=None, pad_token_id=0, **options)[0]
        x, y = rows(fast, TEXTS)
        with torch.no_grad():
            logs = torch.log_softmax(base(x[:1]).logits, -1)[0]
        wanted = y[0][y[0] >= 0]
        scores = logs[: len(wanted)].gather(1, wanted[:, None])[:, 0]
        result = {
            "config": written,
            "shapes": {name: list(tensor.shape) for name, tensor in load_file(f"{folder}/model.safetensors").items()},
            "greedy": run(prompt, max_new_tokens=30).tolist(),
            "beams": run(prompt, max_new_tokens=12, num_beams=3).tolist(),
            "penalized": run(prompt, max_new_tokens=12, repetition_penalty=1.3).tolist(),
            "chat": run(chat, max_new_tokens=10)[chat.shape[1] :].tolist(),
            "scores": scores.tolist(),
            "losses": train(again(), x, y, 20, 1e-3),
        }
        adapted = get_peft_model(
            again(),
            LoraConfig(r=4, lora_alpha=8, target_modules=targets, fan_in_fan_out="c_attn" in targets, task_type="CAUSAL_LM"),
        )
        with torch.no_grad():
            for name, parameter in adapted.named_parameters():
                if "lora_" in name:
                    parameter.copy_(torch.from_numpy(drawn(name, parameter.shape, 0.1)))
        adapted.save_pretrained(f"{folder}/start")
        start = encoded(f"{folder}/start/adapter_model.safetensors")
        losses = train(adapted, x, y, 50, 1e-3)
        adapted.save_pretrained(f"{folder}/end")
        with torch.no_grad():
            logits = adapted(x[:1]).logits[0, -1]
        with open(f"{folder}/end/adapter_config.json") as file:
            adapter = {key: value for key, value in json.load(file).items() if value not in (None, {}, [])}
        result["adapter"] = {
            "config": {**adapter, "base_model_name_or_path": "", "target_modules": sorted(adapter["target_modules"])},
            "start": start,
            "end": encoded(f"{folder}/end/adapter_model.safetensors"),
            "losses": losses,
            "tokens": x[0].tolist(),
            "logits": logits.tolist(),
        }
        return result


def main():
    fast = tokenizer()
    with tempfile.TemporaryDirectory() as folder:
        fast.save_pretrained(folder)
        with open(f"{folder}/tokenizer.json") as file:
            files = {"tokenizer.json": json.load(file)}
        with open(f"{folder}/tokenizer_config.json") as file:
            files["tokenizer_config.json"] = {**json.load(file), "chat_template": TEMPLATE}
    size = len(fast)
    common = dict(vocab_size=size, bos_token_id=0, eos_token_id=fast.eos_token_id, pad_token_id=0)
    base = dict(
        hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=128, **common
    )
    quiet = dict(resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)
    cases = {
        "llama": case(fast, LlamaConfig(num_key_value_heads=2, **base), ["q_proj", "v_proj", "down_proj"]),
        "gpt2": case(fast, GPT2Config(n_embd=16, n_layer=2, n_head=4, n_positions=128, **quiet, **common), ["c_attn", "c_fc"]),
        "gpt_neox": case(fast, GPTNeoXConfig(rope_parameters=dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.5), **base), ["query_key_value"]),
    }
    short = lambda number: float(f"{number:.8g}")
    text = json.dumps({"tokenizer": files, "texts": TEXTS, "cases": cases}, ensure_ascii=False)
    folder = os.path.join(HERE, "language")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "causal-lm.json"), "w") as file:
        json.dump(json.loads(text, parse_float=lambda number: short(float(number))), file, ensure_ascii=False)
        file.write("\n")


if __name__ == "__main__":
    main()
