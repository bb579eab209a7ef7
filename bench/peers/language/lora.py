"""A LoRA step of PyTorch, for lora.mjs: each line of the input asks for one, each line of the output is its time."""

import json
import resource
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

torch.set_num_threads(1)
torch.manual_seed(1)
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
model = get_peft_model(model, LoraConfig(r=8, target_modules=['q_proj', 'k_proj', 'v_proj'], task_type='CAUSAL_LM'))
optimizer = torch.optim.AdamW([each for each in model.parameters() if each.requires_grad])
ids = torch.randint(3, 40000, (4, 128))
model.train()
print('{}', flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    optimizer.zero_grad()
    model(input_ids=ids, labels=ids).loss.backward()
    optimizer.step()
    milliseconds = (time.perf_counter() - start) * 1000
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({'milliseconds': milliseconds, 'kilobytes': kilobytes}), flush=True)
