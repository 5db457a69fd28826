"""Which arrays of an ``.npz`` belong together, told by their keys.

    x_train y_train …  or  x y                      one input
    x_train_NAME … y_train …  or  x_NAME … y        several: NAME is the model's name of an input,
                                                    or its number from 0 where all are numbers
    y_train_NAME …  or  y_NAME                      labels of one of several outputs, by its name

The labels say which splits there are: ``x_test_image`` is the input ``test_image`` beside ``y``,
and the input ``image`` beside ``y_test``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pruning import quantities
from pruning.errors import DataFileError, MismatchError
from pruning.intake.dataset import SPLITS
from pruning.intake.npz import Npz
from pruning.intake.splits import split_of


@dataclass(frozen=True)
class Pair:
    """Keys of the inputs, in order, and of the labels of the same samples; their split if given."""

    x: tuple[str, ...]
    y: str
    split: int | None


@dataclass(frozen=True)
class Keys:
    """The arrays of an ``.npz`` that are data.

    Attributes:
        names: Of the inputs, in order; empty for one without a name.
        pairs: By split.
        output: Number of the output that the labels are for, where their keys name one.
    """

    names: tuple[str, ...]
    pairs: tuple[Pair, ...]
    output: int | None = None

    def of_input(self, place: int) -> list[str]:
        """Keys of one input's arrays, by split."""
        return [pair.x[place] for pair in self.pairs]


def find_keys(npz: Npz, wanted: Sequence[str] = (), outputs: Sequence[str] = ()) -> Keys:
    """Tell what the arrays are.

    Args:
        npz: The open file.
        wanted: Names of the model's inputs in its order; without them the file's own decide.
        outputs: Names of the model's outputs. Labels of several count for the first of these.

    Raises:
        DataFileError: Keys are missing, or arrays have different numbers of samples.
        MismatchError: The inputs are not the model's.
    """
    lower = {key.lower(): key for key in npz.headers}
    inputs = [low for low in lower if low == "x" or low.startswith("x_")]
    plain = [low for low in inputs if low == "x" or split_of(low[2:]) is not None]
    labels, output = _labels(lower, outputs)
    if len(wanted) > 1 or (inputs and not plain and labels):
        keys = _by_name(npz, lower, labels, tuple(wanted))
    else:
        keys = Keys((), _plain(npz, lower, labels, plain))
    for pair in keys.pairs:
        for key in pair.x:
            _check_lengths(npz, key, pair.y)
    return replace(keys, output=output)


def own_outputs(npz: Npz) -> list[str]:
    """Names of outputs as they stand in the keys of the labels: where no model gives them."""
    found = []
    for key in npz.headers:
        if key.lower().startswith("y_"):
            word, _, name = key[2:].partition("_")
            found.append(name if split_of(word) is not None else key[2:])
    return list(dict.fromkeys(name for name in found if name))


def named_keys(names: Sequence[str], split: str = "train") -> str:
    """Keys of arrays for these inputs, as words: ``x_train_tokens, x_train_mask``."""
    return ", ".join(f"x_{split}_{name}" for name in names)


def _plain(
    npz: Npz, lower: Mapping[str, str], labels: Mapping[str, str], inputs: Sequence[str]
) -> tuple[Pair, ...]:
    found = []
    for low in inputs:
        partner = labels.get(low[1:])
        if partner is None:
            raise _without_labels(npz, lower[low], low[1:])
        found.append(Pair((lower[low],), partner, split_of(low[2:])))
    return _in_order(npz, found)


def _by_name(
    npz: Npz, lower: Mapping[str, str], words: Mapping[str, str], wanted: tuple[str, ...]
) -> Keys:
    """Find the arrays of each input, by the splits of the labels."""
    found: list[Pair] = []
    names = wanted
    for word, label in words.items():
        given = _inputs_of(lower, word)
        names = names or _ordered(list(given))
        if not names:
            _raise_keys(npz)
        x = _matched(npz, given, names, word, of_model=bool(wanted))
        found.append(Pair(x, label, split_of(word[1:]) if word else None))
    if "" not in words:
        _check_labels(npz, lower, words)
    return Keys(names, _in_order(npz, found, names))


def _labels(lower: Mapping[str, str], outputs: Sequence[str]) -> tuple[dict[str, str], int | None]:
    """Keys of the labels by their split: nothing, or ``_train``; and the output that they name."""
    plain = _ending(lower, "")
    named = [(_ending(lower, f"_{name.lower()}"), place) for place, name in enumerate(outputs)]
    return next(((found, place) for found, place in [(plain, None), *named] if found), ({}, None))


def _ending(lower: Mapping[str, str], end: str) -> dict[str, str]:
    found = {}
    for low, key in lower.items():
        word = low[1:].removesuffix(end)
        if low == f"y{word}{end}" and (not word or split_of(word.removeprefix("_")) is not None):
            found[word] = key
    return found


def _inputs_of(lower: Mapping[str, str], word: str) -> dict[str, str]:
    """Keys of one split's inputs. -> by the input's name as it stands in the key."""
    start = f"x{word}"
    found = {}
    for low, key in lower.items():
        if low == start or low.startswith(f"{start}_"):
            found[key[len(start) + 1 :]] = key
    return found


def _ordered(names: list[str]) -> tuple[str, ...]:
    numbered = all(name.isdecimal() for name in names)
    return tuple(sorted(names, key=int) if numbered else names)


def _matched(
    npz: Npz, given: Mapping[str, str], names: tuple[str, ...], word: str, *, of_model: bool
) -> tuple[str, ...]:
    """Keys of the inputs in the order of ``names``.

    Raises:
        MismatchError: The model has other inputs than the file.
        DataFileError: The splits have other inputs than each other.
    """
    error = MismatchError if of_model else DataFileError
    whose = "The model" if of_model else "Another split"
    expected = f"One array for each input: {', '.join(f'x{word}_{name}' for name in names)}."
    by_name = {name.lower(): key for name, key in given.items()}
    numbers = [str(place) for place in range(len(names))]
    lowered = [name.lower() for name in names]
    alike = len(set(lowered)) < len(lowered)  # only their numbers tell such inputs apart
    if alike or (set(by_name) != set(lowered) and set(by_name) == set(numbers)):
        lowered = numbers
    missing = [name for name, low in zip(names, lowered, strict=True) if low not in by_name]
    if missing and "" in by_name:
        raise error(
            f"{npz.name} has one array of inputs, {by_name['']}; "
            f"the model has {len(names)} inputs: {', '.join(names)}.",
            expected=expected,
            fix=f"Save what each input reads under a key of its own, like x{word}_{names[0]}.",
        )
    surplus = [key for low, key in by_name.items() if low not in lowered]
    if missing:
        found = f" It has {', '.join(surplus[:4])}." if surplus else ""
        raise error(
            f"{npz.name} has no array x{word}_{missing[0]}. "
            f"{whose} has {quantities.plural(len(names), 'input')}: {', '.join(names)}.{found}",
            expected=expected,
            fix="Save the missing array in the same file, under that key.",
        )
    if surplus:
        raise error(
            f"{npz.name} has the array {surplus[0]}. "
            f"{whose} has no such input, only {', '.join(names)}.",
            expected=expected,
            fix="Rename the array to the input that reads it, or leave it out.",
        )
    return tuple(by_name[low] for low in lowered)


def _check_labels(npz: Npz, lower: Mapping[str, str], words: Mapping[str, str]) -> None:
    """Every split of the inputs has labels."""
    for low, key in lower.items():
        word, _, name = low[2:].partition("_")
        if low[:2] == "x_" and name and split_of(word) is not None and f"_{word}" not in words:
            raise _without_labels(npz, key, f"_{word}")


def _in_order(npz: Npz, found: Sequence[Pair], names: Sequence[str] = ()) -> tuple[Pair, ...]:
    """Pairs from training to test; training or everything has to be among them."""
    splits = [pair.split for pair in found]
    whole = splits == [None]
    if not whole and (None in splits or 0 not in splits or len(set(splits)) < len(splits)):
        _raise_keys(npz, names)
    return tuple(sorted(found, key=lambda pair: pair.split or 0))


def _check_lengths(npz: Npz, x: str, y: str) -> None:
    for key in (x, y):
        if not npz.headers[key].shape:
            raise DataFileError(
                f"The array {key} of {npz.name} is a single value.",
                expected="An array whose first axis counts the samples.",
                fix="Save the samples as one array.",
            )
    lengths = npz.headers[x].shape[0], npz.headers[y].shape[0]
    if lengths[0] != lengths[1]:
        raise DataFileError(
            f"{npz.name} has {lengths[0]:,} samples in {x} and {lengths[1]:,} labels in {y}.",
            expected="One label for every sample.",
            fix="Save both arrays again from the same samples.",
        )
    if lengths[0] == 0:
        raise DataFileError(
            f"{x} in {npz.name} has no samples.",
            expected="At least one sample.",
            fix="Leave the array out to have this split taken from the training samples.",
        )


def _without_labels(npz: Npz, key: str, word: str) -> DataFileError:
    return DataFileError(
        f"{npz.name} has the array {key} and no y{word}.",
        expected="Labels for every array of inputs, under the matching key.",
        fix=f"Save y{word} in the same file.",
    )


def _raise_keys(npz: Npz, names: Sequence[str] = ()) -> None:
    if names:
        raise DataFileError(
            f"{npz.name} holds the arrays {', '.join(list(npz.headers)[:8]) or 'none'}.",
            expected=f"{named_keys(names)}, y_train, and the same for val and test or for neither.",
            fix="Save with numpy.savez_compressed, an array for each input and one of labels.",
        )
    wanted = ", ".join(f"x_{split}, y_{split}" for split in SPLITS)
    raise DataFileError(
        f"{npz.name} holds the arrays {', '.join(list(npz.headers)[:8]) or 'none'}.",
        expected=f"{wanted}; or x_train, y_train alone or with one of the others; or x, y.",
        fix="Save with numpy.savez_compressed('data.npz', x=inputs, y=labels).",
    )
