"""What to look at when a model does no better than chance on data that fits it."""

from __future__ import annotations

from pruning.intake.dataset import Manifest

NEAR_CHANCE = "The model does no better than chance on this data."
_PREPROCESSING = {
    "image": "Most often it is the scaling, then the order of the colour channels, then the size.",
    "audio": "Most often it is the sample rate, then the features and their scale.",
    "text": "Most often the vocabulary is not the one that the model was trained with: bring its "
    "file.",
    "arrays": "Most often it is the scaling: train and bring the arrays with the same one.",
}


def advice(manifest: Manifest) -> str:
    """What most often is wrong with data of this kind, the likeliest first."""
    return f"{_PREPROCESSING.get(manifest.modality, '')} {_labels(manifest)}".lstrip()


def _labels(manifest: Manifest) -> str:
    """What else may be wrong: numbers and class numbers are not in the order of any names."""
    if manifest.task == "regression":
        return "Then check what is predicted: its unit, its scaling, and the order of the values."
    if manifest.classes == tuple(str(number) for number in range(len(manifest.classes))):
        return "Then check the labels: class 0 has to be the model's first output, and so on."
    return (
        "Then check the order of the classes: the data has them in the order of their names, the "
        "model may have another."
    )
