"""Writes keras/configs/: objects of every kind, described in myelin's names, with the JSON that Keras writes for them.

Usage: python keras_configs.py, after all other fixtures that describe objects. A case is kept if it gives an option of its class
for the first time.
"""

import inspect
import json

from common import HERE, build

import keras

KINDS = {
    "layers": keras.layers,
    "losses": keras.losses,
    "metrics": keras.metrics,
    "optimizers": keras.optimizers,
    "schedules": keras.optimizers.schedules,
    "initializers": keras.initializers,
    "regularizers": keras.regularizers,
    "constraints": keras.constraints,
}
FAMILIES = [path.stem for path in sorted((HERE / "layers").glob("*.json"))]
# What is read for each file that is written: the kind, and the fixtures that describe objects of it.
FILES = {
    **{f"layers-{family}": ("layers", [f"layers/{family}.json"]) for family in FAMILIES},
    "layers-others": ("layers", []),
    "losses": ("losses", ["losses.json"]),
    "metrics": ("metrics", ["metrics.json"]),
    "optimizers": ("optimizers", ["optimizers.json", "rules.json"]),
    "schedules": ("schedules", ["optimizers.json"]),
    "initializers": ("initializers", ["initializers.json"]),
    "regularizers": ("regularizers", ["regularizers.json"]),
    "constraints": ("constraints", ["constraints.json"]),
}
# Arguments without a default, by class, for classes that no other fixture has.
REQUIRED = {
    "CenterCrop": {"height": 4, "width": 2},
    "RandomCrop": {"height": 4, "width": 2},
    "Resizing": {"height": 4, "width": 2},
    "RandomColorDegeneration": {"factor": 0.5},
    "RandomContrast": {"factor": 0.2},
    "RandomBrightness": {"factor": 0.2},
    "RandomHue": {"factor": 0.2},
    "RandomPosterization": {"factor": 4},
    "RandomRotation": {"factor": [-0.1, 0.2], "fillMode": "nearest"},
    "RandomSaturation": {"factor": 0.3},
    "RandomSharpness": {"factor": 0.3},
    "RandomTranslation": {"heightFactor": 0.1, "widthFactor": [0.1, 0.2]},
    "RandomZoom": {"heightFactor": 0.1},
    "Rescaling": {"scale": 2},
    "CategoryEncoding": {"numTokens": 4},
    "Hashing": {"numBins": 4},
    "HashedCrossing": {"numBins": 4},
    "MaxNumBoundingBoxes": {"maxNumber": 4},
    "Dropout": {"rate": 0.5},
    "SpatialDropout1D": {"rate": 0.5},
    "SpatialDropout2D": {"rate": 0.5},
    "SpatialDropout3D": {"rate": 0.5},
    "AlphaDropout": {"rate": 0.5, "noiseShape": [None, 1], "seed": 3},
    "GaussianDropout": {"rate": 0.5},
    "GaussianNoise": {"stddev": 0.5},
    "RandomElasticTransform": {},
    "ExponentialDecay": {"initialLearningRate": 0.1, "decaySteps": 10, "decayRate": 0.5},
    "Orthogonal": {"gain": 2},
    "TruncatedNormal": {"stddev": 0.2, "seed": 3},
}


def described_in(value):
    """All {"class", "config"} in a file."""
    if isinstance(value, dict):
        if set(value) >= {"class", "config"} and isinstance(value["config"], dict):
            yield {"class": value["class"], "config": value["config"]}
        for each in value.values():
            yield from described_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from described_in(each)


def without_modules(saved):
    """Less to store: what readers must not depend on."""
    if isinstance(saved, dict):
        return {k: without_modules(v) for k, v in saved.items() if k not in ("registered_name", "build_config", "shared_object_id")}
    return [without_modules(each) for each in saved] if isinstance(saved, (list, tuple)) else saved


def cases(file, seen):
    kind, names = FILES[file]
    module = KINDS[kind]
    found = [each for name in names for each in described_in(json.loads((HERE / name).read_text()))]
    if file == kind or file == "layers-others":
        found += [{"class": name, "config": config} for name, config in REQUIRED.items()]
        found += [{"class": name, "config": {}} for name, of in sorted(vars(module).items()) if inspect.isclass(of)]
    for described in found:
        name = {"GroupedQueryAttention": "GroupQueryAttention"}.get(described["class"], described["class"])
        if not hasattr(module, name):
            continue
        keys = {f"{described['class']}.{key}" for key in described["config"]} | {described["class"]}
        if keys <= seen:
            continue
        try:
            keras.backend.clear_session()
            made = build(module, described)
            saved = without_modules(keras.saving.serialize_keras_object(made))
        except Exception as error:  # a base class, or one that needs another package
            print(f"  {kind}: {described}: {str(error)[:80]}")
            continue
        bases = ("Layer", "InputSpec", "Loss", "Metric", "Initializer", "Constraint", "l1_l2", "l1", "l2", "l1l2", "IdentityInitializer", "OrthogonalInitializer", "STFTInitializer")
        if not isinstance(saved, dict) or "class_name" not in saved or described["class"] in bases:
            continue
        seen |= keys
        yield {"described": described, "saved": saved}


def main():
    folder = HERE / "keras" / "configs"
    folder.mkdir(parents=True, exist_ok=True)
    seen = {kind: set() for kind in KINDS}
    for file, (kind, _) in FILES.items():
        lines = ",\n".join(json.dumps(each, separators=(",", ":")) for each in cases(file, seen[kind]))
        path = folder / f"{file}.json"
        path.write_text(f'{{"keras":"{keras.__version__}","cases":[\n{lines}\n]}}\n')
        print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
