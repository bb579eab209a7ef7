"""Continues the training of a model of myelin with Keras on PyTorch, with a process for each device of one or several machines.

    torchrun --nproc-per-node 2 train_torch.py model.keras train.npz --epochs 5 --batch-size 256 --out grown.keras

Each process trains its share of every batch, and the processes average their gradients before each update. Statistics of
BatchNormalization are those of the first process.
"""

import os

os.environ["KERAS_BACKEND"] = "torch"

import loop


def main():
    options = loop.parser(__doc__).parse_args()
    import torch
    from torch import distributed

    has_gpu = torch.cuda.is_available()
    if has_gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    else:
        os.environ["KERAS_TORCH_DEVICE"] = "cpu"
    distributed.init_process_group("nccl" if has_gpu else "gloo")
    process, count = distributed.get_rank(), distributed.get_world_size()
    import keras

    # Layers such as Dropout draw other numbers in each process.
    keras.utils.set_random_seed(options.seed + process)
    model = loop.load(options)
    apply = model.optimizer.apply

    def apply_averaged(gradients, weights=None, **more):
        for gradient in gradients:
            distributed.all_reduce(gradient)
            gradient /= count
        return apply(gradients, weights, **more)

    def average(logs):
        values = torch.tensor(list(logs.values()), dtype=torch.float64, device="cuda" if has_gpu else "cpu")
        distributed.all_reduce(values)
        return dict(zip(logs, (values / count).tolist()))

    model.optimizer.apply = apply_averaged
    if process == 0:
        print(f"{count} processes, {model.count_params()} parameters")
    history = loop.fit(model, options, (process, count), average)
    del model.optimizer.apply
    if process == 0:
        loop.write(model, history, options)
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
