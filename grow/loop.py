"""What both ways of training have: the command line, the epochs, and what is written at the end."""

import argparse
import json

import data


def parser(description):
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("model", help="a compiled model, written by model.save('model.keras')")
    made.add_argument("data", help="what Dataset.save wrote: .npz, .csv, or a folder of images")
    made.add_argument("--out", required=True, help="where to write the trained model with its optimizer state, as .keras")
    made.add_argument("--validation", help="data of the same kind, which are evaluated after each epoch")
    made.add_argument("--epochs", type=int, default=1)
    made.add_argument("--batch-size", type=int, default=32, help="rows per step, of all devices together")
    made.add_argument("--shuffle", action="store_true", help="take the rows in another order in each epoch")
    made.add_argument("--seed", type=int, default=0, help="the seed of the order, and of layers such as Dropout")
    made.add_argument("--history", help="where to write the losses and metrics of the epochs, as JSON")
    return made


def load(options):
    """The model, which Keras places on the devices of the current distribution."""
    import keras

    model = keras.saving.load_model(options.model)
    if not model.compiled:
        raise SystemExit(f"{options.model}: the model is not compiled. Compile it before it is saved")
    return model


def fit(model, options, share, average=lambda logs: logs):
    """Keras's fit, epoch by epoch, so that each has its own order of rows. `share` is what this process trains of every batch."""
    train = data.read(options.data)
    held = None if options.validation is None else data.read(options.validation)
    history = []
    for epoch in range(options.epochs):
        own = data.batches(train, options.batch_size, epoch, options.shuffle, options.seed, share)
        steps = data.steps(train, options.batch_size)
        logs = {k: v[0] for k, v in model.fit(own, steps_per_epoch=steps, shuffle=False, verbose=0).history.items()}
        if held is not None:
            own = data.batches(held, options.batch_size, share=share)
            steps = data.steps(held, options.batch_size)
            found = model.evaluate(own, steps=steps, verbose=0, return_dict=True)
            logs |= {f"val_{key}": value for key, value in found.items()}
        history.append(average({key: float(value) for key, value in logs.items()}))
        if share[0] == 0:
            print(f"epoch {epoch + 1}: " + ", ".join(f"{key} {value:.6f}" for key, value in history[-1].items()))
    return history


def write(model, history, options):
    model.save(options.out)
    if options.history is not None:
        with open(options.history, "w") as file:
            json.dump(history, file)
