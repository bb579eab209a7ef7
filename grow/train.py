"""Continues the training of a model of myelin with Keras on JAX: on all devices of a machine, or of several machines.

    python train.py model.keras train.npz --epochs 5 --batch-size 256 --out grown.keras

With several processes, each reads the same files and trains its share of every batch:

    python train.py … --coordinator HOST:1234 --processes 2 --process 0
    python train.py … --coordinator HOST:1234 --processes 2 --process 1
"""

import json
import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import loop


def arguments():
    made = loop.parser(__doc__)
    made.add_argument("--coordinator", metavar="HOST:PORT", help="the address of process 0")
    made.add_argument("--processes", type=int, help="how many processes there are")
    made.add_argument("--process", type=int, help="the number of this process, from 0")
    made.add_argument("--model-parallel", type=int, default=1, metavar="N", help="divide the weights over N devices")
    made.add_argument(
        "--layout",
        type=json.loads,
        default={},
        help="""which weights are divided, by patterns of their paths: '{"dense.*kernel": [null, "model"]}'""",
    )
    options = made.parse_args()
    if (options.model_parallel > 1) != bool(options.layout):
        made.error("--model-parallel and --layout belong together")
    return options


def distribution(options):
    """Divides batches over all devices, and with --model-parallel weights over groups of N devices."""
    from keras import distribution as keras_distribution

    devices = keras_distribution.list_devices()
    if options.model_parallel == 1:
        return keras_distribution.DataParallel(devices=devices, auto_shard_dataset=False)
    groups, rest = divmod(len(devices), options.model_parallel)
    if rest != 0:
        raise SystemExit(f"--model-parallel {options.model_parallel} does not divide the {len(devices)} devices")
    mesh = keras_distribution.DeviceMesh((groups, options.model_parallel), ["batch", "model"], devices)
    layout = keras_distribution.LayoutMap(mesh)
    for pattern, axes in options.layout.items():
        layout[pattern] = tuple(axes)
    return keras_distribution.ModelParallel(layout_map=layout, batch_dim_name="batch", auto_shard_dataset=False)


def values_of(variables):
    """The values of variables on this host, also of those that are divided over several."""
    import numpy as np
    from jax import process_count
    from jax.experimental.multihost_utils import process_allgather

    if process_count() == 1:
        return [np.asarray(variable.value) for variable in variables]
    return [np.asarray(process_allgather(variable.value, tiled=True)) for variable in variables]


def main():
    options = arguments()
    import jax

    if options.coordinator is not None:
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        jax.distributed.initialize(options.coordinator, options.processes, options.process)
    import keras

    keras.utils.set_random_seed(options.seed)
    # Before the model is made, because its weights are placed on devices when they are made.
    spread = distribution(options)
    keras.distribution.set_distribution(spread)
    model = loop.load(options)
    if jax.process_index() == 0:
        print(f"{jax.process_count()} processes, {len(jax.devices())} devices, {model.count_params()} parameters")
    history = loop.fit(model, options, (spread.data_shard_id, min(spread.num_model_replicas, jax.process_count())))

    values = values_of([*model.variables, *model.optimizer.variables])
    if jax.process_index() != 0:
        return
    keras.distribution.set_distribution(None)
    grown = loop.load(options)
    for variable, value in zip([*grown.variables, *grown.optimizer.variables], values, strict=True):
        variable.assign(value)
    loop.write(grown, history, options)


if __name__ == "__main__":
    main()
