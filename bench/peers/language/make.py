"""Makes a language model of 135 million random weights in the files of each library: a Llama of the shape of SmolLM2-135M.

    python make.py ../../../build/models/language

    preset/               config.json, tokenizer.json, model.safetensors in BF16, as Hugging Face has them
    q8_0.gguf, q4_0.gguf  for llama.cpp and wllama
    onnx/                 for transformers.js: model_quantized.onnx (q8) and model_q4.onnx

Random weights have the speed of trained ones. The tokenizer is trained on the texts of this repository.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import gguf
import numpy
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

TOKENS, WIDTH, BLOCKS, HEADS, KEY_HEADS, INNER = 49152, 576, 30, 9, 3, 1536
HEAD = WIDTH // HEADS
SPECIAL = ['<|endoftext|>', '<|im_start|>', '<|im_end|>']
CONFIG = {
    'architectures': ['LlamaForCausalLM'],
    'model_type': 'llama',
    'hidden_size': WIDTH,
    'head_dim': HEAD,
    'intermediate_size': INNER,
    'num_hidden_layers': BLOCKS,
    'num_attention_heads': HEADS,
    'num_key_value_heads': KEY_HEADS,
    'hidden_act': 'silu',
    'max_position_embeddings': 8192,
    'rms_norm_eps': 1e-5,
    'rope_theta': 100000,
    'tie_word_embeddings': True,
    'torch_dtype': 'bfloat16',
    'vocab_size': TOKENS,
    'bos_token_id': 1,
    'eos_token_id': 2,
    'pad_token_id': 2,
}
# The names of tensors in GGUF.
NAMES = {
    'input_layernorm': 'attn_norm',
    'self_attn.q_proj': 'attn_q',
    'self_attn.k_proj': 'attn_k',
    'self_attn.v_proj': 'attn_v',
    'self_attn.o_proj': 'attn_output',
    'post_attention_layernorm': 'ffn_norm',
    'mlp.gate_proj': 'ffn_gate',
    'mlp.up_proj': 'ffn_up',
    'mlp.down_proj': 'ffn_down',
}


def texts():
    root = Path(__file__).resolve().parents[3]
    for pattern in ['examples/data/*.txt', '*.md', 'docs/**/*.md', 'src/**/*.ts', 'tests/**/*.ts']:
        for path in sorted(root.glob(pattern)):
            if 'node_modules' not in path.parts:
                yield path.read_text(encoding='utf-8')


def trained_tokenizer():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=TOKENS,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts(), trainer)
    description = json.loads(tokenizer.to_str())
    vocabulary = description['model']['vocab']
    # Tokens that no text has, where the texts have too few words.
    for index in range(len(vocabulary), TOKENS):
        vocabulary[f'unused{index}'] = index
    return description


def random_weights():
    torch.manual_seed(1)
    matrix = lambda *shape: (torch.randn(*shape) * 0.02).to(torch.bfloat16)
    ones = lambda: torch.ones(WIDTH, dtype=torch.bfloat16)
    weights = {'model.embed_tokens.weight': matrix(TOKENS, WIDTH), 'model.norm.weight': ones()}
    shapes = {
        'self_attn.q_proj': (WIDTH, WIDTH),
        'self_attn.k_proj': (KEY_HEADS * HEAD, WIDTH),
        'self_attn.v_proj': (KEY_HEADS * HEAD, WIDTH),
        'self_attn.o_proj': (WIDTH, WIDTH),
        'mlp.gate_proj': (INNER, WIDTH),
        'mlp.up_proj': (INNER, WIDTH),
        'mlp.down_proj': (WIDTH, INNER),
    }
    for block in range(BLOCKS):
        for name in NAMES:
            shape = shapes.get(name)
            weights[f'model.layers.{block}.{name}.weight'] = ones() if shape is None else matrix(*shape)
    return weights


def write_json(path, content):
    path.write_text(json.dumps(content, ensure_ascii=False), encoding='utf-8')


def write_preset(folder, description, weights):
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / 'config.json', CONFIG)
    write_json(folder / 'generation_config.json', {'bos_token_id': 1, 'eos_token_id': 2, 'pad_token_id': 2})
    write_json(folder / 'tokenizer.json', description)
    tokens = {'bos_token': SPECIAL[1], 'eos_token': SPECIAL[2], 'pad_token': SPECIAL[2], 'unk_token': SPECIAL[0]}
    write_json(folder / 'tokenizer_config.json', {**tokens, 'tokenizer_class': 'GPT2Tokenizer', 'model_max_length': 8192})
    save_file(weights, folder / 'model.safetensors', metadata={'format': 'pt'})


def gguf_name(name):
    if name == 'model.embed_tokens.weight':
        return 'token_embd.weight'
    if name == 'model.norm.weight':
        return 'output_norm.weight'
    _, _, block, *rest = name.split('.')
    return f'blk.{block}.{NAMES[".".join(rest[:-1])]}.weight'


def rotated(matrix, heads):
    """llama.cpp rotates neighbouring features in place of halves."""
    return matrix.reshape(heads, 2, matrix.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(matrix.shape)


def write_gguf(path, kind, file_type, description, weights):
    writer = gguf.GGUFWriter(path, 'llama')
    writer.add_block_count(BLOCKS)
    writer.add_context_length(8192)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_rope_freq_base(CONFIG['rope_theta'])
    writer.add_rope_dimension_count(HEAD)
    writer.add_layer_norm_rms_eps(CONFIG['rms_norm_eps'])
    writer.add_vocab_size(TOKENS)
    writer.add_file_type(file_type)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    vocabulary = sorted(description['model']['vocab'].items(), key=lambda entry: entry[1])
    types = [gguf.TokenType.CONTROL if token in SPECIAL else gguf.TokenType.NORMAL for token, _ in vocabulary]
    writer.add_tokenizer_model('gpt2')
    writer.add_tokenizer_pre('gpt-2')
    writer.add_token_list([token for token, _ in vocabulary])
    writer.add_token_types(types)
    writer.add_token_merges([' '.join(merge) for merge in description['model']['merges']])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(False)
    for name, weight in weights.items():
        values = weight.to(torch.float32).numpy()
        if 'q_proj' in name:
            values = rotated(values, HEADS)
        if 'k_proj' in name:
            values = rotated(values, KEY_HEADS)
        if values.ndim == 1:
            writer.add_tensor(gguf_name(name), values)
        else:
            integers = gguf.quants.quantize(numpy.ascontiguousarray(values), kind)
            writer.add_tensor(gguf_name(name), integers, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_onnx(folder, preset):
    """The float32 graph of onnxruntime-genai, with weights of 8 and 4 bits as the models for transformers.js have them."""
    whole = folder / 'float32'
    builder = ['-m', 'onnxruntime_genai.models.builder', '-p', 'fp32', '-e', 'cpu']
    subprocess.run(
        [sys.executable, *builder, '-i', preset, '-o', whole, '-c', folder / 'cache'],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    (folder / 'onnx').mkdir(exist_ok=True)
    for path in preset.glob('*.json'):
        shutil.copy(path, folder)
    eight = folder / 'onnx' / 'model_quantized.onnx'
    only_weights = {'MatMulConstBOnly': True}
    quantize_dynamic(
        whole / 'model.onnx',
        eight,
        weight_type=QuantType.QUInt8,
        op_types_to_quantize=['MatMul', 'Gather'],
        extra_options=only_weights,
    )
    save_with_head(onnx.load(eight), eight)
    quantizer = MatMulNBitsQuantizer(onnx.load(whole / 'model.onnx'), block_size=32, is_symmetric=True, accuracy_level=4)
    quantizer.process()
    save_with_head(quantizer.model.model, folder / 'onnx' / 'model_q4.onnx')
    shutil.rmtree(whole)


def save_with_head(model, path):
    """Sets the size of heads, which transformers.js reads from the shapes of keys and values."""
    for value in [*model.graph.input, *model.graph.output]:
        sizes = value.type.tensor_type.shape.dim
        if len(sizes) == 4:
            sizes[3].dim_value = HEAD
    onnx.save_model(model, path)


def main():
    folder = Path(sys.argv[1]).resolve()
    description, weights = trained_tokenizer(), random_weights()
    write_preset(folder / 'preset', description, weights)
    kinds = gguf.GGMLQuantizationType
    files = gguf.LlamaFileType
    write_gguf(folder / 'q8_0.gguf', kinds.Q8_0, files.MOSTLY_Q8_0, description, weights)
    write_gguf(folder / 'q4_0.gguf', kinds.Q4_0, files.MOSTLY_Q4_0, description, weights)
    (folder / 'onnx').mkdir(exist_ok=True)
    write_onnx(folder / 'onnx', folder / 'preset')


main()
